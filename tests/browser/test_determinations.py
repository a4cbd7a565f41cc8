"""A resident asks a bureau on a small phone; the bureau gives its word on its own screen, wide and narrow."""

import io

from PIL import Image

from app.access.roles import Role
from app.flows.enter.accounts import add_staff

PASSWORD = "a-long-password-1"


def test_a_case_from_the_phone_to_the_desk_and_back(phone, district, running):
    photo = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(photo, "JPEG")
    phone.sign_in(district.adult)
    phone.press("请部门核定")
    phone.look("bureau-ask")
    phone.page.get_by_label("居民养老：中断补缴").check()
    phone.fill("把情况说一说", "2015年到2017年在外地打工，没有交。")
    phone.page.get_by_label("材料照片").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    )
    phone.press("申请核定")
    asked = phone.look("bureau-asked")
    assert "等人社局核实" in asked and phone.page.get_by_role("button", name="撤回").count() == 1
    own = phone.page.url

    resident = phone.page.context.storage_state()
    phone.page.context.clear_cookies(name="session")
    add_staff(running.office, login="hrss-1", name="示例", role=Role.HRSS, password=PASSWORD)
    phone.log_in_office("hrss-1", PASSWORD)
    for width in (1280, 375):
        phone.open("/office/determinations/")
        phone.look_at_desk(f"determinations-{width}", width)
        phone.page.locator("td a").first.click()
        phone.look_at_desk(f"determination-{width}", width)
    phone.press("开始核实")
    phone.look_at_desk("determination-in-hand", 1280)
    phone.fill("补缴金额", "1500")
    phone.fill("补缴哪几年", "2015、2016、2017")
    phone.page.get_by_role("button", name="核定通过", exact=True).click()
    phone.look_at_desk("determination-sure", 1280)
    assert "再看一眼" in phone.page.inner_text("main")
    phone.page.get_by_role("button", name="是的，核定通过").click()
    phone.look_at_desk("determination-decided", 375)
    phone.open("/office/determinations/")
    phone.look_at_desk("determinations-none", 375)

    phone.page.context.clear_cookies()
    phone.page.context.add_cookies(resident["cookies"])
    phone.page.goto(own)
    assert "补缴2015、2016、2017年，一共 1500 元" in phone.look("bureau-decided")
