"""Read queries about refunds and what may be given back, for pages, lists and rules."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, Row, exists, func, select, text

from payments.errors import NoSuchRefund
from payments.number import household_of
from payments.refunds.tables import Refund, RefundBill, RefundStep, RefundTransfer
from payments.states import RefundState
from payments.taking.tables import Bill


def find(connection: Connection, number: str) -> Row:
    """One refund. NoSuchRefund."""
    row = connection.execute(
        select(Refund.__table__).where(Refund.household_id == household_of(number), Refund.number == number)
    ).one_or_none()
    if row is None:
        raise NoSuchRefund(number)
    return row


def payment_of(connection: Connection, number: str) -> str:
    """The payment a refund is of; empty for a refund there is none of."""
    mine = select(Refund.payment).where(Refund.household_id == household_of(number), Refund.number == number)
    return connection.execute(mine).scalar_one_or_none() or ""


def listed(connection: Connection, *, states: Sequence[RefundState], latest: int | None = None) -> Sequence[Row]:
    """Refunds in one of these states, oldest first; or so many of those asked for last, the last one first. Each with
    `by_transfer`: a transfer was written down for it, and a second person has yet to see its slip."""
    asked = exists().where(
        RefundTransfer.household_id == Refund.household_id,
        RefundTransfer.number == Refund.number,
        RefundTransfer.state == "asked",
    )
    found = select(Refund.__table__, asked.label("by_transfer")).where(Refund.state.in_(states))
    order = (Refund.applied_at, Refund.number) if latest is None else (Refund.applied_at.desc(), Refund.number.desc())
    return connection.execute(found.order_by(*order).limit(latest)).all()


def waiting(connection: Connection, *, word: str) -> Sequence[Row]:
    """What is under way and waits for the same reason, channel by channel: gateway, refunds (how many), amount."""
    return connection.execute(
        text(
            "select gateway, count(*) as refunds, sum(amount)::bigint as amount from refund"
            " where next_query_at is not null and state = 'paying' and their_word = :word group by gateway"
        ),
        {"word": word},
    ).all()


def held_receipts(connection: Connection, payment: str) -> Sequence[Row]:
    """What receipts of a payment's number hold beyond any bill, unsolved: cause, doubt, amount."""
    return connection.execute(
        text(
            "select cause, doubt, amount from suspense where household_id = :household and number = :number"
            " and solved_at is null and amount is not null order by created_at, cause"
        ),
        {"household": household_of(payment), "number": payment},
    ).all()


def unasked_surplus(connection: Connection, *, most: int) -> Sequence[Row]:
    """Receipts held as surplus for which nobody ever asked for a refund, and that nobody gave back by hand, oldest
    first: household_id, cause, number."""
    return connection.execute(
        text(
            "select household_id, cause, number from suspense s where doubt = 'surplus' and solved_at is null"
            " and receipt_unasked(s.cause) < s.amount"
            " and not exists (select from refund r where r.household_id = s.household_id and r.receipt = s.cause)"
            " order by created_at, cause limit :most"
        ),
        {"most": most},
    ).all()


def steps_of(connection: Connection, number: str) -> Sequence[Row]:
    """What happened to a refund, in order."""
    return connection.execute(
        select(RefundStep.__table__)
        .where(RefundStep.household_id == household_of(number), RefundStep.number == number)
        .order_by(RefundStep.step)
    ).all()


def bills_of(connection: Connection, number: str) -> Sequence[Row]:
    """The bills a refund gives back, and what stands in their place: the bill's columns, what of it went into other
    `funds`, and `replacement`."""
    funds = func.paid_into_others(Bill.household_id, Bill.id).label("funds")
    return connection.execute(
        select(Bill.__table__, RefundBill.replacement, funds)
        .join(RefundBill, (RefundBill.household_id == Bill.household_id) & (RefundBill.bill_id == Bill.id))
        .where(RefundBill.household_id == household_of(number), RefundBill.number == number)
        .order_by(Bill.person_id, Bill.levy_year.desc(), Bill.insurance)
    ).all()


def missing_reviews(connection: Connection, refunds: Sequence[str]) -> dict[str, set[str]]:
    """Of each of these refunds the insurances in it whose bureau has not looked yet."""
    rows = connection.execute(
        text(
            "select distinct rb.number, b.insurance from refund_bill rb"
            " join bill b on b.household_id = rb.household_id and b.id = rb.bill_id"
            " where rb.household_id = any (:households) and rb.number = any (:refunds) and rb.live and not exists ("
            "   select from refund_step s where s.household_id = rb.household_id and s.number = rb.number"
            "      and s.word = 'reviewed' and s.insurance = b.insurance)"
        ),
        {"households": sorted({household_of(each) for each in refunds}), "refunds": list(refunds)},
    )
    missing: dict[str, set[str]] = {}
    for row in rows:
        missing.setdefault(row.number, set()).add(row.insurance)
    return missing


