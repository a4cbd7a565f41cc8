"""The Chinese that residents, agents and clerks read for a quote. Never names a category (section 5.4)."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from app.policy.answer import Line, PriceBasis, Quote, Reason
from app.policy.days import birthday
from app.policy.facts import Facts, Insurance
from app.policy.lines import chinese_day
from app.policy.outlook import prospect
from app.policy.prices import Late
from app.policy.strict import BadPolicyYear
from app.policy.terms import PolicyYear
from core.clock import business_day
from core.money import Fen, plain_yuan

_WORDS = Path(__file__).with_name("words.toml")
_HALF_A_YEAR = 183
_NUMERALS = "一二三四五六七八九"
_BUREAUS = {Insurance.RES_MEDICAL: "医保局", Insurance.RES_PENSION: "人社局"}


def say(quoted: Quote, rules: PolicyYear, *, kept: bool = False) -> str:
    """One sentence for the quote's reason code, filled from the quote and the year; `kept`: may the person choose the
    tier that is kept for some?"""
    sentence = _sentences()[quoted.insurance, quoted.reason_code]
    if quoted.insurance is Insurance.RES_PENSION and rules.has_pension and rules.has_pension.between:
        sentence = _words()["between"].get(quoted.reason_code, sentence)
    if quoted.funds and not quoted.personal_due:
        sentence = _words()["fund_alone"][quoted.reason_code]
    if kept:
        sentence = _words()["lowest"].get(quoted.reason_code, sentence)
    if quoted.insurance is Insurance.RES_MEDICAL and quoted.day > rules.dates.normal_price_end:
        sentence = _words()["after_normal_price"].get(quoted.reason_code, sentence)
    return sentence.format_map(_Places(quoted, rules))


def say_line(line: Line, rules: PolicyYear) -> str:
    """One line of a bill: '政府代缴 160 元（60–69岁减半）', '政府再补 60 元进您的个人账户', '长期护理保险 20 元'."""
    other = rules.funds.get(line.fund)
    parts = _words()["fund_parts" if other else "parts"]
    pattern = parts.get(f"{line.part}_{line.fund}") or parts[line.part]
    said = pattern.format(amount=plain_yuan(line.amount), fund=other)
    if not line.note:
        return said
    return f"{said}{line.note}" if line.note.startswith("进") else f"{said}（{line.note}）"


def say_funds(quoted: Quote) -> list[str]:
    """What is in the amount beside the premium: 其中长期护理保险 20 元."""
    return within({fund.words: fund.amount for fund in quoted.funds}, quoted.to_pay)


def within(funds: Mapping[str, Fen], whole: Fen) -> list[str]:
    """What of an amount went into other funds, by name: 其中长期护理保险 20 元; of all, 只有…"""
    words = _words()["fund_parts"]
    if funds and sum(funds.values()) == whole:
        return [words["alone"].format(fund="、".join(funds))]
    return [words["within"].format(fund=fund, amount=plain_yuan(amount)) for fund, amount in funds.items()]


def fund_words(rules: PolicyYear, fund: str) -> str:
    """Where a line's money goes: 进医保基金, or 进长期护理保险."""
    return phrases("funds").get(fund) or _words()["fund_parts"]["into"].format(fund=rules.funds.get(fund, fund))


def item_words(insurance: Insurance, year: int, back_years: Sequence[int] | None, level: int | None = None) -> str:
    """What is paid for: 2022年居民养老, 2022年居民医保（二档）, or of a back-payment 2019、2020年养老补缴."""
    if back_years is None:
        return f"{year}年{phrases('names')[insurance]}{f'（{level_words(level)}）' if level else ''}"
    years = "、".join(str(each) for each in back_years)
    return f"{years}{years and '年'}{phrases('backpays')[insurance]}"


def rise_words(year: int, paid: Fen, tier: Fen | None) -> str:
    """2024年居民养老补差提档：300元→500元; without the steps while no tier is chosen."""
    words = phrases("rise")
    item = words["item"].format(year=year, pension=phrases("names")[Insurance.RES_PENSION])
    return words["steps"].format(item=item, paid=plain_yuan(paid), tier=plain_yuan(tier)) if tier else item


def level_words(level: int) -> str:
    """二档: a level of the medical insurance as people call it. Pure."""
    return f"{_NUMERALS[level - 1] if level <= len(_NUMERALS) else level}档"


def outlook(quoted: Quote, facts: Facts, rules: PolicyYear) -> str | None:
    """One sentence on what would change the answer, or None: an age ahead, a last day, a step to take."""
    found = prospect(quoted, facts, rules)
    if found is None and quoted.funds and not quoted.personal_due:
        return _until(quoted, "fund_until")
    if found is None:
        return None
    name, filled = found
    places = _Places(quoted, rules)
    places.update(filled)
    return _words()["outlook"][name].format_map(places)


def free_until(quoted: Quote) -> str | None:
    """Until when somebody who pays nothing can have it settled, and what comes after; None for everybody else."""
    return None if quoted.to_pay else _until(quoted, "free_until")


def _until(quoted: Quote, table: str) -> str | None:
    """The last day of a premium that somebody else pays, and what comes after it."""
    if quoted.price_until is None:
        return None
    name: str = quoted.insurance
    if quoted.sponsors:
        name = "sponsored"
    elif quoted.insurance is Insurance.RES_MEDICAL and quoted.price_basis is PriceBasis.SPECIAL:
        name = "special"
    return _words()[table][name].format(last_day=chinese_day(last_day(quoted.price_until)))


