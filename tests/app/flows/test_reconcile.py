"""A channel's list against our book: healed where we only did not hear, named where they differ, time and again."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.flows.pay.start import Want
from app.flows.reconcile.compare import Reconciled, reconcile_day, reconcile_due, watch_differences
from app.flows.refund.give_back import pay_due, take_refund
from app.policy.facts import Insurance
from core.clock import beijing
from payments.errors import UnknownGateway
from payments.gateways.base import Movement, RefundOutcome, RefundWord, StatementLine
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import balance
from payments.number import household_of, new_number
from tests.app.flows.test_suspense import other_amount
from tests.builders import NOON, a_paid_word, a_person, an_attempt, an_id_number, an_order
from tests.days import DAY, MORNING, book, differences, keep, keep_empty, line, paid
from tests.refunding import agreed, given_back, pay, start, state
from tests.system import eventually

A_WORD = a_paid_word(an_attempt())


@pytest.fixture
def day(running):
    """Four premiums of DAY by WeChat Pay, booked; it is the next morning."""
    words = paid(running, "wechat", 4, known=True)
    assert book(running, words) == ["paid"] * 4
    running.turn(MORNING)
    return words


def run(running, gateway="wechat"):
    return reconcile_day(running.parts, gateway, DAY)


def verdicts(running):
    with running.parts.engine.connect() as connection:
        return dict(connection.execute(text("select row, verdict from statement_match")).all())


def of(running, account):
    with running.parts.engine.connect() as connection:
        return balance(connection, account)


def test_equal_books_match_line_by_line_and_the_fees_are_booked_once(running, day):
    keep(running, "wechat", [line(word) for word in day])

    for _ in range(2):
        assert run(running) == Reconciled(0, 0)

    assert verdicts(running) == dict.fromkeys(range(1, 5), "matched")
    assert differences(running) == []
    assert of(running, "fees:wechat") == 0, "400 thousandths of a fen are less than half a fen"


def test_fees_are_summed_before_they_are_rounded(running, day):
    keep(running, "wechat", [line(word, fee=1375) for word in day])

    run(running)

    assert of(running, "fees:wechat") == 6, "5.5 fen, half up"
    assert of(running, "clearing:wechat") == 4 * 32000 - 6


def test_every_day_books_its_own_fees(running, day):
    """The day before had fees of its own."""
    for of_day in (DAY - timedelta(days=1), DAY):
        keep(running, "wechat", [line(word, fee=1000) for word in day], day=of_day)
        reconcile_day(running.parts, "wechat", of_day)

    assert of(running, "fees:wechat") == 8


def test_a_fee_that_changed_after_it_was_booked_is_a_difference(running, day):
    keep(running, "wechat", [line(word, fee=1000) for word in day])
    run(running)
    keep(running, "wechat", [line(word, fee=2000) for word in day])

    run(running)

    assert differences(running) == [("AMOUNT_DIFF", "fees", 4, 8)]
    assert running.one("select lacks from discrepancy")[0] == -4


def test_a_day_of_silence_is_booked_from_the_list_on_the_open_day_with_its_own_time(running):
    words = paid(running, "wechat", 3)
    running.turn(MORNING)
    keep(running, "wechat", [line(word) for word in words])

    assert run(running) == Reconciled(3, 0)

    assert set(verdicts(running).values()) == {"matched"}
    rows = running.one("select min(booked_on), max(happened_at), count(*) from entry where cause like 'receipt:%'")
    assert rows[0] == DAY + timedelta(days=1) and beijing(rows[1]).date() == DAY and rows[2] == 3
    assert running.one("select count(*) from notice where kind = 'paid'")[0] == 3
    assert running.one("select count(*) from payment where state = 'paid'")[0] == 3


def test_a_line_under_another_app_of_ours_is_not_healed_by_the_list_alone(running):
    """The gateway is asked; its siblings, of the payment's own app and of none, are."""
    words = paid(running, "wechat", 3)
    running.turn(MORNING)
    apps = (words[0].app, "", "wx0000000000000009")
    keep(running, "wechat", [line(word, app=app) for word, app in zip(words, apps, strict=True)])

    assert run(running) == Reconciled(2, 1)

    assert verdicts(running) == {1: "matched", 2: "matched", 3: "MISSING_IN_LEDGER"}
    assert running.one("select state from payment where number = :n", n=words[2].number).state != "paid"


