"""flask demo run: the main job once, over real HTTP, without a browser, on a database and ports of its own.

Every promise is checked as it is made; the exit status is 0 only if all of them held."""

import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
import qrcode
from flask.cli import AppGroup
from sqlalchemy import text

from app.cli.parts import joined, settings
from app.cli.people import ensure_district
from app.cli.stack import Stack, free_port
from app.flows.parts import Parts
from app.registry.synthetic import Showcase, showcase
from config.local import own_lines, sandbox_keys
from config.postgres import Server, create_database, drop_database, ensure_running
from config.settings import CHECKOUT, Settings
from core.clock import beijing
from core.db import connect
from core.http import Answer, Door
from core.money import plain_yuan, yuan
from migrations.upgrade import upgrade
from notifications.send import render
from payments.ledger.balances import entry_lines, trial_balance

demo = AppGroup("demo", help="The main job once, end to end.")
DATABASE = "liangxian_demo"
Found = TypeVar("Found")


@demo.command("run")
@click.option("--people", default=300, show_default=True, help="Size of the synthetic district.")
def run(people: int) -> None:
    """Three residents: one pays 820, one pays 160, one pays nothing. Prints each step in plain words."""
    held = settings()
    if not held.is_sandbox:
        raise click.ClickException("demo 只用于沙盒。 Only for the sandbox.")
    server = ensure_running(held.postgres_folder, pg_bin=held.pg_bin)
    drop_database(server, DATABASE)
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), years=(held.levy_year,))
    stage = _stage(server, held.business_clock_start)
    try:
        _act(stage, people)
    finally:
        stage.stack.stop()
        stage.parts.engine.dispose()
        drop_database(server, DATABASE)
    if stage.broken:
        click.echo(f"\n{len(stage.broken)} 个承诺没有兑现：" + "；".join(stage.broken), err=True)
        raise SystemExit(1)
    click.echo("\n全部承诺都兑现了。 Every promise held.")


@dataclass
class Stage:
    """The running system of the demonstration, and the promises it broke."""

    stack: Stack
    parts: Parts
    door: Door
    url: str
    far: str
    broken: list[str] = field(default_factory=list)

    def promise(self, held: bool, words: str) -> None:
        """Say a promise, and whether it held."""
        click.echo(f"    {'✓' if held else '✗'} {words}")
        if not held:
            self.broken.append(words)

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """One JSON request; the answer's JSON."""
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        answer: Answer = self.door.send(method, url, headers=sent, body=json.dumps(body).encode() if body else None)
        if answer.status >= 400:
            raise click.ClickException(f"{method} {url}: {answer.status} {answer.body.decode()}")
        return json.loads(answer.body)


def _stage(server: Server, clock_start: Any) -> Stage:
    port, far_port = free_port(), free_port()
    folder, far = CHECKOUT / ".local" / "demo", f"http://127.0.0.1:{far_port}"
    _forget(folder)
    environ = (
        own_lines()
        | {
            "DATABASE_URL": server.app_url(DATABASE),
            "DATABASE_OWNER_URL": server.owner_url(DATABASE),
            "PORT": str(port),
            "SANDBOX_PORT": str(far_port),
            "SMS_URL": far,
            "LOG_LEVEL": "WARNING",
        }
        | dict(sandbox_keys(folder, base_url=far))
    )
    mine = Settings.from_environment(environ)
    parts = joined(mine, connect(server.app_url(DATABASE), pool_size=4))
    parts.clocks.set_to(clock_start or parts.clocks.wall())
    stack = Stack({**os.environ, **environ}, port, far_port, folder)
    door = Door(hosts=frozenset({f"127.0.0.1:{port}", f"127.0.0.1:{far_port}"}), read_s=15)
    return Stage(stack, parts, door, f"http://127.0.0.1:{port}", far)


def _forget(folder: Path) -> None:
    """The far side of the last demonstration remembers trades of a database that is gone."""
    for file in folder.glob("outside.sqlite*"):
        file.unlink()


def _act(stage: Stage, people: int) -> None:
    click.echo("起数据库、网页进程、后台进程和沙盒，装入虚构的示例区……")
    ensure_district(stage.parts, people=people, password_file=CHECKOUT / ".local" / "demo" / "agent.txt")
    clocks = stage.parts.clocks
    stage.stack.start(offset_seconds=int((clocks.now() - clocks.wall()).total_seconds()))
    click.echo(f"业务时钟：{beijing(clocks.now()):%Y年%m月%d日 %H:%M}\n")
    cast = showcase()
    _ordinary(stage, cast.ordinary)
    _half(stage, cast.aged_65)
    _nothing(stage, cast.aged_72)
    _books(stage)


def _ordinary(stage: Stage, person: Showcase) -> None:
    click.echo(f"一、普通成年人 {person.masked}：养老选500元档，医保320元，一次付清")
    token, found = _look_up(stage, person)
    _show_due(found, tier=50000)
    items = [
        {"person": found["person"], "insurance": "RES_MEDICAL"},
        {"person": found["person"], "insurance": "RES_PENSION", "tier": 50000},
    ]
    _pay(stage, token, items, expected=82000)


