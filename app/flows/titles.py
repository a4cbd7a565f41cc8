"""What a bill is for, as every page, paper and message calls it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import item_words, level_words, past_day, phrases, within
from core.clock import business_day
from core.money import Fen


def title_of(bill: Any) -> str:
    """2022年居民养老, 2022年居民医保（二档）; of a back-payment 2019、2020年养老补缴. `bill`: a row with the
    columns named here."""
    back_years = None if bill.determination is None else bill.years or ()
    return item_words(Insurance(bill.insurance), bill.levy_year, back_years, bill.level)


def fund_names(rules: PolicyYear, held: Mapping[str, Fen] | None) -> str:
    """The other funds that a bill's payer paid into: 长期护理保险; empty for none."""
    return "、".join(rules.funds.get(code, code) for code in sorted(held or {}))


def within_words(rules: PolicyYear, held: Mapping[str, Fen] | None, whole: Fen) -> list[str]:
    """What of the `whole` of a bill the payer paid into other funds, code → fen: 其中长期护理保险 20 元."""
    return within({rules.funds.get(code, code): amount for code, amount in sorted((held or {}).items())}, whole)


def named_tier(rules: PolicyYear, tier: Fen | None, *, back: bool) -> Fen | None:
    """The tier that is said beside a pension's amount: 500 元档. None for an amount between two, which is no tier.
    `back`: of a back-payment."""
    pension = rules.has_pension
    return tier if tier and (back or not pension or pension.names(tier)) else None


def collected_words(rules: PolicyYear, both: str = "居民两险") -> str:
    """What is collected under a year's rules: `both`, or the name of the one that it has."""
    offered = [insurance for insurance in Insurance if rules.offers(insurance)]
    return both if len(offered) > 1 else phrases("names")[offered[0]]


def paid_words(bill: Mapping[str, Any], today: date) -> str:
    """How a settled bill was paid, and when. Pure."""
    day = past_day(business_day(datetime.fromisoformat(bill["settled_at"])), today)
    if bill["personal_due"] == 0:
        return f"已经办好了（{day}），政府替您交，什么都不用办。"
    channel = _CHANNEL_WORDS.get(bill["settled_by"].split(":")[1])
    return f"已经交过了：{day}{f'，{channel}' if channel else ''}。不用再交。"


_CHANNEL_WORDS = {"wechat": "微信", "alipay": "支付宝", "unionpay": "云闪付", "ccb_pos": "刷卡"}


def titles_together(items: Sequence[Any]) -> str:
    """What a message says of several, each once: 2022年居民医保、2022年居民养老. Of a premium that is there for several
    years the years come together, or the message would not hold them: 2022和2023年居民医保; of each level by itself.
    `items`: bills, or dues, whose `years` are those of a back-payment."""
    own: dict[_Kind, set[int]] = {}
    for item in items:
        if item.determination is None:
            own.setdefault((Insurance(item.insurance), item.level), set()).add(item.levy_year)
    said = [title_of(item) if item.determination is not None else _of_years(item, own) for item in items]
    return "、".join(dict.fromkeys(said))


_Kind = tuple[Insurance, int | None]  # with the level of the medical insurance


def _of_years(item: Any, own: dict[_Kind, set[int]]) -> str:
    insurance = Insurance(item.insurance)
    years = own[insurance, item.level]
    if len(years) == 1:
        return title_of(item)
    together = len(own) > 1 and all(each == years for each in own.values()) and not any(level for _, level in own)
    name = f"{phrases('names')[insurance]}{f'（{level_words(item.level)}）' if item.level else ''}"
    return f"{'和'.join(map(str, sorted(years)))}年{'居民两险' if together else name}"
