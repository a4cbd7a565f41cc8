"""The offices' refunds and money in doubt: each role sees its work, does its step and no other."""

import re
from datetime import timedelta

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.collect import take_word
from app.flows.pay.start import Want
from app.flows.refund import steps
from app.flows.suspense import solve
from app.policy.facts import Insurance
from payments.gateways.base import Movement, Outcome, StatementLine, Word
from payments.number import new_number
from tests.app.flows.test_gone_by_hand import given_by_hand
from tests.app.flows.test_suspense import unknown
from tests.builders import NOON
from tests.days import keep
from tests.refunding import agreed, pay, rows, run_refunds, start, state
from tests.system import eventually, second_code

PASSWORD = "a-long-password-1"
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
LOGINS = {
    "clerk01": Role.TAX_CLERK,
    "clerk02": Role.TAX_CLERK,
    "lead01": Role.TAX_LEAD,
    "hrss01": Role.HRSS,
    "medical1": Role.MEDICAL,
    "audit01": Role.AUDITOR,
}


@pytest.fixture
def desks(running):
    """A browser for each login."""
    running.app.config["WTF_CSRF_ENABLED"] = False
    found = {}
    for login, role in LOGINS.items():
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
        found[login] = running.app.test_client()
        found[login].post(
            "/office/login", data={"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
        )
    return found


def press(desk, number, act, **fields):
    return desk.post(f"/office/refunds/{number}/{act}", data=fields, content_type="multipart/form-data").status_code


def test_four_desks_give_a_premium_back_and_each_does_its_own_step(running, district, desks):
    payment = pay(running, Want(district.adult.id, MEDICAL), Want(district.adult.id, PENSION, 50000))
    number = steps.apply(running.parts, payment, by="resident").number
    page = f"/office/refunds/{number}"

    assert "等您办" in desks["clerk01"].get("/office/refunds/").text
    assert "等您办" not in desks["medical1"].get("/office/refunds/").text
    assert press(desks["clerk01"], number, "review") == press(desks["lead01"], number, "accept") == 403
    assert press(desks["lead01"], number, "approve") == 409, "the steps before are missing"
    assert press(desks["clerk01"], number, "accept") == 303
    assert "医保局还没复核" in desks["audit01"].get(page).text
    review = desks["medical1"].get(page).text
    for words in ("登记和缴费单怎么说", "没有参加单位的医疗保险", "财政补助 580 元", "在世"):
        assert words in review, "a reviewer sees what the register says, and the bill's lines"
    assert press(desks["medical1"], number, "review") == 303
    assert press(desks["medical1"], number, "review") == 409
    assert "您要办的" not in desks["medical1"].get(page).text
    assert press(desks["hrss01"], number, "review") == 303
    assert press(desks["lead01"], number, "approve", reason="核对无误") == 303
    run_refunds(running, number, "paid")

    done = desks["audit01"].get(page).text
    for words in ("本人", "clerk01", "medical1", "hrss01", "lead01", "钱已退回", "张*例"):
        assert words in done
    assert district.adult.name not in done and number in desks["clerk01"].get("/office/refunds/?done=1").text


def test_who_did_a_step_is_offered_no_other(running, district, desks):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    number = steps.apply(running.parts, payment, by="staff:clerk01").number

    assert "受理</button>" not in desks["clerk01"].get(f"/office/refunds/{number}").text
    assert press(desks["clerk01"], number, "accept") == press(desks["clerk01"], number, "reject", reason="x") == 403
    assert "受理</button>" in desks["clerk02"].get(f"/office/refunds/{number}").text
    assert press(desks["clerk02"], number, "accept") == 303


@pytest.mark.parametrize("login", ["hrss01", "lead01", "audit01"])
def test_a_no_is_for_whoever_has_the_next_step(running, district, desks, login):
    number = steps.apply(running.parts, pay(running, Want(district.adult.id, MEDICAL)), by="resident").number

    assert press(desks[login], number, "reject", reason="x") == 403
    assert press(desks["clerk01"], number, "reject", reason="") == 400
    assert press(desks["clerk01"], number, "reject", reason="没有重复") == 303
    assert state(running, number, "refund") == "rejected"


def test_a_duplicate_shows_both_payments(running, district, desks):
    other = pay(running, Want(district.adult.id, PENSION, 30000), key="pension")
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want)
    running.outside.fault("late_success", first.number)
    second = pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    steps.ask_for_surplus(running.parts)
    number = rows(running, "select number from refund")[0].number

    page = desks["lead01"].get(f"/office/refunds/{number}").text

    assert first.number in page and second in page and "多付待退" in page and "同意退 320 元" in page
    assert other not in page, "his other premium is no evidence"
    assert press(desks["lead01"], number, "approve") == 303


