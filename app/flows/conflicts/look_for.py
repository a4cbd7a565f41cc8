"""What contradicts what, after a file was read and in its very transaction: the database asks of whom the file speaks,
and only a name is compared here, for it is sealed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, Row, text

from app.flows.parts import Parts
from app.policy.days import born_by, working_day_after
from app.policy.terms import PolicyYear
from app.registry.conflicts import OWNS, Kind
from app.registry.identity import clean_name
from core.redact import mask_name

MANY = 20_000  # of so many people the database is asked about everybody at once
SHOWN = 20
POLICE = "police"


@dataclass
class Seen:
    """What a file shows: whom it touched, who is new, whose name it writes otherwise, whom another office calls dead.
    `source`: whose file it is: an insurance's bureau's, or the police's."""

    source: str
    touched: set[int] = field(default_factory=set)
    new: list[int] = field(default_factory=list)
    named: list[tuple[int, str]] = field(default_factory=list)
    dead_to_another: list[tuple[int, str]] = field(default_factory=list)  # the person, the other's insurance


@dataclass
class Found:
    """How many conflicts were opened, by kind, and `ended` by themselves; `hints`: who seems to stand under two
    numbers, name masked and place, whether it was opened or not."""

    opened: dict[str, int] = field(default_factory=dict)
    ended: int = 0
    hints: list[tuple[str, str]] = field(default_factory=list)


def look_for(parts: Parts, connection: Connection, seen: Seen, *, cause: str) -> Found:
    """Opens each contradiction once, and ends those that are none any more. `cause`: the file's."""
    put, found = _Putter(parts, connection, cause), Found()
    people = None if len(seen.touched) > MANY else sorted(seen.touched)
    asked = {"people": people, "born_by": exempt_born_by(parts.levy.newest)}
    for row in connection.execute(_LOOK, asked | put.at):
        if row.kind == "ended":
            found.ended = row.number
        else:
            found.opened[row.kind] = row.number
    for person, name in seen.named:
        _count(found, Kind.NAME, _named(parts, put, seen.source, person, name))
    for person, theirs in seen.dead_to_another:
        _count(found, Kind.BUREAUS, put(person, Kind.BUREAUS, theirs, [seen.source], owner=OWNS[theirs]))
    if seen.new:
        _twice(parts, put, seen.new, found)
    return found


def exempt_born_by(rules: PolicyYear) -> date | None:
    """The last birth date of those who pay no medical premium by their age alone; None: the year has none."""
    medical = rules.has_medical
    if medical is None:
        return None
    own = [ground for ground in medical.grounds if ground.who.aged and not ground.leaves(medical.base.personal)]
    ages = [ground.who.from_age for ground in own if ground.who.from_age is not None]
    return born_by(rules.dates.age_reference, min(ages)) if ages else None


def decided_by_day(parts: Parts) -> date:
    """By which day the office decides what is opened today."""
    return working_day_after(parts.clocks.today(), parts.answer_days, parts.days_off)


class _Putter:
    """Opens one that no table remembers; False if it was said before."""

    def __init__(self, parts: Parts, connection: Connection, cause: str) -> None:
        self.connection = connection
        self.at = {"cause": cause, "now": parts.clocks.now(), "due": decided_by_day(parts)}

    def __call__(
        self, person: int, kind: Kind, about: str, insurances: Sequence[str], *, owner: str, **more: object
    ) -> bool:
        said = {"person": person, "kind": kind, "about": about, "insurances": list(insurances), "owner": owner}
        more = {"id": None, "name": None, "other": None} | more
        more["id"] = more["id"] or self.number()
        return bool(self.connection.execute(_PUT, said | more | self.at).scalar_one())

    def number(self) -> int:
        return int(self.connection.execute(_NUMBER).scalar_one())