def transfer_of(connection: Connection, number: str) -> Row | None:
    """The transfer that was asked for or agreed in place of a refund's way back, or None."""
    return connection.execute(
        select(RefundTransfer.__table__).where(
            RefundTransfer.household_id == household_of(number),
            RefundTransfer.number == number,
            RefundTransfer.state != "refused",
        )
    ).one_or_none()


def by_hand(connection: Connection, number: str) -> Row:
    """Of a refund's receipt: what somebody gave back by hand and no refund has set off yet (`owed`, fen); what is
    `left` of it, below zero when more would go back than came in."""
    return connection.execute(
        text(
            "select receipt_owed(household_id, receipt) as owed,"
            " coalesce(receipt_left(household_id, receipt), 0) as left"
            " from refund where household_id = :household and number = :number"
        ),
        {"household": household_of(number), "number": number},
    ).one()


def giveable(connection: Connection, person_ids: Sequence[int]) -> Sequence[Row]:
    """The settled bills of these persons, of whatever year, of whose resident's part something can go back, or does:
    the bill's columns; how much can (`back`), what of it went into other `funds`; the `way` it goes (None: none); has
    its tier been `raised` since; who began the payment behind it (`started_by`; None: it came under no number of ours);
    and the living refund it is in: refund_number, refund_state, refund_amount."""
    return connection.execute(
        text(
            "select b.*, rest.back, paid_into_others(b.household_id, b.id) as funds, is_raised(b) as raised,"
            "   receipt_way(b.household_id, behind.receipt) as way, r.number as refund_number,"
            "   r.state as refund_state, r.amount as refund_amount, (select p.started_by from payment p"
            "     where p.household_id = b.household_id"
            "       and 'receipt:' || p.gateway || ':' || p.reference = behind.receipt)"
            " from bill b cross join lateral (select receipt_of(b.household_id, b.settled_by) as receipt) behind"
            " cross join lateral (select least(b.personal_due, receipt_left(b.household_id, behind.receipt)) as back)"
            "   as rest"
            " left join refund_bill rb on rb.household_id = b.household_id and rb.bill_id = b.id and rb.live"
            " left join refund r on r.household_id = rb.household_id and r.number = rb.number"
            " where b.person_id = any (:people) and b.state = 'settled' and b.personal_due > 0"
            "   and (r.number is not null or rest.back > 0)"
            " order by b.person_id, b.levy_year desc, b.insurance, b.determination nulls first,"
            "   b.raised_from nulls first"
        ),
        {"people": list(person_ids)},
    ).all()


def of_people(connection: Connection, person_ids: Sequence[int]) -> Sequence[Row]:
    """Refunds that concern these persons' bills, or payments begun for them, newest first: the refund's columns;
    `people`, everybody it concerns; and as JSON its `steps`, its standing `transfer` and its bills (`items`)."""
    return connection.execute(_OF_PEOPLE, {"people": list(person_ids)}).all()


_OF_PEOPLE = text(
    "with mine as (select r.*, array(select distinct b.person_id from bill b"
    "    where b.household_id = r.household_id and b.id in ("
    "      select bill_id from refund_bill where household_id = r.household_id and number = r.number"
    "      union select bill_id from payment_bill where household_id = r.household_id"
    "         and number = r.payment and r.held is not null)) as people"
    "  from refund r where r.household_id = any (array(select household_id from bill"
    "    where person_id = any (cast(:people as bigint[])))))"
    " select mine.*,"
    "   (select jsonb_agg(to_jsonb(s) order by s.step) from refund_step s"
    "     where s.household_id = mine.household_id and s.number = mine.number) as steps,"
    "   (select jsonb_build_object('state', t.state, 'last4', t.last4) from refund_transfer t"
    "     where t.household_id = mine.household_id and t.number = mine.number and t.state <> 'refused') as transfer,"
    "   (select jsonb_agg(to_jsonb(b) || jsonb_build_object('funds', paid_into_others(b.household_id, b.id))"
    "      order by b.person_id, b.levy_year desc, b.insurance) from bill b"
    "     where b.household_id = mine.household_id and b.id in ("
    "       select bill_id from refund_bill where household_id = mine.household_id and number = mine.number"
    "       union select bill_id from payment_bill where household_id = mine.household_id and number = mine.payment"
    "         and mine.held is not null)) as items"
    " from mine where people && cast(:people as bigint[]) order by applied_at desc"
)