def test_a_closed_account_is_owned_transferred_and_confirmed_by_two_desks(running, district, desks):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    running.outside.fault("refund_abnormal")
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "abnormal")
    account = {"holder": "insured", "name": "张示例", "account": "6217000012345678", "bank": "建行", "proof": "回单1"}

    assert press(desks["clerk01"], number, "own") == 303
    assert press(desks["clerk01"], number, "transfer", **account | {"account": "x"}) == 400
    assert press(desks["clerk01"], number, "transfer", **account) == 303
    page = desks["lead01"].get(f"/office/refunds/{number}").text
    assert "尾号 5678" in page and "621700001234" not in page and "回单核对无误" in page
    assert press(desks["clerk01"], number, "confirm", agreed="yes") == 403
    assert press(desks["lead01"], number, "confirm", agreed="yes") == 303
    assert state(running, number, "refund") == "paid"


def test_what_somebody_gave_back_by_hand_ends_with_one_press_and_cannot_go_twice(running, district, desks):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    running.outside.fault("refund_abnormal")
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "abnormal")
    page = desks["clerk01"].get(f"/office/refunds/{number}").text
    assert "改用银行转账退" in page and "按手工退款办结" not in page
    given_by_hand(running, payment, of=payment)

    page = desks["clerk01"].get(f"/office/refunds/{number}").text
    assert "按手工退款办结" in page and "改用银行转账退" not in page
    assert "按手工退款办结" not in desks["lead01"].get(f"/office/refunds/{number}").text
    assert press(desks["lead01"], number, "by-hand") == 403
    assert press(desks["clerk01"], number, "by-hand") == 303
    page = desks["clerk01"].get(f"/office/refunds/{number}").text
    assert "钱已退回" in page and "在渠道后台手工退的" in page


def money_of_nobody(running, amount=32000):
    gateway = running.parts.gateways["wechat"]
    outcome = Outcome(
        gateway="wechat",
        number=new_number(0, NOON.date()),
        word=Word.PAID,
        merchant=gateway.merchant,
        app=gateway.app,
        reference="4200009",
        amount=amount,
        currency="CNY",
        happened_at=NOON,
    )
    assert take_word(running.parts, outcome) == "suspense"
    return "/office/suspense/0/receipt:wechat:4200009"


def test_two_desks_find_out_whose_money_it_was(running, district, desks):
    page = money_of_nobody(running)
    who = {"name": district.adult.name, "id_number": district.adult.id_number, "insurance": "RES_MEDICAL"}

    assert "单号不认识" in desks["clerk01"].get("/office/suspense/").text
    assert desks["clerk01"].post(f"{page}/take").status_code == 303
    wrong = desks["clerk01"].post(f"{page}/propose", data=who | {"id_number": "370499198603140010"})
    assert wrong.status_code in (400, 404, 422) and 'role="alert"' in wrong.text
    assert desks["clerk01"].post(f"{page}/propose", data=who).status_code == 303
    assert "张*例" in desks["lead01"].get(page).text
    assert desks["clerk01"].post(f"{page}/agree").status_code == 403
    shown = desks["lead01"].get(page).text
    seen = {name: re.findall(rf'name="{name}" value="(\d+)"', shown) for name in ("bill", "amount")}
    for other in ({}, seen | {"amount": "1"}, seen | {"bill": ["9" * 19]}):
        assert desks["lead01"].post(f"{page}/agree", data=other).status_code == 409, "not what he saw (K15)"
    assert desks["lead01"].post(f"{page}/agree", data=seen).status_code == 303
    assert "已用来缴费" in desks["audit01"].get("/office/suspense/?solved=1").text
    assert rows(running, "select state from bill") == [("settled",)]


