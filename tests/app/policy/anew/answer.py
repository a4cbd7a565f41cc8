"""Who may not pay and why, and every column of the answer to who may."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from app.policy.facts import Facts
from tests.app.policy.anew.asking import BACKPAYS, Asking, Table
from tests.app.policy.anew.medical import Terms, medical, terms
from tests.app.policy.anew.pension import chosen, is_tier, kept_from, pension

BEIJING = timezone(timedelta(hours=8))
COLUMNS = ("eligible", "reason_code", "price_basis", "total", "personal_due", "gov_substitute", "sponsor_share")
COLUMNS += ("gov_subsidy", "couple_bonus", "account_credit", "waiting_end", "benefit_start", "benefit_end", "level")
EMPTY = {**dict.fromkeys(COLUMNS), "bought_months": 0, "other_funds": 0}
REVIEWS = {"DETERMINATION_REQUIRED", "LATE_WAIVER_REVIEW"}


def too_old(c: Asking) -> bool:
    """Nothing is due any more, but missing years that the bureau has agreed to can be paid."""
    agreed = c.facts.special_case in BACKPAYS and c.decided == "approved"
    return c.aged(c.room["due_until_age"], c.day) and not agreed


def permit_ended(c: Asking) -> bool:
    return "permit" in c.facts.residence and c.facts.permit_to is not None and c.facts.permit_to < c.day


def from_elsewhere(c: Asking) -> bool:
    return c.facts.residence == "nonlocal" and not c.room.get("nonlocals")


def away(c: Asking, what: str) -> bool:
    return what in c.facts.insured_elsewhere


def opens(c: Asking) -> date:
    return c.calendar["opens"] if c.pension else c.dates["self_open"]


def by_agent(c: Asking) -> bool:
    return c.channel in c.file["channels"]["agent"]


def free_tier(c: Asking) -> bool:
    """Is a tier to be chosen?"""
    return not (c.backpay and c.amount is not None)


def closed(c: Asking) -> bool:
    found = terms(c)
    return not c.backpay and (found is None or (isinstance(found, Terms) and c.day > found.last))


# The first that fits is the reason. Columns: for the pension, for the medical insurance, when, reason.
REFUSALS = [
    (1, 1, lambda c: not c.room, "NOT_OFFERED"),
    (1, 1, lambda c: not c.facts.alive, "DECEASED"),
    (1, 1, from_elsewhere, "NOT_RESIDENT"),
    (1, 1, lambda c: c.facts.residence == "permit_child" and not c.facts.parent_known, "PARENT_UNKNOWN"),
    (1, 1, permit_ended, "PERMIT_ENDED"),
    (1, 0, lambda c: c.facts.employee_insured in ("pension", "both"), "EMPLOYEE_PENSION"),
    (0, 1, lambda c: c.facts.employee_insured in ("medical", "both"), "EMPLOYEE_MEDICAL"),
    (1, 0, lambda c: not c.aged(c.room["join_age"], c.day), "UNDER_16"),
    (1, 0, lambda c: c.facts.student, "STUDENT"),
    (1, 0, too_old, "PENSION_AGE_REACHED"),
    (1, 0, lambda c: away(c, "drawing_pension"), "DRAWING_PENSION"),
    (1, 0, lambda c: away(c, "pension_elsewhere"), "DUP_PENSION_ELSEWHERE"),
    (0, 1, lambda c: away(c, "medical_outside_zz"), "DUP_OUTSIDE_ZAOZHUANG"),
    (0, 1, lambda c: away(c, "medical_inside_zz"), "DUP_WITHIN_ZAOZHUANG"),
    (1, 1, lambda c: not c.facts.registered, "NOT_REGISTERED"),
    (1, 1, lambda c: c.facts.already_paid, "ALREADY_PAID"),
    (1, 1, lambda c: (c.backpay or c.newborn) and c.decided == "no", "DETERMINATION_REQUIRED"),
    (1, 1, lambda c: c.backpay and c.decided == "rejected", "BACKPAY_REJECTED"),
    (0, 1, lambda c: c.backpay and c.amount is None, "DETERMINATION_REQUIRED"),
    (1, 1, lambda c: not c.backpay and c.day < opens(c), "WINDOW_NOT_OPEN"),
    (0, 1, lambda c: not c.backpay and c.level not in c.room.get("levels", [None]), "LEVEL_ILLEGAL"),
    (0, 1, closed, "LATE_WINDOW_CLOSED"),
    (1, 1, lambda c: by_agent(c) and c.day < c.dates["agent_open"], "AGENT_NOT_STARTED"),
    (1, 1, lambda c: by_agent(c) and c.day > c.dates["concentrated_end"], "AGENT_WINDOW_CLOSED"),
    (1, 0, lambda c: free_tier(c) and chosen(c) is None, "TIER_REQUIRED"),
    (1, 0, lambda c: free_tier(c) and not is_tier(c), "TIER_ILLEGAL"),
    (1, 0, lambda c: free_tier(c) and kept_from(c), "TIER_100_NOT_ALLOWED"),
    (0, 1, lambda c: not c.backpay and terms(c) == "ask", "LATE_WAIVER_REVIEW"),
]


def answer(file: Table, facts: Facts, at: datetime, channel: str, tier: int | None, **chosen_too: int | None) -> Table:
    """Every column for a person, a moment, a channel, a tier (fen), a `level` and `bought` months."""
    day = at.astimezone(BEIJING).date()
    level, bought = chosen_too.get("level"), chosen_too.get("bought") or 0
    case = Asking(file, facts, day, channel, tier, level, bought)
    if level is None or case.pension:
        case = replace(case, level=None if case.pension else case.room.get("levels", [None])[0])
    for for_pension, for_medical, fits, reason in REFUSALS:
        if (for_pension if case.pension else for_medical) and fits(case):
            eligible = "review" if reason in REVIEWS else "no"
            return EMPTY | {"eligible": eligible, "reason_code": reason, "price_basis": "none"}
    yes = EMPTY | {"eligible": "yes"}
    if case.backpay:
        return yes | backpay(case)
    return yes | (pension(case) if case.pension else medical(case, terms(case)))


def backpay(c: Asking) -> Table:
    """What was determined, without any help; without an amount the tier for every year of it."""
    determined = c.facts.determination
    amount = c.amount if c.amount is not None else chosen(c) * (len(determined.years) or 1)
    own = {"couple_bonus": 0, "account_credit": amount} if c.pension else {"benefit_start": determined.benefit_start}
    return own | {
        "reason_code": "BACKPAY_APPROVED",
        "price_basis": "special",
        "total": amount,
        "personal_due": amount,
        "gov_substitute": 0,
        "sponsor_share": 0,
        "gov_subsidy": 0,
    }
