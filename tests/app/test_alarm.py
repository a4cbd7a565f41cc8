"""One cause is one alert, however often it is met."""

import pytest

from app.observe import ALERTS, Alarm
from app.serving import create_app
from config.settings import Settings
from tests.system import System


def test_the_same_words_are_said_once_and_counted_every_time() -> None:
    said = []
    alarm = Alarm(lambda what, words: said.append((what, dict(words))))
    before = ALERTS.labels("callback_refused", "day")._value.get()

    for _ in range(3):
        alarm("callback_refused", gateway="wechat", verdict="signature wrong")
    alarm("callback_refused", gateway="alipay", verdict="signature wrong")

    assert [words["gateway"] for _, words in said] == ["wechat", "alipay"]
    assert ALERTS.labels("callback_refused", "day")._value.get() == before + 4


def test_after_its_pause_it_is_said_again() -> None:
    said = []
    alarm = Alarm(lambda what, words: said.append(what), quiet_s=0)

    alarm("statement_late", day="2021-11-05")
    alarm("statement_late", day="2021-11-05")

    assert len(said) == 2


def test_it_remembers_so_much_and_no_more() -> None:
    said = []
    alarm = Alarm(lambda what, words: said.append(words["number"]))
    alarm.MOST = 2

    for number in ("A", "B", "C", "A"):
        alarm("money_in_doubt", number=number)

    assert said == ["A", "B", "C", "A"]


def test_each_system_remembers_for_itself(running: System, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr("app.joining.say_alert", lambda what, words: said.append(what))
    settings = Settings.from_environment(running.environment)
    first, second = (create_app(settings).extensions["joined"].parts for _ in range(2))

    for parts in (first, first, second):
        parts.alert("callback_refused", gateway="wechat")

    assert said == ["callback_refused"] * 2, "what another system said does not silence this one"
    for parts in (first, second):
        parts.engine.dispose()
