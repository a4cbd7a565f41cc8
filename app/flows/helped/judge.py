"""A list's rows against the register and the year's rules: who is known, who may be helped, who else helps him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from app.flows.due.facts import facts_of
from app.flows.parts import Parts
from app.policy.answer import Reason
from app.policy.checks import exclusion
from app.policy.facts import Insurance
from app.policy.payers import givers
from app.policy.terms import PolicyYear
from app.policy.told_who import told_group
from app.registry import find
from app.registry.find import Subject
from app.registry.helped_row import HelpedRow
from app.registry.identity import clean_name

_CODES: Mapping[Reason, str] = {
    Reason.NOT_OFFERED: "NOT_OFFERED",
    Reason.DECEASED: "DECEASED",
    Reason.NOT_RESIDENT: "NOT_RESIDENT",
    Reason.PARENT_UNKNOWN: "NOT_RESIDENT",
    Reason.PERMIT_ENDED: "NOT_RESIDENT",
    Reason.EMPLOYEE_PENSION: "EMPLOYEE_INSURED",
    Reason.EMPLOYEE_MEDICAL: "EMPLOYEE_INSURED",
    Reason.UNDER_16: "AGE_OUT",
    Reason.PENSION_AGE_REACHED: "AGE_OUT",
    Reason.DRAWING_PENSION: "AGE_OUT",
    Reason.STUDENT: "STUDENT",
    Reason.DUP_PENSION_ELSEWHERE: "DUP_ELSEWHERE",
    Reason.DUP_OUTSIDE_ZAOZHUANG: "DUP_ELSEWHERE",
    Reason.DUP_WITHIN_ZAOZHUANG: "DUP_ELSEWHERE",
}


@dataclass
class Judge:
    """Judges the rows of one list, some hundred at a time; remembers whom it has passed."""

    parts: Parts
    department: str
    rules: PolicyYear
    towns: Mapping[str, str]  # name → code
    _givers: Mapping[str, frozenset[str]] = field(init=False)
    _seen: dict[tuple[str, str, str], str] = field(default_factory=dict, init=False)  # number, insurance, code → place

    def __post_init__(self) -> None:
        self._givers = givers(self.rules)

    def judge(self, connection: Connection, rows: Sequence[HelpedRow]) -> None:
        """Says of each who it is, and what is wrong with it."""
        found = self._found(connection, {row.id_number for row in rows if row.id_number})
        given = _given(connection, [person.id for person in found.values()], self.rules.year)
        for row in rows:
            subject = found.get(row.id_number or "")
            row.town_code = subject.village_code[:9] if subject else self._town(row.town)
            row.person_id = subject.id if subject else None
            if row.code is None:
                row.code = self._not_theirs(row) or self._refused(row, subject) or self._doubled(row)
            if row.code is None and subject is not None:
                row.notes = self._notes(row, subject, given)

    def _found(self, connection: Connection, numbers: set[str]) -> dict[str, Subject]:
        vault = self.parts.vault
        by_index = {find.index_of(vault, number): number for number in numbers}
        rows = connection.execute(_KNOWN, {"indexes": list(by_index)}).all()
        whose = {row.id: by_index[bytes(row.id_index)] for row in rows}
        subjects = find.by_ids(connection, vault, list(whose), years=self.parts.levy.ever)
        return {whose[each.id]: each for each in subjects}

    def _town(self, word: str) -> str | None:
        bare = word.removesuffix("镇").removesuffix("街道")
        near = [code for name, code in self.towns.items() if name == word or (bare and name.startswith(bare))]
        return near[0] if len(near) == 1 else None

    def _doubled(self, row: HelpedRow) -> str | None:
        keys = [(row.id_number or "", row.insurance, code) for code in row.codes]
        before = [self._seen.get(key) for key in keys]
        for key in keys:
            self._seen.setdefault(key, row.place)
        if keys and all(before):
            row.said = {"where": str(before[0])}
            return "DUP_ROW"
        return None

    def _not_theirs(self, row: HelpedRow) -> str | None:
        for code in row.codes:
            whose = self._givers.get(code, frozenset())
            if whose and self.department not in whose:
                names = (self.parts.departments.get(each, each) for each in sorted(whose))
                row.said = {"word": told_group(code, self.rules), "whose": "、".join(names)}
                return "NOT_YOURS"
        return None

    def _refused(self, row: HelpedRow, subject: Subject | None) -> str | None:
        if subject is None:
            return "NOT_REGISTERED"
        if clean_name(subject.name) != row.name:
            return "NAME_ID_MISMATCH"
        insurance, own = Insurance(row.insurance), subject.in_year(self.rules.year)
        reason = exclusion(self.rules, facts_of(own, insurance), self.parts.clocks.today())
        if reason is not None:
            return _CODES[reason]
        return None if own.standing[insurance].registered else "NOT_REGISTERED"

    def _notes(self, row: HelpedRow, subject: Subject, given: Mapping[tuple[int, str], set[str]]) -> list[str]:
        standing = subject.in_year(self.rules.year).standing[row.insurance]
        notes = []
        if set(row.codes) <= standing.categories:
            notes.append("SAID_BEFORE")
        if standing.bill is not None and standing.bill["state"] == "settled" and standing.bill["personal_due"] > 0:
            notes.append("ALREADY_SELF_PAID")
        if given.get((subject.id, row.insurance), set()) - {self.department}:
            notes.append("OTHER_DEPARTMENT")
        return notes


def _given(connection: Connection, people: Sequence[int], year: int) -> dict[tuple[int, str], set[str]]:
    """(person, insurance) → the departments whose lists he stands on."""
    found: dict[tuple[int, str], set[str]] = {}
    for row in connection.execute(_GIVEN, {"people": list(people), "year": year}):
        found.setdefault((row.person_id, row.insurance), set()).add(row.department)
    return found


_KNOWN = text(  # a birth certificate is his also after he has a number
    "select id, id_index from person where id_index = any (:indexes) and restricted_at is null"
    " union select c.person_id, c.index from birth_certificate c join person p on p.id = c.person_id"
    " where c.index = any (:indexes) and p.restricted_at is null"
)
_GIVEN = text(
    "select distinct person_id, insurance, department from helped_category"
    " where person_id = any (:people) and levy_year = :year"
)
