"""How a web process stops without losing anybody: not ready, a pause in which it still takes what comes, then it takes
what waits at the door and closes it, and finishes what it has in hand."""

import ctypes
import mmap
import os
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from config.listening import ListeningWorker
from config.settings import Settings, environment

PAUSE_S = Settings.from_environment(environment()).drain_s
RELOAD_S = 60.0  # so long after the word to reload every worker that is told to stop is being replaced
_ATTACH_FILTER, _RETURN = 26, 0x06  # asm-generic/socket.h SO_ATTACH_FILTER; linux/bpf_common.h BPF_RET | BPF_K
_RELOADED_AT = mmap.mmap(-1, 8)  # shared by the master and all that it forks; monotonic seconds


def reloading() -> None:
    """Said by the master: others take over at the same door, so nobody need be sent elsewhere."""
    _RELOADED_AT[:] = struct.pack("d", time.monotonic())


class DrainingWorker(ListeningWorker):
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
        """Whoever is taken at the door while it closes is reset, with what he has sent. So before it closes nobody new
        is let in, unless others of ours go on there: he asks again within a second, and is told that nobody is here."""
        for listener in self.sockets:
            if not _others_listen(listener.sock):
                _let_nobody_in(listener.sock)
        self.sends_away = False
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


def _others_listen(door: socket.socket) -> bool:
    """Whether the master still holds the door, as when only one of its workers is let go."""
    ours, held = os.fstat(door.fileno()).st_ino, Path(f"/proc/{os.getppid()}/fd")
    with suppress(OSError):
        return any(f"socket:[{ours}]" == os.readlink(each) for each in held.iterdir())
    return True


def _let_nobody_in(door: socket.socket) -> None:
    """The kernel drops what comes to the door itself; connections that were made are there to be taken."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, 0))  # a filter that keeps no byte
    with suppress(OSError):  # not Linux: it closes as it is
        door.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(nothing)))
