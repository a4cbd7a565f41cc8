"""What `notice check` and `notice templates` need: the providers that are configured, the longest values there can be,
and in a sandbox the console in which templates are approved."""

import json
from collections.abc import Iterator, Mapping

import click
from sqlalchemy import text

from app.cli.parts import parts
from core.http import Door
from core.redact import mask_phone
from notifications.approved import KINDS, PLACES, to_approve
from notifications.channels import BY_TEXT, Account, Approves, ChannelSilent, NotReachable, RefusesUs, Words
from notifications.channels.sms import Provider
from notifications.readiness import Fitness, asked, fitness
from notifications.send import render

NAMES = {"sms": "第一家", "sms2": "备用"}
A_NAME = "欧阳*四"  # as long as a masked name gets


def providers() -> Iterator[Provider]:
    """Those that are configured, in the order they are tried."""
    for name in BY_TEXT:
        channel = parts().channels.get(name)
        if isinstance(channel, Provider):
            yield channel.quietly()


def longest_values(sample: Mapping[str, str]) -> Mapping[str, str]:
    """Of each variable the longest value that this register can make."""
    with parts().reading() as connection:
        found = connection.execute(_LONGEST).one()
    years = "和".join(map(str, sorted(parts().levy.years.all)))  # as flows/titles.py puts them together
    items = "、".join(f"{years}年居民{what}" for what in ("医保", "养老", "养老补缴"))
    return {
        **sample,
        "village": "村" * max(found.village or 0, len(sample["village"])),
        "names": "、".join([A_NAME] * max(found.people or 0, 1)),
        "items": items,
        "amount": "99999.99",
        "until": "12月31日",
        "reason": "由" * 40,
        "help_phone": parts().help_phone,
    }


def show(channel: Provider, longest: Mapping[str, str]) -> bool:
    """Say of each kind whether it would leave; True if all would."""
    account = channel.account
    click.echo(f"{NAMES[channel.name]}（{account.provider}）")
    if account.provider not in PLACES:
        click.echo("  不用模板：按 docs/messages.md 的接口发全文。用 --send 试一条。")
        return True
    return all([_show(account, channel, fitness(account, kind, longest)) for kind in KINDS])  # noqa: C419 each is said


def _show(account: Account, channel: Provider, found: Fitness) -> bool:
    if found.template and isinstance(channel, Approves) and (said := asked(channel, found.kind)):
        found.problems.append(said)
    cost = f"{found.price // 1000}.{found.price % 1000:03d}元"
    click.echo(
        f"  {'✗' if found.problems else '✓'} {found.kind}  {found.template or '—'}  最长{found.letters}字 {cost}"
    )
    for problem in found.problems:
        click.echo(f"      {problem}")
    for name, letters in found.cut.items():
        click.echo(f"      {name} 最长{letters}个字，超过{account.longest}个字时缩短")
    return not found.problems


def send_one(channel: Provider, phone: str, kind: str, sample: Mapping[str, str]) -> bool:
    """One message with sample words to a number that is given; True if the provider took it."""
    try:
        reference = channel.deliver(phone, Words(kind, render(kind, sample), sample, f"check:{kind}"))
    except NotReachable as refused:
        click.echo(f"  ✗ {NAMES[channel.name]}不发这个号码：{refused}")
    except RefusesUs as refused:
        click.echo(f"  ✗ {NAMES[channel.name]}不认我们：{refused}")
    except ChannelSilent as silent:
        click.echo(f"  ✗ {NAMES[channel.name]}没有回答，不知道发没发：{silent}")
    else:
        click.echo(f"  ✓ {NAMES[channel.name]}已发给{mask_phone(phone)}，流水号 {reference}，请看手机。")
        return True
    return False


def to_hand_in(provider: str) -> dict[str, str]:
    """Kind → the text to hand in, as that provider writes its variables."""
    return {kind: to_approve(kind, PLACES[provider]) for kind in KINDS}


def hand_in(account: Account, sandbox_url: str) -> None:
    """The sandbox's console approves what an operator would hand in."""
    texts = to_hand_in(account.provider)
    ids = {account.templates[kind]: said for kind, said in texts.items() if kind in account.templates}
    wanted = {"provider": account.provider, "templates": ids, "longest": account.longest}
    door = Door(hosts=frozenset({sandbox_url.partition("//")[2]}))
    headers = {"Content-Type": "application/json"}
    said = door.send("POST", f"{sandbox_url}/texts/templates", headers=headers, body=json.dumps(wanted).encode())
    if said.status != 200:
        raise click.ClickException(f"沙盒没有批准模板：{said.body.decode()}")


_LONGEST = text(
    "select (select max(length(t.name || v.name)) from village v join town t on t.code = v.town_code) as village,"
    " (select max(n) from (select count(*) as n from person group by household_id) as homes) as people"
)
