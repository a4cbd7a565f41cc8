"""Beginning a payment: one effective bill a person, whoever moved, whoever presses twice, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import pytest
from sqlalchemy import text

from app.flows.pay import NotPayable, Payer, SameItemTwice, Want, start_payment
from app.policy.facts import Insurance
from core.db import PLACES
from payments import bills
from payments.errors import BillSettled, PaymentUnderWay
from payments.gateways.base import Kind
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import pay, rows

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
FORMER, LATTER = "370404103901", "370404103902"


def payer(gateway="wechat", actor="account:1"):
    return Payer(actor, "self", gateway, Kind.NATIVE)


def start(running, *wants, by=None, key="key-0001"):
    return start_payment(running.parts, list(wants), by or payer(), request_key=key)


@pytest.fixture
def sibling(running, adult):
    """Another of the same household, who stays where he is."""
    home = running.one("select household_id from person").household_id
    return running.write(
        lambda connection: a_person(connection, name="张妹妹", id_number=an_id_number(sequence=8), household=home)
    )


@pytest.fixture
def moved(running):
    """Moves somebody into another village, as a bureau's file does; the new household."""

    def move(person):
        def write(connection):
            home = a_household(connection, village=LATTER, number="0099")
            connection.execute(
                text("update person set household_id = :home where id = :id"), {"home": home, "id": person}
            )
            return home

        return running.write(write)

    return move


@pytest.fixture
def places():
    """Turns what this thread may see; everything again afterwards."""
    yield PLACES.set
    PLACES.set("")


def settled(running, person):
    with running.parts.reading() as connection:
        wanted = text("select count(*) from bill where person_id = :id and state = 'settled'")
        return connection.execute(wanted, {"id": person}).scalar_one()


def test_who_paid_and_moved_owes_the_new_villages_agent_nothing(running, adult, sibling, moved, places):
    """M1: what is paid follows the person; his sister, who stayed, is the former village's as before."""
    pay(running, Want(adult, MEDICAL))
    pay(running, Want(sibling, MEDICAL), key="key-0002")
    moved(adult)

    places(LATTER)
    with pytest.raises(NotPayable) as refused:
        start(running, Want(adult, MEDICAL), by=payer(actor="agent:1"), key="key-0003")
    with running.parts.reading() as connection:
        seen = {row.person_id for row in connection.execute(text("select person_id from bill"))}
        attempts = connection.execute(text("select count(*) from payment")).scalar_one()
        covers = connection.execute(text("select count(*) from payment_bill")).scalar_one()
    places(FORMER)
    with running.parts.reading() as connection:
        stayed = {row.person_id for row in connection.execute(text("select person_id from bill"))}
    places("")

    assert refused.value.reason == "ALREADY_PAID"
    assert (seen, attempts, covers, stayed) == ({adult}, 1, 1, {sibling})
    assert (settled(running, adult), settled(running, sibling)) == (1, 1)


def test_a_live_code_of_the_former_household_ends_before_another_is_made(running, adult, sibling, moved):
    """M1: the code that is out is closed at its gateway first; the sister's own code lives on."""
    first = start(running, Want(adult, MEDICAL))
    hers = start(running, Want(sibling, MEDICAL), key="key-0002")
    home = moved(adult)

    second = start(running, Want(adult, MEDICAL), by=payer(actor="agent:1"), key="key-0003")

    states = {row.number: row.state for row in rows(running, "select number, state from payment")}
    assert states == {first.number: "closed", hers.number: "pending", second.number: "pending"}
    bills = rows(running, f"select household_id = {home} as new, state from bill where person_id = {adult}")
    assert {(row.new, row.state) for row in bills} == {(False, "withdrawn"), (True, "open")}


def test_a_code_that_cannot_be_ended_bars_the_new_household_too(running, adult, moved):
    """M1: nobody can close a code of UnionPay that was handed out: another account waits for its end."""
    start(running, Want(adult, MEDICAL), by=payer("unionpay"))
    moved(adult)

    with pytest.raises(PaymentUnderWay):
        start(running, Want(adult, MEDICAL), by=payer(actor="account:2"), key="key-0003")

    assert len(rows(running, "select 1 from payment")) == 1


