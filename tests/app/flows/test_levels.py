"""Levels of the medical insurance and a pension of any amount: what was chosen stands on the bill, and whatever asks
for its price again asks for that."""

import dataclasses
from datetime import datetime

import psycopg
import pytest

from app.flows.due.quote import AGENT, all_due, subjects
from app.flows.due.replay import replay
from app.flows.due.replay_book import explained
from app.flows.pay.follow import follow
from app.flows.pay.go_on import go_on
from app.flows.pay.start import Kind as By
from app.flows.pay.start import NotPayable, Payer, SameItemTwice, Want, start_payment, want_of
from app.flows.prove.papers import confirm, hand_out
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register.check_year import check_year
from app.flows.suspense import solve
from app.flows.village.people import Standing, villagers
from app.policy.facts import Insurance
from core.clock import BEIJING
from payments.errors import KeyReused, SuspenseUnfit
from tests.app.flows.test_entitle_late import recognise
from tests.app.flows.test_import_outside import POS, a_file, a_pos_line, take
from tests.app.flows.test_suspense import agreed_to, unknown
from tests.app.registry.files import VILLAGE
from tests.app.web.test_proofs import words_of
from tests.builders import a_household, a_person, an_id_number
from tests.days import MORNING
from tests.level_years import level_district
from tests.refunding import CLERK, LEAD, agree, agreed, balances, pay, rows, run_refunds, start

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
COPIED = (
    "insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code,"
    " price_until, level) select household_id, id + 1, person_id + 1, insurance, 2021, total, personal_due,"
    " reason_code, price_until, {level} from bill where {where}"
)
LATE = datetime(2022, 1, 15, 9, tzinfo=BEIJING)


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": level_district(tmp_path_factory.mktemp("levels"))}


@pytest.fixture
def home(running):
    return running.write(a_household)


def somebody(running, home, sequence, **more):
    number = an_id_number(sequence=sequence)
    return running.write(lambda c: a_person(c, id_number=number, household=home, name=f"张示{sequence}", **more))


@pytest.fixture
def adult(running, home):
    return somebody(running, home, 5)


@pytest.fixture
def sibling(running, home):
    return somebody(running, home, 7)


def dues(running, person, **chosen):
    [subject] = subjects(running.parts, [person])
    return all_due(running.parts, subject, at=running.parts.clocks.now(), **chosen)


def medical(running, person, level=None):
    return dues(running, person, levels={2022: level} if level else {})[0]


def bills(running, person):
    found = rows(running, "select * from bill where person_id = :p order by issued_at, id", p=person)
    return [(bill.insurance, bill.level, bill.personal_due, bill.state) for bill in found]


def test_the_year_can_be_collected(running):
    assert [line.words for line in check_year(running.parts, 2022) if line.ok is False] == []


def test_nobody_is_charged_for_a_level_that_he_did_not_choose(running, home, adult):
    asked = medical(running, adult)
    assert (asked.quote.reason_code, asked.text) == ("LEVEL_REQUIRED", "请先选一档：一档、二档。")
    assert asked.level_open and asked.can_be_done and not asked.payable and asked.title == "2022年居民医保"
    assert [(each.level, each.allowed, each.personal_due) for each in asked.levels] == [
        (1, True, 32000),
        (2, True, 50000),
    ]
    second = medical(running, adult, 2)
    assert (second.title, second.quote.personal_due, second.payable) == ("2022年居民医保（二档）", 50000, True)
    assert medical(running, adult, 3).text == "没有这一档，请从一档、二档里选。"
    with pytest.raises(NotPayable) as refused:
        start(running, Want(adult, MEDICAL))
    assert refused.value.reason == "LEVEL_REQUIRED" and bills(running, adult) == []
    with pytest.raises(SameItemTwice):
        start(running, Want(adult, MEDICAL, level=1), Want(adult, MEDICAL, level=2))
    [line] = villagers(running.parts, VILLAGE)[0]
    assert (line.standing, line.due_words) == (Standing.TIER_OPEN, "医保选档后交；养老定好数再交")
    assert line.words == "没选档"
    listed = all_due(running.parts, line.subject, at=running.parts.clocks.now(), channel=AGENT)
    assert not any("said" in vars(due) for due in listed), "a list of a village says none of their words"

    pay(running, Want(adult, MEDICAL, level=1))
    [line] = villagers(running.parts, VILLAGE)[0]
    assert (line.words, line.due_words) == ("没选金额", "医保办好了；养老定好数再交"), "an amount is no tier"


def test_whom_no_level_makes_a_difference_for_chooses_none(running, home):
    student = somebody(running, home, 9, school="university", student=True)

    assert [medical(running, student, level).levels for level in (None, 1, 2)] == [()] * 3
    pay(running, Want(student, MEDICAL, level=2), key="student")

    assert bills(running, student) == [("RES_MEDICAL", None, 15000, "settled")]
    assert dues(running, student)[0].title == "2022年居民医保"


