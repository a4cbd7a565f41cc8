"""A case that only a bureau can decide: applied for, checked, approved or rejected; then a bill can exist, or not."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.flows.due.facts import asked_for
from app.flows.due.quote import amount_due
from app.flows.parts import Parts
from app.flows.refund.entitle_late import ask_for_entitled
from app.policy.answer import Reason
from app.policy.facts import Insurance
from app.policy.terms import NotOffered
from app.registry import find
from app.registry.determinations import BACKPAY, MEDICAL_ONLY, MOVES, OPEN, Kind, State
from app.registry.find import Subject
from app.registry.models import Determination
from core.errors import BadInput, Conflict, NotFound, Refused
from core.money import Fen
from core.redact import mask_name

FIRST_YEAR = 2000  # none before is spoken of


class NoSuchDetermination(NotFound):
    """A number that no application has."""

    text = "没有这个核定申请。"


class NothingToDetermine(Conflict):
    """A case that needs no bureau: the rules decide it alone."""

    text = "这一项现在不用核实，请返回看看要交多少。"


class BadDetermination(BadInput):
    """A kind that the insurance does not know, or a decision that does not fit its kind."""

    text = (
        "核定的内容不对：补缴通过要有金额（养老也可以只写年度），参保年度核对通过只写认定的往年年度，其他通过不写金额，"
        "没通过要写原因。"
    )


class YearStillOpen(Conflict):
    """A back-payment that is to cover a year whose own premium can still be paid, is paid, or will be due."""

    text = "补缴的年度里有这一年：这一年的保险费还可以照常交，或者已经交了，不能再补缴。"


class OwnDetermination(Refused):
    """Who applied does not decide."""

    text = "申请的人不能自己核定，请换一个人。"


class AlreadyDecided(Conflict):
    """A decision stands; another case needs another application."""

    text = "这个申请已经核定过了，不能再改。"


@dataclass(frozen=True)
class Ruling:
    """A bureau's decision. `amount` in fen only for a back-payment, `years` for one or for the former years in which
    somebody was enrolled; `reason` for a no."""

    approved: bool
    amount: Fen | None = None
    years: tuple[int, ...] = ()
    benefit_start: date | None = None
    reason: str = ""


@dataclass(frozen=True)
class Listed:
    """One application as a bureau's list shows it. `name` is masked."""

    id: int
    levy_year: int
    kind: Kind
    state: State
    insurance: Insurance
    name: str
    village: str
    requested_by: str
    applied_at: datetime
    decided_by: str | None


def apply(
    parts: Parts, person_id: int, insurance: Insurance, kind: Kind, *, by: str, levy_year: int | None = None
) -> int:
    """An application for a levy year, where only one is collected for that: its number; one that is open already is
    that one. BadDetermination, NotOffered, NotFound for an unknown person, YearUnsaid, YearClosed."""
    year = parts.levy.only if levy_year is None else parts.levy.known(levy_year).year
    if not parts.levy.rules(year).offers(insurance):
        raise NotOffered(insurance)
    if kind in MEDICAL_ONLY and insurance is not Insurance.RES_MEDICAL:
        raise BadDetermination
    with parts.engine.begin() as connection:
        found = find.by_ids(connection, parts.vault, [person_id], years=parts.levy.years)
        if not found or found[0].restricted_at:
            raise NotFound("person")
        case = {"person_id": person_id, "insurance": insurance, "levy_year": year, "kind": kind}
        return _apply(connection, case, requested_by=by.strip(), applied_at=parts.clocks.now())


def ask_for_waiver(parts: Parts, subject: Subject, *, by: str) -> None:
    """A person the government may owe the late premium asks the medical bureau (D25); asking again changes nothing.
    NothingToDetermine for anybody else."""
    if asked_for(subject, Insurance.RES_MEDICAL, Kind.LATE_WAIVER):
        return
    due = amount_due(parts, subject, Insurance.RES_MEDICAL, at=parts.clocks.now())
    if due.quote.reason_code is not Reason.LATE_WAIVER_REVIEW:
        raise NothingToDetermine
    apply(parts, subject.id, Insurance.RES_MEDICAL, Kind.LATE_WAIVER, by=by, levy_year=subject.levy_year)


def ask_for_history(parts: Parts, subject: Subject, *, by: str) -> None:
    """A person who waits longer because of years without enrolment asks the medical bureau to look at them, once for a
    levy year; asking again changes nothing. NothingToDetermine for anybody else."""
    if Kind.ENROLMENT_HISTORY in subject.standing[Insurance.RES_MEDICAL].determinations:
        return
    due = amount_due(parts, subject, Insurance.RES_MEDICAL, at=parts.clocks.now())
    if due.settled or not due.quote.gap_months:
        raise NothingToDetermine
    apply(parts, subject.id, Insurance.RES_MEDICAL, Kind.ENROLMENT_HISTORY, by=by, levy_year=subject.levy_year)


