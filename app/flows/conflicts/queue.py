"""What an office has to decide, what is late first; one with what each side says; and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, text

from app.access.roles import REVIEWS
from app.access.sessions import Officer
from app.flows.parts import Parts
from app.registry import find
from app.registry.conflicts import ABOUT_LIFE, KINDS, OFFICES, Kind, State
from app.registry.find import Subject
from app.registry.identity import clean_name
from app.registry.police import TITLES
from core.errors import NotFound
from core.redact import mask_name

PAGE, MOST = 50, 500


class NoSuchConflict(NotFound):
    """A number that no conflict of this office has."""

    text = "没有这一件，或者不归您这里办。"


@dataclass(frozen=True)
class Listed:
    """One in a list. `name` is masked; `late`: its day is over; `own`: of the office of whoever looks; `said_alive`:
    he, or who speaks for him, says that he lives, and nobody has answered."""

    id: int
    kind: str
    words: str
    name: str
    village: str
    insurances: Sequence[str]
    office: str
    opened_at: datetime
    due_on: date
    late: bool
    own: bool
    state: State
    decided: str
    decided_by: str | None
    said_alive: bool = False


@dataclass(frozen=True)
class Case:
    """One with what each side says, and what may be decided: word → what it means."""

    head: Listed
    person_id: int
    other_id: int | None
    birth: str
    sides: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str]]
    why: str
    decided_at: datetime | None


def queue(parts: Parts, who: Officer, *, done: bool, page: int) -> tuple[list[Listed], int]:
    """A page of what this office has to decide, the nearest day first; or of what is over, the latest first; and how
    many there are. Who audits sees both offices'."""
    asked = {"owner": _office(who), "done": done, "most": PAGE, "after": (page - 1) * PAGE}
    with parts.reading() as connection:
        rows = connection.execute(_LISTED, asked).all()
        ids = sorted({row.person_id for row in rows})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
        count = connection.execute(_COUNT, {"owner": _office(who), "done": done}).scalar_one()
    return [_listed(parts, str(who.role), row, people[row.person_id]) for row in rows], count


def open_ones(parts: Parts) -> list[Listed]:
    """What both offices have to decide, the nearest day first; five hundred at most."""
    with parts.reading() as connection:
        rows = connection.execute(_LISTED, {"owner": None, "done": False, "most": MOST, "after": 0}).all()
        ids = sorted({row.person_id for row in rows})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    return [_listed(parts, "", row, people[row.person_id]) for row in rows]


def of_life(parts: Parts, who: Officer, person_id: int) -> list[int]:
    """The open ones of this office about whether somebody lives."""
    asked = {"owner": _office(who), "person": person_id, "kinds": list(ABOUT_LIFE)}
    with parts.reading() as connection:
        return list(connection.execute(_OF_LIFE, asked).scalars())


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many this office has to decide."""
    with parts.reading() as connection:
        return int(connection.execute(_COUNT, {"owner": _office(who), "done": False}).scalar_one())


def case(parts: Parts, who: Officer, number: int) -> Case:
    """One of this office's. NoSuchConflict."""
    row = held(parts, who, number)
    with parts.reading() as connection:
        [person] = find.by_ids(connection, parts.vault, [row.person_id], years=parts.levy.ever)
        words = connection.execute(_WORDS, {"person": row.person_id}).all()
        register = connection.execute(_REGISTER, {"person": row.person_id}).one()
    return Case(
        head=_listed(parts, str(who.role), row, person),
        person_id=row.person_id,
        other_id=row.other_id,
        birth=f"{person.birth_date:%Y-%m-%d}",
        sides=[*_register_says(row, person, register), *_police_says(words), *_name_says(parts, row, person)],
        answers=list(KINDS[row.kind].answers.items()),
        why=row.why or "",
        decided_at=row.decided_at,
    )


def held(parts: Parts, who: Officer, number: int) -> Row:
    """Its row, of this office, or of whichever for who audits. NoSuchConflict."""
    with parts.reading() as connection:
        row = connection.execute(_ONE, {"id": number, "owner": _office(who)}).one_or_none()
    if row is None:
        raise NoSuchConflict(str(number))
    return row


