"""Paid first, recognised later: the difference comes back by itself, and the person stays insured."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.due.quote import all_due, subjects
from app.flows.pay.start import Want
from app.flows.refund import steps
from app.flows.refund.entitle_late import RULE, ask_for_entitled
from app.flows.register import determine
from app.flows.register.apply import apply
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from payments.errors import NothingToGiveBack
from tests.app.registry.files import a_csv, a_row, taken_in
from tests.builders import NEW_YEAR
from tests.refunding import LEAD, agree, balances, given_back, pay, rows, run_refunds, to_the_approval

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


def recognise(running, person, code="DIBAO", *insurances):
    """A department's list names the person."""
    running.write(
        lambda connection: [
            connection.execute(text("insert into category values (:p, :i, :c)"), {"p": person, "i": each, "c": code})
            for each in insurances or (MEDICAL, PENSION)
        ]
    )


def the_refund(running):
    [row] = rows(running, "select * from refund")
    return row


def whole(running, number):
    agree(running.parts, number)
    run_refunds(running, number, "paid")


def test_320_paid_and_waived_later_comes_back_and_the_department_owes_it(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    [before] = rows(running, "select settled_at, benefit_start from bill")
    recognise(running, adult)

    assert [ask_for_entitled(running.parts) for _ in range(2)] == [1, 0]
    row = the_refund(running)
    assert (row.amount, row.applied_by, row.why, row.state) == (32000, RULE, "late_entitlement", "applied")
    whole(running, row.number)

    assert [line["amount"] for line in given_back(running, payment)] == [32000]
    assert balances(running) == {
        "receivable:gov_substitute:civil:RES_MEDICAL": 32000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }
    [old] = rows(running, "select * from bill where state = 'refunded'")
    [new] = rows(running, "select * from bill where state = 'settled'")
    assert (old.personal_due, new.personal_due, new.total) == (32000, 0, 90000)
    assert (new.settled_at, new.benefit_start) == tuple(before), "insured throughout"
    assert new.settled_by == f"refund:{row.number}:approved"
    [person] = subjects(running.parts, [adult])
    [medical, _] = all_due(running.parts, person, at=running.parts.clocks.now())
    assert medical.settled and medical.text == "已经办好了（11月5日），政府替您交，什么都不用办。"
    assert ask_for_entitled(running.parts) == 0


def test_nobody_is_told_how_much_it_was(running, adult):
    pay(running, Want(adult, MEDICAL))
    recognise(running, adult)
    ask_for_entitled(running.parts)

    [notice] = rows(running, "select fields from notice where kind = 'refund_asked'")

    assert notice.fields["amount"] == ""


def test_a_tier_of_500_keeps_400_and_the_rest_goes_back_to_the_receipt_it_came_from(running, adult):
    payment = pay(running, Want(adult, PENSION, 50000))
    recognise(running, adult, "DIBAO", PENSION)

    assert ask_for_entitled(running.parts) == 1
    first = the_refund(running)
    assert first.amount == 10000
    whole(running, first.number)
    assert balances(running) == {
        "clearing:wechat": 40000,
        "receivable:gov_substitute:finance:RES_PENSION": 10000,
        "receivable:gov_subsidy:finance:RES_PENSION": 6000,
        "fund:RES_PENSION:2022": -56000,
    }

    rest = steps.apply(running.parts, payment, by="resident", why=steps.Why.DIED)
    assert rest.amount == 40000
    whole(running, rest.number)
    assert balances(running) == {}
    assert sorted(line["amount"] for line in given_back(running, payment)) == [10000, 40000]
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, payment, by="staff:x")


def test_half_comes_back_to_whom_the_register_made_sixty(running, adult):
    pay(running, Want(adult, MEDICAL))
    running.write(lambda connection: connection.execute(text("update person set birth_date = date '1956-03-14'")))

    assert ask_for_entitled(running.parts) == 1
    row = the_refund(running)
    whole(running, row.number)

    assert row.amount == 16000 and balances(running)["clearing:wechat"] == 16000
    assert rows(running, "select personal_due from bill where state = 'settled'") == [(16000,)]
    assert ask_for_entitled(running.parts) == 0, "the new bill is what it should be"


def test_the_bureau_and_another_person_still_decide_and_a_no_leaves_all_as_it_was(running, adult):
    pay(running, Want(adult, MEDICAL))
    recognise(running, adult)
    ask_for_entitled(running.parts)
    number = the_refund(running).number
    to_the_approval(running.parts, number)

    steps.decide(running.parts, number, approved=False, by=LEAD, reason="名单有误")

    assert balances(running)["clearing:wechat"] == 32000
    assert rows(running, "select state from bill") == [("settled",)]
    assert ask_for_entitled(running.parts) == 0, "a person said no: it is not asked again by itself"


def test_losing_a_category_takes_nothing(running, adult):
    recognise(running, adult, "DIBAO", PENSION)
    pay(running, Want(adult, PENSION, 50000))
    running.write(lambda connection: connection.execute(text("delete from category")))

    assert ask_for_entitled(running.parts) == 0


def test_a_list_that_comes_after_the_benefits_began_changes_no_medical_bill(running, adult):
    pay(running, Want(adult, MEDICAL), Want(adult, PENSION, 50000))
    running.turn(NEW_YEAR + timedelta(days=1))
    recognise(running, adult)

    assert ask_for_entitled(running.parts) == 1

    assert the_refund(running).amount == 10000, "the pension's difference only"


def test_a_late_waiver_the_bureau_grants_gives_the_full_price_back(running, adult):
    running.turn(NEW_YEAR + timedelta(days=9))
    pay(running, Want(adult, MEDICAL))
    assert rows(running, "select personal_due from bill") == [(90000,)]
    recognise(running, adult)
    assert ask_for_entitled(running.parts) == 0

    number = apply(running.parts, adult, MEDICAL, Kind.LATE_WAIVER, by="staff:desk")
    determine.decide(running.office, number, determine.Ruling(True), by="staff:medical")

    row = the_refund(running)
    assert row.amount == 90000
    whole(running, row.number)
    assert balances(running) == {
        "receivable:gov_substitute:civil:RES_MEDICAL": 32000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }


def test_the_departments_file_itself_starts_it(running, adult, tmp_path):
    pay(running, Want(adult, MEDICAL))
    row = a_row(7, categories="低保")

    fared, failures = taken_in(running.office, a_csv(tmp_path / "list.csv", row))

    assert (fared.taken, failures) == (True, [])
    assert (the_refund(running).amount, the_refund(running).applied_by) == (32000, RULE)
    assert taken_in(running.office, a_csv(tmp_path / "again.csv", row, a_row(9)))[0].taken
    assert the_refund(running).state == "applied", "the next file asks for nothing again"
