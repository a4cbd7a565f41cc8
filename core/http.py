"""The one door out: pooled, time-outs always set, no redirects, only hosts on a list, nothing repeated by itself."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

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


class Door:
    """A connection pool to the hosts named at construction and to no other."""

    def __init__(self, *, hosts: frozenset[str], connect_s: float = 3, read_s: float = 8, pool: int = 16) -> None:
        """`hosts` as 'name' or 'name:port', as in the base URLs of the settings."""
        self._hosts = hosts
        self._whole_s = read_s * 2
        self._pool = urllib3.PoolManager(
            num_pools=8,
            maxsize=pool,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_s, read=read_s),
            ssl_context=ssl.create_default_context(),
        )

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """One request, one answer. OutsideSilent on any network trouble or an answer over 1 MB."""
        if urlsplit(url).netloc not in self._hosts:
            raise HostNotAllowed(urlsplit(url).netloc)
        try:
            got = self._pool.request(
                method, url, headers=dict(headers), body=body, redirect=False, preload_content=False
            )
            try:
                content = _whole(got, until=time.monotonic() + self._whole_s)
            finally:
                got.close() if got.length_remaining else got.release_conn()  # never reuse a half-read connection
        except urllib3.exceptions.HTTPError as error:
            raise OutsideSilent(type(error).__name__) from error
        return Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, content)


def _whole(got: urllib3.HTTPResponse, *, until: float) -> bytes:
    """The body, at most 1 MB and before `until` (monotonic): a far side that drips bytes holds nobody for long."""
    pieces, length = [], 0
    while piece := got.read1(PIECE, decode_content=True):
        pieces.append(piece)
        length += len(piece)
        if length > MAX_ANSWER:
            raise OutsideSilent("answer too long")
        if time.monotonic() > until:
            raise OutsideSilent("answer too slow")
    return b"".join(pieces)