def name_said(parts: Parts, row: Row) -> str:
    """The other name in clear; empty where there is none, or it was let go of."""
    return parts.vault.open(row.name, bound_to=f"conflict.name:{row.id}") if row.name else ""


def _office(who: Officer) -> str | None:
    return str(who.role) if who.role in REVIEWS else None


def _listed(parts: Parts, role: str, row: Row, person: Subject) -> Listed:
    answers = KINDS[row.kind].answers
    decided = "两边已经一致" if row.state == State.AGREED else answers.get(row.word or "", "")
    return Listed(
        id=row.id,
        kind=row.kind,
        words=KINDS[row.kind].words,
        name=mask_name(person.name),
        village=f"{person.town}{person.village}",
        insurances=row.insurances,
        office=OFFICES[row.owner],
        opened_at=row.opened_at,
        due_on=row.due_on,
        late=row.state == State.OPEN and row.due_on < parts.clocks.today(),
        own=row.owner == role,
        state=State(row.state),
        decided=decided,
        decided_by=row.decided_by,
        said_alive=row.state == State.OPEN and row.kind in ABOUT_LIFE and row.said_alive,
    )


def _register_says(row: Row, person: Subject, register: Row) -> list[tuple[str, str]]:
    said = [
        "健在" if register.alive else "已去世",
        _RESIDENCES.get(register.residence, register.residence),
        f"{person.birth_date.year}年{person.birth_date.month}月{person.birth_date.day}日生",
    ]
    sides = [("登记", "，".join(said))]
    if row.kind == Kind.BUREAUS:
        sides.append(("去世是谁报的", OFFICES[row.owner]))
    return sides


def _police_says(words: Sequence[Row]) -> list[tuple[str, str]]:
    return [
        (
            "公安",
            TITLES[word.code]
            + (f"，{word.day:%Y-%m-%d}" if word.day else "，没有写日期")
            + (f"（{word.file_name}）" if word.file_name else "")
            + ("，已定不算数" if word.stands == "overruled" else ""),
        )
        for word in words
    ]


def _name_says(parts: Parts, row: Row, person: Subject) -> list[tuple[str, str]]:
    if row.kind != Kind.NAME:
        return []
    whose = "公安的名单" if row.about.startswith("police ") else "报来的文件"
    if not row.name:
        return [(whose, "另一个姓名已经过了保存期")]
    ours, theirs = clean_name(person.name), name_said(parts, row)
    return [("登记的姓名", _where_other(ours, theirs)), (f"{whose}里的姓名", _where_other(theirs, ours))]


def _where_other(name: str, than: str) -> str:
    """The letters by which it differs; of names that differ in length as names are masked elsewhere. Pure."""
    if len(name) != len(than):
        return mask_name(name)
    return "".join(one if one != other else "*" for one, other in zip(name, than, strict=True))


_RESIDENCES = {"hukou": "本区户籍", "permit": "居住证", "permit_child": "随迁子女", "nonlocal": "外地户籍"}
_OF = (
    " from conflict c join person p on p.id = c.person_id and p.restricted_at is null"
    " where (cast(:owner as text) is null or c.owner = :owner)"
)
_SAID_ALIVE = (
    "exists (select from matter m where m.person_id = c.person_id and m.kind = 'STILL_ALIVE'"
    " and m.state in ('open', 'taken', 'reopened')) as said_alive"
)
_LISTED = text(
    f"select c.*, {_SAID_ALIVE}{_OF} and (c.state <> 'open') = :done"
    " order by case when :done then -c.id else 0 end, c.due_on, c.id limit :most offset :after"
)
_COUNT = text(f"select count(*){_OF} and (c.state <> 'open') = :done")
_ONE = text(f"select c.*, {_SAID_ALIVE}{_OF} and c.id = :id")
_OF_LIFE = text(f"select c.id{_OF} and c.state = 'open' and c.person_id = :person and c.kind = any (:kinds)")
_WORDS = text(
    "select w.code, w.day, w.stands, b.file_name from police_word w left join import_batch b on b.id = w.batch_id"
    " where w.person_id = :person order by w.day nulls last, w.code"
)
_REGISTER = text("select alive, residence from person where id = :person")
