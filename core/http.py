"""The one door out: pooled, time-outs always set, no redirects, only hosts on a list, nothing repeated by itself.

A door belongs to one far side. It lets so many through at once and no more, and when the far side has been silent
several times running it stays shut for a while: nobody waits for who does not answer, and no other channel suffers."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from math import inf
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import urllib3

from core.clock import utc_now
from core.errors import TryLater

MAX_ANSWER = 1024 * 1024
PIECE = 16 * 1024


class OutsideSilent(TryLater):
    """The other side gave no usable answer. What happened there is unknown, never assumed."""

    text = "对方系统没有回应，请过一会儿再试。"


class HostNotAllowed(AssertionError):
    """A call to a host that no setting names: a programming error or an attempt to be led astray (A83)."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, header values by lower-case name, raw bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def _trust() -> ssl.SSLContext:
    """The system's authorities, read once in a process."""
    return ssl.create_default_context()


class Dates:
    """What far sides say the time is, in every answer: the last word of each host. Whoever asks takes them away."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, float]] = {}

    def hear(self, host: str, date: str | None, took: float) -> None:
        """An answer's Date, a whole second of its clock, that came `took` seconds after we asked."""
        with suppress(TypeError, ValueError):
            theirs = parsedate_to_datetime(date or "")
            ahead = (utc_now() - theirs).total_seconds() - took / 2 - 0.5
            self._heard[host] = (ahead, took / 2 + 0.5)

    def since_asked(self) -> Mapping[str, tuple[float, float]]:
        """Host → seconds that our clock is ahead, and how many that may be wrong by."""
        heard, self._heard = self._heard, {}
        return heard


DATES = Dates()


class Door:
    """A connection pool to the hosts named at construction and to no other, with a breaker and a budget."""

    SILENCES = 5  # running, after which the door stays shut
    SHUT_S = 15.0  # then one is let through to try

    def __init__(self, *, hosts: frozenset[str], connect_s: float = 3, read_s: float = 8, pool: int = 16) -> None:
        """`hosts` as 'name' or 'name:port', as in the base URLs of the settings; at most `pool` requests at once."""
        self._hosts = hosts
        self._whole_s = read_s * 2
        self._pool = _Pools(
            num_pools=8,
            maxsize=pool,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_s, read=read_s),
            ssl_context=_trust(),
        )
        self._budget = threading.BoundedSemaphore(pool)
        self._breaker = Breaker(self.SILENCES, self.SHUT_S)

    @property
    def is_shut(self) -> bool:
        """Whether the far side has been silent so often that it is not asked at the moment."""
        return self._breaker.is_shut(time.monotonic())

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        most: int = MAX_ANSWER,
        whole_s: float | None = None,
    ) -> Answer:
        """One request, one answer. OutsideSilent on any network trouble, an answer over `most` bytes, or one that takes
        longer than `whole_s` in all, from before it is asked (by default twice the time allowed for a pause)."""
        with self._through(url), _until(time.monotonic() + (whole_s or self._whole_s)):
            got = self._ask(method, url, headers, body)
            content = b"".join(_pieces(got, most))
        return Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, content)

    def fetch(self, url: str, into: BinaryIO, *, headers: Mapping[str, str], most: int, whole_s: float = 300) -> Answer:
        """GET a file into `into`, piece by piece, at most `most` bytes as they were sent; the answer without its body.

        A body that came with another status than 200 is in the answer instead. OutsideSilent."""
        began = time.monotonic()
        with self._through(url):
            with _until(began + self._whole_s):
                got = self._ask("GET", url, headers, None)
            whole_s = whole_s if got.status == 200 else self._whole_s
            kept = b""
            with _until(began + whole_s):
                for piece in _pieces(got, most if got.status == 200 else MAX_ANSWER):
                    if got.status == 200:
                        into.write(piece)
                    else:
                        kept += piece
        return Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, kept)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> urllib3.BaseHTTPResponse:
        began = time.monotonic()
        got = self._pool.request(method, url, headers=dict(headers), body=body, redirect=False, preload_content=False)
        DATES.hear(urlsplit(url).netloc, got.headers.get("Date"), time.monotonic() - began)
        return got

    @contextmanager
    def _through(self, url: str) -> Iterator[None]:
        """One place of the budget for one exchange; its silence is counted."""
        if urlsplit(url).netloc not in self._hosts:
            raise HostNotAllowed(urlsplit(url).netloc)
        if not self._breaker.may(time.monotonic()):
            raise OutsideSilent("not asked: silent before")
        if not self._budget.acquire(timeout=0.5):
            raise OutsideSilent("not asked: too many at once")
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            self._breaker.was_silent(time.monotonic())
            raise OutsideSilent(type(error).__name__) from error
        except OutsideSilent:
            self._breaker.was_silent(time.monotonic())
            raise
        else:
            self._breaker.answered()
        finally:
            self._budget.release()


_UNTIL: ContextVar[float] = ContextVar("until", default=inf)  # monotonic


@contextmanager
def _until(moment: float) -> Iterator[None]:
    """What is asked inside is answered whole by then, its first line and its headers too."""
    held = _UNTIL.set(moment)
    try:
        yield
    finally:
        _UNTIL.reset(held)


class _InTime(RawIOBase):
    """What a socket brings, until the moment of `_until` is past: a far side that drips bytes holds nobody for long."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._pause = sock, sock.gettimeout()
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int | None:
        left = _UNTIL.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError("answer too slow")
        if left < (self._pause or inf):
            self._sock.settimeout(left)
        try:
            return self._bytes.readinto(room)
        finally:
            with suppress(OSError):  # closed by the other side
                self._sock.settimeout(self._pause)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Answered(HTTPResponse):
    """An answer that is read through it from its first byte."""

    def __init__(self, sock: socket.socket, *words: Any, **named: Any) -> None:
        super().__init__(sock, *words, **named)
        self.fp.close()
        self.fp = BufferedReader(_InTime(sock))


class _Plain(urllib3.connection.HTTPConnection):
    response_class = _Answered


class _Secret(urllib3.connection.HTTPSConnection):
    response_class = _Answered


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecretPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secret


class _Pools(urllib3.PoolManager):
    """Connections whose answers are read in time."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecretPool}


class Breaker:
    """Counts silences running. After so many nobody passes for a while, then one at a time until one is answered."""

    def __init__(self, silences: int, shut_s: float) -> None:
        self._silences, self._shut_s = silences, shut_s
        self._running = 0
        self._shut_until = 0.0
        self._lock = threading.Lock()

    def may(self, now: float) -> bool:
        """May somebody ask? When the pause is over, one may, and the next pause begins at once."""
        with self._lock:
            if self._running < self._silences:
                return True
            if now < self._shut_until:
                return False
            self._shut_until = now + self._shut_s
            return True

    def is_shut(self, now: float) -> bool:
        """Whether nobody may, without asking to."""
        with self._lock:
            return self._running >= self._silences and now < self._shut_until

    def was_silent(self, now: float) -> None:
        """One more silence."""
        with self._lock:
            self._running += 1
            self._shut_until = now + self._shut_s

    def answered(self) -> None:
        """Any whole answer, whatever it says, ends the silence."""
        with self._lock:
            self._running = 0


def _pieces(got: urllib3.BaseHTTPResponse, most: int) -> Iterator[bytes]:
    """The body, at most `most` bytes.

    A connection that was not read to its end is never used again."""
    length = 0
    try:
        while piece := got.read1(PIECE, decode_content=True):
            length += len(piece)
            if length > most:
                raise OutsideSilent("answer too long")
            yield piece
    finally:
        got.close() if got.length_remaining else got.release_conn()
