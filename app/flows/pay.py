"""What somebody wants to pay → bills issued, an attempt written down, the gateway asked, the way to pay handed back."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, select, text

from app.flows.expire import close_at_gateway
from app.flows.parts import Parts
from app.flows.quote import Due, amount_due
from app.policy.facts import Insurance
from app.registry import find
from app.registry.find import Subject
from core.clock import business_day
from core.errors import Conflict, NotFound
from core.money import Fen, plain_yuan
from core.redact import mask_name
from payments import find as find_money
from payments.bills import Draft, DraftLine, IssuedBill, issue, settle_free
from payments.errors import (
    AlreadyPaidThere,
    DifferentHouseholds,
    GatewayRefused,
    GatewaySilent,
    KeyReused,
    PaymentUnderWay,
    UnknownGateway,
)
from payments.gateways.base import Checkout, Gateway, Kind, Order
from payments.models import RequestKey
from payments.number import new_check_code, new_number
from payments.start import Attempt, begin, move
from payments.states import LIVE, State


@dataclass(frozen=True)
class Want:
    """One levy item somebody wants to pay: the tier in fen for a pension, None for the medical insurance."""

    person_id: int
    insurance: Insurance
    tier: Fen | None = None


@dataclass(frozen=True)
class Payer:
    """Who pays and by what way. `actor` is resident or agent:<id>; `channel` is the policy's channel."""

    actor: str
    channel: str
    gateway: str
    kind: Kind
    openid: str | None = None


@dataclass(frozen=True)
class Started:
    """What came of it. `number` None: nothing was due and everything is settled already."""

    number: str | None
    amount: Fen
    state: str
    expires_at: datetime | None
    checkout: Checkout | None
    settled: Sequence[str] = ()


class NotPayable(Conflict):
    """An item that may not be paid now; its reason code is in `reason`, its sentence the quote's."""

    text = "这一项现在不能交。"

    def __init__(self, due: Due) -> None:
        super().__init__(due.quote.reason_code)
        self.reason = due.quote.reason_code
        self._sentence = due.text

    def sentence(self) -> str:
        """The same words as on the quote."""
        return self._sentence


class NothingChosen(Conflict):
    """A payment for nothing."""

    text = "还没有选要交的项目。"


def start_payment(parts: Parts, wants: Sequence[Want], payer: Payer, *, request_key: str) -> Started:
    """Issue the bills, settle those of which nothing is due, and start one payment for the rest.

    The same `request_key` with the same wish gives the same payment; with another wish KeyReused. NotPayable,
    DifferentHouseholds, BillSettled; PaymentUnderWay if another attempt could not be ended; GatewayRefused;
    GatewaySilent when the gateway said nothing (the payment is then unknown and will be asked about)."""
    gateway = parts.gateways.get(payer.gateway)
    if gateway is None:
        raise UnknownGateway(payer.gateway)
    if not wants:
        raise NothingChosen
    request = _request(wants, payer, request_key)
    for last_try in (False, True):
        try:
            return _start(parts, gateway, wants, payer, request)
        except PaymentUnderWay as held:
            if last_try:
                raise
            _end_former(parts, gateway, held.args[0])
    raise AssertionError("unreachable")


def _start(
    parts: Parts, gateway: Gateway, wants: Sequence[Want], payer: Payer, request: tuple[bytes, bytes]
) -> Started:
    with parts.engine.begin() as connection:
        again = _used(connection, request)
        if again is not None:
            return _as_it_stands(connection, again)
        subjects = _household(parts, connection, wants)
        now = parts.clocks.now()
        free, bills, items, told = [], [], [], []
        for want in wants:
            subject = subjects[want.person_id]
            due = amount_due(parts, subject, want.insurance, at=now, channel=payer.channel, tier=want.tier)
            if not due.payable:
                raise NotPayable(due)
            bill = issue(connection, _draft(parts, subject, due))
            (bills if bill.personal_due else free).append(bill)
            (items if bill.personal_due else told).append((subject, due, bill))
        for subject, due, bill in told:
            if settle_free(connection, bill, now=now, booked_on=business_day(now)):
                _tell_settled(parts, connection, subject, due, bill)
        if not bills:
            _remember(connection, request, free[0].household_id, "")
            return Started(None, 0, "settled", None, None, [due.title for _, due, _ in told])
        same = _same_live(parts, connection, bills, payer)
        if same is not None:
            _remember(connection, request, bills[0].household_id, same.number or "")
            return same
        attempt = _attempt(parts, gateway, payer, items, now)
        amount = begin(connection, bills, attempt)
        _remember(connection, request, bills[0].household_id, attempt.number)
    order = Order(attempt.number, payer.kind, amount, attempt.description, attempt.expires_at, payer.openid)
    return _ask_gateway(parts, gateway, bills[0].household_id, order)


