"""Fetching a day's trade bill: a signed question for a link and the bill's SHA-1, then the file itself.

Manual: 微信支付 API v3, 申请交易账单 and 下载账单 (4013071254).
"""

from collections.abc import Mapping
from datetime import date
from typing import BinaryIO

from payments.errors import BadStatement, GatewaySilent, StatementNotReady
from payments.gateways.wechat.line import Line, code_of, plain
from payments.gateways.wechat.lines import Proof

LARGEST_STATEMENT = 256 * 1024 * 1024  # as it is sent, packed


def fetch_bill(line: Line, day: date, into: BinaryIO, *, hosts: frozenset[str]) -> bool:
    """The day's bill, type ALL, packed as they send it, into `into`; False if they had no trade. `hosts`: where a link
    may lead. StatementNotReady, GatewaySilent, BadStatement when its SHA-1 does not fit."""
    for _ in range(2):  # a link lives a few minutes: when it is spent, ask for another, once
        link = _link(line, day)
        if link is None:
            return False
        proof = Proof(into)
        if not line.leads_to_them(link["download_url"], hosts):
            raise BadStatement("对账单的下载地址不在名单上")
        answer = line.fetch(link["download_url"], proof, most=LARGEST_STATEMENT)
        if answer.status == 200:
            if proof.digest() != link["hash_value"].lower():
                raise BadStatement("对账单与校验值不符")
            return True
    raise GatewaySilent(f"statement: {answer.status} {code_of(answer)}")


def answered(stated: Mapping[str, object], name: str, limit: int) -> str:
    """The text under `name` of a proven answer; GatewaySilent."""
    value = stated.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isascii():
        raise GatewaySilent(f"a signed answer without {name}")
    return value


def _link(line: Line, day: date) -> dict[str, str] | None:
    answer = line.ask("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL&tar_type=GZIP")
    match answer.status, plain(code_of(answer)):
        case 400, "NOSTATEMENTEXIST":
            return None
        case 400, "STATEMENTCREATING":
            raise StatementNotReady(day.isoformat())
    if answer.status != 200:
        raise GatewaySilent(f"{answer.status} {code_of(answer)}")
    stated = line.proven(answer)
    if stated.get("hash_type") != "SHA1":
        raise GatewaySilent("a statement without its SHA-1")
    return {name: answered(stated, name, 2048) for name in ("hash_value", "download_url")}
