"""The director's hands: a database server of its own, the far side, and the processes of the system, which it commands
one at a time, strikes, and starts anew. Everything happens in one order, so a seed happens again exactly."""

import os
import select
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, TextIO

import psycopg
from psycopg.rows import namedtuple_row

from app.joining import create_app
from config.local import own_lines, sandbox_keys
from config.postgres import Server, create_database, ensure_running, stop
from config.settings import Settings
from migrations.upgrade import upgrade
from tests.simulate.far import Far
from tests.simulate.gates import Gates, Strike
from tests.simulate.seeded import Clock, draw_from, set_clocks
from tests.simulate.system import Reply, System

DATABASE = "liangxian_season"
ROLES = ("web", "callbacks", "worker")
KILLED = "!killed"
_SETTINGS = {"autovacuum": "off", "checkpoint_timeout": "1d", "max_wal_size": "16GB"}  # nothing by the real clock


@dataclass(eq=False)
class Due:
    """Something of a role is to die at its next opportunity: the process, or the database under it."""

    role: str
    database: bool = False


@dataclass
class Running:
    """One process of the system and our end of its pipe."""

    pid: int
    pipe: Connection


class Stage:
    """One simulation's world. `log` gets every step; without it only the digest is kept."""

    def __init__(self, seed: int, folder: Path, start: datetime, log: TextIO | None = None) -> None:
        self.seed, self.folder, self._log = seed, folder, log
        self.clock = Clock(start)
        draw_from(seed, "far")
        set_clocks(self.clock)
        self.server = self._new_server()
        self.far = Far(folder / "far", self.clock, self._deliver)
        self.gates = Gates()
        environment = own_lines() | {
            "DATABASE_URL": self.server.app_url(DATABASE),
            "DATABASE_OWNER_URL": self.server.owner_url(DATABASE),
            "SANDBOX_PORT": self.far.url.rpartition(":")[2],
            "SMS_URL": self.far.url,
            "LOG_LEVEL": "ERROR",
            "MINIPROGRAM_TEMPLATE_PAID": "",
        }
        self.app = create_app(
            Settings.from_environment(environment | sandbox_keys(folder / "far", base_url=self.far.url))
        )
        self.parts = self.app.extensions["joined"].parts  # joined before the forks; no connection is open yet
        self.digest = sha256()
        self.steps = 0
        self.seen: Counter[str] = Counter()  # the most gates a command ever passed, by its verb
        self.struck: Counter[str] = Counter()
        self.alerts: Counter[str] = Counter()
        self.due: list[Due] = []  # what is to die next
        self.chance = Random(f"{seed}/strikes")
        self._born: Counter[str] = Counter()
        self._running: dict[str, Running] = {}
        self.eye = self._open_eye()

    # The log

    def say(self, words: str) -> None:
        """One step, without any real time in it."""
        self.steps += 1
        line = f"{self.steps} {self.clock.now():%m-%d %H:%M:%S.%f} {words}\n"
        self.digest.update(line.encode())
        if self._log is not None:
            self._log.write(line)

    # Commands

    def call(self, role: str, verb: str, *words: Any, told: str = "") -> Reply:
        """A command to a process; meanwhile the far side answers it. A process that dies has not replied: KILLED.

        If something of this role is to die, it dies at one of the command's gates, if it comes so far."""
        due = next((one for one in self.due if one.role == role), None)
        strike = self._strike(due, self._kind(verb, words)) if due else None
        reply = self._exchange(self._process(role), (verb, words, strike))
        place = self.gates.struck() if due else ""
        if reply is None:
            reply = Reply(KILLED)
            self._bury(role)
        self.seen[self._kind(verb, words)] = max(self.seen[self._kind(verb, words)], reply.gates)
        self.alerts.update(reply.alerts)
        said = f"{role} {verb} {told or ' '.join(map(str, words))} → {reply.word}"
        self.say(said + (f" struck {place}" if place else "") + (f" {','.join(reply.alerts)}" if reply.alerts else ""))
        if due and place:
            self.due.remove(due)
            self.struck[f"{'database by ' if due.database else ''}{role} {place}"] += 1
            if due.database:
                self._recover()
        return reply

    def _strike(self, due: "Due", kind: str) -> Strike:
        return Strike(self.chance.randint(1, self.seen[kind] or 3), self.postmaster if due.database else None)

    def _kind(self, verb: str, words: tuple[Any, ...]) -> str:
        return f"{verb} {words[0]}" if verb in ("task", "deliver") else verb

    def _exchange(self, process: Running, command: object) -> Reply | None:
        process.pipe.send(command)
        door = self.far.server.fileno()
        while True:
            ready, _, _ = select.select([process.pipe.fileno(), door], [], [])
            if door in ready:
                self.far.answer()
                continue
            try:
                return process.pipe.recv()
            except (EOFError, ConnectionResetError):
                return None

    def _deliver(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        reply = self.call("callbacks", "deliver", path, headers, body, told=path)
        return reply.data or (0, b"")

    # Processes

    def _process(self, role: str) -> Running:
        if role not in self._running:
            ours, theirs = Pipe()
            self._born[role] += 1
            born = f"{self.seed}/{role}/{self._born[role]}"
            pid = os.fork()
            if pid == 0:
                try:
                    ours.close()
                    System(self.app, self.gates, self.server.app_url(DATABASE)).serve(theirs, role, born)
                finally:
                    os._exit(1)
            theirs.close()
            self._running[role] = Running(pid, ours)
        return self._running[role]

    def _bury(self, role: str) -> None:
        """Its memory is gone; the database has noticed when none of its connections is left."""
        gone = self._running.pop(role)
        os.waitpid(gone.pid, 0)
        gone.pipe.close()
        ask = "select count(*) as left from pg_stat_activity where application_name = %s"
        while self.eye.execute(ask, (role,)).fetchone().left:
            time.sleep(0.001)

    def close(self) -> None:
        """End everything this stage started."""
        for running in self._running.values():
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        self.eye.close()
        self.far.close()
        self.parts.engine.dispose()
        stop(self.folder / "postgres")

    # The database

    @property
    def postmaster(self) -> int:
        """The server's first process."""
        return int((self.server.data / "postmaster.pid").read_text().split()[0])

    def _new_server(self) -> Server:
        server = ensure_running(self.folder / "postgres", pg_bin=None)
        with psycopg.connect(server.admin_url(), autocommit=True) as admin:
            for name, value in _SETTINGS.items():
                admin.execute(f"alter system set {name} = '{value}'")
            admin.execute("select pg_reload_conf()")
        create_database(server, DATABASE)
        upgrade(server.owner_url(DATABASE))
        return server

    def _recover(self) -> None:
        """Crash recovery, as whoever starts the server again after a crash sees it."""
        self.eye.close()
        ensure_running(self.folder / "postgres", pg_bin=None)
        self.eye = self._open_eye()

    def _open_eye(self) -> psycopg.Connection[Any]:
        url = self.server.admin_url().replace("/postgres?", f"/{DATABASE}?")
        return psycopg.connect(url, autocommit=True, row_factory=namedtuple_row)
