"""Who does what to a refund in which order, by which rule, and what stands in for the way back when there is none."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.pay.start import Want
from app.flows.refund import give_back
from app.flows.refund import steps as refund
from app.flows.refund.follow import follow
from app.flows.refund.give_back import Account, BadTransfer
from app.policy.facts import Insurance
from app.policy.refunds import BEGUN, TERMS, Why, refusal
from core.db import connect
from core.errors import AppError
from payments.errors import (
    NothingToGiveBack,
    OwnRefund,
    RefundChanged,
    RefundDecided,
    RefundStepMissing,
    RefundTooOld,
)
from payments.states import REFUND_MOVES, RefundState
from tests.builders import NEW_YEAR, an_id_number
from tests.conftest import DATABASE
from tests.refunding import (
    CLERK,
    DESK,
    HRSS,
    LEAD,
    MEDICAL_BUREAU,
    agree,
    agreed,
    balances,
    given_back,
    pay,
    rows,
    run_refunds,
    start,
    state,
    to_the_approval,
)
from tests.system import eventually

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
BOTH = (PENSION, 50000)
ACCOUNT = Account("insured", "张示例", "6217 0000 1234 5678", "建行峄城支行", "回单 20211105-17")


def test_every_state_leads_to_an_end_and_only_forward():
    ends = {old for old, reachable in REFUND_MOVES.items() if not reachable}

    assert ends == {RefundState.PAID, RefundState.REJECTED}
    for first in RefundState:
        reached, waiting = set(), [first]
        while waiting:
            here = waiting.pop()
            waiting += REFUND_MOVES[here] - reached
            reached |= REFUND_MOVES[here]
        assert first in ends or reached & ends, first
        assert not reached & {RefundState.APPLIED}, "nothing becomes an application again"
        assert first in (RefundState.APPLIED, RefundState.ACCEPTED, RefundState.REVIEWED) or not (
            reached & {RefundState.REJECTED}
        ), "what was agreed to is not refused any more"


def test_both_bureaus_look_at_a_refund_of_both_insurances_and_the_payer_sees_each_step(running, adult):
    asked = refund.apply(running.parts, pay(running, Want(adult, MEDICAL), Want(adult, *BOTH)), by="resident")
    job = "select count(*) from procrastinate_jobs where strpos(args::text, :cause) > 0"
    assert running.one(job, cause=f"refund:{asked.number}:refund_asked")[0] == 1, "the payer is told at once"
    refund.accept(running.parts, asked.number, by=CLERK)

    assert refund.review(running.parts, asked.number, PENSION, by=HRSS) is False
    with pytest.raises(RefundDecided):
        refund.review(running.parts, asked.number, PENSION, by="staff:hrss2")
    with pytest.raises(RefundStepMissing):
        refund.decide(running.parts, asked.number, approved=True, by=LEAD)
    assert follow(running.parts, asked.number).words == "税务已受理，正在由医保局、人社局核对。"
    assert refund.review(running.parts, asked.number, MEDICAL, by=MEDICAL_BUREAU) is True
    refund.decide(running.parts, asked.number, approved=True, by=LEAD)
    run_refunds(running, asked.number, "paid")

    found = follow(running.parts, asked.number)
    assert [(step.text, step.by) for step in found.steps] == [
        ("申请退费", "resident"),
        ("税务受理", CLERK),
        ("人社局核对", HRSS),
        ("医保局核对", MEDICAL_BUREAU),
        ("同意退费", LEAD),
        ("交给微信退款", "gateway:wechat"),
        ("钱已退回", "gateway:wechat"),
    ]
    assert {step.at.date() for step in found.steps} == {date(2021, 11, 5)}, "on the business clock"
    assert found.words == "钱已退回原来付款的微信账户。"


def test_no_step_is_skipped(running, adult):
    asked = refund.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)

    for early in (
        lambda: refund.review(running.parts, asked.number, MEDICAL, by=MEDICAL_BUREAU),
        lambda: refund.decide(running.parts, asked.number, approved=True, by=LEAD),
        lambda: give_back.ask_transfer(running.parts, asked.number, ACCOUNT, by=CLERK),
        lambda: give_back.decide_transfer(running.parts, asked.number, agreed=True, by=LEAD),
    ):
        with pytest.raises(RefundStepMissing):
            early()
    with pytest.raises(RefundDecided):
        give_back.again(running.parts, asked.number, by=LEAD)
    refund.accept(running.parts, asked.number, by=CLERK)
    with pytest.raises(RefundDecided):
        refund.accept(running.parts, asked.number, by="staff:clerk2")
    with pytest.raises(RefundDecided):
        refund.review(running.parts, asked.number, PENSION, by=HRSS)
    assert balances(running)["clearing:wechat"] == 32000 and state(running, asked.number, "refund") == "accepted"


SKIPS = {
    "a state": "update refund set state = 'accepted'",
    "to the approval": "update refund set state = 'approved'",
    "paid": "update refund set state = 'paid'",
    "a step of one's own": "insert into refund_step values (1, 'x', 9, 'accepted', null, 'staff:x', now(), '')",
    "a step rewritten": "update refund_step set by = 'staff:x'",
    "a step removed": "delete from refund_step",
    "another number": "update refund set sent_as = 'YT2111050000000711111111AA'",
    "who decided": "update refund set decided_by = 'staff:x', decided_at = now()",
    "the reason": "update refund set why = 'twice'",
    "a transfer": "insert into refund_transfer select household_id, number, 1, 'heir', '', '', '1234', 'x', 'x', null,"
    " 'agreed', 'a', now(), 'b', now() from refund",
    "a note": "select refund_note(household_id, number, 'accepted', null, 'staff:x', '', now()) from refund",
    "a suspense solved": "update suspense set solved_at = now()",
    "a solution": "select suspense_solve(1, 'x', 'applied', 'x', now())",
}


@pytest.mark.parametrize("attempt", SKIPS)
def test_the_application_cannot_skip_a_step_by_hand(running, adult, attempt):
    refund.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)

    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        connection.execute(text(SKIPS[attempt]))

    assert refused.value.orig.sqlstate in ("LX005", "LX006", "42501")


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize("insurance", [MEDICAL, PENSION])
@pytest.mark.parametrize("begun", [False, True])
def test_each_reason_gives_money_back_until_its_day(running, why, insurance, begun):
    today = date(2022, 1, 1) if begun else date(2021, 12, 31)

    said = refusal(running.parts.rules, why, insurance, on=today, benefit_start=None)

    always = insurance is PENSION or why in (Why.TWICE, Why.WRONG_AMOUNT, Why.SURPLUS)
    assert said == (BEGUN if begun and not always else None)
    assert running.parts.rules.cite(TERMS[why, insurance].clause).startswith("区里的办理口径")


def test_a_late_payer_may_change_his_mind_until_his_own_benefits_begin(running):
    late = {"benefit_start": date(2022, 2, 15)}

    assert refusal(running.parts.rules, Why.ELSEWHERE, MEDICAL, on=date(2022, 2, 14), **late) is None
    assert refusal(running.parts.rules, Why.ELSEWHERE, MEDICAL, on=date(2022, 2, 15), **late) == BEGUN


def test_benefits_that_have_begun_are_said_no_to_in_plain_words_and_nothing_is_reserved(running, adult):
    payment = pay(running, Want(adult, MEDICAL), Want(adult, *BOTH))
    running.turn(NEW_YEAR + timedelta(hours=9))

    with pytest.raises(refund.NotRefundable) as no:
        refund.apply(running.parts, payment, by="resident", why=Why.ELSEWHERE)

    assert no.value.sentence() == "医保待遇已经开始，按规定不能退。可以要求书面说明。" and no.value.status == 409
    pension = running.one("select id from bill where insurance = 'RES_PENSION'").id
    assert refund.apply(running.parts, payment, by="resident", why=Why.ELSEWHERE, bills=[pension]).amount == 50000
    assert refund.apply(running.parts, payment, by="resident", why=Why.TWICE).amount == 32000


def test_what_the_screen_showed_must_be_there(running, adult):
    payment = pay(running, Want(adult, MEDICAL), Want(adult, *BOTH))

    for shown in (32000, 82001):
        with pytest.raises(RefundChanged):
            refund.apply(running.parts, payment, by="resident", expected=shown)

    assert refund.apply(running.parts, payment, by="resident", expected=82000).amount == 82000


def test_fifty_people_ask_for_parts_of_one_payment_and_never_more_than_was_paid_goes_back(running, adult):
    payment = pay(running, Want(adult, MEDICAL), Want(adult, *BOTH))
    parts = [[row.id] for row in rows(running, "select id from bill")] + [None]

    def ask(place):
        try:
            return refund.apply(running.parts, payment, by=f"staff:{place}", bills=parts[place % 3])
        except NothingToGiveBack:
            return None

    with ThreadPoolExecutor(50) as pool:
        heard = [asked for asked in pool.map(ask, range(50)) if asked]

    assert sum(asked.amount for asked in heard) == 82000
    for asked in heard:
        agree(running.parts, asked.number)
        run_refunds(running, asked.number, "paid")
    assert sum(line["amount"] for line in given_back(running, payment)) == 82000 and balances(running) == {}


def test_the_database_counts_what_a_receipt_gives_back(running, adult, database):
    asked = refund.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)
    owner = connect(database.owner_url(DATABASE))

    with pytest.raises(DBAPIError) as refused, owner.begin() as connection:
        connection.execute(
            text(
                "insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid,"
                " amount, why, reason, sent_as, applied_by, applied_at) select household_id, 'x', receipt, gateway,"
                " payment, reference, ordered_at, paid, 1, why, reason, 'x', 'x', applied_at from refund"
                " where number = :n"
            ),
            {"n": asked.number},
        )
    owner.dispose()

    assert refused.value.orig.sqlstate == "LX009"


def test_two_channels_pay_one_bill_and_one_of_them_gets_it_back(running, adult):
    first = start(running, Want(adult, MEDICAL), gateway="wechat")
    running.outside.fault("late_success", first.number)
    second = pay(running, Want(adult, MEDICAL), gateway="alipay", key="another")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")

    assert refund.ask_for_surplus(running.parts) == 1
    number = running.one("select number from refund").number
    agree(running.parts, number)
    run_refunds(running, number, "paid")

    assert state(running, second) == "paid"
    assert running.one("select count(*) as n from bill where state = 'settled'").n == 1
    assert balances(running) == {
        "clearing:alipay": 32000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }
    assert [step.text for step in follow(running.parts, number).steps][:2] == ["申请退费", "同意退费"]


def test_no_premium_goes_back_without_the_bureau_and_surplus_without_it(running, adult):
    asked = refund.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)

    with pytest.raises(RefundStepMissing):
        refund.decide(running.parts, asked.number, approved=True, by=LEAD)

    to_the_approval(running.parts, asked.number)
    refund.decide(running.parts, asked.number, approved=True, by=LEAD)


def abnormal(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_abnormal")
    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "abnormal")
    return asked.number


def test_a_closed_account_is_paid_by_transfer_with_a_proof_and_two_people(running, adult):
    number = abnormal(running, adult)
    assert "问一个能收钱的银行账户" in follow(running.parts, number).words

    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    with pytest.raises(RefundDecided):
        give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    with pytest.raises(OwnRefund):
        give_back.decide_transfer(running.parts, number, agreed=True, by=CLERK)
    give_back.decide_transfer(running.parts, number, agreed=True, by=LEAD)

    assert balances(running) == {"clearing:wechat": 32000, "bank:pending": -32000}
    row = running.one("select account, last4, proof from refund_transfer")
    assert b"62170000" not in bytes(row.account) and row.last4 == "5678"
    assert running.parts.vault.open(row.account, bound_to=f"refund_transfer.account:{number}") == "6217000012345678"
    assert follow(running.parts, number).words == "钱已退回尾号5678的银行账户。"
    with pytest.raises(AppError):
        give_back.decide_transfer(running.parts, number, agreed=True, by="staff:third")


def test_a_gateway_that_pays_after_the_transfer_leaves_a_debt_and_an_alarm(running, adult):
    number = abnormal(running, adult)
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    give_back.decide_transfer(running.parts, number, agreed=True, by=LEAD)
    heard = []
    listening = replace(running.parts, alert=lambda what, **_words: heard.append(what))
    late = give_back.RefundOutcome("wechat", number, give_back.RefundWord.DONE, amount=32000, their_word="SUCCESS")

    words = [give_back.take_refund(listening, late) for _ in range(2)]

    assert words == ["twice", "again"] and heard == ["refund_twice"]
    assert balances(running) == {"bank:pending": -32000, "receivable:resident": 32000}


def test_a_transfer_whose_slip_is_wrong_is_no_transfer(running, adult):
    number = abnormal(running, adult)
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)

    give_back.decide_transfer(running.parts, number, agreed=False, by=LEAD)

    assert balances(running)["refunds:wechat"] == -32000
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    give_back.decide_transfer(running.parts, number, agreed=True, by=LEAD)
    assert state(running, number, "refund") == "paid"


@pytest.mark.parametrize(
    "spoilt", [{"account": "6217x"}, {"account": "1234567"}, {"name": " "}, {"proof": ""}, {"holder": "agent"}]
)
def test_a_transfer_to_nobody_known_is_refused(running, adult, spoilt):
    number = abnormal(running, adult)

    with pytest.raises(BadTransfer):
        give_back.ask_transfer(running.parts, number, Account(**(vars(ACCOUNT) | spoilt)), by=CLERK)


def test_a_refund_that_goes_by_transfer_is_not_sent_again(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_fails")
    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "failed")
    give_back.ask_transfer(running.parts, asked.number, ACCOUNT, by=CLERK)

    with pytest.raises(RefundDecided):
        give_back.again(running.parts, asked.number, by=LEAD)
    assert state(running, asked.number, "refund") == "failed"


def test_a_payment_too_old_for_its_gateway_waits_for_a_transfer(running, adult):
    payment = pay(running, Want(adult, *BOTH), gateway="unionpay")
    asked = agreed(running.parts, payment)
    running.turn(NEW_YEAR)

    run_refunds(running, asked.number, "failed")

    assert running.one("select their_word, owner from refund") == ("too_old", "refund_desk")
    assert given_back(running, payment) == []
    with pytest.raises(RefundTooOld):
        give_back.again(running.parts, asked.number, by=LEAD)
    refund.own(running.parts, asked.number, by=CLERK)
    give_back.ask_transfer(running.parts, asked.number, ACCOUNT, by=CLERK)
    give_back.decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)
    assert balances(running) == {"clearing:unionpay": 50000, "bank:pending": -50000}


def test_a_no_needs_a_reason_and_the_payer_is_told_it(running, adult):
    asked = refund.apply(running.parts, pay(running, Want(adult, MEDICAL)), by="resident")

    for reason in (" ", "长" * 201, f"身份证{an_id_number()}不对", "打13800000000问"):
        with pytest.raises(refund.BadReason):
            refund.decide(running.parts, asked.number, approved=False, by=CLERK, reason=reason)
    refund.decide(running.parts, asked.number, approved=False, by=CLERK, reason="只交了一次，没有重复。")
    running.tell()

    told = rows(running, "select kind, fields, rank from notice order by cause")
    assert [row.kind for row in told] == ["paid", "refund_asked", "refund_rejected"]
    assert told[2].fields["reason"] == "只交了一次，没有重复" and told[1].fields["amount"] == "320元"
    assert "原因：只交了一次，没有重复。" in follow(running.parts, asked.number).words


def test_a_gateway_that_pays_before_the_transfer_is_confirmed_ends_it(running, adult):
    number = abnormal(running, adult)
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    done = give_back.RefundOutcome("wechat", number, give_back.RefundWord.DONE, amount=32000, their_word="SUCCESS")

    assert give_back.take_refund(running.parts, done) == "paid"

    assert balances(running) == {} and rows(running, "select state from refund_transfer") == [("refused",)]
    with pytest.raises(RefundDecided):
        give_back.decide_transfer(running.parts, number, agreed=True, by=LEAD)