def _half(stage: Stage, person: Showcase) -> None:
    click.echo(f"\n二、65岁的 {person.masked}：医保减半")
    token, found = _look_up(stage, person)
    _show_due(found)
    _pay(stage, token, [{"person": found["person"], "insurance": "RES_MEDICAL"}], expected=16000)


def _nothing(stage: Stage, person: Showcase) -> None:
    click.echo(f"\n三、72岁的 {person.masked}：不用交钱，不经过支付平台")
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
    row = _one(stage, "select household_id, settled_by from bill where settled_by like 'bill:%'")
    _show_entry(stage, row.household_id, row.settled_by)
    told = _wait(lambda: _told(stage, row.settled_by))
    stage.promise(bool(told), "通知已经发出")
    stage.promise("元" not in (told or "元"), "通知里没有金额")


def _look_up(stage: Stage, person: Showcase) -> tuple[str, dict[str, Any]]:
    """A session with a login code of the far side's phone, then name and identity number → the person."""
    code = stage.call("POST", f"{stage.far}/phone/login-code", {"phone": person.masked})["code"]
    token = stage.call("POST", f"{stage.url}/api/v1/session", {"code": code})["token"]
    found = stage.call(
        "POST",
        f"{stage.url}/api/v1/people",
        {"name": person.name, "id_number": person.id_number},
        Authorization=f"Bearer {token}",
    )
    return token, found


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


def _pay(stage: Stage, token: str, items: list[dict[str, Any]], *, expected: int) -> None:
    started = stage.call(
        "POST",
        f"{stage.url}/api/v1/payments",
        {"items": items, "gateway": "wechat", "kind": "native"},
        Authorization=f"Bearer {token}",
        Idempotency_Key=f"demo-{expected}-key",
    )
    number = started["number"]
    click.echo(f"  付款单 {number}，共 {plain_yuan(started['amount'])} 元")
    stage.promise(started["amount"] == expected, f"金额正好是 {plain_yuan(expected)} 元")
    click.echo(_qr(started["code_url"]))
    click.echo("  付款人用手机扫码付款……")
    stage.call("POST", f"{stage.far}/phone/pay", {"code_url": started["code_url"], "openid": ""})
    began = time.monotonic()

    def paid() -> dict[str, Any] | None:
        said = stage.call("GET", f"{stage.url}/api/v1/payments/{number}", Authorization=f"Bearer {token}")
        return said if said["state"] == "paid" else None

    said = _wait(paid)
    stage.promise(said is not None, f"{time.monotonic() - began:.1f} 秒内回调到达，页面显示缴费成功")
    row = _one(stage, "select household_id, reference from payment where number = :n", n=number)
    _show_entry(stage, row.household_id, f"receipt:wechat:{row.reference}")
    told = _wait(lambda: _told(stage, f"payment:{number}:paid"))
    stage.promise(bool(told), "通知已经发出")
    click.echo(f"      {told}")


def _show_entry(stage: Stage, household: int, cause: str) -> None:
    with stage.parts.engine.connect() as connection:
        lines = entry_lines(connection, household, cause)
    click.echo("  分录：")
    for line in lines:
        side = "借" if line.amount > 0 else "贷"
        click.echo(f"      {side} {line.name}  {yuan(abs(line.amount))}")
    stage.promise(bool(lines) and sum(line.amount for line in lines) == 0, "借贷相等")


def _books(stage: Stage) -> None:
    click.echo("\n试算平衡：")
    with stage.parts.engine.connect() as connection:
        rows = trial_balance(connection)
    for row in rows:
        click.echo(f"      {row.code:<24} 借 {yuan(row.debit):>10}  贷 {yuan(row.credit):>10}  {row.name}")
    stage.promise(sum(row.balance for row in rows) == 0, "借方合计等于贷方合计")
    trades = stage.call("GET", f"{stage.far}/trades")["trades"]
    ours = next((row.balance for row in rows if row.code == "clearing:wechat"), 0)
    theirs = sum(trade["amount"] for trade in trades)
    stage.promise(
        ours == theirs == 98000, f"账上收到的 {yuan(ours)} 元等于微信那边的 {yuan(theirs)} 元（{len(trades)} 笔）"
    )
    doubt = _one(stage, "select count(*) as held from suspense").held
    stage.promise(doubt == 0, "没有待查的钱")


def _told(stage: Stage, cause: str) -> str | None:
    row = _one(stage, "select rank, kind, fields from notice where cause = :cause", cause=cause)
    if row is None or row.rank < 2:
        return None
    return render(row.kind, row.fields)


def _one(stage: Stage, statement: str, **values: object) -> Any:
    with stage.parts.engine.connect() as connection:
        return connection.execute(text(statement), values).first()


def _wait(find: Callable[[], Found | None], seconds: float = 20) -> Found | None:
    """The first thing found, or None when the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.1)
    return None


def _qr(content: str) -> str:
    code = qrcode.QRCode(border=1)
    code.add_data(content)
    out = io.StringIO()
    code.print_ascii(out=out)
    return out.getvalue().rstrip()
