"""flask demo run: the main job once, over real HTTP, without a browser, on a database and ports of its own.

Every promise is checked as it is made; the exit status is 0 only if all of them held."""

import time
from typing import Any

import click
from flask.cli import AppGroup

from app.cli.demo_back import give_back
from app.cli.demo_statements import compare
from app.cli.parts import settings
from app.cli.people import ensure_district
from app.cli.stage import DATABASE, Stage, qr, set_stage, wait_for
from app.policy.year import funds_of
from app.registry.cast import Showcase, showcase
from config.postgres import create_database, drop_database, ensure_running
from config.settings import CHECKOUT
from core.clock import beijing
from core.money import plain_yuan, yuan
from migrations.upgrade import upgrade
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import trial_balance

demo = AppGroup("demo", help="The main job once, end to end.")


@demo.command("run")
@click.option("--people", default=300, show_default=True, help="Size of the synthetic district.")
def run(people: int) -> None:
    """Four residents: one pays 820 by WeChat, one 160 by Alipay, one 300 by UnionPay, one nothing; then money goes
    back, and the channels' lists are compared with the book. Prints each step in plain words."""
    held = settings()
    if not held.is_sandbox:
        raise click.ClickException("demo 只用于沙盒。 Only for the sandbox.")
    server = ensure_running(held.postgres_folder, pg_bin=held.pg_bin)
    drop_database(server, DATABASE)
    create_database(server, DATABASE)
    years, district = (held.levy_year,), held.district
    upgrade(server.owner_url(DATABASE), years=years, departments=district.departments, funds=funds_of(district.years))
    stage = set_stage(server, held.business_clock_start)
    try:
        _act(stage, people)
    finally:
        stage.stack.stop()
        stage.parts.engine.dispose()
        stage.office.engine.dispose()
        drop_database(server, DATABASE)
    if stage.broken:
        click.echo(f"\n{len(stage.broken)} 个承诺没有兑现：" + "；".join(stage.broken), err=True)
        raise SystemExit(1)
    click.echo("\n全部承诺都兑现了。 Every promise held.")


def _act(stage: Stage, people: int) -> None:
    click.echo("起数据库、网页进程、后台进程和沙盒，装入虚构的示例区……")
    ensure_district(stage.office, people=people, password_file=CHECKOUT / ".local" / "demo" / "agent.txt")
    clocks = stage.parts.clocks
    stage.stack.start(offset_seconds=int((clocks.now() - clocks.wall()).total_seconds()))
    click.echo(f"业务时钟：{beijing(clocks.now()):%Y年%m月%d日 %H:%M}\n")
    cast = showcase()
    paid = {
        "wechat": _ordinary(stage, cast.ordinary),
        "alipay": _half(stage, cast.aged_65),
        "unionpay": _pension_only(stage, cast.entitled),
    }
    _nothing(stage, cast.aged_72)
    _books(stage, sum(amount for _, amount in paid.values()))
    give_back(stage, {gateway: number for gateway, (number, _) in paid.items()})
    compare(stage)


def _ordinary(stage: Stage, person: Showcase) -> tuple[str, int]:
    click.echo(f"一、普通成年人 {person.masked}：养老选500元档，医保320元，用微信一次付清")
    token, found = _look_up(stage, person)
    _show_due(found, tier=50000)
    items = [
        {"person": found["person"], "insurance": "RES_MEDICAL"},
        {"person": found["person"], "insurance": "RES_PENSION", "tier": 50000},
    ]
    return _pay(stage, token, items, gateway="wechat", expected=82000)


def _half(stage: Stage, person: Showcase) -> tuple[str, int]:
    click.echo(f"\n二、65岁的 {person.masked}：医保减半，用支付宝付")
    token, found = _look_up(stage, person)
    _show_due(found)
    items = [{"person": found["person"], "insurance": "RES_MEDICAL"}]
    return _pay(stage, token, items, gateway="alipay", expected=16000)


def _pension_only(stage: Stage, person: Showcase) -> tuple[str, int]:
    click.echo(f"\n三、{person.masked}：医保不用自己交，养老选300元档，用云闪付付")
    token, found = _look_up(stage, person)
    _show_due(found, tier=30000)
    items = [{"person": found["person"], "insurance": "RES_PENSION", "tier": 30000}]
    return _pay(stage, token, items, gateway="unionpay", expected=30000)


