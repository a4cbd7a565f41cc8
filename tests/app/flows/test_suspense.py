"""Money that fits nothing has an owner and a day, and ends in a bill or with its payer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from app.flows.pay.collect import take_word
from app.flows.pay.expire import ask_silent
from app.flows.pay.start import NotPayable, Want
from app.flows.reconcile.clear_difference import clear, confirm
from app.flows.reconcile.compare import reconcile_day
from app.flows.reconcile.import_outside import import_outside
from app.flows.refund import give_back as refund_pay
from app.flows.refund import steps
from app.flows.suspense import solve
from app.flows.suspense.desk import doubt, proposal
from app.policy.facts import Insurance
from payments.errors import (
    GatewaySilent,
    NoSuchSuspense,
    NothingProposed,
    NothingToGiveBack,
    OwnSuspense,
    SuspenseChanged,
    SuspenseSolved,
    SuspenseUnfit,
)
from payments.gateways.base import Outcome, Word
from payments.number import new_number
from payments.suspense.solve import Proposal
from tests.builders import NEW_YEAR, NOON, a_household, a_person, an_id_number
from tests.days import MORNING, keep, line
from tests.refunding import CLERK, LEAD, agree, balances, given_back, pay, rows, run_refunds, start, state
from tests.system import eventually

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


def other_amount(running, person, total, *wants):
    """A payment whose payer's money came in another amount than was asked for: its key and number."""
    started = start(running, *(wants or (Want(person, MEDICAL),)))
    running.outside.fault("other_amount", started.number, total=total)
    running.outside.pay(started.checkout.code_url)
    eventually(lambda: bool(rows(running, "select cause from suspense where number = :n", n=started.number)))
    running.ask_now()
    ask_silent(running.parts)
    [row] = rows(running, "select cause from suspense where number = :n", n=started.number)
    return solve.key_of(running.parts, row.cause), started.number


def agreed_to(running, key, *, by):
    """Another person agrees to what his page shows."""
    found, _, proposed = doubt(running.parts, key)
    solve.settle(running.parts, key, proposal(found, proposed), by=by)


def unknown(running, amount, at=NOON, reference="4200009"):
    """Money under a number nobody knows."""
    gateway = running.parts.gateways["wechat"]
    number = new_number(0, at.date())
    outcome = Outcome(
        gateway="wechat",
        number=number,
        word=Word.PAID,
        merchant=gateway.merchant,
        app=gateway.app,
        reference=reference,
        amount=amount,
        currency="CNY",
        happened_at=at + timedelta(minutes=1),
    )

    assert take_word(running.parts, outcome) == "suspense"
    return solve.key_of(running.parts, f"receipt:wechat:{reference}")


def held(running):
    [row] = rows(running, "select * from suspense")
    return row


def test_it_has_an_owner_and_days_from_the_first_moment(running, adult):
    unknown(running, 32000)  # a Friday

    row = held(running)

    assert (row.owner, row.owned_on, row.due_on) == ("tax_clerk", date(2021, 11, 8), date(2021, 11, 12))


def test_what_lies_too_long_is_told(running, adult):
    key = unknown(running, 32000)

    assert solve.watch(running.parts) == 0
    running.turn(NOON + timedelta(days=4))
    woken = []
    parts = replace(running.parts, alert=lambda event, **said: woken.append((event, said["cause"], said["owner"])))
    assert solve.watch(parts) == 1, "nobody took it within a working day"
    assert woken == [("suspense_old", "receipt:wechat:4200009", "tax_clerk")]
    solve.take(running.parts, key, by=CLERK)
    assert solve.watch(running.parts) == 0 and held(running).owner == CLERK
    running.turn(NOON + timedelta(days=8))
    assert solve.watch(running.parts) == 1, "its last day is over"
    solve.keep(running.parts, key, until=date(2021, 11, 30), reason="等银行回话", by=CLERK)
    assert solve.watch(running.parts) == 0
    assert [row.word for row in rows(running, "select word from suspense_step order by step")] == ["taken", "kept"]


@pytest.mark.parametrize(
    ("until", "reason"), [(date(2021, 11, 5), "x"), (date(2022, 11, 5), "x"), (date(2021, 11, 9), " ")]
)
def test_keeping_needs_a_reason_and_a_day(running, adult, until, reason):
    key = unknown(running, 32000)

    with pytest.raises((solve.KeptForNothing, steps.BadReason)):
        solve.keep(running.parts, key, until=until, reason=reason, by=CLERK)


