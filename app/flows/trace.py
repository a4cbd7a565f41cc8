"""The path of one yuan: everything that happened to one payment, from the bill to the bureau's word, in the order of
time, with who did it. Reads only (J11)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from app.flows.follow_refund import STEPS as REFUND_STEPS
from app.flows.notice_words import KINDS
from app.flows.parts import Parts
from app.flows.titles import title_of
from app.registry import find
from core.clock import beijing_midnight
from core.money import Fen, plain_yuan
from core.redact import mask_name
from payments import find as find_money
from payments.errors import NoSuchPayment
from payments.gateways import GATEWAYS
from payments.ledger.chart import accounts
from payments.number import household_of
from payments.states import State


@dataclass(frozen=True)
class Event:
    """One thing that happened. `by`: a login, a gateway, the system; `amounts` by account name, debit positive."""

    at: datetime
    what: str
    by: str
    words: str = ""
    amounts: Sequence[tuple[str, Fen]] = ()
    system: bool = False  # `at` is of the system clock

    def shifted(self, shift: timedelta) -> "Event":
        """The same on the business clock."""
        return replace(self, at=self.at + shift, system=False) if self.system else self


@dataclass(frozen=True)
class Trace:
    """One payment and its events; names masked, amounts in fen. `whole`: does every fen stand in the book?"""

    number: str
    channel: str
    amount: Fen
    state: State
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
        people = find.by_ids(connection, parts.vault, sorted({b.person_id for b in bills}), levy_year=parts.rules.year)
        names = {person.id: mask_name(person.name) for person in people}
        shift = parts.clocks.now() - parts.clocks.wall()  # a sandbox's two clocks on one line
        found = [
            (event.shifted(shift), rank)
            for rank, source in enumerate(_SOURCES)
            for event in source(connection, payment, bills)
        ]
        booked = connection.execute(_BOOKED, {"household": payment.household_id, "cause": _receipt(payment)}).scalar()
    return Trace(
        number=number,
        channel=GATEWAYS[payment.gateway].facts.title if payment.gateway in GATEWAYS else payment.gateway,
        amount=payment.amount,
        state=State(payment.state),
        items=[f"{names[bill.person_id]} {title_of(bill)} {plain_yuan(bill.personal_due)} 元" for bill in bills],
        events=[event for event, _ in sorted(found, key=_order)],
        whole=payment.reference is None or booked == payment.amount,
    )


def _order(found: tuple[Event, int]) -> tuple[datetime, int, datetime]:
    """By minute, and within one as causes run: a gateway's clock and ours agree no better."""
    event, rank = found
    return event.at.replace(second=0, microsecond=0), rank, event.at


def _receipt(payment: Row) -> str:
    return f"receipt:{payment.gateway}:{payment.reference}"


def _begun(_connection: Connection, payment: Row, bills: Sequence[Row]) -> Iterator[Event]:
    for bill in bills:
        words = f"{title_of(bill)}，个人应缴 {plain_yuan(bill.personal_due)} 元"
        yield Event(bill.issued_at, "开出缴费单", "系统", words, system=True)
    yield Event(payment.started_at, "发起付款", payment.started_by, f"{plain_yuan(payment.amount)} 元", system=True)


def _paid(_connection: Connection, payment: Row, _bills: Sequence[Row]) -> Iterator[Event]:
    if payment.paid_at is not None:
        yield Event(payment.paid_at, "渠道收到钱", f"gateway:{payment.gateway}", f"渠道流水号 {payment.reference}")


def _heard(connection: Connection, payment: Row, _bills: Sequence[Row]) -> Iterator[Event]:
    for row in connection.execute(_RECEIVED, _named(payment)):
        verified = "验签通过" if row.verdict == "verified" else f"没有通过：{row.verdict}"
        yield Event(
            row.received_at,
            "收到渠道通知",
            f"gateway:{row.gateway}",
            f"{verified}，{_RESULTS.get(row.result, row.result)}",
            system=True,
        )