def _nothing(stage: Stage, person: Showcase) -> None:
    click.echo(f"\n四、72岁的 {person.masked}：不用交钱，不经过支付平台")
    token, found = _look_up(stage, person)
    _show_due(found)
    items = [{"person": found["person"], "insurance": "RES_MEDICAL"}]
    said = stage.call(
        "POST",
        f"{stage.url}/api/v1/payments",
        {"items": items, "gateway": "wechat", "kind": "native"},
        Authorization=f"Bearer {token}",
        Idempotency_Key="demo-nothing-1",
    )
    stage.promise(said["state"] == "settled", "当场办好，没有付款单")
    row = stage.one("select household_id, settled_by from bill where settled_by like 'bill:%'")
    stage.show_entry(row.household_id, row.settled_by)
    told = wait_for(lambda: stage.told(row.settled_by))
    stage.promise(bool(told), "通知已经发出")
    stage.promise("元" not in (told or "元"), "通知里没有金额")


def _look_up(stage: Stage, person: Showcase) -> tuple[str, dict[str, Any]]:
    """A session with a login code of the far side's phone; the code of a text message; then name and identity number →
    the person."""
    code = stage.call("POST", f"{stage.far}/phone/login-code", {"phone": person.masked})["code"]
    token = stage.call("POST", f"{stage.url}/api/v1/session", {"code": code})["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    stage.call("POST", f"{stage.url}/api/v1/session/phone", {"phone": person.phone}, **bearer)
    proof = {"code": stage.texted(person.phone)}
    token = stage.call("POST", f"{stage.url}/api/v1/session/phone/confirm", proof, **bearer)["token"]
    named = {"name": person.name, "id_number": person.id_number, "agreed": True}
    return token, stage.call("POST", f"{stage.url}/api/v1/people", named, Authorization=f"Bearer {token}")


def _show_due(found: dict[str, Any], tier: int | None = None) -> None:
    for due in found["due"]:
        click.echo(f"  {due['title']}：{due['text']}")
        for line in due["lines"]:
            click.echo(f"      {line['text']}　依据{line['clause_words']}")
        for choice in due["tiers"]:
            if choice["tier"] == tier:
                more = plain_yuan(choice["gov_subsidy"])
                click.echo(
                    f"      选 {plain_yuan(tier)} 元档：自己交 {plain_yuan(choice['personal_due'])} 元，"
                    f"政府再补 {more} 元"
                )


def _pay(stage: Stage, token: str, items: list[dict[str, Any]], *, gateway: str, expected: int) -> tuple[str, int]:
    """Pay by a code; the payment's number and amount in fen."""
    started = stage.call(
        "POST",
        f"{stage.url}/api/v1/payments",
        {"items": items, "gateway": gateway, "kind": "native"},
        Authorization=f"Bearer {token}",
        Idempotency_Key=f"demo-{expected}-key",
    )
    number = started["number"]
    click.echo(f"  付款单 {number}，共 {plain_yuan(started['amount'])} 元")
    stage.promise(started["amount"] == expected, f"金额正好是 {plain_yuan(expected)} 元")
    click.echo(qr(started["code_url"]))
    click.echo(f"  付款人用{GATEWAYS[gateway].facts.title}扫码付款……")
    stage.call("POST", f"{stage.far}/phone/pay", {"code_url": started["code_url"], "openid": ""})
    began = time.monotonic()

    def paid() -> dict[str, Any] | None:
        said = stage.call("GET", f"{stage.url}/api/v1/payments/{number}", Authorization=f"Bearer {token}")
        return said if said["state"] == "paid" else None

    said = wait_for(paid)
    stage.promise(said is not None, f"{time.monotonic() - began:.1f} 秒内回调到达，页面显示缴费成功")
    row = stage.one("select household_id, reference from payment where number = :n", n=number)
    stage.show_entry(row.household_id, f"receipt:{gateway}:{row.reference}")
    told = wait_for(lambda: stage.told(f"payment:{number}:paid"))
    stage.promise(bool(told), "通知已经发出")
    click.echo(f"      {told}")
    return number, started["amount"]


def _books(stage: Stage, expected: int) -> None:
    click.echo("\n试算平衡：")
    with stage.parts.engine.connect() as connection:
        rows = trial_balance(connection)
    for row in rows:
        click.echo(f"      {row.code:<24} 借 {yuan(row.debit):>10}  贷 {yuan(row.credit):>10}  {row.name}")
    stage.promise(sum(row.balance for row in rows) == 0, "借方合计等于贷方合计")
    trades = stage.call("GET", f"{stage.far}/trades")["trades"]
    ours = sum(row.balance for row in rows if row.code.startswith("clearing:"))
    theirs = sum(trade["amount"] for trade in trades)
    stage.promise(
        ours == theirs == expected,
        f"账上收到的 {yuan(ours)} 元等于支付平台那边的 {yuan(theirs)} 元（{len(trades)} 笔）",
    )
    stage.promise(stage.one("select count(*) as held from suspense").held == 0, "没有待查的钱")
