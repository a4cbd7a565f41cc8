"""Under overload the less urgent gives way: first what the offices look at, then looking up, then new payments. What a
gateway says is always taken: there is a thread left for it."""

from collections.abc import Mapping
from enum import StrEnum
from threading import Lock

from flask import Flask, current_app, g, request

from core.errors import TryLater


class Urgency(StrEnum):
    """What a request is about, the least urgent first."""

    LISTS = "lists"  # the offices'
    LOOKS = "looks"  # what is due, what became of it
    ACTS = "acts"  # a new payment, a login, a refund
    ALWAYS = "always"  # callbacks, health


SHARES: Mapping[Urgency, int] = {Urgency.LISTS: 50, Urgency.LOOKS: 75, Urgency.ACTS: 90}  # percent of the threads
_ALWAYS = frozenset({"callbacks", "back", "health", "static"})
_OFFICES = frozenset({"desk", "day", "audit"})


class Crowded(TryLater):
    """Too many at once for something that can wait; nothing was begun."""

    text = "现在人太多，请过一分钟再试。什么都没有办，钱没有动。"


class Load:
    """How many requests this process has in hand."""

    def __init__(self, threads: int) -> None:
        self._threads, self._lock, self.active = threads, Lock(), 0

    def enter(self, urgency: Urgency) -> bool:
        """One more, if there is room for one of its urgency."""
        with self._lock:
            room = urgency is Urgency.ALWAYS or 100 * self.active < SHARES[urgency] * self._threads
            self.active += room
            return room

    def leave(self) -> None:
        """One less."""
        with self._lock:
            self.active -= 1


def urgency_of(endpoint: str | None, method: str) -> Urgency:
    """Of a route. Pure."""
    door = (endpoint or "").partition(".")[0]
    if door in _ALWAYS:
        return Urgency.ALWAYS
    if door in _OFFICES or door.startswith("office"):
        return Urgency.LISTS
    return Urgency.LOOKS if method in ("GET", "HEAD", "OPTIONS") else Urgency.ACTS


def register(app: Flask, threads: int) -> None:
    """Before everything else of a request."""
    app.extensions["load"] = Load(threads)
    app.before_request(_enter)
    app.teardown_request(_leave)


def _enter() -> None:
    load: Load = current_app.extensions["load"]
    if not load.enter(urgency_of(request.endpoint, request.method)):
        raise Crowded
    g.in_hand = True


def _leave(_error: BaseException | None) -> None:
    if g.pop("in_hand", False):
        current_app.extensions["load"].leave()
