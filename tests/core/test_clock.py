"""Two clocks: Beijing days around midnight, the offset, and moments without a zone refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.clock import BEIJING, beijing, beijing_midnight, business_day


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2021, 12, 31, 15, 59, 59, 999999, tzinfo=UTC), date(2021, 12, 31)),
        (datetime(2021, 12, 31, 16, tzinfo=UTC), date(2022, 1, 1)),
        (datetime(2022, 1, 1, 0, 0, tzinfo=BEIJING), date(2022, 1, 1)),
        (datetime(2021, 12, 31, 23, 59, 59, tzinfo=BEIJING), date(2021, 12, 31)),
        (datetime(2024, 2, 28, 16, tzinfo=UTC), date(2024, 2, 29)),
    ],
)
def test_the_day_turns_at_midnight_in_beijing(moment: datetime, day: date) -> None:
    assert business_day(moment) == day


def test_a_moment_without_a_zone_is_refused() -> None:
    for judge in (beijing, business_day):
        with pytest.raises(ValueError, match="time zone"):
            judge(datetime(2021, 11, 5, 12))  # noqa: DTZ001


def test_a_moment_stays_the_same_on_a_beijing_clock() -> None:
    moment = datetime(2021, 11, 5, 4, tzinfo=UTC)

    assert beijing(moment) == moment
    assert beijing(moment).hour == 12


def test_a_day_begins_at_its_first_moment_in_beijing() -> None:
    first = beijing_midnight(date(2022, 1, 1))

    assert first == datetime(2021, 12, 31, 16, tzinfo=UTC)
    assert first.utcoffset() == timedelta(0)
    assert business_day(first) == date(2022, 1, 1)
    assert business_day(first - timedelta(microseconds=1)) == date(2021, 12, 31)
