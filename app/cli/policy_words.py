"""How the terminal says a replay. Words and columns only."""

import unicodedata
from collections.abc import Iterator, Sequence

from app.flows.due.replay import Replayed
from app.flows.due.replay_book import HEAD, INSURANCES, TIERS, budget_rows, explained, figures, reason_rows
from app.policy.facts import Insurance
from app.policy.replay import Totals
from core.money import plain_yuan

_SHOWN = {  # title in the spreadsheet → the short one that fits a terminal
    "人数": "人数",
    "原可缴人数": "原可缴",
    "新可缴人数": "新可缴",
    "多交人数": "多交",
    "多交金额（元）": "多交元",
    "少交人数": "少交",
    "少交金额（元）": "少交元",
    "不变人数": "不变",
    "得到补贴人数": "得补贴",
    "失去补贴人数": "失补贴",
    "原个人合计（元）": "原个人元",
    "新个人合计（元）": "新个人元",
    "个人增减（元）": "个人±元",
    "各方增减（元）": "各方±元",
}


def table(replayed: Replayed, *, villages: bool) -> Iterator[str]:
    """The report's lines: what was asked, each place's figures by insurance, the budget, reasons that change."""
    yield from explained(replayed)
    whole = replayed.whole()
    rows = [(name, sums) for name, sums in replayed.towns().values()]
    if villages:
        rows += [(f"{place.town}{place.name}", replayed.villages[place.code]) for place in replayed.places]
    rows.append(("全区", whole))
    for insurance, title in INSURANCES.items():
        yield ""
        yield f"【{title}】"
        yield from _aligned([("", *_SHOWN.values()), *(_place(*row, insurance) for row in rows)])
    yield ""
    yield "【各方出资（元）】"
    budget = [
        (payer, part, fund, plain_yuan(before), plain_yuan(after), _signed(after - before))
        for payer, part, fund, before, after in budget_rows(whole, replayed)
    ]
    yield from _aligned([("出资方", "项目", "进入", "原", "新", "增减"), *budget])
    yield ""
    yield "【原因变化】"
    changed = [tuple(map(str, row)) for row in reason_rows(whole)]
    yield from _aligned([("险种", "原", "新", "人数"), *changed]) if changed else ["没有"]
    yield ""
    before, after = whole[Insurance.RES_PENSION].tiers
    yield "养老档次依据（可缴的人，原 → 新）：" + "，".join(
        f"{name} {before[by]} → {after[by]}" for by, name in TIERS.items()
    )


def _place(name: str, sums: Totals, insurance: Insurance) -> Sequence[str]:
    values = dict(zip(HEAD, figures(sums[insurance]), strict=True))
    return name, *(plain_yuan(values[title]) if "元" in title else str(values[title]) for title in _SHOWN)


def _signed(amount: int) -> str:
    return f"+{plain_yuan(amount)}" if amount > 0 else plain_yuan(amount)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of a terminal, in which a Chinese character is two wide; the first to the left, the others right."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            (cell + " " * (width - _width(cell))) if place == 0 else (" " * (width - _width(cell)) + cell)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *others)).rstrip()


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in cell)
