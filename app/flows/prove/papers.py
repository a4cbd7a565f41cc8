"""A settled payment → the paper that proves it: a confirmation at once, a certificate when the treasury has booked the
money. What a paper says is written down once; the file is drawn from that whenever it is asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row

from app.flows.parts import Parts
from app.flows.titles import named_tier, title_of
from app.policy.facts import Insurance
from app.registry import find
from app.registry.find import Subject
from core.clock import beijing, business_day
from core.errors import Conflict, NotFound
from core.money import capital_yuan
from payments import proofs
from payments.errors import NoSuchPayment
from payments.ledger.chart import CHANNELS
from payments.number import ALPHABET, household_of
from payments.proofs import CERTIFICATE, CONFIRMATION
from payments.refunds import find as find_refunds
from payments.refunds.kept import kept, receipt_of_payment
from payments.taking import find as find_money

TITLES = {CONFIRMATION: "缴费确认单", CERTIFICATE: "社会保险费缴费证明"}


class NotPaidYet(Conflict):
    """A paper for what nobody has paid (A69)."""

    text = "这一项还没有交费，没有凭证可开。"


class MoneyWentBack(Conflict):
    """A paper for money that went back, wholly or by hand."""

    text = "这笔钱已经退回，没有凭证可开。"


class NotBookedYet(Conflict):
    """A certificate before the treasury has the money (A69)."""

    text = "钱已经交了，正在入库。入库以后才能开缴费证明，一般要几个工作日。急用请先开缴费确认单。"


class NoSuchProof(NotFound):
    """A code under which nothing was issued, or nothing for this reader."""

    text = "没有查到这张凭证。"


@dataclass(frozen=True)
class Proof:
    """A paper: its code, what it says (`facts`, as it was written), the persons it is about, and whether it still
    stands."""

    code: str
    kind: str
    facts: Mapping[str, Any]
    people: Sequence[int]
    issued_on: date
    issued_at: datetime
    stands: bool

    @property
    def title(self) -> str:
        """What stands at its head."""
        return TITLES[self.kind]


@dataclass(frozen=True)
class Behind:
    """An item's title, the number of the payment that settled it (empty if it came another way); has the treasury
    booked it?"""

    title: str
    number: str
    booked: bool


@dataclass(frozen=True)
class _Booking:
    """When the treasury had all of an item's money, and the serials of its bookings."""

    booked_on: date
    serial: str


def confirm(parts: Parts, number: str) -> Proof:
    """The confirmation of what a payment still stands for, written now if it was not before: when an item has gone back
    there is a new one for the rest. NoSuchPayment, NotPaidYet, MoneyWentBack."""
    with parts.engine.begin() as connection:
        row = find_money.payment(connection, number)
        if row is None:
            raise NoSuchPayment(number)
        if row.state != "paid":
            raise NotPaidYet(number)
        cause = receipt_of_payment(row)
        bills = _standing(connection, row.household_id, cause)
        first = {bill.id for bill in find_money.bills_of(connection, row.household_id, number)}
        ids = [bill.id for bill in bills]
        subject = f"payment:{number}" + ("" if set(ids) == first else f":{'-'.join(map(str, ids))}")
        facts = {"number": number, "reference": row.reference, "paid_at": _moment(row.paid_at)}
        facts |= {"channel": CHANNELS.get(row.gateway, row.gateway)}
        return _written(parts, connection, CONFIRMATION, subject=subject, cause=cause, bills=bills, facts=facts)


def _standing(connection: Connection, household_id: int, cause: str) -> Sequence[Row]:
    """The bills that a receipt pays for today; whose money was given back by hand, nobody can say. MoneyWentBack."""
    left = kept(connection, household_id, cause)
    if left.by_hand or not left.bills:
        raise MoneyWentBack
    return left.bills


def certify(
    parts: Parts, subject: Subject, insurance: Insurance, determination: int | None = None, *, rise: bool = False
) -> Proof:
    """The certificate of one settled item, written now if it was not before. NotPaidYet, NotBookedYet,
    MoneyWentBack."""
    with parts.engine.begin() as connection:
        bill, entry, booking = _settled(connection, subject, insurance, determination, rise=rise)
        _standing(connection, bill.household_id, entry.cause)
        if booking is None:
            raise NotBookedYet(insurance)
        gateway, reference = entry.cause.split(":")[1:3]
        facts = {
            "number": find_refunds.payment_behind(connection, bill.household_id, entry.cause),
            "reference": reference,
            "paid_at": _moment(entry.happened_at),
            "channel": CHANNELS.get(gateway, gateway),
            "booked_on": booking.booked_on.isoformat(),
            "tax_serial": booking.serial,
        }
        return _written(
            parts, connection, CERTIFICATE, subject=f"bill:{bill.id}", cause=entry.cause, bills=[bill], facts=facts
        )


def behind(
    parts: Parts, subject: Subject, insurance: Insurance, determination: int | None = None, *, rise: bool = False
) -> Behind:
    """What there is to prove of one settled item. NotPaidYet."""
    with parts.reading() as connection:
        bill, entry, booking = _settled(connection, subject, insurance, determination, rise=rise)
        number = find_refunds.payment_behind(connection, bill.household_id, entry.cause)
    return Behind(title_of(bill), number if household_of(number) else "", booking is not None)


def proof(parts: Parts, code: str) -> Proof:
    """The paper of a code. NoSuchProof. Who may read it is the door's question."""
    with parts.reading() as connection:
        row = proofs.by_code(connection, code) if is_code(code) else None
        if row is None:
            raise NoSuchProof(code)
        return _read(parts, connection, row)


