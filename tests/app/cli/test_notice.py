"""flask notice remind | templates, as an operator runs them."""

import pytest

from app.cli.notice import notice
from app.serving import create_app
from config.settings import Settings
from core.redact import mask_phone
from tests.app.web.conftest import district, far_folder, running
from tests.browsing import a_phone
from tests.builders import random_key
from tests.notifications.texts import on_phone
from tests.refunding import rows

__all__ = ["district", "far_folder", "running"]


def run(running, *words):
    return running.app.test_cli_runner().invoke(notice, words)


def test_reminders_are_written_once_a_week(running, district):
    counted = run(running, "remind", "--town", district.village[:9], "--dry-run")
    assert "合计 total: 提醒 2 户" in counted.output and rows(running, "select 1 from notice") == []

    first, second = (run(running, "remind", "--village", district.village) for _ in range(2))

    assert first.exit_code == second.exit_code == 0
    assert "提醒 1 户" in first.output and "这周已经有的 1 户" in second.output


def test_a_place_nobody_knows_is_told(running):
    answer = run(running, "remind", "--village", "000000000000")

    assert answer.exit_code == 2 and "没有这个村" in answer.output


def test_every_message_can_be_read_before_it_is_sent(running):
    answer = run(running, "templates")

    assert answer.exit_code == 0
    for kind in ("paid", "remind", "waived", "certified", "login_code"):
        assert f"\n{kind}  " in "\n" + answer.output
    assert "$" not in answer.output


@pytest.fixture
def at(running):
    """The same system with accounts at providers, as an operator would configure it; runs its commands."""
    made = []

    def started(**changed):
        app = create_app(Settings.from_environment(running.environment | changed))
        made.append(app)
        return lambda *words: app.test_cli_runner().invoke(notice, words)

    yield started
    for app in made:
        app.extensions["joined"].parts.engine.dispose()
    running.outside.clear()


BOTH = {"SMS_PROVIDER": "aliyun", "SMS_SECOND_PROVIDER": "tencent"}


def test_what_would_leave_is_said_kind_by_kind_with_its_price(running, district, at):
    notice_ = at(**BOTH, SMS_SECOND_KEY=running.environment["SMS_KEY"])
    handed = notice_("templates", "--hand-in")

    said = notice_("check")

    assert (handed.exit_code, said.exit_code) == (0, 0), said.output
    assert "第一家（aliyun）" in said.output and "备用（tencent）" in said.output and "✗" not in said.output
    assert "✓ login_code  SMS_9008  最长54字 0.045元" in said.output
    assert "✓ paid  SMS_9011  最长" in said.output and "0.090元" in said.output
    assert running.environment["SMS_KEY"] not in said.output


def test_what_would_not_leave_is_named_and_ends_badly(running, district, at):
    ids = "login_code:SMS_9008,paid:SMS_9011,remind:SMS_7777"
    at(**BOTH, SMS_SECOND_KEY=running.environment["SMS_KEY"])("templates", "--hand-in")
    notice_ = at(SMS_PROVIDER="aliyun", SMS_TEMPLATES=ids, SMS_LONGEST="7")

    said = notice_("check")

    assert said.exit_code == 1
    assert "✗ waived  —" in said.output and "没有模板编号" in said.output
    assert "✗ remind  SMS_7777" in said.output and "服务商不认：isv.SMS_TEMPLATE_ILLEGAL" in said.output
    assert "check_code 最长8个字，这里只许7个字，又不能缩短" in said.output
    assert "names 最长" in said.output and "超过7个字时缩短" in said.output


def test_an_approved_text_with_other_places_is_found(running, district, at):
    notice_ = at(SMS_PROVIDER="aliyun")
    notice_("templates", "--hand-in")
    other = {"SMS_9011": "${names}交了${amount}元"}
    running.outside.raw_post("/texts/templates", {"provider": "aliyun", "templates": other})

    said = notice_("check")
    notice_("templates", "--hand-in")

    assert said.exit_code == 1 and "批准的变量是 names、amount，这里要 village、names、items" in said.output


def test_wrong_keys_are_told_without_the_key(running, district, at):
    wrong = random_key()
    said = at(SMS_PROVIDER="tencent", SMS_KEY=wrong)("check")

    assert said.exit_code == 1 and "AuthFailure.SignatureFailure" in said.output and wrong not in said.output


def test_one_message_is_sent_to_a_number_that_is_given(running, district, at):
    phone = a_phone()
    notice_ = at(SMS_PROVIDER="tencent")
    notice_("templates", "--hand-in")

    good = notice_("check", "--send", phone, "--kind", "paid")
    bad = notice_("check", "--send", "12345")

    assert good.exit_code == 0 and mask_phone(phone) in good.output and phone not in good.output
    assert "核对码K3W9X0T2" in on_phone(running.outside, phone)[-1]["text"]
    assert bad.exit_code == 1 and "不发这个号码" in bad.output


def test_without_a_provider_there_is_nothing_to_check(running, at):
    said = at(SMS_PROVIDER="console")("check")

    assert said.exit_code == 1 and "没有配置短信服务商" in said.output


def test_the_texts_to_hand_in_are_written_as_each_provider_writes_them(running):
    aliyun, tencent = (run(running, "templates", "--for", provider).output for provider in ("aliyun", "tencent"))

    assert "${village}的${names}：${items}已缴费成功" in aliyun and "【" not in aliyun
    assert "{1}的{2}：{3}已缴费成功" in tencent and "$" not in tencent
