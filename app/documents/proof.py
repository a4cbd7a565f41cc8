"""A confirmation or a certificate of payment, one A4 page, drawn from what app.flows.prove.papers wrote down."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reportlab.lib.units import mm

from app.documents.item import years_of
from app.documents.page import GREEN, GREY, Page, unknown
from app.policy.words import level_words
from core.money import plain_yuan, yuan
from payments.proofs import grouped

_ENDS = (80, 121, 140, 157, 177)
MOST_ITEMS = 24  # as many as one payment holds


def draw(facts: Mapping[str, Any], *, title: str, address: str, at: datetime) -> bytes:
    """The page as PDF; `address` is what its code opens, `at` when it was issued."""
    page = Page(f"{title} {facts['code']}", author=facts["issuer"], at=at)
    page.head(title)
    _top(page, facts, address)
    _items(page, facts)
    _how(page, facts)
    _foot(page, facts)
    return page.finish()


def _top(page: Page, facts: Mapping[str, Any], address: str) -> None:
    top = page.y
    page.code(address)
    page.fact("凭证号（查验码）", grouped(facts["code"]))
    page.fact("开具机关", facts["issuer"])
    page.fact("开具日期", _day(facts["issued_on"]))
    page.fact("村（居）", facts["village"])
    page.y = min(page.y, top - 38 * mm)


def _items(page: Page, facts: Mapping[str, Any]) -> None:
    page.row(("缴费人", "证件号", "征收项目", "年度", "档次", "实缴（元）"), _ENDS, head=True)
    for item in facts["items"][:MOST_ITEMS]:
        page.row(
            (
                item["name"],
                item["id_masked"],
                item["levy_item"],
                _span(years_of(item)),
                _chosen(item),
                yuan(item["amount"]),
            ),
            _ENDS,
        )
        if item.get("raised_from"):
            page.row((f"　{item['title']}", "", "", "", "", ""), _ENDS)
        for fund in item.get("funds", ()):  # papers of an item without another fund do not say
            page.row((f"　其中{fund['name']}", "", "", "", "", yuan(fund["amount"])), _ENDS)
        for gave in item.get("sponsors", ()):  # beside what was paid, and in no sum
            page.row((f"　另由{gave['name'][:20]}资助 {yuan(gave['amount'])} 元", "", "", "", "", ""), _ENDS)
    page.row(("合计", "", "", "", "", yuan(facts["amount"])), _ENDS, head=True)
    page.y -= 2 * mm
    page.fact("金额大写", facts["capital"])
    years = sorted({year for item in facts["items"] for year in years_of(item)})
    if years:
        runs = "、".join(f"{first}年1月1日至{last}年12月31日" for first, last in _runs(years))
        page.fact("费款所属期", runs)


def _chosen(item: Mapping[str, Any]) -> str:
    """500元档, 二档: the pension's tier or the medical insurance's level, of which papers written before there were any
    say nothing."""
    level = item.get("level")
    return level_words(level) if level else f"{plain_yuan(item['tier'])}元档" if item["tier"] else "—"


def _span(years: Sequence[int]) -> str:
    """2022, 2019-2021, or where the place is too narrow, the line below."""
    runs = _runs(years)
    if len(runs) != 1:
        return "见下" if runs else "补缴"
    first, last = runs[0]
    return str(first) if first == last else f"{first}-{last}"


def _runs(years: Sequence[int]) -> list[tuple[int, int]]:
    """Years that follow each other, as (first, last)."""
    runs: list[tuple[int, int]] = []
    for year in years:
        if runs and year == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], year
        else:
            runs.append((year, year))
    return runs


def _how(page: Page, facts: Mapping[str, Any]) -> None:
    page.fact("缴款时间", _moment(facts["paid_at"]))
    page.fact("缴款渠道", facts["channel"])
    page.fact("渠道流水号", facts["reference"])
    if facts["number"]:
        page.fact("支付单号", facts["number"])
    if "booked_on" in facts:
        page.fact("入库日期", _day(facts["booked_on"]))
        page.fact("税票号", facts["tax_serial"])
    starts = sorted({(item["year"], item["benefit_start"]) for item in facts["items"] if item["benefit_start"]})
    several = len({item["year"] for item in facts["items"]}) > 1
    for year, start in starts:
        page.fact("医保待遇起始", f"{_day(start)}（{year}年度）" if several else _day(start))
    page.y -= 2 * mm


def _foot(page: Page, facts: Mapping[str, Any]) -> None:
    page.rule()
    if "booked_on" not in facts:
        page.line(
            "本单只证明钱已收到，不是税务凭证。入库以后可以开《社会保险费缴费证明》。", size=11, step=7, colour=GREEN
        )
    page.line(
        "查验真假：用手机扫右上角的码，或在缴费页面“核对通知或凭证”里输入查验码。页面上的姓名、项目、金额"
        "要与这张纸一样；不一样的、查不到的、写着“已作废”的，都不能当作凭证。",
        size=11,
    )
    page.line(f"咨询电话：{facts['help_phone']}", size=11, colour=GREY)
    if without_font(facts):
        page.line("〔U+…〕是电脑里还没有字形的字，以登记的姓名为准。", colour=GREY)


def without_font(facts: Mapping[str, Any]) -> list[str]:
    """The letters of the paper's names that are told by their numbers."""
    return unknown("".join(item["name"] for item in facts["items"]))


def _day(told: str) -> str:
    on = date.fromisoformat(told)
    return f"{on.year}年{on.month}月{on.day}日"


def _moment(told: str) -> str:
    at = datetime.fromisoformat(told)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}（北京时间）"
