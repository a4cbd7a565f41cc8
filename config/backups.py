"""Who keeps the backups, and where the certificates of closed days lie outside the database."""

import shlex
from pathlib import Path
from typing import NamedTuple

from config.reading import Reading

TOLD = {  # as config.settings.told
    "variable": "BACKUP_<KEEPER,PAPERS>",
    "meaning": "the command of who keeps the backups; the folder of closed days' certificates"
    " ([docs/backup.md](backup.md))",
    "default": "none; `.local/certificates`",
    "required": "",
}


class Backups(NamedTuple):
    """`keeper`: the program and its first words, none where nobody keeps any."""

    keeper: tuple[str, ...]
    papers: Path


def backups(read: Reading, home: Path) -> dict[str, Backups]:
    """The setting; what is wrong with it is said to `read`."""
    try:
        keeper = tuple(shlex.split(read.text("BACKUP_KEEPER")))
    except ValueError:
        read.say("BACKUP_KEEPER", "is no command: a quotation mark is open")
        keeper = ()
    if keeper and not keeper[0].startswith("/"):
        read.say("BACKUP_KEEPER", "does not begin with the whole path of a program")
    return {"backups": Backups(keeper, home / read.text("BACKUP_PAPERS", ".local/certificates"))}
