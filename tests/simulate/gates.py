"""Where a process of the simulated system can be struck: before and after each statement, commit and outgoing call.

The gates are hung into the engine and the doors of the simulator's own processes; the shipped code has none."""

import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from core.http import Answer, Door

WIDTH = 64


class What(StrEnum):
    """What a strike hits."""

    PROCESS = "process"  # the one that passes the gate
    SERVER = "database"  # PostgreSQL with all its processes
    IMMEDIATE = "database stopped"  # as `pg_ctl stop -m immediate`
    BACKEND = "backend"  # the process that serves our connection; PostgreSQL then restarts them all
    LINE = "line"  # what we say still arrives, and nothing comes back: a commit nobody knows of


OF_THE_DATABASE = frozenset({What.SERVER, What.IMMEDIATE, What.BACKEND})


@dataclass(frozen=True)
class Strike:
    """It comes at the n-th gate of a command. `postmaster` is the database's first process."""

    at: int
    what: What
    postmaster: int


class Gates:
    """Counts the gates of a command. Where a process died is written into memory that outlives it."""

    def __init__(self) -> None:
        self._mark = mmap.mmap(-1, WIDTH)
        self.passed = 0
        self._strike: Strike | None = None
        self._line: Any = None  # the psycopg connection last taken from the pool

    def arm(self, strike: Strike | None) -> None:
        """A new command begins."""
        self.passed, self._strike = 0, strike

    def pass_(self, place: str) -> None:
        """Go through, or be struck."""
        self.passed += 1
        if self._strike is None or self.passed != self._strike.at:
            return
        self._mark[:] = place.encode().ljust(WIDTH)
        what, postmaster = self._strike.what, self._strike.postmaster
        if what is What.PROCESS:
            os.kill(os.getpid(), signal.SIGKILL)
        elif what is What.SERVER:
            kill_server(postmaster)
        elif what is What.IMMEDIATE:
            os.kill(postmaster, signal.SIGQUIT)
            _wait_until(lambda: not Path(f"/proc/{postmaster}").exists())
        elif what is What.BACKEND:
            backend = self._line.info.backend_pid
            os.kill(backend, signal.SIGKILL)
            _wait_until(lambda: not Path(f"/proc/{backend}").exists())
        elif self._line is not None and not self._line.closed:
            with socket.socket(fileno=os.dup(self._line.fileno())) as line:
                line.shutdown(socket.SHUT_RD)

    def struck(self) -> str:
        """Where the last strike hit, "" if none did since it was asked for."""
        place = self._mark[:].decode().strip(" \0")
        self._mark[:] = b"\0" * WIDTH
        return place

    def hang(self, engine: Engine) -> None:
        """At every statement and commit of an engine."""
        dialect, commit = engine.dialect, engine.dialect.do_commit
        event.listen(engine, "checkout", self._taken)
        event.listen(engine, "before_cursor_execute", lambda *_: self.pass_("before a statement"))
        event.listen(engine, "after_cursor_execute", lambda *_: self.pass_("after a statement"))
        dialect.do_commit = self._around("a commit", commit)  # type: ignore[method-assign]

    def hang_doors(self) -> None:
        """At every call through any door."""
        send, fetch = Door.send, Door.fetch
        Door.send = self._around("a call", send)  # type: ignore[method-assign]
        Door.fetch = self._around("a call", fetch)  # type: ignore[method-assign]

    def _taken(self, line: Any, _record: object, _proxy: object) -> None:
        self._line = line

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


def _wait_until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.001)


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
