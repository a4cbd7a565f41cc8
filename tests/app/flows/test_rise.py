"""Who has paid his pension raises its tier once by paying the difference: a bill beside the premium, which nobody owes,
which goes back before it, and which never stands alone."""

from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from app.flows.due.explain import explain
from app.flows.due.quote import NoSuchItem, all_due, subjects
from app.flows.due.rise import due_of_rise
from app.flows.pay.follow import follow
from app.flows.pay.start import NotPayable, SameItemTwice, Want, want_of
from app.flows.prove.check import check
from app.flows.prove.papers import certify, confirm, hand_out
from app.flows.refund import wish
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.steps import apply, decide
from app.flows.register.check_year import check_year
from app.flows.register.open_year import Stays, what_stays
from app.flows.suspense import solve
from app.flows.village.people import Standing, villagers
from app.policy.facts import Insurance
from core.clock import BEIJING, beijing
from payments.errors import RaisedSince
from tests.app.flows.test_corrections import confirmed
from tests.app.flows.test_entitle_late import recognise
from tests.app.flows.test_import_outside import BUREAU, TREASURY, a_file, take
from tests.app.flows.test_levels import home, somebody
from tests.app.flows.test_suspense import agreed_to, unknown
from tests.app.registry.files import VILLAGE
from tests.app.web.test_proofs import words_of
from tests.builders import a_household
from tests.days import MORNING, differences
from tests.refunding import CLERK, LEAD, agree, agreed, balances, pay, rows, run_refunds, start, state, to_the_approval
from tests.rosters import in_force
from tests.shape_years import shape_district
from tests.system import eventually
from tests.two_years import open_2023

__all__ = ["home"]
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
RAISED = "2022年居民养老补差提档：300元→500元"
BILLS = "select tier, raised_from, personal_due, state from bill where person_id = :p order by issued_at, id"


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": shape_district(tmp_path_factory.mktemp("shapes"))}


@pytest.fixture
def adult(running, home):
    return somebody(running, home, 7)


@pytest.fixture
def sibling(running, home):
    return somebody(running, home, 9)


@pytest.fixture
def paid(running, adult, sibling):
    """Both have paid the tier of 300, in one payment."""
    return pay(running, Want(adult, PENSION, 30000), Want(sibling, PENSION, 30000), key="premiums")


def person(running, key):
    return subjects(running.parts, [key])[0]


def dues(running, key, **chosen):
    return all_due(running.parts, person(running, key), at=running.parts.clocks.now(), **chosen)


def bills(running, key):
    return [tuple(row) for row in rows(running, BILLS, p=key)]


def rise(key, tier=50000, **more):
    return Want(key, PENSION, tier, rise=True, **more)


def refused(running, want, key="refused"):
    with pytest.raises(NotPayable) as no:
        start(running, want, key=key)
    return no.value


def test_the_year_with_every_shape_can_be_collected(running):
    assert [line.words for line in check_year(running.parts, 2022) if line.ok is False] == []


def test_what_is_paid_may_be_raised_and_nobody_owes_it(running, adult, sibling, paid):
    medical, pension = dues(running, adult)
    offered = pension.rise
    assert pension.settled and not pension.can_be_done and medical.rise is None
    assert (
        offered.text
        == "从 300 元档往上选一档，只补差价，政府补贴按新的一档算。一年只能提高一次，到2022年11月30日为止。"
    )
    assert [(each.tier, each.personal_due, each.gov_subsidy) for each in offered.choices][:3] == [
        (50000, 20000, 3000),
        (60000, 30000, 3000),
        (80000, 50000, 5000),
    ]
    in_force(running)
    line = next(line for line in villagers(running.parts, VILLAGE)[0] if line.subject.id == adult)
    assert (line.standing, line.amount) == (Standing.UNPAID, 32000), "the medical premium alone"
    chosen = dues(running, adult, rises={2022: 80000})[1].rise
    assert chosen.text == "补差价 500 元，从 300 元档提高到 800 元档。政府再补 50 元，进您的个人账户。"
    assert dues(running, adult, rises={2022: 100000})[1].rise.quote.gov_subsidy == 5000

    assert refused(running, rise(adult, None)).reason == "TIER_REQUIRED"
    for tier in (30000, 10000, 90000):
        assert refused(running, rise(adult, tier)).sentence() == "没有这一档，请从表里选。"
    with pytest.raises(NoSuchItem):
        start(running, rise(somebody(running, None, 11)), key="nobody has paid")
    with pytest.raises(SameItemTwice):
        start(running, rise(adult), rise(adult, 60000), key="twice")
    for odd in ({"insurance": MEDICAL}, {"determination": 7}, {"level": 1}):
        with pytest.raises(SameItemTwice):
            start(running, rise(adult), replace(rise(adult), **odd), key="under two names")
        with pytest.raises(NoSuchItem):
            start(running, replace(rise(adult), **odd), key="of what has none")
    assert bills(running, adult) == [(30000, None, 30000, "settled")]


