"""This machine's clock against others': the database's, and what far sides say with each answer (INV-37). We believe a
callback within five minutes of our clock, and WeChat Pay believes us within five of its own."""

from time import monotonic

from sqlalchemy import text

from app.flows.parts import Parts
from core.http import DATES

WRONG_S = 1.0


def watch_clock(parts: Parts) -> int:
    """Say whose clock is more than a second from ours, beyond what the question took; how many those are.

    The database may be on this very machine, so the far sides are heard too: as often as they are asked."""
    began = monotonic()
    with parts.reading() as connection:
        theirs = connection.execute(text("select clock_timestamp()")).scalar_one()
    ours, took = parts.clocks.wall(), monotonic() - began
    apart = {"database": _beyond((ours - theirs).total_seconds() - took / 2, took / 2)}
    apart |= {host: _beyond(*heard) for host, heard in DATES.since_asked().items()}
    wrong = {who: seconds for who, seconds in apart.items() if abs(seconds) > WRONG_S}
    for who, seconds in wrong.items():
        parts.alert("clock_wrong", against=who, ahead="ours" if seconds > 0 else "theirs", seconds=_rounded(seconds))
    return len(wrong)


def _beyond(ahead: float, unsure: float) -> float:
    """Seconds that ours is ahead (negative: behind) for certain."""
    return max(0.0, abs(ahead) - unsure) * (1 if ahead > 0 else -1)


def _rounded(seconds: float) -> int:
    """To a power of two, so that one wrong clock is one alert."""
    return 1 << max(0, int(abs(seconds)).bit_length() - 1)
