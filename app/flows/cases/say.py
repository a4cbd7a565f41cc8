"""One sentence about somebody of one's own, or about somebody who is in no list; where it stands, the answer, and
whether that settles it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Row, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from app.access.sessions import Visitor
from app.flows.parts import Parts
from app.policy.days import working_day_after
from app.registry import find
from app.registry.conflicts import ABOUT_LIFE
from app.registry.matters import LACKING, OFFICES, TOPICS, UNANSWERED, Matter, Stand, title_of
from core.errors import BadInput, Conflict, NotFound
from core.redact import mask_name
from payments.refusals import as_errors

SHORTEST, LONGEST = 4, 300
MOST = 50


class BadSentence(BadInput):
    """Nothing that an office could answer."""

    text = "请选一件事，再用一两句话写清楚，4到300个字。"


class NoSuchMatter(NotFound):
    """A number that nothing of his has."""

    text = "没有找到这一件。"


class NotAnswered(Conflict):
    """Nothing to settle yet, or settled already."""

    text = "这一件还没有答复，或者已经了结了。"


class NobodyCallsHimDead(Conflict):
    """That he lives, of somebody of whom no office has to decide it."""

    text = "现在没有哪个部门在核对他是不是健在，不用说这一件。有别的事，请选别的。"


@dataclass(frozen=True)
class Said:
    """One as who said it reads it. `name`: masked, empty for somebody who is in no list."""

    id: int
    title: str
    name: str
    words: str
    stands: str
    answer: str
    at: datetime
    answered: bool


def say(
    parts: Parts,
    kind: str,
    words: str,
    *,
    person_id: int | None,
    village: str | None,
    by: str,
    insurance: str = "RES_MEDICAL",
) -> int:
    """Its number; what is unanswered already of the same person is that one. `insurance`: whose list lacks somebody.
    BadSentence, NotFound, NobodyCallsHimDead."""
    said = " ".join(words.split())
    if kind not in TOPICS or not SHORTEST <= len(said) <= LONGEST or (kind == "NOT_LISTED") != (person_id is None):
        raise BadSentence
    with parts.engine.begin() as connection:
        if person_id is not None:
            found = find.by_ids(connection, parts.vault, [person_id], years=parts.levy.years)
            if not found or found[0].restricted_at:
                raise NotFound("person")
            village = found[0].village_code
        office = _office(connection, kind, person_id, insurance)
        number = connection.execute(text("select nextval(pg_get_serial_sequence('matter', 'id'))")).scalar_one()
        row = {
            "id": number,
            "kind": kind,
            "office": office,
            "person_id": person_id,
            "village_code": village,
            "words": parts.vault.seal(said, bound_to=f"matter.words:{number}"),
            "by": by,
            "at": parts.clocks.now(),
            "due_on": answer_day(parts),
            "kept_from": parts.clocks.wall(),
        }
        written = insert(_TABLE).values(row).on_conflict_do_nothing().returning(_TABLE.c.id)
        new = connection.execute(written).scalar_one_or_none()
        return int(number) if new is not None else _unanswered(connection, kind, person_id, office)


def settle(parts: Parts, number: int, *, again: str | None, by: Visitor) -> None:
    """解决了 (None), or 没解决 and why. NoSuchMatter, NotAnswered, BadSentence."""
    why = " ".join(again.split()) if again is not None else None
    if why is not None and not SHORTEST <= len(why) <= LONGEST:
        raise BadSentence
    asked = {
        "session": by.token_hash,
        "id": number,
        "again": parts.vault.seal(why, bound_to=f"matter.again:{number}") if why else None,
        "due": answer_day(parts) if why else None,
        "on": parts.clocks.now(),
        "at": parts.clocks.wall(),
    }
    with parts.engine.begin() as connection, as_errors({"LX080": NoSuchMatter}):
        done = connection.execute(text("select end_matter(:session, :id, :again, :due, :on, :at)"), asked)
        if not done.scalar_one():
            raise NotAnswered(str(number))


def said_by(parts: Parts, by: str, people: Collection[int]) -> list[Said]:
    """What an account said, and whatever was said of its people, the latest first: what another account wrote, and
    what it was answered, are that one's."""
    return _said(parts, or_(_TABLE.c.by == by, _TABLE.c.person_id.in_(list(people))), reader=by)


