"""What is wrong with backups, the log's archive or the weekly restore wakes somebody; what is well does not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace as Row

import pytest
from sqlalchemy import text

from app.flows.restore.back_up import back_up
from app.flows.restore.drill import AnotherDrill, Ground, alone, drill
from app.flows.restore.keeper import KeeperFailed, NoKeeper, ask
from app.flows.restore.watch import Standing, figures_of, standing, troubles, watch_backups
from tests.app.web.conftest import far_folder, running
from tests.conftest import DATABASE
from tests.system import System

__all__ = ["far_folder", "running"]
NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
BACKUP = Row(label="b2", bytes=10_000, ended_at=NOW - timedelta(hours=3))
DRILL = Row(
    id=3,
    began_at=NOW - timedelta(days=2),
    ended_at=NOW - timedelta(days=2),
    holds=True,
    differences=[],
    lost_s=12,
    figures={"restore_s": 5.6},
)
WELL = Standing(
    newest=BACKUP,
    before=Row(label="b1", bytes=19_000),
    run=Row(id=2, kind="diff", trouble="", damage=None),
    examined=Row(id=1, damage=[]),
    drill=DRILL,
    drilling_since=None,
    proved_at=NOW - timedelta(days=2),
    archived_s=61.0,
    away_at=NOW - timedelta(hours=3),
    idle=False,
)


def test_the_figures_shown_are_those_that_are_judged() -> None:
    shown = {name: value for name, (_, value) in figures_of(WELL, NOW).items()}

    assert shown["backup_age_seconds"] == (NOW - BACKUP.ended_at).total_seconds()
    assert (shown["backup_bytes"], shown["archive_age_seconds"]) == (BACKUP.bytes, WELL.archived_s)
    assert (shown["drill_age_seconds"], shown["drill_lost_seconds"], shown["drill_restore_seconds"]) == (
        172800,
        12,
        5.6,
    )
    nothing = replace(WELL, newest=None, drill=None, proved_at=None, archived_s=None)
    assert {value for _, value in figures_of(nothing, NOW).values()} == {None}


def changed(row: Row, **columns: object) -> Row:
    return Row(**{**vars(row), **columns})


@pytest.mark.parametrize(
    ("what", "spoilt"),
    [
        ("backup_old", {"newest": changed(BACKUP, ended_at=NOW - timedelta(hours=27))}),
        ("backup_old", {"newest": None}),
        ("backup_small", {"before": Row(label="b1", bytes=20_001)}),
        ("backup_small", {"idle": True}),
        ("backup_at_home", {"away_at": None}),
        ("backup_at_home", {"away_at": NOW - timedelta(days=7)}),
        ("backup_failed", {"run": Row(id=2, kind="diff", trouble="no room", damage=None)}),
        ("backup_damaged", {"examined": Row(id=1, damage=["repo1: checksum invalid: 1"])}),
        ("archive_behind", {"archived_s": 301.0}),
        ("archive_behind", {"archived_s": None}),
        ("drill_not_done", {"drill": None}),
        ("drill_not_done", {"drill": changed(DRILL, ended_at=NOW - timedelta(days=9))}),
        ("drill_not_done", {"drilling_since": NOW - timedelta(hours=13)}),
        ("drill_failed", {"drill": changed(DRILL, holds=False, differences=["INV-01"])}),
    ],
)
def test_each_trouble_wakes_somebody_by_its_own_name(what: str, spoilt: dict) -> None:
    assert [kind for kind, _ in troubles(replace(WELL, **spoilt), NOW)] == [what]


def test_what_is_well_wakes_nobody() -> None:
    assert troubles(WELL, NOW) == []
    assert troubles(replace(WELL, drilling_since=NOW - timedelta(hours=1)), NOW) == []


def test_a_failed_drill_is_said_until_another_has_ended(running: System) -> None:
    """One that is under way, or was killed, proves nothing."""
    begun = "insert into drill (moment, began_at, ended_at, holds) values ('latest', :at, :ended, :holds)"

    def drilled(*, hours: int, ended: bool = True, holds: bool | None = None) -> set[str]:
        at = datetime.now(UTC) - timedelta(hours=hours)
        with running.parts.engine.begin() as connection:
            connection.execute(text(begun), {"at": at, "ended": at if ended else None, "holds": holds})
        found = troubles(standing(running.parts), datetime.now(UTC))
        return {what for what, _ in found if what.startswith("drill")}

    assert drilled(hours=30, holds=False) == {"drill_failed"}
    assert drilled(hours=14, ended=False) == {"drill_failed", "drill_not_done"}
    assert drilled(hours=1, ended=False) == {"drill_failed"}
    assert drilled(hours=0, holds=True) == set()


def test_where_no_backups_are_due_nobody_is_woken_and_elsewhere_one_is(running: System) -> None:
    said: list[str] = []
    heard = replace(running.parts, alert=lambda what, **_: said.append(what))

    assert watch_backups(heard) == 0 and said == []
    assert watch_backups(replace(heard, backups_due=True)) == 3
    assert said == ["backup_old", "archive_behind", "drill_not_done"]
    assert standing(running.parts).newest is None


def test_a_keeper_that_is_missing_or_mute_is_told_as_such() -> None:
    with pytest.raises(NoKeeper):
        ask((), "look")
    for program, why in (("/nowhere/keeper", "No such file"), ("/bin/true", "no JSON"), ("/bin/false", "status 1")):
        with pytest.raises(KeeperFailed) as failed:
            ask((program,), "look")
        assert why in failed.value.sentence()


def a_keeper(tmp_path: Path, *, damaged: bool) -> tuple[str, ...]:
    """A program that says it took a differential backup, in which pgBackRest met pages with wrong checksums or not."""
    one = {"label": "b9", "kind": "diff", "repository": 1, "started": 1, "stopped": 2, "bytes": 10**6, "added": 10**5}
    said = {"stanza": "x", "backups": [one | {"away": True, "damaged": damaged}], "damage": None}
    program = tmp_path / f"keeper-{damaged}"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n")
    program.chmod(0o755)
    return (str(program),)


def test_a_backup_of_pages_that_were_damaged_before_it_is_damage(running: System, tmp_path: Path) -> None:
    """pgBackRest takes it, ends with status 0, and says so in its list only."""
    back_up(replace(running.parts, keeper=a_keeper(tmp_path, damaged=False)), full=False)
    well = {what for what, _ in troubles(standing(running.parts), datetime.now(UTC))}

    done = back_up(replace(running.parts, keeper=a_keeper(tmp_path, damaged=True)), full=False)
    found = {what for what, _ in troubles(standing(running.parts), datetime.now(UTC))}

    assert "backup_damaged" not in well and "backup_damaged" in found
    assert done.damage == ["repo1: b9: pages with wrong checksums"]


def test_two_drills_at_once_are_one(running: System, tmp_path: Path) -> None:
    """Each restores into the same folder: the first would go on proving what the second one put there."""
    asked = tmp_path / "asked"
    program = tmp_path / "keeper"
    program.write_text(f'#!/bin/sh\necho "$1" >> {asked}\nexit 1\n')
    program.chmod(0o755)
    ground = Ground(replace(running.parts, keeper=(str(program),)), alive=True, database=DATABASE, years=(2022,))

    with alone(running.parts), pytest.raises(AnotherDrill):
        drill(ground, moment="latest", say=lambda _words: None)
    assert not asked.exists() and running.one("select count(*) from drill")[0] == 0

    with pytest.raises(KeeperFailed):
        drill(ground, moment="latest", say=lambda _words: None)
    assert asked.read_text() == "look\n" and running.one("select count(*) from drill where not holds")[0] == 1
