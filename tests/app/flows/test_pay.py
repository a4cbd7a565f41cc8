"""Beginning a payment: one effective bill a person, whoever moved, whoever presses twice, whoever comes first."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from time import sleep

import pytest
from sqlalchemy import text

from app.flows.pay.expire import MARGIN, ask, ask_silent, close_at_gateway
from app.flows.pay.follow import close_payment
from app.flows.pay.leave import CodeOfAnother
from app.flows.pay.start import NotPayable, Payer, SameItemTwice, Want, find_started, start_payment
from app.policy.facts import Insurance
from core.clock import beijing
from core.db import EVERYWHERE, PLACES
from payments.errors import BillSettled, GatewayRefused, GatewaySilent, PaymentUnderWay
from payments.gateways.base import Kind
from payments.taking import bills
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.refunding import pay, rows, state
from tests.rosters import in_force
from tests.system import eventually

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
    PLACES.set(EVERYWHERE)


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
    places(EVERYWHERE)

    assert refused.value.reason == "ALREADY_PAID"
    assert (seen, attempts, covers, stayed) == ({adult}, 1, 1, {sibling})
    assert (settled(running, adult), settled(running, sibling)) == (1, 1)


def test_a_live_code_of_the_former_household_ends_before_another_is_made(running, adult, sibling, moved):
    """M1: the code that is out is closed at its gateway first; the sister's own code lives on."""
    first = start(running, Want(adult, MEDICAL))
    hers = start(running, Want(sibling, MEDICAL), key="key-0002")
    home = moved(adult)

    agent = in_force(running)[LATTER]
    second = start(running, Want(adult, MEDICAL), by=payer(actor=f"agent:{agent}"), key="key-0003")

    states = {row.number: row.state for row in rows(running, "select number, state from payment")}
    assert states == {first.number: "closed", hers.number: "pending", second.number: "pending"}
    bills = rows(running, f"select household_id = {home} as new, state from bill where person_id = {adult}")
    assert {(row.new, row.state) for row in bills} == {(False, "withdrawn"), (True, "open")}


def test_a_code_that_cannot_be_ended_bars_the_new_household_too(running, adult, accounts, moved):
    """M1: nobody can close a code of UnionPay that was handed out: another account waits for its end."""
    start(running, Want(adult, MEDICAL), by=payer("unionpay", STRANGER))
    moved(adult)

    with pytest.raises(PaymentUnderWay):
        start(running, Want(adult, MEDICAL), by=payer(actor=RELATIVE), key="key-0003")

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


class Crossed:
    """A gateway at which `meanwhile` happens while it is asked to take an order; then it says nothing, or no."""

    def __init__(self, gateway, meanwhile, trouble):
        self.gateway, self.meanwhile, self.trouble = gateway, meanwhile, trouble

    def __getattr__(self, name):
        return getattr(self.gateway, name)

    def start(self, order):
        self.meanwhile()
        raise self.trouble


@pytest.mark.parametrize("gateway", ["unionpay", "alipay", "wechat"])
@pytest.mark.parametrize("trouble", [GatewaySilent("late"), GatewayRefused("REPEATED")])
def test_a_second_request_at_the_gateway_takes_no_code_away(running, adult, sibling, gateway, trouble):
    """K1: silence or a no to the second of two same requests leaves the first one's code alive, and his sister's."""
    hers = start(running, Want(sibling, MEDICAL), by=payer(gateway), key="key-0002")
    first = []
    crossed = Crossed(
        running.parts.gateways[gateway],
        lambda: first.append(start(running, Want(adult, MEDICAL), by=payer(gateway))),
        trouble,
    )
    parts = replace(running.parts, gateways={**running.parts.gateways, gateway: crossed})

    second = start_payment(parts, [Want(adult, MEDICAL)], payer(gateway), request_key="key-0001")

    assert second.number == first[0].number and second.checkout == first[0].checkout is not None
    running.write(
        lambda connection: connection.execute(text("update payment set started_at = now() - interval '2 min'"))
    )
    for _ in range(3):
        running.ask_now()
        ask_silent(running.parts)
    held = {row.number: (row.state, row.checkout is not None) for row in rows(running, "select * from payment")}
    assert held == {first[0].number: ("pending", True), hers.number: ("pending", True)}


