"""One cause is one alert, however often it is met."""

from app.observe import ALERTS, Alarm


def test_the_same_words_are_said_once_and_counted_every_time() -> None:
    said = []
    alarm = Alarm(lambda what, words: said.append((what, dict(words))))
    before = ALERTS.labels("callback_refused")._value.get()

    for _ in range(3):
        alarm("callback_refused", gateway="wechat", verdict="signature wrong")
    alarm("callback_refused", gateway="alipay", verdict="signature wrong")

    assert [words["gateway"] for _, words in said] == ["wechat", "alipay"]
    assert ALERTS.labels("callback_refused")._value.get() == before + 4


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