def test_a_line_nobody_confirms_is_missing_in_the_ledger_and_nothing_is_booked(running, day):
    stranger = replace(day[0], number=new_number(99, DAY), reference="4200099", amount=16000)
    keep(running, "wechat", [line(word) for word in [*day, stranger]])

    run(running)

    assert differences(running) == [("MISSING_IN_LEDGER", "4200099", None, 16000)]
    assert of(running, "suspense:wechat") == 0


def test_a_receipt_their_list_lacks_is_missing_in_the_bank_and_they_were_asked(running, day):
    keep(running, "wechat", [line(word) for word in day[1:]])

    run(running)

    assert differences(running) == [("MISSING_IN_BANK", day[0].reference, 32000, None)]
    assert running.one("select note from discrepancy")[0] == "said_not"


def test_a_receipt_that_the_next_days_list_has_is_the_same_money(running, day):
    keep(running, "wechat", [line(word) for word in day[1:]])
    run(running)
    keep(running, "wechat", [line(day[0])], day=DAY + timedelta(days=1))

    reconcile_day(running.parts, "wechat", DAY + timedelta(days=1))

    assert differences(running) == []
    assert running.one("select cleared_by, remedy from discrepancy") == ("rule:matched", "gone")


def test_other_amounts_other_days_and_repeated_lines_have_their_names(running, day):
    older = paid(running, "wechat", 1, first=50, at=NOON - timedelta(days=3))
    book(running, older, now=NOON - timedelta(days=3))
    keep(
        running, "wechat", [line(day[0], amount=31000), *(line(word) for word in day[1:]), line(day[1]), line(older[0])]
    )

    run(running)

    assert sorted(differences(running)) == [
        ("AMOUNT_DIFF", day[0].reference, 32000, 31000),
        ("DATE_DIFF", older[0].reference, 32000, 32000),
        ("DUPLICATE", f"{day[1].reference}#5", None, 32000),
    ]
    assert running.one("select our_day from discrepancy where kind = 'DATE_DIFF'")[0] == DAY - timedelta(days=3)
    booked = running.one("select cause, ours from statement_match where verdict = 'AMOUNT_DIFF'")
    assert tuple(booked) == (f"receipt:wechat:{day[0].reference}", 32000), (
        "what we booked for the line stands beside it"
    )


def test_a_line_of_yesterdays_list_that_comes_again_is_a_duplicate(running, day):
    keep(running, "wechat", [line(day[0])], day=DAY - timedelta(days=1))
    keep(running, "wechat", [line(word) for word in day])

    run(running)

    assert [kind for kind, *_ in differences(running)] == ["DUPLICATE"]


def test_money_held_for_nobody_is_an_unknown_person(running, day):
    stranger = replace(day[0], number="SOMEBODYELSES", reference="4200099")
    assert book(running, [stranger]) == ["suspense"]
    keep(running, "wechat", [line(word) for word in [*day, stranger]])

    run(running)

    assert differences(running) == [("UNKNOWN_PERSON", "4200099", 32000, 32000)]
    assert running.one("select lacks, note from discrepancy") == (0, "held")


def test_money_held_for_its_amount_is_compared_with_what_its_own_payment_asked_for(running):
    """Another payment of the same household asked for another amount."""
    adult = running.write(a_person)
    other = start(running, Want(adult, Insurance.RES_PENSION, 30000), key="other-key")
    _, number = other_amount(running, adult, 31000, Want(adult, Insurance.RES_MEDICAL))
    reference = running.one("select cause from suspense where number = :n", n=number).cause.rpartition(":")[2]
    keep(running, "wechat", [replace(line(A_WORD), number=number, reference=reference, amount=31000)])
    running.turn(MORNING)

    run(running)

    assert state(running, other.number) != "closed"
    assert differences(running) == [("AMOUNT_DIFF", reference, 32000, 31000)]


def test_the_same_facts_are_the_same_difference_and_other_facts_another(running, day):
    keep(running, "wechat", [line(word) for word in day[:3]] + [line(day[3], amount=1)])
    for _ in range(3):
        run(running)
    assert running.one("select count(*) from discrepancy")[0] == 1
    keep(running, "wechat", [line(word) for word in day[:3]] + [line(day[3], amount=2)])

    run(running)

    assert [theirs for *_, theirs in differences(running)] == [2]
    assert [theirs for *_, theirs in differences(running, state="cleared")] == [1]


def given(running, word, *, number="", reference="50000001", amount=32000):
    return StatementLine(
        1, Movement.REFUND, word.number, word.reference, amount, 0, NOON + timedelta(hours=2), number, reference
    )