def _ask_gateway(parts: Parts, gateway: Gateway, household: int, order: Order) -> Started:
    """The attempt is committed; now the gateway hears of it. What it answers is written down afterwards."""
    state, checkout, trouble = State.PENDING, None, None
    try:
        checkout = gateway.start(order)
    except (GatewaySilent, AlreadyPaidThere) as error:
        state, trouble = State.UNKNOWN, error
    except GatewayRefused as error:
        state, trouble = State.FAILED, error
    kept = {"code_url": checkout.code_url, "jsapi": dict(checkout.jsapi or {})} if checkout else None
    with parts.engine.begin() as connection:
        moved = move(connection, household, order.number, state, checkout=kept)
        row = find_money.payment(connection, order.number)
    assert row is not None
    if not moved and row.state in ("paid", "surplus"):
        return _started(row)  # the callback overtook the answer (F36)
    if trouble is not None:
        raise trouble
    return _started(row)


def find_started(parts: Parts, number: str) -> Started:
    """A payment as it stands. NotFound."""
    with parts.engine.connect() as connection:
        return _as_it_stands(connection, number)


def _end_former(parts: Parts, gateway: Gateway, number: str) -> None:
    """Another attempt holds the bill: end it at its gateway, and wait for its confirmed end (decision 6)."""
    with parts.engine.connect() as connection:
        row = find_money.payment(connection, number)
    assert row is not None
    former = parts.gateways.get(row.gateway, gateway)
    if not close_at_gateway(parts, former, row):
        raise PaymentUnderWay(number)


def _household(parts: Parts, connection: Connection, wants: Sequence[Want]) -> dict[int, Subject]:
    ids = sorted({want.person_id for want in wants})
    found = {subject.id: subject for subject in find.by_ids(connection, parts.vault, ids, levy_year=parts.rules.year)}
    if len(found) != len(ids):
        raise NotFound("person")
    if len({subject.household_id for subject in found.values()}) != 1:
        raise DifferentHouseholds
    return found


def _draft(parts: Parts, subject: Subject, due: Due) -> Draft:
    quote = due.quote
    assert quote.total is not None and quote.personal_due is not None and quote.price_until is not None
    return Draft(
        household_id=subject.household_id,
        person_id=subject.id,
        insurance=due.insurance,
        levy_year=parts.rules.year,
        tier=quote.tier,
        total=quote.total,
        personal_due=quote.personal_due,
        reason_code=quote.reason_code,
        price_until=quote.price_until,
        benefit_start=quote.benefit_start,
        lines=[
            DraftLine(line.part, line.payer, line.fund, line.amount, line.clause, line.evidence) for line in quote.lines
        ],
    )


def _attempt(
    parts: Parts, gateway: Gateway, payer: Payer, items: Sequence[tuple[Subject, Due, IssuedBill]], now: datetime
) -> Attempt:
    household = items[0][0].household_id
    number = new_number(household, business_day(now))
    wall = parts.clocks.wall()
    check_code = new_check_code()
    lives = timedelta(minutes=parts.rules.campaign.order_minutes)
    last = min(bill.price_until for _, _, bill in items) - timedelta(seconds=1)
    sealed = parts.vault.seal(payer.openid, bound_to=f"payment.payer:{number}") if payer.openid else None
    return Attempt(
        number=number,
        gateway=gateway.name,
        merchant=gateway.merchant,
        app=gateway.app,
        kind=payer.kind,
        description=f"峄城区{parts.rules.year}年度城乡居民保险费",
        started_by=payer.actor,
        started_at=wall,
        expires_at=min(now + lives, last).replace(microsecond=0),
        next_query_at=wall + timedelta(seconds=gateway.poll_after_s[0]),
        check_code=check_code,
        memo={"notice": _notice(parts, f"payment:{number}", items, check_code, payer.openid)},
        payer=sealed,
    )


