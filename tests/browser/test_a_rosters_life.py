"""One village's list from its drawing to its archive, by everybody who has a hand in it, as the days go by."""

import io
from datetime import datetime, timedelta

import pypdfium2
import pytest
import zxingcpp

from app.access.roles import Role
from app.documents.hanging import grouped
from app.flows.enter.accounts import add_agent, add_staff
from app.flows.roster.post import ripen
from core.clock import BEIJING
from tests.app.flows.test_hand_in import process
from tests.app.roster.hands import broken
from tests.browser.conftest import SHOTS
from tests.browser.test_journeys import pay_on_the_phone
from tests.builders import a_person, an_id_number
from tests.refunding import rows

__all__ = ["process"]

PASSWORD = "a-long-password-1"
VILLAGE = "370404103901"
OFFICES = {
    "clerk": Role.TAX_CLERK,
    "lead": Role.TAX_LEAD,
    "hrss": Role.HRSS,
    "medical": Role.MEDICAL,
    "town": Role.TOWN,
    "auditor": Role.AUDITOR,
}
HANGS = datetime(2021, 10, 22, 15, tzinfo=BEIJING)
OVER = datetime(2021, 10, 26, tzinfo=BEIJING)
SEASON_OVER = datetime(2021, 12, 21, 10, tzinfo=BEIJING)
AFTER_OVER = datetime(2022, 1, 21, tzinfo=BEIJING)
A_WHILE = timedelta(seconds=30)  # for a browser to come; to the second: tests/app/roster


@pytest.fixture
def people(phone, running, district):
    """Each with a session of his own on the one screen: whose turn it is, the others keep theirs."""
    kept = {}

    def sit_down(who):
        phone.page.context.clear_cookies(name="session")
        phone.page.set_viewport_size({"width": 375, "height": 812})
        if who in kept:
            phone.page.context.add_cookies(kept[who])
        elif who == "agent":
            add_agent(running.office, login="agent01", name="王代办", password=PASSWORD, villages=[VILLAGE])
            phone.log_in("/agent/login", "agent01", PASSWORD)
        elif who == "resident":
            phone.sign_in(district.adult)
        else:
            places = {"towns": [VILLAGE[:9]]} if who == "town" else {}
            add_staff(running.office, login=f"{who}01", name="示例", role=OFFICES[who], password=PASSWORD, **places)
            phone.log_in_office(f"{who}01", PASSWORD)
        phone.page.wait_for_load_state("domcontentloaded")
        kept[who] = [each for each in phone.page.context.cookies() if each["name"] == "session"]

    return sit_down


def a_sheet(page, paper, address):
    """The first sheet of a poster as it looks; its code leads where it says."""
    sheet = pypdfium2.PdfDocument(page.request.get(paper).body())[0].render(scale=2).to_pil().convert("RGB")
    [qr] = zxingcpp.read_barcodes(sheet)
    assert qr.text == address
    return sheet


def hang(phone, code, sheet):
    """贴好了: as the agent says it, with a photo of the sheet."""
    photo = io.BytesIO()
    sheet.save(photo, "JPEG")
    phone.fill("公示码", grouped(code))
    phone.page.locator("input[type=file]").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    )
    phone.press("贴好了，上传")
    assert phone.page.locator(".alert").count() == 0, phone.page.inner_text("main")


