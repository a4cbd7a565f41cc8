"""A resident learns what is due, pays by WeChat, is booked and is told: our flows, against the real far side."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from app.flows.due.look_up import look_up
from app.flows.due.quote import all_due, subjects
from app.flows.pay.expire import ask_silent, close_at_gateway
from app.flows.pay.start import NotPayable, Payer, Started, Want, find_started, start_payment
from app.policy.facts import Insurance
from app.registry.errors import NoSuchPerson
from payments.errors import DifferentHouseholds, GatewayRefused, GatewaySilent, KeyReused, PaymentUnderWay
from payments.gateways.base import Kind
from payments.ledger.balances import trial_balance
from payments.taking import find
from tests.builders import NEW_YEAR, NOON, a_household, a_person, an_id_number
from tests.system import System, eventually

RESIDENT = Payer("resident", "self", "wechat", Kind.NATIVE)


def start(running: System, *wants: Want, key: str = "key-0001", payer: Payer = RESIDENT) -> Started:
    return start_payment(running.parts, wants, payer, request_key=key)


def state(running: System, started: Started) -> str:
    return find_started(running.parts, started.number or "").state


def both(person: int, tier: int = 50000) -> tuple[Want, Want]:
    return Want(person, Insurance.RES_MEDICAL), Want(person, Insurance.RES_PENSION, tier)


def test_an_ordinary_adult_pays_both_insurances_at_once(running: System) -> None:
    number = an_id_number()
    person = running.write(lambda c: a_person(c, name="张示例", id_number=number))
    assert look_up(running.parts, name="张示例", id_number=number, caller="here") == person
    subject = subjects(running.parts, [person])[0]
    dues = all_due(running.parts, subject, at=running.parts.clocks.now(), tiers={(2022, None): 50000})
    assert [due.quote.personal_due for due in dues] == [32000, 50000]

    started = start(running, *both(person))
    assert started.checkout is not None and started.checkout.code_url is not None
    assert running.outside.pay(started.checkout.code_url).status == 200
    eventually(lambda: state(running, started) == "paid")
    running.tell()

    with running.parts.engine.connect() as connection:
        balances = {row.code: row.balance for row in trial_balance(connection)}
    assert balances["clearing:wechat"] == 82000
    assert sum(balances.values()) == 0
    told = running.outside.get("/messages")["messages"]
    assert len(told) == 1
    assert "张*例" in told[0]["text"] and "820元" in told[0]["text"]
    assert number not in str(told)


def test_half_price_at_65_and_nothing_at_72(running: System) -> None:
    household = running.write(a_household)
    older = running.write(
        lambda c: a_person(c, id_number=an_id_number(born=date(1956, 2, 2)), household=household, name="李示例")
    )
    oldest = running.write(
        lambda c: a_person(c, id_number=an_id_number(born=date(1949, 2, 2)), household=household, name="王示例")
    )

    half = start(running, Want(older, Insurance.RES_MEDICAL), key="half-0001")
    free = start(running, Want(oldest, Insurance.RES_MEDICAL), key="free-0001")

    assert half.amount == 16000
    assert (free.number, free.state) == (None, "settled")
    running.tell()
    text = running.outside.get("/messages")["messages"][0]["text"]
    assert "王*例" in text and "元" not in text  # a waived person's message never tells an amount
    bill = running.one("select settled_by, state from bill where person_id = :p", p=oldest)
    assert bill.settled_by.startswith("bill:")


def test_the_callback_never_comes_and_the_question_finds_the_money(running: System) -> None:
    person = running.write(a_person)
    started = start(running, *both(person))
    running.outside.fault("callback_drop", started.number, count=None)
    running.outside.pay(started.checkout.code_url)

    assert state(running, started) == "pending"
    running.ask_now()
    ask_silent(running.parts)

    assert state(running, started) == "paid"


def test_a_payment_past_its_time_is_closed_there_before_here(running: System) -> None:
    person = running.write(a_person)
    started = start(running, *both(person))
    running.turn(NOON + timedelta(minutes=16))
    running.ask_now()

    ask_silent(running.parts)

    assert state(running, started) == "closed"
    again = start(running, *both(person), key="key-0002")
    assert again.number != started.number


def test_the_same_wish_gets_the_same_code(running: System) -> None:
    person = running.write(a_person)

    first, repeated = start(running, *both(person)), start(running, *both(person))
    from_elsewhere = start(running, *both(person), key="key-0002")

    assert first == repeated
    assert from_elsewhere.number == first.number
    with pytest.raises(KeyReused):
        start(running, Want(person, Insurance.RES_MEDICAL))


def test_the_same_request_many_times_at_once_is_one_payment(running: System) -> None:
    person = running.write(a_person)

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _place: start(running, *both(person)), range(16)))

    assert len({answer.number for answer in answers}) == 1
    assert running.one("select count(*) as payments from payment").payments == 1


def test_another_wish_ends_the_former_payment_first(running: System) -> None:
    person = running.write(a_person)
    first = start(running, *both(person))

    second = start(running, *both(person, tier=100000), key="key-0002")

    assert (state(running, first), state(running, second)) == ("closed", "pending")
    assert running.outside.pay(first.checkout.code_url).status != 200
    assert second.amount == 132000


def test_one_more_item_ends_the_former_payment_too(running: System) -> None:
    person = running.write(a_person)
    medical, pension = both(person)
    first = start(running, medical)

    second = start(running, medical, pension, key="key-0002")

    assert (state(running, first), state(running, second)) == ("closed", "pending")
    assert running.one("select count(*) as bills from bill where state = 'open'").bills == 2


def test_a_former_payment_that_was_paid_meanwhile_wins(running: System) -> None:
    person = running.write(a_person)
    first = start(running, *both(person))
    running.outside.fault("callback_drop", first.number, count=None)
    running.outside.pay(first.checkout.code_url)

    with pytest.raises((NotPayable, PaymentUnderWay)):
        start(running, *both(person, tier=100000), key="key-0002")

    assert state(running, first) == "paid"


def test_money_that_comes_after_the_close_is_booked(running: System) -> None:
    person = running.write(a_person)
    started = start(running, *both(person))
    running.outside.fault("late_success", started.number)
    with running.parts.engine.connect() as connection:
        row = find.payment(connection, started.number)
    assert close_at_gateway(running.parts, running.parts.gateways["wechat"], row)

    running.outside.pay(started.checkout.code_url)

    eventually(lambda: state(running, started) == "paid")


def test_a_gateway_that_takes_the_order_and_says_nothing_is_asked(running: System) -> None:
    person = running.write(a_person)
    running.outside.fault("error", on="create", status=500, code="SYSTEM_ERROR", count=2)

    with pytest.raises(GatewaySilent):
        start(running, *both(person))

    lost = running.one("select number, state from payment")
    assert lost.state == "unknown"
    again = start(running, *both(person))
    assert (again.number, again.state) == (lost.number, "pending")
    assert running.outside.pay(again.checkout.code_url).status == 200
    eventually(lambda: state(running, again) == "paid")


def test_an_order_that_was_taken_in_silence_is_the_same_order_when_asked_again(running: System) -> None:
    person = running.write(a_person)
    running.outside.fault("html", on="create", count=2)
    with pytest.raises(GatewaySilent):
        start(running, *both(person))

    again = start(running, *both(person), key="key-0002")

    assert running.one("select count(*) as payments from payment").payments == 1
    assert running.outside.pay(again.checkout.code_url).status == 200
    eventually(lambda: state(running, again) == "paid")


def test_a_price_ends_and_the_code_with_it(running: System) -> None:
    running.turn(NEW_YEAR - timedelta(minutes=5))
    person = running.write(a_person)

    started = start(running, Want(person, Insurance.RES_MEDICAL))

    assert started.expires_at == NEW_YEAR - timedelta(seconds=1)
    running.turn(NEW_YEAR + timedelta(seconds=1))
    assert running.outside.pay(started.checkout.code_url).status != 200
    running.ask_now()
    ask_silent(running.parts)
    late = start(running, Want(person, Insurance.RES_MEDICAL), key="key-0002")
    assert late.amount == 90000


def test_what_may_not_be_paid_is_refused_with_its_reason(running: System) -> None:
    insured = running.write(a_person)
    running.write(
        lambda c: c.exec_driver_sql(
            "update enrolment set employee_insured = true where insurance = 'RES_MEDICAL' and person_id = %s",
            (insured,),
        )
    )

    with pytest.raises(NotPayable) as refused:
        start(running, Want(insured, Insurance.RES_MEDICAL))

    assert refused.value.reason == "EMPLOYEE_MEDICAL"
    assert "职工医保" in refused.value.sentence()


def test_two_households_are_two_payments(running: System) -> None:
    people = [
        running.write(
            lambda c, place=place: a_person(
                c, id_number=an_id_number(sequence=place), household=a_household(c, number=f"{place:04d}")
            )
        )
        for place in (1, 2)
    ]

    with pytest.raises(DifferentHouseholds):
        start(running, *(Want(person, Insurance.RES_MEDICAL) for person in people))


def test_a_wrong_name_and_an_unknown_number_are_answered_alike(running: System) -> None:
    number = an_id_number()
    running.write(lambda c: a_person(c, name="张示例", id_number=number))

    said = []
    for name, asked in (("李示例", number), ("张示例", an_id_number(sequence=3))):
        with pytest.raises(NoSuchPerson) as refused:
            look_up(running.parts, name=name, id_number=asked, caller=f"caller {asked}")
        said.append((refused.value.code, refused.value.sentence(), refused.value.fields))

    assert said[0] == said[1]


def test_a_refused_order_is_failed_and_the_bill_free_again(running: System) -> None:
    person = running.write(a_person)
    payer = Payer("resident", "self", "wechat", Kind.JSAPI, openid="not an openid of anybody, much too long" * 5)

    with pytest.raises((GatewayRefused, GatewaySilent)):
        start(running, Want(person, Insurance.RES_MEDICAL), payer=payer)

    again = start(running, Want(person, Insurance.RES_MEDICAL), key="key-0002")
    assert again.state == "pending"
