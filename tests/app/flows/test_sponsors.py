"""Sponsors: two hands and money first, then a share of each bill, never more than there is; what is left goes back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.flows.due.quote import SELF, amount_due, subjects
from app.flows.pay.follow import follow
from app.flows.pay.leave import give_way
from app.flows.pay.start import Want
from app.flows.prove.papers import confirm, hand_out
from app.flows.reconcile.import_outside import import_outside
from app.flows.refund import steps
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.give_back import Account, ask_transfer, decide_transfer, pay_due
from app.flows.sponsor import desk
from app.flows.sponsor.enter import Hand, OwnPledge, PledgeMoved, agree, end, enter
from app.flows.sponsor.give_back import StillReserved, give_back
from app.flows.sponsor.pay_in import TooMuchForPledge, Wish, pay_in
from app.flows.sponsor.promise import BadPromise, Typed, promised
from app.flows.suspense import solve
from app.policy.facts import Insurance
from app.policy.refunds import Why
from payments.errors import KeyReused, NothingToGiveBack, OwnSuspense, SuspenseUnfit
from payments.suspense.solve import Key
from payments.taking import find as find_money
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import CLERK, LEAD, MEDICAL_BUREAU, agreed, balances, pay, rows, run_refunds, start, state
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL
ENTERS, AGREES = Hand(by="staff:enters"), Hand(by="staff:agrees")
VILLAGE = "370404103901"
WORDS = {
    "kind": "village",
    "name": "示例村股份经济合作社",
    "contact": "李联系",
    "phone": "06320000000",
    "insurance": "RES_MEDICAL",
    "mode": "ALL",
    "budget": "1000",
    "village_code": VILLAGE,
}


def entered(running, people=(), **words):
    """A pledge as it is written down; its id."""
    parts = running.office
    typed = Typed(WORDS | words, people)
    return enter(parts, promised(typed, parts.levy.newest, today=parts.clocks.today()), hand=ENTERS)


def bank(running, number, amount, serial="BK1"):
    """The bank's file has one credit with these words."""
    words = f"银行流水号,入账日期,金额,附言\n{serial},2021-11-05,{amount},{number}\n合计,1,{amount}\n"
    return import_outside(running.parts, "bank", words.encode(), by=CLERK)


def funded(running, amount=None, people=(), **words):
    """One that is agreed to, with its money."""
    pledge = entered(running, people, **words)
    agree(running.office, pledge, hand=AGREES)
    row = desk.pledge(running.parts, pledge).row
    bank(running, f"资助 {row.number.lower()}，谢谢", amount or words.get("budget", "1000"), serial=f"B{pledge}")
    return pledge


def quoted(running, person):
    [subject] = subjects(running.parts, [person])
    return amount_due(running.parts, subject, MEDICAL, at=running.parts.clocks.now(), channel=SELF)


def stands(running, pledge):
    """(state, reserved, used, left) in yuan."""
    found = desk.pledge(running.parts, pledge)
    return found.state, found.reserved // 100, found.used // 100, found.left // 100


def neighbour(running, sequence=9, **columns):
    return running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=sequence), **columns))


def test_two_hands_and_money_come_before_the_first_share(running, adult):
    pledge = entered(running, mode="PCT", value="50")
    assert stands(running, pledge)[0] == "PROPOSED"
    with pytest.raises(OwnPledge):
        agree(running.office, pledge, hand=ENTERS)
    agree(running.office, pledge, hand=AGREES)
    with pytest.raises(PledgeMoved):
        agree(running.office, pledge, hand=AGREES)
    assert stands(running, pledge)[0] == "AGREED"
    assert quoted(running, adult).quote.to_pay == 32000
    number = desk.pledge(running.parts, pledge).row.number
    bank(running, f"{number}示例村", "1000")
    bank(running, f"{number}示例村", "1000")  # the same file again
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 1000)
    assert balances(running) == {"bank:pending": 100000, f"sponsor:{pledge}": -100000}

    due = quoted(running, adult)
    assert (due.quote.to_pay, due.quote.sponsors) == (16000, ("示例村股份经济合作社",))
    started = start(running, Want(adult, MEDICAL))
    assert started.amount == 16000 and stands(running, pledge) == ("ACTIVE", 160, 0, 840)
    running.outside.pay(started.checkout.code_url)
    eventually(lambda: state(running, started.number) == "paid")

    assert stands(running, pledge) == ("ACTIVE", 0, 160, 840)
    [item] = follow(running.parts, started.number).items
    assert item.within == ("另由示例村股份经济合作社资助 160 元",)
    paper = confirm(running.parts, started.number)
    assert paper.facts["items"][0]["sponsors"] == [{"name": "示例村股份经济合作社", "amount": 16000}]
    assert hand_out(running.parts, paper).startswith(b"%PDF")
    assert balances(running) == {
        "bank:pending": 100000,
        "clearing:wechat": 16000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
        f"sponsor:{pledge}": -84000,
    }
    assert "其中一部分由示例村股份经济合作社资助" in quoted(running, adult).text
    [share], count = desk.shares(running.parts, pledge)
    assert (share.name, share.amount, count) == ("张*例", 16000, 1)


