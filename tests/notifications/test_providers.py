"""Both providers, through their SDKs and over HTTP: what goes out, and what every refusal means."""

import time
from datetime import timedelta
from itertools import count

import pytest

from core.clock import utc_now
from notifications.approved import KINDS, places
from notifications.channels import ChannelSilent, NotReachable, RefusesUs, Words
from notifications.readiness import asked
from notifications.send import render
from tests.notifications.conftest import FIELDS, a_door
from tests.notifications.texts import MAKERS, an_account, approve, connected, on_phone
from tests.outside import Outside

pytestmark = pytest.mark.parametrize("provider", ["aliyun", "tencent"])
phones = (f"138{n:08d}" for n in count(1))
SINCE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def approved(far: Outside, provider: str) -> None:
    approve(far, provider)


def words(kind: str = "paid", key: str = "7:payment:P1:paid", **changed: str) -> Words:
    fields = FIELDS | {"code": "123456"} | changed
    return Words(kind, render(kind, fields), fields, key)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reaches_the_phone_as_it_reads_here(far: Outside, provider: str, kind: str) -> None:
    phone = next(phones)

    reference = connected(far, provider).deliver(phone, words(kind))

    [message] = on_phone(far, phone)
    assert (message["id"], message["text"]) == (reference, f"【示例税务】{words(kind).text}")


def test_a_receipt_names_the_message_and_the_providers_moment(far: Outside, provider: str) -> None:
    channel, phone = connected(far, provider), next(phones)
    reference = channel.deliver(phone, words())

    [receipt] = channel.receipts(phone, since=utc_now() - SINCE, reference=reference)

    assert (receipt.reference, receipt.key, receipt.delivered) == (reference, "7:payment:P1:paid", True)
    assert abs(receipt.at - utc_now()) < timedelta(minutes=1)
    assert list(channel.receipts(next(phones), since=utc_now() - SINCE)) == []


def test_a_carrier_that_could_not_deliver_says_so(far: Outside, provider: str) -> None:
    channel, phone = connected(far, provider), next(phones)
    far.fault("text_fails", phone, on="sms")

    reference = channel.deliver(phone, words())

    [receipt] = channel.receipts(phone, since=utc_now() - SINCE, reference=reference)
    assert receipt.delivered is False and receipt.why and on_phone(far, phone) == []


def test_a_carrier_that_says_nothing_is_not_taken_for_an_answer(far: Outside, provider: str) -> None:
    channel, phone = connected(far, provider), next(phones)
    far.fault("receipt_late", phone, on="sms", seconds=0.6)

    reference = channel.deliver(phone, words())

    asked = channel.receipts(phone, since=utc_now() - SINCE, reference=reference)
    assert [each.delivered for each in asked] in ([], [None])
    time.sleep(0.7)
    [receipt] = channel.receipts(phone, since=utc_now() - SINCE, reference=reference)
    assert receipt.delivered is True


LATER = {
    "aliyun": ["isv.BUSINESS_LIMIT_CONTROL", "isp.SYSTEM_ERROR", "Throttling.User", "a word nobody knows"],
    "tencent": ["LimitExceeded.PhoneNumberThirtySecondLimit", "RequestLimitExceeded", "InternalError.Timeout", "New"],
}
OURS = {
    "aliyun": ["isv.SMS_TEMPLATE_ILLEGAL", "isv.SMS_SIGNATURE_ILLEGAL", "isv.OUT_OF_SERVICE", "isv.DAY_LIMIT_CONTROL"],
    "tencent": [
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "LimitExceeded.AppMainlandChinaDailyLimit",
        "UnauthorizedOperation.RequestPermissionDeny",
    ],
}


@pytest.mark.parametrize("place", range(4))
def test_throttling_and_their_own_trouble_is_for_later(far: Outside, provider: str, place: int) -> None:
    told: list[object] = []
    far.fault("error", on="sms", gateway=provider, code=LATER[provider][place])

    with pytest.raises(ChannelSilent):
        connected(far, provider, alert=lambda what, **_: told.append(what)).deliver(next(phones), words())

    assert told == []


