"""Reads what the year says on its own rules: where each stands, in which words, and which are behind an answer."""

import re
from collections.abc import Iterator, Mapping, Sequence

from app.policy.answer import Reason
from app.policy.prices import Medical
from app.policy.strict import Page
from app.policy.terms import Clause
from app.policy.tiers import Pension

_NUMBER = re.compile(r"[RD][0-9]{2}")


def read_clauses(page: Page) -> Mapping[str, Clause]:
    """Rule or decision number → its words. A rule (R) has a place in the document, a decision (D) has none."""
    clauses: dict[str, Clause] = {}
    for number in page.names():
        if not _NUMBER.fullmatch(number):
            raise page.wrong(number, "is not the number of a rule or decision")
        inner = page.page(number)
        clauses[number] = Clause(inner.text("place") if number.startswith("R") else "", inner.text("words"))
        inner.done()
    return clauses


def read_behind(page: Page, clauses: Mapping[str, Clause]) -> Mapping[str, tuple[str, ...]]:
    """Reason code → the rules behind it, each of them among `clauses`."""
    behind: dict[str, tuple[str, ...]] = {}
    for code in page.names():
        if code not in Reason.__members__:
            raise page.wrong(code, "no such reason")
        behind[code] = page.texts(code)
        if unknown := set(behind[code]) - set(clauses):
            raise page.wrong(code, f"{min(unknown)} has no words in clauses")
    return behind


def check_clauses(page: Page, clauses: Mapping[str, Clause], rooms: Sequence[Medical | Pension]) -> None:
    """Every rule that a line of a bill names can be read by a person; else BadPolicyYear."""
    for number in used(rooms):
        if number not in clauses:
            raise page.wrong("clauses", f"{number} is used by a line and has no words")


def used(rooms: Sequence[Medical | Pension]) -> Iterator[str]:
    """The rules that lines of these insurances name."""
    for room in rooms:
        funds = room.funds if isinstance(room, Medical) else ()
        for ground in (*room.grounds, *(ground for fund in funds for ground in fund.grounds)):
            yield from (step.clause for step in ground.steps)
        yield from (fund.line.clause for fund in funds)
        if isinstance(room, Pension) and room.bonus:
            yield room.bonus.line.clause
        for name, terms in vars(room).items():
            if name.endswith("_line"):
                yield terms.clause