def test_a_desk_keeps_it_or_sends_it_back(running, district, desks):
    page = money_of_nobody(running)

    kept = {"until": str((NOON + timedelta(days=20)).date()), "reason": "等银行回话"}
    assert desks["clerk01"].post(f"{page}/keep", data=kept | {"until": "soon"}).status_code == 400
    assert desks["clerk01"].post(f"{page}/keep", data=kept).status_code == 303
    assert "等银行回话" in desks["lead01"].get(page).text
    back = desks["clerk01"].post(f"{page}/back")
    assert back.status_code == 303 and "/office/refunds/YT" in back.location
    number = back.location.rpartition("/")[2]
    assert press(desks["lead01"], number, "approve") == 303
    assert desks["clerk01"].post(f"{page}/take").status_code == 409


def test_the_bureaus_have_no_business_with_money_in_doubt(running, desks):
    page = money_of_nobody(running)

    assert desks["hrss01"].get(page).status_code == desks["medical1"].get("/office/suspense/").status_code == 403
    assert desks["audit01"].post(f"{page}/take").status_code == 403
    assert desks["audit01"].get(page).status_code == 200
    assert desks["clerk01"].get("/office/suspense/0/receipt:wechat:1").status_code == 404
    assert solve.watch(running.parts) == 0


def test_a_clerk_takes_back_what_he_proposed_and_nobody_else_is_offered_it(running, district, desks):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    number = steps.apply(running.parts, payment, by="staff:clerk01").number
    page = f"/office/refunds/{number}"
    assert "撤回申请" in desks["clerk01"].get(page).text and "撤回申请" not in desks["clerk02"].get(page).text
    assert press(desks["clerk02"], number, "withdraw") == press(desks["lead01"], number, "withdraw") == 403

    assert press(desks["clerk01"], number, "withdraw") == 303

    assert "已撤回" in desks["audit01"].get(page).text and "申请人撤回" in desks["audit01"].get(page).text
    assert state(running, number, "refund") == "rejected"


def test_money_in_doubt_shows_what_the_list_says_of_it(running, district, desks):
    """Suspense hides what the file said."""
    unknown(running, 32000)
    unknown(running, 7, reference="ANOTHER")
    keep(running, "wechat", [_line("4200009", 32000), _line("SOMEBODY", 50000)])
    pages = {
        row.amount: desks["clerk01"].get(f"/office/suspense/0/{row.cause}").text
        for row in rows(running, "select cause, amount from suspense")
    }

    assert "渠道对账单" in pages[32000] and "4200009" in pages[32000] and "SOMEBODY" not in pages[32000]
    assert "还没有这一笔" in pages[7]


def _line(reference, amount):
    return StatementLine(1, Movement.PAYMENT, "WHO", reference, amount, 0, NOON)


def test_what_went_back_is_told_alike_on_every_page(running, district, desks):
    """O3: the path of one yuan said 多付待退 after the refund was paid, and the person's page the same."""
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want)
    running.outside.fault("late_success", first.number)
    kept = pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    steps.ask_for_surplus(running.parts)
    number = rows(running, "select number from refund")[0].number
    auditor = desks["audit01"]
    assert "多付待退" in auditor.get(f"/office/audit/trace/{first.number}").text

    press(desks["lead01"], number, "approve")
    run_refunds(running, number, "paid")

    found = auditor.post("/office/people/", data={"wanted": first.number}).text
    person = auditor.get(re.search(r'href="(/office/people/[^"]+)"', found)[1]).text
    trace = auditor.get(f"/office/audit/trace/{first.number}").text
    for page in (person, trace[: trace.index("一步一步")], auditor.get(f"/office/refunds/{number}").text):
        assert "多付的，已退回" in page and "多付待退" not in page
    assert "已付，入了账" in person and "已付，入了账" in auditor.get(f"/office/audit/trace/{kept}").text
