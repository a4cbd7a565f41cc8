"""A gateway's own list of a business day → their file kept as it came, its lines in our words; asked for until it is
there. Comparing it with the book is another flow."""

import tempfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from core.clock import BEIJING, beijing, business_day
from core.errors import AppError
from core.money import Fen
from payments.errors import (
    BadStatement,
    GatewayBusy,
    GatewayRefused,
    GatewaySilent,
    NoStatement,
    StatementNotReady,
    UnknownGateway,
)
from payments.gateways.base import Gateway
from payments.reconcile import statements

AGAIN_AFTER = timedelta(minutes=10)
BUSY_FOR = timedelta(minutes=1)
LATE_AT = time(11, 0)  # Beijing, on the day after: somebody must know
NONE_AFTER = timedelta(hours=11)  # since LATE_AT: then "there is none" counts, whatever our own book says
LOOK_BACK = 7  # days
IN_MEMORY = 8 * 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """What a day's statement says: payments and refunds in fen, fees in thousandths of a fen."""

    lines: int
    received: Fen
    refunded: Fen
    fee: int


def fetch_statement(parts: Parts, name: str, day: date) -> Fetched:
    """Fetch, prove, read and keep one day; a day kept before is read anew and replaced, all or nothing.

    UnknownGateway, StatementNotReady, GatewaySilent; BadStatement leaves what was there. NoStatement also where the
    gateway says there were no trades and our own book has some: for many hours that is too early to be true."""
    gateway = parts.gateways.get(name)
    if gateway is None:
        raise UnknownGateway(name)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        there = gateway.fetch_statement(day, file)  # nobody holds a transaction while a gateway is asked
        if not there and not _is_believed_empty(parts, gateway, day):
            raise NoStatement("empty, but not in our book")
        file.seek(0)
        with parts.engine.begin() as connection:
            if not there:
                statements.keep_empty(connection, name, day, wall=parts.clocks.wall())
                return Fetched(0, 0, 0, 0)
            totals = statements.keep(
                connection, name, day, file, gateway.read_blocks(file, day), wall=parts.clocks.wall()
            )
    return Fetched(totals.lines, totals.received, totals.refunded, totals.fee)


def fetch_due(parts: Parts) -> int:
    """Every statement of the last week that should be there by now and is not; how many came."""
    came, due = 0, []
    for gateway in parts.gateways.values():
        with parts.engine.begin() as connection:
            first = statements.first_day(connection, gateway.name)
            days = ripe_days(gateway, parts.clocks.now(), business_day(first)) if first else []
            missing = statements.missing(connection, gateway.name, days, wall=parts.clocks.wall()) if days else []
        due += [(gateway, day) for day in missing]

    def fetch(wanted: tuple[Gateway, date]) -> None:
        nonlocal came
        came += _try(parts, *wanted)

    one_by_one(parts, "statements", due, fetch, name=lambda wanted: f"{wanted[0].name} {wanted[1]}")
    return came


def ripe_days(gateway: Gateway, now: datetime, first: date) -> list[date]:
    """The business days since `first`, of the last week, whose statement is due at `now` (business clock). Pure."""
    today = beijing(now)
    last = today.date() - timedelta(days=1 if today.time() >= gateway.facts.statement_ready else 2)
    start = max(first, last - timedelta(days=LOOK_BACK - 1))
    return [start + timedelta(days=place) for place in range((last - start).days + 1)]


def _try(parts: Parts, gateway: Gateway, day: date) -> int:
    try:
        fetch_statement(parts, gateway.name, day)
    except NoStatement as trouble:
        if _is_empty(parts, gateway, day):
            with parts.engine.begin() as connection:
                statements.keep_empty(connection, gateway.name, day, wall=parts.clocks.wall())
            return 1
        _put_off(parts, gateway, day, trouble)
        return 0
    except (StatementNotReady, GatewaySilent, GatewayRefused, BadStatement) as trouble:  # one channel's, not another's
        _put_off(parts, gateway, day, trouble)
        return 0
    return 1


def _is_empty(parts: Parts, gateway: Gateway, day: date) -> bool:
    """What "there is none" means: late in the morning an empty day, if our own book has no money of it."""
    if parts.clocks.now() < late_moment(day):
        return False
    return _is_believed_empty(parts, gateway, day)


def _is_believed_empty(parts: Parts, gateway: Gateway, day: date) -> bool:
    """If our own book has no money of it; many hours later also if it has, unless the gateway never tells a day without
    trades from a list not made yet: then comparing names what is missing."""
    if gateway.facts.says_empty and parts.clocks.now() >= late_moment(day) + NONE_AFTER:
        return True
    return _nothing_of_ours(parts, gateway, day)


def _nothing_of_ours(parts: Parts, gateway: Gateway, day: date) -> bool:
    """Whether our own book has no money of that business day, and has lost none of it."""
    begins, ends = day_limits(day, gateway.facts.day_begins)
    with parts.engine.connect() as connection:
        ours = statements.ours_between(connection, gateway.name, begins, ends)
        return not ours and not statements.is_lost(connection, begins, ends)


def day_limits(day: date, begins: time) -> tuple[datetime, datetime]:
    """The first moment of a gateway's business day and the first after it; one that begins after noon begins on the
    evening before. Pure."""
    first = datetime.combine(day, begins, tzinfo=BEIJING) - timedelta(days=1 if begins.hour >= 12 else 0)
    return first, first + timedelta(days=1)


def _put_off(parts: Parts, gateway: Gateway, day: date, trouble: AppError) -> None:
    with parts.engine.begin() as connection:
        statements.put_off(
            connection,
            gateway.name,
            day,
            trouble=f"{trouble.code}: {trouble.args[0] if trouble.args else ''}",
            next_try_at=parts.clocks.wall() + (BUSY_FOR if isinstance(trouble, GatewayBusy) else AGAIN_AFTER),
        )
        late = parts.clocks.now() >= late_moment(day)
        say = (late or isinstance(trouble, BadStatement)) and statements.mark_alerted(connection, gateway.name, day)
    if say:
        parts.alert("statement_late", gateway=gateway.name, day=day.isoformat(), code=trouble.code)


def late_moment(day: date) -> datetime:
    """When somebody must know that a day's statement is missing. Pure."""
    return datetime.combine(day + timedelta(days=1), LATE_AT, tzinfo=BEIJING)
