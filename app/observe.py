"""What the running system says of itself: figures, and alerts that are counted."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import structlog
from prometheus_client import Counter, Histogram

from app.alarms import NOW, WAKES

REQUESTS = Counter("liangxian_requests_total", "Requests answered", ["door", "status"])
SECONDS = Histogram("liangxian_request_seconds", "Time to answer", ["door"], buckets=(0.005, 0.02, 0.1, 0.5, 1, 3, 10))
ALERTS = Counter("liangxian_alerts_total", "Things somebody must look at, and how soon", ["what", "wakes"])
ROUTINE = Counter("liangxian_routine_total", "What others do as a routine and nobody need look at", ["what"])

for _what, _wakes in WAKES.items():
    ALERTS.labels(_what, _wakes)  # shown as 0: else nobody would see the first one as an increase


class Alarm:
    """Somebody must look at this: counted, and said. `words` carry codes and numbers, never people.

    What was said in these very words within the last `quiet_s` seconds is counted only: one cause is one alert,
    however often it is met (a message repeated, a question asked again)."""

    MOST = 10_000  # kinds of words remembered

    def __init__(self, say: Callable[[str, Mapping[str, object]], None], *, quiet_s: float = 3600) -> None:
        self._say = say
        self._quiet_s = quiet_s
        self._said: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, what: str, **words: object) -> None:
        ALERTS.labels(what, WAKES.get(what, NOW)).inc()
        if self._is_new((what, *(f"{name}={value}" for name, value in sorted(words.items())))):
            self._say(what, words)

    def _is_new(self, words: tuple[str, ...]) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(words, -self._quiet_s) < self._quiet_s:
                return False
            self._said[words] = now
            self._said.move_to_end(words)
            while len(self._said) > self.MOST:
                self._said.popitem(last=False)
        return True


def say_alert(what: str, words: Mapping[str, object]) -> None:
    structlog.get_logger("alert").error(what, **words)
