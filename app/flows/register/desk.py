"""What the bureaus have to decide: the list of each, what waits for whoever looks first, and one case with what speaks
for it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from app.access.roles import REVIEWS
from app.access.sessions import Officer
from app.flows.due.explain import explain
from app.flows.due.record import year_by_year
from app.flows.parts import Parts
from app.flows.refund.desk import registered
from app.flows.register.determine import NoSuchDetermination
from app.policy.facts import Insurance
from app.policy.sheet import Reader, Sheet
from app.registry import find
from app.registry.determinations import OPEN, Kind, State
from app.registry.find import Subject
from app.registry.models import Determination, DeterminationEvidence
from core.clock import business_day
from core.errors import NotFound
from core.money import Fen
from core.redact import mask_name

PAGE = 50


class NoSuchPicture(NotFound):
    """A case whose applicant showed none, or that is over for long."""

    text = "这个申请没有材料照片，或者已经过了保存期。"


@dataclass(frozen=True)
class Listed:
    """One application as a bureau's list shows it. `name` is masked; `days` since it was made."""

    id: int
    levy_year: int
    kind: Kind
    state: State
    insurance: Insurance
    name: str
    village: str
    requested_by: str
    applied_at: datetime
    days: int
    checked_by: str | None
    decided_by: str | None


@dataclass(frozen=True)
class Step:
    """What was done, by whom and when (business clock)."""

    words: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Case:
    """One with what speaks for it. `sheet`: what the rules say today without the bureau's word; `record`: former years
    with the medical insurance, each with how it is known."""

    head: Listed
    birth: str
    words: str
    pictured: bool
    register: Sequence[str]
    sheet: Sheet
    record: Sequence[tuple[str, str]]
    steps: Sequence[Step]
    before: Sequence[Listed]
    amount: Fen | None
    years: Sequence[int]
    benefit_start: str
    reason: str


def listed(parts: Parts, *, everything: bool = False) -> list[Listed]:
    """The open applications of both bureaus, oldest first; or all. One of a year that has ended is still to be
    answered."""
    query = select(_TABLE).order_by(_TABLE.c.id)
    with parts.reading() as connection:
        return _with_names(parts, connection, query if everything else query.where(_TABLE.c.state.in_(OPEN)))


def queue(parts: Parts, who: Officer, *, done: bool, page: int) -> tuple[list[Listed], int]:
    """A page of what this desk's bureau has to decide, what he has in hand first, then the oldest; or of what is over,
    the latest first. And how many there are."""
    mine = _TABLE.c.insurance.in_(_of(who)), _TABLE.c.state.not_in(OPEN) if done else _TABLE.c.state.in_(OPEN)
    query = select(_TABLE).where(*mine)
    order = (_TABLE.c.id.desc(),) if done else ((_TABLE.c.checked_by == who.by).desc().nulls_last(), _TABLE.c.id)
    with parts.reading() as connection:
        count = connection.execute(select(func.count()).select_from(_TABLE).where(*mine)).scalar_one()
        rows = _with_names(parts, connection, query.order_by(*order).limit(PAGE).offset((page - 1) * PAGE))
    return rows, count


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for this desk: what nobody has in hand, or he himself; never what he applied for."""
    nobodys = (_TABLE.c.checked_by.is_(None)) | (_TABLE.c.checked_by == who.by)
    asked = _TABLE.c.insurance.in_(_of(who)), _TABLE.c.state.in_(OPEN), _TABLE.c.requested_by != who.by, nobodys
    with parts.reading() as connection:
        return connection.execute(select(func.count()).select_from(_TABLE).where(*asked)).scalar_one()


def case(parts: Parts, who: Officer, number: int) -> Case:
    """One of this desk's bureau. NoSuchDetermination."""
    with parts.reading() as connection:
        row = _row(connection, who, number)
        evidence = connection.execute(_EVIDENCE.where(DeterminationEvidence.determination_id == number)).one_or_none()
        [person] = find.by_ids(connection, parts.vault, [row.person_id], years=parts.levy.ever)
        same = _TABLE.c.person_id == row.person_id, _TABLE.c.insurance == row.insurance, _TABLE.c.id != number
        before = _with_names(parts, connection, select(_TABLE).where(*same).order_by(_TABLE.c.id.desc()).limit(PAGE))
    insurance, subject = Insurance(row.insurance), person.in_year(row.levy_year)
    words = parts.vault.open(evidence.words, bound_to=f"determination_evidence.words:{number}") if evidence else ""
    return Case(
        head=_listed(parts, row, person),
        birth=f"{person.birth_date.year}年{person.birth_date.month}月",
        words=words,
        pictured=evidence is not None and evidence.pictured,
        register=registered(subject, insurance, parts.levy.rules(row.levy_year).groups),
        sheet=_without_the_word(parts, subject, insurance, Kind(row.kind)),
        record=list(year_by_year(subject)) if row.kind == Kind.ENROLMENT_HISTORY else [],
        steps=_steps(row),
        before=before,
        amount=row.amount,
        years=row.years or (),
        benefit_start=row.benefit_start.isoformat() if row.benefit_start else "",
        reason=row.reason or "",
    )