def test_it_settles_what_it_was_meant_for_when_two_people_say_so(running, adult):
    key = unknown(running, 82000)
    wants = [Want(adult, MEDICAL), Want(adult, PENSION, 50000)]

    with pytest.raises(NothingProposed):
        agreed_to(running, key, by=LEAD)
    solve.propose(running.parts, key, wants, by=CLERK)
    with pytest.raises(OwnSuspense):
        agreed_to(running, key, by=CLERK)
    agreed_to(running, key, by=LEAD)

    bills = rows(running, "select state, settled_by, settled_at from bill")
    assert {(bill.state, bill.settled_by) for bill in bills} == {("settled", f"{key.cause}:applied")}
    assert {bill.settled_at for bill in bills} == {NOON + timedelta(minutes=1)}, "when the money came"
    assert balances(running) == {
        "clearing:wechat": 82000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "receivable:gov_subsidy:finance:RES_PENSION": 6000,
        "fund:RES_MEDICAL:2022": -90000,
        "fund:RES_PENSION:2022": -56000,
    }
    row = held(running)
    assert (row.solved_by, row.solution, row.owner) == (LEAD, "applied", CLERK)
    for late in (
        lambda: agreed_to(running, key, by=LEAD),
        lambda: solve.take(running.parts, key, by=LEAD),
    ):
        with pytest.raises(SuspenseSolved):
            late()
    with pytest.raises(NothingToGiveBack):
        solve.give_back(running.parts, key, by=CLERK)
    assert [row.kind for row in rows(running, "select kind from notice")] == ["settled", "settled"]


def test_what_it_settled_can_go_back_by_its_receipt(running, adult):
    key, number = other_amount(running, adult, 82000)
    solve.propose(running.parts, key, [Want(adult, MEDICAL), Want(adult, PENSION, 50000)], by=CLERK)
    agreed_to(running, key, by=LEAD)
    [medical] = rows(running, "select * from bill where insurance = 'RES_MEDICAL' and state = 'settled'")

    with running.parts.engine.begin() as connection:
        asked = steps.ask_for_bill(running.parts, connection, medical, steps.Why.ELSEWHERE, by="resident")
    agree(running.parts, asked.number)
    run_refunds(running, asked.number, "paid")

    assert asked.amount == 32000 and [line["amount"] for line in given_back(running, number)] == [32000]


def test_only_what_fits_exactly_is_settled(running, adult):
    key = unknown(running, 32100)

    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    with pytest.raises(NotPayable):
        solve.propose(running.parts, key, [Want(adult, PENSION)], by=CLERK)

    assert rows(running, "select * from bill") == [], "nothing is issued for a proposal that does not fit"


def test_an_old_price_counts_for_money_that_came_in_its_time_only(running, adult):
    early = unknown(running, 32000, at=NOON, reference="420001")
    late = unknown(running, 32000, at=NEW_YEAR, reference="420002")
    running.turn(NEW_YEAR + timedelta(days=3))

    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, late, [Want(adult, MEDICAL)], by=CLERK)
    solve.propose(running.parts, early, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, early, by=LEAD)

    [bill] = rows(running, "select benefit_start, personal_due from bill where state = 'settled'")
    assert (bill.benefit_start, bill.personal_due) == (date(2022, 1, 1), 32000)


def test_somebody_paid_meanwhile_and_the_money_stays(running, adult):
    key = unknown(running, 32000)
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    pay(running, Want(adult, MEDICAL))

    with pytest.raises(SuspenseUnfit):
        agreed_to(running, key, by=LEAD)

    assert held(running).solved_at is None and balances(running)["suspense:wechat"] == -32000


def test_what_somebody_is_paying_is_not_settled_by_other_money(running, adult):
    key = unknown(running, 32000)
    start(running, Want(adult, MEDICAL))

    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)


