"""An agent's afternoon: slips for the village, a printed code, and a list that turns green while she looks at it."""

from app.flows.tell.remind import remind
from app.flows.tell.send import tell_due
from tests.browser.conftest import SHOTS
from tests.browser.test_journeys import pay_on_the_phone
from tests.builders import a_person, an_id_number
from tests.rosters import in_force


def log_in(phone, an_agent):
    phone.log_in("/agent/login", *an_agent)


def printed(page, name):
    """The page as its paper would be, and how many sheets."""
    paper = page.pdf(path=SHOTS / f"{name}.pdf", prefer_css_page_size=True)
    return paper.count(b"/Type /Page\n") or paper.count(b"/Type /Page")


def test_slips_and_a_printed_code(phone, district, collecting, running):
    log_in(phone, collecting)
    phone.press("打印缴费纸条")

    assert "0001户" in phone.look(f"agent-{phone.size}-slips")
    assert printed(phone.page, f"agent-{phone.size}-slips") == 1
    phone.page.emulate_media(media="print")
    phone.page.set_viewport_size({"width": 733, "height": 1000})  # A4 between its margins, at 96 dots an inch
    cut = "(slip) => [slip.scrollHeight - slip.clientHeight, slip.scrollWidth - slip.clientWidth]"
    assert max(phone.page.locator(".slip").first.evaluate(cut)) <= 0
    phone.page.emulate_media(media="screen")
    phone.page.set_viewport_size({"width": 375, "height": 812})

    phone.press("回名单")
    phone.page.get_by_role("link", name=district.adult.name).click()
    phone.page.get_by_role("button", name="出微信码").first.click()
    with phone.page.context.expect_page() as opened:
        phone.press("打印这个码")
    phone.page = opened.value
    assert "以前有效，只能付这一次" in phone.look(f"agent-{phone.size}-code-paper")
    assert printed(phone.page, f"agent-{phone.size}-code-paper") == 1


def test_the_open_list_turns_green_by_itself(phone, district, collecting, running):
    log_in(phone, collecting)
    line = phone.page.locator(".people a", has_text=district.worker.name)
    line.wait_for()
    adult = phone.page.locator(".people a", has_text=district.adult.name)
    assert "还没交" in adult.inner_text()

    at_work = phone.page.context.new_page()
    at_work.goto(phone.base + "/agent/")
    at_work.get_by_role("link", name=district.adult.name).click()
    at_work.get_by_label("养老档次").first.select_option("30000")
    at_work.get_by_role("button", name="出微信码").first.click()
    pay_on_the_phone(phone, at_work.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    at_work.close()

    phone.page.bring_to_front()
    phone.page.locator(".people a.done", has_text=district.adult.name).wait_for()
    assert "医保 1 / 3 人办好，养老 1 / 2 人办好" in phone.look(f"agent-{phone.size}-green")


def test_who_is_on_no_roster_is_told_why_and_what_he_can_do(phone, district, an_agent, running):
    log_in(phone, an_agent)
    assert "清册生效以前，村里不能代收" in phone.look(f"agent-{phone.size}-no-roster")
    phone.press(district.adult.name)
    assert "清册还没有生效" in phone.look(f"agent-{phone.size}-no-roster-person")
    in_force(running)
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    phone.open("/agent/")
    assert "清册生效以前" not in phone.page.inner_text("body")
    phone.press("清册上没有 1 人")
    assert "钱补登" in phone.look(f"agent-{phone.size}-unlisted-list")
    phone.press("钱补登")
    phone.page.get_by_text("同一户还有 4 人").click()
    assert "该在清册上的，请反映" in phone.look(f"agent-{phone.size}-unlisted")
    with phone.page.context.expect_page() as opened:
        phone.press("反映一下")
    phone.page = opened.value
    assert phone.page.locator("textarea[name=words]").input_value().startswith("钱补登（0001户）")
    phone.look(f"agent-{phone.size}-unlisted-case")
    phone.press("告诉他们")
    assert "名单上没有我" in phone.page.inner_text("body")


def test_what_to_tell_at_the_door(phone, district, an_agent, running):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set phone = null")
    object.__setattr__(running.parts, "channels", {})
    remind(running.parts, [district.village])
    tell_due(running.parts)
    log_in(phone, an_agent)

    phone.press("要上门告诉的")
    assert "还没有办" in phone.look(f"agent-{phone.size}-visits")
    phone.press("告诉了")
    assert "没有要上门告诉的" in phone.look(f"agent-{phone.size}-visits-done")


def test_a_card_says_what_the_chosen_tier_costs(phone, district, an_agent, running):
    """O11: 还没选档 stayed in large letters beside the tier that was chosen."""
    log_in(phone, an_agent)
    in_force(running)
    phone.press(district.adult.name)
    card = phone.page.locator("section.card", has_text="2022年居民养老").first
    assert "还没选档" in card.inner_text()

    card.locator("select").select_option("50000")
    assert "要交 500 元" in card.inner_text() and "还没选档" not in card.inner_text()

    card.locator("select").select_option("")
    assert "还没选档" in card.inner_text()
