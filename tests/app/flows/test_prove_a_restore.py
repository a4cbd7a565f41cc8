"""A restored book from which something is missing is no proof of its backup, however well what is there agrees."""

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.flows.reconcile.certify import Certificate, certificate
from app.flows.reconcile.close_day import ask_to_close, confirm_close
from app.flows.restore.back_up import keep_papers, paper_of
from app.flows.restore.prove import Stopped, prove
from app.flows.restore.reopen import reopen
from config.postgres import create_database, drop_database
from core.clock import utc_now
from core.db import connect
from migrations.upgrade import upgrade
from tests.conftest import DATABASE
from tests.days import DAY, MORNING, book, paid

NOTHING = "restored_nothing"
HOUR = timedelta(hours=1)


@pytest.fixture
def kept(running, tmp_path):
    """The live system: two payments of a closed day, its certificate kept outside."""
    book(running, paid(running, "wechat", 2))
    running.turn(MORNING)
    ask_to_close(running.parts, DAY, by="staff:zhang")
    assert confirm_close(running.parts, DAY, by="staff:li")
    parts = replace(running.parts, papers=tmp_path / "papers")
    assert keep_papers(parts) == 1
    return parts


@pytest.fixture(scope="module")
def nothing(server):
    """A restored server on which our tables are, and nothing in them."""
    create_database(server, NOTHING)
    upgrade(server.owner_url(NOTHING))
    engine = connect(server.app_url(NOTHING))
    yield engine
    engine.dispose()
    drop_database(server, NOTHING)


def restored(parts, engine):
    return replace(parts, engine=engine, clocks=Stopped(parts.engine, at=utc_now(), movable=True))


def test_what_the_live_book_had_long_before_the_moment_is_missed(kept, nothing):
    moment = utc_now() + HOUR

    wrong = prove(kept, restored(kept, nothing), until=moment).differences

    assert wrong == [f"{DAY} 在这一时刻以前已经日结，恢复以后没有", "这一时刻以前记的账有 2 条，恢复以后只有 0 条"]


def test_the_whole_of_it_and_what_came_after_the_moment_are_not_missed(kept, nothing):
    moment = utc_now()

    whole = prove(kept, restored(kept, kept.engine), until=moment + HOUR)
    before = prove(kept, restored(kept, nothing), until=moment)

    assert (whole.differences, whole.days, whole.papers) == ([], 1, 1)
    assert (before.differences, before.closed_later) == ([], [DAY])


def test_without_the_live_book_the_certificate_outside_says_what_is_missing(kept, nothing):
    moment = utc_now() + HOUR
    back = restored(kept, nothing)

    assert prove(None, back, until=moment).differences == [f"{DAY} 在这一时刻以前已经日结，恢复以后没有"]
    assert prove(None, back, until=moment - 2 * HOUR).differences == []


def test_with_nothing_to_compare_with_nothing_is_proved(kept, nothing, tmp_path):
    moment = utc_now() + HOUR
    for papers in (None, tmp_path / "empty"):
        told = replace(restored(kept, nothing), papers=papers)
        assert prove(None, told, until=moment).differences == ["没有可以核对的：现在的库连不上，库外也没有日结证明"]
    assert prove(kept, replace(restored(kept, kept.engine), papers=None), until=moment).differences == []


def test_a_certificate_that_somebody_else_signed_is_none_of_ours(kept):
    ours, own = certificate(kept, DAY), Ed25519PrivateKey.generate()
    forged = Certificate(ours.content, own.sign(ours.content.encode()), own.public_key().public_bytes_raw())
    paper_of(kept.papers, f"{DAY:%Y%m%d}").write_text(forged.as_json())
    moment = utc_now()

    told = prove(kept, restored(kept, kept.engine), until=moment)

    assert told.papers == 0 and len(told.differences) == 1 and "签名不对" in told.differences[0]
    assert json.loads(ours.as_json())["signature"]


def closed_anew(running, database):
    """The close is lost with the server, and two others close the day again."""
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        for table in ("certificate", "closing_request", "sealed_total", "sealed_day"):
            admin.execute(f"delete from {table}")
    ask_to_close(running.parts, DAY, by="staff:wang")
    assert confirm_close(running.parts, DAY, by="staff:zhao")


def test_a_day_that_is_closed_again_after_its_loss_has_its_new_paper_outside_and_the_former_beside_it(
    running, kept, database
):
    file = paper_of(kept.papers, f"{DAY:%Y%m%d}")
    former = file.read_text()
    owner = connect(database.owner_url(DATABASE), pool_size=1)
    reopen(running.parts, owner, lost_since=utc_now() - HOUR, by="operator:li")
    owner.dispose()
    closed_anew(running, database)

    assert (keep_papers(kept), keep_papers(kept)) == (1, 0)

    assert file.read_text() == certificate(kept, DAY).as_json() != former
    assert [one.read_text() for one in kept.papers.iterdir() if one != file] == [former]
    assert prove(kept, restored(kept, kept.engine), until=utc_now()).differences == []


def test_a_day_that_somebody_closes_again_and_nothing_was_lost_keeps_its_paper(running, kept, database):
    file = paper_of(kept.papers, f"{DAY:%Y%m%d}")
    former = file.read_text()
    closed_anew(running, database)

    assert keep_papers(kept) == 0 and file.read_text() == former
    assert any("不一样" in line for line in prove(kept, restored(kept, kept.engine), until=utc_now()).differences)
