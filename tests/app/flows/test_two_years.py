"""2022 late and 2023 normal, both open: every act is under the year it names, and under no other."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.flows.due.quote import subjects
from app.flows.levy import Levy, YearClosed, YearUnsaid
from app.flows.pay.start import NotPayable, Payer, Want, start_payment
from app.flows.refund import wish
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register.open_year import close_year, open_year
from app.policy.facts import Insurance
from app.policy.year import YEARS
from app.registry import find
from core.clock import BEIJING
from payments.errors import KeyReused
from payments.gateways.base import Kind
from tests.app.web.people import a_district
from tests.app.web.test_api import Api
from tests.browsing import Browser
from tests.builders import a_person, an_id_number
from tests.refunding import balances, pay, rows, state
from tests.system import eventually
from tests.two_years import open_2023

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
AUTUMN = datetime(2022, 10, 20, 12, tzinfo=BEIJING)  # both years can be paid, and both insurances of both
OPERATOR = "operator:test"


@pytest.fixture
def autumn(running, adult):
    """The moment, while 2022 is still the only year; 2023 opens when it is called."""
    running.turn(AUTUMN)
    return lambda: open_year(running.office, 2023, by=OPERATOR)


@pytest.fixture
def both_open(autumn):
    assert autumn()


def medical(person, year=None):
    return Want(person, MEDICAL, levy_year=year)


def pension(person, year, tier=30000):
    return Want(person, PENSION, tier, levy_year=year)


def start(running, *wants, key, parts=None):
    payer = Payer("account:1", "self", "wechat", Kind.NATIVE)
    return start_payment(parts or running.parts, wants, payer, request_key=key)


def bills(running, person) -> Sequence[tuple]:
    """(year, insurance, state, fen) of all that stand."""
    return [
        tuple(row)
        for row in rows(
            running,
            "select levy_year, insurance, state, personal_due from bill"
            " where person_id = :p and state <> 'withdrawn' order by 1, 2",
            p=person,
        )
    ]


def become_poor(running, person):
    """A file of the newest year puts somebody on a list."""
    running.write(
        lambda connection: connection.execute(
            text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": person}
        )
    )


def test_one_payment_covers_both_years_each_at_its_own_price(running, adult, both_open):
    pay(running, medical(adult, 2022), pension(adult, 2023), medical(adult, 2023))

    assert bills(running, adult) == [
        (2022, "RES_MEDICAL", "settled", 90000),
        (2023, "RES_MEDICAL", "settled", 35000),
        (2023, "RES_PENSION", "settled", 30000),
    ]
    assert running.one("select amount, description from payment") == (155000, "峄城区2022、2023年度城乡居民保险费")
    booked = {code: amount for code, amount in balances(running).items() if code.startswith("fund:")}
    assert booked == {"fund:RES_MEDICAL:2022": -90000, "fund:RES_MEDICAL:2023": -96000, "fund:RES_PENSION:2023": -33000}


def test_a_key_is_one_wish_and_another_year_is_another_wish(running, adult, both_open):
    """Every pair of wishes under one key: the same wish in whatever order is the same payment, any other KeyReused."""
    late, now = medical(adult, 2022), medical(adult, 2023)
    wishes = [[late], [now], [late, now], [now, late], [pension(adult, 2022)], [pension(adult, 2023), late]]

    for place, (first, second) in enumerate(product(wishes, repeat=2)):
        key = f"pair-{place:04d}"
        if place % len(wishes) == 0:
            begun = start(running, *first, key=key)
        else:
            assert start(running, *first, key=key).number == begun.number  # his code for just these is handed out again
        if set(first) == set(second):
            assert start(running, *second, key=key).number == begun.number
        else:
            with pytest.raises(KeyReused):
                start(running, *second, key=key)


def test_a_key_of_before_the_opening_means_the_year_it_meant(running, adult, autumn):
    """What went without saying was 2022, and stays it."""
    begun = start(running, medical(adult), key="key-before")
    autumn()

    assert start(running, medical(adult, 2022), key="key-before").number == begun.number
    with pytest.raises(KeyReused):
        start(running, medical(adult, 2023), key="key-before")
    assert bills(running, adult) == [(2022, "RES_MEDICAL", "open", 90000)]


def test_a_refunds_key_of_before_the_opening_means_the_year_it_meant(running, adult, autumn):
    begun = start(running, medical(adult), key="paid-before")
    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")
    who = "account:1"
    [person] = subjects(running.parts, [adult])
    asked = wish.ask(
        running.parts, person, MEDICAL, "twice", expected=90000, actor=who, request_key="back-1", levy_year=2022
    )
    autumn()

    ask = {"expected": 90000, "actor": who, "request_key": "back-1"}
    assert wish.ask(running.parts, person, MEDICAL, "twice", levy_year=2022, **ask).number == asked.number
    with pytest.raises(KeyReused):
        wish.ask(running.parts, person, MEDICAL, "twice", levy_year=2023, **ask)


def test_an_item_without_a_year_is_asked_back_while_two_are_open(running, autumn):
    """In plain words with the way back, and nothing is written; who says the year pays that year."""
    somebody = running.write(a_district).adult
    autumn()
    browser = Browser(running.url)
    page = browser.look_up(somebody.name, somebody.id_number)
    item = next(each for each in page.values("item") if each.endswith("RES_MEDICAL@2023"))
    unsaid = item.removesuffix("@2023")
    api = Api(running)
    named = {"person": api.look_up(somebody), "insurance": "RES_MEDICAL"}

    with pytest.raises(YearUnsaid):
        start(running, medical(somebody.id), key="no-year-1")
    confirm = browser.get("/confirm", item=[item])
    refused = browser.submit(confirm, "/pay", form="/pay", by="wechat:native", item=[unsaid])
    answer = api.pay(named)

    assert refused.status == 422 and "请返回重新选是哪一年" in refused.text
    assert refused.link("重新看要交多少").endswith("/due")
    assert (answer.status_code, answer.json["code"]) == (422, "YEAR_UNSAID")
    assert bills(running, somebody.id) == []
    assert api.pay(named | {"year": 2022}).status_code == 201
    assert bills(running, somebody.id) == [(2022, "RES_MEDICAL", "open", 90000)]
    browser.close()


def test_a_page_of_before_the_opening_cannot_pay_the_wrong_year(running, autumn):
    """Its items say 2022, its prices were 2022's, and 2022 is what is paid."""
    somebody = running.write(a_district).adult
    browser = Browser(running.url)
    page = browser.look_up(somebody.name, somebody.id_number)
    [item] = [each for each in page.values("item") if "RES_MEDICAL" in each]
    confirm = browser.get("/confirm", item=[item])
    autumn()

    paid = browser.submit(confirm, "/pay", form="/pay", by="wechat:native")

    assert "900" in confirm.text and paid.status == 200
    assert bills(running, somebody.id) == [(2022, "RES_MEDICAL", "open", 90000)]
    browser.close()


