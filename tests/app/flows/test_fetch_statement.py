"""A channel's own list of a day: asked for until it is there, kept whole or not at all, equal to what the book says."""

from datetime import date, datetime, time, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text

from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.flows.reconcile import fetch_statement as flow
from app.flows.reconcile.fetch_statement import day_limits, fetch_due, fetch_statement, late_moment, ripe_days
from app.policy.facts import Insurance
from core.clock import BEIJING, utc_now
from payments.errors import BadStatement, GatewaySilent, NoStatement, UnknownGateway
from payments.gateways.known import GATEWAYS
from payments.ledger.balances import balance
from payments.reconcile import statements
from tests.app.web.conftest import far_folder, running
from tests.builders import a_household, a_person, an_id_number
from tests.system import eventually

__all__ = ["far_folder", "running"]
DAY = date(2021, 11, 5)
MORNING = datetime(2021, 11, 6, 10, 30, tzinfo=BEIJING)
SPOILS = ["statement_truncated", "statement_junk", "statement_total"]


@pytest.fixture
def paid(running):
    """A premium paid by each channel at noon of DAY; the business clock then stands on the next morning."""
    numbers = {}
    for place, gateway in enumerate(GATEWAYS):
        person = running.write(
            lambda connection, place=place: a_person(
                connection,
                id_number=an_id_number(sequence=21 + 2 * place),
                household=a_household(connection, number=f"{20 + place:04d}"),
            )
        )
        payer = Payer("resident", "self", gateway, Kind.NATIVE)
        wants = [Want(person, Insurance.RES_MEDICAL)]
        started = start_payment(running.parts, wants, payer, request_key=f"statement-{gateway}")
        assert running.outside.pay(started.checkout.code_url).status == 200
        numbers[gateway] = started.number
    for number in numbers.values():
        eventually(
            lambda number=number: running.one("select state from payment where number = :n", n=number)[0] == "paid"
        )
    running.turn(MORNING)
    return numbers


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_lines_of_a_day_are_the_gateways_list_and_our_book(running, paid, gateway):
    fetched = fetch_statement(running.parts, gateway, DAY)

    theirs = [t for t in running.outside.get("/trades")["trades"] if t["gateway"] == gateway]
    assert fetched.received == sum(trade["amount"] for trade in theirs)
    row = running.one("select * from statement_row where gateway = :g and number = :n", g=gateway, n=paid[gateway])
    assert (row.amount, row.movement) == (32000, "payment")
    assert row.reference == running.one("select reference from payment where number = :n", n=paid[gateway])[0]
    with running.parts.engine.connect() as connection:
        assert balance(connection, f"clearing:{gateway}") == 32000
        kept = b"".join(statements.pieces(connection, gateway, DAY))
    assert bytes(running.one("select digest from statement where gateway = :g", g=gateway)[0]) == sha256(kept).digest()


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_fetching_again_changes_nothing(running, paid, gateway):
    first = fetch_statement(running.parts, gateway, DAY)

    assert fetch_statement(running.parts, gateway, DAY) == first
    assert running.one("select count(*) from statement_row where gateway = :g", g=gateway)[0] == first.lines


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_spoilt_statement_leaves_nothing_and_is_asked_for_again(running, paid, gateway, spoil):
    running.outside.fault(spoil, gateway=gateway)

    with pytest.raises((BadStatement, GatewaySilent)):
        fetch_statement(running.parts, gateway, DAY)

    assert running.one("select count(*) from statement_row where gateway = :g", g=gateway)[0] == 0
    assert running.one("select count(*) from statement_piece where gateway = :g", g=gateway)[0] == 0
    assert fetch_statement(running.parts, gateway, DAY).received


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_statement_that_is_not_ready_is_tried_again_by_itself_and_its_lateness_is_said_once(running, paid, gateway):
    said = []
    object.__setattr__(running.parts, "alert", lambda what, **words: said.append((what, words.get("gateway"))))
    running.outside.fault("statement_not_ready", gateway=gateway, count=3)

    fetch_due(running.parts)
    waiting = running.one("select * from statement where gateway = :g and day = :d", g=gateway, d=DAY)
    fetch_due(running.parts)
    assert (waiting.state, waiting.tries, said) == ("waiting", 1, [])
    assert waiting.next_try_at - utc_now() > timedelta(minutes=9), "not before ten minutes"
    running.turn(MORNING + timedelta(hours=1))
    for _ in range(2):
        running.write(lambda connection: connection.execute(text("update statement set next_try_at = now()")))
        fetch_due(running.parts)
        assert said == [("statement_late", gateway)], "by the first that finds it late, and by no later one"
    running.write(lambda connection: connection.execute(text("update statement set next_try_at = now()")))
    fetch_due(running.parts)

    assert running.one("select state from statement where gateway = :g and day = :d", g=gateway, d=DAY)[0] == "whole"


