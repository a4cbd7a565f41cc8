"""The medical premium of a year, table by table, for whoever writes or signs it. Pure."""

from collections.abc import Mapping

from app.policy.lines import chinese_day
from app.policy.prices import Fund, Ground, Late, Medical, Price
from app.policy.terms import PolicyYear
from app.policy.told_who import Row, told_from, told_starts, told_step, told_who
from app.policy.waits import Gap, Wait
from app.policy.words import phrases
from core.money import Fen, plain_yuan


def medical_rows(rules: PolicyYear, medical: Medical, departments: Mapping[str, str]) -> dict[str, list[Row]]:
    """Key of a table → its rows."""
    return {
        "prices": _prices(rules, medical),
        "windows": _windows(rules, medical),
        "late": [_late(late, rules, at) for at, late in enumerate(medical.late)],
        "gap": _gap(medical.gap) if medical.gap else [],
        "newborn": _newborn(rules, medical),
        "funds": [_fund(fund, rules, departments) for fund in medical.funds],
        "grounds": [
            ground_row(ground, rules, departments, personal=_personal(ground, medical)) for ground in medical.grounds
        ],
        "medical": _rest(medical),
    }


def ground_row(ground: Ground, rules: PolicyYear, departments: Mapping[str, str], *, personal: Fen) -> Row:
    """Whom the government pays for, who pays how much, what is left of `personal`, on what evidence and clause."""
    return (
        told_who(ground.who, rules),
        "，".join(told_step(step, departments) for step in ground.steps),
        plain_yuan(ground.leaves(personal)),
        "、".join(dict.fromkeys(_evidence(step.evidence, ground, rules) for step in ground.steps)),
        "、".join(dict.fromkeys(step.clause for step in ground.steps)),
    )


def _fund(fund: Fund, rules: PolicyYear, departments: Mapping[str, str]) -> Row:
    helps = (ground_row(ground, rules, departments, personal=fund.amount) for ground in fund.grounds)
    words = phrases("told")["fund_help"]
    paid = [words.format(who=who, paid=paid, left=left) for who, paid, left, *_ in helps]
    return fund.words, told_who(fund.who, rules), plain_yuan(fund.amount), "；".join(paid)


def _prices(rules: PolicyYear, medical: Medical) -> list[Row]:
    everybody = (*medical.prices, medical.base)
    return [
        (
            told_who(price.who, rules, after=len(everybody) > 1),
            *(plain_yuan(amount) for amount in (price.total, price.personal, price.subsidy)),
        )
        for price in everybody
    ]


def _windows(rules: PolicyYear, medical: Medical) -> list[Row]:
    end = rules.dates.benefit_to
    rows = [
        (
            told_who(window.who, rules, after=at > 0),
            told_from(window.begins) if window.begins else told_starts(window.starts, rules),
            chinese_day(window.ends or end),
        )
        for at, window in enumerate(medical.windows)
    ]
    if not any(window.who.everybody for window in medical.windows):
        words = phrases("told")
        whom = words["others" if rows else "everybody"]
        rows.append((whom, told_from(rules.dates.benefit_from), chinese_day(end)))
    return rows


def _late(late: Late, rules: PolicyYear, at: int) -> Row:
    words = phrases("told")
    return (
        told_who(late.who, rules, after=at > 0),
        words[late.charge],
        told_wait(late.wait) if late.wait else words["no_wait"].format(starts=told_starts(late.starts, rules)),
        words["decided" if late.decided else "undecided"],
        chinese_day(late.until),
    )


def told_wait(wait: Wait) -> str:
    """30天，交费当天不算."""
    words = phrases("told")
    if wait.days:
        return words["days"].format(days=wait.days)
    return words["months" if wait.months else "calendar_months"].format(months=wait.whole_months)


def _gap(gap: Gap) -> list[Row]:
    words = phrases("told")
    rows = [(words["months_each"], words["many_months"].format(months=gap.months_each))]
    if gap.free_years:
        rows.append((words["free_years"], words["many_years"].format(years=gap.free_years)))
    if gap.most is not None:
        rows.append((words["most"], words["many_months"].format(months=gap.most)))
    if gap.long_years is not None:
        rows.append(
            (
                words["long_years"].format(years=gap.long_years),
                words["many_months"].format(months=gap.long_months),
            )
        )
    rows.append((words["buys"], words["yes" if gap.buys else "no"]))
    rows.append((words["in_window"], words["waits" if gap.in_window else "waits_not"]))
    return rows


def _newborn(rules: PolicyYear, medical: Medical) -> list[Row]:
    words = phrases("told")
    return [
        (
            words["newborn_months"].format(months=stage.months)
            if stage.months
            else words["newborn_days"].format(days=stage.days),
            told_starts(stage.starts, rules),
        )
        for stage in medical.newborn
    ]


def _rest(medical: Medical) -> list[Row]:
    words = phrases("told")
    rows = [(words["short_cover"], words["many_days"].format(days=medical.short_cover_days))]
    if medical.levels:
        rows.append((words["levels"], "、".join(map(str, medical.levels))))
    if medical.nonlocals:
        rows.append((words["nonlocals"], words["yes"]))
    return rows


def _personal(ground: Ground, medical: Medical) -> Fen:
    """The own part that the ground's help is taken from: its level's where it means one, else everybody's."""
    fitting: list[Price] = [
        price for price in medical.prices if ground.who.levels and price.who.levels == ground.who.levels
    ]
    return (fitting[0] if fitting else medical.base).personal


def _evidence(pattern: str, ground: Ground, rules: PolicyYear) -> str:
    """'{on}满{age}周岁' is filled for each person; here with the age from which it holds."""
    return pattern.format(on=chinese_day(rules.dates.age_reference), age=ground.who.from_age)
