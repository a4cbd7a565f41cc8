"""What `ops upgrade` asks of this machine: a backup before, the word that there is a recent one, room on the disks."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.reading import Reading


@dataclass(frozen=True)
class Upgrading:
    """Commands as words, run without a shell; empty for none. Both say by exit status 0 that it is so: `backup` that a
    backup was made, `backup_check` that there is a recent one. `folders`: those that must have room."""

    backup: Sequence[str]
    backup_check: Sequence[str]
    folders: Sequence[Path]


def upgrading(read: Reading, home: Path) -> Upgrading:
    """The settings; what is wrong with them is said to `read`."""
    folders = [home / name.strip() for name in read.text("UPGRADE_FOLDERS", ".").split(",") if name.strip()]
    if missing := [folder for folder in folders if not folder.is_dir()]:
        read.say("UPGRADE_FOLDERS", f"names {len(missing)} of {len(folders)} that are no folder")
    return Upgrading(_words(read, "UPGRADE_BACKUP"), _words(read, "UPGRADE_BACKUP_CHECK"), tuple(folders))


def _words(read: Reading, variable: str) -> Sequence[str]:
    try:
        return tuple(shlex.split(read.text(variable)))
    except ValueError:
        read.say(variable, "has a quote that does not end")
        return ()