def picture(parts: Parts, who: Officer, number: int) -> bytes:
    """The paper that the applicant showed, PNG or JPEG. NoSuchDetermination, NoSuchPicture."""
    with parts.reading() as connection:
        _row(connection, who, number)
        query = select(DeterminationEvidence.picture).where(DeterminationEvidence.determination_id == number)
        sealed = connection.execute(query).scalar_one_or_none()
    if sealed is None:
        raise NoSuchPicture(str(number))
    return base64.b64decode(parts.vault.open(sealed, bound_to=f"determination_evidence.picture:{number}"))


_TABLE = Determination.__table__
_EVIDENCE = select(DeterminationEvidence.words, DeterminationEvidence.picture.is_not(None).label("pictured"))


def _of(who: Officer) -> list[str]:
    """A bureau sees its own insurance, who audits both."""
    return [REVIEWS[who.role]] if who.role in REVIEWS else [*Insurance]


def _row(connection: Connection, who: Officer, number: int) -> Row:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one_or_none()
    if row is None or row.insurance not in _of(who):
        raise NoSuchDetermination(str(number))
    return row


def _with_names(parts: Parts, connection: Connection, query: object) -> list[Listed]:
    rows = connection.execute(query).all()  # type: ignore[call-overload]
    ids = sorted({row.person_id for row in rows})
    people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    return [_listed(parts, row, people[row.person_id]) for row in rows]


def _listed(parts: Parts, row: Row, person: Subject) -> Listed:
    return Listed(
        id=row.id,
        levy_year=row.levy_year,
        kind=Kind(row.kind),
        state=State(row.state),
        insurance=Insurance(row.insurance),
        name=mask_name(person.name),
        village=f"{person.town}{person.village}",
        requested_by=row.requested_by,
        applied_at=row.applied_at,
        days=(parts.clocks.today() - business_day(row.applied_at)).days,
        checked_by=row.checked_by,
        decided_by=row.decided_by,
    )


def _without_the_word(parts: Parts, subject: Subject, insurance: Insurance, kind: Kind) -> Sheet:
    own = subject.standing[insurance]
    said = {each: word for each, word in own.determinations.items() if each != kind}
    before = replace(subject, standing={**subject.standing, insurance: replace(own, determinations=said)})
    return explain(parts, before, insurance, at=parts.clocks.now(), reader=Reader.STAFF)


def _steps(row: Row) -> list[Step]:
    said = [
        ("申请", row.requested_by, row.applied_at),
        ("开始核实", row.checked_by, row.checked_at),
        ("撤回申请", row.withdrawn_by, row.withdrawn_at),
        ("核定通过" if row.state == State.APPROVED else "核定没有通过", row.decided_by, row.decided_at),
    ]
    return [Step(words, by, at) for words, by, at in said if by is not None]
