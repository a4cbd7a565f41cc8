"""INV-37: a wrong clock of this machine wakes somebody, whoever shows it; and a key on its last day."""

from datetime import timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from app.flows.parts import Clocks
from app.flows.watch import keys
from app.flows.watch.clock import watch_clock
from app.observe import Alarm
from core.clock import utc_now
from core.http import DATES
from payments.gateways.base import KeyFact, Purpose
from tests.system import System


@pytest.fixture
def said(running: System) -> list[tuple[str, dict[str, object]]]:
    """What wakes somebody."""
    heard: list[tuple[str, dict[str, object]]] = []
    object.__setattr__(running.parts, "alert", Alarm(lambda what, words: heard.append((what, dict(words)))))
    DATES.since_asked()
    return heard


def test_a_right_clock_wakes_nobody(running: System, said: list[object]) -> None:
    DATES.hear("gateway", format_datetime(utc_now()), took=0.1)

    assert (watch_clock(running.parts), said) == (0, [])


@pytest.mark.parametrize(("hours", "ahead"), [(1, "ours"), (-1, "theirs")])
def test_an_hour_is_seen_at_the_database_and_at_a_gateway(
    running: System, said: list[object], monkeypatch: pytest.MonkeyPatch, hours: int, ahead: str
) -> None:
    off = timedelta(hours=hours)
    monkeypatch.setattr(Clocks, "wall", lambda _self: utc_now() + off)
    DATES.hear("gateway", format_datetime(utc_now() - off), took=0.2)

    assert watch_clock(running.parts) == 2
    assert said == [
        ("clock_wrong", {"against": who, "ahead": ahead, "seconds": 2048}) for who in ("database", "gateway")
    ]
    assert DATES.since_asked() == {}, "what was heard counts once"


def test_a_slow_answer_and_a_date_that_is_none_prove_nothing(running: System, said: list[object]) -> None:
    DATES.hear("slow", format_datetime(utc_now() - timedelta(seconds=6)), took=12)
    DATES.hear("odd", "yesterday", took=0)
    DATES.hear("none", None, took=0)

    assert (watch_clock(running.parts), said) == (0, [])


def test_every_answer_of_a_far_side_is_heard(running: System, said: list[object]) -> None:
    running.outside.get("/faults")

    assert any(host in running.outside.url for host in DATES.since_asked())


def test_a_key_that_ends_tonight_wakes_somebody_and_one_that_ends_next_week_does_not(
    running: System, said: list[object]
) -> None:
    ends = {"old": -2, "tonight": 5, "next week": 24 * 7}
    held = [KeyFact(Purpose.VERIFIES, name, utc_now() + timedelta(hours=hours)) for name, hours in ends.items()]
    gateway = SimpleNamespace(name="wechat", keys=lambda: held)
    object.__setattr__(running.parts, "gateways", {"wechat": gateway})

    assert keys.watch_last_day(running.parts) == 2
    assert [(what, words["key"], words["days"]) for what, words in said] == [
        ("key_ends_tonight", "old", -1),
        ("key_ends_tonight", "tonight", 0),
    ]
    assert keys.watch_keys(running.parts) == 3
