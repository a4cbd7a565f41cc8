"""How a web process stops without losing anybody: not ready, a pause in which it still takes what comes, then it takes
what waits at the door and closes it, and finishes what it has in hand. And how long it listens to one request, and what
becomes of who comes while every thread is taken."""

import ctypes
import mmap
import os
import selectors
import socket
import struct
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from config.settings import Settings, environment

PAUSE_S = Settings.from_environment(environment()).drain_s
LISTENS_S = 10.0  # to a request, its body included: who stops in the middle holds a thread no longer (F7)
RELOAD_S = 60.0  # so long after the word to reload every worker that is told to stop is being replaced
_LINE, _PIECE = 4096, 64 * 1024  # a first line at most; what is taken at a time
_ATTACH_FILTER, _RETURN = 26, 0x06  # asm-generic/socket.h SO_ATTACH_FILTER; linux/bpf_common.h BPF_RET | BPF_K
_RELOADED_AT = mmap.mmap(-1, 8)  # shared by the master and all that it forks; monotonic seconds


def reloading() -> None:
    """Said by the master: others take over at the same door, so nobody need be sent elsewhere."""
    _RELOADED_AT[:] = struct.pack("d", time.monotonic())


class DrainingWorker(ThreadWorker):
    """Told to stop, it says so at /readyz first, and goes on working for the pause."""

    closes_at: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heard_since: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        """One more request waits for a thread. From now on: else a hundred would be heard in turns. Who would wait
        behind every thread is told so here and now, if he is to be told (app/web/door/full.py)."""
        full = getattr(self.wsgi, "extensions", {}).get("full") if len(self._heard_since) >= self.cfg.threads else None
        if full is not None:
            head = _beginning(conn)
            if head is None:
                return self._ask_again_when_it_speaks(conn)
            if answer := full.answer(head):
                return self._send_away(conn, answer)
        self._heard_since[conn] = time.monotonic()
        return super().enqueue_req(conn)

    def _ask_again_when_it_speaks(self, conn: TConn) -> None:
        """As one that a thread has waited for in vain: it may say nothing for as long as a kept one may."""
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _send_away(self, conn: TConn, answer: bytes) -> None:
        """What he sent is taken from the socket, as far as it is here: closed with it unread, a connection is reset,
        and the answer lost."""
        conn.sock.setblocking(False)
        with suppress(OSError):
            while len(conn.sock.recv(_PIECE)) == _PIECE:
                pass
            conn.sock.send(answer)
            conn.sock.shutdown(socket.SHUT_WR)
        self.nr_conns -= 1
        conn.close()

    def handle(self, conn: TConn) -> object:
        """One request of a connection, in a thread."""
        try:
            return super().handle(conn)
        finally:
            self._heard_since.pop(conn, None)

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
        self._hear_no_longer()
        if self.alive and self.closes_at is not None and time.monotonic() >= self.closes_at:
            self._close_the_door()
            self.alive = False

    def _hear_no_longer(self) -> None:
        """Nothing more is read of a request that is overdue: its thread sees the end of it. One that was read whole is
        answered as ever."""
        overdue = time.monotonic() - LISTENS_S
        for conn, since in list(self._heard_since.items()):
            if since < overdue:
                with suppress(OSError):  # closed in between
                    conn.sock.shutdown(socket.SHUT_RD)

    def _say_not_ready(self) -> None:
        if standing := getattr(self.wsgi, "extensions", {}).get("standing"):
            standing.draining = True

    def _close_the_door(self) -> None:
        """Whoever is taken at the door while it closes is reset, with what he has sent. So before it closes nobody new
        is let in, unless others of ours go on there: he asks again within a second, and is told that nobody is here."""
        for listener in self.sockets:
            if not _others_listen(listener.sock):
                _let_nobody_in(listener.sock)
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


def _beginning(conn: TConn) -> bytes | None:
    """The first bytes of the request that waits on a connection, which stay there; None if nothing came yet, no byte if
    nothing will."""
    if conn.parser is not None and (read_ahead := conn.parser.unreader.buf.getvalue()):
        return bytes(read_ahead)
    try:
        return conn.sock.recv(_LINE, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


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