def test_the_difference_is_paid_once_and_stands_everywhere_under_its_name(running, adult, sibling, paid):
    before = balances(running)
    number = pay(running, rise(adult), key="raised")

    [item] = follow(running.parts, number).items
    assert (item.title, item.amount, item.tier) == (RAISED, 20000, None)
    assert bills(running, adult) == [(30000, None, 30000, "settled"), (50000, 30000, 20000, "settled")]
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]
    after = balances(running)
    assert after["fund:RES_PENSION:2022"] - before["fund:RES_PENSION:2022"] == -(20000 + 3000)
    subsidy = "receivable:gov_subsidy:finance:RES_PENSION"
    assert after[subsidy] - before[subsidy] == 3000

    _, pension, raised = dues(running, adult)
    assert pension.settled and pension.rise is None and raised.settled and raised.title == RAISED
    assert raised.text == "已经补差价提高到 500 元档（11月5日，微信）。一年只能提高一次。" and raised.paid == 20000
    assert person(running, adult).standing[PENSION].paid_tier == 50000
    assert dues(running, sibling)[1].rise is not None
    assert refused(running, rise(adult, 80000)).sentence() == raised.text
    assert want_of(rows(running, "select * from bill where raised_from is not null")[0]) == rise(adult, levy_year=2022)
    in_force(running)
    lines, progress = villagers(running.parts, VILLAGE)
    assert next(each.due_words for each in lines if each.subject.id == adult) == "医保 320 元；养老办好了"
    assert [(each.title, each.done) for each in progress] == [("医保", 0), ("养老", 2)]

    sheet = explain(running.parts, person(running, adult), PENSION, at=running.parts.clocks.now(), rise=True)
    assert sheet.title == f"{RAISED}：交了多少，为什么"
    assert (sheet.personal_due, sheet.account_credit, len(sheet.lines)) == (20000, 23000, 2)
    running.tell()
    assert any(RAISED in each["text"] for each in running.outside.get("/messages")["messages"])
    paper = confirm(running.parts, number)
    assert "补差提档：300元→500元" in words_of(hand_out(running.parts, paper))
    [shown] = check(running.parts, paper.code, network="here").items
    assert shown.title == f"城乡居民基本养老保险费（{RAISED}）" and shown.tier is None
    running.turn(MORNING)
    lines = [
        confirmed(f"R{n}", 7, amount).replace("MEDICAL", "PENSION") for n, amount in ((1, "300.00"), (2, "200.00"))
    ]
    take(running, "bureau", a_file(BUREAU, *lines, total="500.00"))
    assert [row for row in differences(running) if row[0] != "MISSING_IN_BANK"] == [], "the bureau confirms both"
    row = "T1,2021-11-08,2021-11-05,居民养老保险,2022,保费,800.00"
    take(running, "treasury", a_file(TREASURY, row, total="800.00"))
    certificate = certify(running.parts, person(running, adult), PENSION, rise=True)
    assert (certificate.facts["amount"], certificate.facts["items"][0]["title"]) == (20000, RAISED)
    assert certify(running.parts, person(running, adult), PENSION).facts["amount"] == 30000


def test_who_moved_raises_what_he_paid_where_he_lived(running, adult, sibling, paid):
    running.write(
        lambda c: c.exec_driver_sql(
            "update person set household_id = %s where id = %s", (a_household(c, number="0007"), adult)
        )
    )
    pay(running, rise(adult), key="raised")

    found = rows(
        running, "select household_id from bill where person_id = :p order by raised_from nulls first", p=adult
    )
    assert found[0].household_id != found[1].household_id and dues(running, adult)[2].settled
    assert person(running, adult).standing[PENSION].paid_tier == 50000
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]