def test_a_refund_made_by_hand_at_the_gateway_is_booked_as_owed_with_an_owner(running, day):
    keep(running, "wechat", [*(line(word) for word in day), given(running, day[0])])

    for _ in range(2):
        run(running)

    assert differences(running) == [("MISSING_IN_LEDGER", "50000001", 32000, 32000)]
    assert running.one("select owner, lacks, note from discrepancy") == ("refund_desk", 0, "by_hand")
    assert of(running, "receivable:resident") == 32000
    assert of(running, "clearing:wechat") == 3 * 32000


def _under_way(running, word):
    """A refund agreed to and handed over, whose end nobody told us."""
    asked = agreed(running.parts, word.number)
    running.write(lambda connection: connection.execute(text("update refund set state = 'paying'")))
    return asked.number


def test_a_strangers_line_is_money_only_if_the_gateway_says_the_very_same(running, day):
    gateway, number = running.parts.gateways["wechat"], "SOMEBODYELSES1"
    running.outside.fault("callback_drop", number, count=None)
    checkout = gateway.start(an_order(number, at=running.parts.clocks.now()))
    assert running.outside.pay(checkout.code_url).status == 200
    theirs = replace(day[0], number=number, reference="42000ANOTHER")
    keep(running, "wechat", [*(line(word) for word in day), line(theirs)])

    assert run(running) == Reconciled(0, 1)

    assert of(running, "suspense:wechat") == 0


@pytest.mark.parametrize(("fault", "end", "healed"), [("", "paid", 1), ("refund_abnormal", "abnormal", 0)])
def test_how_a_refund_on_their_list_ended_they_say_themselves(running, fault, end, healed):
    person = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=21)))
    payment = pay(running, Want(person, Insurance.RES_MEDICAL))
    number = agreed(running.parts, payment).number
    running.outside.fault("callback_drop", number, count=None)  # nobody tells us how it ends
    if fault:
        running.outside.fault(fault, payment)
    pay_due(running.parts)
    eventually(lambda: given_back(running, payment)[0]["state"] != "PROCESSING")
    word = replace(A_WORD, number=payment, reference=running.one("select reference from payment").reference)
    running.turn(MORNING)
    keep(running, "wechat", [line(word), replace(given(running, word, number=number), their_word="PROCESSING")])

    done = run(running)

    assert running.one("select state from refund").state == end
    assert (done.healed, done.open) == (healed, 1 - healed)
    assert of(running, "refunds:wechat") == (0 if healed else -32000)


def test_refunds_differ_like_payments(running, day):
    numbers = [_under_way(running, word) for word in day[:2]]
    for number, word in zip(numbers, day, strict=False):
        done = RefundOutcome(
            "wechat", number, RefundWord.DONE, payment=word.number, amount=32000, happened_at=NOON + timedelta(hours=1)
        )
        take_refund(running.parts, done)
    keep(running, "wechat", [*(line(word) for word in day), given(running, day[0], number=numbers[0], amount=30000)])

    run(running)

    assert sorted(differences(running)) == [
        ("AMOUNT_DIFF", "50000001", 32000, 30000),
        ("MISSING_IN_BANK", numbers[1], 32000, None),
    ]
    assert running.one("select array_agg(lacks order by lacks) from discrepancy")[0] == [2000, 32000]


def test_statements_that_came_are_compared_by_themselves_once(running, day):
    keep(running, "wechat", [line(word) for word in day])
    keep_empty(running, "alipay", DAY)

    assert reconcile_due(running.parts) == 2
    assert reconcile_due(running.parts) == 0


def test_somebody_is_woken_at_eleven_once(running, day):
    said = []
    object.__setattr__(running.parts, "alert", lambda what, **words: said.append((what, words["open"])))
    keep(running, "wechat", [line(word) for word in day[1:]])
    run(running)

    assert watch_differences(running.parts) == 0, "half past ten"
    running.turn(MORNING + timedelta(hours=1))

    assert [watch_differences(running.parts) for _ in range(2)] == [1, 0]
    assert said == [("lines_unmatched", 1)]


def test_a_channel_that_is_not_here_has_nothing_to_compare(running):
    with pytest.raises(UnknownGateway):
        reconcile_day(running.parts, "nobody", date(2021, 11, 5))


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_database_reads_a_number_as_the_code_does(running, gateway):
    numbers = [new_number(household, DAY, kind=kind) for household in (0, 7, 1 << 39) for kind in ("YC", "YT")]
    numbers += [
        "",
        "SOMEBODYELSES",
        numbers[0].replace("YC", "XX"),
        numbers[1][:-1],
        numbers[2][:10] + "U" + numbers[2][11:],
    ]

    for number in numbers:
        assert running.one("select household_of_number(:n)", n=number)[0] == household_of(number)
