"""From registry to rules: what the policy may know about a person. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.policy.facts import (
    Decision,
    Determination,
    Elsewhere,
    Employment,
    Facts,
    FamilyType,
    Insurance,
    Residence,
    School,
    Sex,
    SpecialCase,
    SponsorMode,
    SponsorRule,
)
from app.registry.determinations import BACKPAY, OPEN, Kind, State
from app.registry.find import Subject
from app.registry.subject import Pledged

_DECISIONS = {State.APPROVED: Decision.APPROVED, State.REJECTED: Decision.REJECTED}
_EMPLOYMENT = {
    (False, False): Employment.NONE,
    (True, False): Employment.PENSION,
    (False, True): Employment.MEDICAL,
    (True, True): Employment.BOTH,
}


def facts_of(subject: Subject, insurance: Insurance, backpay: Mapping[str, Any] | None = None) -> Facts:
    """One person's facts for one insurance, as the registry has them today: for the year's premium, or for one of its
    back-payments (of `standing.backpays`), which an item of its own is."""
    pension, medical = subject.standing["RES_PENSION"], subject.standing["RES_MEDICAL"]
    own = subject.standing[insurance]
    bill = own.bill if backpay is None else backpay["bill"]
    if backpay is None:
        special_case, determination, late_waiver = determined(insurance, own.determinations)
    else:
        special_case, determination, late_waiver = SpecialCase(backpay["kind"]), _said(backpay), None
    return Facts(
        insurance=insurance,
        birth_date=subject.birth_date,
        sex=Sex.M if subject.sex == 1 else Sex.F,
        residence=Residence(subject.residence),
        permit_to=subject.permit_to,
        parent_known=subject.parent_known,
        registered=own.registered,
        alive=subject.alive,
        categories=own.categories,
        student=subject.student,
        employee_insured=_EMPLOYMENT[pension.employee_insured, medical.employee_insured],
        insured_elsewhere=frozenset(Elsewhere(code) for code in pension.insured_elsewhere | medical.insured_elsewhere),
        already_paid=bill is not None and bill["state"] == "settled",
        family_type=FamilyType(subject.family_type),
        spouse_birth=subject.spouse_birth,
        special_case=special_case,
        determination=determination,
        late_waiver=late_waiver,
        school=School(subject.school),
        enrolled=subject.recorded.years if insurance is Insurance.RES_MEDICAL else None,
        sponsors=tuple(_sponsor(each) for each in subject.pledges if each.insurance == insurance),
    )


def _sponsor(pledge: Pledged) -> SponsorRule:
    """What his bill has of it already he may count on too."""
    return SponsorRule(
        SponsorMode(pledge.mode),
        str(pledge.id),
        pledge.shown,
        pledge.value,
        covers_late=pledge.covers_late,
        left=pledge.own + pledge.room,
        begins=date.fromisoformat(pledge.from_day),
        ends=date.fromisoformat(pledge.until_day),
        category=pledge.category,
        from_age=pledge.from_age,
        to_age=pledge.to_age,
    )


def asked_for(subject: Subject, insurance: Insurance, kind: Kind) -> bool:
    """Does a bureau have an open application of this kind?"""
    held = subject.standing[insurance].determinations.get(kind)
    return held is not None and held["state"] in OPEN


def determined(
    insurance: Insurance, held: Mapping[str, Mapping[str, Any]]
) -> tuple[SpecialCase, Determination | None, Decision | None]:
    """What the bureaus' latest word of each kind is for the year's own premium: the special case, the decision on it,
    and the one on a late waiver, which is no special case: the rules know it by the day.

    Back-payments are items of their own and change nothing here, but for one: a pension's no still counts once the
    year itself would be back-pay (D29)."""
    if insurance is Insurance.RES_PENSION:
        states = {said["state"] for kind, said in held.items() if kind in BACKPAY}
        return SpecialCase.NONE, Determination(Decision.REJECTED) if states == {State.REJECTED} else None, None
    newborn, waiver = (_said(held.get(kind)) for kind in (Kind.NEWBORN, Kind.LATE_WAIVER))
    waived = waiver.decision if waiver else None
    if Kind.NEWBORN not in held or (newborn is None and waived is Decision.APPROVED):
        return SpecialCase.NONE, waiver, None  # who is to pay nothing need not wait for the newborn's price
    return SpecialCase.NEWBORN, newborn, waived


def _said(held: Mapping[str, Any] | None) -> Determination | None:
    """A bureau's word, if it has spoken."""
    decision = _DECISIONS.get(State(held["state"])) if held is not None else None
    if held is None or decision is None:
        return None
    start = date.fromisoformat(held["benefit_start"]) if held["benefit_start"] else None
    return Determination(decision, held["amount"], tuple(held["years"] or ()), start)