@pytest.mark.parametrize("end", ["ask", "close"])
def test_a_code_written_during_the_question_is_not_ended(running, adult, end):
    """K18: "unknown there" was said of a number whose code had not been handed out yet; meanwhile it was."""
    started = start(running, Want(adult, MEDICAL), by=payer("unionpay"))
    code = running.one("select checkout from payment").checkout
    running.write(
        lambda connection: connection.execute(
            text(
                "update payment set checkout = null, state = 'unknown', queries = 5,"
                " started_at = now() - interval '5 min'"
            )
        )
    )
    stale = running.one("select * from payment")
    running.write(
        lambda connection: connection.execute(
            text("update payment set checkout = cast(:code as jsonb), state = 'pending'"), {"code": json.dumps(code)}
        )
    )

    unionpay = running.parts.gateways["unionpay"]
    ask(running.parts, unionpay, stale) if end == "ask" else close_at_gateway(running.parts, unionpay, stale)

    assert find_started(running.parts, started.number).state in ("pending", "closing")


OWN, STRANGER, RELATIVE = "account:1", "account:2", "account:3"


@pytest.fixture
def accounts(running, adult):
    """His own account, and two that know his name and number."""

    def write(connection):
        for key in (1, 2, 3):
            connection.execute(
                text(
                    "insert into resident_account (id, phone_index, phone, since, used_at) overriding system value"
                    " values (:id, cast(:index as bytea), '', now(), now())"
                ),
                {"id": key, "index": f"phone {key}"},
            )
            connection.execute(
                text("insert into resident_person values (:account, :person, :own, now())"),
                {"account": key, "person": adult, "own": key == 1},
            )

    running.write(write)


@pytest.mark.parametrize("gateway", ["unionpay", "alipay", "wechat"])
@pytest.mark.parametrize("mine", [OWN, "agent"])
def test_a_strangers_code_never_bars_the_person_or_his_agent(running, adult, sibling, accounts, gateway, mine):
    """M3: it is ended or left; the stranger cannot end the person's own; who pays twice gets one back."""
    hers = start(running, Want(sibling, MEDICAL), by=payer(gateway, RELATIVE), key="key-0004")
    theirs = start(running, Want(adult, MEDICAL), by=payer(gateway, STRANGER), key="key-0001")

    mine = f"agent:{in_force(running)[FORMER]}" if mine == "agent" else mine
    own = start(running, Want(adult, MEDICAL), by=payer("wechat", mine), key="key-0002")

    assert find_started(running.parts, theirs.number).state == ("closed" if gateway == "wechat" else "left")
    with pytest.raises(PaymentUnderWay):
        start(running, Want(adult, MEDICAL), by=payer("alipay", STRANGER), key="key-0003")
    with pytest.raises(CodeOfAnother):
        close_payment(running.parts, own.number, by=STRANGER)
    assert find_started(running.parts, own.number).state == "pending"
    assert find_started(running.parts, hers.number).state == "pending"
    assert running.outside.pay(own.checkout.code_url).status == 200
    eventually(lambda: state(running, own.number) == "paid")
    if gateway != "wechat":
        assert running.outside.pay(theirs.checkout.code_url).status == 200
        eventually(lambda: state(running, theirs.number) == "surplus")
    assert settled(running, adult) == 1 and find_started(running.parts, hers.number).state == "pending"


def test_another_relative_may_end_what_a_gateway_can_end(running, adult, accounts):
    """M3: among accounts that are not himself the later one goes on, where the former code really ends."""
    first = start(running, Want(adult, MEDICAL), by=payer("wechat", STRANGER))
    second = start(running, Want(adult, MEDICAL), by=payer("unionpay", RELATIVE), key="key-0002")

    assert find_started(running.parts, first.number).state == "closed"
    with pytest.raises(PaymentUnderWay):
        start(running, Want(adult, MEDICAL), by=payer("wechat", STRANGER), key="key-0003")
    assert find_started(running.parts, second.number).state == "pending"


