"""Text messages against a real provider over HTTP: what is sent, what is silence, what is no."""

import pytest

from notifications.channels import Account, ChannelSilent, NotReachable, Words
from notifications.channels.sms import JsonSms
from tests.notifications.conftest import FIELDS, a_door
from tests.outside import Outside

PHONE = "13800000000"


def words(key: str, text: str = "已缴费成功") -> Words:
    return Words("paid", text, FIELDS, key)


def test_the_senders_mark_stands_before_the_text(far: Outside) -> None:
    for sign, said in (("示例税务", "【示例税务】已缴费成功"), ("", "已缴费成功")):
        account = Account("sandbox", far.url, far.keys.sms_key, sign=sign)
        JsonSms(a_door(far.url), account).deliver(PHONE, words(f"mark-{sign}"))
        [sent] = [one for one in far.get("/messages?channel=sms")["messages"] if one["key"] == f"mark-{sign}"]
        assert sent["text"] == said


def test_the_same_key_is_delivered_once(far: Outside, sms: JsonSms) -> None:
    first = sms.deliver(PHONE, words("sms-1"))

    assert sms.deliver(PHONE, words("sms-1")) == first
    assert len([one for one in far.get("/messages?channel=sms")["messages"] if one["key"] == "sms-1"]) == 1


@pytest.mark.parametrize("phone", ["12345", "0632-1234567", "+1 555 0100", ""])
def test_a_phone_that_will_never_be_taken_is_not_reachable(sms: JsonSms, phone: str) -> None:
    with pytest.raises(NotReachable):
        sms.deliver(phone, words("sms-2"))


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_any_other_trouble_is_silence(far: Outside, sms: JsonSms, status: int) -> None:
    far.fault("error", on="sms", status=status)

    with pytest.raises(ChannelSilent, match=f"status {status}"):
        sms.deliver(PHONE, words("sms-3"))


def test_a_wrong_key_is_silence_and_is_not_told(far: Outside) -> None:
    stranger = JsonSms(a_door(far.url), Account("http", far.url, "a key that is not ours"))

    with pytest.raises(ChannelSilent) as silent:
        stranger.deliver(PHONE, words("sms-4"))

    assert "a key" not in str(silent.value)


def test_nobody_there_is_silence(sms: JsonSms) -> None:
    with pytest.raises(ChannelSilent, match=r"NewConnectionError|ConnectTimeout"):
        JsonSms(a_door("http://127.0.0.1:9"), Account("http", "http://127.0.0.1:9", "k")).deliver(PHONE, words("sms-5"))