def test_who_is_wholly_sponsored_pays_nothing_and_the_last_share_is_given_once(running, adult):
    pledge = funded(running, budget="320")
    other = neighbour(running)
    assert quoted(running, other).is_free

    assert start(running, Want(adult, MEDICAL)).number is None

    assert stands(running, pledge) == ("EXHAUSTED", 0, 320, 0)
    assert "示例村股份经济合作社替您交" in quoted(running, adult).text
    due = quoted(running, other)
    assert due.quote.to_pay == 32000 and "示例村股份经济合作社的资助款已用完" in due.text
    started = start(running, Want(other, MEDICAL), key="other-key")
    assert started.amount == 32000
    [item] = follow(running.parts, started.number).items
    assert item.within == ("示例村股份经济合作社的资助款已用完",)


def test_two_of_one_wish_share_what_is_left(running, adult):
    pledge = funded(running, budget="400")
    sibling = neighbour(running)

    started = start(running, Want(adult, MEDICAL), Want(sibling, MEDICAL))

    assert started.amount == 32000 and stands(running, pledge) == ("ACTIVE", 0, 320, 80)


def test_who_lets_a_code_go_lets_the_share_go(running, adult):
    pledge = funded(running, budget="160", mode="PCT", value="50")
    other = neighbour(running)
    first = start(running, Want(adult, MEDICAL))
    assert stands(running, pledge) == ("EXHAUSTED", 160, 0, 0)
    assert quoted(running, adult).quote.to_pay == 16000  # his own share is his
    assert start(running, Want(adult, MEDICAL), key="again").number == first.number
    with running.parts.reading() as connection:
        row = find_money.payment(connection, first.number)
    assert give_way(running.parts, row, by="resident")
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 160)
    first = start(running, Want(adult, MEDICAL), key="once more")
    assert stands(running, pledge) == ("EXHAUSTED", 160, 0, 0)
    with pytest.raises(StillReserved):
        end(running.office, pledge, why="不再资助", hand=ENTERS)
        give_back(running.office, pledge, hand=ENTERS)

    with running.parts.reading() as connection:
        row = find_money.payment(connection, first.number)
    assert give_way(running.parts, row, by="resident")

    assert stands(running, pledge) == ("ENDED", 0, 0, 160)
    assert quoted(running, other).quote.to_pay == 32000
    shares = rows(running, "select state, amount from pledge_share")
    assert shares == [("released", 16000)]


def test_money_that_comes_after_the_share_went_to_another_is_given_back(running, adult):
    pledge = funded(running, budget="160", mode="PCT", value="50")
    other = neighbour(running)
    late = start(running, Want(adult, MEDICAL))
    running.write(lambda c: c.execute(text("update payment set state = 'left' where number = :n"), {"n": late.number}))
    paid = pay(running, Want(other, MEDICAL), key="other")

    running.outside.pay(late.checkout.code_url)
    eventually(lambda: state(running, late.number) == "surplus")

    assert (state(running, paid), stands(running, pledge)) == ("paid", ("EXHAUSTED", 0, 160, 0))


def test_fifty_at_once_never_spend_more_than_there_is(running):
    pledge = funded(running, budget="960")
    people = [
        running.write(
            lambda connection, n=n: a_person(
                connection,
                id_number=an_id_number(sequence=n),
                household=a_household(connection, number=str(n)),
            )
        )
        for n in range(100, 112)
    ]

    with ThreadPoolExecutor(6) as crowd:
        started = list(crowd.map(lambda p: start(running, Want(p, MEDICAL), key=f"key-{p}"), people))

    assert sorted(each.amount for each in started) == [0] * 3 + [32000] * 9
    assert stands(running, pledge) == ("EXHAUSTED", 0, 960, 0)


