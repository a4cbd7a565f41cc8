"""A parent applies for his child on a small phone; the bureau registers it on its screen and keys its number later."""

import io

from PIL import Image

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.registry.identity import check_digit

PASSWORD = "a-long-password-1"
PAPER = "T370900001"
BASE = "37049920211020001"


def test_a_child_from_the_phone_to_the_register_and_to_its_number(phone, district, running):
    photo = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(photo, "JPEG")
    phone.sign_in(district.adult)
    phone.press("先用出生医学证明登记")
    for label, typed in (("出生医学证明编号", PAPER), ("孩子的姓名", "张小宝"), ("哪天出生", "2021-10-20")):
        phone.fill(label, typed)
    phone.page.get_by_label("男", exact=True).check()
    phone.page.get_by_label("出生医学证明的照片").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    )
    assert "选了：a.jpg" in phone.look("newborn-ask")
    phone.press("申请登记")
    assert "等医保局核实" in phone.look("newborn-asked")
    own, resident = phone.page.url, phone.page.context.storage_state()

    phone.page.context.clear_cookies(name="session")
    add_staff(running.office, login="med-1", name="示例", role=Role.MEDICAL, password=PASSWORD)
    phone.log_in_office("med-1", PASSWORD)
    phone.open("/office/newborns/")
    phone.look_at_desk("newborns", 1280)
    phone.page.locator("td a").first.click()
    phone.look_at_desk("newborn", 1280)
    phone.press("开始核实，由我办")
    phone.look_at_desk("newborn-checking", 1280)
    phone.page.get_by_label("照片我看过").check()
    phone.page.get_by_role("button", name="登记", exact=True).click()
    phone.page.wait_for_load_state("domcontentloaded")
    phone.look_at_desk("newborn-registered", 1280)
    phone.open("/office/joinings/")
    phone.look_at_desk("joinings-none", 1280)
    typed = (PAPER, "张小宝", BASE + check_digit(BASE), "户口簿原件，当面看过")
    for label, words in zip(("出生医学证明编号", "户口簿上的姓名", "身份证号", "凭哪一份材料"), typed, strict=True):
        phone.fill(label, words)
    phone.press("提出并号")
    phone.look_at_desk("joining", 1280)

    phone.page.context.clear_cookies()
    phone.page.context.add_cookies(resident["cookies"])
    phone.page.goto(own)
    assert "登记好了" in phone.look("newborn-registered-phone")
    phone.open("/due")
    assert "张*宝" in phone.look("newborn-due")
