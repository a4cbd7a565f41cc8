"""The far sides in the director's own thread: real HTTP, but one request at a time, and callbacks by the simulation's
clock, delivered into whatever process takes them."""

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Condition
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from payments.sandbox import SandboxConfig, create_sandbox
from payments.sandbox.faults import Fault, Faults
from payments.sandbox.notifier import Job, Notifier
from payments.sandbox.shelf import Document
from payments.sandbox.world import World
from tests.simulate.seeded import SECOND, Clock, HungUp

NAME = "liangxian.sandbox"  # where the sandbox's application keeps its world
SLOW_S = 30 * 3600  # some refunds take so long
Deliver = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]
OF_CALLBACKS = frozenset(
    {
        *("callback_duplicate", "callback_drop", "callback_wrong_signature", "callback_signtest", "callback_early"),
        *("other_merchant", "reorder"),
    }
)


class Counting(Faults):
    """Counts what happened, and forgets what is used up: a season has thousands."""

    happened: Counter[str]

    def take(self, kind: str, *whose: str, on: str | None = None, gateway: str | None = None) -> Fault | None:
        """As every far side takes them."""
        taken = super().take(kind, *whose, on=on, gateway=gateway)
        if taken is not None:
            self._waiting = [fault for fault in self._waiting if fault["count"] != 0]
            self.happened[f"{on} {kind}" if on else kind] += 1
        return taken


class Post(Notifier):
    """Callbacks of a simulation: due by its clock, delivered one at a time when the director says so."""

    def __init__(self, world: World, clock: Clock, deliver: Deliver, chance: Random) -> None:
        self._chance, self.slow = chance, 0.0  # that share of refunds
        # Not the parent's: it would start threads.
        self._knobs, self._trades, self._faults, self._far = world.knobs, world.trades, world.faults, world.far
        self.deliveries = deque(maxlen=1)
        self._order, self._changed, self._held = itertools.count(), Condition(), {}
        self._timetable: list[tuple[int, int, Callable[[], None]]] = []
        self._clock, self._deliver_to = clock, deliver
        self.made: Counter[str] = Counter()

    def next_due(self) -> int | None:
        """The moment of the next callback, in microseconds."""
        return self._timetable[0][0] if self._timetable else None

    def deliver_next(self) -> None:
        """The callback that is due first, or a refund's end."""
        heapq.heappop(self._timetable)[2]()

    def settle_refund(self, trade: Document, refund: Document, *, after_s: int) -> None:
        """Some take longer than a day."""
        super().settle_refund(trade, refund, after_s=SLOW_S if self._chance.random() < self.slow else after_s)

    def _at(self, act: Callable[[], None], seconds: float) -> None:
        heapq.heappush(self._timetable, (self._clock.micros + int(seconds * SECOND), next(self._order), act))

    def _delivered(self, job: Job) -> bool:
        self.made["deliveries"] += 1
        if job.attempt:
            self.made["repeats"] += 1
        return super()._delivered(job)

    def _sent(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, answer = self._deliver_to(urlsplit(url).path, headers, body)
        self.made["unanswered"] += not status
        return status, answer


class Far:
    """The outside world of one simulation."""

    def __init__(self, folder: Path, clock: Clock, deliver: Deliver, chance: Random) -> None:
        self.app: Flask = create_sandbox(SandboxConfig(folder, notify_factor=1))
        made: World = self.app.extensions[NAME]
        made.notifier.stop()
        made.faults.__class__ = Counting  # every far side holds this very list already
        self.faults: Counting = made.faults  # type: ignore[assignment]
        self.faults.happened = Counter()
        self.post = Post(made, clock, deliver, chance)
        self.world = replace(made, notifier=self.post)
        self.app.extensions[NAME] = self.world
        self.server = make_server("127.0.0.1", 0, self.app, request_handler=_Quiet)
        self.server.timeout = 0
        self.asked = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self) -> None:
        """The one request that waits at the door."""
        self.asked += 1
        try:
            self.server.handle_request()
        except HungUp:
            return  # the connection is closed, and nothing was said

    def answer_after(self, meanwhile: Callable[[], None]) -> None:
        """The request that waits at the door is let in, and answered when `meanwhile` is over."""
        self.asked += 1
        request, address = self.server.get_request()
        meanwhile()
        try:
            self.server.process_request(request, address)
        except HungUp:
            self.server.shutdown_request(request)

    def give_back_by_hand(self, trade: Document, number: str, reference: str) -> None:
        """Somebody gives a payment back on WeChat's own page; no number of ours is in it."""
        made = self.world.trades.refund(trade, number, amount=trade["amount"], content=number, reference=reference)
        self.world.trades.settle_refund(trade["gateway"], trade["number"], made[1]["number"])

    def open_page(self, url: str, fields: Mapping[str, str]) -> str | None:
        """A browser goes to a gateway's page; the code it finds there, None if the page says no."""
        went = self.app.test_client().post(url, data=dict(fields))
        return urlsplit(went.headers["Location"]).query.partition("code=")[2] if went.status_code == 303 else None

    def open_link(self, link: str) -> str | None:
        """The same with WeChat's page, out of ours."""
        ours = urlsplit(parse_qs(urlsplit(link).query)["redirect_url"][0])
        went = self.app.test_client().get(link, headers={"Referer": f"{ours.scheme}://{ours.netloc}/"})
        return urlsplit(went.headers["Location"]).query.partition("code=")[2] if went.status_code == 303 else None

    def close(self) -> None:
        """Nobody answers any more."""
        self.server.server_close()
        self.world.shelf.close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *words: object) -> None:
        """Nothing: the simulation has a log of its own."""
