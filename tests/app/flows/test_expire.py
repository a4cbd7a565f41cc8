"""Payments nobody reported: how soon they are asked about, and what ends them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.pay.expire import UNREPORTED_AT_MOST, ask_silent, next_question
from app.flows.pay.start import Kind, Payer, Want, find_started, start_payment
from app.policy.facts import Insurance
from core.clock import utc_now
from payments.errors import PaymentUnderWay
from tests.builders import NOON, a_person, an_id_number


@pytest.mark.parametrize("gateway", ["wechat", "alipay", "unionpay"])
@pytest.mark.parametrize("age", [20, 200, 400, 550])
def test_what_can_be_paid_is_asked_about_every_two_minutes(running, gateway, age):
    person = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=11)))
    payer = Payer("resident", "self", gateway, Kind.NATIVE)
    start_payment(running.parts, [Want(person, Insurance.RES_MEDICAL)], payer, request_key=f"expire-{gateway}-{age}")
    running.write(
        lambda connection: connection.execute(
            text("update payment set started_at = now() - :age, next_query_at = now()"), {"age": timedelta(seconds=age)}
        )
    )

    asked = ask_silent(running.parts)

    row = running.one("select state, next_query_at from payment")
    assert asked == 1 and row.state == "pending"
    assert row.next_query_at - utc_now() <= UNREPORTED_AT_MOST


def test_the_schedule_goes_on_where_it_stands_and_never_ends():
    schedule = (15, 60, 600)

    waits = [next_question(schedule, NOON, NOON + timedelta(seconds=at)) - NOON for at in (0, 15, 100, 700)]

    assert [wait.total_seconds() for wait in waits] == [15, 60, 600, 700 + 1800]


@pytest.mark.parametrize("code", ["01", "03", "04", "05", "06", "12", "60", "70"])
def test_only_a_definite_no_ends_a_payment_whose_time_is_over(running, code):
    """M2: an answer that decides nothing holds the item, however late it is; nobody is woken for it."""
    told = []
    parts = replace(running.parts, alert=lambda what, **words: told.append(what))
    ours, sibling = (
        running.write(lambda connection, n=n: a_person(connection, id_number=an_id_number(sequence=n)))
        for n in (11, 12)
    )
    wish, other = ([Want(person, Insurance.RES_MEDICAL)] for person in (ours, sibling))
    payer = Payer("resident", "self", "unionpay", Kind.NATIVE)
    held = start_payment(parts, wish, payer, request_key=f"held-{code}")
    ended = start_payment(parts, other, payer, request_key=f"ended-{code}")
    running.outside.fault("trade_code", held.number, on="query", code=code, count=None)
    running.turn(parts.clocks.now() + timedelta(minutes=12))

    for _ in range(3):
        running.ask_now()
        ask_silent(parts)

    states = {started.number: find_started(parts, started.number).state for started in (held, ended)}
    assert states == {held.number: "pending", ended.number: "closed"}
    assert running.one("select count(*) from payment where next_query_at is not null")[0] == 1
    with pytest.raises(PaymentUnderWay):
        start_payment(parts, wish, replace(payer, gateway="wechat"), request_key=f"again-{code}")
    assert start_payment(parts, other, replace(payer, gateway="wechat"), request_key=f"free-{code}").state == "pending"
    assert told == []
