"""有话要说 on a small phone, and its answer at a desk, wide and narrow."""

from app.access.roles import Role
from app.flows.enter.accounts import add_staff

PASSWORD = "a-long-password-1"


def test_a_sentence_from_the_phone_to_the_desk_and_back(phone, district, running):
    phone.sign_in(district.adult)
    phone.press("写得不对？告诉我们")
    phone.look("matter-say")
    phone.page.get_by_label("名字错了").check()
    phone.fill("用一两句话写清楚", "身份证上是示例的例，这里写成了立。")
    phone.press("告诉他们")
    assert "以前答复您" in phone.look("matter-said")

    resident = phone.page.context.storage_state()
    phone.page.context.clear_cookies(name="session")
    add_staff(running.office, login="med-1", name="示例", role=Role.MEDICAL, password=PASSWORD)
    phone.log_in_office("med-1", PASSWORD)
    for width in (1280, 375):
        phone.open("/office/matters/")
        phone.look_at_desk(f"matters-{width}", width)
        phone.page.locator("td a").first.click()
        phone.look_at_desk(f"matter-{width}", width)
    phone.fill("答复（", "已经请派出所核对，三天内改好。")
    phone.page.get_by_role("button", name="答复").click()
    phone.look_at_desk("matter-answered", 1280)

    phone.page.context.clear_cookies()
    phone.page.context.add_cookies(resident["cookies"])
    phone.open("/matters")
    assert "三天内改好" in phone.look("matter-told")
    phone.press("解决了")
    assert "已经解决" in phone.look("matter-closed")
