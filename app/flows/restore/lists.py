"""The gateways' lists against a restored book, payment by payment: what it has, what the lists of the gap bring back,
and what should have been there and is not."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from core.clock import business_day
from core.errors import AppError
from core.money import Fen
from payments.gateways.base import Gateway, Movement

BEFORE = 14  # days whose lists are counted, back from the moment
LATE = timedelta(minutes=10)  # a callback may be this late: what was paid shortly before the moment was told after it
TOGETHER = 5000


@dataclass(frozen=True)
class Counted:
    """One channel's day. Amounts in fen. `told` False: there was no list. `lost`: the live book had it before the
    moment, the restored one has not."""

    gateway: str
    day: date
    told: bool = False
    lines: int = 0
    amount: Fen = 0
    there: int = 0
    there_amount: Fen = 0
    lost: int = 0
    lost_amount: Fen = 0

    @property
    def back(self) -> tuple[int, Fen]:
        """What the list itself brings back: how many, fen."""
        return self.lines - self.there - self.lost, self.amount - self.there_amount - self.lost_amount


def count_lists(live: Parts | None, restored: Parts, *, until: date) -> list[Counted]:
    """Each channel and day from two weeks before the restored moment to `until` that has payments or a list."""
    last = restored.clocks.today()
    days = [last - timedelta(days=BEFORE - place) for place in range(BEFORE + (until - last).days + 1)]
    gateways = sorted({*restored.gateways, *_listed(restored)})
    found = [_count(live, restored, gateway, day) for gateway in gateways for day in days]
    return [one for one in found if (one.told and one.lines) or (not one.told and one.day >= last)]


def _listed(restored: Parts) -> Sequence[str]:
    with restored.reading() as connection:
        return connection.execute(text("select distinct gateway from statement")).scalars().all()


def _count(live: Parts | None, restored: Parts, gateway: str, day: date) -> Counted:
    lines = _lines_of(live, restored, gateway, day)
    if lines is None:
        return Counted(gateway, day)
    receipts = [(f"receipt:{gateway}:{reference or f'{day}#{row}'}", number) for row, number, reference, *_ in lines]
    with restored.reading() as connection:
        there = _booked(connection, receipts)
    before: set[str] = set()
    if live is not None:
        missing = [one for one in receipts if one[0] not in there]
        with live.reading() as connection:
            before = _booked(connection, missing, until=restored.clocks.wall())
    amounts = {receipt: line[3] for (receipt, _), line in zip(receipts, lines, strict=True)}
    lost = [
        receipt
        for (receipt, _), line in zip(receipts, lines, strict=True)
        if receipt in before and (line[4] is None or line[4] < restored.clocks.now() - LATE)
    ]
    has = [receipt for receipt, _ in receipts if receipt in there]
    return Counted(
        gateway,
        day,
        told=True,
        lines=len(lines),
        amount=sum(line[3] for line in lines),
        there=len(has),
        there_amount=sum(amounts[receipt] for receipt in has),
        lost=len(lost),
        lost_amount=sum(amounts[receipt] for receipt in lost),
    )


def _booked(connection: Connection, receipts: Sequence[tuple[str, str]], *, until: datetime | None = None) -> set[str]:
    """Which of these (receipt, our number) a book has; those it had `until` a moment."""
    found: set[str] = set()
    for begin in range(0, len(receipts), TOGETHER):
        some = receipts[begin : begin + TOGETHER]
        rows = connection.execute(
            _BOOKED,
            {"causes": [one[0] for one in some], "numbers": [one[1] for one in some], "until": until},
        )
        found.update(rows.scalars())
    return found


_BOOKED = text(
    "select e.cause from unnest(cast(:causes as text[]), cast(:numbers as text[])) as line (cause, number)"
    " join entry e on e.household_id in (household_of_number(line.number), 0) and e.cause = line.cause"
    " where cast(:until as timestamptz) is null or e.written_at < :until"
)


def _lines_of(live: Parts | None, restored: Parts, gateway: str, day: date) -> Sequence[Any] | None:
    """(row, our number, their reference, fen, moment) of each payment on a day's list: the one that is kept, by the
    live book first, else asked for; None: there is none yet."""
    for held in filter(None, (live, restored)):
        with held.reading() as connection:
            state = connection.execute(_STATE, {"gateway": gateway, "day": day}).scalar_one_or_none()
            if state in ("whole", "empty"):
                return connection.execute(_LINES, {"gateway": gateway, "day": day}).all()
    if gateway not in restored.gateways or day < restored.clocks.today() - timedelta(days=1):
        return None
    return _asked(restored.gateways[gateway], day)


def _asked(gateway: Gateway, day: date) -> Sequence[Any] | None:
    try:
        with tempfile.TemporaryFile() as file:
            if not gateway.fetch_statement(day, file):
                return []
            file.seek(0)
            return [
                (line.row, line.number, line.reference, line.amount, line.happened_at)
                for line in gateway.read_statement(file, day)
                if line.movement is Movement.PAYMENT
            ]
    except AppError:  # silent, refused, not made yet: the table says that there was none
        return None


def last_listed(parts: Parts) -> date:
    """Yesterday: no list is of a day that is not over."""
    return business_day(parts.clocks.now()) - timedelta(days=1)


_STATE = text("select state from statement where gateway = :gateway and day = :day")
_LINES = text(
    "select row, number, reference, amount, happened_at from statement_row"
    " where gateway = :gateway and day = :day and movement = 'payment' order by row"
)
