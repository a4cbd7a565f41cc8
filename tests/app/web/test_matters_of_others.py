"""What somebody wrote to an office, and the answer, are his to read and to settle: not of everybody who can look the
person up."""

from app.access.roles import Role
from tests.app.web.test_matters import DESK, SAID, matter, say
from tests.app.web.test_office_people import at_desk
from tests.browsing import Browser
from tests.refunding import rows


def test_another_account_reads_where_it_stands_and_no_word_of_it(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    say(browser, running, "PAID_ELSEWHERE_MEDICAL", SAID)
    number, *_, by, _, _ = matter(running)
    answer = "查到了，昆山那边交的有效。"
    stranger = Browser(running.url)
    stranger.look_up(district.adult.name, district.adult.id_number)

    open_one = stranger.get("/matters").text
    at_desk(running, Role.MEDICAL, "med1").post(f"{DESK}{number}/answer", data={"words": answer})
    page = stranger.get("/matters")

    assert "医保在外地交了" in open_one and SAID not in open_one
    assert SAID not in page.text and answer not in page.text and f"/matters/{number}" not in page.html
    session = rows(running, "select token_hash, account_id from session order by expires_at desc")
    assert len({row.account_id for row in session if row.account_id}) == 2, "two accounts"
    closed = stranger.submit(browser.get("/matters"), f"/matters/{number}", form=f"/{number}")
    assert closed.status in (403, 404) and matter(running).state == "answered"
    assert SAID in browser.get("/matters").text and answer in browser.get("/matters").text and by.startswith("account:")
