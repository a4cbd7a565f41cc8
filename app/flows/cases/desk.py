"""What was said to an office: its list, what is late first, and one with everything that was said."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select

from app.access import accounts
from app.access.sessions import Officer
from app.flows.cases.say import NoSuchMatter, opened
from app.flows.parts import Parts
from app.registry import find
from app.registry.find import Subject
from app.registry.matters import OFFICES, UNANSWERED, Matter, Stand, title_of
from core.redact import mask_name

PAGE = 50
WORDS = {
    Stand.OPEN: "没人办",
    Stand.TAKEN: "在办",
    Stand.ANSWERED: "已答复",
    Stand.CLOSED: "已解决",
    Stand.REOPENED: "说没解决",
}


@dataclass(frozen=True)
class Listed:
    """One in a list. `name` is masked, empty for somebody who is in no list; `late`: its day is over."""

    id: int
    title: str
    office: str
    state: Stand
    name: str
    village: str
    by: str
    at: datetime
    due_on: date
    late: bool
    taken_by: str | None


@dataclass(frozen=True)
class Case:
    """One, with what was said and answered. `person_id`: whom it is about; `who`: what the account that says he lives
    is to him."""

    head: Listed
    kind: str
    person_id: int | None
    words: str
    again: str
    answer: str
    answered_by: str | None
    answered_at: datetime | None
    who: str = ""


def queue(parts: Parts, who: Officer, *, done: bool, page: int) -> tuple[list[Listed], int]:
    """A page of what this office has to answer, the nearest day first; or of what it answered, the latest first. And
    how many there are."""
    which = *_of(who), _TABLE.c.state.not_in(UNANSWERED) if done else _TABLE.c.state.in_(UNANSWERED)
    order = (_TABLE.c.id.desc(),) if done else (_TABLE.c.due_on, _TABLE.c.id)
    query = select(_TABLE).where(*which).order_by(*order).limit(PAGE).offset((page - 1) * PAGE)
    with parts.reading() as connection:
        count = connection.execute(select(func.count()).select_from(_TABLE).where(*which)).scalar_one()
        rows = connection.execute(query).all()
        ids = sorted({row.person_id for row in rows if row.person_id})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.years)}
    return [_listed(parts, row, people.get(row.person_id)) for row in rows], count


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for this desk: what nobody has in hand, or he himself."""
    nobodys = _TABLE.c.state.in_((Stand.OPEN, Stand.REOPENED)) | (_TABLE.c.taken_by == who.by)
    asked = select(func.count()).select_from(_TABLE).where(*_of(who), _TABLE.c.state.in_(UNANSWERED), nobodys)
    with parts.reading() as connection:
        return connection.execute(asked).scalar_one()


def case(parts: Parts, who: Officer, number: int) -> Case:
    """One of this office's. NoSuchMatter."""
    with parts.reading() as connection:
        row = connection.execute(select(_TABLE).where(_TABLE.c.id == number, *_of(who))).one_or_none()
        if row is None:
            raise NoSuchMatter(str(number))
        ids = [row.person_id] if row.person_id else []
        people = find.by_ids(connection, parts.vault, ids, years=parts.levy.years)
    return _case(parts, row, people[0] if people else None)


def said_alive(parts: Parts, who: Officer, person_id: int) -> list[Case]:
    """Who said of somebody that he lives, the latest first; what was written in it is of the office that answers."""
    which = _TABLE.c.person_id == person_id, _TABLE.c.kind == "STILL_ALIVE"
    with parts.reading() as connection:
        rows = connection.execute(select(_TABLE).where(*which).order_by(_TABLE.c.id.desc()).limit(PAGE)).all()
        said_by = {row.id: _of_account(parts, connection, row) for row in rows}
    found = [_case(parts, row, None, reads=row.office == str(who.role) or who.role not in OFFICES) for row in rows]
    return [replace(each, who=said_by[each.head.id]) for each in found]


def _of_account(parts: Parts, connection: Connection, row: Row) -> str:
    """By which telephone, as far as it speaks for him; empty for an agent's or a counter's word."""
    kind, _, account = row.by.partition(":")
    if kind != "account":
        return ""
    clear = accounts.reached_at(connection, parts.vault, int(account))
    if clear is not None and clear == find.phone_of(connection, parts.vault, row.person_id):
        return "用他自己登记的手机号说的"
    if accounts.is_family(connection, int(account), row.person_id):
        return "同一户的人说的"
    return "别的手机号说的，不是他登记的"


_TABLE = Matter.__table__


def _of(who: Officer) -> tuple[ColumnElement[bool], ...]:
    """An office sees its own, who audits all."""
    return (_TABLE.c.office == str(who.role),) if who.role in OFFICES else ()


def _case(parts: Parts, row: Row, person: Subject | None, *, reads: bool = True) -> Case:
    return Case(
        head=_listed(parts, row, person),
        kind=row.kind,
        person_id=row.person_id,
        words=opened(parts, row, "words") if reads else "",
        again=opened(parts, row, "again") if reads else "",
        answer=opened(parts, row, "answer") if reads else "",
        answered_by=row.answered_by,
        answered_at=row.answered_at,
    )


def _listed(parts: Parts, row: Row, person: Subject | None) -> Listed:
    return Listed(
        id=row.id,
        title=title_of(row.kind, row.office),
        office=OFFICES[row.office],
        state=Stand(row.state),
        name=mask_name(person.name) if person else "",
        village=f"{person.town}{person.village}" if person else "",
        by=row.by,
        at=row.at,
        due_on=row.due_on,
        late=row.state in UNANSWERED and row.due_on < parts.clocks.today(),
        taken_by=row.taken_by,
    )
