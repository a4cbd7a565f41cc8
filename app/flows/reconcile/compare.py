"""A gateway's statement of a day against our book: matched, healed where we only did not hear of it, and what is left
named. Running it again changes nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.pay.collect import take_words
from app.flows.reconcile.fetch_statement import day_limits, late_moment
from app.flows.refund.give_back import order_of, take_refund
from core.clock import business_day
from payments.errors import GatewaySilent, UnknownGateway
from payments.gateways.base import Gateway, Outcome, RefundOrder, RefundOutcome, RefundWord, Trade, Word
from payments.ledger.chart import CHANNELS
from payments.number import household_of
from payments.reconcile import compare, discrepancies, statements
from payments.reconcile.compare import BusinessDay
from payments.refunds import find as find_refunds
from payments.states import UNDECIDED

ASKABLE = re.compile(r"[0-9A-Za-z]{6,32}")  # what a number of anybody may look like; we only ask about such
ASKED_AT_MOST = 200  # questions to a gateway in one run; the next run asks on


@dataclass(frozen=True)
class Reconciled:
    """What a run did: lines healed, and differences left open."""

    healed: int
    open: int


def reconcile_day(parts: Parts, name: str, day: date) -> Reconciled:
    """Compare one gateway's statement with the book; its neighbours again where they wait for it. UnknownGateway."""
    done = _one_day(parts, name, day)
    with parts.reading() as connection:
        again = compare.neighbours(connection, _business_day(parts, name, day))
    for neighbour in again:
        _one_day(parts, name, neighbour)
    return done


def reconcile_due(parts: Parts, *, most: int = 20) -> int:
    """Every statement that is in and was not compared since; how many were."""
    with parts.reading() as connection:
        due = compare.unmatched_days(connection, most=most)
    return one_by_one(
        parts,
        "reconcile",
        due,
        lambda row: reconcile_day(parts, row.gateway, row.day),
        name=lambda row: f"{row.gateway} {row.day}",
    )


def watch_differences(parts: Parts) -> int:
    """Somebody must know by eleven of what is unmatched (INV-17); it is said once. How many differences."""
    now = parts.clocks.now()
    yesterday = business_day(now) - timedelta(days=1)
    until = yesterday if now >= late_moment(yesterday) else yesterday - timedelta(days=1)
    with parts.engine.begin() as connection:
        rows = discrepancies.mark_alerted(connection, until=until)
    for row in rows:
        parts.alert("lines_unmatched", books=row.books, channel=row.channel, day=row.day.isoformat(), open=row.open)
    return sum(row.open for row in rows)


def _one_day(parts: Parts, name: str, day: date) -> Reconciled:
    of, now = _business_day(parts, name, day), parts.clocks.now()
    with parts.engine.begin() as connection:
        compare.book_fees(connection, of, now=now, booked_on=business_day(now))
        compare.match(connection, of)
        candidates = compare.unhealed(connection, of)
        named = None if candidates else _named(connection, of, now)
    healed = 0
    if named is None:
        healed = _heal(parts, of, candidates)
        with parts.engine.begin() as connection:
            compare.match(connection, of)
            named = _named(connection, of, now)
    left, asked = named
    _ask_about(parts, of, asked)
    return Reconciled(healed, left)


def _named(connection: Connection, of: BusinessDay, now: datetime) -> tuple[int, Sequence[Row]]:
    """The differences of the lines as they were matched in this very transaction have names: how many are open, and
    those to ask about."""
    left = compare.name_differences(connection, of, now=now)
    return left, compare.missing_there(connection, of, most=ASKED_AT_MOST)


def _heal(parts: Parts, of: BusinessDay, candidates: Any) -> int:
    """Book what their list proves and we did not hear of; how many lines."""
    gateway, questions, healed = parts.gateways.get(of.gateway), 0, 0
    lost_a_part = gateway is not None and _was_lost(parts, of)
    known: list[Outcome] = []
    for row in candidates:
        if row.movement == "refund":
            healed += _heal_refund(parts, of, row)
        elif row.paid_by == of.gateway and row.expected == row.amount:
            known.append(_as_paid(of, row))
        elif gateway is not None and lost_a_part and _is_lost_of_ours(row):
            known.append(_as_held(of, row, gateway))
        elif gateway is not None and questions < ASKED_AT_MOST and ASKABLE.fullmatch(row.number):
            questions += 1
            healed += _confirmed(parts, gateway, row)
    healed += _booked(parts, known)
    return healed


def _was_lost(parts: Parts, of: BusinessDay) -> bool:
    """A day of which our book lost a part, before its server was restored."""
    with parts.reading() as connection:
        return statements.is_lost(connection, of.begins, of.ends)


