"""Money in doubt is solved: a person takes it, keeps it for a reason, gives it back, or, with another who agrees,
settles with it what it was meant for."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from app.flows.due.draft import draft_of
from app.flows.due.item import Due
from app.flows.due.quote import SELF, amount_due, paid_back
from app.flows.due.rise import due_of_rise
from app.flows.levy import YearClosed
from app.flows.parts import Parts
from app.flows.pay.start import NotPayable, Want, want_of
from app.flows.refund.steps import Asked, Asking, plain_reason, reserve
from app.flows.tell.announce import tell_settled
from app.policy.refunds import Why
from app.registry import find
from core.clock import business_day
from core.errors import BadInput, Conflict, NotFound
from payments.errors import DifferentHouseholds
from payments.refunds import find as find_refunds
from payments.suspense import solve
from payments.suspense.solve import Key, Proposal
from payments.taking import find as find_money
from payments.taking.bills import IssuedBill, issue, meet

KEEP_AT_MOST = 92  # days: longer is no keeping but forgetting


class KeptForNothing(BadInput):
    """A keeping until a day that is over or too far."""

    text = "先放着，要写放到哪一天：在今天以后、三个月以内。"


class YearPaidBack(Conflict):
    """A year's own premium where a back-payment for that year was agreed to since the money came."""

    text = "{year}年的这一项后来核定了补缴，不能再单独交，请选补缴的那一项。"


def key_of(parts: Parts, cause: str) -> Key:
    """Which money a cause names. NoSuchSuspense."""
    with parts.reading() as connection:
        return solve.key_of(connection, cause)


def take(parts: Parts, key: Key, *, by: str) -> None:
    """It is this person's from now on. SuspenseSolved, NoSuchSuspense."""
    with parts.engine.begin() as connection:
        solve.take(connection, key, by=by, now=parts.clocks.now())


def keep(parts: Parts, key: Key, *, until: date, reason: str, by: str) -> None:
    """It stays for a reason until a Beijing day. KeptForNothing, BadReason, SuspenseSolved,
    NoSuchSuspense."""
    why, ahead = plain_reason(reason, needed=True), (until - parts.clocks.today()).days
    if not 0 < ahead <= KEEP_AT_MOST:
        raise KeptForNothing
    with parts.engine.begin() as connection:
        solve.keep(connection, key, until=until, reason=why, by=by, now=parts.clocks.now())


def give_back(parts: Parts, key: Key, *, by: str, reason: str = "") -> Asked:
    """Ask for its way back; another person agrees (refund.decide). NothingToGiveBack, NoSuchSuspense."""
    with parts.engine.begin() as connection:
        row = solve.find(connection, key)
        why = Why.SURPLUS if row.doubt == "surplus" else Why.WRONG_AMOUNT
        asking = Asking(key.household_id, row.number, key.cause, [], why, reason, by)
        return reserve(parts, connection, asking, now=parts.clocks.now())


def propose(parts: Parts, key: Key, wants: Sequence[Want], *, by: str) -> None:
    """One person proposes what it was meant for, at the price of the moment it came: for a levy year that could be paid
    then, whether it still can or not. SuspenseUnfit unless that is the whole of it exactly; NotPayable, YearUnsaid,
    YearClosed, YearPaidBack, DifferentHouseholds, BillSettled, PaymentUnderWay."""
    with parts.engine.begin() as connection:
        row = solve.find(connection, key)
        came = find_refunds.received_at(connection, row.household_id, row.cause)
        ids = sorted({want.person_id for want in wants})
        meet(connection, ids)
        parts.levy.hear(connection)  # what opened a moment ago is known, before the register is read
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
        if not wants or set(people) != set(ids):
            raise NotFound("person")
        bills: dict[int, int] = {}  # each with the household it lies in
        for want in wants:
            year = parts.levy.only if want.levy_year is None else want.levy_year
            if year not in parts.levy.ever.all:
                raise YearClosed(str(year), year=year)
            person = people[want.person_id].in_year(year)
            if want.determination is None and paid_back(person, want.insurance):
                raise YearPaidBack(str(year), year=year)
            due = _due(parts, person, want, at=came)
            if not due.payable:
                raise NotPayable(due)
            standing = _standing(connection, row, person, due)
            if standing is not None:
                bills[standing] = row.household_id
            else:
                bills[issue(connection, draft_of(parts, person, due)).id] = person.household_id
        if len(set(bills.values())) != 1:
            raise DifferentHouseholds
        solve.propose(connection, key, bills[min(bills)], list(bills), by=by, now=parts.clocks.now())