def test_a_bill_that_goes_back_gives_its_share_back_to_the_budget(running, adult):
    pledge = funded(running, budget="1000", mode="FIX", value="100")
    payment = pay(running, Want(adult, MEDICAL))
    assert stands(running, pledge) == ("ACTIVE", 0, 100, 900)

    asked = agreed(running.parts, payment, why=Why.ELSEWHERE)

    assert asked.amount == 22000  # what he paid himself, and nothing of the sponsor's
    run_refunds(running, asked.number, "paid")
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 1000)
    assert balances(running) == {"bank:pending": 100000, f"sponsor:{pledge}": -100000}


def test_who_is_recognised_later_is_paid_for_by_the_department_and_no_longer_by_the_sponsor(running, adult):
    pledge = funded(running, mode="PCT", value="50")
    pay(running, Want(adult, MEDICAL))
    paid_whole = neighbour(running, household=running.write(lambda c: a_household(c, village="370404103902")))
    pay(running, Want(paid_whole, MEDICAL), key="whole")
    funded(running, village_code="370404103902")  # of whoever has paid before it gives nothing in cash
    assert ask_for_entitled(running.parts) == 0
    running.write(lambda c: c.execute(text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": adult}))

    assert ask_for_entitled(running.parts) == 1
    [row] = rows(running, "select * from refund")
    assert row.amount == 16000
    steps.accept(running.parts, row.number, by=CLERK)
    steps.review(running.parts, row.number, MEDICAL, by=MEDICAL_BUREAU)
    steps.decide(running.parts, row.number, approved=True, by=LEAD)

    run_refunds(running, row.number, "paid")
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 1000)


def test_a_sponsor_pays_his_smaller_share_of_a_bill_that_stands_in_anothers_place(running):
    """Somebody of 65 paid before the register had his age right, and the pledge has ended since."""
    old = neighbour(running, 11)
    pledge = funded(running, mode="PCT", value="50")
    pay(running, Want(old, MEDICAL))
    end(running.office, pledge, why="年度资助结束", hand=ENTERS)
    running.write(lambda c: c.execute(text("update person set birth_date = '1956-01-01' where id = :p"), {"p": old}))

    assert ask_for_entitled(running.parts) == 1
    [row] = rows(running, "select * from refund")
    steps.accept(running.parts, row.number, by=CLERK)
    steps.review(running.parts, row.number, MEDICAL, by=MEDICAL_BUREAU)
    steps.decide(running.parts, row.number, approved=True, by=LEAD)

    run_refunds(running, row.number, "paid")
    assert (row.amount, stands(running, pledge)) == (8000, ("ENDED", 0, 80, 920))


def test_what_is_left_goes_back_by_four_hands_the_way_it_came(running, adult):
    pledge = funded(running, amount="500", budget="1000", mode="FIX", value="100")
    code = pay_in(running.parts, Wish(pledge, 20000, "wechat", "k"), by="staff:enters")
    assert pay_in(running.parts, Wish(pledge, 20000, "wechat", "k"), by="staff:enters").number == code.number
    with pytest.raises(TooMuchForPledge):
        pay_in(running.parts, Wish(pledge, 50001, "wechat", "j"), by="staff:enters")
    with pytest.raises(KeyReused):
        pay_in(running.parts, Wish(entered(running), 20000, "wechat", "k"), by="staff:enters")
    running.outside.pay(code.checkout.code_url)
    eventually(lambda: state(running, code.number) == "paid")
    pay(running, Want(adult, MEDICAL))
    assert stands(running, pledge) == ("ACTIVE", 0, 100, 600)
    with pytest.raises(PledgeMoved):
        give_back(running.office, pledge, hand=ENTERS)
    end(running.office, pledge, why="年度资助结束", hand=ENTERS)
    assert quoted(running, neighbour(running)).quote.to_pay == 32000

    asked = give_back(running.office, pledge, hand=ENTERS)

    assert sorted(each.amount for each in asked) == [20000, 40000]
    with pytest.raises(NothingToGiveBack):
        give_back(running.office, pledge, hand=ENTERS)
    [refused] = [each for each in asked if each.amount == 40000]
    steps.accept(running.parts, refused.number, by=CLERK)
    steps.decide(running.parts, refused.number, approved=False, by=LEAD, reason="金额再核一下")
    assert stands(running, pledge) == ("ENDED", 0, 100, 400)
    asked = [each for each in asked if each is not refused] + give_back(running.office, pledge, hand=ENTERS)
    for each in asked:
        steps.accept(running.parts, each.number, by=CLERK)
        steps.review(running.parts, each.number, MEDICAL, by=MEDICAL_BUREAU)
        steps.decide(running.parts, each.number, approved=True, by=LEAD)
    by_code, by_bank = asked
    run_refunds(running, by_code.number, "paid")
    run_refunds(running, by_bank.number, "failed")
    slip = Account("insured", "示例村股份经济合作社", "6222000000000000", "建行", "HD1")
    ask_transfer(running.parts, by_bank.number, slip, by=CLERK)
    decide_transfer(running.parts, by_bank.number, agreed=True, by=LEAD)

    assert stands(running, pledge) == ("UNUSED_RETURNED", 0, 100, 0)
    assert balances(running) == {
        "bank:pending": 10000,
        "clearing:wechat": 22000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 58000,
        "fund:RES_MEDICAL:2022": -90000,
    }
    assert pay_due(running.parts) == 0


def test_money_that_names_no_pledge_waits_until_two_people_give_it_to_one(running):
    pledge = entered(running)
    number = desk.pledge(running.parts, pledge).row.number
    bank(running, number, "700")  # nobody has agreed to it yet
    key = Key(0, "deposit:BK1")
    with pytest.raises(SuspenseUnfit):
        solve.propose_pledge(running.parts, key, number, by=CLERK)
    agree(running.office, pledge, hand=AGREES)
    solve.propose_pledge(running.parts, key, number, by=CLERK)
    with pytest.raises(OwnSuspense):
        solve.give_pledge(running.parts, key, pledge, by=CLERK)

    solve.give_pledge(running.parts, key, pledge, by=LEAD)

    assert stands(running, pledge) == ("ACTIVE", 0, 0, 700)
    assert balances(running) == {"bank:pending": 70000, f"sponsor:{pledge}": -70000}


def test_a_pledge_means_only_those_it_names(running, adult):
    other, old = neighbour(running), neighbour(running, 11, birth_date=date(1950, 1, 1))
    funded(running, people=(other,), whom="named", kind="person", name="王好心")
    assert [quoted(running, each).quote.sponsors for each in (adult, other)] == [(), ("爱心人士",)]
    funded(running, village_code="", from_age="30", to_age="40")
    funded(running, village_code="", category="DIBAO")
    assert quoted(running, adult).quote.sponsors == ("示例村股份经济合作社",)
    assert quoted(running, old).quote.sponsors == ()


def test_each_goes_first_in_the_order_of_registration(running, adult):
    first, second = funded(running, mode="PCT", value="50"), funded(running, mode="FIX", value="100")

    started = start(running, Want(adult, MEDICAL))

    assert started.amount == 6000
    assert [stands(running, each)[1] for each in (first, second)] == [160, 100]


def test_its_days_end_with_the_window(running, adult):
    with pytest.raises(BadPromise) as wrong:
        entered(running, until_day="2022-02-01", budget="0", mode="PCT", value="101", insurance="RES_PENSION")
    assert set(wrong.value.fields) == {"until_day", "budget", "value", "insurance"}
    pledge = funded(running, until_day="2021-11-06")
    assert quoted(running, adult).quote.price_until.date() == date(2021, 11, 6)  # UTC: Beijing's midnight after it
    running.turn(running.parts.clocks.now() + timedelta(days=2))
    assert quoted(running, adult).quote.to_pay == 32000
    assert stands(running, pledge)[0] == "ENDED"


def test_what_a_channel_brings_is_no_sponsors_whatever_its_words_say(running):
    pledge = entered(running)
    agree(running.office, pledge, hand=AGREES)
    number = desk.pledge(running.parts, pledge).row.number
    words = f"银行流水号,入账日期,金额,渠道,附言\nBK9,2021-11-05,300,wechat,{number}\n合计,1,300,,\n"
    import_outside(running.parts, "bank", words.encode(), by=CLERK)
    assert desk.pledge(running.parts, pledge).row.taken == 0
    assert rows(running, "select part, channel from outside_row")[0] == ("", "wechat")
