"""The book is looked at as a whole: by command, and by the worker, whose findings are figures and wake somebody."""

import re
from datetime import timedelta

import psycopg
import pytest

from app.flows.reconcile.close_day import ask_to_close, confirm_close
from app.flows.watch.book import GUARDS, PAPERS, check_book, watch_book, watch_new
from config.settings import CHECKOUT
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


def test_what_the_look_at_all_found_stays_until_another_finds_it_mended(running, database):
    paid(running)
    tamper(database, "delete from notice")

    assert watch_book(running.parts) == 1
    tamper(database, "delete from payment_bill; delete from payment")
    watch_new(running.parts, ["INV-14"])
    kept = running.one("select rows, sample from book_check where number = 'INV-14'")
    assert kept.rows == 1 and len(kept.sample) == 1, "with the name of what is wrong"
    watch_book(running.parts, ["INV-14"])

    assert running.one("select rows from book_check where number = 'INV-14'").rows == 0


BROKEN_NOW = {
    "INV-02": "update posting set amount = amount + 7 where account = 'clearing:wechat'",
    "INV-07": "update payment set amount = amount - 1",
    "INV-09": "update bill set settled_by = 'receipt:wechat:NONE'",
    "INV-14": "update notice set cause = cause || ':x'",
    "INV-22": "update bill_line set amount = amount + 1 where payer = 'resident'",
}


@pytest.mark.parametrize("number", BROKEN_NOW)
def test_what_is_broken_now_is_seen_within_the_minute(running, database, number):
    """Whoever wrote it, and past every guard."""
    paid(running)
    assert watch_book(running.parts) == 0
    looked = running.one("select whole_at, horizon from book_check where number = :number", number=number)

    assert watch_new(running.parts) == 0
    tamper(database, BROKEN_NOW[number])

    assert watch_new(running.parts) >= 1
    assert running.one("select rows from book_check where number = :number", number=number).rows == 1
    same = running.one("select whole_at, horizon from book_check where number = :number", number=number)
    assert same == looked, "only a look at all moves the moment from which on rows are new"


def test_what_was_broken_before_the_last_look_at_all_is_seen_within_the_hour_and_what_is_gone_too(running, database):
    paid(running)
    tamper(database, "update posting set amount = amount + 7 where account = 'clearing:wechat'")
    first_unseen = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    tamper(
        database, f"insert into book_check values ('INV-02', 0, '{{}}', now(), now(), {first_unseen})"
    )  # as if it had been whole a moment ago: nothing of the entry is new

    assert watch_new(running.parts, ["INV-02"]) == 0
    assert watch_book(running.parts, ["INV-02"]) == 1

    tamper(database, "update posting set amount = amount - 7 where account = 'clearing:wechat'")
    assert watch_book(running.parts) == 0
    tamper(database, "delete from notice")
    assert watch_new(running.parts) == 0, "a row that is gone is new nowhere"
    assert watch_book(running.parts) == 1


@pytest.mark.parametrize(
    "forgotten",
    [
        "update book_check set whole_at = null, horizon = null where number = 'INV-14'",
        "delete from book_check where number = 'INV-14'",
        "update book_check set whole_at = whole_at - interval '3 hours'",
        "update book_check set horizon = horizon + 1000000",
    ],
)
def test_where_nobody_knows_of_a_look_at_all_the_minute_looks_at_all(running, database, forgotten):
    """After an upgrade, a worker that stood still for hours, a database whose transactions are counted anew."""
    paid(running)
    watch_book(running.parts)
    tamper(database, "delete from notice")
    tamper(database, forgotten)

    assert watch_new(running.parts) == 1
    assert watch_new(running.parts, ["INV-01"]) == 0
    assert running.one("select rows from book_check where number = 'INV-14'").rows == 1


def test_the_truths_that_the_minute_asks_of_what_is_new_are_named_in_the_docs():
    written = (CHECKOUT / "docs" / "proof.md").read_text(encoding="utf-8")
    named = re.search(r"household by household:\s([^.]*)\.", written)

    assert named is not None
    assert re.findall(r"INV-\d+", named[1]) == sorted(one.number for one in INVARIANTS.values() if one.by_household)


def test_balances_and_an_entry_are_shown(running):
    run = running.app.test_cli_runner().invoke
    assert "还没有分录" in run(args=["ledger", "balances"]).output
    paid(running)

    shown = run(args=["ledger", "balances"]).output
    cause = running.one("select cause from entry").cause

    assert "clearing:wechat" in shown and "320" in shown
    assert "贷\tfund:RES_MEDICAL:2022" in run(args=["ledger", "entry", cause, "--household", "7"]).output
    assert run(args=["ledger", "entry", "receipt:wechat:NONE", "--household", "7"]).exit_code == 1
