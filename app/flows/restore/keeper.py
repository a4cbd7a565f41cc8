"""The keeper's program (deploy/pgbackrest/keeper.py), asked in one line and answering in one: it alone may touch
repository and servers."""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from core.errors import TryLater

PATH = {"PATH": os.defpath, "LANG": "C.UTF-8"}  # it runs as another user: nothing of our settings goes with it


class NoKeeper(TryLater):
    """Nobody keeps backups here: BACKUP_KEEPER is not set."""

    text = "没有设置备份程序，不能备份，也不能演练。"


class KeeperFailed(TryLater):
    """The keeper said why not; `args[0]` is its word, about files and servers, never people."""

    text = "备份程序没有做成：{why}"


def ask(keeper: Sequence[str], verb: str, *words: str) -> dict[str, Any]:
    """One verb, waited for as long as it takes. NoKeeper, KeeperFailed."""
    if not keeper:
        raise NoKeeper
    try:
        done = subprocess.run(  # noqa: S603 the operator's own program, no shell
            [*keeper, verb, *words], env=PATH, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise KeeperFailed(verb, why=f"{keeper[0]}: {error.strerror}") from error
    if done.returncode:
        why = " ".join(done.stderr.split())[-600:] or f"exit status {done.returncode}"
        raise KeeperFailed(verb, why=f"{verb}: {why}")
    try:
        return dict(json.loads(done.stdout))
    except ValueError as error:
        raise KeeperFailed(verb, why=f"{verb}: its answer is no JSON") from error
