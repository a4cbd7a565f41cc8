"""The path of one yuan: everything that happened to one payment, from the bill to the bureau's word, in the order of
the book, with who did it. Reads only (J11)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, text

from app.access.acts import doer
from app.flows.parts import Parts
from app.flows.refund.follow import STEPS as REFUND_STEPS
from app.flows.tell.words import CHANNELS, KINDS
from app.flows.titles import title_of
from app.registry import find
from core.clock import beijing_midnight
from core.money import Fen, plain_yuan
from core.redact import mask_name
from payments.errors import NoSuchPayment
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import account_names
from payments.number import household_of
from payments.refunds.kept import stands
from payments.taking import find as find_money


@dataclass(frozen=True)
class Event:
    """One thing that happened. `at` by the business clock, as pages show it; `moment` when it was written down, by the
    clock that nobody turns: the order of the book. `by`: a login, a gateway, the system; `amounts` by account name,
    debit positive."""

    at: datetime
    what: str
    by: str
    words: str = ""
    amounts: Sequence[tuple[str, Fen]] = ()
    moment: datetime = field(kw_only=True)


@dataclass(frozen=True)
class Trace:
    """One payment and its events; names masked, amounts in fen. `stands`: where it is today;
    `whole`: does every fen stand in the book?"""

    number: str
    channel: str
    amount: Fen
    stands: str
    items: Sequence[str]
    events: Sequence[Event]
    whole: bool


def trace(parts: Parts, number: str) -> Trace:
    """NoSuchPayment."""
    with parts.reading() as connection:
        payment = find_money.payment(connection, number) if household_of(number) else None
        if payment is None:
            raise NoSuchPayment(number)
        bills = find_money.bills_of(connection, payment.household_id, number)
        people = find.by_ids(connection, parts.vault, sorted({b.person_id for b in bills}), years=parts.levy.years)
        names = {person.id: mask_name(person.name) for person in people}
        told = _told_of(connection, payment, bills)
        found = [(event, rank) for rank, source in enumerate(_SOURCES) for event in source(told)]
        today = stands(connection, payment)
        booked = connection.execute(_BOOKED, {"household": payment.household_id, "cause": _receipt(payment)}).scalar()
    return Trace(
        number=number,
        channel=GATEWAYS[payment.gateway].facts.title if payment.gateway in GATEWAYS else payment.gateway,
        amount=payment.amount,
        stands=today,
        items=[f"{names[bill.person_id]} {title_of(bill)} {plain_yuan(bill.personal_due)} 元" for bill in bills],
        events=[event for event, _ in sorted(found, key=lambda each: (each[0].moment, each[1]))],
        whole=payment.reference is None or booked == payment.amount,
    )


@dataclass(frozen=True)
class _Told:
    """What the sources ask: the payment, its bills, the entries of its money; `turns`: by how much the business clock
    was ahead, from which moment on, as far as a row has both."""

    connection: Connection
    payment: Row
    bills: Sequence[Row]
    entries: Mapping[str, Sequence[Row]]
    turns: Sequence[tuple[datetime, timedelta]]

    @property
    def booked_at(self) -> datetime | None:
        """When the money was written into the book."""
        rows = self.entries.get(_receipt(self.payment))
        return rows[0].written_at if rows else None

    def shown(self, moment: datetime) -> datetime:
        """A moment of ours by the business clock of that time."""
        return moment + self._shift(moment)

    def after_the_booking(self, at: datetime) -> datetime:
        """Where something stands of which only the business clock is known: never before the money came."""
        return self.not_before_the_booking(at - self.turns[-1][1])

    def not_before_the_booking(self, moment: datetime) -> datetime:
        """A moment of ours, of something that follows from the money."""
        return max(moment, (self.booked_at or self.payment.started_at) + timedelta(microseconds=1))

    def _shift(self, moment: datetime) -> timedelta:
        return next((shift for since, shift in reversed(self.turns) if since <= moment), self.turns[0][1])


def _told_of(connection: Connection, payment: Row, bills: Sequence[Row]) -> _Told:
    entries: dict[str, list[Row]] = {}
    for row in connection.execute(_ENTRIES, _named(payment) | {"cause": _receipt(payment)}):
        entries.setdefault(row.cause, []).append(row)
    approved = [rows[0] for cause, rows in entries.items() if cause.endswith(":approved")]
    turns = [(payment.started_at, payment.ordered_at - payment.started_at)]
    turns += [(row.written_at, row.happened_at - row.written_at) for row in approved]
    return _Told(connection, payment, bills, entries, sorted(turns))


def _receipt(payment: Row) -> str:
    return f"receipt:{payment.gateway}:{payment.reference}"


def _begun(told: _Told) -> Iterator[Event]:
    for bill in told.bills:
        words = f"{title_of(bill)}，个人应缴 {plain_yuan(bill.personal_due)} 元"
        yield Event(told.shown(bill.issued_at), "开出缴费单", "系统", words, moment=bill.issued_at)
    payment = told.payment
    words = f"{plain_yuan(payment.amount)} 元"
    who = doer(told.connection, payment.started_by)
    yield Event(payment.ordered_at, "发起付款", who, words, moment=payment.started_at)


def _paid(told: _Told) -> Iterator[Event]:
    payment = told.payment
    if payment.paid_at is not None:  # by their clock: before we heard, after it was begun
        heard = max(payment.started_at, told.booked_at or payment.started_at)
        words = f"渠道流水号 {payment.reference}"
        yield Event(payment.paid_at, "渠道收到钱", f"gateway:{payment.gateway}", words, moment=heard)


def _heard(told: _Told) -> Iterator[Event]:
    for row in told.connection.execute(_RECEIVED, _named(told.payment)):
        verified = "验签通过" if row.verdict == "verified" else f"没有通过：{row.verdict}"
        words = f"{verified}，{_RESULTS.get(row.result, row.result)}"
        # What was booked by it carries the moment its transaction began.
        moment = min(row.received_at, told.booked_at or row.received_at) if row.result in _BOOKING else row.received_at
        yield Event(told.shown(row.received_at), "收到渠道通知", f"gateway:{row.gateway}", words, moment=moment)


def _went_back(told: _Told) -> Iterator[Event]:
    for number, rows in groupby(told.connection.execute(_REFUNDS, _named(told.payment)), lambda row: row.number):
        steps = list(rows)
        entries = [told.entries.get(f"refund:{number}:{step.word}") for step in steps]
        written = [entry[0].written_at if entry else None for entry in entries]
        last = told.not_before_the_booking(told.payment.started_at)
        for place, step in enumerate(steps):  # between the entries of the steps before and after
            following = [moment for moment in written[place:] if moment]
            guess = max(told.after_the_booking(step.at), last + timedelta(microseconds=1))
            last = written[place] or min([guess, *following[:1]])
            what = f"退费：{REFUND_STEPS[step.word].format(bureau='主管部门', title='渠道')}"
            yield Event(step.at, what, step.by, f"{number} {step.reason}", moment=last)


def _entered(told: _Told) -> Iterator[Event]:
    names = account_names(told.connection)
    for cause, rows in told.entries.items():
        yield Event(
            told.shown(rows[0].written_at),
            f"记账（业务日 {rows[0].booked_on.isoformat()}）",
            "系统",
            _evidence(cause),
            [(names.get(row.account, row.account), row.amount) for row in rows],
            moment=rows[0].written_at,
        )


def _evidence(cause: str) -> str:
    """What an entry stands on, the number behind it last. Pure."""
    kind, named, word = (cause + "::").split(":")[:3]
    if kind == "receipt":
        return f"{GATEWAYS[named].facts.title if named in GATEWAYS else '刷卡'}收款 {word}"
    return f"退款单 {named}" if kind == "refund" else f"凭证 {cause}"


def _listed(told: _Told) -> Iterator[Event]:
    for row in told.connection.execute(_STATEMENTS, _named(told.payment) | {"gateway": told.payment.gateway}):
        at, words = told.shown(row.fetched_at), f"{row.day.isoformat()} 的对账单"
        yield Event(at, "渠道对账单上有这一笔", f"gateway:{row.gateway}", words, moment=row.fetched_at)
        if row.deposit:
            at, words = beijing_midnight(row.deposited_on), f"银行流水号 {row.deposit}（按天合并到账）"
            yield Event(at, "银行到账", "bank", words, moment=told.after_the_booking(at))


def _booked(told: _Told) -> Iterator[Event]:
    for bill in told.bills:
        if bill.settled_by is None:
            continue
        wanted = {"household": bill.household_id, "settled_by": bill.settled_by, "insurance": bill.insurance}
        wanted |= {"year": bill.levy_year, "person": bill.person_id}
        for row in told.connection.execute(_OUTSIDE, wanted):
            what = "国库入库" if row.kind == "treasury" else "部门确认"
            at, words = beijing_midnight(row.booked_on), f"{title_of(bill)}，{row.serial}"
            yield Event(at, what, row.kind, words, moment=told.after_the_booking(at))


def _proved(told: _Told) -> Iterator[Event]:
    wanted = {"household": told.payment.household_id, "bills": [bill.id for bill in told.bills]}
    for row in told.connection.execute(_PROOFS, wanted):
        what = "开出缴费确认单" if row.kind == "confirmation" else "开出缴费证明"
        words = f"查验码 {row.code}，给出 {row.given_out} 次"
        yield Event(row.issued_at, what, "系统", words, moment=told.after_the_booking(row.issued_at))


def _notified(told: _Told) -> Iterator[Event]:
    wanted = {"household": told.payment.household_id, "cause": f"payment:{told.payment.number}:%"}
    for row in told.connection.execute(_NOTICES, wanted):
        moment = row.sent_at or row.queued_at
        by = CHANNELS.get(row.channel or "", row.channel or "还没发出")
        after = told.not_before_the_booking(moment)
        yield Event(told.shown(moment), "通知", by, KINDS.get(row.kind, row.kind), moment=after)


_BOOKING = frozenset({"paid", "surplus", "suspense"})
_RESULTS = {
    "paid": "入了账",
    "again": "重复的通知，没有再记",
    "surplus": "多付，待退",
    "suspense": "金额或单号不对，待查",
    "nothing": "没有改变什么",
}
_SOURCES: Sequence[Callable[[_Told], Iterator[Event]]] = (  # of one moment: as causes run
    *(_begun, _paid, _heard, _went_back, _entered, _listed, _booked, _proved, _notified),
)


def _named(payment: Row) -> dict[str, Any]:
    return {"household": payment.household_id, "number": payment.number}


_RECEIVED = text(
    "select gateway, received_at, verdict, result from received where household_id = :household and number = :number"
    " order by received_at"
)
_ENTRIES = text(
    "select e.cause, e.booked_on, e.happened_at, e.written_at, p.account, p.amount from entry e"
    " join posting p on p.household_id = e.household_id and p.cause = e.cause"
    " where e.household_id = :household and (e.cause = :cause or e.cause like :cause || ':%' or e.cause in"
    "   (select 'refund:' || number || ':' || word from refund r,"
    "      unnest(array['approved', 'paid']) as word where r.household_id = :household and r.payment = :number))"
    " order by e.written_at, p.line"
)
_STATEMENTS = text(
    "select s.gateway, s.day, s.fetched_at, s.deposit, o.booked_on as deposited_on from statement_row r"
    " join statement s on s.gateway = r.gateway and s.day = r.day"
    " left join outside_row o on o.kind = 'bank' and o.serial = s.deposit"
    " where r.gateway = :gateway and r.number = :number and r.movement = 'payment'"
)
_OUTSIDE = text(
    "select o.kind, o.serial, o.booked_on from entry e join outside_row o on o.day = e.booked_on"
    " where e.household_id = :household and e.cause = receipt_of(:household, :settled_by)"
    "   and ((o.kind = 'treasury' and o.part = 'premium') or (o.kind = 'bureau' and o.person_id = :person))"
    "   and o.channel = :insurance and o.levy_year = :year"
)
_REFUNDS = text(
    "select r.number, s.word, s.by, s.at, s.reason from refund r join refund_step s"
    " on s.household_id = r.household_id and s.number = r.number"
    " where r.household_id = :household and r.payment = :number order by r.applied_at, r.number, s.step"
)
_PROOFS = text("select kind, code, issued_at, given_out from proof where household_id = :household and bills && :bills")
_NOTICES = text(
    "select kind, channel, queued_at, sent_at from notice where household_id = :household and cause like :cause"
)
_BOOKED = text(
    "select sum(amount)::bigint from posting where household_id = :household and cause = :cause and amount > 0"
    " and account like 'clearing:%'"
)
