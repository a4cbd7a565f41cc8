"""What is tried at the door where gateways tell of complaints, and with what a complaint carries."""

import pytest

from app.flows.complaints.desk import case
from app.flows.complaints.watch import listen, poll
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_complaints import _nobody_has_complained, complain
from tests.app.web.conftest import district, far_folder, running
from tests.refunding import pay, rows

__all__ = ["_nobody_has_complained", "district", "far_folder", "running"]
MEDICAL = Insurance.RES_MEDICAL


def post(running, path, delivery):
    return running.app.test_client().post(path, data=delivery.body, headers=dict(delivery.headers))


def message_of(running, gateway, number, spoil=""):
    [kept] = [one for one in running.outside.get("/complaints")["complaints"] if one["number"] == number]
    delivery = running.outside.far(gateway).complaint_told(kept, "CREATE_COMPLAINT", spoil)
    assert delivery is not None
    return delivery


def hinted(running):
    return [row.number for row in rows(running, "select number from complaint_hint")]


@pytest.fixture
def case_there(running, district):
    """One complaint at each gateway, whose own notification was lost."""
    listen(running.parts)
    found = {}
    for gateway, person in (("wechat", district.adult), ("alipay", district.neighbour)):
        payment = pay(running, Want(person.id, MEDICAL), key=f"key-{gateway}", gateway=gateway)
        running.outside.fault("callback_drop", gateway=gateway)
        found[gateway] = complain(running, gateway, payment)
    return found


@pytest.mark.parametrize("gateway", ["wechat", "alipay"])
def test_a_complaints_message_moves_no_money_and_a_payments_tells_of_no_complaint(running, case_there, gateway):
    number = case_there[gateway]
    message = message_of(running, gateway, number)
    before = rows(running, "select number, state from payment order by number")

    crossed = post(running, f"/callbacks/{gateway}", message)
    trade = running.outside.world.trades.paid(gateway)[-1]
    other_way = post(running, f"/callbacks/{gateway}/complaints", running.outside.telling(trade))

    assert crossed.status_code == (401 if gateway == "alipay" else 204), "WeChat signs all alike: acknowledged only"
    assert other_way.status_code in (200, 204)
    assert hinted(running) == [] and rows(running, "select 1 from complaint") == []
    assert rows(running, "select number, state from payment order by number") == before
    assert post(running, f"/callbacks/{gateway}/complaints", message).status_code in (200, 204)
    assert hinted(running) == [number]


@pytest.mark.parametrize("gateway", ["wechat", "alipay"])
def test_a_forged_message_is_kept_as_evidence_and_asks_nobody(running, case_there, gateway):
    other = {"wechat": "alipay", "alipay": "wechat"}[gateway]
    forged = message_of(running, gateway, case_there[gateway], "wrong_signature")

    assert post(running, f"/callbacks/{gateway}/complaints", forged).status_code == 401
    assert post(running, f"/callbacks/{other}/complaints", forged).status_code == 401

    assert hinted(running) == []
    assert len(rows(running, "select 1 from received where verdict like 'complaint:%'")) == 2


@pytest.mark.parametrize("gateway", ["wechat", "alipay"])
def test_a_message_sent_again_and_again_is_one_question(running, case_there, gateway):
    message = message_of(running, gateway, case_there[gateway])

    for _ in range(5):
        post(running, f"/callbacks/{gateway}/complaints", message)

    assert hinted(running) == [case_there[gateway]]


def test_what_a_payer_writes_is_text_and_shown_masked(running, case_there):
    number = complain(running, "wechat", words="<script>alert(1)</script> 370499199001010011 {help_phone}")
    poll(running.parts)

    shown = case(running.parts, "wechat", number)

    assert "370499" not in shown.words and "{help_phone}" in shown.words
