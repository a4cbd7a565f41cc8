"""From registry to rules: what the policy may know about a person. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.policy.facts import (
    Category,
    Decision,
    Determination,
    Elsewhere,
    Employment,
    Facts,
    FamilyType,
    Insurance,
    Residence,
    Sex,
    SpecialCase,
)
from app.registry.determinations import BACKPAY, OPEN, Kind, State
from app.registry.find import Subject

_DECISIONS = {State.APPROVED: Decision.APPROVED, State.REJECTED: Decision.REJECTED}
_EMPLOYMENT = {
    (False, False): Employment.NONE,
    (True, False): Employment.PENSION,
    (False, True): Employment.MEDICAL,
    (True, True): Employment.BOTH,
}


def facts_of(subject: Subject, insurance: Insurance) -> Facts:
    """One person's facts for one insurance, as the registry has them today."""
    pension, medical = subject.standing["RES_PENSION"], subject.standing["RES_MEDICAL"]
    own = subject.standing[insurance]
    special_case, determination = determined(insurance, own.determination)
    return Facts(
        insurance=insurance,
        birth_date=subject.birth_date,
        sex=Sex.M if subject.sex == 1 else Sex.F,
        residence=Residence(subject.residence),
        registered=own.registered,
        alive=subject.alive,
        categories=frozenset(Category(code) for code in own.categories),
        student=subject.student,
        employee_insured=_EMPLOYMENT[pension.employee_insured, medical.employee_insured],
        insured_elsewhere=frozenset(Elsewhere(code) for code in pension.insured_elsewhere | medical.insured_elsewhere),
        already_paid=own.bill is not None and own.bill["state"] == "settled",
        family_type=FamilyType(subject.family_type),
        spouse_birth=subject.spouse_birth,
        special_case=special_case,
        determination=determination,
    )


def asked_for(subject: Subject, insurance: Insurance, kind: Kind) -> bool:
    """Does a bureau have an open application of this kind?"""
    held = subject.standing[insurance].determination
    return held is not None and held["kind"] == kind and held["state"] in OPEN


def determined(insurance: Insurance, held: Mapping[str, Any] | None) -> tuple[SpecialCase, Determination | None]:
    """The latest application of the year. A late waiver is no special case: the rules know it by the day. A
    back-payment that was refused leaves the year's ordinary premium as it was; of the pension, the no still counts
    once the year itself would be back-pay (D29)."""
    if held is None:
        return SpecialCase.NONE, None
    kind, decision = Kind(held["kind"]), _DECISIONS.get(State(held["state"]))
    case = SpecialCase.NONE if kind is Kind.LATE_WAIVER else SpecialCase(kind)
    if decision is None:
        return case, None
    if kind in BACKPAY and decision is Decision.REJECTED:
        pension = insurance is Insurance.RES_PENSION
        return SpecialCase.NONE, Determination(Decision.REJECTED) if pension else None
    start = date.fromisoformat(held["benefit_start"]) if held["benefit_start"] else None
    return case, Determination(decision, held["amount"], tuple(held["years"] or ()), start)
