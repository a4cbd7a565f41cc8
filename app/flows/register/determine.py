"""A case that only a bureau can decide: in hand, then approved or rejected, and told; then a bill can exist, or not."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, select, text, update

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register.announce import tell_decided
from app.policy.facts import Insurance
from app.registry import find
from app.registry.determinations import BACKPAY, MOVES, Kind, State
from app.registry.models import Determination
from core.errors import BadInput, Conflict, NotFound, Refused
from core.money import Fen, plain_yuan
from payments.refusals import as_errors

FIRST_YEAR = 2000  # none before is spoken of
MOST_A_YEAR = 10_000_00  # fen; twice the dearest tier there is: more is a digit too many


class NoSuchDetermination(NotFound):
    """A number that no application has."""

    text = "没有这个核定申请。"


class BadDetermination(BadInput):
    """A kind that the insurance does not know, or a decision that does not fit its kind."""

    text = "核定的内容不对：{how}"


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


def check(parts: Parts, number: int, *, by: Officer | None = None) -> None:
    """The bureau has it in hand: an officer of it, or whoever types with `parts` of the office. NoSuchDetermination,
    AlreadyDecided, OwnDetermination."""
    with parts.engine.begin() as connection:
        held = _held(connection, number, hold=by is None)
        if by is not None:
            _by_officer(parts, connection, "check_determination(:session, :id, :on, :at)", by, held)
        elif held.state == State.APPLIED:
            _move(connection, number, State.CHECKING)


def look(parts: Parts, number: int, ruling: Ruling, *, by: Officer) -> None:
    """Would `decide` take it now? Nothing is written. What `decide` says."""
    with parts.reading() as connection:
        _look(parts, connection, _held(connection, number, hold=False), ruling, by.by)


def _look(parts: Parts, connection: Connection, held: Row, ruling: Ruling, who: str) -> None:
    if who == held.requested_by:
        raise OwnDetermination
    if wrong := _wrong(ruling, held) if who else "没有写是谁定的。":
        raise BadDetermination(how=wrong)
    if held.kind in BACKPAY and not all(_year_is_over(parts, connection, held, year) for year in ruling.years):
        raise YearStillOpen


def decide(parts: Parts, number: int, ruling: Ruling, *, by: str | Officer) -> None:
    """Approved or rejected, for good, and the person is told. `by` is an officer of the bureau, or with `parts` of the
    office staff:<login>. NoSuchDetermination, AlreadyDecided, OwnDetermination, BadDetermination, YearStillOpen."""
    who = by.strip() if isinstance(by, str) else by.by
    with parts.engine.begin() as connection:
        held = _held(connection, number, hold=isinstance(by, str))
        _look(parts, connection, held, ruling, who)
        if isinstance(by, Officer):
            words = {**_columns(ruling), "approved": ruling.approved}
            if not _by_officer(parts, connection, _DECIDE, by, held, **words):
                raise AlreadyDecided(str(number))
        else:
            now = parts.clocks.now()
            if held.state == State.APPLIED:
                _move(connection, number, State.CHECKING, checked_by=who, checked_at=now)
            state = State.APPROVED if ruling.approved else State.REJECTED
            _move(connection, number, state, **_columns(ruling), decided_by=who, decided_at=now)
        tell_decided(parts, connection, number)
    if ruling.approved and held.kind not in BACKPAY:
        ask_for_entitled(parts, [held.person_id])  # who paid before the bureau said so gets the difference back


def _wrong(ruling: Ruling, held: Row) -> str | None:
    """What does not fit its kind, in words that name the one field."""
    if not ruling.approved:
        alone = ruling.amount is None and not ruling.years and not ruling.benefit_start
        return None if ruling.reason.strip() and alone else "不通过要写原因，只写原因。"
    if held.kind == Kind.ENROLMENT_HISTORY:
        if ruling.amount is not None or ruling.benefit_start:
            return "参保年度核对只写认定的年度。"
        former = bool(ruling.years) and all(FIRST_YEAR <= year < held.levy_year for year in ruling.years)
        return None if former else f"年度要写{held.levy_year}年以前的，从{FIRST_YEAR}年起，至少一年。"
    if held.kind not in BACKPAY:  # the rules know the price
        return None if ruling.amount is None and not ruling.years else "这一类不写金额和年度，按规定算。"
    return _wrong_backpay(ruling, Insurance(held.insurance))


def _wrong_backpay(ruling: Ruling, insurance: Insurance) -> str | None:
    if ruling.amount is not None:
        if ruling.amount <= 0:
            return "补缴金额要大于零。"
        most = MOST_A_YEAR * max(1, len(ruling.years or ()))
        return None if ruling.amount <= most else f"补缴金额太大：最多{plain_yuan(most)}元，请看是不是多打了数字。"
    if insurance is Insurance.RES_PENSION:
        return None if ruling.years else "补缴金额和年度至少写一样。"
    return "没有写补缴金额。"


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


def _held(connection: Connection, number: int, *, hold: bool) -> Row:
    """The row; `hold` it against anybody else's decision, or a function of the database does."""
    table = Determination.__table__
    wanted = select(table).where(table.c.id == number)
    held = connection.execute(wanted.with_for_update() if hold else wanted).one_or_none()
    if held is None:
        raise NoSuchDetermination(str(number))
    if not MOVES[State(held.state)]:
        raise AlreadyDecided(str(number))
    return held


def _columns(ruling: Ruling) -> dict[str, object]:
    return {
        "amount": ruling.amount,
        "years": list(ruling.years) or None,
        "benefit_start": ruling.benefit_start,
        "reason": ruling.reason.strip() or None,
    }


def _by_officer(parts: Parts, connection: Connection, step: str, officer: Officer, held: Row, **words: object) -> bool:
    """One step in the name of the officer whose live session it is; the database looks at his office too."""
    asked = {"session": officer.session, "id": held.id, "on": parts.clocks.now(), "at": parts.clocks.wall()}
    with as_errors({"LX117": NoSuchDetermination, "LX118": OwnDetermination}):
        return bool(connection.execute(text(f"select {step}"), asked | words).scalar_one())


_DECIDE = (
    "decide_determination(:session, :id, :approved, :amount, cast(:years as int[]), :benefit_start, :reason, :on, :at)"
)


def _move(connection: Connection, number: int, state: State, **columns: object) -> None:
    connection.execute(update(Determination).where(Determination.id == number).values(state=state, **columns))
