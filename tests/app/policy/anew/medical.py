"""The medical premium of any file: on what terms somebody comes, what he pays, from when he is covered."""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.app.policy.anew.asking import Asking, Table, eve, first, ground_of, helped, later, share


@dataclass(frozen=True)
class Terms:
    """`last`: the last day on which they are to be had; `start`: the first day of cover."""

    basis: str
    reason: str
    charge: str
    last: date
    start: date
    waiting_end: date | None = None
    ends: date | None = None
    bought: int = 0


STARTS = {
    "year": lambda c: c.dates["benefit_from"],
    "payment": lambda c: c.day,
    "next_month": lambda c: later(c.day.replace(day=1), 1),
    "birth": lambda c: max(c.facts.birth_date, c.dates["benefit_from"]),
}


def price_of(c: Asking) -> Table:
    """Total, own part and the treasury's, before any help."""
    return first(c.room.get("prices", []), c) or c.room


def waived(c: Asking) -> bool:
    """Does the government pay all of the own part?"""
    ground, personal = ground_of(c.room.get("grounds", []), c), price_of(c)["personal"]
    return ground is not None and helped(ground, personal) == personal


def late_word(c: Asking) -> str:
    """The bureau's word on a late waiver, 'no' while there is none."""
    return c.decided if c.facts.special_case == "none" else c.facts.late_waiver or "no"


def terms(c: Asking) -> Terms | str | None:
    """The terms; 'ask' where the bureau looks first; None where nobody may come any more."""
    stage = next((stage for stage in c.room.get("newborn", []) if stage_holds(c, stage)), None)
    if stage and c.newborn and c.decided == "approved":
        start = max(STARTS[stage.get("starts", "birth")](c), c.dates["benefit_from"])
        return Terms("special", "NEWBORN_OK", "personal", stage_end(c, stage), start)
    if c.day <= c.dates["normal_price_end"]:
        return in_window(c)
    rules = [rule for rule in c.room.get("late", []) if not (rule.get("decided") and late_word(c) == "rejected")]
    rule = first(rules, c, waived=waived(c))
    if rule and rule.get("decided") and late_word(c) == "no":
        return "ask" if c.day <= c.dates["late_end"] else None
    return after_window(c, rule) if rule else None


def stage_holds(c: Asking, stage: Table) -> bool:
    """To its last day from birth, while it brings a day of this year's cover to who is born in it."""
    first_day = max(STARTS[stage.get("starts", "birth")](c), c.facts.birth_date)
    return c.day <= stage_end(c, stage) and first_day <= c.dates["benefit_to"]


def stage_end(c: Asking, stage: Table) -> date:
    born = c.facts.birth_date
    return later(born, stage["months"]) if "months" in stage else born + timedelta(days=stage["days"])


def in_window(c: Asking) -> Terms:
    window = first(c.room.get("windows", []), c, waived=waived(c)) or {}
    start, bought, waiting_end = window.get("begins") or STARTS[window.get("starts", "year")](c), 0, None
    if c.missed and c.room.get("gap", {}).get("in_window"):
        everybodys = [rule["wait"] for rule in c.room["late"] if "who" not in rule and "wait" in rule]
        fixed = months_of(everybodys[0]) if everybodys else 0
        more, bought = gap_months(c, fixed)
        start = later(start, fixed + more)
        waiting_end = eve(start)
    return Terms(
        "normal", ok(c), "personal", c.dates["normal_price_end"], start, waiting_end, window.get("ends"), bought
    )


def after_window(c: Asking, rule: Table) -> Terms | None:
    last = rule.get("until", c.dates["late_end"])
    if "wait" not in rule:
        return Terms("special", ok(c), rule["charge"], last, STARTS[rule.get("starts", "payment")](c))
    wait = rule["wait"]
    more, bought = gap_months(c, months_of(wait))
    start = {
        "days": lambda: later(c.day + timedelta(days=wait["days"] + 1), more),
        "months": lambda: later(c.day, wait["months"] + more),
        "calendar_months": lambda: later(c.day.replace(day=1), wait["calendar_months"] + more),
    }[next(iter(wait))]()
    if rule["charge"] == "months_left" and start > c.dates["benefit_to"]:
        return None
    reason = "LATE_FULL_PRICE" if rule["charge"] == "total" else "LATE_WAITING"
    return Terms("late", reason, rule["charge"], last, start, eve(start), None, bought)


def months_of(wait: Table) -> int:
    return wait.get("months", wait.get("calendar_months", 0))


def gap_months(c: Asking, fixed: int) -> tuple[int, int]:
    """(months that the missed years add, months bought back)."""
    gap = c.room.get("gap")
    if not gap:
        return 0, 0
    added = gap["months_each"] * max(0, c.missed - gap.get("free_years", 0))
    added = min(added, gap.get("most", added))
    bought = min(c.bought, added) if gap["buys"] else 0
    long = "long_years" in gap and c.missed >= gap["long_years"]
    return max(added - bought, gap["long_months"] - fixed if long else 0), bought


def ok(c: Asking) -> str:
    return "OK_RESIDENCE_PERMIT" if "permit" in c.facts.residence else "OK"


def amounts(c: Asking, found: Terms) -> tuple[int, int]:
    """(total, the treasury's part) by what is charged."""
    price = price_of(c)
    months = len({(day.year, day.month) for day in days(found.start, c.dates["benefit_to"])})
    parts = {name: (2 * price[name] * months + 12) // 24 for name in ("total", "personal")}
    return {
        "total": (price["total"], 0),
        "personal": (price["total"], price["subsidy"]),
        "months_left": (parts["total"], parts["total"] - parts["personal"]),
    }[found.charge]


def days(first_day: date, last_day: date) -> list[date]:
    return [first_day + timedelta(days=at) for at in range((last_day - first_day).days + 1)]


def medical(c: Asking, found: Terms) -> Table:
    """Every column of a premium that can be paid."""
    total, subsidy = amounts(c, found)
    ground = ground_of(c.room.get("grounds", []), c) if found.charge != "total" else None
    substitute = helped(ground, total - subsidy)
    left, sponsored = total - subsidy - substitute, 0
    for sponsor in c.facts.sponsors:
        if sponsor.covers_late or (found.basis != "late" and c.day <= c.dates["sponsors_end"]):
            ways = {"ALL": left, "PCT": share(left, sponsor.value), "FIX": min(left, sponsor.value)}
            sponsored += ways[sponsor.mode]
            left -= ways[sponsor.mode]
    bought = found.bought * price_of(c)["personal"]
    left += bought
    return {
        "reason_code": found.reason if left else "OK_SPONSORED" if sponsored else "OK_WAIVED",
        "price_basis": found.basis,
        "total": total + bought,
        "personal_due": left,
        "gov_substitute": substitute,
        "sponsor_share": sponsored,
        "gov_subsidy": subsidy,
        "waiting_end": found.waiting_end,
        "benefit_start": found.start,
        "benefit_end": found.ends or c.dates["benefit_to"],
        "level": c.level,
        "bought_months": found.bought,
        "other_funds": sum(of_fund(c, fund) for fund in c.room.get("funds", []) if first([fund], c)),
    }


def of_fund(c: Asking, fund: Table) -> int:
    """What is asked of the person for another fund."""
    return fund["amount"] - helped(ground_of(fund.get("grounds", []), c), fund["amount"])
