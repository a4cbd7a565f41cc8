"""Where a process of the simulated system can be struck: before and after each statement, commit and outgoing call.

The gates are hung into the engine and the doors of the simulator's own processes; the shipped code has none."""

import mmap
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from core.http import Answer, Door

WIDTH = 64


@dataclass(frozen=True)
class Strike:
    """What dies at the n-th gate of a command: the process that passes it, or the whole database server."""

    at: int
    database: int | None = None  # its postmaster


class Gates:
    """Counts the gates of a command. Where a process died is written into memory that outlives it."""

    def __init__(self) -> None:
        self._mark = mmap.mmap(-1, WIDTH)
        self.passed = 0
        self._strike: Strike | None = None

    def arm(self, strike: Strike | None) -> None:
        """A new command begins."""
        self.passed, self._strike = 0, strike

    def pass_(self, place: str) -> None:
        """Go through, or be struck."""
        self.passed += 1
        if self._strike is None or self.passed != self._strike.at:
            return
        self._mark[:] = place.encode().ljust(WIDTH)
        if self._strike.database is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            kill_server(self._strike.database)

    def struck(self) -> str:
        """Where the last strike hit, "" if none did since it was asked for."""
        place = self._mark[:].decode().strip(" \0")
        self._mark[:] = b"\0" * WIDTH
        return place

    def hang(self, engine: Engine) -> None:
        """At every statement and commit of an engine, and at every call through any door."""
        dialect, commit, send, fetch = engine.dialect, engine.dialect.do_commit, Door.send, Door.fetch
        event.listen(engine, "before_cursor_execute", lambda *_: self.pass_("before a statement"))
        event.listen(engine, "after_cursor_execute", lambda *_: self.pass_("after a statement"))
        dialect.do_commit = self._around("a commit", commit)  # type: ignore[method-assign]
        Door.send = self._around("a call", send)  # type: ignore[method-assign]
        Door.fetch = self._around("a call", fetch)  # type: ignore[method-assign]

    def _around(self, what: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def passed(*words: Any, **more: Any) -> Answer | None:
            self.pass_(f"before {what}")
            answer = act(*words, **more)
            self.pass_(f"after {what}")
            return answer

        return passed


def kill_server(postmaster: int) -> None:
    """SIGKILL a PostgreSQL server and every process of its, as a crash of the machine's memory would."""
    children = [
        int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and _parent(path) == postmaster
    ]
    for process in (postmaster, *children):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
