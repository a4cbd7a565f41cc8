"""Under overload the less urgent gives way: first what the offices look at, then looking up, then new payments. What a
gateway says is always taken: there is a thread left for it."""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from threading import Event, Lock
from time import monotonic

from flask import Flask, current_app, g, request

from core.db import PATIENCE, Patience
from core.errors import TryLater


class Urgency(StrEnum):
    """What a request is about, the least urgent first."""

    LISTS = "lists"  # the offices'
    LOOKS = "looks"  # what is due, what became of it
    ACTS = "acts"  # a new payment, a login, a refund
    ALWAYS = "always"  # callbacks, health


SHARES: Mapping[Urgency, int] = {Urgency.LISTS: 50, Urgency.LOOKS: 75, Urgency.ACTS: 90}  # percent of the places
RETRY_S = 60  # who was sent away comes again after that, as the sentences say
PATIENCE_S = 3.0  # a resident rather waits that long than begins again
ANSWER_S: Mapping[Urgency, float] = {  # how long each waits for one answer of the database
    Urgency.LISTS: 18,
    Urgency.LOOKS: 8,
    Urgency.ACTS: 8,
    Urgency.ALWAYS: 3,
}
MEGABYTE = 1024 * 1024
LARGEST: Mapping[str, int] = {  # what a door takes at most, in bytes; every other one takes LARGEST_ELSE
    "office_registers.hand_in": 64 * MEGABYTE,  # a register of 400,000
    "office_police.hand_in": 20 * MEGABYTE,
    "day.take_file": 20 * MEGABYTE,  # a day's file of a bank
    "office_agents.hand_in": 5 * MEGABYTE,  # a town's list
    "office_helped_send.send": 20 * MEGABYTE,  # a department's list
    "office_refunds.transfer_one": 5 * MEGABYTE,  # with the bank's slip
    "office_complaints.answer_one": 3 * MEGABYTE,  # with a picture
    **dict.fromkeys(("bureau.ask", "agent_table.ask", "counter.ask"), 9 * MEGABYTE),  # with a phone's photo
    **dict.fromkeys((f"{who}.apply_for_child" for who in ("bureau", "agent_table", "counter")), 9 * MEGABYTE),
    **dict.fromkeys(("agent_rosters.hang", "agent_closings.hang"), 9 * MEGABYTE),  # with a photo of what hangs
    "home.check_code": 2 * MEGABYTE,  # with a paper of ours
}
LARGEST_ELSE = 256 * 1024
CALLBACK_S = 4.5  # in all: a gateway waits five seconds, and then calls us silent
_ALWAYS = frozenset({"callbacks", "back", "health", "static"})
_OFFICES = frozenset({"desk", "day", "audit", "own_office"})


class Crowded(TryLater):
    """Too many at once for something that can wait; nothing was begun."""

    text = "现在人太多，这一步没有办，请过一分钟再试。已经付了的，钱不会丢。"


class CrowdedLook(Crowded):
    """The same for somebody who only looks: he may have paid already."""

    text = "现在人太多，暂时查不到结果。钱没有丢，请不要再付，过一分钟再看。"


class Load:
    """What this process has in hand. So many requests are worked on at once; a few more wait in line, the most urgent
    first; the rest is told to come again. A place is handed on: nobody who comes later takes it."""

    def __init__(self, at_once: int, line: int) -> None:
        self._at_once, self._line_length, self._lock = at_once, line, Lock()
        self._line: dict[Urgency, deque[Event]] = {urgency: deque() for urgency in SHARES}
        self.active = 0

    def enter(self, urgency: Urgency, *, patience_s: float = PATIENCE_S) -> bool:
        """Begin one more, waiting for room if there is a place in the line."""
        with self._lock:
            if self._has_room(urgency):
                self.active += 1
                return True
            if 100 * self.waiting >= SHARES[urgency] * self._line_length:
                return False
            turn = Event()
            self._line[urgency].append(turn)
        if turn.wait(patience_s):
            return True
        with self._lock:
            if turn.is_set():  # its turn came while it gave up
                return True
            self._line[urgency].remove(turn)
            return False

    def leave(self) -> None:
        """One is done; its place goes to the most urgent in line that may have it."""
        with self._lock:
            self.active -= 1
            for urgency in reversed(SHARES):
                if self._line[urgency] and self._has_room(urgency):
                    self.active += 1
                    return self._line[urgency].popleft().set()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return sum(map(len, self._line.values()))

    def _has_room(self, urgency: Urgency) -> bool:
        return urgency is Urgency.ALWAYS or 100 * self.active < SHARES[urgency] * self._at_once


def urgency_of(endpoint: str | None, method: str) -> Urgency:
    """Of a route. Pure."""
    door = (endpoint or "").partition(".")[0]
    if door in _ALWAYS:
        return Urgency.ALWAYS
    if door in _OFFICES or door.startswith("office"):
        return Urgency.LISTS
    return Urgency.LOOKS if method in ("GET", "HEAD", "OPTIONS") else Urgency.ACTS


def patience_of(endpoint: str | None, method: str) -> Patience:
    """How long a request waits for the database, from now on."""
    if (endpoint or "").startswith("callbacks."):
        return Patience(CALLBACK_S, until=monotonic() + CALLBACK_S)
    return Patience(ANSWER_S[urgency_of(endpoint, method)])


def register(app: Flask, at_once: int, line: int) -> None:
    """Before everything else of a request."""
    app.extensions["load"] = Load(at_once, line)
    app.before_request(_measure)
    app.before_request(_enter)
    app.teardown_request(_leave)


def _measure() -> None:
    """Before anything of a body is read."""
    request.max_content_length = LARGEST.get(request.endpoint or "", LARGEST_ELSE)


def _enter() -> None:
    load: Load = current_app.extensions["load"]
    urgency = urgency_of(request.endpoint, request.method)
    if not load.enter(urgency):
        raise Crowded if urgency is Urgency.ACTS else CrowdedLook
    g.in_hand = True
    PATIENCE.set(patience_of(request.endpoint, request.method))


def _leave(_error: BaseException | None) -> None:
    PATIENCE.set(None)
    if g.pop("in_hand", False):
        current_app.extensions["load"].leave()