@pytest.mark.parametrize("phone", ["large"], indirect=True)
def test_a_villages_list_from_its_drawing_to_its_archive(phone, people, running, district, process):
    page = phone.page

    def sees(who, path, name, width=1280):
        people(who)
        phone.open(path)
        phone.look_at_desk(f"roster-life-{name}", width)

    def presses(words):
        phone.press(words)
        assert page.locator(".alert").count() == 0, page.inner_text("main")

    sees("clerk", "/office/rosters/draw/", "draw")
    page.get_by_label("险种").select_option("RES_MEDICAL")
    page.get_by_label("哪里").select_option(VILLAGE)
    presses("出清册")
    assert process() == 1
    page.reload()
    phone.look_at_desk("roster-life-drawn", 1280)
    roster, code = running.one("select r.id, v.code from roster r join roster_version v on v.roster_id = r.id")
    here = f"/office/rosters/{roster}"

    sees("hrss", here, "not-yet-for-hrss")
    assert page.get_by_role("button", name="人社审过").count() == 0, "the tax branch first"
    sees("lead", "/office/rosters/", "board-to-review")
    presses("办勾选的")
    sees("hrss", here, "to-review")
    presses("人社审过")
    sees("lead", here, "to-issue")
    presses("移交镇街")
    people("agent")
    sees("town", here, "to-hand-over")
    presses("转给他")

    running.turn(HANGS)
    mine = f"/agent/rosters/{roster}"
    people("agent")
    phone.open(mine)
    phone.look("roster-life-to-hang")
    sheet = a_sheet(page, f"{running.url}{mine}/poster-a3.pdf", f"{running.parts.public_url}/posted/{code}")
    sheet.save(SHOTS / "roster-life-poster.png")
    hang(phone, code, sheet)
    assert "10月25日24时" in phone.look("roster-life-hangs")
    phone.open(f"/agent/villages/{VILLAGE}")
    assert "居民医保的清册：正在公示" in phone.look("roster-life-village-waits")
    phone.press(district.adult.name)
    assert "清册还没有生效" in phone.look("roster-life-not-collected")
    assert page.get_by_role("button", name="出微信码").count() == 0

    page.context.clear_cookies(name="session")  # anybody
    phone.open("/posted")
    phone.fill("公示码", grouped(code).lower())
    phone.press("看名单")
    posted, shown = page.url, phone.look("roster-life-posted")
    assert "张*例" in shown and "张示例" not in shown
    people("resident")
    phone.open("/lists")
    phone.look("roster-life-resident")
    page.locator("textarea").fill("名单上没有我家钱补登")
    presses("提异议")
    assert "已经收到" in phone.look("roster-life-objected")
    sees("medical", "/office/rosters/objections/", "objection")
    page.get_by_label("答复").fill("核实过，登记里补上")
    presses("有道理")
    people("resident")
    phone.open("/lists")
    assert "核实过，登记里补上" in phone.look("roster-life-answered")

    running.turn(OVER - A_WHILE)
    assert ripen(running.parts) == 0
    assert page.request.get(posted).status == 200, "the end of the third day"
    running.turn(OVER)
    assert page.request.get(posted).status == 404 and ripen(running.parts) == 1
    page.goto(f"{posted}?page=1")  # what the browser kept for a moment is another address's
    phone.look("roster-life-over")

    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    sees("clerk", "/office/rosters/draw/", "draw-again")
    page.get_by_label("险种").select_option("RES_MEDICAL")
    page.get_by_label("哪里").select_option(VILLAGE)
    presses("出清册")
    assert process() == 1
    sees("town", here, "to-report")
    assert "钱*登" in page.inner_text("main")
    presses("上报税务分局、人社所")
    sees("lead", here, "to-confirm")
    presses("税务分局确认")
    sees("hrss", here, "to-put-in-force")
    presses("人社确认，生效")
    sees("auditor", here, "in-force")
    assert page.get_by_role("button", name="退回").count() == 0
    sees("auditor", f"{here}/compare", "compared")
    phone.look_at_desk("roster-life-compared-small", 375)
    people("agent")
    phone.open(mine)
    assert "打印更正表" in phone.look("roster-life-in-force")
    phone.open(f"/agent/villages/{VILLAGE}")
    assert "医保的清册" not in phone.look("roster-life-village-collects")
    phone.press("钱补登")
    assert "要交 320 元" in phone.look("roster-life-collects")
    page.get_by_role("button", name="出微信码").first.click()
    assert "念一遍" in phone.look("roster-life-code")
    pay_on_the_phone(phone, page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    page.get_by_role("heading", name="缴费成功").wait_for()
    assert running.one("select state, effective_no from roster where id = :r", r=roster) == ("EFFECTIVE", 2)

    running.turn(SEASON_OVER)
    sees("clerk", "/office/rosters/closing/", "after-season")
    page.get_by_label("出哪里的").select_option(VILLAGE)
    presses("出公示")
    assert process() == 1
    [(closing, after)] = rows(running, "select id, code from closing where insurance = 'RES_MEDICAL'")
    sees("lead", f"/office/rosters/closing/{closing}", "to-agree")
    presses("复核过，可以公示")
    people("agent")
    mine = f"/agent/rosters/closings/{closing}"
    phone.open(mine)
    phone.look("roster-life-to-hang-after")
    sheet = a_sheet(page, f"{running.url}{mine}/poster-a4.pdf", f"{running.parts.public_url}/posted/{after}")
    sheet.save(SHOTS / "roster-life-poster-after.png")
    hang(phone, after, sheet)
    page.context.clear_cookies(name="session")
    phone.open(f"/posted/{after}")
    shown = phone.look("roster-life-posted-after")
    assert shown.index("已参保缴费") < shown.index("钱*登") < shown.index("尚未缴费") < shown.index("张*例")
    running.turn(AFTER_OVER - A_WHILE)
    assert page.request.get(f"{running.url}/posted/{after}").status == 200, "the end of its last day"
    running.turn(AFTER_OVER)
    assert page.request.get(f"{running.url}/posted/{after}").status == 404
    people("agent")
    phone.open(mine)
    phone.look("roster-life-to-take-down")
    presses("已撤下")
    sees("auditor", here, "archived")
    assert "已归档" in page.inner_text("h1")
    filed = pypdfium2.PdfDocument(page.request.get(f"{running.url}{here}/archive.pdf").body())
    for number, leaf in enumerate(filed, 1):
        leaf.render(scale=1).to_pil().save(SHOTS / f"roster-life-archive-{number}.png")
    assert broken(running) == []
