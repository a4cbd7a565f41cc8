"""Payments nobody reported: ask the gateway, end those whose time is over. The gateway decides, never we."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.pay.collect import take_word
from payments.errors import AlreadyPaidThere, GatewayRefused, GatewaySilent
from payments.gateways.base import Gateway, Outcome, Trade, Word
from payments.states import ASKED, State
from payments.taking import find
from payments.taking.start import move

LEASE = timedelta(seconds=60)
MARGIN = timedelta(seconds=60)  # our clock and theirs
UNREPORTED_AT_MOST = timedelta(seconds=100)  # paid there and unknown here for two minutes at most (F40, INV-17)
ABSENT_FOR = timedelta(seconds=60)  # a number the gateway does not know may still be on its way (F34)


def ask_silent(parts: Parts, *, most: int = 50) -> int:
    """Ask about every payment whose question is due (at most `most`); how many were asked about."""
    with parts.engine.begin() as connection:
        due = find.lease_silent(connection, now=parts.clocks.wall(), lease=LEASE, most=most)

    def one(row: Any) -> None:
        gateway = parts.gateways.get(row.gateway)
        if gateway is not None:
            ask(parts, gateway, row)

    one_by_one(parts, "ask", due, one, name=lambda row: row.number)
    return len(due)


def ask(parts: Parts, gateway: Gateway, row: Any) -> State:
    """One question about one payment, and what follows from the answer; where the payment stands then."""
    try:
        outcome = gateway.query(_trade(row))
    except GatewaySilent:
        return _ask_later(parts, gateway, row, State.UNKNOWN)
    if outcome.word is Word.PAID:
        return _booked_or_held(parts, gateway, row, outcome)
    unwanted = row.state in (State.CLOSING, State.LEFT)
    if _has_ended(parts, gateway, row, outcome.word) and (outcome.word is not Word.ABSENT or row.queries > 1):
        _close(parts, row, outcome.word)  # unknown there: asked twice, a minute apart
    elif outcome.word is Word.OPEN and gateway.facts.closes and (unwanted or _is_over(parts, row)):
        close_at_gateway(parts, gateway, row)
    elif outcome.word is Word.UNKNOWN:
        parts.alert("gateway_word_unknown", gateway=gateway.name, number=row.number, word=outcome.their_word)
        return _ask_later(parts, gateway, row, State(row.state))
    else:
        return _ask_later(parts, gateway, row, _still_payable(gateway, row, outcome.word))
    return _state_of(parts, row.number)


def close_at_gateway(parts: Parts, gateway: Gateway, row: Any) -> bool:
    """Ask that nobody can pay it any more, then ask what it is now; True once its end is confirmed.

    Paid meanwhile: booked, and False. Also False where the gateway cannot end an order before its time."""
    if row.state not in ASKED:
        return True
    with parts.engine.begin() as connection:
        move(connection, row.household_id, row.number, State.CLOSING, next_query_at=parts.clocks.wall() + LEASE)
    outcome = _close_then_ask(gateway, _trade(row))
    if outcome is None:
        return False
    if outcome.word is Word.PAID:
        take_word(parts, outcome)
        return False
    if _has_ended(parts, gateway, row, outcome.word):
        return _close(parts, row, outcome.word)
    if _can_be_paid(gateway, row, outcome.word):  # its code shows again
        _ask_later(parts, gateway, row, State.PENDING, moved_from=State.CLOSING)
    return False


def _booked_or_held(parts: Parts, gateway: Gateway, row: Any, outcome: Outcome) -> State:
    """Money for it is there: it is settled by it, or (another amount) the money is held and a person must look.

    Then nobody may pay it, and nobody is told that he should."""
    take_word(parts, outcome)
    state = _state_of(parts, row.number)
    return _ask_later(parts, gateway, row, State.UNKNOWN) if state in ASKED else state


def _close_then_ask(gateway: Gateway, trade: Trade) -> Outcome | None:
    try:
        gateway.close(trade)
    except (AlreadyPaidThere, GatewayRefused):
        pass  # the question below tells what it is
    except GatewaySilent:
        return None
    try:
        return gateway.query(trade)
    except GatewaySilent:
        return None


def _has_ended(parts: Parts, gateway: Gateway, row: Any, word: Word) -> bool:
    """Can nobody pay it any more, given the gateway's word?

    A number they do not know may still be on its way to them; where a trade begins only when somebody scans, a code
    once handed out can be paid until its time is over; and where nothing can be closed, time alone ends an order."""
    its_time_is_over = parts.clocks.now() >= row.expires_at + MARGIN
    if word is Word.ABSENT:
        handed_out = gateway.facts.unseen_may_be_paid and row.checkout is not None
        return its_time_is_over if handed_out else parts.clocks.wall() - row.started_at > ABSENT_FOR
    return word is Word.CLOSED or (word is Word.OPEN and not gateway.facts.closes and its_time_is_over)


def _still_payable(gateway: Gateway, row: Any, word: Word) -> State:
    """Where a payment stands whose code is out and can be paid: pending, whatever we doubted or wanted before."""
    return State.PENDING if _can_be_paid(gateway, row, word) else State(row.state)


def _can_be_paid(gateway: Gateway, row: Any, word: Word) -> bool:
    """Does the gateway say that its code, which is out, waits for the payer? Of what it has not decided it does not."""
    unseen = word is Word.ABSENT and gateway.facts.unseen_may_be_paid
    unstoppable = word is Word.OPEN and (not gateway.facts.closes or row.state != State.CLOSING)
    return row.checkout is not None and (unseen or unstoppable)


def _trade(row: Any) -> Trade:
    return Trade(row.number, row.ordered_at)


def _is_over(parts: Parts, row: Any) -> bool:
    """Past its time, or its bills were settled by another payment."""
    if parts.clocks.now() >= row.expires_at:
        return True
    with parts.engine.connect() as connection:
        return any(bill.state != "open" for bill in find.bills_of(connection, row.household_id, row.number))


def _ask_later(parts: Parts, gateway: Gateway, row: Any, state: State, *, moved_from: State | None = None) -> State:
    """The next question by the gateway's schedule, and often enough while it can be paid; past its end every half hour,
    never never (INV-18)."""
    wall = parts.clocks.wall()
    moment = next_question(gateway.facts.poll_after_s, row.started_at, wall)
    if parts.clocks.now() < row.expires_at + MARGIN:  # money may come at any moment, and perhaps nobody tells us
        moment = min(moment, wall + UNREPORTED_AT_MOST)
    also = {"next_query_at": moment}
    with parts.engine.begin() as connection:
        if row.state != State.LEFT and state != (moved_from or row.state):
            move(connection, row.household_id, row.number, state, **also)
        else:
            find.put_off(connection, row.household_id, row.number, also["next_query_at"])
    return state


def next_question(schedule: Sequence[int], started_at: datetime, wall: datetime) -> datetime:
    """The first moment of the schedule (seconds after the start) that lies ahead, else half an hour from now. Pure."""
    for seconds in schedule:
        moment = started_at + timedelta(seconds=seconds)
        if moment > wall:
            return moment
    return wall + timedelta(minutes=30)


def _close(parts: Parts, row: Any, word: Word) -> bool:
    """Nobody can pay it any more; False if a code was handed out since we looked, and they did not know its number."""
    unseen = word is Word.ABSENT and row.checkout is None
    with parts.engine.begin() as connection:
        return move(connection, row.household_id, row.number, State.CLOSED, unseen=unseen) is not None


def _state_of(parts: Parts, number: str) -> State:
    with parts.engine.connect() as connection:
        row = find.payment(connection, number)
    assert row is not None
    return State(row.state)
