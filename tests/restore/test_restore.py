"""Backups are taken and looked at, a drill restores and proves, and a server that is lost under load comes back without
a fen missing. One machine for all of it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app.flows.reconcile.close_day import ask_to_close, confirm_close
from app.flows.restore.back_up import paper_of
from app.flows.restore.prove import prove
from app.flows.restore.watch import standing, troubles
from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS, NOON
from tests.restore.disaster import Disaster
from tests.restore.ground import DATABASE, DEPLOY, MISSING, WHY_NOT, Ground, ground
from tests.system import System, system

pytestmark = pytest.mark.skipif(bool(MISSING), reason=WHY_NOT)


@pytest.fixture(scope="module")
def machine() -> Iterator[Ground]:
    with ground(archive_timeout=3) as made:
        upgrade(made.server.owner_url(DATABASE), departments=DEPARTMENTS)
        yield made


@pytest.fixture(scope="module")
def running(machine: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = tmp_path_factory.mktemp("system")
    kept = {"BACKUP_KEEPER": machine.keeper, "BACKUP_PAPERS": str(home / "papers")}
    with system(machine.server, DATABASE, home / "outside", **kept) as up:
        yield up


def ops(running: System, *words: str) -> tuple[int, str]:
    done = running.app.test_cli_runner().invoke(args=["ops", *words])
    return done.exit_code, done.output


def kinds(running: System) -> set[str]:
    return {what for what, _ in troubles(standing(running.parts), datetime.now(UTC))}


def newest_drill(running: System):
    return running.one("select * from drill order by id desc limit 1")


@contextmanager
def without_the_repository(machine: Ground) -> Iterator[None]:
    """As with its disk full, or gone: nothing can be written there."""
    away = machine.home / "gone"
    (machine.home / "repository").rename(away)
    (machine.home / "repository").touch()
    try:
        yield
    finally:
        (machine.home / "repository").unlink()
        away.rename(machine.home / "repository")


@pytest.fixture(scope="module")
def a_closed_day(machine: Ground, running: System) -> Disaster:
    """Five orders, four of them paid, their day closed with what is open, and a full backup after it."""
    load = Disaster(machine, running, 1)
    for _ in range(5):
        load.pay()
    load.settle()
    running.turn(NOON + timedelta(days=1))
    ask_to_close(running.parts, NOON.date(), by="staff:zhang")
    assert confirm_close(running.parts, NOON.date(), by="staff:li")
    running.turn(NOON + timedelta(days=1, minutes=1))
    return load


def test_a_backup_is_taken_and_told_as_the_repository_has_it(
    machine: Ground, running: System, a_closed_day: Disaster
) -> None:
    assert {"backup_old", "drill_not_done"} <= kinds(running), "before the first one somebody is woken"

    status, told = ops(running, "backup", "--full")

    assert status == 0 and "本机以外" in told, told
    held = running.one("select kind, bytes, away from backup")
    assert (held.kind, held.away) == ("full", False) and held.bytes > 2**20
    assert kinds(running) == {"backup_at_home", "drill_not_done"}
    status, told = ops(running, "backup", "--check")
    assert status == 1 and "✗ backup_at_home" in told and "✗ drill_not_done" in told
    assert json.loads(paper_of(running.parts.papers, f"{NOON:%Y%m%d}").read_text())["signature"]
    assert b"settled_by" not in b"".join(
        path.read_bytes() for path in (machine.home / "repository").rglob("*") if path.is_file()
    ), "nothing in the repository can be read without its passphrase"


def test_a_drill_restores_a_moment_and_proves_it(machine: Ground, running: System, a_closed_day: Disaster) -> None:
    a_closed_day.pay()
    a_closed_day.settle()
    time.sleep(1)  # a moment is named by its second
    moment = datetime.now(UTC)
    while datetime.now(UTC) < moment + timedelta(seconds=2):
        a_closed_day.pay()
    a_closed_day.settle()

    status, told = ops(running, "drill", "--at", f"{moment:%Y-%m-%dT%H:%M:%S}+00:00")

    assert status == 0 and "全部成立" in told, told
    row = newest_drill(running)
    assert row.holds and row.lost_s <= 4 and row.differences == [] and row.bytes > 2**20
    assert (
        row.figures["there"] == 4 and row.figures["truths"] > 50 and row.figures["days"] == row.figures["papers"] == 1
    )
    assert "不见了 0 笔" in told
    assert not (machine.home / "drill" / "drill").exists() and not list((machine.home / "s").glob(".s*"))
    assert (machine.home / "s").stat().st_mode & 0o777 == 0o755, "on a server the application is another user"
    assert kinds(running) == {"backup_at_home"}


def test_what_was_tampered_with_outside_is_found(running: System, a_closed_day: Disaster, tmp_path: Path) -> None:
    paper = paper_of(running.parts.papers, f"{NOON:%Y%m%d}").read_text()
    later = json.loads(paper) | {"certificate": json.loads(paper)["certificate"].replace("2021-11-05", "2021-11-09")}
    paper_of(tmp_path, "20211105").write_text(paper.replace("zhang", "wangw"))
    paper_of(tmp_path, "20211109").write_text(json.dumps(later))
    tampered = prove(running.parts, replace(running.parts, papers=tmp_path), until=datetime.now(UTC))
    whole = prove(running.parts, running.parts, until=datetime.now(UTC))

    assert [line for line in tampered.differences if "签名不对" in line] == tampered.differences
    assert len(tampered.differences) == 2 and whole.differences == [] and whole.papers == 1


def test_what_a_killed_drill_left_is_cleared_away(machine: Ground, running: System, a_closed_day: Disaster) -> None:
    machine.keep("restore", "backup", "drill")
    assert list((machine.home / "s").glob(".s*")), "its server is there"

    assert ops(running, "drill", "--clean") == (0, "已清理\n")
    assert ops(running, "drill", "--clean") == (0, "没有要清理的\n")
    assert not (machine.home / "drill" / "drill").exists() and not list((machine.home / "s").glob(".s*"))


def test_a_moment_that_cannot_be_had_is_refused_and_written_down(running: System, a_closed_day: Disaster) -> None:
    for moment in ("2021-01-01T00:00:00", "2099-01-01T00:00:00"):
        status, told = ops(running, "drill", "--at", moment)
        assert status == 1 and "只能恢复到" in told
    assert not newest_drill(running).holds and "drill_failed" in kinds(running)


@pytest.mark.parametrize("name", ["../postgres", "postgres/data", "", "a b", ".", "x" * 40])
def test_nothing_is_restored_outside_the_drills_home(machine: Ground, name: str) -> None:
    said = machine.keep("restore", "latest", name, check=False)

    assert said.returncode == 1 and "named by" in said.stderr
    assert (machine.server.data / "PG_VERSION").exists()


def test_the_running_servers_folder_and_a_strangers_are_never_touched(machine: Ground) -> None:
    machine.tell("drill_home", str(machine.folder))
    over = machine.keep("restore", "latest", "data", check=False)
    machine.tell("drill_home", str(machine.home / "drill"))
    machine.run("mkdir", "-p", f"{machine.home}/drill/strangers")
    stranger = machine.keep("restore", "latest", "strangers", check=False)
    machine.run("ln", "-s", str(machine.server.data), f"{machine.home}/drill/link")
    link = machine.keep("forget", "link", check=False)

    assert [said.returncode for said in (over, stranger, link)] == [1, 1, 1]
    assert "touches the running server" in over.stderr and "no drill's folder" in stranger.stderr
    assert "is a link" in link.stderr and machine.psql("select 1") == [(1,)]


def test_a_backup_that_cannot_be_taken_fails_loudly(machine: Ground, running: System, a_closed_day: Disaster) -> None:
    file = machine.home / "conf.d" / "passphrases.conf"
    right = file.read_text()

    machine.passphrase("another one")
    wrong_pass = ops(running, "backup")
    file.write_text(right)
    with without_the_repository(machine):
        no_room = ops(running, "backup")
    machine.tell("pg_bin", "/nowhere")
    no_program = ops(running, "drill", "--at", "latest")
    machine.tell("pg_bin", "/usr/lib/postgresql/15/bin")

    for status, told in (wrong_pass, no_room, no_program):
        assert status == 1 and "备份程序没有做成" in told
    assert "backup_failed" in kinds(running)
    assert ops(running, "backup")[0] == 0 and "backup_failed" not in kinds(running)


def test_a_byte_that_turned_in_the_repository_is_found(
    machine: Ground, running: System, a_closed_day: Disaster
) -> None:
    largest = max((machine.home / "repository" / "backup").rglob("*"), key=lambda path: path.stat().st_size)
    whole = largest.read_bytes()
    largest.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])

    said = json.loads(machine.keep("verify").stdout)
    largest.write_bytes(whole)

    assert any("invalid" in line for line in said["damage"])
    assert json.loads(machine.keep("verify").stdout)["damage"] == []


def test_a_server_lost_under_load_comes_back_without_a_fen_missing(
    machine: Ground, running: System, a_closed_day: Disaster
) -> None:
    running.turn(NOON + timedelta(days=1, minutes=2))
    report = a_closed_day.play(12, "latest")

    assert report.is_clean, report.told()
    assert report.trades > 12 and report.held > 0 and report.by_word["lists"] > 0, report.told()
    assert ops(running, "reopen", "--by", "li") == (0, "这台库以前已经办过重新开门，没有改变。\n")
    with psycopg.connect(machine.server.admin_url().replace("/postgres?", f"/{DATABASE}?")) as admin:
        assert admin.execute("select count(*) from session").fetchone() == (0,)


def test_what_is_held_after_a_restore_has_an_owner_and_no_payment(running: System) -> None:
    with running.parts.reading() as connection:
        held = connection.execute(
            text("select owner, due_on, number from suspense where doubt = 'unknown_number'")
        ).all()
        again = connection.execute(
            text("select number from payment where number = any(:numbers)"), {"numbers": [row.number for row in held]}
        ).all()

    assert held and all(row.owner and row.due_on for row in held) and again == []


def test_the_files_of_deploy_say_what_was_decided() -> None:
    told = (DEPLOY / "postgresql" / "50-archive.conf").read_text()
    kept = (DEPLOY / "pgbackrest" / "pgbackrest.conf").read_text()

    assert "archive_timeout = 60\n" in told and "archive_mode = on" in told
    assert "cipher-type=aes-256-cbc" in kept and "cipher-pass" not in kept and "queue-max=" not in kept
    assert Path(DEPLOY / "pgbackrest" / "keeper.py").stat().st_mode & 0o111