def _entered(connection: Connection, payment: Row, bills: Sequence[Row]) -> Iterator[Event]:
    names = {line.code: line.name for line in accounts({bill.levy_year for bill in bills})}
    entries: dict[str, list[Row]] = {}
    for row in connection.execute(_ENTRIES, _named(payment) | {"cause": _receipt(payment)}):
        entries.setdefault(row.cause, []).append(row)
    for cause, rows in entries.items():
        yield Event(
            rows[0].written_at,
            f"记账（业务日 {rows[0].booked_on.isoformat()}）",
            "系统",
            cause,
            [(names.get(row.account, row.account), row.amount) for row in rows],
            system=True,
        )


def _listed(connection: Connection, payment: Row, _bills: Sequence[Row]) -> Iterator[Event]:
    for row in connection.execute(_STATEMENTS, _named(payment) | {"gateway": payment.gateway}):
        yield Event(
            row.fetched_at,
            "渠道对账单上有这一笔",
            f"gateway:{row.gateway}",
            f"{row.day.isoformat()} 的对账单",
            system=True,
        )
        if row.deposit:
            yield Event(
                beijing_midnight(row.deposited_on), "银行到账", "bank", f"银行流水号 {row.deposit}（按天合并到账）"
            )


def _booked(connection: Connection, payment: Row, bills: Sequence[Row]) -> Iterator[Event]:
    for bill in bills:
        if bill.settled_by is None:
            continue
        wanted = {"household": bill.household_id, "settled_by": bill.settled_by, "insurance": bill.insurance}
        wanted |= {"year": bill.levy_year, "person": bill.person_id}
        for row in connection.execute(_OUTSIDE, wanted):
            what = "国库入库" if row.kind == "treasury" else "部门确认"
            yield Event(beijing_midnight(row.booked_on), what, row.kind, f"{title_of(bill)}，{row.serial}")


def _went_back(connection: Connection, payment: Row, _bills: Sequence[Row]) -> Iterator[Event]:
    for row in connection.execute(_REFUNDS, _named(payment)):
        yield Event(
            row.at,
            f"退费：{REFUND_STEPS[row.word].format(bureau='主管部门', title='渠道')}",
            row.by,
            f"{row.number} {row.reason}",
        )


def _proved(connection: Connection, payment: Row, bills: Sequence[Row]) -> Iterator[Event]:
    wanted = {"household": payment.household_id, "bills": [bill.id for bill in bills]}
    for row in connection.execute(_PROOFS, wanted):
        what = "开出缴费确认单" if row.kind == "confirmation" else "开出缴费证明"
        yield Event(row.issued_at, what, "系统", f"查验码 {row.code}，给出 {row.given_out} 次")


def _told(connection: Connection, payment: Row, _bills: Sequence[Row]) -> Iterator[Event]:
    wanted = {"household": payment.household_id, "cause": f"payment:{payment.number}:%"}
    for row in connection.execute(_NOTICES, wanted):
        yield Event(
            row.sent_at or row.queued_at, "通知", row.channel or "还没发出", KINDS.get(row.kind, row.kind), system=True
        )


_RESULTS = {
    "paid": "入了账",
    "again": "重复的通知，没有再记",
    "surplus": "多付，待退",
    "suspense": "金额或单号不对，待查",
    "nothing": "没有改变什么",
}
_Source = Callable[[Connection, Row, Sequence[Row]], Iterator[Event]]
_SOURCES: Sequence[_Source] = (_begun, _paid, _heard, _entered, _listed, _booked, _proved, _told, _went_back)


def _named(payment: Row) -> dict[str, Any]:
    return {"household": payment.household_id, "number": payment.number}


_RECEIVED = text(
    "select gateway, received_at, verdict, result from received where household_id = :household and number = :number"
    " order by received_at"
)
_ENTRIES = text(
    "select e.cause, e.booked_on, e.written_at, p.account, p.amount from entry e"
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
    " where r.household_id = :household and r.payment = :number order by s.at, s.step"
)
_PROOFS = text("select kind, code, issued_at, given_out from proof where household_id = :household and bills && :bills")
_NOTICES = text(
    "select kind, channel, queued_at, sent_at from notice where household_id = :household and cause like :cause"
)
_BOOKED = text(
    "select sum(amount)::bigint from posting where household_id = :household and cause = :cause and amount > 0"
    " and account like 'clearing:%'"
)