def propose_pledge(parts: Parts, key: Key, number: str, *, by: str) -> None:
    """One person proposes to give it to the sponsor's pledge of this number. SuspenseUnfit, SuspenseSolved,
    NoSuchSuspense."""
    with parts.engine.begin() as connection:
        found = connection.execute(
            text("select id from pledge where number = :number"), {"number": number.strip().upper()}
        )
        pledge = found.scalar_one_or_none()
        solve.propose_pledge(connection, key, pledge or 0, by=by, now=parts.clocks.now())


def give_pledge(parts: Parts, key: Key, pledge: int, *, by: str) -> None:
    """Another person agrees to the pledge he saw. OwnSuspense, NothingProposed, SuspenseChanged, SuspenseUnfit,
    SuspenseSolved."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        amount = solve.find(connection, key).amount
        solve.give_pledge(connection, key, pledge, amount, by=by, now=now, booked_on=business_day(now))


def withdraw(parts: Parts, key: Key, *, by: str) -> None:
    """Who proposed takes it back before anybody agreed. NotYoursToWithdraw, NothingProposed, SuspenseSolved,
    NoSuchSuspense."""
    with parts.engine.begin() as connection:
        solve.withdraw(connection, key, by=by, now=parts.clocks.now())


def settle(parts: Parts, key: Key, seen: Proposal, *, by: str) -> None:
    """Another person agrees to what he saw: the proposed bills are settled by it, and their people told. OwnSuspense,
    NothingProposed, SuspenseChanged, SuspenseUnfit, SuspenseSolved."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        solve.settle(connection, key, seen, by=by, now=now, booked_on=business_day(now))
        parts.levy.hear(connection)
        row = solve.find(connection, key)
        for bill_id in row.bills:
            bill, _ = find_money.bill_with_lines(connection, row.bills_household, bill_id)
            [person] = find.by_ids(connection, parts.vault, [bill.person_id], years=parts.levy.ever)
            due = _due(parts, person.in_year(bill.levy_year), want_of(bill), at=now)
            issued = IssuedBill(bill.household_id, bill.id, bill.insurance, bill.personal_due, bill.price_until)
            tell_settled(parts, connection, person, due, issued)


def watch(parts: Parts) -> int:
    """What lies too long wakes somebody (INV-19); how many."""
    with parts.reading() as connection:
        rows = solve.overdue(connection, today=parts.clocks.today())
    for row in rows:
        parts.alert("suspense_old", cause=row.cause, doubt=row.doubt, owner=row.owner, due_on=row.due_on.isoformat())
    return len(rows)


def _due(parts: Parts, person: find.Subject, want: Want, *, at: datetime) -> Due:
    if want.rise:
        return due_of_rise(parts, person, at=at, channel=SELF, tier=want.tier)
    chosen = {"tier": want.tier, "level": want.level, "determination": want.determination}
    return amount_due(parts, person, want.insurance, at=at, channel=SELF, **chosen)


def _standing(connection: Connection, row: Any, person: find.Subject, due: Due) -> int | None:
    """The open bill that the very payment of this money holds: it cannot be issued anew while that lives, and lies in
    the payment's household, wherever its person is by now."""
    for bill in find_money.bills_of(connection, row.household_id, row.number):
        item = (bill.person_id, bill.insurance, bill.levy_year, bill.determination, bill.level, bill.raised_from)
        own = (person.id, due.insurance, due.levy_year, due.determination, due.level, due.raised_from)
        if bill.state == "open" and item == own:
            return bill.id
    return None