def last_day(until: datetime) -> date:
    """The last Beijing day before this first moment of another price."""
    return business_day(until - timedelta(microseconds=1))


def phrases(table: str) -> Mapping[str, str]:
    """A table of `words.toml` as it stands there, for pages that fill the places themselves."""
    return _words()[table]


class _Places(dict[str, object]):
    """Everything that a sentence may name: the year's words are there already, the quote's are made when asked for."""

    def __init__(self, quoted: Quote, rules: PolicyYear) -> None:
        super().__init__(_year_places(rules))
        self._quoted = quoted
        if quoted.gap_months and quoted.price_basis is PriceBasis.LATE:
            self["waiting"] = f"{self['waiting']}再加{quoted.gap_months}个月"
        if quoted.reason_code is Reason.AGENT_WINDOW_CLOSED:
            self["agent_end"] = past_day(rules.dates.concentrated_end, quoted.day)

    def __missing__(self, name: str) -> object:
        return _QUOTED[name](self._quoted)


_QUOTED: Mapping[str, Callable[[Quote], object]] = {
    "bureau": lambda quoted: _BUREAUS[quoted.insurance],
    "sponsor": lambda quoted: "、".join(quoted.sponsors),
    "amount": lambda quoted: plain_yuan(quoted.to_pay),
    "normal_due": lambda quoted: plain_yuan((quoted.normal_due or 0) + quoted.for_funds),
    "fund": lambda quoted: "、".join(fund.words for fund in quoted.funds),
    "no_help": lambda quoted: plain_yuan((quoted.total or 0) - (quoted.normal_due or 0)),
    "subsidy": lambda quoted: plain_yuan(quoted.gov_subsidy or 0),
    "benefit_start": lambda quoted: chinese_day(quoted.benefit_start) if quoted.benefit_start else "",
    "waiting_end": lambda quoted: chinese_day(quoted.waiting_end) if quoted.waiting_end else "",
}
_said_of: dict[int, tuple[PolicyYear, dict[str, object]]] = {}  # by identity; the year is held so that it stays


def _year_places(rules: PolicyYear) -> dict[str, object]:
    """What the year alone says. Days of the campaign without a year, days of cover with one."""
    if id(rules) not in _said_of:
        _said_of[id(rules)] = rules, _say_year(rules)
    return _said_of[id(rules)][1]


def _say_year(rules: PolicyYear) -> dict[str, object]:
    dates = rules.dates
    said: dict[str, object] = {
        "year": rules.year,
        "district": rules.source.district,
        "city": rules.source.city,
        "self_open": short_day(dates.self_open),
        "agent_open": short_day(dates.agent_open),
        "agent_end": short_day(dates.concentrated_end),
        "normal_end": short_day(dates.normal_price_end),
        "late_end": short_day(dates.late_end),
        "next_reference": chinese_day(birthday(dates.age_reference, 1)),
    }
    if medical := rules.has_medical:
        said |= {
            "waiting": _waiting(medical.late_for_all),
            "newborn_months": medical.newborn[0].months if medical.newborn else 0,
            "levels": "、".join(map(level_words, medical.levels)),
        }
    if pension := rules.has_pension:
        kept = pension.kept_tier
        said |= {
            "join_age": pension.join_age,
            "due_until_age": pension.due_until_age,
            "pension_open": short_day(pension.calendar.opens),
            "lowest_tier": plain_yuan(pension.lowest_open_tier),
            "highest_tier": plain_yuan(pension.highest_tier),
            "kept_tier": plain_yuan(kept or pension.lowest_open_tier),
            "kept_words": pension.kept_words.get(kept or 0, ""),
        }
        if pension.between:
            said |= {"least": plain_yuan(pension.between[0]), "most": plain_yuan(pension.between[1])}
        if pension.bonus:
            said |= {"bonus": plain_yuan(pension.bonus.amount), "bonus_age": pension.bonus.wife_age}
    return said


def _waiting(late: Late | None) -> str:
    """How long everybody who comes late waits: 30天, 3个月."""
    if late is None or late.wait is None:
        return ""
    return f"{late.wait.whole_months}个月" if late.wait.whole_months else f"{late.wait.days}天"


def short_day(day: date) -> str:
    """12月20日. Pure."""
    return f"{day.month}月{day.day}日"


def past_day(day: date, today: date) -> str:
    """12月20日, and 2021年12月20日 once half a year has gone by: nobody takes it for the one to come. Pure."""
    return chinese_day(day) if (today - day).days > _HALF_A_YEAR else short_day(day)


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(_WORDS.read_text(encoding="utf-8"))


@cache
def _sentences() -> Mapping[tuple[Insurance, Reason], str]:
    """A sentence for every reason; BadPolicyYear if one is missing or stands for a code that does not exist."""
    words, sentences = _words(), {}
    for insurance in Insurance:
        for code, sentence in {**words["both"], **words[insurance]}.items():
            if code not in Reason.__members__:
                raise BadPolicyYear(f"{_WORDS.name}.{code}: no such reason")
            sentences[insurance, Reason(code)] = sentence
    unsaid = set(Reason) - {reason for _, reason in sentences}
    if unsaid:
        raise BadPolicyYear(f"{_WORDS.name}.{min(unsaid)}: has no sentence")
    return sentences