def _is_lost_of_ours(row: Any) -> bool:
    """A payment under a number of the form that only we give out, of which we know nothing."""
    return row.movement == "payment" and row.paid_by is None and household_of(row.number) > 0


def _as_held(of: BusinessDay, row: Any, gateway: Gateway) -> Outcome:
    """A line of a day that our book has lost a part of: the list of our own account is believed as it stands, and the
    money is held for an owner. UnionPay could not even be asked: it knows an order by the very second it was made in,
    which is lost; and a whole day is too many questions for anybody."""
    return replace(_as_paid(of, row), merchant=gateway.merchant, app=gateway.app)


def _as_paid(of: BusinessDay, row: Any) -> Outcome:
    """A line under a number of ours with its very amount: the list of our own account is the gateway's word (F43)."""
    return Outcome(
        gateway=of.gateway,
        number=row.number,
        word=Word.PAID,
        merchant=row.merchant,
        app=row.app,
        reference=row.reference,
        amount=row.amount,
        currency="CNY",
        happened_at=_moment(of, row),
        their_word=f"statement {of.day} {row.line}",
    )


def _confirmed(parts: Parts, gateway: Gateway, row: Any) -> int:
    """A line we know nothing of: only if the gateway, asked, says the same is it money of ours, held in suspense."""
    try:
        outcome = gateway.query(Trade(row.number, row.happened_at or parts.clocks.now()))
    except GatewaySilent:
        return 0
    if outcome.word is Word.PAID and (outcome.reference, outcome.amount) == (row.reference, row.amount):
        return _booked(parts, [outcome])
    return 0


def _booked(parts: Parts, outcomes: Sequence[Outcome]) -> int:
    """How many of them are in the book now."""
    booked = 0
    for outcome, word in zip(outcomes, take_words(parts, outcomes), strict=True):
        if word.startswith("failed"):
            parts.alert("statement_line_not_booked", gateway=outcome.gateway, number=outcome.number, word=word)
        else:
            booked += word not in ("nothing", "doubt")
    return booked


def _heal_refund(parts: Parts, of: BusinessDay, row: Any) -> int:
    """A refund of ours that their list has, under any number it was ever sent as: how that ended the gateway says
    itself, for a list has it from the day it was asked for and never learns its end. One we never asked for is owed by
    the payer until somebody says why."""
    gateway = parts.gateways.get(of.gateway)
    if row.refund is None:
        order = RefundOrder(
            row.refund_number, _moment(of, row), row.number, row.reference, row.amount, row.amount, reason=""
        )
        known = bool(ASKABLE.fullmatch(row.refund_number)) and row.their_word == "PROCESSING"
        said = _asked(gateway, order) if gateway is not None and known else None
        done = said is not None and said.word is RefundWord.DONE
        with parts.engine.begin() as connection:
            booked_on = business_day(parts.clocks.now())
            return int(compare.refund_by_hand(connection, of, row.line, done=done, booked_on=booked_on))
    with parts.reading() as connection:
        refund = find_refunds.find(connection, row.refund)
    if gateway is None or refund.state in UNDECIDED:
        return 0
    outcome = _asked(gateway, replace(order_of(refund, row.asked_at), number=row.sent_as))
    return int(outcome is not None and take_refund(parts, outcome) in ("paid", "twice"))


def _asked(gateway: Gateway, order: RefundOrder) -> RefundOutcome | None:
    """How it ended, by the gateway's own word; None: silence."""
    try:
        return gateway.query_refund(order)
    except GatewaySilent:
        return None


def _ask_about(parts: Parts, of: BusinessDay, rows: Any) -> None:
    """Receipts of ours that their list lacks: what does the gateway say itself? Written down for who looks at it."""
    gateway = parts.gateways.get(of.gateway)
    if gateway is None:
        return
    for row in rows:
        try:
            word = "said_paid" if gateway.query(Trade(row.number, row.ordered_at)).word is Word.PAID else "said_not"
        except GatewaySilent:
            word = "silent"
        with parts.engine.begin() as connection:
            discrepancies.note(connection, row.id, word)


def _moment(of: BusinessDay, row: Any) -> datetime:
    """When the money moved; a list that gives no time means its day."""
    return row.happened_at or of.begins + timedelta(hours=12)


def _business_day(parts: Parts, name: str, day: date) -> BusinessDay:
    if name not in CHANNELS:
        raise UnknownGateway(name)
    gateway = parts.gateways.get(name)  # a channel that only sends files counts Beijing days
    return BusinessDay(name, day, *day_limits(day, gateway.facts.day_begins if gateway else time(0)))