def test_whom_the_government_pays_the_first_level_for_need_choose_nothing(running, home, sibling):
    poor = somebody(running, home, 9, categories=("DIBAO",))
    free = medical(running, poor)
    assert (free.is_free, free.title) == (True, "2022年居民医保（一档）")
    assert [(each.level, each.personal_due) for each in free.levels] == [(1, 0), (2, 18000)]

    started = start(running, Want(poor, MEDICAL), key="free")

    assert started.state == "settled" and bills(running, poor) == [("RES_MEDICAL", 1, 0, "settled")]
    assert medical(running, sibling).level_open, "his sibling's is still to be chosen"


def test_a_level_that_is_closed_says_why_and_the_other_is_open(running, adult):
    running.turn(LATE)
    one, two = medical(running, adult).levels
    assert (one.allowed, two.allowed, two.reason_code) == (True, False, "LATE_WINDOW_CLOSED")
    assert medical(running, adult).level_open and medical(running, adult, 2).can_be_done
    poor = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=11), categories=("DIBAO",)))
    assert medical(running, poor).waits, "nobody who should pay less is led to pay more before the bureau has looked"


def test_two_of_a_house_pay_for_two_levels_and_one_gets_his_back(running, adult, sibling):
    number = pay(running, Want(adult, MEDICAL, level=1), Want(sibling, MEDICAL, level=2), key="both")

    told = follow(running.parts, number)
    assert [item.title for item in told.items] == ["2022年居民医保（一档）", "2022年居民医保（二档）"]
    running.tell()
    [message] = [each["text"] for each in running.outside.get("/messages")["messages"] if "820" in each["text"]]
    assert "2022年居民医保（一档）、2022年居民医保（二档）" in message
    paper = hand_out(running.parts, confirm(running.parts, number))
    assert "一档" in words_of(paper) and "二档" in words_of(paper)
    assert balances(running)["fund:RES_MEDICAL:2022"] == -(90000 + 108000)
    assert dues(running, sibling)[0].title == "2022年居民医保（二档）"

    [his] = rows(running, "select id from bill where person_id = :p", p=adult)
    asked = agreed(running.parts, number, bills=[his.id])
    run_refunds(running, asked.number, "paid")

    assert bills(running, adult) == [("RES_MEDICAL", 1, 32000, "refunded")]
    assert bills(running, sibling) == [("RES_MEDICAL", 2, 50000, "settled")]
    assert balances(running)["fund:RES_MEDICAL:2022"] == -108000
    assert medical(running, adult).level_open and not medical(running, sibling).level_open


def test_another_level_before_paying_is_another_bill(running, adult, sibling):
    first = start(running, Want(adult, MEDICAL, level=1), key="the key of one")
    beside = start(running, Want(sibling, MEDICAL, level=2), key="the sibling's key")
    with pytest.raises(KeyReused):
        start(running, Want(adult, MEDICAL, level=2), key="the key of one")
    same = start(running, Want(adult, MEDICAL, level=1), key="the key of one")
    assert same.number == first.number

    pay(running, Want(adult, MEDICAL, level=2), key="the key of two")

    assert bills(running, adult) == [("RES_MEDICAL", 1, 32000, "withdrawn"), ("RES_MEDICAL", 2, 50000, "settled")]
    assert bills(running, sibling) == [("RES_MEDICAL", 2, 50000, "open")]
    assert running.one("select state from payment where number = :n", n=beside.number).state == "pending"


def test_another_network_asks_for_the_same_level(running, adult):
    payer = Payer("account:1", "self", "wechat", By.H5, network="203.0.113.5")
    started = start_payment(running.parts, [Want(adult, MEDICAL, level=2)], payer, request_key="on this phone")

    moved = go_on(running.parts, started.number, by="account:1", network="203.0.113.77")

    assert moved.number != started.number and moved.amount == 50000
    [bill] = rows(running, "select * from bill where state = 'open'")
    assert want_of(bill) == Want(adult, MEDICAL, None, None, 2022, 2)


def test_what_was_chosen_never_changes_and_nothing_else_has_a_level(running, adult):
    pay(running, Want(adult, MEDICAL, level=2))
    start(running, Want(adult, PENSION, 123400), key="pension")
    for wrong, named in (
        ("update bill set level = 1", "frozen"),
        ("update bill set level = null where state = 'settled'", "frozen"),
        ("update bill set level = 1 where insurance = 'RES_PENSION'", "frozen"),
        (COPIED.format(level=1, where="insurance = 'RES_PENSION'"), "ck__bill__level"),
        (COPIED.format(level=0, where="insurance = 'RES_MEDICAL'"), "ck__bill__level"),
    ):
        with (
            psycopg.connect(running.environment["DATABASE_OWNER_URL"]) as owner,
            pytest.raises(psycopg.Error, match=named),
        ):
            owner.execute(wrong)


