"""What was paid for somebody after the day of his death asks for its own way back (D34), once nobody disputes the day:
the register says it too, or the office has decided."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, text

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.refund.steps import NotRefundable, ask_for_bill
from app.policy.facts import Insurance
from app.policy.refunds import Why, refusal
from payments.errors import NothingToGiveBack, RaisedSince

RULE = "rule:died"


def ask_for_dead(parts: Parts, people: Sequence[int] | None = None) -> int:
    """Of these people (None: of everybody); how many were asked for. Again asks for nothing twice."""
    with parts.reading() as connection:
        bills = _paid_after(parts, connection, people, disputed=False)
    asked = 0

    def ask(bill: Row) -> None:
        nonlocal asked
        try:
            with parts.engine.begin() as connection:
                ask_for_bill(parts, connection, bill, Why.DIED, by=RULE)
        except (NothingToGiveBack, NotRefundable, RaisedSince):
            return  # somebody asked meanwhile, it came by no way that leads back, or its rise goes back first
        asked += 1

    one_by_one(parts, "of_the_dead", bills, ask, name=lambda bill: f"bill {bill.id}")
    return asked


def withdraw_of_the_dead(parts: Parts) -> int:
    """The open bills of whom the police call dead go, also that of who was just being paid for when the file came, and
    is not any more; how many."""
    with parts.engine.begin() as connection:
        return int(connection.execute(text("select withdraw_of_the_dead()")).scalar_one())


def would_go_back(parts: Parts, connection: Connection, people: Sequence[int]) -> int:
    """How many paid bills of these people it may be, as the caller's transaction has the police's word, if nobody
    disputes it in the end."""
    return len(_paid_after(parts, connection, people, disputed=True))


def _paid_after(parts: Parts, connection: Connection, people: Sequence[int] | None, *, disputed: bool) -> list[Row]:
    """A rise stands before the premium that it raised: that one goes back after it."""
    asked = {"people": None if people is None else list(people), "rule": RULE, "disputed": disputed}
    today = parts.clocks.today()
    return [
        bill
        for bill in connection.execute(_PAID_AFTER, asked)
        if refusal(
            parts.levy.rules(bill.levy_year),
            Why.DIED,
            Insurance(bill.insurance),
            on=today,
            benefit_start=bill.benefit_start,
        )
        is None
    ]


_PAID_AFTER = text(
    "select b.* from police_word w join bill b on b.person_id = w.person_id"
    " join person p on p.id = w.person_id and p.restricted_at is null"
    " where w.code = 'DIED' and w.stands = 'counts' and b.state = 'settled'"
    " and (b.settled_at at time zone 'Asia/Shanghai')::date > w.day"
    " and (cast(:people as bigint[]) is null or b.person_id = any (:people))"
    " and (:disputed or not p.alive or exists (select from conflict c where c.person_id = p.id and c.kind = 'ALIVE'"
    "      and c.state = 'solved' and c.word = 'police' and c.about = w.day::text))"
    " and not exists (select from refund_bill rb join refund r using (household_id, number)"
    "   where rb.household_id = b.household_id and rb.bill_id = b.id and (rb.live or r.applied_by = :rule))"
    " order by b.person_id, b.insurance, b.raised_from nulls last"
)
