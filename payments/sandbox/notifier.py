"""Callbacks of every far side, sent from threads of their own, repeated until acknowledged. Knows no wire format.

How a callback looks is the far side's `delivery`, when it is repeated its `retry_after_s`, and what stops it its
`acknowledges`. What goes wrong on the way, on demand, is the same for all and lives here.
"""

import heapq
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Condition, Thread
from typing import Any

import urllib3

from payments.sandbox.config import Knobs
from payments.sandbox.far import Delivery, Event, FarSide
from payments.sandbox.faults import Faults
from payments.sandbox.shelf import Document
from payments.sandbox.trades import Trades

_THREADS = 8
_FIRST = {  # faults that send something spoilt before the genuine callback, once
    "callback_signtest": "signtest",
    "other_merchant": "other_merchant",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One delivery to make: the event, how many went before, and whether its failure leads to another."""

    event: Event
    attempt: int = 0
    repeats: bool = True
    spoil: str = ""


class Notifier:
    """Sends callbacks; `deliveries` tells what was sent and what came back."""

    def __init__(self, knobs: Knobs, trades: Trades, faults: Faults, far: Mapping[str, FarSide]) -> None:
        self._knobs, self._trades, self._faults, self._far = knobs, trades, faults, far
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._client = urllib3.PoolManager(maxsize=_THREADS, retries=False, timeout=urllib3.Timeout(5.0))
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = Condition()
        self._held: dict[tuple[str, str], Event] = {}  # payments told only after a refund of theirs
        self._stopped = False
        self._threads = [Thread(target=self._work, daemon=True, name=f"callback-{n}") for n in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def resume(self) -> None:
        """After a restart: what was never acknowledged is told again, and refunds under way come to their end."""
        for trade in self._trades.paid():
            if not trade["acknowledged"]:
                self._later(Job(_event(trade)))
        for trade, refund in self._trades.refunds():
            if refund["state"] == "PROCESSING":
                self.settle_refund(trade, refund, after_s=0)
            elif not refund["acknowledged"]:
                self._later(Job(_event(trade, refund)))

    def tell(self, trade: Document, refund: Document | None = None) -> None:
        """A trade was paid, or a refund came to its end: tell it soon, with whatever faults wait for it."""
        event, number, gateway = _event(trade, refund), (refund or trade)["number"], trade["gateway"]
        if refund is None and self._faults.take("reorder", number, gateway=gateway):
            with self._changed:
                self._held[gateway, number] = event
            return
        delay = self._faults.take("delay", number, on="callback", gateway=gateway)
        after = delay["seconds"] if delay else 0
        for kind, spoil in _FIRST.items():
            if self._faults.take(kind, number, gateway=gateway):
                self._later(Job(event, repeats=False, spoil=spoil), after)
        duplicate = self._faults.take("callback_duplicate", number, gateway=gateway)
        for _ in range(duplicate.get("times", 2) - 1 if duplicate else 0):
            self._later(Job(event, repeats=False), after)
        self._later(Job(event), after)

    def tell_now(self, trade: Document) -> None:
        """The first delivery in the caller's thread; what it does not achieve, retries will."""
        self._deliver(Job(_event(trade)))

    def settle_refund(self, trade: Document, refund: Document, *, after_s: int) -> None:
        """A refund under way comes to its end after so many seconds (times the factor), and its callback follows."""

        def settle() -> None:
            settled = self._trades.settle_refund(trade["gateway"], trade["number"], refund["number"])
            if settled is not None:
                self.tell(*settled)

        self._at(settle, after_s * self._knobs.notify_factor)

    def tell_of(self, gateway: str, number: str, made: Callable[[str], Delivery | None]) -> None:
        """A complaint changed: told once and, where nobody acknowledges it, once more; `made` makes the delivery, by
        a spoil. The faults of callbacks meet it under its own number."""

        def send(left: int) -> None:
            if self._faults.take("callback_drop", number, gateway=gateway):
                return
            forged = self._faults.take("callback_wrong_signature", number, gateway=gateway)
            if (delivery := made("wrong_signature" if forged else "")) is None:
                return
            status, body = self._sent(delivery.url, delivery.headers, delivery.body)
            with self._changed:
                line = {"gateway": gateway, "number": number, "event": "complaint", "attempt": 1 - left}
                self.deliveries.append({**line, "status": status})
            if left and (forged or not self._far[gateway].acknowledges(status, body)):
                self._at(lambda: send(left - 1), self._far[gateway].retry_after_s[0] * self._knobs.notify_factor)

        duplicate = self._faults.take("callback_duplicate", number, gateway=gateway)
        for _ in range(duplicate.get("times", 2) if duplicate else 1):
            self._at(lambda: send(1), 0)

    def stop(self) -> None:
        """Let the threads end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=6)
        self._client.clear()

    def _later(self, job: Job, seconds: float = 0) -> None:
        self._at(lambda: self._deliver(job), seconds)

    def _at(self, act: Callable[[], None], seconds: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), act))
            self._changed.notify_all()  # every idle thread waits for the next due moment, whoever gets there first

    def _work(self) -> None:
        while (act := self._next()) is not None:
            act()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _deliver(self, job: Job) -> None:
        event = job.event
        pauses = self._far[event.trade["gateway"]].retry_after_s
        if self._delivered(job):
            self._trades.acknowledge(event.trade, event.refund)
        elif job.repeats and job.attempt < len(pauses):
            again = replace(job, attempt=job.attempt + 1)
            self._later(again, pauses[job.attempt] * self._knobs.notify_factor)
        if event.refund is not None:
            self._let_go(event.trade)

    def _let_go(self, trade: Document) -> None:
        with self._changed:
            held = self._held.pop((trade["gateway"], trade["number"]), None)
        if held is not None:
            self._later(Job(held))

    def _delivered(self, job: Job) -> bool:
        event, gateway = job.event, job.event.trade["gateway"]
        number, far = event.number, self._far[gateway]
        status, body = 0, b""
        if not self._faults.take("callback_drop", number, gateway=gateway):
            forged = self._faults.take("callback_wrong_signature", number, gateway=gateway)
            delivery = far.delivery(event, "wrong_signature" if forged else job.spoil)
            if delivery is None:
                return True
            status, body = self._sent(delivery.url, delivery.headers, delivery.body)
        line = {"gateway": gateway, "number": number, "event": "refund" if event.refund else "payment"}
        with self._changed:
            self.deliveries.append({**line, "attempt": job.attempt, "status": status})
        return not job.spoil and far.acknowledges(status, body)

    def _sent(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body that came back; 0 for none."""
        try:
            answer = self._client.request("POST", url, body=body, headers=dict(headers), redirect=False)
        except urllib3.exceptions.HTTPError as error:
            log.info("callback not delivered: %s", type(error).__name__)
            return 0, b""
        return answer.status, answer.data


def _event(trade: Document, refund: Document | None = None) -> Event:
    return Event((refund or trade)["event_id"], trade, refund)
