"""A list that comes while somebody compares, a process that dies between two steps: no day counts as compared before
its differences have their names; and lines without a reference are each a line of their own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from threading import Thread

import pytest
from sqlalchemy import NullPool, create_engine, text

from app.flows.reconcile import compare as comparing
from app.flows.reconcile.clear_difference import clear, confirm
from app.flows.reconcile.close_day import close_day, standing
from app.flows.reconcile.compare import reconcile_day, reconcile_due, watch_differences
from payments.gateways.base import Movement, StatementLine
from payments.ledger.seal import HasExceptions
from payments.reconcile import compare, statements
from tests.builders import NOON
from tests.conftest import DATABASE
from tests.days import DAY, MORNING, book, differences, keep, line, paid
from tests.refunding import CLERK, LEAD, balances, rows
from tests.system import eventually

ONE = timedelta(days=1)


class Killed(BaseException):
    """The process dies here."""


def test_a_kill_between_matching_and_naming_leaves_a_day_that_was_not_compared(running, monkeypatch):
    """K2: the day counted as compared, nothing was named, and a clerk closed it without an exception."""
    words = paid(running, "wechat", 3, known=True)
    book(running, words)
    running.turn(MORNING)
    stranger = replace(words[0], number="SOMEBODYELSES", reference="4200099", amount=16000)
    keep(running, "wechat", [line(word) for word in [*words[:2], stranger]])

    def dies(*_: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(comparing, "_heal", dies)
        with pytest.raises(Killed):
            reconcile_due(running.parts)

    assert [one["subject"] for one in standing(running.parts, DAY).exceptions] == ["not compared"]
    with pytest.raises(HasExceptions):
        close_day(running.parts, DAY, by=CLERK)
    assert reconcile_due(running.parts) == 1
    assert sorted(kind for kind, *_ in differences(running)) == ["MISSING_IN_BANK", "MISSING_IN_LEDGER"]


def test_nothing_is_booked_for_a_difference_while_somebody_compares_its_day(running):
    """Who agrees waits until the day is compared, and then sees what it became."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(words[0])])
    reconcile_day(running.parts, "wechat", DAY)
    watch_differences(running.parts)
    key = running.one("select id from discrepancy where state = 'open'").id
    clear(running.parts, key, "book", "查过了", by=CLERK)
    with running.parts.engine.begin() as comparing_it:
        comparing_it.execute(text("select hold_statement('wechat', :day)"), {"day": DAY})
        agreeing = Thread(target=confirm, args=(running.parts, key), kwargs={"agreed": True, "by": LEAD})
        agreeing.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        eventually(lambda: running.one(waiting)[0] == 1, 5)
        assert "receivable:resident" not in balances(running)
    agreeing.join(10)

    assert balances(running)["receivable:resident"] == 32000


def test_only_the_days_beside_a_day_are_its_neighbours(running):
    """A difference of a day is looked at again when the list of the day before or after comes, and no other."""
    words = paid(running, "wechat", 1, known=True)
    book(running, words)
    running.turn(MORNING + 3 * ONE)
    for of_day in (DAY, DAY + 2 * ONE):
        keep(running, "wechat", [], day=of_day)
        reconcile_day(running.parts, "wechat", of_day)
    watch_differences(running.parts)

    def beside(day):
        with running.parts.engine.connect() as connection:
            return compare.neighbours(connection, compare.BusinessDay("wechat", day, MORNING, MORNING))

    assert beside(DAY + ONE) == [DAY]
    assert beside(DAY + 2 * ONE) == []


def test_a_list_that_comes_anew_while_somebody_compares_is_compared(running):
    """K21: the comparison of the old list said afterwards that the new one was compared."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(word) for word in words])
    with running.parts.engine.begin() as fetching:
        statements.keep(fetching, "wechat", DAY, BytesIO(b"anew"), [line(words[0])], wall=datetime.now(UTC))
        comparer = Thread(target=reconcile_day, args=(running.parts, "wechat", DAY))
        comparer.start()
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        eventually(lambda: running.one(waiting)[0] == 1, 5)
    comparer.join(10)

    assert differences(running) == [("MISSING_IN_BANK", words[1].reference, 32000, None)]

    keep(running, "wechat", [line(word) for word in words])
    assert [one["subject"] for one in standing(running.parts, DAY).exceptions][-1:] == ["not compared"]
    assert reconcile_due(running.parts) == 1
    assert differences(running) == []


def nameless(amount: int, movement: Movement, *, row: int = 1, at: datetime = NOON) -> StatementLine:
    """A correction of UnionPay's (ZME): no number, no reference, only its place in the file."""
    return StatementLine(row, movement, "", "", amount, 0, at, their_word="ZME E74 000001/1105000000/0001")


def test_debits_without_numbers_are_each_booked(running):
    """K6: only the first ever was booked; all later ones claimed to be."""
    running.turn(MORNING + ONE)
    keep(running, "unionpay", [nameless(32000, Movement.REFUND), nameless(32000, Movement.REFUND)])
    keep(running, "unionpay", [nameless(50000, Movement.REFUND, at=NOON + ONE)], day=DAY + ONE)

    for _ in range(2):
        for day in (DAY, DAY + ONE):
            reconcile_day(running.parts, "unionpay", day)

    assert balances(running) == {"clearing:unionpay": -114000, "receivable:resident": 114000}
    assert [
        (one.kind, one.subject, one.note) for one in rows(running, "select * from discrepancy order by subject")
    ] == [
        ("MISSING_IN_LEDGER", "2021-11-05#1", "by_hand"),
        ("MISSING_IN_LEDGER", "2021-11-05#2", "by_hand"),
        ("MISSING_IN_LEDGER", "2021-11-06#1", "by_hand"),
    ]


