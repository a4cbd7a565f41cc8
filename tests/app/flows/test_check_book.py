"""The book is looked at as a whole: by command, and by the worker, whose findings are figures and wake somebody."""

from datetime import timedelta

import psycopg
import pytest

from app.flows.reconcile.close_day import ask_to_close, confirm_close
from app.flows.watch.book import GUARDS, PAPERS, check_book, watch_book
from payments.taking.settle import collect
from payments.truths.invariants import INVARIANTS
from tests.app.web.conftest import far_folder, running
from tests.builders import NOON, a_message, a_paid_word, a_started_payment
from tests.conftest import DATABASE

__all__ = ["far_folder", "running"]  # the part's own ends with the book whole, and here it is broken


def paid(running):
    attempt = running.write(a_started_payment)
    message = a_message(a_paid_word(attempt))
    now = running.parts.clocks.wall()
    running.write(lambda connection: collect(connection, [message], now=NOON, booked_on=NOON.date(), wall=now))


def tamper(database, statement):
    url = database.admin_url().replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(statement)


def test_every_truth_is_asked_and_holds(running):
    paid(running)

    found = check_book(running.parts)

    assert [one.number for one in found] == [*INVARIANTS, GUARDS[0], PAPERS[0]]
    assert [one.number for one in found if one.rows] == []


@pytest.mark.parametrize(
    "tampering",
    [
        "update certificate set content = replace(content, '32000', '31000')",
        "delete from certificate",
        "update certificate set signature = sha256('x') || sha256('y')",
        "update sealed_day set closed_by = 'staff:other'",
    ],
)
def test_a_certificate_that_was_not_signed_so_is_seen(running, database, tampering):
    """M6: the text, the signature, the paper itself, or what it tells of who closed the day."""
    paid(running)
    running.turn(NOON + timedelta(days=1))
    ask_to_close(running.parts, NOON.date(), by="staff:wang")
    assert confirm_close(running.parts, NOON.date(), by="staff:li")
    assert [one.rows for one in check_book(running.parts, [PAPERS[0]])] == [0]

    tamper(database, tampering)

    assert [(one.number, one.sample) for one in check_book(running.parts, [PAPERS[0]])] == [
        (PAPERS[0], [NOON.date().isoformat()])
    ]


def test_the_command_names_what_is_broken_and_fails(running, database):
    paid(running)
    run = running.app.test_cli_runner().invoke
    assert run(args=["ledger", "check"]).exit_code == 0

    tamper(database, "update posting set amount = amount + 7 where account = 'clearing:wechat'")

    whole, one = run(args=["ledger", "check"]), run(args=["ledger", "check", "INV-01"])
    assert whole.exit_code == 1 and "✗ INV-02" in whole.output and "receipt:wechat:" in whole.output
    assert one.exit_code == 1 and "difference 7" in one.output and "INV-02" not in one.output
    assert run(args=["ledger", "check", "INV-06"]).exit_code == 0


def test_the_workers_look_is_a_figure_and_wakes_somebody_once(running, database):
    paid(running)
    heard = []
    object.__setattr__(running.parts, "alert", lambda what, **words: heard.append((what, words["invariant"])))
    assert watch_book(running.parts) == 0 and heard == []

    tamper(database, "delete from notice")

    assert watch_book(running.parts) == 1
    assert heard == [("book_broken", "INV-14")]
    figures = running.app.test_client().get("/metrics").text
    assert 'liangxian_invariant_rows{number="INV-14"} 1.0' in figures
    assert 'liangxian_invariant_rows{number="INV-01"} 0.0' in figures


def test_what_a_piece_showed_stays_until_the_whole_is_mended(running, database):
    paid(running)
    tamper(database, "delete from notice")

    assert watch_book(running.parts, turn=7) == 1
    tamper(database, "delete from payment_bill; delete from payment")
    watch_book(running.parts, ["INV-14"], turn=8)
    assert running.one("select rows from book_check where number = 'INV-14'").rows == 1
    watch_book(running.parts, ["INV-14"])

    assert running.one("select rows from book_check where number = 'INV-14'").rows == 0


def test_balances_and_an_entry_are_shown(running):
    run = running.app.test_cli_runner().invoke
    assert "还没有分录" in run(args=["ledger", "balances"]).output
    paid(running)

    shown = run(args=["ledger", "balances"]).output
    cause = running.one("select cause from entry").cause

    assert "clearing:wechat" in shown and "320" in shown
    assert "贷\tfund:RES_MEDICAL:2022" in run(args=["ledger", "entry", cause, "--household", "7"]).output
    assert run(args=["ledger", "entry", "receipt:wechat:NONE", "--household", "7"]).exit_code == 1
