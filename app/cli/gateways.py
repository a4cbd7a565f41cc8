"""flask gateways check | verify | statement: is a channel ready, is a callback genuine, what does a day's list say."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.cli.parts import gateway as connected
from app.cli.parts import parts, settings
from app.flows.reconcile.fetch_statement import fetch_statement
from app.flows.watch.keys import ends_soon
from core.clock import BEIJING, beijing, utc_now
from core.errors import AppError
from core.money import yuan
from payments.errors import AlreadyPaidThere, GatewayRefused, GatewaySilent, GatewayTakesNobody, UnknownGateway
from payments.gateways.base import (
    SHORTEST_LIFE,
    Callback,
    Gateway,
    KeyFact,
    Kind,
    Order,
    Purpose,
    Trade,
    Word,
)
from payments.gateways.known import GATEWAYS
from payments.gateways.signing import BadKey
from payments.gateways.verdict import judge

gateways = AppGroup("gateways", help="The payment channels: keys, callbacks, statements (支付渠道).")
UNKNOWN_NUMBER = "YC000000CHECK0000000000000"
MEANINGS: Mapping[Word, str] = {
    Word.PAID: "付款成功",
    Word.OPEN: "还没有付，还可以付",
    Word.CLOSED: "已经不能付了",
    Word.ABSENT: "对方没有这个单号",
    Word.UNDECIDED: "对方自己还不知道结果，过一会儿再问",
    Word.UNKNOWN: "对方的说法不认识，要人工看",
}
PURPOSES: Mapping[Purpose, str] = {
    Purpose.SIGNS: "签我们的请求",
    Purpose.VERIFIES: "验对方的签名",
    Purpose.OPENS: "解开对方的回调",
    Purpose.VOUCHES: "证明对方的证书",
}
TROUBLES = {
    "NewConnectionError": "连不上，请核对地址和网络",
    "NameResolution": "找不到这个地址，请核对地址和域名解析",
    "Timeout": "连上了但没有按时回答，请核对网络",
    "SSLError": "对方的网站证书不对，请核对地址",
    "not asked": "前面几次都没有回答，请过一会儿再试",
    "SIGN": "对方说我们的签名不对，请核对私钥、序列号和机器时间",
    "invalid-signature": "对方说我们的签名不对，请核对私钥和上传的应用公钥",
    "invalid-app-id": "对方不认识这个应用，请核对 APP_ID",
    "insufficient": "对方说我们没有签这个产品，请核对签约和 PRODUCT_CODE",
    "signature wrong": "回答的签名验不过，请核对对方的公钥或证书",
    "serial unknown": "回答用了我们没有的公钥或证书，请补上",
}


@gateways.command("check")
@click.argument("names", nargs=-1, type=click.Choice(list(GATEWAYS)))
def check_command(names: tuple[str, ...]) -> None:
    """Sign and verify a self-test, list keys with their expiry, ask the configured address about an unknown order, and
    (Alipay) for a code that nobody scans."""
    chosen = names or tuple(GATEWAYS)
    ready = [_check(name, wanted=bool(names)) for name in chosen]
    if not all(ready) or not any(name in settings().gateways for name in chosen):
        raise SystemExit(1)


@gateways.command("verify")
@click.argument("name", type=click.Choice(list(GATEWAYS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_command(name: str, file: Path) -> None:
    """Would this stored callback be believed, why not, and what does it mean? FILE: {"headers", "body", "now"}.

    Prints JSON; the exit status is 0 if it is accepted, 1 if not, 2 if the file cannot be read."""
    try:
        headers, body, now = _stored(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        click.echo(f'文件要是 {{"headers": {{…}}, "body": "…", "now": 时刻}} 的 JSON：{error}', err=True)
        raise SystemExit(2) from error
    try:
        verdict = judge(connected(name), headers, body, now=now)
    except BadKey as error:
        raise click.ClickException(_plain(name, error)) from error
    said: dict[str, Any] = {"gateway": name, "accepted": verdict.accepted, "why": verdict.why}
    if verdict.callback is not None:
        said |= _meaning(verdict.callback)
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    raise SystemExit(0 if verdict.accepted else 1)


@gateways.command("statement")
@click.argument("name", type=click.Choice(list(GATEWAYS)))
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
def statement_command(name: str, day: datetime) -> None:
    """Fetch the statement of a business DAY, prove it, keep it; a day kept before is replaced."""
    try:
        fetched = fetch_statement(parts(), name, date(day.year, day.month, day.day))
    except AppError as error:
        why = f"（{error.args[0]}）" if error.args else ""
        raise click.ClickException(error.sentence() + why) from error
    click.echo(
        f"{fetched.lines} 行：收款 {yuan(fetched.received)} 元，退款 {yuan(fetched.refunded)} 元，"
        f"手续费 {fetched.fee / 100_000:.5f} 元"
    )


def _check(name: str, *, wanted: bool) -> bool:
    """True if the channel is ready, or is not configured and nobody asked for it."""
    title = GATEWAYS[name].facts.title
    click.echo(f"{title} {name}")
    given = settings().gateways.get(name)
    if not given:
        click.echo(f"  – 没有配置。要用它，请设置：{_variables(name, GATEWAYS[name].NEEDS)}，以及{_one_of(name)}")
        return not wanted
    try:
        gateway = connected(name)
    except (BadKey, UnknownGateway) as error:
        click.echo(f"  ✗ {_plain(name, error)}")
        return False
    return all([_check_signing(gateway), _check_keys(gateway), _check_address(gateway), _check_contract(gateway)])


def _check_signing(gateway: Gateway) -> bool:
    try:
        gateway.sign_and_verify()
    except BadKey as error:
        click.echo(f"  ✗ 自检签名没有通过：{error}")
        return False
    click.echo("  ✓ 自检：用我们的私钥签名，验签通过")
    return True


def _check_keys(gateway: Gateway) -> bool:
    fine = [_check_key(key) for key in gateway.keys()]  # noqa: SIM118 a gateway is no mapping; each is said
    return all(fine)


def _check_key(key: KeyFact) -> bool:
    """Its name and its last day; False once that day is over."""
    if key.doubt:
        click.echo(f"  ! {PURPOSES[key.purpose]}：{key.name}，{key.doubt}")
    if key.expires_at is None:
        click.echo(f"  ✓ {PURPOSES[key.purpose]}：{key.name}，没有有效期")
        return True
    days = (key.expires_at - utc_now()).days
    until = f"{beijing(key.expires_at):%Y年%m月%d日}"
    if days < 0:
        click.echo(f"  ✗ {PURPOSES[key.purpose]}：{key.name}，{until}已经过期，请马上更换")
    elif ends_soon(key.expires_at, utc_now()):
        click.echo(f"  ! {PURPOSES[key.purpose]}：{key.name}，{until}到期，只剩{days}天，请准备更换")
    else:
        click.echo(f"  ✓ {PURPOSES[key.purpose]}：{key.name}，有效期到{until}")
    return days >= 0


def _check_address(gateway: Gateway) -> bool:
    """Ask about an order that cannot exist: only an answer that proves itself and says so will do."""
    where = settings().gateways[gateway.name].get("base_url", "")
    try:
        outcome = gateway.query(Trade(UNKNOWN_NUMBER, utc_now().replace(microsecond=0)))
    except GatewaySilent as silent:
        click.echo(f"  ✗ 问了 {where}，没有得到可信的回答：{_trouble(str(silent))}")
        return False
    if outcome.word is not Word.ABSENT:
        click.echo(f"  ✗ 查一个不存在的单号，对方却说“{MEANINGS[outcome.word]}”（{outcome.their_word}）")
        return False
    click.echo(f"  ✓ 连得上 {where}，查一个不存在的单号，对方说没有")
    return True


def _check_contract(gateway: Gateway) -> bool:
    """Ask for a code of one fen, where that leaves no trace because nothing comes into being before somebody scans it:
    a contract that is not there is found now and not by the first payer."""
    if not (gateway.facts.closes and gateway.facts.unseen_may_be_paid):
        return True
    now, number = utc_now().replace(microsecond=0), f"YC000000CHECK{secrets.randbelow(10**13):013d}"
    try:
        gateway.start(Order(number, now, Kind.NATIVE, 1, "连通检查，请不要付款", now + SHORTEST_LIFE))
    except GatewayTakesNobody as nobody:
        click.echo(f"  ✗ 试着要一个付款码，对方说谁都不能付：请核对签约的产品和商户状态（{nobody.args[0]}）")
        return False
    except (GatewayRefused, GatewaySilent, AlreadyPaidThere) as trouble:
        click.echo(f"  ! 试着要一个付款码，没有要到：{_trouble(str(trouble))}")
        return True
    click.echo("  ✓ 试着要一个付款码，要到了（没有人扫，不会产生交易）")
    return True


def _trouble(said: str) -> str:
    """What to look at, by what was heard."""
    advice = next((words for sign, words in TROUBLES.items() if sign in said), "请核对商户号、密钥和机器时间")
    return f"{advice}（{said}）"


def _plain(name: str, error: Exception) -> str:
    missing = [need for need in GATEWAYS[name].NEEDS if need not in _OURS and not settings().gateways[name].get(need)]
    if missing:
        return f"缺少 {_variables(name, missing)}"
    if not any(settings().gateways[name].get(need) for need in GATEWAYS[name].NEEDS_ONE_OF):
        return f"缺少{_one_of(name)}"
    return f"密钥或参数不能用：{error}"


_OURS = ("notify_url", "return_url")  # made from PUBLIC_URL


def _variables(name: str, needs: Any) -> str:
    return "、".join(f"GATEWAY_{name.upper()}_{need.upper()}" for need in needs if need not in _OURS)


def _one_of(name: str) -> str:
    return f" {' 或 '.join(_variables(name, [need]) for need in GATEWAYS[name].NEEDS_ONE_OF)} 之一"


def _stored(document: Any) -> tuple[dict[str, str], bytes, datetime]:
    if not isinstance(document, dict):
        raise TypeError("要是一个对象")
    headers = {str(name): str(value) for name, value in dict(document.get("headers") or {}).items()}
    body, now = document["body"], document["now"]
    if not isinstance(body, str):
        raise TypeError("body 要是文字")
    moment = datetime.fromtimestamp(now, UTC) if isinstance(now, int | float) else datetime.fromisoformat(str(now))
    return headers, body.encode(), moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _meaning(callback: Callback) -> dict[str, Any]:
    """What an accepted callback says, without the payer."""
    said: dict[str, Any] = {"event_id": callback.event_id, "event_type": callback.event_type, "about": "nothing"}
    if (paid := callback.outcome) is not None:
        said |= {
            "about": "payment",
            "number": paid.number,
            "word": paid.word,
            "meaning": MEANINGS[paid.word],
            "their_word": paid.their_word,
            "amount": paid.amount,
            "currency": paid.currency,
            "reference": paid.reference,
            "happened_at": paid.happened_at.isoformat() if paid.happened_at else None,
            "merchant": paid.merchant,
            "app": paid.app,
        }
    if (back := callback.refund) is not None:
        said |= {"about": "payment and refund" if callback.outcome else "refund"} | {
            "refund": {
                "number": back.number,
                "word": back.word,
                "their_word": back.their_word,
                "payment": back.payment,
                "amount": back.amount,
                "reference": back.reference,
                "happened_at": back.happened_at.isoformat() if back.happened_at else None,
            }
        }
    return said