def _notice(
    parts: Parts,
    subject_of: str,
    items: Sequence[tuple[Subject, Due, IssuedBill]],
    check_code: str | None,
    openid: str | None,
) -> dict[str, Any]:
    """The notice that a settlement will write, with masked words only and sealed addresses (decision 16)."""
    people = list({subject.id: subject for subject, _, _ in items}.values())
    fields: dict[str, Any] = {
        "village": f"{people[0].town}{people[0].village}",
        "names": "、".join(mask_name(person.name) for person in people),
        "items": "、".join(dict.fromkeys(due.title for _, due, _ in items)),
    }
    if check_code:
        fields |= {"amount": plain_yuan(sum(bill.personal_due for _, _, bill in items)), "check_code": check_code}
    phone = next((person for person in people if person.phone_sealed), None)
    clear = parts.vault.open(phone.phone_sealed, bound_to=f"person.phone:{phone.id}") if phone else None
    return {
        "fields": fields,
        "openid": _sealed(parts, openid, f"notice.openid:{subject_of}"),
        "phone": _sealed(parts, clear, f"notice.phone:{subject_of}"),
    }


def _sealed(parts: Parts, value: str | None, bound_to: str) -> str | None:
    return b64encode(parts.vault.seal(value, bound_to=bound_to)).decode() if value else None


def _tell_settled(parts: Parts, connection: Connection, subject: Subject, due: Due, bill: IssuedBill) -> None:
    """A notice for a bill that needed no gateway; a waived person's message never tells an amount."""
    cause = f"bill:{bill.id}:settled"
    notice = _notice(parts, f"bill:{bill.id}", [(subject, due, bill)], None, None)
    written = connection.execute(
        text(
            "select enqueue_notice(:household, :cause, 'settled', cast(:fields as jsonb), null,"
            " decode(:phone, 'base64'), :next_try_at)"
        ),
        {
            "household": bill.household_id,
            "cause": cause,
            "fields": json.dumps(notice["fields"]),
            "phone": notice["phone"],
            "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
        },
    ).scalar_one()
    if written:
        connection.execute(
            text("select defer_telling(array[cast(:household as bigint)], array[:cause])"),
            {"household": bill.household_id, "cause": cause},
        )


def _request(wants: Sequence[Want], payer: Payer, key: str) -> tuple[bytes, bytes]:
    """(digest of actor and key, digest of the wish)."""
    wish = [payer.gateway, payer.kind, payer.channel, sorted((w.person_id, w.insurance, w.tier or 0) for w in wants)]
    who = f"{payer.actor}\0{payer.openid or ''}\0{key}"
    return sha256(who.encode()).digest(), sha256(json.dumps(wish).encode()).digest()


def _used(connection: Connection, request: tuple[bytes, bytes]) -> str | None:
    """The payment an earlier request of this key started ('' if nothing was due), or None. KeyReused."""
    row = connection.execute(select(RequestKey.__table__).where(RequestKey.key == request[0])).one_or_none()
    if row is None:
        return None
    if row.body_hash != request[1]:
        raise KeyReused
    return row.number


def _remember(connection: Connection, request: tuple[bytes, bytes], household: int, number: str) -> None:
    connection.execute(
        insert(RequestKey).values(key=request[0], body_hash=request[1], household_id=household, number=number)
    )


def _same_live(parts: Parts, connection: Connection, bills: Sequence[IssuedBill], payer: Payer) -> Started | None:
    """The live attempt for exactly these bills by the same way, still payable: the same code again, not a new one."""
    household = bills[0].household_id
    row = connection.execute(
        text(
            "select p.* from payment p join payment_bill b using (household_id, number)"
            " where p.household_id = :household and b.live"
            " group by p.household_id, p.number having array_agg(b.bill_id order by b.bill_id) = :bills"
        ),
        {"household": household, "bills": sorted(bill.id for bill in bills)},
    ).one_or_none()
    if row is None or row.state != State.PENDING or (row.gateway, row.kind) != (payer.gateway, payer.kind):
        return None
    sealed = parts.vault.open(row.payer, bound_to=f"payment.payer:{row.number}") if row.payer else None
    if sealed != payer.openid or row.expires_at - parts.clocks.now() < timedelta(minutes=1):
        return None
    return _started(row)


def _as_it_stands(connection: Connection, number: str) -> Started:
    if not number:
        return Started(None, 0, "settled", None, None)
    row = find_money.payment(connection, number)
    if row is None:
        raise NotFound(number)
    return _started(row)


def _started(row: Any) -> Started:
    held = row.checkout if row.state in LIVE else None
    checkout = Checkout(code_url=held["code_url"], jsapi=held["jsapi"] or None) if held else None
    return Started(row.number, row.amount, row.state, row.expires_at, checkout)
