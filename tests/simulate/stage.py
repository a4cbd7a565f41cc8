"""The director's hands: a database server of its own, the far side, and the processes of the system, which it commands
one at a time, strikes, and starts anew. Everything happens in one order, so a seed happens again exactly."""

import os
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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

from app.serving import create_app
from config.local import own_lines, sandbox_keys
from config.postgres import ensure_running, stop
from config.settings import Settings
from tests.simulate.far import Far
from tests.simulate.gates import OF_THE_DATABASE, Gates, Strike, What
from tests.simulate.ready import DATABASE, put
from tests.simulate.seeded import Clock, draw_from, set_clocks
from tests.simulate.system import Reply, System

ROLES = ("web", "callbacks", "worker", "office")
KILLED = "!killed"
PATIENCE_S = 60  # by the real clock, until a backend that serves nobody is gone


@dataclass(eq=False)
class Due:
    """Something is to be struck while a process of this role is at work, at the n-th gate; None: at any of them."""

    role: str
    what: What = What.PROCESS
    at: int | None = None


@dataclass
class Running:
    """One process of the system and our end of its pipe."""

    pid: int
    pipe: Connection


class Stage:
    """One simulation's world. `log` gets every step, else only the digest is kept. `ready`: a database's files."""

    def __init__(
        self, seed: int, folder: Path, start: datetime, log: TextIO | None = None, ready: Path | None = None
    ) -> None:
        self.seed, self.folder, self._log = seed, folder, log
        self.clock = Clock(start)
        draw_from(seed, "far")
        set_clocks(self.clock)
        put(folder, ready)
        self.server = ensure_running(folder / "postgres", pg_bin=None)
        self.far = Far(folder / "far", self.clock, self._deliver, Random(f"{seed}/post"))
        self.gates = Gates()
        environment = own_lines() | {
            "DATABASE_URL": self.server.app_url(DATABASE),
            "DATABASE_OFFICE_URL": self.server.office_url(DATABASE),
            "DATABASE_OWNER_URL": self.server.owner_url(DATABASE),
            "SANDBOX_PORT": self.far.url.rpartition(":")[2],
            "SMS_URL": self.far.url,
            "LOG_LEVEL": "ERROR",
            "MINIPROGRAM_TEMPLATES": "",
            "NOTICE_SENDERS": "1",  # a season happens again exactly: one after the other
        }
        self.app = create_app(
            Settings.from_environment(environment | sandbox_keys(folder / "far", base_url=self.far.url))
        )
        self.parts = self.app.extensions["joined"].parts  # joined before the forks; no connection is open yet
        self.digest = sha256()
        self.steps = 0
        self.seen: Counter[str] = Counter()  # the most gates a command ever passed, by its verb
        self.struck: Counter[str] = Counter()
        self.fell: list[str] = []  # commands at which a process died of itself
        self.alerts: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()  # callbacks, by what we said
        self.due: list[Due] = []  # what is to die next
        self.crossing: Callable[[], None] | None = None  # happens while the next question to a far side waits
        self.chance = Random(f"{seed}/strikes")
        self._born: Counter[str] = Counter()
        self._running: dict[str, Running] = {}
        self.eye = self.another_eye()

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
        if reply.word == KILLED and not place:
            self.fell.append(said)
        if due and place:
            self.due.remove(due)
            self.struck[f"{due.what} {role} {place}"] += 1
            self._recover(due.what, role)
        return reply

    def at_once(self, roles: Sequence[str], verb: str, *words: Any) -> list[Reply | None]:
        """The same command to several processes at the same moment: who is first is nobody's to say."""
        waiting = {role: self._process(role).pipe for role in roles}
        for pipe in waiting.values():
            pipe.send((verb, words, None))
        replies: dict[str, Reply | None] = {}
        while len(replies) < len(waiting):
            open_ones = [pipe.fileno() for role, pipe in waiting.items() if role not in replies]
            ready, _, _ = select.select([*open_ones, self.far.server.fileno()], [], [])
            if self.far.server.fileno() in ready:
                self.far.answer()
            for role, pipe in waiting.items():
                if pipe.fileno() in ready and role not in replies:
                    replies[role] = pipe.recv()
        return [replies[role] for role in roles]

    def end(self, role: str) -> None:
        """Kill a process between two commands."""
        os.kill(self._process(role).pid, signal.SIGKILL)
        self._bury(role)

    def _strike(self, due: "Due", kind: str) -> Strike:
        return Strike(due.at or self.chance.randint(1, self.seen[kind] or 3), due.what, self.postmaster)

    def _kind(self, verb: str, words: tuple[Any, ...]) -> str:
        if verb == "command":
            return f"command {words[0][0]} {words[0][1]}"
        return f"{verb} {words[0]}" if verb in ("task", "deliver") else verb

    def _exchange(self, process: Running, command: object) -> Reply | None:
        process.pipe.send(command)
        door = self.far.server.fileno()
        while True:
            ready, _, _ = select.select([process.pipe.fileno(), door], [], [])
            if door in ready:
                self._answer()
                continue
            try:
                return process.pipe.recv()
            except (EOFError, ConnectionResetError):
                return None

    def _answer(self) -> None:
        meanwhile, self.crossing = self.crossing, None
        if meanwhile is None:
            self.far.answer()
        else:
            self.far.answer_after(meanwhile)

    def _deliver(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        reply = self.call("callbacks", "deliver", path, headers, body, told=path)
        self.answered[reply.word] += 1
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
        self._wait_until_none("application_name = %s", role)

    def _wait_until_none(self, which: str, role: str) -> None:
        until = time.monotonic() + PATIENCE_S
        look = f"select state, wait_event, query from pg_stat_activity where {which}"
        while found := self.eye.execute(look, (role,)).fetchall():
            assert time.monotonic() < until, found
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

    def _recover(self, what: What, role: str) -> None:
        """After a crash the server is started again; after a cut line it has finished what it heard."""
        if what is What.LINE:
            self._wait_until_none("application_name = %s and state = 'active'", role)
        if what not in OF_THE_DATABASE:
            return
        while not self.eye.broken:
            with suppress(psycopg.OperationalError):
                self.eye.execute("select 1")
        self.eye.close()
        ensure_running(self.folder / "postgres", pg_bin=None)
        self.eye = self.another_eye()

    def move(self, person: int, home: int) -> None:
        """A bureau's file says that somebody lives elsewhere now."""
        with self.eye.transaction():
            self.eye.execute(
                "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
                " values ('enrolment', 'moves', 'moves.csv', 0, 0, 0, 0, 0) on conflict do nothing"
            )
            self.eye.execute("select set_config('liangxian.cause', 'import:' || encode('moves', 'hex'), true)")
            self.eye.execute("update person set household_id = %s where id = %s", (home, person))

    def another_eye(self) -> psycopg.Connection[Any]:
        """A connection of nobody's, which sees and may do everything."""
        url = self.server.admin_url().replace("/postgres?", f"/{DATABASE}?")
        return psycopg.connect(url, autocommit=True, row_factory=namedtuple_row)
