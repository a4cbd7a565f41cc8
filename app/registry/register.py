"""The register's tables as a great import needs them: whom they know, asked once per batch, and rows put in by COPY.

Everything happens in the caller's transaction on one raw connection; nothing here commits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from app.registry.cells import number_key
from app.registry.packing import HEAD, TAIL
from core.errors import Conflict


class ImportUnderWay(Conflict):
    """Another file is being brought in; two at once would wait for each other row by row."""

    text = "另一份文件正在导入，请等它完成再试。"


@dataclass(slots=True)
class Known:
    """A person the register has; the name sealed, or in clear if this very run has put it there. `home` is his
    household; `enrolments`: insurance → digest of the row that made it; `dead_to`: those whose bureau says that he is
    dead; `restricted`: his data was erased, and no file says anything of him any more."""

    id: int
    home: int
    name: bytes | str
    digest: bytes
    alive: bool
    enrolments: dict[str, bytes]
    dead_to: set[str]
    restricted: bool = False


@dataclass(slots=True)
class Found:
    """What the register said about one batch: persons by index, households by village and number (without the zeros
    before it: number as written → id), and enough fresh ids for those it does not know."""

    persons: dict[bytes, Known] = field(default_factory=dict)
    households: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    person_ids: list[int] = field(default_factory=list)
    household_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Changes:
    """New rows of one batch, packed for COPY, and changed ones as values. `cleared`: (person, insurance) whose
    categories are replaced; `taken_back`: whose bureau no longer calls him dead."""

    households: list[bytes] = field(default_factory=list)
    persons: Sequence[bytes] = ()
    enrolments: list[bytes] = field(default_factory=list)
    categories: list[bytes] = field(default_factory=list)
    changed_persons: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    changed_enrolments: list[tuple[Any, ...]] = field(default_factory=list)
    cleared: list[tuple[int, str]] = field(default_factory=list)
    taken_back: list[tuple[int, str]] = field(default_factory=list)


PERSON = (
    "id, household_id, birth_date, sex, alive, student, is_migrant, id_index, digest, id_number, name, phone,"
    " residence, relation_to_head, family_type, spouse_birth, permit_to, parent_index, school, medical_years"
)
ENROLMENT = (
    "person_id, household_id, digest, employee_insured, said_dead, last_tier, insurance, status, source_person_no,"
    " pay_from, pay_to, insured_elsewhere"
)
_PREPARE = """
-- The tables grow by hundreds of thousands of rows within this transaction: plans kept from when they were empty (the
-- foreign keys' own are kept) must not read them from end to end.
set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off;
"""
COUNT_AFTER = 10_000  # new rows
_HOUSEHOLD = "id, village_code, number"
_MOVE = "insert into {0} ({1}) overriding system value select {1} from new_{0}"
# The indexes go over in one piece, which is quicker than an array; "offset 0" keeps the planner from starting
# at the large side.
PERSONS = """
select p.* from (select substr(%s::bytea, at * 32 + 1, 32) as id_index from generate_series(0, %s - 1) as at) asked
cross join lateral (
  select p.id_index, p.id, p.household_id, p.name, p.digest, p.alive,
    (select e.digest from {enrolment} e where {mine} and e.insurance = 'RES_PENSION') as pension,
    (select e.digest from {enrolment} e where {mine} and e.insurance = 'RES_MEDICAL') as medical,
    array(select e.insurance from enrolment e where e.person_id = p.id and e.said_dead) as dead_to,
    p.restricted_at is not null as restricted
  from person p where p.id_index = asked.id_index offset 0
) p
"""
_HOUSEHOLDS = r"""
select h.* from unnest(%s::text[], %s::text[]) as asked (village_code, number)
cross join lateral (
  select h.village_code, h.number, h.id from household h
  where h.village_code = asked.village_code and regexp_replace(h.number, '^0+([0-9]*)$', '\1') = asked.number offset 0
) h
"""
_CHANGE_PERSONS = """
with c as (
  select * from unnest(%s::bigint[], %s::bigint[], %s::boolean[], %s::bytea[], %s::bytea[], %s::text[], %s::text[],
                       %s::text[], %s::date[], %s::boolean[], %s::boolean[], %s::date[], %s::bytea[], %s::text[],
                       %s::text[])
    as c (id, household_id, alive, digest, phone, residence, relation_to_head, family_type, spouse_birth, student,
          is_migrant, permit_to, parent_index, school, medical_years)
), moved as (
  update enrolment e set household_id = c.household_id
  from c where e.person_id = c.id and e.household_id <> c.household_id
)
update person p set household_id = c.household_id, alive = c.alive, digest = c.digest,
  phone = coalesce(c.phone, p.phone), residence = c.residence,
  relation_to_head = coalesce(c.relation_to_head, p.relation_to_head),
  family_type = coalesce(c.family_type, p.family_type), spouse_birth = coalesce(c.spouse_birth, p.spouse_birth),
  student = coalesce(c.student, p.student), is_migrant = coalesce(c.is_migrant, p.is_migrant),
  permit_to = coalesce(c.permit_to, p.permit_to), parent_index = coalesce(c.parent_index, p.parent_index),
  school = coalesce(c.school, p.school), medical_years = coalesce(c.medical_years::smallint[], p.medical_years)
from c where p.id = c.id
"""
_CHANGE_ENROLMENTS = """
update enrolment e set household_id = c.household_id, digest = c.digest, employee_insured = c.employee_insured,
  said_dead = c.said_dead, last_tier = c.last_tier, status = c.status, source_person_no = c.source_person_no,
  pay_from = c.pay_from, pay_to = c.pay_to, insured_elsewhere = c.insured_elsewhere
from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::boolean[], %s::boolean[], %s::bigint[],
            %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
  as c (person_id, insurance, household_id, digest, employee_insured, said_dead, last_tier, status, source_person_no,
        pay_from, pay_to, insured_elsewhere)
where e.person_id = c.person_id and e.insurance = c.insurance
"""
TAKE_BACK = """
update enrolment e set said_dead = false from unnest(%s::bigint[], %s::text[]) as c (person_id, insurance)
where e.person_id = c.person_id and e.insurance = c.insurance
"""
_CLEAR = """
delete from category c using unnest(%s::bigint[], %s::text[]) as cleared (person_id, insurance)
where c.person_id = cleared.person_id and c.insurance = cleared.insurance
"""


class Register:
    """The tables, over one connection that is inside a transaction. Not for two threads at once."""

    persons = PERSONS.format(enrolment="enrolment", mine="e.person_id = p.id")

    def __init__(self, connection: psycopg.Connection) -> None:
        """Takes the import's lock and prepares the transaction. ImportUnderWay."""
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._written, self._counted = 0, 0
        got = connection.execute("select pg_try_advisory_xact_lock(hashtext('registry import'))").fetchone()
        if not (got and got[0]):
            raise ImportUnderWay
        connection.execute(_PREPARE)

    def villages(self) -> frozenset[str]:
        """The codes of all villages."""
        return frozenset(row[0] for row in self._connection.execute("select code from village"))

    def look_up(self, indexes: Sequence[bytes], households: Collection[tuple[str, str]]) -> Found:
        """Who of these the register knows; and enough fresh ids for those it does not."""
        found = Found()
        asked = (b"".join(indexes), len(indexes))
        for index, key, home, name, digest, alive, pension, medical, dead_to, restricted in self._ask(
            self.persons, asked
        ):
            enrolments = {"RES_PENSION": pension, "RES_MEDICAL": medical}
            known = {insurance: row for insurance, row in enrolments.items() if row is not None}
            found.persons[index] = Known(key, home, name, digest, alive, known, set(dead_to), restricted)
        villages, numbers = [key[0] for key in households], [key[1] for key in households]
        for village, number, key in self._ask(_HOUSEHOLDS, (villages, numbers)):
            found.households.setdefault((village, number_key(number)), {})[number] = key
        found.person_ids = self._ids("person", len(indexes) - len(found.persons))
        found.household_ids = self._ids("household", len(households) - len(found.households))
        return found

    def write(self, changes: Changes) -> None:
        """Put a batch in: what others point to first."""
        self.write_new(changes)
        self._copy(f"copy enrolment ({ENROLMENT})", changes.enrolments)
        if changes.changed_persons:
            self._ask(_CHANGE_PERSONS, columns(changes.changed_persons.values()))
        if changes.changed_enrolments:
            self._ask(_CHANGE_ENROLMENTS, columns(changes.changed_enrolments))
        if changes.taken_back:
            self._ask(TAKE_BACK, columns(changes.taken_back))
        if changes.cleared:
            self._ask(_CLEAR, columns(changes.cleared))
        self._copy("copy category (person_id, insurance, code)", changes.categories)
        self._written += len(changes.persons) + len(changes.enrolments)
        if self._written >= max(COUNT_AFTER, 4 * self._counted):
            self.count()

    def count(self) -> None:
        """Tells the planner how large the tables have become, where many rows are new and it has not heard of all."""
        if self._written >= COUNT_AFTER and self._written > self._counted:
            self._ask("select register_counted()", ())
            self._counted = self._written

    def write_new(self, changes: Changes) -> None:
        """Households and persons that are in no table yet."""
        self._copy_beside("household", _HOUSEHOLD, changes.households)
        self._copy_beside("person", PERSON, changes.persons)

    def _ask(self, query: str, values: Sequence[Any]) -> psycopg.Cursor[Any]:
        """Never prepared: the plan must fit the tables as they are now."""
        return self._cursor.execute(query.encode(), values, prepare=False)

    def _copy(self, into: str, rows: Sequence[bytes]) -> None:
        if rows:
            with self._cursor.copy(f"{into} from stdin with (format binary)") as copy:
                copy.write(b"".join((HEAD, *rows, TAIL)))

    def _copy_beside(self, table: str, columns: str, rows: Sequence[bytes]) -> None:
        """COPY goes past no row level security: the rows go in beside and are moved over."""
        if rows:
            self._copy(f"copy new_{table} ({columns})", rows)
            self._ask(_MOVE.format(table, columns), ())
            self._ask(f"truncate new_{table}", ())

    def _ids(self, table: str, wanted: int) -> list[int]:
        taken = self._ask(
            "select nextval(s.name) from (select pg_get_serial_sequence(%s, 'id')::regclass as name offset 0) s,"
            " generate_series(1, %s)",
            (table, wanted),
        )
        return [row[0] for row in taken]


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as arrays, one for each column."""
    return [list(column) for column in zip(*rows, strict=True)]
