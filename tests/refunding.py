"""Payments paid by a phone, and refunds through all their hands, each a different person's."""

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.pay.start import Kind, Payer, start_payment
from app.flows.refund import give_back
from app.flows.refund.follow import follow
from app.flows.refund.steps import Asked, accept, apply, decide, review
from app.policy.facts import Insurance
from app.policy.refunds import Why
from core.clock import utc_now
from payments.ledger.balances import trial_balance
from payments.states import RefundState
from tests.system import eventually

DESK, CLERK, HRSS, MEDICAL_BUREAU, LEAD = (f"staff:{who}" for who in ("desk", "clerk", "hrss", "medical", "lead"))
BUREAU = {Insurance.RES_PENSION: HRSS, Insurance.RES_MEDICAL: MEDICAL_BUREAU}


def agreed(parts: Parts, payment: str, *, by: str = DESK, why: Why = Why.TWICE, **also: object) -> Asked:
    """Asked for, and agreed to by everybody who has to."""
    asked = apply(parts, payment, by=by, why=why, **also)
    agree(parts, asked.number)
    return asked


def agree(parts: Parts, number: str) -> None:
    """Taken on, looked at and agreed to, from wherever it stands."""
    to_the_approval(parts, number)
    decide(parts, number, approved=True, by=LEAD)


def to_the_approval(parts: Parts, number: str) -> None:
    """Taken on and looked at by every bureau; what never was a premium waits for no bureau."""
    found = follow(parts, number)
    if found.held:
        return
    if found.state is RefundState.APPLIED:
        accept(parts, number, by=CLERK)
    for insurance in dict.fromkeys(item.insurance for item in found.items):
        review(parts, number, insurance, by=BUREAU[insurance])


def start(running, *wants, key="refund-key", gateway="wechat"):
    """A payment by code, as it was started."""
    payer = Payer("resident", "self", gateway, Kind.NATIVE)
    return start_payment(running.parts, wants, payer, request_key=key)


def state(running, number, table="payment"):
    """Where a payment or a refund stands."""
    return running.one(f"select state from {table} where number = :n", n=number).state


def pay(running, *wants, key="refund-key", gateway="wechat"):
    """The number of a payment that a phone has paid."""
    started = start(running, *wants, key=key, gateway=gateway)
    assert running.outside.pay(started.checkout.code_url).status == 200
    eventually(lambda: state(running, started.number) == "paid")
    return started.number


def run_refunds(running, number, until):
    """The worker's turns, each question due at once."""

    def turn():
        with running.parts.engine.begin() as connection:
            connection.execute(
                text("update refund set next_query_at = :now where next_query_at is not null"), {"now": utc_now()}
            )
        give_back.pay_due(running.parts)
        return state(running, number, "refund") == until

    eventually(turn, 10)


def given_back(running, payment):
    """The far side's own list of refunds of one payment."""
    return [line for line in running.outside.get("/refunds")["refunds"] if line["payment"] == payment]


def balances(running):
    """Every account that is not even."""
    with running.parts.engine.connect() as connection:
        return {row.code: row.balance for row in trial_balance(connection) if row.balance}


def rows(running, statement, **values):
    """All rows of a question to the database."""
    with running.parts.engine.connect() as connection:
        return connection.execute(text(statement), values).all()
