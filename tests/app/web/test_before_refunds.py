"""Before a resident asks for his money: what the book knows of a second payment; what he hears of a no."""

from app.flows.due.quote import subjects
from app.flows.pay.start import Want
from app.flows.refund import steps as refund
from app.flows.refund.wish import is_only_payment, refundable
from app.policy.facts import Insurance
from tests.app.web.test_refunds import himself, paid
from tests.refunding import CLERK, pay, rows, start
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL


def test_who_says_twice_is_told_that_one_payment_is_known_and_may_go_on(running, district, browser):
    """R6: 同一项交了两次 was taken without a word; another reason has no need of it."""
    paid(running, district.adult)
    paid(running, district.neighbour, key="theirs")
    browser.look_up(district.adult.name, district.adult.id_number)
    himself(running, district.adult)
    path = browser.get("/paid").link("申请退费")

    twice, employee = browser.get(path, why="twice"), browser.get(path, why="employee")

    assert "系统里只查到一笔付款" in twice.text and "系统里只查到一笔付款" not in employee.text
    assert "申请收到了" in browser.submit(twice, path, form='method="post"').text


def test_whose_second_payment_is_known_is_not_told_so(running, district):
    """R6: the second under another number; the neighbour paid once."""
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want, gateway="wechat")
    running.outside.fault("late_success", first.number)
    pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    paid(running, district.neighbour, key="theirs")

    known = subjects(running.parts, [district.adult.id, district.neighbour.id])
    found = [(person, refundable(running.parts, person, MEDICAL, 2022, actor="account:1")) for person in known]
    only = {person.id: is_only_payment(running.parts, person, each) for person, each in found}

    assert only == {district.adult.id: False, district.neighbour.id: True}


def test_a_no_is_told_with_one_full_stop(running, district, browser):
    """R6: the clerk's reason ended in one, and so did the sentence around it."""
    number = paid(running, district.adult)
    asked = refund.apply(running.parts, number, by="staff:desk").number
    refund.decide(running.parts, asked, approved=False, by=CLERK, reason="只查到一次缴费。")

    [told] = rows(running, "select fields->>'reason' as reason from notice where kind = 'refund_rejected'")

    assert told.reason == "只查到一次缴费"