def _named(parts: Parts, put: _Putter, source: str, person: int, name: str) -> bool:
    """The police's word is about all that he is in, a bureau's about its own insurance."""
    active = put.connection.execute(_ACTIVE, {"person": person}).scalars()
    insurances = [source] if source != POLICE else list(active)
    if not insurances:
        return False
    about = f"{source} {parts.vault.index(name, purpose='conflict.name').hex()[:16]}"
    owner = OWNS[insurances[0]] if len(insurances) == 1 else "medical"
    number = put.number()
    sealed = parts.vault.seal(name, bound_to=f"conflict.name:{number}")
    return put(person, Kind.NAME, about, insurances, owner=owner, id=number, name=sealed)


def _twice(parts: Parts, put: _Putter, new: Collection[int], found: Found) -> None:
    """Whoever came with this file and has the name, birth and village of another number; the newer one waits."""
    put.connection.execute(_BY_HASH)
    rows = put.connection.execute(_ALIKE, {"new": sorted(new)}).all()
    put.connection.execute(_AS_BEFORE)
    for row in rows:
        one, other = (_name(parts, row, each) for each in ("", "other_"))
        if one != other:
            continue
        found.hints.append((mask_name(one), row.village))
        if row.certified:
            _offer(parts, put, row)
        if row.both:
            about, owner = str(row.other_id), OWNS[row.both[0]]
            _count(found, Kind.TWICE, put(row.id, Kind.TWICE, about, row.both, owner=owner, other=row.other_id))


def _offer(parts: Parts, put: _Putter, row: Row) -> None:
    """Who stands under a birth certificate seems to have come with his number: somebody of a bureau looks."""
    new = put.connection.execute(_NUMBERED, {"id": row.id}).one()
    key = int(put.connection.execute(_JOINING).scalar_one())
    clear = parts.vault.open(new.id_number, bound_to=f"person.id_number:{row.id}")
    said = {
        **{"id": key, "person": row.other_id, "other": row.id},
        "number": parts.vault.seal(clear, bound_to=f"joining.number:{key}"),
        "name": parts.vault.seal(_name(parts, row, ""), bound_to=f"joining.name:{key}"),
    }
    put.connection.execute(_OFFER, said | put.at)


def _name(parts: Parts, row: Row, whose: str) -> str:
    person = getattr(row, f"{whose}id")
    return clean_name(parts.vault.open(getattr(row, f"{whose}name"), bound_to=f"person.name:{person}"))


def _count(found: Found, kind: Kind, opened: bool) -> None:
    if opened:
        found.opened[kind] = found.opened.get(kind, 0) + 1


_LOOK = text("select * from conflicts_looked(:people, :born_by, :cause, :now, :due)")
_NUMBER = text("select nextval(pg_get_serial_sequence('conflict', 'id'))")
_PUT = text("select conflict_put(:id, :person, :kind, :about, :insurances, :owner, :name, :other, :cause, :now, :due)")
_NUMBERED = text("select id_number from person where id = :id")
_JOINING = text("select nextval(pg_get_serial_sequence('joining', 'id'))")
_OFFER = text("select joining_offer(:id, :person, :other, :number, :name, :cause, :now)")
_ACTIVE = text("select insurance from enrolment where person_id = :person and status = 'NORMAL' order by 1")
# An import's transaction walks by indexes alone (registry/register.py); this is many against many.
_BY_HASH = text("set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_nestloop = off")
_AS_BEFORE = text("set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_nestloop = on")
_LIVING = (
    "(select p.id, p.name, p.id_type, p.birth_date, p.sex, h.village_code as village from person p join household h"
    " on h.id = p.household_id where p.alive and p.restricted_at is null)"
)
_ALIKE = text(
    "select a.id, a.name, a.village, b.id as other_id, b.name as other_name,"
    " b.id_type = 'BIRTH_CERT' and a.id_type = '01' as certified,"
    " array(select e.insurance from enrolment e join enrolment o using (insurance)"
    "        where e.person_id = a.id and o.person_id = b.id and e.status = 'NORMAL' and o.status = 'NORMAL'"
    "        order by 1 desc) as both"
    f" from (select unnest(cast(:new as bigint[])) as id) n join {_LIVING} a using (id)"
    f" join {_LIVING} b on b.village = a.village and b.birth_date = a.birth_date and b.sex = a.sex and b.id < a.id"
    " order by a.id, b.id"
)
