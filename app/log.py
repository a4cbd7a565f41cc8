"""How a log line is written: one JSON object, no personal data, whoever says it: we, a library, the server, a crash."""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any

import psycopg
import structlog
from gunicorn.glogging import Logger as GunicornLog
from sqlalchemy.exc import SQLAlchemyError

from core.redact import scrub

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
_HAN = re.compile(r"[\u2e80-\u2fdf\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff·]+")  # names are written so
_BREAKS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x7f\x85\u2028\u2029"}
_MOST_ERRORS = 12  # of one chain


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
    handler.addFilter(_errors_told)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_story),
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


def log_crashes() -> None:
    """What ends this process or one of its threads is a line like every other."""
    sys.excepthook = lambda _kind, error, _trace: _crashed(error)
    threading.excepthook = lambda crash: _crashed(crash.exc_value) if crash.exc_value else None


class ServerLog(GunicornLog):
    """The web server's own words, in the same lines as ours."""

    def setup(self, cfg: Any) -> None:
        """Named by `logger_class` in config/gunicorn.py."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        set_up_logs(cfg.loglevel.upper())


def told(error: BaseException) -> str:
    """An error in words that carry no person: of the database its class, its code, what it guards, never the row; of
    anything else its own words without numbers of people and without Chinese."""
    if isinstance(error, SQLAlchemyError):
        cause = getattr(error, "orig", None)
        return f"{type(error).__name__} of {told(cause)}" if cause else type(error).__name__
    if isinstance(error, psycopg.Error) and (error.sqlstate or not isinstance(error, psycopg.OperationalError)):
        found = (error.sqlstate, error.diag.table_name, error.diag.constraint_name)
        return " ".join([type(error).__name__, *filter(None, found)])
    return f"{type(error).__name__}: {_HAN.sub('…', scrub(str(error)))}".removesuffix(": ")


def _crashed(error: BaseException) -> None:
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        structlog.get_logger("crash").critical("crashed", exc_info=error)


def _story(exc_info: ExcInfo) -> str:
    """The error with its causes, the first first: where each came through, and what it is told as."""
    return "\n".join(
        "".join(traceback.format_tb(error.__traceback__)) + told(error) for error in reversed(list(_chain(exc_info[1])))
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came of, and those it holds."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [*getattr(each, "exceptions", ()), each.__context__, each.__cause__]


def _errors_told(record: logging.LogRecord) -> bool:
    """A library that writes an error into its sentence writes what we would."""
    if isinstance(record.msg, BaseException):
        record.msg = told(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(told(each) if isinstance(each, BaseException) else each for each in record.args)
    return True


_moment = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _scrubbed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last net: numbers that look like a person's are taken out of every value (INV-29)."""
    for name, value in event.items():
        if not name.startswith("_") and name != "exc_info":  # the formatter's own; the traceback comes back as text
            event[name] = _clean(value)
    return event


def _one_line(_logger: Any, _method: str, line: str) -> str:
    """JSON leaves these signs as they are, and some readers take them for the end of a line (A80)."""
    return line.translate(_BREAKS)


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if scrub(str(value)) == str(value) else scrub(str(value))
    if isinstance(value, BaseException):
        return told(value)
    if isinstance(value, Mapping):
        return {scrub(str(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return scrub(value if isinstance(value, str) else repr(value))
