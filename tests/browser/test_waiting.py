"""The page of a code while somebody waits before it."""

from datetime import timedelta

from sqlalchemy import text

from tests.builders import NOON


def test_the_page_keeps_the_hand_where_it_is_and_goes_with_the_session(phone, district, running):
    """B25: each minute threw the focus to BODY, and a code was shown on after the session had ended."""
    phone.sign_in(district.adult)
    phone.press("去交费")
    phone.page.get_by_role("button", name="微信").first.click()
    button = phone.page.get_by_role("button", name="不付了，取消这个码")
    button.focus()
    before = phone.page.inner_text("main")

    running.turn(NOON + timedelta(minutes=2))
    phone.page.wait_for_function("before => document.getElementById('main').innerText !== before", arg=before)

    assert phone.page.evaluate("document.activeElement.textContent") == "不付了，取消这个码"
    running.write(lambda connection: connection.execute(text("delete from session")))
    phone.page.get_by_role("heading", name="您的手机号是多少？").wait_for()
    assert "为了安全已经退出了" in phone.look(f"signed-out-{phone.size}")
