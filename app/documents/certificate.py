"""The certificate of a closed day, one A4 page. Drawn from the signed facts and nothing else; the same facts give the
same bytes."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reportlab.lib.units import mm

from app.documents.page import GREEN, GREY, Page
from core.money import yuan
from payments.ledger.chart import CHANNELS, INSURANCES
from payments.reconcile.discrepancies import BOOKS, KINDS

AUTHOR = "城乡居民两险征缴系统"
MOST_LINES = 12  # accounts on the page; the JSON has them all
MOST_EXCEPTIONS = 8


def draw(facts: Mapping[str, Any], *, names: Mapping[str, str], signature: bytes, public_key: bytes) -> bytes:
    """The page as PDF. `facts` are those of app.flows.reconcile.certify, `names` those of the accounts and funds."""
    closed_at = datetime.fromisoformat(facts["closed_at"])
    page = Page(f"日结证明 {facts['day']}", author=AUTHOR, at=closed_at)
    _head(page, facts)
    _channels(page, facts["channels"])
    _totals(page, facts["totals"], names)
    _differences(page, facts, names)
    _proof(page, facts, signature, public_key)
    return page.finish()


def _head(page: Page, facts: Mapping[str, Any]) -> None:
    page.head("城乡居民两险征缴日结证明")
    year, month, day = facts["day"].split("-")
    page.line(f"业务日：{year}年{int(month)}月{int(day)}日（北京时间）", size=11, step=6)
    agreed = "账账相符，没有未处理的差异。" if not facts["exceptions"] else f"带{len(facts['exceptions'])}项例外日结。"
    page.line(f"本日记账{facts['entries']}笔，分录{facts['postings']}行。{agreed}", size=11, step=7)


def _channels(page: Page, channels: Sequence[Mapping[str, Any]]) -> None:
    ends = (60, 90, 118, 148, 177)
    page.row(("渠道对账单", "笔数", "收款（元）", "退款（元）", "手续费（元）", "应到账（元）"), ends, head=True)
    for row in channels:
        amounts = (yuan(row[column] or 0) for column in ("received", "refunded", "fee", "net"))
        page.row((CHANNELS.get(row["gateway"], row["gateway"]), str(row["lines"] or 0), *amounts), ends)
    page.y -= 2 * mm


def _totals(page: Page, totals: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    ends = (118, 148, 177)
    page.row(("科目", "本日借方（元）", "本日贷方（元）", "日终余额（元）"), ends, head=True)
    moved = sorted(totals, key=lambda total: (not (total["debit"] or total["credit"]), total["account"]))
    for total in moved[:MOST_LINES]:
        name = names.get(total["account"], total["account"])
        page.row((name, yuan(total["debit"]), yuan(total["credit"]), yuan(total["balance"])), ends)
    sums = [sum(total[column] for total in totals) for column in ("debit", "credit", "balance")]
    page.row(("合计", *(yuan(total) for total in sums)), ends, head=True)
    if len(moved) > MOST_LINES:
        page.line(f"另有{len(moved) - MOST_LINES}个科目见同名JSON文件。", colour=GREY)
    page.y -= 2 * mm


def _differences(page: Page, facts: Mapping[str, Any], names: Mapping[str, str]) -> None:
    page.line("差异处理", size=11, step=6, colour=GREEN)
    for row in facts["cleared"]:
        page.line(
            f"已处理：{BOOKS[row['books']]} · {KINDS[row['kind']]}，{row['how_many']}项，涉及{yuan(row['amount'])}元",
            x=1,
        )
    if not facts["cleared"]:
        page.line("已处理：无", x=1)
    for named in facts["exceptions"][:MOST_EXCEPTIONS]:
        page.line(f"例外：{_exception(named, names)}", x=1)
    if len(facts["exceptions"]) > MOST_EXCEPTIONS:
        page.line(f"另有{len(facts['exceptions']) - MOST_EXCEPTIONS}项例外见同名JSON文件。", x=1, colour=GREY)
    if not facts["exceptions"]:
        page.line("例外：无", x=1)
    page.y -= 2 * mm


def _exception(named: Mapping[str, Any], names: Mapping[str, str]) -> str:
    channel = {**names, **CHANNELS, **INSURANCES}.get(named["channel"], named["channel"])
    if named["what"] == "statement":
        return f"{channel}对账单没有到，或者还没有核对"
    amounts = "，".join(
        f"{who}{yuan(named[side])}元" for who, side in (("我方", "ours"), ("对方", "theirs")) if named[side] is not None
    )
    return (
        f"{BOOKS[named['books']]} · {KINDS[named['kind']]} · {channel} {named['day']} {named['subject']}（{amounts}）"
    )


def _login(by: str | None) -> str:
    return (by or "").removeprefix("staff:")


def _proof(page: Page, facts: Mapping[str, Any], signature: bytes, public_key: bytes) -> None:
    page.rule()
    page.line(
        f"日结人：{_login(facts['closed_by'])}　　复核人：{_login(facts['confirmed_by']) or '（账账相符，不需复核）'}",
        size=10,
        step=6,
    )
    closed_at = datetime.fromisoformat(facts["closed_at"])
    page.line(f"日结时间：{closed_at:%Y年%m月%d日 %H:%M:%S}（北京时间）", size=10, step=6)
    page.line(f"本日摘要（SHA-256）：{facts['digest']}", step=5, colour=GREY)
    page.line(f"上日摘要：{facts['previous']}", step=5, colour=GREY)
    page.line(f"签名（Ed25519）：{b64encode(signature).decode()}", step=5, colour=GREY)
    page.line(f"验签公钥：{b64encode(public_key).decode()}", step=5, colour=GREY)
    page.line(
        "验证：flask --app wsgi recon verify-certificate，或用公钥验证同名JSON文件。改动账上任何一笔，摘要都不再相符。",
        step=5,
    )
