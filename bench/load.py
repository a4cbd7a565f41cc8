"""A small HTTP load: prepared requests over kept connections, closed loop (as fast as answers come) or open loop (at a
given rate, whatever comes back). Loopback only. One process and one selector: it must cost less than what it measures.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

CROWDED = 503


@dataclass
class Seen:
    """What came back: answers by status, seconds each took, and how long it all lasted."""

    statuses: dict[int, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)  # the same of those that were told to come again
    seconds: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        """One more answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.took.append(seconds)
        if status == CROWDED:
            self.refused.append(seconds)

    def rate(self, status: int = 200) -> float:
        """Answers of one status per second."""
        return self.statuses.get(status, 0) / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds below which `share` of the answers lie."""
        return percentile(self.took, share)


def percentile(seconds: Sequence[float], share: float) -> float:
    """Seconds below which `share` of these lie; 0 if there are none."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] if seconds else 0.0


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def closed_loop(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Seen:
    """`clients` connections, each sending its next request when the last is answered, until the time or the requests
    are over. The requests are used once each, in order."""
    return _run(port, requests, clients=clients, seconds=seconds, every=0.0)


def open_loop(port: int, requests: Sequence[bytes], *, clients: int, per_second: float) -> Seen:
    """All requests at a fixed rate; a request that finds no free connection waits, and its waiting counts."""
    return _run(port, requests, clients=clients, seconds=len(requests) / per_second + 10, every=1 / per_second)


def _run(port: int, requests: Sequence[bytes], *, clients: int, seconds: float, every: float) -> Seen:
    seen = Seen()
    selector = selectors.DefaultSelector()
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(clients)]
    for connection in idle:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, [0.0, b""])
    start = time.perf_counter()
    until, place, answered = start + seconds, 0, 0
    while answered < place or place < len(requests):
        now = time.perf_counter()
        if now >= until and answered == place:
            break
        while idle and place < len(requests) and now < until and start + place * every <= now:
            connection = idle.pop()
            selector.get_key(connection).data[0] = start + place * every if every else now
            connection.sendall(requests[place])
            place += 1
        waiting = 0.05 if not every or not idle else max(0.0, min(0.05, start + place * every - now))
        for key, _ in selector.select(waiting):
            if _answered(key, seen):
                idle.append(key.fileobj)  # type: ignore[arg-type]
                answered += 1
    seen.seconds = time.perf_counter() - start
    for connection in [key.fileobj for key in selector.get_map().values()]:
        connection.close()  # type: ignore[union-attr]
    return seen


def _answered(key: selectors.SelectorKey, seen: Seen) -> bool:
    """Read what is there; True when the answer is whole."""
    held = key.data
    held[1] += key.fileobj.recv(65536)  # type: ignore[union-attr]
    answer = whole(held[1])
    if answer is None:
        return False
    seen.add(answer[0], time.perf_counter() - held[0])
    held[1] = b""
    return True


def whole(received: bytes) -> tuple[int, bytes] | None:
    """Status and body of an answer, once all of it is there."""
    head, gap, body = received.partition(b"\r\n\r\n")
    if not gap:
        return None
    length = head.lower().find(b"content-length:")
    wanted = int(head[length + 15 :].split(b"\r\n", 1)[0]) if length >= 0 else 0
    return (int(head[9:12]), body) if len(body) >= wanted else None