@pytest.mark.parametrize("place", range(4))
def test_what_only_we_can_put_right_wakes_somebody(far: Outside, provider: str, place: int) -> None:
    told: list[object] = []
    code = OURS[provider][place]
    far.fault("error", on="sms", gateway=provider, code=code)

    with pytest.raises(RefusesUs, match=code):
        connected(far, provider, alert=lambda what, **said: told.append((what, said["code"]))).deliver(
            next(phones), words()
        )

    assert told == [("texts_refuse_us", code)]


@pytest.mark.parametrize("phone", ["12345", "0632-1234567", "23800000000"])
def test_a_number_that_is_none_is_not_reachable(far: Outside, provider: str, phone: str) -> None:
    with pytest.raises(NotReachable):
        connected(far, provider).deliver(phone, words())


@pytest.mark.parametrize(
    "changed",
    [
        *({"key": "x" * 32}, {"key_id": "somebody-else"}, {"sign": "别的单位"}),
        *({"templates": {"paid": "SMS_1"}}, {"templates": {"paid": "1"}}, {"templates": {}}),
    ],
)
def test_a_wrong_key_signature_or_template_is_ours_and_says_no_secret(
    far: Outside, provider: str, changed: dict
) -> None:
    with pytest.raises(RefusesUs) as refused:
        connected(far, provider, **changed).deliver(next(phones), words())

    assert far.keys.sms_key not in str(refused.value) and "x" * 32 not in str(refused.value)


@pytest.mark.parametrize("kind", ["html", "truncated", "silent"])
def test_an_answer_that_is_none_is_silence_although_it_went_out(far: Outside, provider: str, kind: str) -> None:
    phone = next(phones)
    far.fault(kind, phone, on="sms", gateway=provider, seconds=1.5)

    with pytest.raises(ChannelSilent) as silent:
        connected(far, provider).deliver(phone, words())

    assert len(on_phone(far, phone)) == 1 and phone not in str(silent.value)
    [receipt] = connected(far, provider).receipts(phone, since=utc_now() - SINCE)
    assert receipt.key == "7:payment:P1:paid"


def test_a_value_too_long_or_with_a_link_is_made_to_fit(far: Outside, provider: str) -> None:
    phone = next(phones)
    names = "、".join(["张*例"] * 20)

    connected(far, provider).deliver(
        phone, words("refund_rejected", names=names, reason="请看https://a.cn/x【重要】\n材料不全13800000000")
    )

    [message] = on_phone(far, phone)
    assert "等20人：" in message["text"] and "http" not in message["text"] and "13800000000" not in message["text"]
    assert "原因：请看（重要） 材料不全。" in message["text"]


def test_what_may_not_be_cut_is_never_sent_cut(far: Outside, provider: str) -> None:
    phone, told = next(phones), []

    with pytest.raises(RefusesUs, match="too long: check_code"):
        connected(far, provider, longest=6, alert=lambda what, **said: told.append(said["code"])).deliver(
            phone, words()
        )

    assert told == ["too long: check_code"] and on_phone(far, phone) == []


def test_the_approved_text_has_the_places_that_are_filled(far: Outside, provider: str) -> None:
    channel = connected(far, provider)

    for kind in KINDS:
        named = tuple(str(n) for n in range(1, len(places(kind)) + 1)) if provider == "tencent" else places(kind)
        assert channel.approved(kind) == named


def test_nobody_there_is_silence(far: Outside, provider: str) -> None:
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(ChannelSilent):
        MAKERS[provider](a_door(nowhere), an_account(far, provider, url=nowhere)).deliver(next(phones), words())


def test_a_key_that_may_send_and_not_read_templates_is_no_fault(far: Outside, provider: str) -> None:
    """Tencent Cloud lets only the main account list templates; Alibaba Cloud's policy lets who may send read them."""
    told: list[object] = []
    far.fault("error", on="sms", gateway="tencent", code="FailedOperation.ProhibitSubAccountUse")
    channel = connected(far, provider, alert=lambda *what, **_: told.append(what))

    assert asked(channel, "paid") == "" and told == []
