"""The first visit: every mistake is named at once, by the question that was asked; and who one is on one's own page."""

from sqlalchemy import text


def wrong_digit(number):
    return number[:-1] + ("0" if number[-1] != "0" else "1")


def test_a_wrong_digit_is_named_together_with_the_agreement_that_is_missing(running, district, browser):
    """R9: one mistake a try; and the owner of the phone was asked 给谁交？"""
    browser.sign_in()
    named = {"name": "", "id_number": wrong_digit(district.adult.id_number)}

    page = browser.submit(browser.get("/who"), "/who", form="/who", **named)

    assert page.status == 422 and "请先看一看《个人信息怎么用》" in page.text
    assert "身份证号有一位不对" in page.text and "姓名填写不对" in page.text
    assert "您的姓名和身份证号是多少？" in page.text and "给谁交？" not in page.text
    again = browser.submit(page, "/who", form="/who", **named, agreed="1")
    assert "身份证号有一位不对" in again.text and "姓名填写不对" in again.text
    assert running.one("select count(*) as n from resident_person").n == 0, "nobody was looked up"


def test_who_adds_somebody_is_asked_for_whom(running, district, browser):
    """R9: a sibling: the account knows its people already."""
    browser.look_up(district.adult.name, district.adult.id_number)

    page = browser.look_up(district.elder.name, wrong_digit(district.elder.id_number))

    assert page.status == 422 and "给谁交？" in page.text and "您的姓名" not in page.text


def test_himself_is_not_him(running, district, browser):
    """R9: 不再替他查、替他交 stood under 本人."""
    for who in (district.adult, district.elder):
        browser.look_up(who.name, who.id_number)
    running.write(
        lambda connection: connection.execute(
            text("update resident_person set own = true where person_id = :id"), {"id": district.adult.id}
        )
    )

    page = browser.get("/me")

    assert page.text.count("把我从这个手机号里移除") == 1 and page.text.count("不再替他查、替他交") == 1
    assert page.text.index("本人") < page.text.index("把我从")
