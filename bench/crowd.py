"""A crowd: requests of several kinds, each at its planned moment whatever comes back, some following from an answer.
Loopback only, one process, one selector. What waits for a free connection waits as its sender would: it counts."""

import heapq
import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bench.load import Seen, whole

LOST = 0  # the status of a request whose answer never came
PATIENCE_S = 30


@dataclass(order=True)
class Planned:
    """One request, so many seconds after the start."""

    at: float
    kind: str = field(compare=False)
    raw: bytes = field(compare=False)
    whose: str = field(default="", compare=False)  # the session's token, for what follows


Then = Callable[[Planned, float, int, bytes], Iterable[Planned]]


class Crowd:
    """Connections to one port, opened as they are needed, at most so many; the kinds `apart` do not come from the crowd
    and wait for nobody's."""

    def __init__(self, port: int, *, connections: int, apart: frozenset[str] = frozenset()) -> None:
        self._port, self._most, self._apart = port, connections, apart
        self._selector = selectors.DefaultSelector()
        self._idle: list[socket.socket] = []
        self._flying: dict[socket.socket, tuple[Planned, bytearray]] = {}
        self.seen: dict[str, Seen] = defaultdict(Seen)

    def run(
        self, plan: Iterable[Planned], then: Then, *, ends: Callable[[], bool] = lambda: False
    ) -> Mapping[str, Seen]:
        """All of the plan, and what `then` makes of each answer (request, moment, status, body); what came, by kind.
        Once `ends` nothing more comes of the crowd; those apart finish."""
        start, asked = time.perf_counter(), 0.0
        agenda, apart = list(plan), list[Planned]()
        heapq.heapify(agenda)

        def plan_more(more: Iterable[Planned]) -> None:
            for planned in more:
                heapq.heappush(apart if planned.kind in self._apart else agenda, planned)

        while agenda or apart or self._flying:
            now = time.perf_counter() - start
            while apart and apart[0].at <= now:
                self._send(self._free(), heapq.heappop(apart))
            while agenda and agenda[0].at <= now and self._can_send:
                self._send(self._free(), heapq.heappop(agenda))
            due = [each[0].at for each in (apart, agenda if self._can_send else []) if each]
            pause = min((0.05, *(moment - now for moment in due)))
            for key, _ in self._selector.select(max(0.0, pause)):
                plan_more(self._hear(key.fileobj, start, then))  # type: ignore[arg-type]
            if now - asked > 1:
                asked = now
                if ends():
                    agenda.clear()
                for planned in self._given_up(now):
                    plan_more(self._answered(planned, LOST, b"", start, then))
        for seen in self.seen.values():
            seen.seconds = time.perf_counter() - start
        for connection in list(self._idle):
            self._close(connection)
        return self.seen

    @property
    def _can_send(self) -> bool:
        return bool(self._idle) or len(self._flying) < self._most

    def _free(self) -> socket.socket:
        if self._idle:
            return self._idle.pop()
        connection = socket.create_connection(("127.0.0.1", self._port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)
        return connection

    def _send(self, connection: socket.socket, planned: Planned) -> None:
        self._flying[connection] = (planned, bytearray())
        connection.sendall(planned.raw)

    def _hear(self, connection: socket.socket, start: float, then: Then) -> Iterable[Planned]:
        try:
            received = connection.recv(65536)
        except OSError:
            received = b""
        flight = self._flying.get(connection)
        if flight is None or not received:  # the server ended a connection
            self._close(connection)
            return [] if flight is None else self._answered(flight[0], LOST, b"", start, then)
        flight[1].extend(received)
        answer = whole(bytes(flight[1]))
        if answer is None:
            return []
        del self._flying[connection]
        self._idle.append(connection)
        return self._answered(flight[0], *answer, start, then)

    def _answered(self, planned: Planned, status: int, body: bytes, start: float, then: Then) -> Iterable[Planned]:
        now = time.perf_counter() - start
        self.seen[planned.kind].add(status, now - planned.at)
        return then(planned, now, status, body)

    def _given_up(self, now: float) -> list[Planned]:
        """What nobody waits for any longer; its connection is closed."""
        late = {each: planned for each, (planned, _) in self._flying.items() if planned.at < now - PATIENCE_S}
        for connection in late:
            self._close(connection)
        return list(late.values())

    def _close(self, connection: socket.socket) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        self._flying.pop(connection, None)
        self._selector.unregister(connection)
        connection.close()