def settled_from(connection: Connection, household_id: int, receipt: str) -> Sequence[Row]:
    """The settled bills that a receipt paid, those issued in another's place included, and that no refund holds."""
    return connection.execute(
        select(Bill.__table__)
        .where(
            Bill.household_id == household_id,
            Bill.state == "settled",
            Bill.personal_due > 0,
            func.receipt_of(Bill.household_id, Bill.settled_by) == receipt,
            ~exists().where(
                RefundBill.household_id == Bill.household_id, RefundBill.bill_id == Bill.id, RefundBill.live
            ),
        )
        .order_by(Bill.person_id, Bill.levy_year.desc(), Bill.insurance)
    ).all()


def receipt_behind(connection: Connection, household_id: int, settled_by: str) -> str:
    """The cause of the entry that took the money in by which a bill was settled."""
    return connection.execute(
        text("select receipt_of(:household, :cause)"), {"household": household_id, "cause": settled_by}
    ).scalar_one()


def payment_behind(connection: Connection, household_id: int, receipt: str) -> str:
    """The number the payer paid under, of a receipt; empty if he paid under none."""
    number = connection.execute(
        text(
            "select number from payment where household_id = :household and 'receipt:' || gateway || ':' || reference"
            " = :receipt union select number from suspense where cause = :held limit 1"
        ),
        {"household": household_id, "receipt": receipt, "held": receipt.removesuffix(":applied")},
    ).scalar_one_or_none()
    return number or ""


def received_at(connection: Connection, household_id: int, receipt: str) -> datetime:
    """When the money of a receipt moved; business clock."""
    return connection.execute(
        text("select happened_at from entry where household_id = :household and cause = :receipt"),
        {"household": household_id, "receipt": receipt},
    ).scalar_one()


def of_a_gap(connection: Connection, refund: Row, *, begins: time) -> Row | None:
    """What the minutes that were lost before a server was restored may have done with a refund that was never sent from
    here: None where its money came after them (their clock may be minutes ahead), or where there were none. `waits`:
    not all of their lists of those minutes, which ended `until`, were compared; `sent_at`: a list has it; `gone`: so
    much of its receipt went back that nobody asked for.

    `begins`: the gateway's business day; after noon, on the evening before."""
    values = {name: getattr(refund, name) for name in ("household_id", "receipt", "gateway", "sent_as", "amount")}
    after = timedelta(hours=begins.hour - (24 if begins.hour >= 12 else 0), minutes=begins.minute)
    return connection.execute(_OF_A_GAP, values | {"after": after}).one_or_none()


_OF_A_GAP = text(
    "with lost as (select lost_since, lost_until from reopening where lost_until + interval '5 minutes' >="
    "                (select happened_at from entry where household_id = :household_id and cause = :receipt)),"
    " day as (select distinct cast(generate_series(date_trunc('day', own.since), own.until, '1 day') as date) as day"
    "           from lost, lateral (select (lost_since - :after) at time zone 'Asia/Shanghai' as since,"
    "                                      (lost_until - :after) at time zone 'Asia/Shanghai' as until) own)"
    " select (select bool_or(s.matched_at is null) from day left join statement s"
    "            on s.gateway = :gateway and s.day = day.day) as waits, (select max(lost_until) from lost) as until,"
    "        (select min(coalesce(r.happened_at, r.day at time zone 'Asia/Shanghai' + interval '12 hours'))"
    "           from statement_row r where r.gateway = :gateway and r.movement = 'refund'"
    "            and r.day in (select day from day) and r.refund_number = :sent_as) as sent_at,"
    "        receipt_owed(:household_id, :receipt) >= :amount as gone"
    "  where exists (select from lost)"
)


def paid_for(connection: Connection, bills: Sequence[Row]) -> Sequence[Row]:
    """Every payment that brought money for the same items as these bills, oldest first: evidence of a duplicate."""
    return connection.execute(
        text(
            "select distinct p.household_id, p.number, p.gateway, p.reference, p.amount, p.state, p.paid_at"
            " from payment p"
            " join payment_bill pb using (household_id, number)"
            " join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"
            " join unnest(cast(:people as bigint[]), cast(:insurances as text[]), cast(:determinations as bigint[]),"
            "             cast(:years as int[]), cast(:rises as boolean[]))"
            "   as item (person, insurance, determination, year, rise)"
            "   on b.person_id = item.person and b.insurance = item.insurance and b.levy_year = item.year"
            "     and b.determination is not distinct from item.determination"
            "     and (b.raised_from is not null) = item.rise"
            " where p.state in ('paid', 'surplus') order by p.paid_at"
        ),
        {
            "people": [bill.person_id for bill in bills],
            "insurances": [bill.insurance for bill in bills],
            "determinations": [bill.determination for bill in bills],
            "years": [bill.levy_year for bill in bills],
            "rises": [bill.raised_from is not None for bill in bills],
        },
    ).all()