def hand_out(parts: Parts, paper: Proof) -> bytes:
    """The paper as a file, counted; its digest is kept, so that the file can be told from an altered one."""
    from app.documents.proof import draw, without_font  # noqa: PLC0415 few processes draw

    address = f"{parts.public_url}/check?code={paper.code}"
    drawn = draw(paper.facts, title=paper.title, address=address, at=paper.issued_at)
    if missing := without_font(paper.facts):
        parts.alert("letter_without_font", letters=" ".join(f"U+{ord(letter):X}" for letter in missing))
    with parts.engine.begin() as connection:
        row = proofs.by_code(connection, paper.code)
        assert row is not None, "the caller read it"
        proofs.give_out(connection, row.household_id, row.code, sha256(drawn).digest())
    return drawn


def is_code(word: str) -> bool:
    """Has it the shape of a paper's code?"""
    return len(word) == proofs.CODE_LENGTH and set(word) <= set(ALPHABET)


def _settled(
    connection: Connection, subject: Subject, insurance: Insurance, determination: int | None, *, rise: bool
) -> tuple[Row, Row, _Booking | None]:
    """The settled bill, the entry that took its money in, the treasury's booking of it, another fund's part in it too.
    NotPaidYet."""
    own = subject.standing[insurance]
    back = next((each for each in own.backpays if each["id"] == determination), None)
    held = own.rise if rise else own.bill if determination is None else back and back["bill"]
    if held is None or held["state"] != "settled" or not held["personal_due"]:
        raise NotPaidYet(insurance)
    bill, lines = find_money.bill_with_lines(connection, held["household_id"], held["id"])
    entry = find_money.receipt_entry(connection, bill.household_id, bill.settled_by)
    funds = dict.fromkeys(line.fund for line in lines if line.payer == "resident")
    rows = [
        proofs.treasury_booking(connection, fund=fund, levy_year=bill.levy_year, day=entry.booked_on) for fund in funds
    ]
    found = [row for row in rows if row is not None]
    if len(found) < len(rows):
        return bill, entry, None
    return bill, entry, _Booking(max(row.booked_on for row in found), "、".join(row.serial for row in found))


def _written(
    parts: Parts,
    connection: Connection,
    kind: str,
    *,
    subject: str,
    cause: str,
    bills: Sequence[Row],
    facts: Mapping[str, Any],
) -> Proof:
    household = bills[0].household_id
    row = proofs.held(connection, household, subject, cause)
    if row is None:
        people = find.by_ids(
            connection, parts.vault, sorted({bill.person_id for bill in bills}), years=parts.levy.years
        )
        code, now = proofs.new_code(), parts.clocks.now()
        said = dict(facts) | _said(parts, connection, bills, {person.id: person for person in people})
        said |= {"code": code, "kind": kind, "issuer": parts.issuer, "issued_on": business_day(now).isoformat()}
        said |= {"help_phone": parts.help_phone}
        row = proofs.write(
            connection,
            household_id=household,
            code=code,
            kind=kind,
            subject=subject,
            cause=cause,
            bills=[bill.id for bill in bills],
            content=parts.vault.seal(json.dumps(said, ensure_ascii=False), bound_to=f"proof.content:{code}"),
            issued_at=now,
        )
    return _read(parts, connection, row)


def _said(parts: Parts, connection: Connection, bills: Sequence[Row], people: Mapping[int, Subject]) -> dict[str, Any]:
    """What every paper says of its items; identity numbers by their first and last four."""
    first = people[bills[0].person_id]
    total = sum(bill.personal_due for bill in bills)
    return {
        "village": f"{first.town}{first.village}",
        "items": [_item(parts, bill, people[bill.person_id]) | _funds(parts, connection, bill) for bill in bills],
        "amount": total,
        "capital": capital_yuan(total),
    }


def _item(parts: Parts, bill: Row, person: Subject) -> dict[str, Any]:
    insurance = Insurance(bill.insurance)
    return {
        "person": person.id,
        "name": person.name,
        "id_masked": person.id_masked,
        "title": title_of(bill),
        "levy_item": _LEVY_ITEMS[insurance],
        "year": bill.levy_year,
        "back_years": None if bill.determination is None else bill.years or [],
        "tier": named_tier(parts.levy.rules(bill.levy_year), bill) if bill.raised_from is None else bill.tier,
        "raised_from": bill.raised_from,
        "level": bill.level,
        "amount": bill.personal_due,
        "benefit_start": bill.benefit_start.isoformat() if bill.benefit_start else None,
    }


def _funds(parts: Parts, connection: Connection, bill: Row) -> dict[str, Any]:
    """What of an item's amount went into other funds, and what sponsors paid beside it; nothing is said of none."""
    held = find_money.paid_into_others(connection, bill.household_id, bill.id)
    names = parts.levy.rules(bill.levy_year).funds
    said = {"funds": [{"name": names.get(code, code), "amount": held[code]} for code in sorted(held)]} if held else {}
    gave = find_money.sponsors_of(connection, bill.household_id, bill.id)
    return said | ({"sponsors": [{"name": name, "amount": amount} for name, amount in gave]} if gave else {})


_LEVY_ITEMS = {
    Insurance.RES_PENSION: "城乡居民基本养老保险费",
    Insurance.RES_MEDICAL: "城乡居民基本医疗保险费",
}


def _read(parts: Parts, connection: Connection, row: Row) -> Proof:
    facts = json.loads(parts.vault.open(row.content, bound_to=f"proof.content:{row.code}"))
    return Proof(
        code=row.code,
        kind=row.kind,
        facts=facts,
        people=sorted({item["person"] for item in facts["items"]}),
        issued_on=date.fromisoformat(facts["issued_on"]),
        issued_at=row.issued_at,
        stands=proofs.standing_bills(connection, row) == len(row.bills),
    )


def _moment(moment: datetime) -> str:
    return beijing(moment).isoformat(timespec="seconds")