def test_a_process_that_has_not_heard_of_the_opening_reads_no_register_of_another_year(running, adult, both_open):
    """It looks every few seconds; within them 2023's list must not decide what 2022 costs."""
    asleep = unaware(running)
    become_poor(running, adult)

    start(running, medical(adult, 2022), key="asleep-1", parts=asleep)

    assert bills(running, adult) == [(2022, "RES_MEDICAL", "open", 90000)]
    with pytest.raises(YearUnsaid):
        start(running, medical(adult), key="asleep-2", parts=unaware(running))
    assert start(running, medical(adult, 2023), key="asleep-3", parts=unaware(running)).state == "settled"
    assert bills(running, adult) == [(2022, "RES_MEDICAL", "open", 90000), (2023, "RES_MEDICAL", "settled", 0)]


def test_whom_another_thread_tells_of_the_opening_reads_the_register_again(running, adult, both_open, monkeypatch):
    """It heard of it between this one's reading and writing: that the process knows says nothing of what was read."""
    asleep, read = unaware(running), find.by_ids
    become_poor(running, adult)

    def meanwhile(connection, *asked, **years):
        found = read(connection, *asked, **years)
        other = threading.Thread(target=asleep.levy.look)
        other.start()
        other.join()
        return found

    monkeypatch.setattr(find, "by_ids", meanwhile)
    start(running, medical(adult, 2022), key="meanwhile", parts=asleep)

    assert bills(running, adult) == [(2022, "RES_MEDICAL", "open", 90000)]


def unaware(running):
    """The parts of a process that looked a moment ago, when 2022 was the only year."""
    levy = Levy(running.parts.engine, YEARS, 2022)
    levy._looked_at = float("inf")
    return replace(running.parts, levy=levy)


def test_a_list_of_one_year_gives_back_that_years_money_and_none_of_the_other(running, adult):
    """The worker that looks for them looked a moment ago at which years there are, and heard of 2022 only."""
    pay(running, medical(adult))  # in time, in 2021: were he on its list he would have paid nothing
    open_2023(running)
    pay(running, medical(adult, 2023), key="2023")
    become_poor(running, adult)

    assert ask_for_entitled(unaware(running)) == 1

    asked = rows(
        running,
        "select b.levy_year, r.amount from refund r join refund_bill using (household_id, number)"
        " join bill b on b.id = bill_id",
    )
    assert asked == [(2023, 35000)]
    assert [row[2] for row in bills(running, adult)] == ["settled", "settled"]


def test_a_closed_year_takes_no_new_payment_and_the_money_of_a_code_that_is_out(running, adult, both_open):
    asleep = replace(running.parts, levy=Levy(running.parts.engine, YEARS, 2022))
    asleep.levy.look()
    asleep.levy._looked_at = float("inf")
    begun = start(running, medical(adult, 2022), key="out-1")
    assert close_year(running.office, 2022, by=OPERATOR)

    for parts in (running.parts, asleep):
        with pytest.raises(YearClosed):
            start(running, pension(adult, 2022), key="closed-1", parts=parts)
    assert start(running, medical(adult, 2022), key="out-1").number == begun.number  # the same request once more
    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")
    start(running, medical(adult), key="open-1")  # the only one that is left need not be named

    assert bills(running, adult) == [
        (2022, "RES_MEDICAL", "settled", 90000),
        (2023, "RES_MEDICAL", "open", 35000),
    ]


def test_one_effective_bill_for_a_person_an_insurance_and_a_year(running, adult, autumn):
    """What is paid for one year bars that year only, whatever comes again; a sibling's stand as they were."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )
    autumn()
    pay(running, medical(adult, 2022), medical(sibling, 2022), medical(sibling, 2023))
    before = bills(running, sibling)

    pay(running, medical(adult, 2023), key="second-year")

    for year in (2022, 2023):
        with pytest.raises(NotPayable):
            start(running, medical(adult, year), key=f"again-{year}")
        with pytest.raises(IntegrityError, match="uq__bill__levy_item"), running.parts.engine.begin() as connection:
            connection.execute(_ONCE_MORE, {"p": adult, "y": year})
    assert [row[0] for row in bills(running, adult)] == [2022, 2023]
    assert bills(running, sibling) == before


_ONCE_MORE = text(
    "insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code,"
    " price_until) select household_id, id + 1000, person_id, insurance, levy_year, total, personal_due, reason_code,"
    " price_until from bill where person_id = :p and levy_year = :y"
)