def check(parts: Parts, number: int) -> None:
    """The bureau has it in hand. NoSuchDetermination, AlreadyDecided."""
    with parts.engine.begin() as connection:
        if _held(connection, number).state == State.APPLIED:
            _move(connection, number, State.CHECKING)


def decide(parts: Parts, number: int, ruling: Ruling, *, by: str) -> None:
    """Approved or rejected, for good. NoSuchDetermination, AlreadyDecided, OwnDetermination, BadDetermination,
    YearStillOpen."""
    with parts.engine.begin() as connection:
        held = _held(connection, number)
        if by.strip() == held.requested_by:
            raise OwnDetermination
        if not by.strip() or not _fits(ruling, held):
            raise BadDetermination
        if held.kind in BACKPAY and not all(_year_is_over(parts, connection, held, year) for year in ruling.years):
            raise YearStillOpen
        if held.state == State.APPLIED:
            _move(connection, number, State.CHECKING)
        _move(
            connection,
            number,
            State.APPROVED if ruling.approved else State.REJECTED,
            amount=ruling.amount,
            years=list(ruling.years) or None,
            benefit_start=ruling.benefit_start,
            reason=ruling.reason.strip() or None,
            decided_by=by.strip(),
            decided_at=parts.clocks.now(),
        )
    if ruling.approved and held.kind not in BACKPAY:
        ask_for_entitled(parts, [held.person_id])  # who paid before the bureau said so gets the difference back


def listed(parts: Parts, *, everything: bool = False) -> list[Listed]:
    """The open applications, oldest first; or all. One of a year that has ended is still to be answered."""
    query = select(Determination.__table__)
    if not everything:
        query = query.where(Determination.state.in_(OPEN))
    with parts.reading() as connection:
        rows = connection.execute(query.order_by(Determination.id)).all()
        ids = sorted({row.person_id for row in rows})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    return [_listed(row, people[row.person_id]) for row in rows]


def _apply(connection: Connection, case: dict[str, object], **columns: object) -> int:
    """A new row, or the open one of the same case."""
    table = Determination.__table__
    written = connection.execute(
        insert(table)
        .values(**case, **columns)
        .on_conflict_do_nothing(index_elements=list(case), index_where=text("state in ('applied', 'checking')"))
        .returning(table.c.id)
    ).scalar_one_or_none()
    if written is not None:
        return written
    same = [table.c[name] == value for name, value in case.items()]
    return connection.execute(select(table.c.id).where(*same, table.c.state.in_(OPEN))).scalar_one()


def _fits(ruling: Ruling, held: Row) -> bool:
    kind, insurance = Kind(held.kind), Insurance(held.insurance)
    if not ruling.approved:
        return bool(ruling.reason.strip()) and ruling.amount is None and not ruling.years and not ruling.benefit_start
    if kind is Kind.ENROLMENT_HISTORY:
        former = bool(ruling.years) and all(FIRST_YEAR <= year < held.levy_year for year in ruling.years)
        return former and ruling.amount is None and not ruling.benefit_start
    if kind not in BACKPAY:
        return ruling.amount is None and not ruling.years  # the rules know the price
    if ruling.amount is not None:
        return ruling.amount > 0
    return insurance is Insurance.RES_PENSION and bool(ruling.years)


def _year_is_over(parts: Parts, connection: Connection, held: Row, year: int) -> bool:
    """Can that year's own premium be paid no more, and is it not? Of one before the first nobody here knows."""
    parts.levy.hear(connection)
    if year not in parts.levy.ever.all:
        return year < parts.levy.first
    dates, insurance = parts.levy.rules(year).dates, Insurance(held.insurance)
    last = dates.pension_out_of_window_end if insurance is Insurance.RES_PENSION else dates.benefit_to
    [person] = find.by_ids(connection, parts.vault, [held.person_id], years=parts.levy.ever)
    bill = person.years[year].standing[insurance].bill
    return parts.clocks.today() > last and (bill is None or bill["state"] != "settled")


def _held(connection: Connection, number: int) -> Row:
    """The row, held against anybody else's decision."""
    table = Determination.__table__
    held = connection.execute(select(table).where(table.c.id == number).with_for_update()).one_or_none()
    if held is None:
        raise NoSuchDetermination(str(number))
    if not MOVES[State(held.state)]:
        raise AlreadyDecided(str(number))
    return held


def _move(connection: Connection, number: int, state: State, **columns: object) -> None:
    connection.execute(update(Determination).where(Determination.id == number).values(state=state, **columns))


def _listed(row: Row, person: Subject) -> Listed:
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
        decided_by=row.decided_by,
    )