def test_two_phones_start_while_the_register_moves_somebody(running, adult, moved, monkeypatch):
    """L1: whoever read the former household and whoever read the new one never hold a bill each."""
    write, threads, others = bills._insert, ThreadPoolExecutor(1), []

    def moved_meanwhile(connection, draft):
        if not others:  # the first phone has seen that there is no bill yet, and has written none
            others.append(None)
            moved(adult)
            others[0] = threads.submit(
                start, running, Want(adult, MEDICAL), by=payer(actor="account:2"), key="key-0002"
            )
            sleep(0.5)
        return write(connection, draft)

    monkeypatch.setattr(bills, "_insert", moved_meanwhile)
    first = start(running, Want(adult, MEDICAL))
    second = others[0].result()

    states = {row.number: row.state for row in rows(running, "select number, state from payment")}
    assert states == {first.number: "closed", second.number: "pending"}
    assert len(rows(running, "select 1 from bill where state = 'open'")) == 1


def test_the_database_keeps_to_one_effective_bill_a_person(running, adult, moved):
    """M1: guarded below us: a second bill for the same item in another household is refused by its index."""
    pay(running, Want(adult, MEDICAL))
    home = moved(adult)
    copied = text(
        "insert into bill (household_id, id, person_id, insurance, levy_year, tier, total, personal_due, reason_code,"
        " price_until, benefit_start) select :home, id + 1, person_id, insurance, levy_year, tier, total, personal_due,"
        " reason_code, price_until, benefit_start from bill where person_id = :person"
    )

    with pytest.raises(Exception, match="uq__bill__levy_item"):
        running.write(lambda connection: connection.execute(copied, {"home": home, "person": adult}))


def test_two_phones_of_a_family_in_two_orders_never_lock_each_other(running, adult, sibling):
    """K14: bills are met in one order, whatever the order of the wish."""
    forth = [Want(adult, MEDICAL), Want(sibling, MEDICAL)]
    for turn in range(8):
        both = Barrier(2)

        def begin(wants, who, *, barrier=both, turn=turn):
            barrier.wait()
            try:
                return start(running, *wants, by=payer(actor=who), key=f"{who}-{turn}").number
            except PaymentUnderWay:
                return None

        with ThreadPoolExecutor(2) as threads:
            found = [
                threads.submit(begin, forth, "account:1"),
                threads.submit(begin, forth[::-1], "account:2"),
            ]
            numbers = [each.result() for each in found]
        assert numbers != [None, None]
        running.write(
            lambda connection: connection.execute(
                text("update payment set state = 'closed' where next_query_at is not null")
            )
        )


def test_one_item_in_two_tiers_is_refused_in_words(running, adult):
    """K22."""
    with pytest.raises(SameItemTwice):
        start(running, Want(adult, PENSION, 30000), Want(adult, PENSION, 50000), Want(adult, MEDICAL))

    assert rows(running, "select 1 from bill") == []


def test_a_double_click_where_an_item_costs_nothing_is_one_payment(running, adult):
    """L4: the second of the same key is told of the payment that waits, not that somebody has paid already."""
    waived = running.write(
        lambda connection: a_person(
            connection,
            id_number=an_id_number(sequence=9),
            name="王奶奶",
            categories=("DIBAO",),
            household=connection.execute(text("select household_id from person limit 1")).scalar_one(),
        )
    )
    both = Barrier(2)

    def press():
        both.wait()
        return start(running, Want(waived, MEDICAL), Want(adult, MEDICAL)).number

    with ThreadPoolExecutor(2) as threads:
        numbers = {each.result() for each in [threads.submit(press), threads.submit(press)]}

    assert len(numbers) == 1 and None not in numbers
    with pytest.raises((BillSettled, NotPayable)):
        start(running, Want(waived, MEDICAL), key="key-0009")
