"""A closed day stays what it was: nobody writes into it, what comes late goes to an open day, tampering shows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from time import sleep

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from config.postgres import Server
from core.clock import BEIJING
from core.db import connect
from payments.ledger import seal
from payments.ledger.balances import trial_balance
from payments.ledger.seal import Closing, NotTheDay
from tests.conftest import DATABASE

FIRST = date(2021, 11, 5)
NEXT_MORNING = datetime(2021, 11, 6, 11, tzinfo=BEIJING)
CLOSING = Closing("staff:wang", None, NEXT_MORNING)
POST = (
    "select ledger_post(7, :cause, :day, :happened, array['clearing:wechat', 'fund:RES_MEDICAL:2022'],"
    " array[:amount, -:amount]::bigint[], array[null, null]::bigint[])"
)


A_REFUND = """
insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why, reason,
                    sent_as, applied_by, applied_at, decided_by, decided_at, state, next_query_at)
  values (7, 'YT1', 'receipt:wechat:1', 'wechat', 'YC1', '1', now(), 32000, 32000, 'twice', 'x', 'YT1', 'account:1',
          now(), 'staff:li', now(), 'approved', now());
insert into refund_step values (7, 'YT1', 1, 'applied', null, 'account:1', now()),
  (7, 'YT1', 2, 'approved', null, 'staff:li', now());
"""


@pytest.fixture
def owner(engine: Engine, database: Server) -> Iterator[Engine]:
    """The owner's role: it may write the book by itself, the application may not."""
    owner = connect(database.owner_url(DATABASE), pool_size=4)
    yield owner
    owner.dispose()


def book(connection: Connection, cause: str, day: date = FIRST, amount: int = 32000) -> None:
    happened = datetime(day.year, day.month, day.day, 12, tzinfo=BEIJING)
    connection.execute(text(POST), {"cause": cause, "day": day, "happened": happened, "amount": amount})


def booked_on(engine: Engine, cause: str) -> date:
    with engine.connect() as connection:
        return connection.execute(text("select booked_on from entry where cause = :c"), {"c": cause}).scalar_one()


def close(engine: Engine, day: date = FIRST, closing: Closing = CLOSING) -> bool:
    with engine.begin() as connection:
        return seal.seal(connection, day, closing)


def broken(engine: Engine) -> list[date]:
    with engine.connect() as connection:
        return seal.broken(connection)