def test_one_late_list_is_said_and_no_other_is(running):
    """A turned-round answer of the first and the second had gone unnoticed."""
    late, others = ("wechat", DAY), [("wechat", DAY + timedelta(days=1)), ("alipay", DAY)]
    with running.parts.engine.begin() as connection:
        for gateway, day in [late, *others]:
            statements.put_off(connection, gateway, day, trouble="silent", next_try_at=utc_now())

        assert [statements.mark_alerted(connection, *late) for _ in range(2)] == [True, False]

        assert [statements.mark_alerted(connection, *other) for other in others] == [True, True]


def test_every_channels_statement_of_every_day_since_the_first_money_comes(running, paid):
    running.turn(MORNING + timedelta(days=2, hours=1))  # late enough for a silence to mean that nothing was traded

    fetch_due(running.parts)

    for gateway in GATEWAYS:
        said = running.one("select state from statement where gateway = :g and day = :d", g=gateway, d=DAY)
        assert said.state == "whole"
    assert running.one("select count(*) from statement where state = 'waiting'")[0] == 0


@pytest.mark.parametrize("paid_there", [True, False])
def test_a_statement_that_does_not_exist_is_an_empty_day_only_if_our_book_says_so(running, paid, paid_there):
    """A6: BILL_NOT_EXIST also means "not made yet". A sibling's day, and another channel's, stay as they are."""
    day = DAY if paid_there else DAY + timedelta(days=1)
    late = datetime.combine(day + timedelta(days=1), time(11, 5), tzinfo=BEIJING)
    running.outside.fault("statement_not_ready", gateway="alipay", code="BILL_NOT_EXIST", count=None)

    def fetched_at(moment):
        running.turn(moment)
        running.write(lambda connection: connection.execute(text("update statement set next_try_at = now()")))
        fetch_due(running.parts)
        with running.parts.engine.connect() as connection:
            rows = connection.execute(text("select gateway, day, state from statement")).all()
        return {(row.gateway, row.day): row.state for row in rows}

    before = fetched_at(late - timedelta(minutes=20))
    after = fetched_at(late)
    long_after = fetched_at(late + timedelta(hours=12))

    assert before["alipay", day] == "waiting"
    assert after["alipay", day] == ("waiting" if paid_there else "empty")
    assert long_after["alipay", day] == "empty", (
        "after many hours it is their word, and comparing names what is missing"
    )
    assert after["wechat", DAY] == after["unionpay", DAY] == "whole"


@pytest.mark.parametrize(
    ("gateway", "fault"),
    [
        ("wechat", {"kind": "error", "on": "statement", "status": 400, "code": "NO_STATEMENT_EXIST"}),
        ("alipay", {"kind": "statement_not_ready", "code": "NO_BILL_DATA"}),
    ],
)
def test_a_day_said_to_be_empty_that_is_not_in_our_book_is_asked_for_again(running, paid, gateway, fault):
    """A6, the same kind: no trades, they say, and our own book has one."""
    running.outside.fault(gateway=gateway, count=None, **fault)

    with pytest.raises(NoStatement):
        fetch_statement(running.parts, gateway, DAY)

    assert running.one("select count(*) from statement where gateway = :g and state = 'empty'", g=gateway)[0] == 0
    running.turn(MORNING + timedelta(hours=13))
    assert fetch_statement(running.parts, gateway, DAY).lines == 0


def test_who_has_asked_too_often_asks_again_in_a_minute(running, paid):
    """A6."""
    running.outside.fault("statement_not_ready", gateway="alipay", code="USER_RATE_LIMIT")

    fetch_due(running.parts)

    waiting = running.one("select * from statement where gateway = 'alipay'")
    assert waiting.state == "waiting" and waiting.next_try_at - utc_now() <= timedelta(minutes=1)


def test_a_channel_that_is_not_configured_has_no_statement(running):
    with pytest.raises(UnknownGateway):
        fetch_statement(running.parts, "nobody", DAY)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2021, 11, 8, 9, 0, tzinfo=BEIJING), date(2021, 11, 6)),
        (datetime(2021, 11, 8, 10, 30, tzinfo=BEIJING), date(2021, 11, 7)),
    ],
)
def test_a_statement_is_due_on_the_day_after_when_they_make_it(running, now, last):
    days = ripe_days(running.parts.gateways["wechat"], now, DAY)

    assert days == [DAY + timedelta(days=place) for place in range((last - DAY).days + 1)]
    assert ripe_days(running.parts.gateways["wechat"], now, date(2021, 11, 8)) == []
    assert len(ripe_days(running.parts.gateways["wechat"], now, date(2021, 9, 1))) == flow.LOOK_BACK


def test_somebody_must_know_by_eleven():
    assert late_moment(DAY) == datetime(2021, 11, 6, 11, 0, tzinfo=BEIJING)


@pytest.mark.parametrize(("begins", "first"), [(0, "05T00"), (11, "05T11"), (12, "04T12"), (23, "04T23")])
def test_a_business_day_that_begins_after_noon_begins_the_evening_before(begins, first):
    limits = day_limits(date(2021, 11, 5), time(begins))

    assert limits[0].isoformat() == f"2021-11-{first}:00:00+08:00"
    assert limits[1] - limits[0] == timedelta(days=1)
