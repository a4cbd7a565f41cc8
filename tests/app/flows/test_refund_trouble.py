"""Whatever goes wrong with one refund is its own: the others go on, silence is no failure, and somebody hears of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.pay.collect import take_word
from app.flows.pay.start import Want
from app.flows.refund import give_back as refund_pay
from app.flows.refund import steps
from app.flows.refund.give_back import RESENDS, Account
from app.flows.suspense import solve
from app.policy.facts import Insurance
from payments.errors import GatewaySilent
from payments.gateways.base import Outcome, RefundOutcome, RefundWord, Word
from payments.truths.invariants import INVARIANTS, look
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.refunding import CLERK, DESK, LEAD, agreed, given_back, pay, rows, run_refunds, state

MEDICAL = Insurance.RES_MEDICAL
ACCOUNT = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")


@pytest.fixture
def sibling(running):
    """Somebody of another household, whose refund must not be touched."""
    return running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )


def hearing(running):
    """The parts with an ear: what was alerted, with its words."""
    heard = []
    return replace(running.parts, alert=lambda what, **words: heard.append((what, words))), heard


def due(running):
    """Every refund under way is asked about at once."""
    running.write(
        lambda connection: connection.execute(
            text("update refund set next_query_at = now() where next_query_at is not null")
        )
    )


def spoken(running, number):
    """Does this truth speak?"""
    with running.parts.engine.connect() as connection:
        [found] = look(
            connection, [INVARIANTS[number]], wall=running.parts.clocks.wall(), today=running.parts.clocks.today()
        )
    return found.sample


def test_a_reason_longer_than_a_channel_takes_is_cut_and_the_money_goes_back(running, adult):
    """K4: 200 letters are written for the payer, WeChat takes 80."""
    payment = pay(running, Want(adult, MEDICAL))

    asked = agreed(running.parts, payment, reason="长" * 200)
    run_refunds(running, asked.number, "paid")

    assert [line["amount"] for line in given_back(running, payment)] == [32000]


def test_one_refund_nobody_can_send_stops_no_other_and_is_heard_of(running, adult, sibling, monkeypatch):
    """K4: whatever is raised for one row ends with the row; seen by INV-60 when it comes again and again."""
    first, second = pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="another")
    bad, good = agreed(running.parts, first), agreed(running.parts, second)
    listening, heard = hearing(running)
    gateway = type(running.parts.gateways["wechat"])
    really = gateway.refund

    def stumbles(self, order):
        assert order.number != bad.number
        return really(self, order)

    monkeypatch.setattr(gateway, "refund", stumbles)
    for _ in range(3):
        refund_pay.pay_due(listening)
        due(running)

    assert state(running, bad.number, "refund") == "paying"
    assert rows(running, "select state from refund where number = :n", n=good.number)[0].state in ("paying", "paid")
    assert {(what, words["subject"]) for what, words in heard} == {("row_failed", bad.number)}
    [said] = spoken(running, "INV-60")
    assert said.startswith(f"refund {bad.number} AssertionError test_refund_trouble.py:")
    monkeypatch.undo()
    run_refunds(running, bad.number, "paid")
    run_refunds(running, good.number, "paid")
    assert spoken(running, "INV-60") == [] and rows(running, "select * from trouble") == []


def test_money_under_a_number_that_is_none_of_ours_goes_back_by_the_channels_own_number(running):
    """K4: another system's order on our Alipay account has whatever number that system gives."""
    gateway = running.parts.gateways["alipay"]
    foreign = Outcome(
        *("alipay", "SHOP-2021-1", Word.PAID, gateway.merchant, gateway.app, "2021110522001400000000000001", 32000),
        currency="CNY",
        happened_at=NOON,
    )
    take_word(running.parts, foreign)
    asked = solve.give_back(running.parts, solve.key_of(running.parts, f"receipt:alipay:{foreign.reference}"), by=DESK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)

    run_refunds(running, asked.number, "failed")  # their sandbox knows no such trade, and says so

    assert rows(running, "select * from trouble") == []


@pytest.mark.parametrize("gateway", ["unionpay", "wechat", "alipay"])
def test_silence_of_half_an_hour_is_no_failure(running, adult, gateway, monkeypatch):
    """K17: UnionPay refuses the former moment after ten minutes; a number it does not know is sent with a new one."""
    payment = pay(running, Want(adult, MEDICAL), gateway=gateway)
    asked = agreed(running.parts, payment)
    kind = type(running.parts.gateways[gateway])
    monkeypatch.setattr(kind, "refund", lambda *_: (_ for _ in ()).throw(GatewaySilent("down")))
    for _ in range(2):
        refund_pay.pay_due(running.parts)
        due(running)
    monkeypatch.undo()
    running.turn(NOON + timedelta(minutes=30))

    run_refunds(running, asked.number, "paid")

    assert [one["amount"] for one in given_back(running, payment)] == [32000]
    assert running.one("select count(*) as n from refund_step where word = 'failed'").n == 0