def test_credits_without_numbers_are_each_money_of_their_own(running):
    """K7: the second with the same amount was "cleared" with nothing booked; another amount was LX001."""
    running.turn(MORNING + 3 * ONE)
    keep(running, "unionpay", [nameless(32000, Movement.PAYMENT), nameless(32000, Movement.PAYMENT)])
    keep(running, "unionpay", [nameless(32000, Movement.PAYMENT, at=NOON + ONE)], day=DAY + ONE)
    keep(running, "unionpay", [nameless(50000, Movement.PAYMENT, at=NOON + 2 * ONE)], day=DAY + 2 * ONE)
    days = [DAY, DAY + ONE, DAY + 2 * ONE]
    for day in days:
        reconcile_day(running.parts, "unionpay", day)
    found = rows(running, "select id, kind, lacks from discrepancy where state = 'open' order by id")
    assert [(one.kind, one.lacks) for one in found] == [
        *[("MISSING_IN_LEDGER", 32000)] * 3,
        ("MISSING_IN_LEDGER", 50000),
    ]

    for place, one in enumerate(found, 1):
        clear(running.parts, one.id, "book", "银联调账", by=CLERK)
        confirm(running.parts, one.id, agreed=True, by=LEAD)
        assert running.one("select count(*) from suspense")[0] == place, "cleared is booked"

    for day in days:
        reconcile_day(running.parts, "unionpay", day)
    assert balances(running) == {"clearing:unionpay": 146000, "suspense:unionpay": -146000}
    assert differences(running) == []


LINES = 3000  # of theirs on each of three days; a step that meets every line with every other reads millions
REFUNDS = 1000
OURS = r"""
insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why, reason,
                    sent_as, applied_by, applied_at, decided_by, decided_at, state, paid_at)
  select g, 'N' || g, 'receipt:wechat:' || g, 'wechat', 'X', 'x', :at, 32000, 32000, 'x', 'x', 'N' || g, 'a', :at, 'b',
         :at, 'paid', :at from generate_series(1, :refunds) g;
insert into refund_number select g, 'N' || g, 'N' || g, :at, 'W' || g, 'refund\:N' || g || '\:paid', :at
    from generate_series(1, :refunds) g
"""
READ = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname in (
  'statement_row', 'statement_match', 'refund', 'refund_number', 'unasked_refund', 'entry', 'payment', 'discrepancy')
"""


def a_list(day: int) -> list[StatementLine]:
    """Nine payments we know nothing of for each refund we know nothing of."""
    made = []
    for place in range(1, LINES + 1):
        one = StatementLine(place, Movement.PAYMENT, f"X{place}", f"R{day}-{place}", 32000, 0, NOON)
        if place % 10 == 0:
            one = replace(one, movement=Movement.REFUND, refund_number=f"Z{day}-{place}", their_word="FAIL")
        made.append(one)
    return made


def test_the_first_list_is_read_once_and_not_every_line_for_every_other(running, database):
    """K29: on tables without statistics the comparison was quadratic: 20,000 lines we do not have took 43 seconds."""
    of = compare.BusinessDay("wechat", DAY, NOON - ONE / 2, NOON + ONE / 2)
    address = (
        database.admin_url().replace("/postgres?", f"/{DATABASE}?").replace("postgresql://", "postgresql+psycopg://")
    )
    anybody = create_engine(address, poolclass=NullPool)
    with anybody.connect() as connection:  # as one whom no guard stops, so that our side is there too; nothing stays
        connection.execute(text("set local session_replication_role = replica"))
        for statement in OURS.split(";"):
            connection.execute(text(statement), {"at": NOON, "refunds": REFUNDS})
        for day in (-1, 0, 1):
            file = BytesIO(b"as it came")
            statements.keep(connection, "wechat", DAY + day * ONE, file, a_list(day), wall=datetime.now(UTC))

        compare.match(connection, of)
        assert len(compare.unhealed(connection, of)) == LINES
        assert compare.name_differences(connection, of, now=NOON) == LINES + REFUNDS

        assert connection.execute(text(READ)).scalar_one() < 30 * (3 * LINES + REFUNDS)


def test_a_difference_that_opens_again_wakes_somebody_again(running):
    """K20: it was said once, long ago, and nobody was woken."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING + timedelta(hours=2))

    def compared(*there: object) -> int:
        keep(running, "wechat", [line(word) for word in there])
        reconcile_day(running.parts, "wechat", DAY)
        return watch_differences(running.parts)

    assert compared(words[0]) == 1
    assert compared(*words) == 0
    running.turn(MORNING + 3 * ONE)
    assert compared(words[0]) == 1
    assert compared(words[0]) == 0, "said once"
    [found] = rows(running, "select opened_at, deadline from discrepancy")
    assert found.opened_at > MORNING + 2 * ONE and found.deadline == found.opened_at + ONE