def test_a_card_at_the_counter_pays_the_level_that_costs_it(running, adult, sibling):
    running.turn(MORNING)
    lines = [
        a_pos_line("000001", "500.00", who=an_id_number(sequence=5), insurance="居民医疗保险"),
        a_pos_line("000002", "320.00", who=an_id_number(sequence=7), insurance="居民医疗保险"),
        a_pos_line("000003", "4321.00", who=an_id_number(sequence=7), insurance="居民养老保险"),
    ]

    assert take(running, "pos", a_file(POS, *lines, total="5141.00")).open == 0

    assert bills(running, adult) == [("RES_MEDICAL", 2, 50000, "settled")]
    assert sorted(bills(running, sibling)) == [
        ("RES_MEDICAL", 1, 32000, "settled"),
        ("RES_PENSION", None, 432100, "settled"),
    ]


def test_money_in_doubt_is_for_the_level_that_is_said(running, adult, sibling):
    key = unknown(running, 50000)
    for unfit in (Want(adult, MEDICAL), Want(adult, MEDICAL, level=1)):
        with pytest.raises((NotPayable, SuspenseUnfit)):
            solve.propose(running.parts, key, [unfit], by=CLERK)

    solve.propose(running.parts, key, [Want(adult, MEDICAL, level=2)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert bills(running, adult)[-1] == ("RES_MEDICAL", 2, 50000, "settled")
    assert bills(running, sibling) == []
    [told] = rows(running, "select fields ->> 'items' as items from notice where starts_with(cause, 'bill:')")
    assert (told.items, medical(running, adult).level) == ("2022年居民医保（二档）", 2)
    assert medical(running, sibling).level is None


def test_who_is_recognised_late_stays_in_his_level(running, adult, sibling):
    pay(running, Want(adult, MEDICAL, level=2), Want(sibling, MEDICAL, level=2), key="both")
    recognise(running, adult, "DIBAO", MEDICAL)

    assert ask_for_entitled(running.parts) == 1
    [refund] = rows(running, "select number, amount from refund")
    agree(running.parts, refund.number)
    run_refunds(running, refund.number, "paid")

    assert refund.amount == 32000, "the help of level 2: level 1 would have left nothing"
    assert bills(running, adult) == [("RES_MEDICAL", 2, 50000, "refunded"), ("RES_MEDICAL", 2, 18000, "settled")]
    assert bills(running, sibling) == [("RES_MEDICAL", 2, 50000, "settled")]


def test_any_amount_between_the_bounds_is_a_pension(running, adult, sibling):
    asked = dues(running, adult)[1]
    assert asked.text == "请先定交多少：最少 1000 元，最多 9000 元，整元。"
    assert (asked.amounts.least, asked.amounts.most, asked.choices) == (100000, 900000, ())
    wishes = [(None, 100000), (123400, 123400), (900100, 100000), (123450, 100000)]
    assert [asked.amounts.proposed(last) for last, _ in wishes] == [first for _, first in wishes]
    for wrong in (99900, 900100, 123450):
        said = dues(running, adult, tiers={(2022, None): wrong})[1]
        assert said.text == "金额不对：最少 1000 元，最多 9000 元，只能是整元。" and said.tier_open
        with pytest.raises(NotPayable):
            start(running, Want(adult, PENSION, wrong), key=f"wrong {wrong}")

    pay(running, Want(adult, PENSION, 123400), Want(sibling, PENSION, 900000), key="amounts")

    assert rows(running, "select tier, total, state from bill order by tier") == [
        (123400, 123400, "settled"),
        (900000, 900000, "settled"),
    ]
    assert balances(running)["fund:RES_PENSION:2022"] == -(123400 + 6000 + 900000 + 9000)


def test_whom_the_government_pays_for_may_pay_more_than_that(running, home):
    poor = somebody(running, home, 9, categories=("DIBAO",))
    free = dues(running, poor)[1]
    assert free.is_free and free.quote.tier == 100000 and free.amounts is not None

    pay(running, Want(poor, PENSION, 250000))

    assert rows(running, "select tier, personal_due from bill") == [(250000, 150000)]


def test_a_replay_asks_for_the_level_that_was_paid(running, adult, sibling):
    pay(running, Want(adult, MEDICAL, level=2))
    rules = running.parts.rules

    told = replay(
        running.parts, rules, dataclasses.replace(rules, year=2023), at=running.parts.clocks.now(), processes=1
    )

    medical = told.whole()[MEDICAL]
    assert (medical.personal[0], medical.personal[1]) == (32000, 50000 + 32000), "the sibling chose none: the first"
    assert any("医保档次" in line for line in explained(told))
