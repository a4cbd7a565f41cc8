"""First login, payment and confirmation with each provider's own protocol, as a person sees them."""

import pytest

from app.flows.tell.ask_back import ask_back
from app.flows.tell.send import tell_due
from tests.app.web.conftest import district, far_folder
from tests.browser.test_journeys import pay_on_the_phone
from tests.browsing import a_phone, code_in
from tests.conftest import DATABASE
from tests.notifications.texts import approve, on_phone
from tests.system import last_text, system

__all__ = ["district", "far_folder"]


@pytest.fixture(params=["aliyun", "tencent"])
def running(request, engine, database, far_folder):
    with system(database, DATABASE, far_folder, SMS_PROVIDER=request.param) as up:
        approve(up.outside, request.param)
        yield up


def test_a_first_login_a_payment_and_its_confirmation(phone, district, running):
    number = a_phone()
    phone.open("/")
    phone.press("交社保费")
    phone.fill("手机号", number)
    phone.press("发验证码")
    message = last_text(running.url, number)
    phone.fill("验证码", code_in(message))
    phone.who(district.adult.name, district.adult.id_number)
    phone.page.get_by_label("我同意").check()
    phone.press("登录，看要交多少")
    phone.press("去交费")
    phone.press("用微信付 320 元")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    phone.page.get_by_role("heading", name="缴费成功").wait_for()
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update notice set next_try_at = now()")
    tell_due(running.parts)
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update notice set ask_at = now()")
    ask_back(running.parts)

    paid = [one for one in running.outside.get("/messages?channel=sms")["messages"] if "已缴费成功" in one["text"]]
    row = running.one("select kind, rank, channel from notice where kind = 'paid'")
    assert message.startswith("【示例税务】验证码") and "5分钟" in message
    assert on_phone(running.outside, number)[0]["provider"] == running.environment["SMS_PROVIDER"]
    assert (row.kind, row.rank, row.channel) == ("paid", 3, "sms")
    assert "榴园镇示例村的张*例：2022年居民医保已缴费成功，共320元" in paid[-1]["text"]
    assert paid[-1]["provider"] == running.environment["SMS_PROVIDER"]


def test_a_code_that_came_late_is_said_so_on_the_page(phone, district, running):
    number = a_phone()
    phone.open("/login")
    phone.fill("手机号", number)
    phone.press("发验证码")
    code = code_in(last_text(running.url, number))
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update login_code set expires_at = now() - interval '1 second'")
    phone.fill("验证码", code)
    phone.page.locator("form[action*='/login/code'] button").first.click()
    phone.page.wait_for_load_state("domcontentloaded")

    assert "短信有时来得晚" in phone.look(f"resident-{phone.size}-code-late-{running.environment['SMS_PROVIDER']}")
