"""The record of somebody's years with the medical insurance, in words: year by year for a desk, and the bureau's answer
for who had it looked at. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.policy.facts import Insurance
from app.registry.determinations import Kind, State
from app.registry.find import Subject

UNKNOWN = "不知道：医保局没有报来过，按一直参保算"
NEVER = "医保局报来：从没参加过"


def year_by_year(subject: Subject) -> Iterator[tuple[str, str]]:
    """(a former year, how it is known), the latest first, from the first that is known to the one before the subject's.
    Of a person nobody has said anything of, that first."""
    recorded, before = subject.recorded, subject.levy_year
    known = recorded.paid | recorded.recognised | (recorded.said or frozenset())
    if recorded.said is None:
        yield "往年", UNKNOWN
    elif not known:
        yield "往年", NEVER
    for year in range(before - 1, min(known, default=before) - 1, -1):
        if year in known or recorded.said is not None:
            yield f"{year}年", _how(subject, year)


def _how(subject: Subject, year: int) -> str:
    recorded = subject.recorded
    if year in recorded.paid:
        return "参过保，在这里缴的"
    if year in recorded.recognised:
        return "参过保，医保局核对认定"
    return "参过保，医保局报来" if recorded.said is not None and year in recorded.said else "没有参保的记录"


def asked_of(subject: Subject) -> Mapping[str, Any] | None:
    """The application of the subject's year to look at the record: state, years."""
    return subject.standing[Insurance.RES_MEDICAL].determinations.get(Kind.ENROLMENT_HISTORY)


def answer(asked: Mapping[str, Any]) -> str:
    """Where such an application stands."""
    return _ANSWERS[State(asked["state"])].format(years="、".join(map(str, asked["years"] or ())))


_ANSWERS = {
    State.APPLIED: "已经请医保局核对参保年度，还没有结果。有了结果，这里会写明。",
    State.CHECKING: "医保局正在核对参保年度，还没有结果。有了结果，这里会写明。",
    State.APPROVED: "医保局核对过了，认定{years}年参加过医保，等待已经按认定的算。",
    State.REJECTED: "医保局核对过了，没有认定别的年度。还有疑问的，请问医保局。",
}
