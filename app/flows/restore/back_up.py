"""A backup taken, and what the repositories themselves say of it written down; closed days' certificates put
outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.flows.keep.erased_list import write_list
from app.flows.parts import Parts
from app.flows.reconcile.certify import NotACertificate, certificate, read_certificate
from app.flows.restore.keeper import KeeperFailed, NoKeeper, ask


@dataclass(frozen=True)
class BackedUp:
    """What is there afterwards: backups by repository, the newest last; damage that is known (the files of full ones
    are looked at); how many certificates were put outside."""

    backups: list[Mapping[str, Any]]
    damage: list[str] | None
    papers: int


def back_up(parts: Parts, *, full: bool) -> BackedUp:
    """Take one. NoKeeper, KeeperFailed: written down, so that the worker wakes somebody."""
    kind, began = "full" if full else "diff", parts.clocks.wall()
    try:
        said = ask(parts.keeper, "backup", kind)
    except (NoKeeper, KeeperFailed) as failed:
        _note_run(parts, kind, began, trouble=failed.sentence(), damage=None)
        raise
    with parts.engine.begin() as connection:
        note_backups(connection, said)
    damage = _damage(said)
    _note_run(parts, kind, began, trouble="", damage=damage)
    write_list(parts)
    return BackedUp(said["backups"], damage, keep_papers(parts))


def _damage(said: Mapping[str, Any]) -> list[str] | None:
    """What is wrong with the files of the repositories, and which backups are of pages that were wrong before: those
    are taken all the same. None: nobody looked, and none is known."""
    known = [
        f"repo{one['repository']}: {one['label']}: pages with wrong checksums"
        for one in said["backups"]
        if one["damaged"]
    ]
    return [*(said["damage"] or ()), *known] if said["damage"] is not None or known else None


def note_backups(connection: Connection, said: Mapping[str, Any]) -> None:
    """Every backup that a repository tells of. One that is there no more stays written down: its size is compared."""
    for one in said["backups"]:
        connection.execute(
            _BACKUP,
            {
                "stanza": said["stanza"],
                **{name: one[name] for name in ("repository", "label", "kind", "bytes", "added", "away")},
                "began_at": datetime.fromtimestamp(one["started"], UTC),
                "ended_at": datetime.fromtimestamp(one["stopped"], UTC),
            },
        )


_BACKUP = text(
    "insert into backup (stanza, repository, label, kind, began_at, ended_at, bytes, added, away) values"
    " (:stanza, :repository, :label, :kind, :began_at, :ended_at, :bytes, :added, :away)"
    " on conflict (stanza, repository, label) do update set away = excluded.away"
)


def keep_papers(parts: Parts) -> int:
    """The certificate of every closed day, as a file outside the database: it outlives a restore to a moment before
    that day was closed. A file that is there stays; of a close that was lost with a server, and done again, it stays
    beside the new one. How many are new."""
    if parts.papers is None:
        return 0
    with parts.reading() as connection:
        days = connection.execute(text("select day from certificate order by day")).scalars().all()
    parts.papers.mkdir(parents=True, exist_ok=True)
    new = 0
    for day in days:
        file, words = paper_of(parts.papers, f"{day:%Y%m%d}"), certificate(parts, day).as_json()
        if file.exists():
            former = file.read_text(encoding="utf-8")
            if former == words or not _was_lost(parts, former):
                continue
            file.rename(file.with_suffix(f".{sha256(former.encode()).hexdigest()[:8]}"))
        fresh = file.with_suffix(".new")
        fresh.write_text(words, encoding="utf-8")
        fresh.rename(file)
        new += 1
    return new


def _was_lost(parts: Parts, paper: str) -> bool:
    """Whether this day was closed in minutes that were lost before a server was restored."""
    try:
        closed_at = datetime.fromisoformat(read_certificate(paper).facts["closed_at"])
    except (NotACertificate, ValueError, KeyError):
        return False
    with parts.reading() as connection:
        return bool(connection.execute(_LOST, {"at": closed_at}).scalar_one())


_LOST = text("select exists (select from reopening where :at between date_trunc('second', lost_since) and lost_until)")


def paper_of(folder: Path, day: str) -> Path:
    """The file of a day's certificate; `day` as 20211105, or * for all."""
    return folder / f"rijie-{day}.json"


def _note_run(parts: Parts, kind: str, began: datetime, *, trouble: str, damage: list[str] | None) -> None:
    with parts.engine.begin() as connection:
        connection.execute(
            text(
                "insert into backup_run (kind, began_at, ended_at, trouble, damage)"
                " values (:kind, :began, :ended, :trouble, :damage)"
            ),
            {"kind": kind, "began": began, "ended": parts.clocks.wall(), "trouble": trouble, "damage": damage},
        )
