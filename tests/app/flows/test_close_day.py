"""Differences end by people, by two where money moves; a day closes when books agree or exceptions are named."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.flows.reconcile.clear_difference import ask_again, clear, confirm
from app.flows.reconcile.close_day import (
    BooksChanged,
    ask_to_close,
    books,
    close_day,
    confirm_close,
    days_until,
    due_to_close,
    standing,
)
from app.flows.reconcile.compare import reconcile_day
from payments.ledger import seal
from payments.ledger.balances import balance
from payments.ledger.seal import HasExceptions, NotTheDay
from payments.reconcile import day_books
from payments.reconcile.discrepancies import DifferenceEnded, NoReason, NoSuchDifference, OwnDifference
from tests.builders import NOON
from tests.days import DAY, MORNING, book, differences, keep, line, paid
from tests.refunding import rows

ONE = timedelta(days=1)
CLERK, LEAD = "staff:clerk01", "staff:lead01"


@pytest.fixture
def day(running):
    words = paid(running, "wechat", 4)
    book(running, words)
    running.turn(MORNING)
    return words


def compare(running, lines):
    keep(running, "wechat", lines)
    reconcile_day(running.parts, "wechat", DAY)
    return running.one("select * from discrepancy order by id desc limit 1") if differences(running) else None


def of(running, account):
    with running.parts.engine.connect() as connection:
        return balance(connection, account)


def told(running, difference):
    """What people did about a difference, and who."""
    steps = rows(running, "select word, by from discrepancy_step where discrepancy = :d order by step", d=difference)
    return [tuple(step) for step in steps]


@pytest.mark.parametrize(
    ("spoil", "account", "moved"),
    [
        (lambda day: [line(day[0], amount=33000)], "suspense:wechat", -1000),
        (lambda day: [line(day[0], amount=30000)], "receivable:resident", 2000),
        (lambda day: [], "receivable:resident", 32000),
        (lambda day: [line(day[0]), line(day[0])], "suspense:wechat", -32000),
        (lambda day: [line(day[0]), line(day[0], number="WHO", reference="42000WHO", amount=7)], "suspense:wechat", -7),
    ],
    ids=["too much there", "too little there", "not there", "there twice", "only there"],
)
def test_money_moves_when_a_second_person_agrees(running, day, spoil, account, moved):
    found = compare(running, [*spoil(day), *(line(word) for word in day[1:])])
    before = of(running, "clearing:wechat")

    assert clear(running.parts, found.id, "book", "已与渠道核实", by=CLERK) == "proposed"
    with pytest.raises(OwnDifference):
        confirm(running.parts, found.id, agreed=True, by=CLERK)
    assert of(running, account) == 0
    confirm(running.parts, found.id, agreed=True, by=LEAD)

    assert of(running, account) == moved
    assert of(running, "clearing:wechat") == before - moved
    assert told(running, found.id) == [("proposed", CLERK), ("booked", LEAD)]
    with pytest.raises(DifferenceEnded):
        confirm(running.parts, found.id, agreed=True, by=LEAD)
    compare(running, [*spoil(day), *(line(word) for word in day[1:])])
    assert differences(running) == [], "comparing again finds nothing new"


def test_what_the_second_person_refuses_is_open_again(running, day):
    found = compare(running, [line(word) for word in day[1:]])
    clear(running.parts, found.id, "book", "渠道没有这一笔", by=CLERK)

    confirm(running.parts, found.id, agreed=False, by=LEAD)

    assert len(differences(running)) == 1
    assert of(running, "receivable:resident") == 0
    assert told(running, found.id) == [("proposed", CLERK), ("refused", LEAD)]


def test_a_difference_ends_with_a_reason_once_and_nothing_is_booked(running, day):
    found = compare(running, [line(word) for word in day[1:]])
    entries = running.one("select count(*) from entry")

    with pytest.raises(NoReason):
        clear(running.parts, found.id, "accept", "  ", by=CLERK)
    assert clear(running.parts, found.id, "accept", "渠道已补单", by=CLERK) == "cleared"
    with pytest.raises(DifferenceEnded):
        clear(running.parts, found.id, "accept", "渠道已补单", by=CLERK)
    with pytest.raises(NoSuchDifference):
        clear(running.parts, 0, "accept", "没有这一条", by=CLERK)

    assert running.one("select count(*) from entry") == entries


def test_asking_again_compares_the_day_again(running, day):
    found = compare(running, [line(word) for word in day[1:]])
    keep(running, "wechat", [line(word) for word in day])

    ask_again(running.parts, found.id)

    assert differences(running) == []


def test_money_of_nobody_that_a_difference_booked_is_owned_tomorrow_and_solved_in_a_week(running, day):
    found = compare(running, [line(day[0], amount=33000), *(line(word) for word in day[1:])])
    running.turn(MORNING + 3 * ONE)
    clear(running.parts, found.id, "book", "已与渠道核实", by=CLERK)
    confirm(running.parts, found.id, agreed=True, by=LEAD)

    assert tuple(running.one("select owned_on, due_on from suspense")) == (date(2021, 11, 10), date(2021, 11, 16))


def test_a_day_whose_books_agree_is_closed_by_one_person(running, day):
    compare(running, [line(word) for word in day])

    assert standing(running.parts, DAY).exceptions == []
    assert close_day(running.parts, DAY, by=CLERK)
    assert not close_day(running.parts, DAY, by=CLERK)

    with running.parts.engine.connect() as connection:
        assert seal.sealed(connection, DAY).exceptions == []
        assert seal.broken(connection) == []
    assert days_until(running.parts) == [DAY]


def test_a_day_is_closed_as_it_was_looked_at_or_not_at_all(running, day):
    """日结 was one click on a page that may be an hour old."""
    found = compare(running, [line(word) for word in day[1:]])
    looked_at = books(running.parts, DAY).seen
    clear(running.parts, found.id, "accept", "渠道已补单", by=CLERK)

    with pytest.raises(BooksChanged):
        close_day(running.parts, DAY, by=LEAD, seen=looked_at)
    with running.parts.engine.connect() as connection:
        assert seal.last(connection) is None, "nothing is closed, no earlier day either"

    assert close_day(running.parts, DAY, by=LEAD, seen=books(running.parts, DAY).seen)


def test_a_day_closed_wrongly_is_answered_on_the_open_day(running, day):
    """Decision 0027: the list was wrong, and the day was closed with it; the right one comes."""
    compare(running, [line(word) for word in day])
    close_day(running.parts, DAY, by=CLERK, seen=books(running.parts, DAY).seen)
    paper = running.one("select content from certificate where day = :day", day=DAY)

    found = compare(running, [line(word) for word in day[1:]])
    clear(running.parts, found.id, "book", "渠道更正了账单", by=CLERK)
    confirm(running.parts, found.id, agreed=True, by=LEAD)

    [entry] = rows(running, "select booked_on from entry where cause like 'discrepancy:%'")
    assert entry.booked_on > DAY
    assert of(running, "receivable:resident") == 32000
    assert running.one("select count(*) from entry where booked_on = :day", day=DAY).count == 4, "the others stay"
    assert running.one("select content from certificate where day = :day", day=DAY) == paper
    with running.parts.engine.connect() as connection:
        assert seal.broken(connection) == [], "INV-13"


def test_a_day_without_its_list_is_not_closed(running, day):
    assert [named["subject"] for named in standing(running.parts, DAY).exceptions] == ["missing"]
    with pytest.raises(HasExceptions):
        close_day(running.parts, DAY, by=CLERK)


def test_the_lists_of_other_days_and_other_channels_are_not_this_days(running, day):
    """The day before and Alipay are in and compared; WeChat's list of the day is not, and is named once."""
    for gateway, of_day in (("wechat", DAY - ONE), ("alipay", DAY)):
        keep(running, gateway, [], day=of_day)
        reconcile_day(running.parts, gateway, of_day)

    named = [(one["channel"], one["subject"]) for one in standing(running.parts, DAY).exceptions]

    assert named == [("wechat", "missing")]


