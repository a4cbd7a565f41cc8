"""Payments nobody reported: how soon they are asked about."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.expire import UNREPORTED_AT_MOST, ask_silent, next_question
from app.flows.pay import Kind, Payer, Want, start_payment
from app.policy.facts import Insurance
from core.clock import utc_now
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
