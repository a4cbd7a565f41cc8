"""When a person may be told what: quiet hours, a weekly budget, and how long one way is waited for. Pure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from core.clock import BEIJING, beijing

QUIET_FROM, QUIET_UNTIL = time(21), time(8)  # Beijing; nobody is woken for what can wait
CALM = frozenset(
    {
        *("settled", "refund_asked", "refund_rejected", "refunded", "remind", "waived", "certified", "held"),
        *("determined", "not_determined", "answered"),
    }
)
BUDGETED = frozenset({"remind", "waived", "certified"})  # what we begin; answers to what somebody did are not counted
OF_THE_HOUR = frozenset({"remind", "waived"})  # says what is left to do, so it is looked at again when it is told
RESERVED = frozenset({"certified"})  # written only on a consent, which it holds from then on
WEEK, MOST_A_WEEK = timedelta(days=7), 2  # to one household's phone
ASKS = tuple(timedelta(minutes=minutes) for minutes in (0.5, 2, 10, 60, 360, 720, 1440, 1727.5))  # 72 hours in all
PATIENCE = 3  # so often one way is asked again before the next one is taken


def not_before(kind: str, now: datetime) -> datetime | None:
    """The moment until which a notice of this kind waits, or None if it may go out now; business clock."""
    local = beijing(now)
    if kind not in CALM or QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    day = local.date() + timedelta(days=1) if local.time() >= QUIET_FROM else local.date()
    return datetime.combine(day, QUIET_UNTIL, tzinfo=BEIJING)


def is_waited_for(silences: Mapping[str, int], channel: str) -> bool:
    """May this way be asked once more although it was silent?"""
    return silences.get(channel, 0) < PATIENCE
