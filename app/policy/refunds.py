"""Which money goes back for which reason until when (D34). The table is the rule; nothing else knows a date. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.policy.facts import Insurance
from app.policy.terms import PolicyYear

PENSION, MEDICAL = Insurance.RES_PENSION, Insurance.RES_MEDICAL


class Why(StrEnum):
    """Why somebody wants his money back."""

    TWICE = "twice"  # the same item was collected twice: one of them never was a premium
    WRONG_AMOUNT = "wrong_amount"  # another amount was taken than the rules say
    ELSEWHERE = "elsewhere"  # enrolled in another place
    EMPLOYEE = "employee"  # enrolled by an employer
    WAIVED = "waived"  # recognised later as somebody the government pays for
    DIED = "died"
    WRONG_PERSON = "wrong_person"  # paid for somebody else than was meant
    SURPLUS = "surplus"  # money beyond what was due; the system asks by itself
    SPONSOR_LEFT = "sponsor_left"  # what a sponsor gave and nobody needed; no premium
    LATE_ENTITLEMENT = "late_entitlement"  # as `waived`, seen and asked for by the system itself


class Until(StrEnum):
    """How long a reason gives money back."""

    ALWAYS = "always"
    BENEFITS = "benefits"  # until the medical benefits of the enrolment begin


@dataclass(frozen=True)
class Term:
    """Until when, and by which rule."""

    until: Until
    clause: str = "D34"


# The pension has no date here: HRSS looks at each one (R48). The medical bureau's rule ends with the benefits.
TERMS: Mapping[tuple[Why, Insurance], Term] = {
    **{(why, PENSION): Term(Until.ALWAYS) for why in Why},
    **{(why, MEDICAL): Term(Until.BENEFITS) for why in Why},
    (Why.TWICE, MEDICAL): Term(Until.ALWAYS),
    (Why.WRONG_AMOUNT, MEDICAL): Term(Until.ALWAYS),
    (Why.SURPLUS, MEDICAL): Term(Until.ALWAYS),
}
WORDS: Mapping[Why, str] = {
    Why.TWICE: "重复缴费",
    Why.WRONG_AMOUNT: "多收、错收了钱",
    Why.ELSEWHERE: "在外地交过了",
    Why.EMPLOYEE: "参加了单位的保险",
    Why.WAIVED: "后来确认由政府代缴",
    Why.DIED: "参保人去世",
    Why.WRONG_PERSON: "给别人错交了",
    Why.SURPLUS: "重复缴费，多付的钱退回",
    Why.SPONSOR_LEFT: "资助结束，没有用完的钱退回",
    Why.LATE_ENTITLEMENT: "按政策应少交，差额退回",
}
# For these reasons others have back what they gave for somebody who paid nothing himself.
OTHERS = frozenset({Why.TWICE, Why.ELSEWHERE, Why.EMPLOYEE, Why.DIED})
# What a resident may choose from, in his own words.
QUESTIONS: Mapping[Why, str] = {
    Why.TWICE: "同一项交了两次",
    Why.ELSEWHERE: "在外地交过了",
    Why.EMPLOYEE: "单位给我参保了",
    Why.WAIVED: "我应该由政府替我交",
    Why.DIED: "参保的人去世了",
    Why.WRONG_PERSON: "交错了人",
    Why.WRONG_AMOUNT: "多收了我的钱",
}
# The same where somebody of an office asks for him.
OF_HIM: Mapping[Why, str] = {
    **QUESTIONS,
    Why.EMPLOYEE: "单位给他参保了",
    Why.WAIVED: "他应该由政府替他交",
    Why.WRONG_AMOUNT: "多收了他的钱",
}
# Our choice: the domain leaves the number to the district; taxes paid too much are to go back within as many days.
ANSWERED_WITHIN = timedelta(days=30)
BEGUN = "医保待遇已经开始，按规定不能退。可以要求书面说明。"


def refusal(rules: PolicyYear, why: Why, insurance: Insurance, *, on: date, benefit_start: date | None) -> str | None:
    """Why it may not go back on a Beijing day, in words for the payer; None: it may.

    `benefit_start` is the bill's own first day with benefits, or None for the year's."""
    if TERMS[why, insurance].until is Until.ALWAYS:
        return None
    return BEGUN if on >= (benefit_start or rules.dates.benefit_from) else None
