"""ops upgrade, as the operator types it."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from app.cli import ops_upgrade
from config.settings import Mode
from config.upgrading import Upgrading
from core.version import VERSION
from migrations import functions
from migrations.patience import ALONE
from migrations.upgrade import Version
from tests.system import System

MADE, FAILS = (sys.executable, "-c", ""), (sys.executable, "-c", "raise SystemExit(1)")


@pytest.fixture
def stale(running: System) -> Iterator[System]:
    """A system whose functions are to be changed."""
    url, says = running.environment["DATABASE_OWNER_URL"], "update deployed set digest = %s where name = 'functions'"
    with psycopg.connect(url) as owner:
        owner.execute(says, ["of before"])
    yield running
    with psycopg.connect(url) as owner:  # the database is used again
        owner.execute(says, [functions.digest()])


def run(system: System, *words: str, mode: Mode = Mode.SANDBOX, **held: object) -> tuple[int, str]:
    settings = system.app.extensions["settings"]
    wanted = replace(
        settings, mode=mode, upgrading=Upgrading(**{"backup": (), "backup_check": (), "folders": ()} | held)
    )
    system.app.extensions["settings"] = wanted
    try:
        done = system.app.test_cli_runner().invoke(args=["ops", "upgrade", *words])
    finally:
        system.app.extensions["settings"] = settings
    return done.exit_code, done.output


def is_stale(system: System) -> bool:
    return system.one("select digest from deployed where name = 'functions'")[0] == "of before"


def test_it_looks_and_does_and_can_be_run_again(stale: System) -> None:
    code, said = run(stale, "--check")
    assert (code, is_stale(stale)) == (0, True) and "函数要换" in said and "✗" not in said

    code, said = run(stale, backup=MADE)
    assert (code, is_stale(stale)) == (0, False) and "备份做好了" in said

    code, said = run(stale, backup=FAILS)
    assert code == 0 and "函数不变" in said, "nothing is to be done, so nothing is backed up"


def test_without_a_backup_production_is_not_touched(stale: System) -> None:
    refused = {
        "none is set": {},
        "it fails": {"backup": FAILS},
        "it is not there": {"backup": ("/nowhere/backup",)},
        "none is recent": {"backup": MADE, "backup_check": FAILS},
    }
    for why, held in refused.items():
        code, said = run(stale, mode=Mode.PRODUCTION, **held)
        assert (code, is_stale(stale)) == (1, True), (why, said)

    code, said = run(stale, "--without-backup", mode=Mode.PRODUCTION)
    assert (code, is_stale(stale)) == (0, False) and "没有备份就升级" in said


def test_who_upgrades_at_the_same_time_is_told(stale: System) -> None:
    with psycopg.connect(stale.environment["DATABASE_OWNER_URL"]) as other:
        other.execute(f"select pg_advisory_lock({ALONE})")
        code, said = run(stale)

    assert (code, is_stale(stale)) == (1, True) and "✗ 没有别人正在升级" in said


def test_what_takes_away_waits_for_the_processes_that_need_it(stale: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names are seen by the owner's role, who may not see what they do."""
    contracting = Version("9000", "Away", "contract", VERSION, ops_upgrade)
    monkeypatch.setattr(ops_upgrade, "pending", lambda _connection: [contracting])
    for name, good in {"web-7": False, "web-8 0.1.0": False, f"web-9 {VERSION}": True}.items():
        with psycopg.connect(stale.environment["DATABASE_URL"], application_name=name):
            code, said = run(stale, "--check")
        assert (code == 0, name in said) == (good, not good), said


def test_processes_of_the_code_of_before_are_named_in_the_order_of_restarting(stale: System) -> None:
    with psycopg.connect(stale.environment["DATABASE_URL"], application_name="worker-1 0.1.0"):
        code, said = run(stale)

    assert code == 0 and "worker-1 0.1.0" in said and "/readyz" in said


def test_a_disk_that_is_full_stops_it(stale: System, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(ops_upgrade, "ROOM", 1 << 62)

    assert run(stale, folders=(tmp_path,))[0] == 1
    assert is_stale(stale)