def test_another_amount_given_back_ends_its_payment_and_frees_its_bill(running, adult):
    key, number = other_amount(running, adult, 32100)
    assert state(running, number) == "unknown"

    asked = solve.give_back(running.parts, key, by=CLERK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    run_refunds(running, asked.number, "paid")

    assert state(running, number) == "closed" and balances(running) == {}
    assert [line["amount"] for line in given_back(running, number)] == [32100]
    assert pay(running, Want(adult, MEDICAL), key="anew") and held(running).solution == "given_back"


def test_another_amount_settles_what_it_fits_and_its_payment_ends(running, adult):
    other = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0001")
        )
    )
    key, number = other_amount(running, adult, 64000)

    solve.propose(running.parts, key, [Want(adult, MEDICAL), Want(other, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert state(running, number) == "closed"
    assert {row.state for row in rows(running, "select state from bill where state <> 'withdrawn'")} == {"settled"}


def test_surplus_may_settle_what_somebody_else_owes(running, adult):
    other = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )
    first = start(running, Want(adult, MEDICAL))
    running.outside.fault("late_success", first.number)
    pay(running, Want(adult, MEDICAL), key="another", gateway="alipay")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")
    key = solve.key_of(running.parts, held(running).cause)

    solve.propose(running.parts, key, [Want(other, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert "surplus:wechat" not in balances(running)
    assert rows(running, "select state from bill") == [("settled",), ("settled",)]
    [bill] = rows(running, "select * from bill where person_id = :p", p=other)
    with running.parts.engine.begin() as connection:
        asked = steps.ask_for_bill(running.parts, connection, bill, steps.Why.TWICE, by="resident")
    assert asked.amount == 32000


def test_money_of_nobody_is_given_back_too(running, adult):
    key = unknown(running, 32000)

    asked = solve.give_back(running.parts, key, by=CLERK, reason="单号不对")
    with pytest.raises(NothingToGiveBack):
        solve.give_back(running.parts, key, by="staff:other")
    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)

    assert balances(running) == {"clearing:wechat": 32000, "refunds:wechat": -32000}


def known_from_the_list_alone(running, person, monkeypatch, *more, amount=31000):
    """A payment whose money only the gateway's list knew of, taken in by two people: its key and number."""
    started = start(running, Want(person, MEDICAL), *more)
    word = Outcome("wechat", started.number, Word.PAID, reference="4200031", amount=amount, happened_at=NOON)
    running.turn(MORNING)
    keep(running, "wechat", [line(word)])
    gateway = type(running.parts.gateways["wechat"])
    monkeypatch.setattr(gateway, "query", lambda *_: (_ for _ in ()).throw(GatewaySilent("down")))
    reconcile_day(running.parts, "wechat", NOON.date())
    [difference] = rows(running, "select id from discrepancy where state = 'open'")
    clear(running.parts, difference.id, "book", "他们的账单上有", by=CLERK)
    confirm(running.parts, difference.id, agreed=True, by=LEAD)
    [row] = rows(running, "select cause, doubt from suspense where number = :n", n=started.number)
    assert row.doubt == "unconfirmed"
    return solve.key_of(running.parts, row.cause), started.number


def test_a_payment_known_from_the_list_alone_ends_when_its_money_goes_back(running, adult, monkeypatch):
    """K11: it was asked about for ever, and its bill could never be paid; a sibling's live payment stays live."""
    key, number = known_from_the_list_alone(running, adult, monkeypatch)
    household = running.one("select household_id from person where id = :p", p=adult).household_id
    other = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=11), household=household))
    sibling = start(running, Want(other, MEDICAL), key="sibling-key")

    asked = solve.give_back(running.parts, key, by=CLERK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)

    assert state(running, number) == "closed" and state(running, sibling.number) == "pending"
    monkeypatch.undo()
    assert pay(running, Want(adult, MEDICAL), key="again-key", gateway="alipay")


def test_a_payment_known_from_the_list_alone_settles_its_own_bill_when_two_people_say_so(running, adult, monkeypatch):
    """K11: the bill that the payment itself holds is no hindrance to its own money."""
    key, number = known_from_the_list_alone(running, adult, monkeypatch, Want(adult, PENSION, 30000), amount=32000)

    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert state(running, number) == "closed"
    assert rows(running, "select insurance, state from bill order by 1") == [
        ("RES_MEDICAL", "settled"),
        ("RES_PENSION", "open"),
    ]
    monkeypatch.undo()
    assert pay(running, Want(adult, PENSION, 30000), key="pension-key")


def test_who_agrees_agrees_to_what_he_saw(running, adult):
    """K15: the proposal was changed between the page and the button."""
    key = unknown(running, 32000)
    other = running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=9), household=a_household(c, number="0002"))
    )
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    found, _, proposed = doubt(running.parts, key)
    solve.propose(running.parts, key, [Want(other, MEDICAL)], by=CLERK)

    for seen in (proposal(found, proposed), Proposal(frozenset(), 32000), replace(proposal(found, proposed), amount=1)):
        with pytest.raises(SuspenseChanged):
            solve.settle(running.parts, key, seen, by=LEAD)

    assert {row.state for row in rows(running, "select state from bill")} == {"open"}
    agreed_to(running, key, by=LEAD)
    assert rows(running, "select state from bill where person_id = :p", p=other) == [("settled",)]
    assert rows(running, "select state from bill where person_id = :p", p=adult) == [("open",)]


