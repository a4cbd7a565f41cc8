"""How a web process listens: no thread for who says nothing, no longer than so long to one request, and who comes while
every thread is taken is told so at once, unless a sibling at the same door has room for him."""

import mmap
import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

LISTENS_S = 10.0  # to a request, its body included: who stops in the middle holds a thread no longer (F7)
_SMALL = 64 * 1024  # a request that is answered unread is no larger, and all of it is here
_NONE, _ROOM, _FULL = range(3)
_STANDING = mmap.mmap(-1, 256)  # of each worker at this door; shared by the master and all that it forks


def gone(worker: Any) -> None:
    """Said by the master: this worker takes nobody any more, however it ended."""
    _STANDING[worker.age % len(_STANDING)] = _NONE


class ListeningWorker(ThreadWorker):
    """gunicorn's threads, with an ear for how many are taken."""

    sends_away = True  # who waits at a door that closes is taken in all the same

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heard_since: dict[TConn, float] = {}

    def accept(self, listener: Any) -> None:
        """One more at the door, if it is for us to take him."""
        if self._leaves_it_to_a_sibling():
            self.set_accept_enabled(False)  # until the next turn of the loop
        else:
            super().accept(listener)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Asked at every turn of the loop while it is not as it should be."""
        super().set_accept_enabled(enabled and not self._leaves_it_to_a_sibling())

    def enqueue_req(self, conn: TConn) -> None:
        """One more request waits for a thread. From now on: else a hundred would be heard in turns. Who would wait
        behind every thread of this door is told so here and now, if he is to be told (app/web/door/full.py)."""
        said = _said(conn)
        if said is None:
            return self._ask_again_when_it_speaks(conn)
        crowded = self._is_full and self.sends_away and not _somebody_has_room()
        full = getattr(self.wsgi, "extensions", {}).get("full") if crowded else None
        if full is not None and _is_whole(said) and (answer := full.answer(said)):
            return self._send_away(conn, answer, len(said))
        self._heard_since[conn] = time.monotonic()
        self._say_how_it_stands()
        return super().enqueue_req(conn)

    def handle(self, conn: TConn) -> object:
        """One request of a connection, in a thread."""
        try:
            return super().handle(conn)
        finally:
            self._heard_since.pop(conn, None)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Its thread is free."""
        super().finish_request(conn, fs)
        self._say_how_it_stands()

    def notify(self) -> None:
        """Called at every turn of the loop, which is a second at most."""
        super().notify()
        self._say_how_it_stands()
        self._hear_no_longer()

    @property
    def _is_full(self) -> bool:
        return len(self._heard_since) >= self.cfg.threads

    def _say_how_it_stands(self) -> None:
        _STANDING[self.age % len(_STANDING)] = _FULL if self._is_full else _ROOM if self.alive else _NONE

    def _leaves_it_to_a_sibling(self) -> bool:
        return self._is_full and self.sends_away and _somebody_has_room()

    def _ask_again_when_it_speaks(self, conn: TConn) -> None:
        """As one that a thread has waited for in vain: it may say nothing for as long as a kept one may."""
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _send_away(self, conn: TConn, answer: bytes, length: int) -> None:
        """What he sent is taken from the socket: closed with it unread, a connection is reset, and the answer lost."""
        with suppress(OSError):
            conn.sock.recv(length, socket.MSG_DONTWAIT)
            conn.sock.send(answer, socket.MSG_DONTWAIT)
        self.nr_conns -= 1
        conn.close()

    def _hear_no_longer(self) -> None:
        """Nothing more is read of a request that is overdue: its thread sees the end of it. One that was read whole is
        answered as ever."""
        overdue = time.monotonic() - LISTENS_S
        for conn, since in list(self._heard_since.items()):
            if since < overdue:
                with suppress(OSError):  # closed in between
                    conn.sock.shutdown(socket.SHUT_RD)


def _somebody_has_room() -> bool:
    return _STANDING.find(bytes([_ROOM]), 0) >= 0


def _said(conn: TConn) -> bytes | None:
    """What came of the request that waits on a connection, as far as it is small; it stays there. None if nothing came
    yet; no byte if nothing will, or it was read ahead."""
    if conn.parser is not None and conn.parser.unreader.buf.getvalue():
        return b""
    try:
        return conn.sock.recv(_SMALL, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _is_whole(said: bytes) -> bool:
    """Has all of one request come, and nothing of another?"""
    head, gap, body = said.partition(b"\r\n\r\n")
    _, named, rest = head.lower().partition(b"\r\ncontent-length:")
    length = rest.partition(b"\r\n")[0].strip() if named else b"0"
    return bool(gap) and length.isdigit() and len(body) == int(length) and b"\r\ntransfer-encoding:" not in head.lower()
