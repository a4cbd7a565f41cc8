"""What the running system says of itself: JSON lines with a request number and no personal data, figures, alerts."""

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from core.redact import scrub

REQUESTS = Counter("liangxian_requests_total", "Requests answered", ["door", "status"])
SECONDS = Histogram("liangxian_request_seconds", "Time to answer", ["door"], buckets=(0.005, 0.02, 0.1, 0.5, 1, 3, 10))
ALERTS = Counter("liangxian_alerts_total", "Things somebody must look at", ["what"])


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
        ALERTS.labels(what).inc()
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


def set_up_logs(level: str) -> None:
    """One JSON object a line on standard error, for our own words and for every library's."""
    shared = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, _moment, _scrubbed]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _scrubbed,
                structlog.processors.JSONRenderer(ensure_ascii=False),
                _one_line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("urllib3", "wechatpy", "procrastinate", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


_moment = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _scrubbed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last net: numbers that look like a person's are taken out of every value (INV-29)."""
    for name, value in event.items():
        if not name.startswith("_") and name != "exc_info":  # the formatter's own; the traceback comes back as text
            event[name] = _clean(value)
    return event


_BREAKS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x7f\x85\u2028\u2029"}


def _one_line(_logger: Any, _method: str, line: str) -> str:
    """JSON leaves these signs as they are, and some readers take them for the end of a line (A80)."""
    return line.translate(_BREAKS)


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if scrub(str(value)) == str(value) else scrub(str(value))
    if isinstance(value, Mapping):
        return {scrub(str(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return scrub(value if isinstance(value, str) else repr(value))
