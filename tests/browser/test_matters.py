"""有话要说 on a small phone, and its answer at a desk, wide and narrow; whom somebody tells dead, until his
bureau has decided."""

from app.access.roles import Role
from app.flows.cases.say import say as say_of
from app.flows.conflicts.bring_police import bring_police
from app.flows.enter.accounts import add_staff
from tests.app.flows.test_police import a_list, line

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


def test_whom_somebody_told_dead_reads_it_until_his_bureau_has_decided_and_answered(phone, district, running, tmp_path):
    said = {"person_id": district.adult.id, "village": district.village, "by": "agent:wang"}
    say_of(running.parts, "DIED", "上个月走了，村里都知道", **said)
    phone.sign_in(district.adult)
    assert "有人报告他去世了" in phone.look("told-dead-due")

    resident = phone.page.context.storage_state()
    phone.page.context.clear_cookies(name="session")
    add_staff(running.office, login="hrss-1", name="示例", role=Role.HRSS, password=PASSWORD)
    phone.log_in_office("hrss-1", PASSWORD)
    phone.open(f"/office/matters/{running.one('select id from matter')[0]}")
    phone.look_at_desk("told-dead-matter", 1280)
    with phone.page.expect_download() as row:
        phone.page.get_by_role("button", name="下载他这一行").click()
    assert row.value.suggested_filename.endswith(".xlsx")
    phone.fill("答复（", "问过了，人在家里。")
    phone.page.get_by_role("button", name="答复").click()

    bring_police(running.office, a_list(tmp_path / "deaths.xlsx", line(district.adult, "死亡")))
    say_of(running.parts, "STILL_ALIVE", "他就在家里，早上还见过", **said)
    phone.open("/office/conflicts/")
    phone.page.locator("td a").first.click()
    phone.look_at_desk("told-dead-conflict", 1280)
    assert "他就在家里" in phone.page.inner_text("main")
    phone.page.get_by_label("人健在").check()
    phone.fill("凭什么这样定", "见过")
    phone.press("就这样定")
    assert phone.page.locator(".alert").count() == 1, "two words are no reason"
    assert phone.page.get_by_label("人健在").is_checked(), "nothing chosen is lost"
    phone.fill("凭什么这样定", "入户见到本人")
    phone.press("就这样定")
    phone.look_at_desk("told-dead-decided", 1280)

    phone.page.context.clear_cookies()
    phone.page.context.add_cookies(resident["cookies"])
    phone.open("/due")
    told = phone.look("told-dead-decided-due")
    assert "去世" not in told and "去交费" in told
