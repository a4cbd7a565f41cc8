"""Whatever happens to a refund happens to it alone: beside it stands another of the same household at the same step."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.pay.start import Want
from app.flows.refund import give_back, steps
from app.flows.refund.desk import case
from app.flows.refund.give_back import Account, take_refund
from app.policy.facts import Insurance
from app.policy.refunds import Why
from payments.gateways.base import RefundOutcome, RefundWord
from payments.refunds import moves
from payments.states import RefundState
from tests.builders import a_person, an_id_number
from tests.refunding import CLERK, DESK, LEAD, MEDICAL_BUREAU, pay, rows, state

MEDICAL = Insurance.RES_MEDICAL
ACCOUNT = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")
S = RefundState


def says(running, number: str, word: RefundWord) -> None:
    """The gateway's word about a refund."""
    row = running.one("select payment, amount from refund where number = :n", n=number)
    take_refund(
        running.parts,
        RefundOutcome("wechat", number, word, payment=row.payment, reference=f"5{number}", amount=row.amount),
    )


def under_way(running, number: str) -> None:
    with running.parts.engine.begin() as connection:
        moves.move(connection, number, S.PAYING)


def stuck(running, number: str) -> None:
    with running.parts.engine.begin() as connection:
        moves.stuck(connection, number, "too_old", now=running.parts.clocks.now())


def transfer_asked(running, number: str) -> None:
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)


def transfer_decided(agreed: bool) -> Callable[..., None]:
    return lambda running, number: give_back.decide_transfer(running.parts, number, agreed=agreed, by=LEAD)


REACHED: dict[str, Callable[..., None]] = {
    "accepted": lambda running, number: steps.accept(running.parts, number, by=CLERK),
    "reviewed": lambda running, number: steps.review(running.parts, number, MEDICAL, by=MEDICAL_BUREAU),
    "approved": lambda running, number: steps.decide(running.parts, number, approved=True, by=LEAD),
    "under way": under_way,
    "paid": lambda running, number: says(running, number, RefundWord.DONE),
    "abnormal": lambda running, number: says(running, number, RefundWord.ABNORMAL),
    "failed": lambda running, number: says(running, number, RefundWord.FAILED),
    "stuck": stuck,
    "again": lambda running, number: give_back.again(running.parts, number, by=LEAD),
    "transfer asked": transfer_asked,
    "transfer agreed": transfer_decided(True),
    "transfer refused": transfer_decided(False),
    "rejected": lambda running, number: steps.decide(running.parts, number, approved=False, reason="不符", by=LEAD),
}
WAYS = (
    (),
    ("accepted",),
    ("accepted", "reviewed"),
    ("accepted", "reviewed", "approved"),
    ("accepted", "reviewed", "approved", "under way"),
    ("accepted", "reviewed", "approved", "stuck"),
    ("accepted", "reviewed", "approved", "stuck", "transfer asked"),
)
STEPS = (
    # what stands before, the step, where it leads
    (WAYS[0], "accepted", S.ACCEPTED),
    (WAYS[0], "rejected", S.REJECTED),
    (WAYS[1], "reviewed", S.REVIEWED),
    (WAYS[2], "approved", S.APPROVED),
    (WAYS[2], "rejected", S.REJECTED),
    (WAYS[3], "under way", S.PAYING),
    (WAYS[3], "stuck", S.FAILED),
    (WAYS[4], "paid", S.PAID),
    (WAYS[4], "abnormal", S.ABNORMAL),
    (WAYS[4], "failed", S.FAILED),
    (WAYS[5], "again", S.PAYING),
    (WAYS[5], "paid", S.PAID),
    (WAYS[5], "transfer asked", S.FAILED),
    (WAYS[6], "transfer agreed", S.PAID),
    (WAYS[6], "transfer refused", S.FAILED),
)
TABLES = ("refund", "refund_number", "refund_step", "refund_bill", "refund_transfer")


def whole(running, number: str) -> list[str]:
    """Everything that is written of a refund, its bills and its entries."""
    found = [
        row.what
        for table in TABLES
        for row in rows(running, f"select to_jsonb(t)::text as what from {table} t where number = :n", n=number)
    ]
    bills = (
        "select to_jsonb(b)::text as what from bill b join refund_bill rb on rb.household_id = b.household_id"
        " and rb.bill_id = b.id where rb.number = :n"
    )
    entries = r"select cause as what from entry where cause like 'refund\:' || :n || '\:%'"
    return sorted(found + [row.what for asked in (bills, entries) for row in rows(running, asked, n=number)])


@pytest.fixture
def both(running, adult):
    """Two refunds of one household, one for each of two who paid by themselves."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )
    payments = [pay(running, Want(one, MEDICAL), key=f"key-of-{one}") for one in (adult, sibling)]
    return [steps.apply(running.parts, payment, by=DESK, why=Why.TWICE).number for payment in payments]


@pytest.mark.parametrize(("way", "step", "end"), STEPS)
def test_a_step_of_one_refund_leaves_the_siblings_as_it_was(running, both, way, step, end):
    """A refund of the whole household failed with one, and no test had a second beside it."""
    one, sibling = both
    for number in both:
        for before in way:
            REACHED[before](running, number)
    stood = whole(running, sibling)

    REACHED[step](running, one)

    assert state(running, one, "refund") == end
    assert whole(running, sibling) == stood


def test_what_gives_one_bill_back_lets_nobody_give_back_the_siblings(running, both):
    """The database itself keeps the sibling's bill settled, whoever asks it."""
    one, sibling = both
    for step in ("accepted", "reviewed", "approved"):
        REACHED[step](running, one)
    [bill] = rows(running, "select bill_id as id from refund_bill where number = :n", n=sibling)

    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        connection.execute(text("update bill set state = 'refunded' where id = :id"), {"id": bill.id})

    assert refused.value.orig.sqlstate == "LX006"


def test_what_the_sibling_paid_is_no_evidence_of_a_duplicate(running, both):
    """Only payments for the very items that go back are shown to who decides."""
    one, _ = both

    found = case(running.parts, one)

    assert [paid.number for paid in found.evidence] == [found.refund.payment]
