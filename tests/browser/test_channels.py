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
    told = phone.page.context.new_cdp_session(phone.page)  # on every request, those after a redirect too
    told.send("Emulation.setUserAgentOverride", {"userAgent": agent})
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


def test_an_ordinary_phone_pays_by_wechat_without_a_second_one(phone, district, running):
    """The browser itself sends where it comes from, follows our way to their page and comes back."""
    to_the_confirmation(phone, district, AGENTS["plain"])
    assert "请家人用另一部手机扫码" in phone.look(f"channel-{phone.size}-plain-confirm")

    first_button(phone).click()
    phone.page.get_by_role("heading", name="用微信付款").wait_for()
    assert "请您切回本页" in phone.look(f"channel-{phone.size}-plain-page")
    phone.press("打开微信，付 320 元")
    phone.page.get_by_role("button", name="确认支付").click()
    phone.press("返回商户")
    phone.page.get_by_role("heading", name="缴费成功").wait_for()

    assert "320" in phone.look(f"channel-{phone.size}-plain-paid")


def test_inside_wechat_its_own_dialogue_pays(phone, district, running):
    heard = inside_wechat(phone, running)
    to_the_confirmation(phone, district, AGENTS["wechat"])
    assert "出支付宝付款码" in phone.look(f"channel-{phone.size}-wechat-confirm")

    first_button(phone).click()
    phone.page.get_by_role("heading", name="缴费成功").wait_for()

    [(called, parameters)] = heard
    assert called == "getBrandWCPayRequest" and parameters["appId"] == running.outside.keys.account_appid
    assert "320" in phone.look(f"channel-{phone.size}-wechat-paid")


def test_whoever_gives_up_the_dialogue_calls_it_again_or_takes_another_way(phone, district, running):
    heard = inside_wechat(phone, running, answer="cancel")
    to_the_confirmation(phone, district, AGENTS["wechat"])
    first_button(phone).click()
    phone.page.get_by_role("heading", name="用微信付款").wait_for()
    eventually_heard(phone, heard, 1)
    assert "本页自己会变" in phone.look(f"channel-{phone.size}-wechat-page")

    phone.press("付 320 元")
    eventually_heard(phone, heard, 2)
    phone.press("不付了，换一种付法")

    phone.page.get_by_role("heading", name="这一笔已经失效").wait_for()


@pytest.mark.parametrize(("gateway", "title"), [("wechat", "微信"), ("alipay", "支付宝"), ("unionpay", "云闪付")])
def test_on_a_phone_a_code_is_for_somebody_elses(phone, district, running, gateway, title):
    to_the_confirmation(phone, district, AGENTS["wechat"])

    phone.press(f"出{title}付款码")
    assert f"请用{title}扫码付款" in phone.look(f"channel-{phone.size}-{gateway}-code")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))

    phone.page.get_by_role("heading", name="缴费成功").wait_for()


def test_a_computer_shows_the_code_at_once(phone, district, running):
    phone.sign_in(district.adult)
    phone.press("去交费")

    first_button(phone).click()

    phone.page.get_by_text("请用微信扫码付款").wait_for()


def test_who_changes_his_mind_has_another_way_at_once(phone, district, running):
    """M3: nobody can take a code of Alipay back; it is left, and says so to whoever looks at it again."""
    to_the_confirmation(phone, district, AGENTS["wechat"])
    confirmation = phone.page.url
    phone.press("出支付宝付款码")
    phone.page.get_by_text("请用支付宝扫码付款").wait_for()
    left = phone.page.url

    phone.page.goto(confirmation)
    phone.press("出微信付款码")
    phone.page.get_by_text("请用微信扫码付款").wait_for()

    phone.page.goto(left)
    assert "万一付了" in phone.look(f"channel-{phone.size}-left")
    phone.press("重新去交")
    phone.page.get_by_role("heading", name="要交多少").or_(phone.page.get_by_text("320")).first.wait_for()


@pytest.mark.parametrize(
    ("app", "press", "end"),
    [
        ("wechat", "出云闪付付款码", "这个码不用了"),
        ("alipay", "用支付宝付", "这一笔不付了"),
        ("unionpay", "用云闪付付", "这一笔不付了"),
        ("plain", "用微信付", "这一笔已经失效"),
    ],
)
def test_who_does_not_pay_after_all_leaves_any_way(phone, district, running, app, press, end):
    """M3, U6: also where only time ends it."""
    to_the_confirmation(phone, district, AGENTS[app])
    phone.press(press)
    phone.page.get_by_role("button", name="不付了").wait_for()

    phone.press("不付了")

    phone.page.get_by_role("heading", name=end).wait_for()


def first_button(phone):
    """Of the page that asks how."""
    return phone.page.locator("button[name=by]").first


def inside_wechat(phone, running, answer="ok"):
    """The browser has WeChat's bridge: its dialogue pays, or is given up; what it was called with."""
    heard = []

    def dialogue(called, parameters):
        heard.append((called, parameters))
        if answer == "ok":
            assert running.outside.pay(parameters["package"].removeprefix("prepay_id=")).status == 200
        return f"get_brand_wcpay_request:{answer}"

    phone.page.expose_function("theirDialogue", dialogue)
    phone.page.add_init_script(
        "window.WeixinJSBridge = { invoke: (called, parameters, done) =>"
        " theirDialogue(called, parameters).then((word) => done({ err_msg: word })) };"
    )
    return heard


def eventually_heard(phone, heard, times):
    """The dialogue was called so often; the page goes on meanwhile."""
    for _ in range(100):
        if len(heard) == times:
            return
        phone.page.wait_for_timeout(50)
    raise AssertionError(f"called {len(heard)} times")
