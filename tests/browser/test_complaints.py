"""The clerk's pages of complaints and of channels, in a browser at a desk: looked at, and pressed."""

import pytest
from playwright.sync_api import expect

from app.access.roles import Role
from app.flows.complaints.send import send_due
from app.flows.complaints.watch import poll
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_complaints import _nobody_has_complained, a_picture, complain, far
from tests.browser.conftest import Phone, audit
from tests.refunding import pay

__all__ = ["_nobody_has_complained"]
PASSWORD = "a-long-password-1"


@pytest.fixture
def desk(chromium, running):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    yield Phone(context.new_page(), running.url)
    context.close()


def as_officer(running, desk, role, login):
    add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
    desk.log_in_office(login, PASSWORD)


def test_a_clerk_answers_a_complaint_with_a_picture(desk, district, running, tmp_path):
    payment = pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    number = complain(running, "wechat", payment, words="手机上查不到，是不是没交上", wants_back=32000)
    complain(running, "alipay", "SHOP-4711")
    poll(running.parts)
    as_officer(running, desk, Role.TAX_CLERK, "clerk01")

    desk.open("/office/complaints/")
    audit(desk.page, "complaints")
    desk.look_at_desk("desk-complaints", 1280)
    desk.page.get_by_role("link", name=number).click()
    audit(desk.page, "complaint")
    desk.look_at_desk("desk-complaint", 1280)
    desk.page.get_by_label("规范用语").select_option("booked")
    desk.page.get_by_label("再补充几句").fill("见 www.example.cn")
    desk.page.get_by_role("button", name="回复").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("不能写网址")
    expect(desk.page.get_by_label("再补充几句")).to_have_value("见 www.example.cn")
    desk.look_at_desk("desk-complaint-refused", 1280)
    desk.page.get_by_label("再补充几句").fill("有疑问再留言")
    (tmp_path / "shot.png").write_bytes(a_picture())
    desk.page.get_by_label("附一张图片").set_input_files(tmp_path / "shot.png")
    desk.page.get_by_role("button", name="回复").click()
    send_due(running.parts)
    desk.page.reload()

    expect(desk.page.get_by_text("平台上已经看得到")).to_be_visible()
    desk.look_at_desk("desk-complaint-answered", 1280)
    assert far(running, number)[-1][2].endswith("有疑问再留言")


def test_the_lead_pauses_a_channel_and_a_resident_reads_it(desk, phone, district, running):
    as_officer(running, desk, Role.TAX_LEAD, "lead01")
    desk.open("/office/channels/")
    desk.page.locator("summary").first.click()
    desk.page.get_by_label("给居民看的话").first.fill("微信正在检修，今天下午恢复")
    desk.page.get_by_label("原因").first.fill("对方通知检修")
    desk.press("暂停微信收款")
    expect(desk.page.get_by_role("button", name="恢复微信收款")).to_be_visible()
    audit(desk.page, "channels")
    desk.look_at_desk("desk-channels", 1280)

    phone.sign_in(district.adult)
    phone.press("去交费")
    expect(phone.page.get_by_text("微信正在检修，今天下午恢复")).to_be_visible()
    audit(phone.page, "paused")
    phone.look("paused")
    assert phone.page.get_by_role("button", name="用微信付").count() == 0
