"""What is wrong with the backups and the drills wakes somebody; and how they stand, as figures."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.flows.parts import Parts

OLD = timedelta(hours=26)  # one a day, and two hours' grace
DRILL_OLD = timedelta(days=8)  # one a week, and a day's grace
LONGEST_DRILL = timedelta(hours=12)
BEHIND_S = 300


@dataclass(frozen=True)
class Standing:
    """The newest backup and those before it of its kind, the last run, the last drill that has ended, when the one
    after it began, the last one in which all held; seconds since the log last reached the archive (None: nothing is
    archived)."""

    newest: Row | None
    before: Row | None
    run: Row | None
    examined: Row | None  # the last run after which every file was looked at
    drill: Row | None
    drilling_since: datetime | None
    proved_at: datetime | None
    archived_s: float | None
    away_at: datetime | None
    idle: bool  # the last three added nothing


def standing(parts: Parts) -> Standing:
    """As the database has it."""
    with parts.reading() as connection:
        newest = connection.execute(_NEWEST).one_or_none()
        before = connection.execute(_BEFORE, {"label": newest.label}).one_or_none() if newest else None
        return Standing(
            newest,
            before,
            connection.execute(text("select * from backup_run order by id desc limit 1")).one_or_none(),
            connection.execute(_EXAMINED).one_or_none(),
            connection.execute(_DRILL).one_or_none(),
            connection.execute(_DRILLING).scalar_one(),
            connection.execute(text("select max(ended_at) from drill where holds")).scalar_one(),
            connection.execute(_ARCHIVED).scalar_one(),
            connection.execute(text("select max(ended_at) from backup where away")).scalar_one(),
            connection.execute(_IDLE).scalar_one(),
        )


def figures_of(now: Standing, wall: datetime) -> dict[str, tuple[str, float | None]]:
    """What /metrics shows: a name → its words and value; None where there is none. Pure."""
    newest, drill = now.newest, now.drill
    restore_s = (drill.figures or {}).get("restore_s") if drill else None
    return {
        "backup_age_seconds": ("Since the newest backup ended", _since(newest and newest.ended_at, wall)),
        "backup_bytes": ("Of the database, in the newest backup", newest and newest.bytes),
        "drill_age_seconds": ("Since the last drill in which all held", _since(now.proved_at, wall)),
        "drill_lost_seconds": ("From the last commit to the moment, in the last drill", drill and drill.lost_s),
        "drill_restore_seconds": ("What the last drill's restore took", restore_s),
        "archive_age_seconds": ("Since the log last reached the archive, or should have", now.archived_s),
    }


def _since(moment: datetime | None, wall: datetime) -> float | None:
    return None if moment is None else (wall - moment).total_seconds()


def watch_backups(parts: Parts) -> int:
    """Wake somebody for each thing that is wrong; how many. Nothing is asked where no backups are due: a sandbox."""
    if not parts.backups_due:
        return 0
    wrong = troubles(standing(parts), parts.clocks.wall())
    for what, words in wrong:
        parts.alert(what, **words)
    return len(wrong)


def troubles(now: Standing, wall: datetime) -> list[tuple[str, dict[str, Any]]]:
    """(kind of alert, its words). Pure."""
    found: list[tuple[str, dict[str, Any]]] = []
    if now.newest is None or wall - now.newest.ended_at > OLD:
        found.append(("backup_old", {"newest": now.newest.label if now.newest else "none"}))
    if now.newest is not None and (now.idle or (now.before is not None and 2 * now.newest.bytes < now.before.bytes)):
        found.append(("backup_small", {"newest": now.newest.label, "bytes": now.newest.bytes}))
    if now.newest is not None and (now.away_at is None or wall - now.away_at > OLD):
        found.append(("backup_at_home", {"newest": now.newest.label}))
    if now.run is not None and now.run.trouble:
        found.append(("backup_failed", {"run": now.run.id, "kind": now.run.kind}))
    if now.examined is not None and now.examined.damage:
        found.append(("backup_damaged", {"run": now.examined.id, "places": len(now.examined.damage)}))
    if now.archived_s is None or now.archived_s > BEHIND_S:
        found.append(("archive_behind", {"archiving": now.archived_s is not None}))
    return found + _of_the_drill(now, wall)


def _of_the_drill(now: Standing, wall: datetime) -> list[tuple[str, dict[str, Any]]]:
    drill, since = now.drill, now.drilling_since
    killed = since is not None and wall - since > LONGEST_DRILL  # under way, or killed in the middle
    found: list[tuple[str, dict[str, Any]]] = []
    if killed or drill is None or wall - drill.ended_at > DRILL_OLD:
        found.append(("drill_not_done", {"last": drill.id if drill else 0}))
    if drill is not None and not drill.holds:
        found.append(("drill_failed", {"drill": drill.id, "differences": len(drill.differences or ())}))
    return found


_NEWEST = text("select * from backup order by ended_at desc, repository limit 1")
_BEFORE = text(  # of the database's size: a differential backup is as large as a full one
    "select * from backup where label <> :label and ended_at < (select max(ended_at) from backup where label = :label)"
    " order by ended_at desc limit 1"
)
_EXAMINED = text("select * from backup_run where damage is not null order by id desc limit 1")
_IDLE = text(  # a database that is worked with adds more than this in an hour
    "select count(*) = 3 from (select added from backup order by ended_at desc limit 3) last where added < 16384"
)
_DRILL = text("select * from drill where ended_at is not null order by id desc limit 1")
_DRILLING = text(
    "select max(began_at) from drill where ended_at is null"
    " and id > coalesce((select max(id) from drill where ended_at is not null), 0)"
)
# The worker writes every few seconds, so with archive_timeout a segment is due every minute: one that does not reach
# the archive is late, whatever the reason.
_ARCHIVED = text(
    "select case when current_setting('archive_mode') = 'off' then null else extract(epoch from clock_timestamp() -"
    " greatest(last_archived_time, stats_reset, pg_postmaster_start_time())) end from pg_stat_archiver"
)
