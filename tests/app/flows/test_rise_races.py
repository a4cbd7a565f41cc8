"""What happens to a pension's premium while its rise is under way: nobody who paid is sent away for nothing, and every
page that tells of it goes on telling."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

from sqlalchemy import text

from app.flows.pay.start import Want
from app.flows.refund.desk import case
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.steps import apply, decide
from app.policy.facts import Insurance
from core.clock import business_day, utc_now
from core.errors import AppError
from payments.errors import RaisedSince
from payments.refunds import moves
from tests.app.flows.test_entitle_late import recognise
from tests.app.flows.test_rise import adult, also, bills, dues, home, paid, rise, sibling
from tests.refunding import LEAD, agreed, pay, rows, start, state, to_the_approval
from tests.system import eventually

__all__ = ["adult", "also", "home", "paid", "sibling"]
PENSION = Insurance.RES_PENSION
FIRST = "select person_id from bill where raised_from is not null and state = 'open' order by id limit 1"
WAITS = "select count(*) as n from pg_locks where not granted"


def premium_of(running, key):
    return rows(running, "select id from bill where person_id = :p and raised_from is null", p=key)[0].id


def test_a_premium_that_is_replaced_while_its_rise_is_paid_takes_the_rise(running, adult, sibling, paid):
    """Only the difference goes back: the premium stands before and after."""
    begun = start(running, rise(adult), key="begun")
    recognise(running, adult, "DIBAO", PENSION)
    assert ask_for_entitled(running.parts) == 1
    [refund] = rows(running, "select number, applied_at from refund")
    to_the_approval(running.parts, refund.number)
    now = running.parts.clocks.now()

    with ThreadPoolExecutor(1) as phone:
        with running.parts.engine.begin() as connection:
            moves.approve(
                connection, refund.number, by=LEAD, reason="", now=now, booked_on=business_day(now), ask_at=utc_now()
            )
            paying = phone.submit(running.outside.pay, begun.checkout.code_url)
            eventually(lambda: running.one(WAITS).n > 0, 4)
        paying.result()
    eventually(lambda: state(running, begun.number) in ("paid", "surplus"))

    assert state(running, begun.number) == "paid", "he has a premium of 300 and paid the difference from it"
    assert (50000, 30000, 20000, "settled") in bills(running, adult)


def test_a_desk_opens_the_refund_of_a_rise_whose_premium_went_back_after_it(running, adult, sibling, paid):
    number = pay(running, rise(adult), key="raised")
    first = agreed(running.parts, number)
    agreed(running.parts, paid, bills=[premium_of(running, adult)])

    found = case(running.parts, first.number)

    [standing] = found.standing
    assert standing.title == "2022年居民养老补差提档：300元→500元"
    assert standing.sheet.answer == "补差价提高到 500 元档（11月5日，微信），后来同意退费了。"
    assert (standing.sheet.personal_due, standing.sheet.account_credit) == (20000, 23000)


def test_two_phones_raise_at_the_same_moment_and_one_is_kept(running, adult, sibling, paid):
    def one(tier):
        try:
            return start(running, rise(adult, tier), key=f"phone {tier}")
        except AppError as no:
            return no

    with ThreadPoolExecutor(4) as phones:
        begun = list(phones.map(one, (50000, 60000, 80000, 100000)))
        codes = [each.checkout.code_url for each in begun if not isinstance(each, Exception) and each.checkout]
        assert codes
        list(phones.map(running.outside.pay, codes))
    eventually(lambda: not rows(running, "select from payment where state in ('created', 'pending', 'unknown')"))

    settled = [each for each in bills(running, adult) if each[1] and each[3] == "settled"]
    assert len(settled) <= 1
    assert bills(running, sibling) == [(30000, None, 30000, "settled")]


def test_a_rise_from_a_tier_that_was_paid_anew_otherwise_is_surplus(running, adult, sibling, paid):
    begun = start(running, rise(adult), key="begun")
    agreed(running.parts, paid, bills=[premium_of(running, adult)])
    pay(running, Want(adult, PENSION, 50000), key="anew")

    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "surplus")
    pay(running, rise(adult, 80000), key="from the new one")

    assert [each for each in bills(running, adult) if each[3] == "settled"] == [
        (50000, None, 50000, "settled"),
        (80000, 50000, 30000, "settled"),
    ]


def test_who_gets_a_part_back_by_the_rule_alone_may_still_raise(running, adult, sibling, paid):
    """He asked for nothing, and his premium stands: only the difference goes back (decision 0048)."""
    recognise(running, adult, "DIBAO", PENSION)
    assert ask_for_entitled(running.parts) == 1

    assert dues(running, adult)[1].rise is not None, "barred until tax, the bureau and a lead have agreed"
    pay(running, rise(adult), key="raised")


def test_two_rises_and_the_refund_of_their_premiums_wait_for_each_other_in_one_order(running, adult, sibling, paid):
    """Whoever comes first holds both premiums: nobody is turned away by a deadlock."""
    first, second = sorted((adult, sibling), key=lambda who: premium_of(running, who))
    for turn in count():  # the numbers of bills are drawn: until they cross
        tier = (50000, 60000)[turn % 2]
        begun = start(running, rise(second, tier), rise(first, tier), key=f"both {turn}")
        if rows(running, FIRST)[0].person_id == second:
            break
    asked = apply(running.parts, paid, by="staff:desk")
    to_the_approval(running.parts, asked.number)
    held = premium_of(running, second)

    with ThreadPoolExecutor(2) as others:
        with running.parts.engine.begin() as connection:
            connection.execute(text("select from bill where id = :id for update"), {"id": held})
            paying = others.submit(running.outside.pay, begun.checkout.code_url)
            eventually(lambda: running.one(WAITS).n > 0, 4)
            agreeing = others.submit(decide, running.parts, asked.number, approved=True, by=LEAD)
            eventually(lambda: running.one(WAITS).n > 1, 4)
        assert paying.result().status == 200
        no = agreeing.exception()
    assert (state(running, begun.number), type(no)) in (("paid", RaisedSince), ("surplus", type(None)))
