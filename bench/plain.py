"""The callback's work as a careful user of an ORM would write it: objects, one session, one commit. For comparison
only; it writes the book as its owner, which the product never does."""

import secrets
from datetime import date, timedelta

from flask import Flask, Response, request
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.joining import join
from config.settings import Settings, environment
from core.clock import utc_now
from core.db import connect
from notifications.models import Notice
from payments.ledger.models import Entry, Posting
from payments.number import household_of
from payments.taking.tables import Bill, BillLine, Payment, PaymentBill, Received

settings = Settings.from_environment(environment())
assert settings.database_owner_url
engine = connect(settings.database_owner_url, pool_size=settings.web_threads)
gateway = join(settings, engine).gateways["wechat"]
app = Flask(__name__)


@app.get("/livez")
def livez() -> dict[str, str]:
    """For the starter."""
    return {"status": "ok"}


@app.post("/callbacks/wechat")
def receive() -> Response:
    """Believe it, then settle, book, tell, and keep it."""
    body = request.get_data()
    outcome = gateway.read_callback(dict(request.headers), body, now=utc_now()).outcome
    assert outcome is not None
    household = household_of(outcome.number)
    with Session(engine) as session, session.begin():
        payment = session.get_one(Payment, (household, outcome.number), with_for_update=True)
        if payment.state != "paid":
            assert (payment.amount, payment.merchant, payment.app) == (outcome.amount, outcome.merchant, outcome.app)
            _settle(session, payment, outcome.reference, outcome.happened_at)
        session.add(
            Received(
                household_id=household,
                id=secrets.randbits(62),
                gateway="wechat",
                headers=dict(request.headers),
                body=body,
                event_id="EV",
                number=outcome.number,
                verdict="verified",
                result="paid",
            )
        )
    return Response(status=204)


def _settle(session: Session, payment: Payment, reference: str, happened_at: object) -> None:
    household, cause = payment.household_id, f"receipt:wechat:{reference}"
    joined = (PaymentBill.household_id == Bill.household_id) & (PaymentBill.bill_id == Bill.id)
    covered = session.scalars(
        select(Bill)
        .join(PaymentBill, joined)
        .where(PaymentBill.household_id == household, PaymentBill.number == payment.number)
        .with_for_update()
    ).all()
    transaction = session.scalar(select(text("pg_current_xact_id()::text::bigint")))
    session.add(
        Entry(
            household_id=household,
            cause=cause,
            booked_on=date(2021, 11, 5),
            happened_at=happened_at,
            transaction=transaction,
        )
    )
    session.flush()
    place = 0
    for bill in covered:
        assert bill.state == "open"
        lines = session.scalars(
            select(BillLine).where(BillLine.household_id == household, BillLine.bill_id == bill.id)
        ).all()
        for line in lines:
            owed = f"receivable:{line.part}:{line.payer}:{line.fund}"
            whom = "clearing:wechat" if line.payer == "resident" else owed
            for account, amount in ((whom, line.amount), (f"fund:{line.fund}:{bill.levy_year}", -line.amount)):
                place += 1
                session.add(
                    Posting(
                        household_id=household, cause=cause, line=place, account=account, amount=amount, item=bill.id
                    )
                )
        bill.state, bill.settled_by, bill.settled_at = "settled", cause, happened_at
    payment.state, payment.reference, payment.paid_at = "paid", reference, happened_at
    told = f"payment:{payment.number}:paid"
    session.add(
        Notice(
            household_id=household,
            cause=told,
            kind="paid",
            fields=payment.memo["notice"]["fields"],
            next_try_at=utc_now() + timedelta(seconds=30),
        )
    )
    session.flush()
    session.execute(select(func.defer_telling([household], [told])))