def test_a_difference_that_is_begun_bars_nobody_and_another_tier_takes_its_place(running, adult, sibling, paid):
    first = start(running, rise(adult), key="first")
    assert start(running, rise(adult), key="first").number == first.number
    assert what_stays(running.parts, 2022) == Stays(unpaid=0, under_way=1), "it is no debt when its year ends"
    pay(running, Want(adult, MEDICAL), rise(sibling, 80000), key="others pay")
    pay(running, rise(adult, 60000), key="second")

    assert bills(running, adult)[1:] == [
        (50000, 30000, 20000, "withdrawn"),
        (None, None, 32000, "settled"),
        (60000, 30000, 30000, "settled"),
    ]
    assert state(running, first.number) in ("closed", "left")


def test_the_last_day_ends_the_offer_and_the_code(running, adult, sibling, paid):
    running.turn(datetime(2022, 11, 30, 23, 50, tzinfo=BEIJING))
    late = start(running, rise(adult), key="the last minutes")
    assert f"{beijing(late.expires_at):%m-%d %H:%M:%S}" == "11-30 23:59:59"

    running.turn(datetime(2022, 12, 1, 0, 5, tzinfo=BEIJING))

    assert dues(running, adult)[1].rise is None
    assert refused(running, rise(sibling)).sentence() == "2022年的养老，补差价提高档次到2022年11月30日为止，已经过了。"
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]


def test_who_paid_nothing_himself_has_nothing_to_raise_and_who_paid_a_part_has(running, home):
    poor, rich = (somebody(running, home, sequence, categories=("DIBAO",)) for sequence in (11, 13))
    start(running, Want(poor, PENSION), key="free")
    pay(running, Want(rich, PENSION, 500000), key="the highest")

    assert bills(running, poor) == [(10000, None, 0, "settled")] and dues(running, poor)[1].rise is None
    assert refused(running, rise(poor)).sentence() == "2022年的养老是政府替您交的，不能在这里补差价提高档次。"
    assert dues(running, rich)[1].rise is None, "there is no higher one"
    assert refused(running, rise(rich)).sentence() == "已经是能选的最高一档，不能再提高。"
    half = somebody(running, home, 15, categories=("DIBAO",))
    pay(running, Want(half, PENSION, 30000), key="a part")
    pay(running, rise(half), key="the difference is his")
    assert bills(running, half) == [(30000, None, 20000, "settled"), (50000, 30000, 20000, "settled")]


def test_the_difference_goes_back_first_and_by_itself(running, adult, sibling, paid):
    number = pay(running, rise(adult), key="raised")
    premium = rows(running, "select id from bill where person_id = :p and raised_from is null", p=adult)[0].id
    running.write(lambda c: c.exec_driver_sql("update payment set started_by = 'account:1'"))
    found = {each.key: each for _, each in wish.refundables(running.parts, [person(running, adult)], actor="account:1")}
    first, difference = found["RES_PENSION@2022"], found["RES_PENSION@2022:rise"]
    assert first.reasons == [] and first.refused == RaisedSince.text
    assert (difference.title, difference.amount, difference.refused) == (RAISED, 20000, None)
    with pytest.raises(RaisedSince):
        apply(running.parts, paid, by=CLERK, bills=[premium])
    asking = {"actor": "account:1", "levy_year": 2022}
    with pytest.raises(RaisedSince):
        wish.ask(running.parts, person(running, adult), PENSION, "twice", expected=30000, request_key="first", **asking)
    before = balances(running)

    asked = wish.ask(
        running.parts, person(running, adult), PENSION, "twice", expected=20000, request_key="rise", rise=True, **asking
    )
    agree(running.parts, asked.number)
    run_refunds(running, asked.number, "paid")

    assert follow(running.parts, number).phase == "refunded" and follow(running.parts, paid).phase == "paid"
    assert balances(running)["fund:RES_PENSION:2022"] - before["fund:RES_PENSION:2022"] == 23000
    assert person(running, adult).standing[PENSION].paid_tier == 30000
    assert dues(running, adult)[1].rise is not None, "it may be raised again"
    again = agreed(running.parts, paid, bills=[premium])
    run_refunds(running, again.number, "paid")
    assert bills(running, adult) == [(30000, None, 30000, "refunded"), (50000, 30000, 20000, "refunded")]
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]


def test_money_for_a_difference_whose_premium_went_back_goes_back_too(running, adult, sibling, paid):
    premium = rows(running, "select id from bill where person_id = :p", p=adult)[0].id
    begun = start(running, rise(adult), key="begun")
    asked = apply(running.parts, paid, by="staff:desk", bills=[premium])
    assert dues(running, adult)[1].rise is None, "it is asked back"
    words = "2022年的养老正在申请退费，现在不能补差价提高档次。"
    assert refused(running, rise(adult, 60000)).sentence() == words
    agree(running.parts, asked.number)

    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "surplus")

    assert bills(running, adult) == [(30000, None, 30000, "refunded"), (50000, 30000, 20000, "open")]
    assert balances(running)["surplus:wechat"] == -20000
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]