def test_a_days_figures_are_its_own_and_so_is_what_is_open(running, day):
    """The day before had one premium, and a difference that was ended."""
    earlier = paid(running, "wechat", 1, first=70, at=NOON - ONE)
    book(running, earlier, now=NOON - ONE)
    for of_day, words in ((DAY - ONE, []), (DAY, day[1:])):
        keep(running, "wechat", [line(word) for word in words], day=of_day)
        reconcile_day(running.parts, "wechat", of_day)
    ended = running.one("select id from discrepancy where day = :day", day=DAY - ONE)
    clear(running.parts, ended.id, "accept", "渠道已补单", by=CLERK)

    [channel] = books(running.parts, DAY).channels
    with running.parts.engine.connect() as connection:
        opened = day_books.open_by_day(connection, [DAY - ONE, DAY])

    assert (channel.matched, channel.received, channel.ours_received, channel.open) == (3, 96000, 128000, 1)
    assert opened == {DAY: 1}


def test_the_days_that_wait_to_be_closed_are_counted_to_the_last_whose_lists_are_there(running, day):
    compare(running, [line(word) for word in day])
    assert due_to_close(running.parts) == 0, "before eleven its lists may still come"
    running.turn(MORNING + timedelta(hours=1))
    assert due_to_close(running.parts) == 1
    running.turn(MORNING + ONE + timedelta(hours=1))
    assert due_to_close(running.parts) == 2

    close_day(running.parts, DAY, by=CLERK)

    assert due_to_close(running.parts) == 1


