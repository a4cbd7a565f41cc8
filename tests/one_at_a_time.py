"""F2: whoever has a connection of a pool in hand does not wait for another one: with as many who do the same as the
pool has places, nobody ever gets one. Every test looks out for it."""

import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

ROOT = Path(__file__).resolve().parents[1]
OURS = tuple(str(ROOT / part) for part in ("app", "payments", "notifications", "migrations"))
BETWEEN = (str(ROOT / "core" / "db.py"), str(ROOT / "app" / "flows" / "parts.py"))
_IN_HAND = threading.local()
seconds: list[str] = []
"""Where a second connection was taken, and where the first one, since the list was last emptied."""


def look_out() -> None:
    """From now on, at every pool of this process."""
    event.listen(Pool, "checkout", _taken)
    event.listen(Pool, "checkin", _given_back)


def _taken(_connection: object, record: Any, proxy: Any) -> None:
    place = _taker()
    held: list[tuple[int, str]] = _IN_HAND.__dict__.setdefault("held", [])
    mine = (id(proxy._pool), place)
    seconds.extend(f"{place} beside {before}" for pool, before in held if pool == mine[0] and place and before)
    held.append(mine)
    record.record_info["in_hand"] = (held, mine)


def _given_back(_connection: object, record: Any) -> None:
    if found := record.record_info.pop("in_hand", None):
        found[0].remove(found[1])


def _taker() -> str:
    """The line of ours that asked; empty if it was a test, which may hold what it likes."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(ROOT)) and ".venv" not in name and name not in (*BETWEEN, __file__):
            return f"{name[len(str(ROOT)) + 1 :]}:{frame.f_lineno}" if name.startswith(OURS) else ""
        frame = frame.f_back
    return ""
