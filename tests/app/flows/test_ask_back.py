"""Receipts through the running flow: rules of the night, what was done meanwhile, alarms, pushes, login codes."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.enter.session import open_session, visitor_of
from app.flows.enter.sign_in import CodeEnded, TextNotSent, WrongCode, ask_code, prove_code
from app.flows.tell.ask_back import NoSuchProvider, ask_back, take_push
from app.flows.tell.at_the_door import visits
from app.flows.tell.remind import remind
from app.flows.tell.send import tell_due
from app.flows.tell.words import told
from notifications.rules import ASKS
from tests.app.web.conftest import district, far_folder, running
from tests.browsing import a_phone, code_in
from tests.notifications.texts import approve, connected, on_phone
from tests.refunding import rows

__all__ = ["district", "far_folder", "running"]


@pytest.fixture
def alarms():
    return []


@pytest.fixture
def both(running, alarms):
    """The running system with Alibaba Cloud first and Tencent Cloud second."""
    for provider in ("aliyun", "tencent"):
        approve(running.outside, provider)

    def alert(what, **words):
        alarms.append((what, words))

    channels = {
        "sms": connected(running.outside, "aliyun", alert=alert),
        "sms2": connected(running.outside, "tencent", name="sms2", alert=alert),
    }
    yield replace(running.parts, channels=channels, alert=alert)
    running.outside.clear()


def due(running):
    """Everything that waits for its moment has come to it."""
    with running.office.engine.begin() as connection:
        connection.execute(text("update notice set ask_at = now() where ask_at is not null"))
        connection.execute(text("update notice set next_try_at = now() where rank < 2"))


def reminded(both, district):
    remind(both, [district.village])
    tell_due(both)


def notice(running):
    [row] = rows(running, "select * from notice")
    return row


def phone_of(running, both):
    row = notice(running)
    return both.vault.open(row.phone, bound_to=f"notice.phone:{row.cause.rsplit(':', 1)[0]}")


def of_this(running, both):
    """What is on the phone about the notice of this test."""
    row = notice(running)
    key = f"{row.household_id}:{row.cause}"
    return [one for one in on_phone(running.outside, phone_of(running, both)) if one["key"] == key]


def test_a_message_is_delivered_and_the_offices_read_it(running, both, district):
    reminded(both, district)
    due(running)

    assert ask_back(both) == 1
    assert ask_back(both) == 0

    row = notice(running)
    assert (row.rank, row.channel) == (3, "sms") and row.delivered_at is not None


def test_what_no_carrier_could_deliver_ends_at_the_door_and_rings(running, both, district, alarms):
    running.outside.fault("text_fails", on="sms", count=2)
    reminded(both, district)

    for _ in range(3):
        due(running)
        ask_back(both)

    assert notice(running).rank == 4
    assert [visit.cause for visit in visits(both, district.village)] == [notice(running).cause]
    assert [what for what, _ in alarms] == ["notice_given_up"]
    assert of_this(running, both) == []


def test_what_failed_at_night_waits_for_the_morning(running, both, district):
    running.outside.fault("text_fails", on="sms", gateway="aliyun")
    reminded(both, district)
    noon = running.parts.clocks.now()
    due(running)
    ask_back(both)
    running.parts.clocks.set_to(noon.replace(hour=15))  # eleven at night in Beijing
    due(running)

    ask_back(both)

    row = notice(running)
    assert row.rank == 2 and row.ask_at > row.sent_at + timedelta(hours=8)
    assert of_this(running, both) == []
    running.parts.clocks.set_to(noon)
    due(running)
    ask_back(both)
    assert notice(running).channel == "sms2"


def test_who_did_it_meanwhile_is_not_told_to_do_it_by_the_other_provider(running, both, district):
    running.outside.fault("text_fails", on="sms", gateway="aliyun")
    reminded(both, district)
    due(running)
    ask_back(both)
    with running.office.engine.begin() as connection:
        connection.execute(text("update household set village_code = village_code"))
        connection.execute(text("update notice set kind = 'waived'"))  # what is left is of another kind now
    due(running)

    ask_back(both)

    row = notice(running)
    assert (row.rank, row.last_error) == (4, "done before it was told")
    assert visits(both, district.village) == []


def test_both_down_on_the_last_evening_a_message_waits_rings_and_comes_to_the_door(running, both, district, alarms):
    for provider in ("aliyun", "tencent"):
        running.outside.fault("html", on="sms", gateway=provider, count=None)
    reminded(both, district)
    phone = phone_of(running, both)

    for _ in range(9):
        due(running)
        tell_due(both)

    assert notice(running).rank == 4
    assert [visit.cause for visit in visits(both, district.village)] == [notice(running).cause]
    assert {"texts_silent", "notice_given_up"} == {what for what, _ in alarms} and phone not in repr(alarms)
    assert [one["provider"] for one in of_this(running, both)] == ["aliyun"]  # it did go out, and was told once


def test_a_push_is_a_hint_and_only_the_answer_counts(running, both, district):
    reminded(both, district)
    row = notice(running)
    [line] = running.outside.get("/texts/pushes?provider=aliyun")["pushes"][-1:]
    running.outside.fault("error", on="sms", gateway="aliyun", code="isp.SYSTEM_ERROR")

    answer = take_push(both, "aliyun", json.dumps([line | {"success": True}]).encode())

    assert answer == {"code": 0, "msg": "接收成功"} and line["biz_id"] == row.provider_reference
    assert notice(running).rank == 2 and notice(running).ask_at < row.ask_at
    due(running)
    ask_back(both)  # the question is not answered
    assert notice(running).rank == 2
    due(running)
    ask_back(both)
    assert notice(running).rank == 3


def test_pushes_before_the_answer_is_there_use_up_no_question(running, both, district):
    """Anybody may push, and again: for three days it is asked about all the same."""
    reminded(both, district)
    pushed = json.dumps([{"biz_id": notice(running).provider_reference}]).encode()
    running.outside.fault("error", on="sms", gateway="aliyun", code="isp.SYSTEM_ERROR", count=2 * len(ASKS))
    for _ in ASKS:
        take_push(both, "aliyun", pushed)
        take_push(both, "aliyun", pushed)  # while it waits to be asked about, once more is the same
        due(running)
        ask_back(both)

    assert notice(running).ask_at is not None
    for _ in ASKS:
        due(running)
        ask_back(both)
    assert notice(running).ask_at is None, "its own questions end after three days"


def test_a_forged_push_moves_nothing(running, both, district):
    running.outside.fault("text_fails", on="sms", gateway="aliyun")
    reminded(both, district)
    row = notice(running)
    forged = f'[{{"biz_id": "{row.provider_reference}", "success": true, "err_code": "DELIVERED"}}]'.encode()

    take_push(both, "aliyun", forged)
    due(running)
    ask_back(both)

    assert notice(running).failures == {"sms": "MOBILE_NOT_ON_SERVICE"} and notice(running).rank == 2


@pytest.mark.parametrize("provider", ["http", "nobody", "../aliyun", ""])
def test_a_push_of_a_provider_that_is_not_ours_is_nowhere(both, provider):
    with pytest.raises(NoSuchProvider):
        take_push(both, provider, b"[]")


def a_visitor(running):
    return visitor_of(running.parts, open_session(running.parts, network="here").token)


@pytest.mark.parametrize("kind", ["error", "html"])
def test_a_login_code_waits_for_no_silent_provider(running, both, kind):
    phone, visitor = a_phone(), a_visitor(running)
    running.outside.fault(kind, on="sms", gateway="aliyun", code="isv.OUT_OF_SERVICE")

    ask_code(both, visitor, phone=phone, network="here")

    last = on_phone(running.outside, phone)[-1]
    assert last["provider"] == "tencent" and last["text"].startswith("【示例税务】验证码")
    assert prove_code(both, visitor, code=code_in(last["text"])).token
    assert rows(running, "select 1 from notice") == []


def test_a_login_code_that_nobody_takes_is_said_in_plain_words(running, both, alarms):
    for provider in ("aliyun", "tencent"):
        running.outside.fault("error", on="sms", gateway=provider, code="isv.BUSINESS_LIMIT_CONTROL")

    with pytest.raises(TextNotSent):
        ask_code(both, a_visitor(running), phone=a_phone(), network="here")


def test_a_code_that_comes_after_it_ended_is_told_from_a_wrong_one(running, both):
    phone, visitor = a_phone(), a_visitor(running)
    ask_code(both, visitor, phone=phone, network="here")
    code = code_in(on_phone(running.outside, phone)[-1]["text"])
    stranger = a_visitor(running)
    ask_code(both, stranger, phone=a_phone(), network="there")
    with pytest.raises(WrongCode) as wrong:
        prove_code(both, visitor, code=f"{(int(code) + 1) % 1_000_000:06d}")
    with running.office.engine.begin() as connection:
        connection.execute(
            text("update login_code set expires_at = now() - interval '1 second' where token_hash = :t"),
            {"t": visitor.token_hash},
        )

    with pytest.raises(CodeEnded) as late:
        prove_code(both, visitor, code=code)

    assert not isinstance(wrong.value, CodeEnded) and "过了5分钟" in late.value.sentence()
    with pytest.raises(WrongCode) as other:
        prove_code(both, stranger, code="000000")
    assert not isinstance(other.value, CodeEnded)


def test_offices_read_in_words_which_way_did_not_deliver(running, both, district):
    running.outside.fault("text_fails", on="sms", count=2)
    reminded(both, district)
    before = told(notice(running))

    for _ in range(3):
        due(running)
        ask_back(both)

    failed = told(notice(running))
    assert (before.state, before.way, before.why) == ("已发出", "短信", "")
    assert (failed.state, failed.why) == ("没有发成", "备用短信没有发成：FAIL")


def test_offices_read_that_no_carrier_ever_answered(running, both, district):
    running.outside.fault("receipt_never", on="sms")
    reminded(both, district)

    while notice(running).ask_at is not None:
        due(running)
        ask_back(both)

    assert told(notice(running)).state == "已发出，运营商三天没有说送到没有"
    assert len(of_this(running, both)) == 1
