"""flask notice remind | templates | check: messages that we begin, what every message says, and whether it leaves."""

import click
from flask.cli import AppGroup
from sqlalchemy import text

from app.cli.parts import parts, settings
from app.cli.texts import hand_in, longest_values, providers, send_one, show, to_hand_in
from app.flows.tell.remind import Told, remind
from core.errors import AppError
from notifications.approved import KINDS, PLACES, TEMPLATES
from notifications.send import render, version_of

notice = AppGroup("notice", help="Messages to residents.")
SAMPLE = {
    "village": "示例镇示例村",
    "names": "张*例",
    "items": "2022年居民医保",
    "amount": "320",
    "check_code": "K3W9X0T2",
    "reason": "材料不全",
    "until": "12月31日",
    "help_phone": "0000-12366",
    "code": "123456",
    "serial": "00012345",
    "voided": "00012344",
}


@notice.command("remind")
@click.option("--village", "villages", multiple=True, help="A village code; may be repeated.")
@click.option("--town", "towns", multiple=True, help="A town code: all of its villages; may be repeated.")
@click.option("--dry-run", "dry", is_flag=True, help="Count only, write nothing.")
def remind_command(villages: tuple[str, ...], towns: tuple[str, ...], dry: bool) -> None:
    """This week's messages: who has something left to do, and who is to hear that nothing is to be paid.

    One a household and week; quiet hours and the week's budget are kept when they are sent. Running it again writes
    nothing twice."""
    found = text("select code from village where code = any (:villages) or town_code = any (:towns) order by code")
    with parts().reading() as connection:
        codes = connection.execute(found, {"villages": list(villages), "towns": list(towns)}).scalars().all()
    if not codes:
        raise click.UsageError("没有这个村（居）或镇街代码。 No such village or town.")
    try:
        told = remind(parts(), codes, dry=dry, progress=_show)
    except AppError as error:
        raise click.ClickException(error.sentence()) from error
    click.echo(_words("合计 total", told) + ("（只是数一数 counted only）" if dry else ""))


@notice.command("templates")
@click.option("--for", "provider", type=click.Choice(sorted(PLACES)), help="As handed in for approval there.")
@click.option("--hand-in", "handed_in", is_flag=True, help="Sandbox only: its console approves them.")
def templates(provider: str | None, handed_in: bool) -> None:
    """Every message as it reads, with the version that each notice keeps of it."""
    if handed_in:
        _hand_in()
        return
    if provider is not None:
        for kind, said in to_hand_in(provider).items():
            click.echo(f"{kind}\n  {said}")
        return
    for path in sorted(TEMPLATES.glob("*.txt")):
        words = render(path.stem, SAMPLE)
        click.echo(f"{path.stem}  {version_of(path.stem)}  {len(words)}字  {-(-len(words) // 67)}条")
        click.echo(f"  {words}")


@notice.command("check")
@click.option(
    "--send",
    "phone",
    prompt="手机号",
    prompt_required=False,
    help="Send one message too; a number left out is asked for.",
)
@click.option("--kind", type=click.Choice(KINDS), default="login_code", show_default=True, help="Of which kind.")
def check_command(phone: str | None, kind: str) -> None:
    """Which kinds would not leave and why, which variable is shortened, what a message costs at most.

    Asks each provider for its approved templates, which sends nothing. Exit status 1 if something would not leave."""
    channels = list(providers())
    if not channels:
        raise click.ClickException("没有配置短信服务商：SMS_PROVIDER。 No provider is configured.")
    longest = longest_values(SAMPLE)
    good = [show(channel, longest) for channel in channels]
    if phone is not None:
        good += [send_one(channel, phone, kind, SAMPLE) for channel in channels]
    if not all(good):
        raise SystemExit(1)


def _hand_in() -> None:
    held = settings()
    if not held.is_sandbox:
        raise click.ClickException("只用于沙盒；真的模板请到服务商控制台提交。 Only for the sandbox.")
    for account in (held.sms, held.sms_second):
        if account is not None and account.provider in PLACES:
            hand_in(account, held.sandbox_url)
            click.echo(f"{account.provider}: {len(account.templates)} 个模板已批准")


def _show(code: str, told: Told) -> None:
    click.echo(_words(code, told))


def _words(code: str, told: Told) -> str:
    return f"{code}: 提醒 {told.remind} 户，告诉不用交 {told.waived} 户，这周已经有的 {told.again} 户"