def from_the_treasury(running, serial, yuan):
    """A subsidy whose payer we know nothing of."""
    heading = "税票号,入库日期,业务日期,险种,年度,类别,金额"
    row = f"{serial},2021-11-05,2021-11-05,RES_MEDICAL,2022,gov_subsidy:nobody,{yuan}"
    content = "\n".join([heading, row, f"合计,1,{yuan}", ""]).encode()
    assert import_outside(running.parts, "treasury", content, by=CLERK).taken
    return solve.key_of(running.parts, f"treasury:{serial}")


def test_money_of_nobody_at_the_treasury_goes_back_from_there(running):
    """K30: by a transfer that two people stand for; other money of nobody stays."""
    key, other = from_the_treasury(running, "T1", "5.00"), from_the_bank(running, "B7", "6.00")

    asked = solve.give_back(running.parts, key, by=CLERK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    run_refunds(running, asked.number, "failed")
    account = refund_pay.Account("insured", "某财政所", "6217000012345678", "建行", "退库单 1")
    refund_pay.ask_transfer(running.parts, asked.number, account, by=CLERK)
    refund_pay.decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)

    assert asked.amount == 500 and balances(running) == {"bank:pending": 600, "suspense:bank": -600}
    assert rows(running, "select cause from suspense where solved_at is null") == [(other.cause,)]


def test_money_of_nobody_at_the_treasury_settles_whom_it_was_meant_for(running, adult):
    """K30: and what it settled can go back, from where it lies."""
    key = from_the_treasury(running, "T2", "320.00")

    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    [bill] = rows(running, "select * from bill")
    assert (bill.state, bill.settled_by) == ("settled", "treasury:T2:applied")
    assert balances(running)["treasury:RES_MEDICAL:2022"] == 32000 and "suspense:bank" not in balances(running)
    with running.parts.engine.begin() as connection:
        asked = steps.ask_for_bill(running.parts, connection, bill, steps.Why.ELSEWHERE, by="staff:desk")
    agree(running.parts, asked.number)
    run_refunds(running, asked.number, "failed")
    account = refund_pay.Account("insured", "张示例", "6217000012345678", "建行", "退库单 2")
    refund_pay.ask_transfer(running.parts, asked.number, account, by=CLERK)
    refund_pay.decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)
    assert balances(running) == {}


def test_what_is_not_there_is_said(running):
    with pytest.raises(NoSuchSuspense):
        solve.key_of(running.parts, "receipt:wechat:1")


@pytest.mark.parametrize(
    "attempt",
    [
        "update suspense set owner = 'staff:x'",
        "update suspense set bills = array[1], proposed_by = 'a', bills_household = 1",
        "delete from suspense",
        "insert into suspense_step values (0, 'x', 1, 'taken', 'x', now(), '')",
        "select suspense_solve(0, 'receipt:wechat:4200009', 'applied', 'x', now())",
    ],
)
def test_the_application_cannot_do_it_by_hand(running, attempt):
    unknown(running, 32000)

    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        connection.exec_driver_sql(attempt)

    assert refused.value.orig.sqlstate == "42501"


def from_the_bank(running, serial, yuan):
    """A credit of the bank that fits no channel's day."""
    heading = "银行流水号,入账日期,金额,渠道,业务日期,业务日期止"
    content = "\n".join([heading, f"{serial},2021-11-05,{yuan},,,", f"合计,1,{yuan}", ""]).encode()
    assert import_outside(running.parts, "bank", content, by=CLERK).taken
    return solve.key_of(running.parts, f"deposit:{serial}")


def test_a_credit_of_the_bank_settles_a_bill_whose_money_later_goes_back_by_transfer(running, adult):
    key = from_the_bank(running, "B1", "320.00")
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)
    [bill] = rows(running, "select * from bill")
    assert balances(running)["bank:pending"] == 32000 and "suspense:bank" not in balances(running)

    with running.parts.engine.begin() as connection:
        asked = steps.ask_for_bill(running.parts, connection, bill, steps.Why.ELSEWHERE, by="resident")
    agree(running.parts, asked.number)
    run_refunds(running, asked.number, "failed")
    account = refund_pay.Account("heir", "张示例", "6217000012345678", "建行", "回单 1")
    refund_pay.ask_transfer(running.parts, asked.number, account, by=CLERK)
    refund_pay.decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)

    assert balances(running) == {}


def test_a_credit_of_the_bank_that_is_nobodys_goes_back_by_transfer(running):
    key = from_the_bank(running, "B2", "5.00")

    asked = solve.give_back(running.parts, key, by=CLERK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    run_refunds(running, asked.number, "failed")

    assert rows(running, "select their_word from refund") == [("no_way_back",)]
    assert balances(running) == {"bank:pending": 500, "refunds:bank": -500}
