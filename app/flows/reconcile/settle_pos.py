"""A day's file of the bank's POS terminals: each line settles the open bill it fits exactly, or is held with an owner;
the file is the channel's statement of that day."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

from sqlalchemy import Connection, text

from app.flows.due.draft import draft_of
from app.flows.due.item import Due
from app.flows.due.quote import amount_due, paid_back
from app.flows.parts import Parts
from app.flows.pay.leave import leave
from app.policy.facts import Insurance
from app.registry import find
from app.registry.find import Subject
from core.clock import beijing_midnight, business_day
from payments.errors import BillSettled, PaymentUnderWay
from payments.gateways.base import Movement, StatementLine
from payments.reconcile import compare, statements
from payments.reconcile.compare import BusinessDay
from payments.reconcile.outside_files import OutsideFile
from payments.taking import find as find_money
from payments.taking.bills import issue, meet

CHANNEL = "ccb_pos"


def take_day(parts: Parts, connection: Connection, file: OutsideFile, day: date, *, now: datetime) -> int:
    """Settle and hold the lines of one day, keep them as the channel's statement, compare; differences open now."""
    parts.levy.hear(connection)  # what opened a moment ago is known, before the register is read
    people = [_person_of(parts, connection, row) for row in file.rows]
    meet(connection, filter(None, people), codes=True)
    lines = [
        _line(parts, connection, row, person, place, now=now)
        for place, (row, person) in enumerate(zip(file.rows, people, strict=True), 1)
    ]
    statements.keep(connection, CHANNEL, day, BytesIO(file.digest), lines, wall=parts.clocks.wall())
    begins = beijing_midnight(day)
    of = BusinessDay(CHANNEL, day, begins, begins + timedelta(days=1))
    compare.match(connection, of)
    return compare.name_differences(connection, of, now=now)


def _line(
    parts: Parts, connection: Connection, row: Mapping[str, Any], person: int, place: int, *, now: datetime
) -> StatementLine:
    """A line settled or held, as the channel's statement has it; its word says if it is booked for somebody else."""
    happened = row["happened_at"]
    reference = connection.execute(
        text("select pos_reference(:reference, :happened)"), {"reference": _reference(row), "happened": happened}
    ).scalar_one()
    household, bill = _bill_of(parts, connection, row, person, f"receipt:{CHANNEL}:{reference}")
    became = connection.execute(
        text("select take_pos(:household, :bill, :reference, :amount, :happened, :booked_on)"),
        {
            "household": household,
            "bill": bill,
            "reference": reference,
            "amount": row["amount"],
            "happened": happened,
            "booked_on": business_day(now),
        },
    ).scalar_one()
    word = "POS elsewhere" if became == "elsewhere" else "POS"
    return StatementLine(place, Movement.PAYMENT, "", reference, row["amount"], 0, happened, their_word=word)


def _reference(row: Mapping[str, Any]) -> str:
    return f"{row['terminal']}-{row['serial']}"


def _person_of(parts: Parts, connection: Connection, row: Mapping[str, Any]) -> int:
    """The person a line is for, by its levy item or by the identity number; 0 for nobody."""
    if row["item"] is not None:
        return connection.execute(text("select person_id from bill where id = :id"), {"id": row["item"]}).scalar() or 0
    known = find.by_id_number(connection, parts.vault, row["id_number"].upper()) if row["id_number"] else None
    return known[0] if known else 0


def _bill_of(
    parts: Parts, connection: Connection, row: Mapping[str, Any], person: int, receipt: str
) -> tuple[int, int]:
    """(household, bill) that a line is for, by its levy item, or by person and insurance; zeros for none. `receipt`:
    the cause it is booked by, once or again.

    A bill nobody issued yet is issued at the price of the moment the card was read."""
    if not person:
        return 0, 0
    if row["item"] is not None:
        held = connection.execute(text("select household_id, id from bill where id = :id"), {"id": row["item"]}).one()
        return held.household_id, held.id
    subject = find.by_ids(connection, parts.vault, [person], years=parts.levy.ever)[0]
    wanted = [Insurance(row["insurance"])] if row["insurance"] else list(Insurance)
    fitting = (_fitting(parts, connection, subject, insurance, row=row, receipt=receipt) for insurance in wanted)
    return subject.household_id, next((bill for bill in fitting if bill), 0)


def _fitting(
    parts: Parts,
    connection: Connection,
    subject: Subject,
    insurance: Insurance,
    *,
    row: Mapping[str, Any],
    receipt: str,
) -> int:
    """The bill of one insurance that takes this very amount, or the one that was settled before; 0 for none, and where
    an open one of either of two levy years would take it: a person says which. The price of the moment says which years
    could be paid then, whatever is closed by now."""
    own = [subject.in_year(year) for year in parts.levy.ever.all]
    settled = [held for said in own for held in _settled(said, insurance) if held["personal_due"] == row["amount"]]
    if again := [held for held in settled if held["settled_by"] == receipt]:
        return int(again[0]["id"])
    fits = [(said, due) for said in own if (due := _due(parts, said, insurance, row)) is not None]
    if len(fits) == 1:
        return _issued(parts, connection, *fits[0])
    return int(settled[0]["id"]) if settled and not fits else 0


def _due(parts: Parts, subject: Subject, insurance: Insurance, row: Mapping[str, Any]) -> Due | None:
    """What this very amount pays of the subject's year. One that a bureau determined names its back-payment; any other
    is the year's, at the one level that costs it: where two do, a person says which."""
    tier = row["amount"] if insurance is Insurance.RES_PENSION else None
    held = subject.standing[insurance].bill
    ask = partial(amount_due, parts, subject, insurance, at=row["happened_at"], channel=CHANNEL)
    found = [ask(determination=backpay["id"]) for backpay in subject.standing[insurance].backpays]
    if (held is None or held["state"] != "settled") and not paid_back(subject, insurance):
        medical = parts.levy.rules(subject.levy_year).has_medical
        found += [ask(tier=tier, level=level) for level in (None, *(medical.levels if medical else ()))]
    fits = [due for due in found if due.payable and due.quote.to_pay == row["amount"]]
    return fits[0] if len({due.level for due in fits}) == 1 else None


def _settled(subject: Subject, insurance: Insurance) -> list[Mapping[str, Any]]:
    """What is paid of the subject's year, its premium first."""
    own = subject.standing[insurance]
    bills = [own.bill, *(backpay["bill"] for backpay in own.backpays)]
    return [bill for bill in bills if bill is not None and bill["state"] == "settled"]


def _issued(parts: Parts, connection: Connection, subject: Subject, due: Due) -> int:
    draft = draft_of(parts, subject, due)
    try:
        return issue(connection, draft).id
    except PaymentUnderWay as held:  # the card has been read: nobody's code bars the counter (decision 0019)
        code = find_money.payment(connection, held.number)
        return issue(connection, draft).id if code is not None and leave(connection, code) else 0
    except BillSettled:
        return 0
