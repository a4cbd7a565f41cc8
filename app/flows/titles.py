"""What a bill is for, as every page, paper and message calls it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import item_words, level_words, past_day, phrases, rise_words, within
from core.clock import business_day
from core.money import Fen, plain_yuan


def title_of(bill: Any) -> str:
    """2022年居民养老, 2022年居民医保（二档）; of a back-payment 2019、2020年养老补缴; of a tier that was raised
    2024年居民养老补差提档：300元→500元. `bill`: a row with the columns named here."""
    if bill.raised_from is not None:
        return rise_words(bill.levy_year, bill.raised_from, bill.tier)
    back_years = None if bill.determination is None else bill.years or ()
    return item_words(Insurance(bill.insurance), bill.levy_year, back_years, bill.level)


def late_words(title: str) -> str:
    """The title of a former year's item, while a newer year is collected: 2022年居民医保（逾期）. Pure."""
    return f"{title}（逾期）"


def fund_names(rules: PolicyYear, held: Mapping[str, Fen] | None) -> str:
    """The other funds that a bill's payer paid into: 长期护理保险; empty for none."""
    return "、".join(rules.funds.get(code, code) for code in sorted(held or {}))


def within_words(rules: PolicyYear, held: Mapping[str, Fen] | None, whole: Fen) -> list[str]:
    """What of the `whole` of a bill the payer paid into other funds, code → fen: 其中长期护理保险 20 元."""
    return within({rules.funds.get(code, code): amount for code, amount in sorted((held or {}).items())}, whole)


def sponsor_words(row: Any) -> list[str]:
    """What sponsors pay of a bill beside its amount, and whose money was used up when it was begun. Pure. `row`: `gave`
    as `sponsors_of` has it, and of a medical bill `short`, as its payment has it."""
    said = [f"另由{name}资助 {plain_yuan(amount)} 元" for name, amount in row.gave or ()]
    if row.short and row.insurance == Insurance.RES_MEDICAL:
        said.append(f"{'、'.join(row.short)}的资助款已用完")
    return said


def named_tier(rules: PolicyYear, bill: Any) -> Fen | None:
    """The tier that is said beside a pension's amount: 500 元档. None for an amount between two, which is no tier, and
    for one that was raised, whose title says it. `bill`: a row with the columns named here."""
    if not bill.tier or bill.raised_from is not None:
        return None
    pension, back = rules.has_pension, bill.determination is not None
    return bill.tier if back or not pension or pension.names(bill.tier) else None


def collected_words(rules: PolicyYear, both: str = "居民两险") -> str:
    """What is collected under a year's rules: `both`, or the name of the one that it has."""
    offered = [insurance for insurance in Insurance if rules.offers(insurance)]
    return both if len(offered) > 1 else phrases("names")[offered[0]]


def paid_words(bill: Mapping[str, Any], today: date, *, by: str = "") -> str:
    """How a settled bill was paid, and when; `by`: the sponsors who paid of it. Pure."""
    if bill["personal_due"] == 0:
        return f"已经办好了（{_day(bill, today)}），{by or '政府'}替您交，什么都不用办。"
    return f"已经交过了：{paid_how(bill, today)}{f'，其中一部分由{by}资助' if by else ''}。不用再交。"


def paid_how(bill: Mapping[str, Any], today: date) -> str:
    """11月5日，微信: when a settled bill was paid, and by which channel. Pure."""
    channel = _CHANNEL_WORDS.get(bill["settled_by"].split(":")[1])
    return f"{_day(bill, today)}{f'，{channel}' if channel else ''}"


def _day(bill: Mapping[str, Any], today: date) -> str:
    return past_day(business_day(datetime.fromisoformat(bill["settled_at"])), today)


_CHANNEL_WORDS = {"wechat": "微信", "alipay": "支付宝", "unionpay": "云闪付", "ccb_pos": "刷卡", "cash": "现金"}


def titles_together(items: Sequence[Any]) -> str:
    """What a message says of several, each once: 2022年居民医保、2022年居民养老. Of a premium that is there for several
    years the years come together, or the message would not hold them: 2022和2023年居民医保; of each level by itself.
    `items`: bills, or dues, whose `years` are those of a back-payment."""
    own: dict[_Kind, set[int]] = {}
    for item in items:
        if _is_own(item):
            own.setdefault((Insurance(item.insurance), item.level), set()).add(item.levy_year)
    said = [_of_years(item, own) if _is_own(item) else title_of(item) for item in items]
    return "、".join(dict.fromkeys(said))


_Kind = tuple[Insurance, int | None]  # with the level of the medical insurance


def _is_own(item: Any) -> bool:
    """Is it the premium of a year?"""
    return item.determination is None and item.raised_from is None


def _of_years(item: Any, own: dict[_Kind, set[int]]) -> str:
    insurance = Insurance(item.insurance)
    years = own[insurance, item.level]
    if len(years) == 1:
        return title_of(item)
    together = len(own) > 1 and all(each == years for each in own.values()) and not any(level for _, level in own)
    name = f"{phrases('names')[insurance]}{f'（{level_words(item.level)}）' if item.level else ''}"
    return f"{'和'.join(map(str, sorted(years)))}年{'居民两险' if together else name}"
