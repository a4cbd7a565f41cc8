"""Each channel as a person meets it: a code on a computer, the channel's own page in its app and on a phone."""

import pytest

from tests.browser.test_journeys import pay_on_the_phone

ANDROID = (
    "Mozilla/5.0 (Linux; Android 9; Mi A1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0 Mobile Safari/537.36"
)
AGENTS = {
    "plain": ANDROID,
    "wechat": f"{ANDROID} MicroMessenger/8.0.40",
    "alipay": f"{ANDROID} AlipayClient/10.5.20",
    "unionpay": f"{ANDROID} UnionPay/1.0 CloudPay",
}


def to_the_confirmation(phone, district, agent):
    phone.page.context.set_extra_http_headers({"User-Agent": agent})
    phone.sign_in(district.adult)
    phone.press("去交费")


@pytest.mark.parametrize(("app", "title"), [("alipay", "支付宝"), ("unionpay", "云闪付")])
def test_on_a_phone_the_channels_own_page_opens_and_comes_back(phone, district, running, app, title):
    to_the_confirmation(phone, district, AGENTS[app])
    assert phone.look(f"channel-{phone.size}-{app}-confirm").index(f"用{title}付") < 400, (
        "the app's own way stands first"
    )

    phone.press(f"用{title}付 320 元")
    assert "以前有效" in phone.look(f"channel-{phone.size}-{app}-page")
    phone.press(f"打开{title}，付 320 元")
    phone.page.get_by_role("button", name="确认支付").click()
    phone.press("返回商户")
    phone.page.get_by_role("heading", name="缴费成功").wait_for()

    assert "320" in phone.look(f"channel-{phone.size}-{app}-paid")


@pytest.mark.parametrize(("gateway", "title"), [("alipay", "支付宝"), ("unionpay", "云闪付")])
def test_inside_wechat_every_channel_is_a_code_for_somebody_elses_phone(phone, district, running, gateway, title):
    to_the_confirmation(phone, district, AGENTS["wechat"])

    phone.press(f"用{title}付 320 元")
    assert f"请用{title}扫码付款" in phone.look(f"channel-{phone.size}-{gateway}-code")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))

    phone.page.get_by_role("heading", name="缴费成功").wait_for()


def test_who_changes_his_mind_has_another_way_at_once(phone, district, running):
    """M3: nobody can take a code of Alipay back; it is left, and says so to whoever looks at it again."""
    to_the_confirmation(phone, district, AGENTS["wechat"])
    confirmation = phone.page.url
    phone.press("用支付宝付 320 元")
    phone.page.get_by_text("请用支付宝扫码付款").wait_for()
    left = phone.page.url

    phone.page.goto(confirmation)
    phone.press("用微信付 320 元")
    phone.page.get_by_text("请用微信扫码付款").wait_for()

    phone.page.goto(left)
    assert "万一付了" in phone.look(f"channel-{phone.size}-left")
    phone.press("重新去交")
    phone.page.get_by_role("heading", name="要交多少").or_(phone.page.get_by_text("320")).first.wait_for()


def test_who_does_not_pay_after_all_leaves_any_code(phone, district, running):
    """M3: also where only time ends a code."""
    to_the_confirmation(phone, district, AGENTS["wechat"])
    phone.press("用云闪付付 320 元")
    phone.page.get_by_text("请用云闪付扫码付款").wait_for()

    phone.press("不付了，取消这个码")

    phone.page.get_by_role("heading", name="这个码不用了").wait_for()