@pytest.mark.parametrize("gateway", ["unionpay", "wechat", "alipay"])
def test_a_refund_that_was_short_once_goes_by_itself(running, adult, gateway):
    """L3: the page says 稍后自动再退, and so it does."""
    payment = pay(running, Want(adult, MEDICAL), gateway=gateway)
    running.outside.fault("not_enough", on="refund")
    asked = agreed(running.parts, payment)
    refund_pay.pay_due(running.parts)
    assert running.one("select their_word from refund").their_word == "balance"
    running.turn(NOON + timedelta(minutes=31))

    run_refunds(running, asked.number, "paid")

    assert [one["amount"] for one in given_back(running, payment)] == [32000]


def test_what_may_still_be_on_its_way_is_sent_under_its_own_moment(running, adult, monkeypatch):
    """K17: while the first request may still arrive, the second is the same refund to the second."""
    payment, told = pay(running, Want(adult, MEDICAL), gateway="unionpay"), []
    agreed(running.parts, payment)
    gateway = type(running.parts.gateways["unionpay"])

    def silent(self, order):
        told.append((order.number, order.ordered_at))
        raise GatewaySilent("down")

    monkeypatch.setattr(gateway, "refund", silent)
    for minutes in (0, 1, 6, 9, 11):
        running.turn(NOON + timedelta(minutes=minutes))
        refund_pay.pay_due(running.parts)
        due(running)

    assert [moment for _, moment in told[:2]] == [told[0][1]] * 2
    assert [(number, moment >= told[0][1] + timedelta(minutes=10)) for number, moment in told[2:]] == [
        (told[0][0], True)
    ], "between the two moments nothing is sent: it would be a second refund"


def test_channels_whose_refund_account_is_short_are_named_once_with_the_sum(running, adult, sibling):
    """W2: somebody must bring money to it; the other channel goes on."""
    numbers = [
        pay(running, Want(adult, MEDICAL)),
        pay(running, Want(sibling, MEDICAL), key="another", gateway="alipay"),
    ]
    third = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=11), household=a_household(connection, number="0003")
        )
    )
    numbers.append(pay(running, Want(third, MEDICAL), key="third-key"))
    asked = [agreed(running.parts, number) for number in numbers]
    for number in (numbers[0], numbers[2]):
        running.outside.fault("not_enough", number, on="refund")
    listening, heard = hearing(running)

    refund_pay.pay_due(listening)

    assert heard == [("refund_account_short", {"gateway": "wechat", "refunds": 2, "fen": 64000})]
    run_refunds(running, asked[1].number, "paid")


def test_a_refund_they_never_take_is_heard_of_whatever_they_answer(running, adult, monkeypatch):
    """W1: codes in no table are silence, and silence is asked about for ever: a person must look."""
    payment = pay(running, Want(adult, MEDICAL))
    asked = agreed(running.parts, payment)
    gateway = type(running.parts.gateways["wechat"])
    monkeypatch.setattr(gateway, "refund", lambda *_: (_ for _ in ()).throw(GatewaySilent("403 USER_ACCOUNT_ABNORMAL")))
    listening, heard = hearing(running)

    for _ in range(RESENDS + 1):
        refund_pay.pay_due(listening)
        due(running)
        assert heard == [] and spoken(running, "INV-61") == []
    refund_pay.pay_due(listening)

    assert heard == [("refund_never_taken", {"gateway": "wechat", "number": asked.number, "word": "silent"})]
    assert spoken(running, "INV-61") == [asked.number]
    monkeypatch.undo()
    run_refunds(running, asked.number, "paid")
    assert spoken(running, "INV-61") == []


def test_a_refund_that_moved_on_since_it_was_leased_is_not_sent(running, adult, sibling, monkeypatch):
    """K26: while the first of the leased is asked about, a clerk ends the second by a transfer."""
    first, second = pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="another")
    one, other = agreed(running.parts, first), agreed(running.parts, second)
    gateway = type(running.parts.gateways["wechat"])
    monkeypatch.setattr(gateway, "refund", lambda *_: (_ for _ in ()).throw(GatewaySilent("down")))
    refund_pay.pay_due(running.parts)  # both are under way, neither arrived
    monkeypatch.undo()
    running.write(
        lambda connection: connection.execute(
            text(
                "update refund set next_query_at = now()"
                " - (case number when :n then interval '1 s' else interval '0 s' end)"
            ),
            {"n": one.number},
        )
    )
    really, ended = gateway.query_refund, []

    def meanwhile(self, order):
        if order.payment == first and not ended:
            ended.append(True)
            no = RefundOutcome("wechat", other.number, RefundWord.FAILED, payment=second, amount=32000)
            refund_pay.take_refund(running.parts, no)
            refund_pay.ask_transfer(running.parts, other.number, ACCOUNT, by=CLERK)
            refund_pay.decide_transfer(running.parts, other.number, agreed=True, by=LEAD)
        return really(self, order)

    monkeypatch.setattr(gateway, "query_refund", meanwhile)
    refund_pay.pay_due(running.parts)

    assert given_back(running, second) == []
    run_refunds(running, one.number, "paid")
    assert state(running, other.number, "refund") == "paid" and len(given_back(running, first)) == 1
