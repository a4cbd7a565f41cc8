"""Every loop of the worker goes on past a row that nobody can do (K4)."""

from dataclasses import replace

import pytest

from app.flows.one_by_one import one_by_one
from app.flows.pay.start import Want
from app.flows.reconcile.fetch_statement import fetch_due
from app.flows.tell.send import tell_due
from app.flows.watch.keys import watch_keys
from app.policy.facts import Insurance
from tests.builders import a_household, a_person, an_id_number
from tests.days import MORNING
from tests.refunding import pay, rows

MEDICAL = Insurance.RES_MEDICAL


def hearing(running, **changed):
    """The parts with an ear: what was alerted, with its words."""
    heard = []
    return replace(running.parts, alert=lambda what, **words: heard.append((what, words)), **changed), heard


def family(running):
    """Two people of two households."""
    return [
        running.write(
            lambda connection, place=place: a_person(
                connection,
                id_number=an_id_number(sequence=21 + 2 * place),
                household=a_household(connection, number=f"{20 + place:04d}"),
            )
        )
        for place in range(2)
    ]


def test_what_fails_writes_its_kind_and_place_and_never_its_words(running):
    """K4: the message of an error may carry a person."""
    listening, heard = hearing(running)

    def act(row):
        if row == "YT1":
            raise ValueError("张示例 370499198001010071")

    done = one_by_one(listening, "tests", ["YT1", "YT2"], act, name=str)

    assert done == 1
    [(what, words)] = heard
    assert (
        what == "row_failed"
        and words["subject"] == "YT1"
        and words["error"].startswith("ValueError test_one_by_one.py:")
    )
    assert "张" not in str(rows(running, "select * from trouble"))


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_row_is_fetched_when_somebody_is_free_for_it(running, at_once):
    """None waits behind a heap, in a lease that ends."""
    fetched, done, in_hand = [], [], []

    def waiting():
        for row in range(12):
            fetched.append(row)
            yield row

    def act(row):
        in_hand.append(len(fetched) - len(done))
        done.append(row)

    assert one_by_one(running.parts, "tests", waiting(), act, name=str, at_once=at_once) == 12

    assert sorted(done) == list(range(12)) and max(in_hand) <= at_once


class Stumbling:
    """A way to tell that trips over its first message, whatever it is."""

    name, address = "console", ""

    def __init__(self):
        self.told = []

    def deliver(self, to, words):
        """Trips once."""
        self.told.append(words.key)
        assert len(self.told) > 1
        return words.key


@pytest.mark.parametrize("senders", [1, 4])
def test_a_notice_nobody_can_send_keeps_no_other_waiting(running, senders):
    """K4: one at a time, and several at once."""
    for place, person in enumerate(family(running)):
        pay(running, Want(person, MEDICAL), key=f"tell-key-{place}")
    way = Stumbling()
    listening, heard = hearing(running, channels={"console": way}, senders=senders)
    running.write(lambda connection: connection.exec_driver_sql("update notice set next_try_at = now()"))

    assert tell_due(listening) == 2

    assert len(way.told) == 2
    assert [(what, words["task"]) for what, words in heard] == [("row_failed", "tell")]
    assert rows(running, "select count(*) from notice where rank = 2") == [(1,)]


def test_who_is_told_to_stop_leaves_what_it_has_not_claimed(running):
    """The worker that goes down for a new version finishes what it has in hand, and the next one does the rest."""
    for place, person in enumerate(family(running)):
        pay(running, Want(person, MEDICAL), key=f"stop-key-{place}")
    running.write(lambda connection: connection.exec_driver_sql("update notice set next_try_at = now()"))

    assert tell_due(running.parts, stop=lambda: True) == 0
    assert rows(running, "select count(*) from notice where attempts > 0") == [(0,)]

    assert tell_due(running.parts, most=1) == 1
    assert sorted(rows(running, "select rank from notice")) == [(0,), (2,)]


def test_a_channel_whose_list_nobody_can_read_keeps_no_other_waiting(running, monkeypatch):
    """K4: the other channels' lists of the morning come."""
    for place, (person, gateway) in enumerate(zip(family(running), ("alipay", "wechat"), strict=True)):
        pay(running, Want(person, MEDICAL), key=f"list-key-{place}", gateway=gateway)
    running.turn(MORNING)
    first = next(iter(running.parts.gateways))
    assert first != "unionpay"
    monkeypatch.setattr(type(running.parts.gateways[first]), "fetch_statement", lambda *_: 1 // 0)
    listening, heard = hearing(running)

    came = fetch_due(listening)

    assert came >= 1 and ("row_failed", f"{first} 2021-11-05") in {(what, words["subject"]) for what, words in heard}
    states = dict(rows(running, "select gateway, state from statement where gateway in ('wechat', 'alipay')"))
    assert states.pop(first) == "waiting" and set(states.values()) == {"whole"}


def test_a_channels_keys_nobody_can_read_keep_no_other_waiting(running, monkeypatch):
    """K4: the keys of the others are looked at."""
    first, *others = running.parts.gateways.values()
    asked = []
    monkeypatch.setattr(type(first), "keys", lambda *_: 1 // 0)
    for one in others:
        monkeypatch.setattr(type(one), "keys", lambda self: asked.append(self.name) or ())
    listening, heard = hearing(running)

    watch_keys(listening)

    assert asked == [one.name for one in others] and [what for what, _ in heard] == ["row_failed"]
