"""Service begins again on a server that was restored: what the lost minutes gave out is given out no more, and what
their lists hold comes back, held for an owner, although the book no longer knows whose it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.flows.reconcile.compare import reconcile_day
from app.flows.reconcile.fetch_statement import fetch_statement
from app.flows.restore.reopen import NotYetLost, reopen
from app.flows.watch.book import check_book
from config.postgres import Server
from core.clock import utc_now
from core.db import connect
from payments.errors import NoStatement
from payments.number import household_of, new_number
from payments.reconcile import statements
from tests.app.web.conftest import far_folder, running
from tests.builders import NOON, a_household
from tests.conftest import DATABASE
from tests.days import DAY, MORNING, book, keep, line, paid
from tests.system import System

__all__ = ["far_folder", "running"]
GATEWAYS = ("wechat", "alipay", "unionpay")


@pytest.fixture
def owner(database: Server):
    engine = connect(database.owner_url(DATABASE), pool_size=1)
    yield engine
    engine.dispose()


def lose(running: System, owner, *, hours: float = 1):
    """Reopened at this moment, with the last hours lost."""
    return reopen(running.parts, owner, lost_since=utc_now() - timedelta(hours=hours), by="operator:li")


def a_line_of_a_forgotten_order(running: System, gateway: str, known):
    """Paid at noon under a number our book has lost; the list has another second than the order had."""
    number = new_number(4711, DAY)
    return line(known, number=number, reference=f"LOST{gateway}", amount=32000, row=2)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_list_brings_back_what_was_lost_and_holds_it_for_an_owner(running: System, owner, gateway: str) -> None:
    known = paid(running, gateway, 1)
    book(running, known)
    lose(running, owner)
    forgotten = a_line_of_a_forgotten_order(running, gateway, known[0])
    stranger = line(known[0], number="SOMEBODYELSES", reference="STRANGER", row=3)
    running.turn(MORNING)
    keep(running, gateway, [line(known[0]), forgotten, stranger])

    for _ in range(2):
        reconcile_day(running.parts, gateway, DAY)

    held = running.one("select doubt, owner, amount, number, due_on from suspense")
    assert (held.doubt, held.owner, held.amount) == ("unknown_number", "tax_clerk", 32000)
    assert held.number == forgotten.number
    assert household_of(held.number) == 4711
    assert running.one("select sum(amount) from posting where account = :a", a=f"clearing:{gateway}")[0] == 64000
    assert running.one("select state from payment").state == "paid", "the one that is known is settled as before"
    assert [one.number for one in check_book(running.parts) if one.rows and one.number != "INV-19"] == []


def test_on_a_day_of_which_nothing_was_lost_such_a_line_stays_a_difference(running: System, owner) -> None:
    known = paid(running, "unionpay", 1)
    book(running, known)
    running.turn(MORNING + timedelta(days=3))
    lose(running, owner)
    keep(running, "unionpay", [line(known[0]), a_line_of_a_forgotten_order(running, "unionpay", known[0])])

    reconcile_day(running.parts, "unionpay", DAY)

    assert running.one("select count(*) from suspense")[0] == 0
    assert running.one("select kind from discrepancy where state = 'open'").kind == "MISSING_IN_LEDGER"


def test_that_there_was_nothing_is_not_believed_of_a_day_that_was_lost(running: System, owner) -> None:
    running.turn(MORNING)
    fetch_statement(running.parts, "wechat", DAY)
    lose(running, owner, hours=24)

    with pytest.raises(NoStatement):
        fetch_statement(running.parts, "wechat", DAY)
    with running.parts.reading() as connection:
        began = statements.first_day(connection, "alipay")
    assert began is not None and began < MORNING, "its first order may be among the lost"


def test_counters_leap_and_everybody_comes_in_anew_once(running: System, owner) -> None:
    before = running.write(lambda connection: a_household(connection, number="1"))
    running.write(
        lambda connection: connection.execute(
            text("insert into session (token_hash, expires_at, ends_at) values ('x', now(), now())")
        )
    )

    done = lose(running, owner)
    again = lose(running, owner, hours=9)
    after = running.write(lambda connection: a_household(connection, number="2"))

    assert not done.before and again.before and done.sessions >= 1
    assert after == done.first_household > before + 1_000_000
    assert running.one("select count(*) from session")[0] == 0
    assert running.one("select count(*) from reopening")[0] == 1
    assert running.one("select count(*) from household where id = :id", id=before)[0] == 1, "what is known stays"


def test_a_loss_that_is_still_to_come_is_refused(running: System, owner) -> None:
    with pytest.raises(NotYetLost):
        reopen(running.parts, owner, lost_since=datetime.now(UTC) + timedelta(hours=1), by="operator:li")
    assert running.one("select count(*) from reopening")[0] == 0


def test_a_callback_for_a_forgotten_order_is_held_and_nothing_else_moves(running: System) -> None:
    known = paid(running, "wechat", 1)
    stranger = replace(known[0], number=new_number(4711, NOON.date()), reference="42FORGOTTEN")

    assert book(running, [stranger, known[0]]) == ["suspense", "paid"]
    assert running.one("select count(*) from suspense").count == 1


def test_nobody_names_a_later_moment_than_the_last_of_which_anything_is_there(running: System, owner) -> None:
    """An hour named in another zone's time: what was lost before it would never be asked about."""
    last = utc_now() - timedelta(hours=3)
    with owner.begin() as connection:
        words = {"at": last}
        connection.execute(text("insert into act (what, by, way, at) values ('found', 'staff:x', 'web', :at)"), words)

    done = reopen(running.parts, owner, lost_since=utc_now() - timedelta(minutes=1), by="operator:li")

    assert done.lost_since == last
