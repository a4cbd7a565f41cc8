"""The complaints nobody told us of, the hints that are to be asked about, what became of refunds, and the bells that
ring at half and at nine tenths of a gateway's time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.flows.complaints.answer import write_refund_word
from app.flows.complaints.ask import ask
from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from core.errors import TryLater
from payments.complaints import cases
from payments.errors import GatewayRefused, GatewaySilent
from payments.gateways.complaining import Complaining, Complaint, complaints_of
from payments.refunds import find as find_refunds
from payments.states import UNDECIDED, RefundState

OVERLAP = timedelta(days=15)  # longer than a case has time, and days in which a payer may go on after its end: ours
FIRST_LIST = timedelta(days=29)  # a list spans thirty days at most
SEEN_ENOUGH = timedelta(minutes=10)
NOT_LISTED = timedelta(hours=1)
BELLS = (("half", 5), ("nine", 9), ("over", 10))  # tenths of the time


def ask_hinted(parts: Parts, *, most: int = 50) -> int:
    """Ask about what notifications named; how many there were."""
    with parts.reading() as connection:
        rows = cases.hints(connection, most=most)

    def act(row: Row) -> None:
        try:
            if not ask(parts, row.gateway, row.number):
                return  # what wrote the case may have asked before the hint came
        except GatewaySilent:
            return  # the hint stays
        with parts.engine.begin() as connection:
            cases.was_asked(connection, row)

    one_by_one(parts, "complaint_hint", rows, act, name=lambda row: f"{row.gateway}:{row.number}")
    return len(rows)


def poll(parts: Parts) -> int:
    """Every gateway's list since it was last read whole, and some days before; then every open case that was not seen
    lately. How many cases were asked about."""
    asked = 0

    def list_one(name: str) -> None:
        nonlocal asked
        channel = complaints_of(parts.gateways[name])
        if channel is None:
            return
        try:
            changed = _changed(parts, name, channel)
        except (TryLater, GatewayRefused):  # `ring` says when that lasts
            _say_never_listed(parts, name)
            return
        asked += _ask_all(parts, name, changed | _unseen(parts, name))

    one_by_one(parts, "complaints", parts.gateways, list_one, name=str)
    return asked


def listen(parts: Parts) -> int:
    """See to it that notifications come to us; for how many channels."""

    def see_to(name: str) -> None:
        channel = complaints_of(parts.gateways[name])
        if channel is None:
            return
        try:
            channel.ask_to_be_told(f"{parts.public_url}/callbacks/{name}/complaints")
        except (TryLater, GatewayRefused) as no:  # the poll finds them all the same
            parts.alert("complaint_address_not_set", gateway=name, code=type(no).__name__)

    return one_by_one(parts, "complaint_address", parts.gateways, see_to, name=str)


def tell_of_refunds(parts: Parts) -> int:
    """A gateway whose payer asked for money back hears that it was agreed to, or not; how many were written."""

    def tell(row: Row) -> None:
        nonlocal written
        with parts.reading() as connection:
            refund = find_refunds.find(connection, row.refund)
            taken_back = find_refunds.steps_of(connection, row.refund)[-1].word == "withdrawn"
        if RefundState(refund.state) not in UNDECIDED and not taken_back:  # who asked may ask otherwise: no answer yet
            agreed = refund.state != RefundState.REJECTED
            written += write_refund_word(parts, row, agreed=agreed, by=refund.decided_by or "refund")

    written = 0
    with parts.reading() as connection:
        rows = [row for row in cases.open_ones(connection) if row.refund and row.wants_back]
    rows = [row for row in rows if _hears_of_refunds(parts, row.gateway)]
    one_by_one(parts, "complaint_refund", rows, tell, name=lambda row: f"{row.gateway}:{row.number}")
    return written


def ring(parts: Parts) -> int:
    """Somebody is woken while there is time, and once more when there is none; how many bells rang."""
    rung, now = 0, parts.clocks.now()

    def look(row: Row) -> None:
        nonlocal rung
        for what, until in _deadlines(row):
            due = [bell for bell, tenths in BELLS if (now - row.came_at) * 10 >= (until - row.came_at) * tenths]
            with parts.engine.begin() as connection:
                new = [bell for bell in due if cases.ring(connection, row, f"{what}_{bell}")]
            if new:
                said = {"gateway": row.gateway, "number": row.number, "waits_for": what, "share": new[-1]}
                parts.alert("complaint_waits", **said, until=until.isoformat())
                rung += 1

    with parts.reading() as connection:
        rows = cases.open_ones(connection)
    one_by_one(parts, "complaint_bell", rows, look, name=lambda row: f"{row.gateway}:{row.number}")
    _say_unlisted(parts, now)
    return rung


def _deadlines(row: Row) -> Iterator[tuple[str, datetime]]:
    """What a case still waits for, and until when."""
    if row.answered_at is None:
        yield "answer", row.answer_by
    yield "end", row.end_by


def _changed(parts: Parts, name: str, channel: Complaining) -> set[str]:
    """Who came or changed since the list was last read whole. GatewaySilent."""
    now = parts.clocks.now()
    with parts.reading() as connection:
        until = cases.listed_until(connection, name)
    begin, found = (until - OVERLAP if until else now - FIRST_LIST), set()
    while begin < now:
        end = min(begin + FIRST_LIST, now)
        listed = list(channel.listed(begin, end + timedelta(minutes=1)))
        found |= {each.number for each in listed if _differs(parts, each)}
        begin = end
    with parts.engine.begin() as connection:
        cases.was_listed(connection, name, now)
    return found


def _differs(parts: Parts, listed: Complaint) -> bool:
    with parts.reading() as connection:
        row = cases.find(connection, listed.gateway, listed.number)
    return row is None or (row.their_word, row.waiting) != (listed.their_word[:64], listed.waiting)


def _unseen(parts: Parts, name: str) -> set[str]:
    late = parts.clocks.wall() - SEEN_ENOUGH
    with parts.reading() as connection:
        return {row.number for row in cases.open_ones(connection) if row.gateway == name and row.seen_at < late}


def _ask_all(parts: Parts, name: str, numbers: set[str]) -> int:
    def act(number: str) -> None:
        try:
            ask(parts, name, number)
        except GatewaySilent:
            return  # the next poll asks again

    return one_by_one(parts, "complaint", sorted(numbers), act, name=lambda number: f"{name}:{number}")


def _hears_of_refunds(parts: Parts, name: str) -> bool:
    gateway = parts.gateways.get(name)
    channel = complaints_of(gateway) if gateway else None
    return channel is not None and channel.facts.hears_of_refunds


def _say_never_listed(parts: Parts, name: str) -> None:
    """Not once since it was set up: our contract there may lack it."""
    with parts.reading() as connection:
        never = cases.listed_until(connection, name) is None
    if never:
        parts.alert("complaints_not_listed", gateway=name, since="never")


def _say_unlisted(parts: Parts, now: datetime) -> None:
    """A list that cannot be read is a complaint that nobody hears."""
    names: list[Any] = [name for name, gateway in parts.gateways.items() if complaints_of(gateway)]
    with parts.reading() as connection:
        until = {name: cases.listed_until(connection, name) for name in names}
    for name, last in until.items():
        if last is not None and now - last > NOT_LISTED:
            parts.alert("complaints_not_listed", gateway=name, since=last.isoformat())