def said_in(parts: Parts, village: str, person_id: int | None) -> list[Said]:
    """What agents said of a village, or of one of its people."""
    agents = (_TABLE.c.village_code == village) & _TABLE.c.by.startswith("agent:")
    return _said(parts, agents if person_id is None else agents & (_TABLE.c.person_id == person_id))


def said_at_counter(parts: Parts, person_id: int) -> list[Said]:
    """What counters said of a person who stood there."""
    return _said(parts, (_TABLE.c.person_id == person_id) & _TABLE.c.by.startswith("staff:"))


def answer_day(parts: Parts) -> date:
    """By which day what is said now is answered."""
    return working_day_after(parts.clocks.today(), parts.answer_days, parts.days_off)


_TABLE = Matter.__table__


def _office(connection: Connection, kind: str, person_id: int | None, insurance: str) -> str:
    """Whose list it is, who decides whether he lives, or whose business it is always."""
    if kind == "NOT_LISTED":
        return LACKING[insurance].office
    if kind != "STILL_ALIVE":
        return TOPICS[kind].office
    owner = connection.execute(_DECIDES, {"person": person_id, "kinds": list(ABOUT_LIFE)}).scalar_one_or_none()
    if owner is None:
        raise NobodyCallsHimDead
    return str(owner)


_DECIDES = text(
    "select owner from conflict where person_id = :person and state = 'open' and kind = any (:kinds)"
    " order by id limit 1"
)


def _unanswered(connection: Connection, kind: str, person_id: int | None, office: str) -> int:
    same = _TABLE.c.person_id == person_id, _TABLE.c.kind == kind, _TABLE.c.office == office
    same = *same, _TABLE.c.state.in_(UNANSWERED)
    return int(connection.execute(select(_TABLE.c.id).where(*same)).scalar_one())


def _said(parts: Parts, which: ColumnElement[bool], *, reader: str = "") -> list[Said]:
    with parts.reading() as connection:
        rows: Sequence[Row] = connection.execute(
            select(_TABLE).where(which).order_by(_TABLE.c.id.desc()).limit(MOST)
        ).all()
        ids = sorted({row.person_id for row in rows if row.person_id})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.years)}
    names = {person: mask_name(subject.name) for person, subject in people.items()}
    return [_one(parts, row, names.get(row.person_id, ""), reader) for row in rows]


def _one(parts: Parts, row: Row, name: str, reader: str) -> Said:
    others = bool(reader) and row.by.startswith("account:") and row.by != reader
    words = {"office": OFFICES[row.office], "due": f"{row.due_on.month}月{row.due_on.day}日"}
    return Said(
        id=row.id,
        title=title_of(row.kind, row.office),
        name=name,
        words="" if reader and row.by != reader else opened(parts, row, "words"),  # a clerk's or an agent's are theirs
        stands=_STANDS[Stand(row.state)].format(**words),
        answer="" if others else opened(parts, row, "answer"),
        at=row.at,
        answered=row.state == Stand.ANSWERED and not others,
    )


def opened(parts: Parts, row: Row, column: str) -> str:
    """What was written, in clear; empty for nothing, or what was let go of."""
    sealed = getattr(row, column)
    return parts.vault.open(sealed, bound_to=f"matter.{column}:{row.id}") if sealed else ""


_STANDS = {
    Stand.OPEN: "已经交给{office}，{due}以前答复您。",
    Stand.TAKEN: "{office}正在办，{due}以前答复您。",
    Stand.ANSWERED: "{office}答复了，看看解决了没有。",
    Stand.CLOSED: "已经解决。",
    Stand.REOPENED: "您说没有解决，{office}再看，{due}以前答复您。",
}