def refused(engine: Engine, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(text(statement))
    return caught.value.orig.sqlstate


def test_a_closed_day_keeps_its_digest_and_its_totals(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
        book(connection, "receipt:wechat:2", amount=16000)

    assert close(engine)

    with engine.connect() as connection:
        day = seal.sealed(connection, FIRST)
        totals = [(row.account, row.debit, row.credit, row.balance) for row in seal.totals(connection, FIRST)]
        trial = [(row.code, row.debit, row.credit, row.balance) for row in trial_balance(connection)]
    assert (day.entries, day.postings, bytes(day.previous)) == (2, 4, bytes(32))
    assert totals == trial
    assert broken(engine) == []


def test_closing_twice_changes_nothing(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
    close(engine)

    assert not close(engine, closing=Closing("staff:li", None, NEXT_MORNING))

    with engine.connect() as connection:
        assert seal.sealed(connection, FIRST).closed_by == "staff:wang"


def test_each_day_chains_to_the_one_before_and_balances_go_on(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
        book(connection, "receipt:wechat:3", FIRST + timedelta(days=2), 500)
    evening = Closing("staff:wang", None, NEXT_MORNING + timedelta(days=2))

    for place in range(3):  # the day between is empty, and closed like any other
        assert close(engine, FIRST + timedelta(days=place), evening)

    with engine.connect() as connection:
        days = [seal.sealed(connection, FIRST + timedelta(days=place)) for place in range(3)]
        last = {row.account: row.balance for row in seal.totals(connection, FIRST + timedelta(days=2))}
    assert [day.entries for day in days] == [1, 0, 1]
    assert [bytes(day.previous) for day in days[1:]] == [bytes(day.digest) for day in days[:2]]
    assert last == {"clearing:wechat": 32500, "fund:RES_MEDICAL:2022": -32500}
    assert broken(engine) == []


@pytest.mark.parametrize(("day", "now"), [(1, 3), (0, 0), (-1, 3)], ids=["leaves a gap", "is not over", "is too early"])
def test_a_day_out_of_turn_is_not_closed(engine: Engine, owner: Engine, day: int, now: int) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
    moment = datetime(2021, 11, 5, 23, 59, tzinfo=BEIJING) + timedelta(days=now)

    with pytest.raises(NotTheDay):
        close(engine, FIRST + timedelta(days=day), Closing("staff:wang", None, moment))


def test_nothing_booked_is_no_day_to_close(engine: Engine) -> None:
    with pytest.raises(NotTheDay):
        close(engine)


def test_what_comes_late_goes_to_the_first_open_day_with_its_own_time(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
    close(engine)

    with owner.begin() as connection:
        book(connection, "receipt:wechat:late")
        book(connection, "receipt:wechat:older", FIRST - timedelta(days=3))

    assert booked_on(engine, "receipt:wechat:late") == FIRST + timedelta(days=1)
    assert booked_on(engine, "receipt:wechat:older") == FIRST + timedelta(days=1)
    with engine.connect() as connection:
        moments = connection.execute(text("select happened_at from entry where cause = 'receipt:wechat:late'"))
        assert moments.scalar_one() == datetime(2021, 11, 5, 12, tzinfo=BEIJING)
    assert broken(engine) == []


def test_nobody_writes_into_a_closed_day_the_owner_neither(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
    close(engine)
    insert = (
        "insert into entry (household_id, cause, booked_on, happened_at, transaction)"
        " values (7, 'forged:1:in', '{}', now(), pg_current_xact_id()::text::bigint)"
    )

    assert refused(owner, insert.format("2021-11-05")) == "LX010"
    assert refused(owner, insert.format("2021-11-01")) == "LX010"


def test_the_book_is_not_written_from_an_old_view_of_the_database(owner: Engine) -> None:
    with owner.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("select 1"))
        with pytest.raises(DBAPIError) as caught:
            book(connection, "receipt:wechat:1")

    assert caught.value.orig.sqlstate == "LX010"


@pytest.mark.parametrize("table", ["sealed_day", "sealed_total"])
def test_what_was_closed_is_never_changed_or_removed(engine: Engine, owner: Engine, table: str) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
    close(engine)

    for statement in (f"update {table} set day = day - 1", f"delete from {table}", f"truncate {table}"):
        assert refused(owner, statement) == "LX003"
        assert refused(engine, statement) == "42501", "the application may not even try"
    assert refused(engine, f"insert into {table} (day) values ('2021-11-06')") == "42501"


def test_closing_waits_for_whoever_is_writing_into_the_day_and_others_go_on(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:0", FIRST - timedelta(days=1))
    close(engine, FIRST - timedelta(days=1))

    with ThreadPoolExecutor(2) as threads:
        with owner.begin() as writing:
            book(writing, "receipt:wechat:1")
            closing = threads.submit(close, engine)
            sleep(0.3)
            assert not closing.done(), "its entry would be lost from the digest"
            late = threads.submit(_book_alone, owner, "receipt:wechat:2")
            with owner.begin() as elsewhere:
                book(elsewhere, "receipt:wechat:3", FIRST + timedelta(days=1))  # another day waits for nobody
            assert not late.done()
        assert closing.result()
        late.result()

    with engine.connect() as connection:
        assert seal.sealed(connection, FIRST).entries == 1
    assert booked_on(engine, "receipt:wechat:2") == FIRST + timedelta(days=1), "it came after the close"
    assert broken(engine) == []


def _book_alone(owner: Engine, cause: str) -> None:
    with owner.begin() as connection:
        book(connection, cause)


@pytest.mark.parametrize(
    "tampering",
    [
        "update refund set applied_by = 'account:9' where number = 'YT1'",
        "update refund set applied_by = 'account:9'; update refund_step set by = 'account:9' where step = 1",
        "update refund_step set by = 'staff:other' where step = 2",
        "delete from refund_step where step = 2",
    ],
)
def test_who_asked_for_a_refund_and_agreed_to_it_is_closed_with_its_day(
    engine: Engine, owner: Engine, database: Server, tampering: str
) -> None:
    """M6: `applied_by` and its steps changed together leave nothing that contradicts them, but the day's digest."""
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(A_REFUND)
        with owner.begin() as connection:
            book(connection, "refund:YT1:approved")
        assert close(engine)
        assert broken(engine) == []
        admin.execute("update refund set state = 'paid', paid_at = now(), refund_reference = '9' where number = 'YT1'")
        admin.execute("insert into refund_step values (7, 'YT1', 9, 'paid', null, 'gateway:wechat', now())")
        assert broken(engine) == [], "what comes after the agreement is another day's"

        admin.execute(tampering)

    assert broken(engine) == [FIRST]


@pytest.mark.parametrize(
    "tampering",
    [
        "update posting set amount = amount * 2",
        "update posting set item = 9 where line = 1",
        "update entry set happened_at = happened_at + interval '1 microsecond'",
        "update entry set booked_on = booked_on - 1",
        "delete from posting where line = 2",
        "insert into entry values (7, 'forged:1:in', '2021-11-05', now(), now(), 1);"
        " insert into posting values (7, 'forged:1:in', 1, 'clearing:wechat', 5, null),"
        " (7, 'forged:1:in', 2, 'fund:RES_MEDICAL:2022', -5, null)",
        "update sealed_day set digest = sha256('x')",
        "update sealed_day set previous = sha256('x')",
        # A day that is right in itself, and follows another day than the one that is there.
        "update sealed_day set previous = sha256('x') where day = '2021-11-06';"
        " update sealed_day d set digest = closed_digest(d, (select content from book_digests(day, day)),"
        " (select content from day_sides(day, day))) where day = '2021-11-06'",
        "update sealed_total set debit = debit + 1",
        "update sealed_total set balance = balance + 1",
        "delete from sealed_day where day = '2021-11-05'",
    ],
)
def test_whoever_goes_round_the_guards_is_seen(engine: Engine, owner: Engine, database: Server, tampering: str) -> None:
    with owner.begin() as connection:
        book(connection, "receipt:wechat:1")
        book(connection, "receipt:wechat:2", FIRST + timedelta(days=1))
    for place in range(2):
        close(engine, FIRST + timedelta(days=place), Closing("staff:wang", None, NEXT_MORNING + timedelta(days=1)))
    assert broken(engine) == []

    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?")) as admin:
        admin.execute("set session_replication_role = replica")
        for statement in tampering.split(";"):
            admin.execute(statement)

    assert broken(engine) != []