def test_a_day_with_exceptions_is_closed_by_two_people_who_name_them(running, day):
    found = compare(running, [line(word) for word in day[1:]])
    with pytest.raises(HasExceptions):
        close_day(running.parts, DAY, by=CLERK)
    with pytest.raises(HasExceptions):
        confirm_close(running.parts, DAY, by=LEAD)
    ask_to_close(running.parts, DAY, by=CLERK)
    with pytest.raises(HasExceptions):
        confirm_close(running.parts, DAY, by=CLERK)

    assert confirm_close(running.parts, DAY, by=LEAD)

    with running.parts.engine.connect() as connection:
        closed = seal.sealed(connection, DAY)
    assert (closed.closed_by, closed.confirmed_by) == (CLERK, LEAD)
    assert [named["id"] for named in closed.exceptions] == [found.id]


def test_what_opened_after_somebody_asked_must_be_asked_anew(running, day):
    compare(running, [line(word) for word in day[1:]])
    ask_to_close(running.parts, DAY, by=CLERK)
    compare(running, [line(word) for word in day[2:]])

    with pytest.raises(HasExceptions):
        confirm_close(running.parts, DAY, by=LEAD)


def test_a_day_is_not_closed_before_it_is_over(running):
    book(running, paid(running, "wechat", 1))

    with pytest.raises(NotTheDay):
        close_day(running.parts, DAY, by=CLERK)


def test_the_database_itself_wants_two_people_where_money_moves(running, day):
    found = compare(running, [line(word) for word in day[1:]])
    clear(running.parts, found.id, "book", "渠道没有这一笔", by=CLERK)

    for statement in (
        "select discrepancy_confirm(:id, true, :by, now(), current_date)",
        "update discrepancy set state = 'cleared' where id = :id and '' <> :by",
    ):
        with pytest.raises(Exception, match=r"second person|permission denied"):
            running.one(statement, id=found.id, by=CLERK)


def test_late_money_of_a_closed_day_is_booked_on_the_open_day(running, day):
    late = paid(running, "wechat", 1, first=70)
    compare(running, [line(word) for word in day])
    close_day(running.parts, DAY, by=CLERK)

    keep(running, "wechat", [line(word) for word in [*day, *late]])
    reconcile_day(running.parts, "wechat", DAY)

    row = running.one("select booked_on from entry where cause = :c", c=f"receipt:wechat:{late[0].reference}")
    assert row.booked_on == DAY + timedelta(days=1)
    assert running.write(lambda connection: connection.execute(text("select * from sealed_day_broken()")).all()) == []
