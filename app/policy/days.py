"""Days, ages and months as the rules count them. Beijing dates; pure."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from core.clock import beijing_midnight

_SATURDAY = 5


def birthday(born: date, age: int) -> date:
    """The day on which `age` full years are reached: the birthday itself, 29 February → 1 March (D03)."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def born_by(day: date, age: int) -> date:
    """Who is born by it has that age on the day: `birthday(born, age) <= day` for these and nobody else."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:
        return date(day.year - age, 2, 28)


def age_on(born: date, day: date) -> int:
    """Full years on a day; negative before birth (D03)."""
    age = day.year - born.year
    return age if birthday(born, age) <= day else age - 1


def working_day_after(day: date, count: int, off: Collection[date] = ()) -> date:
    """The `count`-th working day after a day: no Saturday, no Sunday, none of the days `off`."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY and day not in off
    return day


def moment_after(day: date) -> datetime:
    """The first moment (aware, UTC) after a Beijing day."""
    return beijing_midnight(day + timedelta(days=1))


def months_until(first: date, last: date) -> int:
    """Calendar months from a day to a later one, both of them counted whole."""
    return 12 * (last.year - first.year) + last.month - first.month + 1


def months_after(day: date, months: int) -> date:
    """The same day some months on, or that month's last day (D28)."""
    months += day.month - 1
    year, month = day.year + months // 12, months % 12 + 1
    month_end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return month_end.replace(day=min(day.day, month_end.day))