def test_nobodys_own_is_barred_by_nobody(running, adult, sibling, accounts):
    """M3: a child has no account; whoever pays for her is barred by nobody's code, and her brother's code stays."""
    his = start(running, Want(adult, MEDICAL), by=payer("unionpay", OWN), key="key-0004")
    first = start(running, Want(sibling, MEDICAL), by=payer("unionpay", STRANGER))
    second = start(running, Want(sibling, MEDICAL), by=payer("alipay", RELATIVE), key="key-0002")

    assert (state(running, first.number), state(running, second.number)) == ("left", "pending")
    assert running.outside.pay(first.checkout.code_url).status == 200
    eventually(lambda: state(running, first.number) == "paid")
    assert (settled(running, sibling), state(running, his.number)) == (1, "pending")


def test_one_code_takes_the_place_of_two(running, adult, sibling):
    """M3: two single codes end with one press for both."""
    formers = [
        start(running, Want(adult, MEDICAL), by=payer("unionpay"), key="key-0001"),
        start(running, Want(sibling, MEDICAL), by=payer("wechat"), key="key-0002"),
    ]

    both = start(running, Want(adult, MEDICAL), Want(sibling, MEDICAL), key="key-0003")

    states = [state(running, each.number) for each in (*formers, both)]
    assert states == ["left", "closed", "pending"] and both.amount == 64000


def test_what_was_left_is_asked_about_until_its_end(running, adult, accounts):
    """M3: a left code counts like any other while it can be paid, and is closed when its gateway says so."""
    left = start(running, Want(adult, MEDICAL), by=payer("unionpay", OWN))
    close_payment(running.parts, left.number, by=OWN)
    assert state(running, left.number) == "left"
    running.outside.fault("callback_drop", left.number, count=None)
    assert running.outside.pay(left.checkout.code_url).status == 200

    running.ask_now()
    ask_silent(running.parts)

    assert state(running, left.number) == "paid" and settled(running, adult) == 1


def test_nobody_pays_what_was_left_and_it_ends(running, adult, accounts):
    left = start(running, Want(adult, MEDICAL), by=payer("unionpay", OWN))
    close_payment(running.parts, left.number, by=OWN)

    running.turn(NOON + timedelta(minutes=20))
    for _ in range(2):
        running.ask_now()
        ask_silent(running.parts)

    assert state(running, left.number) == "closed" and rows(running, "select 1 from payment_bill where live") == []


def test_a_silent_gateway_keeps_its_own_payer_and_frees_the_person(running, adult, accounts):
    """M3: who paid perhaps is not led to pay again; for the person himself another's silence is nothing."""
    started = start(running, Want(adult, MEDICAL), by=payer("alipay", STRANGER))
    running.outside.fault("error", on="query", gateway="alipay", status=500, count=None)
    running.outside.fault("error", on="close", gateway="alipay", status=500, count=None)

    with pytest.raises(PaymentUnderWay):
        start(running, Want(adult, MEDICAL), by=payer("wechat", STRANGER), key="key-0002")
    own = start(running, Want(adult, MEDICAL), by=payer("wechat", OWN), key="key-0003")

    assert (state(running, started.number), state(running, own.number)) == ("left", "pending")


def test_who_must_wait_for_a_silent_gateway_is_told_the_first_minute_he_need_not(running, adult, accounts):
    """M3: from that minute on he may pay another way; a minute before he may not."""
    started = start(running, Want(adult, MEDICAL), by=payer("unionpay", STRANGER))
    running.outside.fault("error", on="query", gateway="unionpay", status=500, count=None)
    with pytest.raises(PaymentUnderWay) as told:
        start(running, Want(adult, MEDICAL), by=payer("unionpay", RELATIVE), key="key-0002")

    [row] = rows(running, "select expires_at from payment where number = :n", n=started.number)
    over = beijing(row.expires_at + MARGIN)
    first = over.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert f"{first.hour}点{first.minute:02d}分" in told.value.sentence()


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
