"""How a web process stops without losing anybody: not ready, a pause in which it still takes what comes, then it takes
what waits at the door and closes it, and finishes what it has in hand."""

import mmap
import struct
import time
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config.settings import Settings, environment

PAUSE_S = Settings.from_environment(environment()).drain_s
RELOAD_S = 60.0  # so long after the word to reload every worker that is told to stop is being replaced
_RELOADED_AT = mmap.mmap(-1, 8)  # shared by the master and all that it forks; monotonic seconds


def reloading() -> None:
    """Said by the master: others take over at the same door, so nobody need be sent elsewhere."""
    _RELOADED_AT[:] = struct.pack("d", time.monotonic())


class DrainingWorker(ThreadWorker):
    """Told to stop, it says so at /readyz first, and goes on working for the pause."""

    closes_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM. A second one changes nothing."""
        [reloaded_at] = struct.unpack("d", _RELOADED_AT[:])
        if PAUSE_S and time.monotonic() - reloaded_at > RELOAD_S:
            if self.closes_at is None:
                self.closes_at = time.monotonic() + PAUSE_S
                self._say_not_ready()
            return
        super().handle_exit(sig, frame)

    def notify(self) -> None:
        """Called at every turn of the loop, which is a second at most."""
        super().notify()
        if self.alive and self.closes_at is not None and time.monotonic() >= self.closes_at:
            self._close_the_door()
            self.alive = False

    def _say_not_ready(self) -> None:
        if standing := getattr(self.wsgi, "extensions", {}).get("standing"):
            standing.draining = True

    def _close_the_door(self) -> None:
        self._take_who_waits()
        self.set_accept_enabled(False)
        self._take_who_waits()
        for listener in self.sockets:
            listener.close()
        self.sockets: list[Any] = []

    def _take_who_waits(self) -> None:
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            for listener in self.sockets:
                self.accept(listener)