def test_who_agrees_learns_that_it_was_raised_since_it_was_asked_back(running, adult, sibling, paid):
    premium = rows(running, "select id from bill where person_id = :p", p=adult)[0].id
    begun = start(running, rise(adult), key="begun")
    asked = apply(running.parts, paid, by="staff:desk", bills=[premium])
    to_the_approval(running.parts, asked.number)
    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")

    with pytest.raises(RaisedSince):
        decide(running.parts, asked.number, approved=True, by=LEAD)

    assert state(running, asked.number, "refund") == "reviewed"
    assert {bill[-1] for bill in bills(running, adult)} == {"settled"}


def test_who_is_recognised_late_keeps_what_he_raised(running, adult, sibling, paid):
    pay(running, rise(adult), key="raised")
    recognise(running, adult, "DIBAO", PENSION)

    assert ask_for_entitled(running.parts) == 1
    [refund] = rows(running, "select number, amount from refund")
    agree(running.parts, refund.number)
    run_refunds(running, refund.number, "paid")

    assert refund.amount == 10000 and sorted(bills(running, adult), key=str) == [
        (30000, None, 20000, "settled"),
        (30000, None, 30000, "refunded"),
        (50000, 30000, 20000, "settled"),
    ]
    assert ask_for_entitled(running.parts) == 0
    assert person(running, adult).standing[PENSION].paid_tier == 50000


def test_a_desk_says_that_money_in_doubt_is_the_difference(running, adult, sibling, paid):
    key = unknown(running, 20000)
    solve.propose(running.parts, key, [rise(adult)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert bills(running, adult)[-1] == (50000, 30000, 20000, "settled")
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]
    told = rows(running, "select fields ->> 'items' as items from notice where starts_with(cause, 'bill:')")
    assert RAISED in [each.items for each in told]


def test_the_database_lets_no_difference_stand_alone(running, adult, sibling, paid):
    pay(running, rise(adult), key="raised")
    start(running, rise(sibling), key="begun")
    columns = "person_id, insurance, levy_year, tier, total, personal_due, reason_code, price_until, raised_from"
    copied = "insert into bill (household_id, id, {columns}) select household_id, id + 1, {chosen} from bill where {of}"
    told = columns.replace("person_id", "{person}").replace("personal_due", "{due}")
    for wrong, named in (
        ("update bill set raised_from = 10000 where raised_from is not null", "frozen"),
        ("update bill set raised_from = null where state = 'open'", "frozen"),
        (copied.format(columns=columns, chosen=told.format(person="person_id", due="personal_due"),
                       of=f"raised_from is not null and person_id = {adult}"), "uq__bill__levy_item"),
        (copied.format(columns=columns, chosen=told.format(person="person_id + 99", due="personal_due"),
                       of=f"raised_from is not null and person_id = {adult}"), "no premium beside it"),
        (copied.format(columns=columns, chosen=told.format(person="person_id + 99", due="personal_due - 1"),
                       of=f"raised_from is not null and person_id = {adult}"), "ck__bill__raised_from"),
    ):  # fmt: skip
        with (
            psycopg.connect(running.environment["DATABASE_OWNER_URL"]) as owner,
            pytest.raises(psycopg.Error, match=named),
        ):
            owner.execute(wrong)
            owner.commit()


def test_a_former_year_is_raised_while_it_is_collected_and_the_next_begins_with_the_higher_tier(
    running, adult, sibling, paid
):
    open_2023(running)
    late = [due for due in dues(running, adult) if due.levy_year == 2022]
    assert [(due.insurance, due.settled, bool(due.rise)) for due in late] == [
        (MEDICAL, False, False),
        (PENSION, True, True),
    ]
    line = next(line for line in villagers(running.parts, VILLAGE)[0] if line.subject.id == adult)
    assert line.late == "2022年医保逾期未交", "what is paid is not said to be owed"

    pay(running, rise(adult, levy_year=2022), key="raised")

    assert [person(running, who).in_year(2023).last_tier for who in (adult, sibling)] == [50000, 30000]
    assert [due for due in dues(running, adult) if due.levy_year == 2022 and due.insurance is PENSION] == []
    in_2023 = person(running, adult).in_year(2023)
    with pytest.raises(NoSuchItem):
        due_of_rise(running.parts, in_2023, at=running.parts.clocks.now(), channel="self")
