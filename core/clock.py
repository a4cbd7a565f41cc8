"""Two clocks. The system clock judges signatures, leases and time-outs; the business clock decides windows,
prices, ages and dates on papers. It runs like the system clock plus an offset, which is zero outside the sandbox."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


def utc_now() -> datetime:
    """The system clock: an aware UTC moment."""
    return datetime.now(UTC)


def business_day(moment: datetime) -> date:
    """The Beijing date of an aware moment: the day that prices, papers and statements use."""
    return beijing(moment).date()


def beijing(moment: datetime) -> datetime:
    """The same moment on a Beijing clock; a naive moment is a mistake and raises."""
    if moment.tzinfo is None:
        raise ValueError("a moment must carry its time zone")
    return moment.astimezone(BEIJING)


def beijing_midnight(day: date) -> datetime:
    """The first moment of a Beijing day, as an aware UTC moment."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING).astimezone(UTC)
