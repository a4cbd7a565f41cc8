"""A page that opens for one network address and for minutes: what changes on the way to it loses nothing."""

import pytest

from app.flows.due.quote import SELF
from app.flows.levy import YearClosed
from app.flows.pay.follow import close_payment
from app.flows.pay.go_on import go_on
from app.flows.pay.start import Payer, Want, start_payment
from app.flows.register.open_year import close_year
from app.policy.facts import Insurance
from payments.errors import GatewaySilent
from payments.gateways.base import Kind
from tests.refunding import rows
from tests.two_years import open_2023

HOME, STREET = "127.0.0.1", "203.0.113.9"


def begin(running, adult, *, network=HOME, key="h5-key-1", year=None):
    payer = Payer("account:1", SELF, "wechat", Kind.H5, network=network)
    want = Want(adult, Insurance.RES_MEDICAL, levy_year=year)
    return start_payment(running.parts, [want], payer, request_key=key)


def states(running):
    return [row.state for row in rows(running, "select state from payment order by started_at")]


@pytest.mark.parametrize("key", ["h5-key-1", "h5-key-2"], ids=["sent again", "tapped again"])
def test_an_order_whose_answer_was_lost_is_not_sent_again_from_another_network(running, adult, key):
    """WeChat has it, with the address of before: another one under its number it would refuse."""
    running.outside.fault("unsigned", on="create", count=2)
    with pytest.raises(GatewaySilent):
        begin(running, adult)

    after = begin(running, adult, network=STREET, key=key)

    if key == "h5-key-1":
        assert (after.state, after.checkout, states(running)) == ("unknown", None, ["unknown"])
    else:
        assert after.checkout.link and states(running) == ["closed", "pending"]


def test_an_order_whose_answer_was_lost_is_sent_again_from_the_same_network(running, adult):
    running.outside.fault("unsigned", on="create", count=2)
    with pytest.raises(GatewaySilent):
        begin(running, adult)

    assert begin(running, adult, key="h5-key-2").checkout.link and states(running) == ["pending"]


def test_nobody_is_led_to_a_page_whose_order_is_being_ended(running, adult, monkeypatch):
    """He taps, and in another tab he cancels while WeChat makes the fresh page."""
    number = begin(running, adult).number
    stale = "update payment set checkout = jsonb_set(checkout, '{link,at}', '\"2021-01-01T00:00:00+08:00\"')"
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(stale)
    gateway = running.parts.gateways["wechat"]
    true = gateway.start

    def meanwhile(order):
        checkout = true(order)
        running.outside.fault("html", on="close")
        close_payment(running.parts, number, by="account:1")
        return checkout

    monkeypatch.setattr(gateway, "start", meanwhile)

    went = go_on(running.parts, number, by="account:1", network=HOME)

    assert (went.state, went.checkout) == ("closing", None)


def test_another_network_pays_for_the_year_of_the_order_and_for_no_other(running, adult):
    open_2023(running)
    number = begin(running, adult, year=2022).number

    went = go_on(running.parts, number, by="account:1", network=STREET)

    assert went.checkout.link and states(running) == ["closed", "pending"]
    assert rows(running, "select levy_year, personal_due from bill") == [(2022, 90000)]
    close_year(running.office, 2022, by="operator:test")
    with pytest.raises(YearClosed):
        go_on(running.parts, went.number, by="account:1", network=HOME)
    assert rows(running, "select levy_year from bill") == [(2022,)]
