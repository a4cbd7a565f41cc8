"""The tax lead opens and closes a levy year from a page that says first what is missing; everybody else reads."""

import pytest

from app.access.roles import Role
from app.flows.register.open_year import open_year
from tests.app.web.test_office_people import at_desk
from tests.refunding import rows

SURE = {"sure": "1"}


def stands(running):
    return [
        tuple(row)
        for row in rows(running, "select year, closed_at is null, opened_by, closed_by from levy_year order by 1")
    ]


def test_the_lead_opens_the_next_year_and_closes_the_former_one(running, district):
    lead = at_desk(running, Role.TAX_LEAD, "lead01")
    before = lead.get("/office/years/2023").text
    unread = lead.post("/office/years/2023/open")
    assert unread.status_code == 303 and len(stands(running)) == 1, "who did not read the lines opens nothing"

    lead.post("/office/years/2023/open", data=SURE)
    lead.post("/office/years/2023/open", data=SURE)
    opened = lead.get("/office/years/2023").text
    lead.post("/office/years/2022/close", data=SURE)

    assert "接在2022年后面" in before and "2023年开征</button>" in before and "未开征" in before
    assert "正在征缴" in opened and "lead01" in opened and "最新的一年不能停" in opened
    assert stands(running) == [(2022, False, "upgrade", "staff:lead01"), (2023, True, "staff:lead01", None)]
    former = lead.get("/office/years/2022").text
    assert "已结束" in former and "2022年重新开征</button>" in former
    listed = lead.get("/office/policy/").text
    assert listed.count("正在征缴") == 1 and listed.count("已结束") == 1 and listed.count("未开征") >= 2
    acts = rows(running, "select what, by, about, way from act where starts_with(about, 'year:') order by id")
    assert [tuple(act) for act in acts] == [
        ("year_opened", "staff:lead01", "year:2023", "web"),
        ("year_closed", "staff:lead01", "year:2022", "web"),
    ]
    lead.post("/office/years/2022/open", data=SURE)
    assert stands(running)[0] == (2022, True, "upgrade", None)


def test_a_year_that_lacks_something_has_no_button_and_says_why(running):
    lead = at_desk(running, Role.TAX_LEAD, "lead01")

    seen = lead.get("/office/years/2024").text
    forced = lead.post("/office/years/2024/open", data=SURE)
    newest = lead.post("/office/years/2022/close", data=SURE)

    assert "接下来只能开2023年" in seen and "开征</button>" not in seen
    assert forced.status_code == 409 and "2024年还不能开征" in forced.text
    assert newest.status_code == 409 and "要先开下一年" in newest.text
    assert len(stands(running)) == 1 and stands(running)[0][1]


@pytest.mark.parametrize("role", [Role.TAX_CLERK, Role.AUDITOR])
def test_others_of_the_books_read_and_cannot_press(running, role):
    desk = at_desk(running, role, "other01")

    seen = desk.get("/office/years/2023")

    assert seen.status_code == 200 and "接在2022年后面" in seen.text and "开征</button>" not in seen.text
    assert desk.post("/office/years/2023/open", data=SURE).status_code == 403
    assert len(stands(running)) == 1


def test_the_bureaus_see_where_each_year_stands(running):
    open_year(running.office, 2023, by="operator:test")
    bureau = at_desk(running, Role.HRSS, "hrss01")

    listed, year = bureau.get("/office/policy/").text, bureau.get("/office/policy/2023").text

    assert listed.count("正在征缴") == 2 and "/office/years/" not in listed and "正在征缴" in year
    assert bureau.get("/office/years/2023").status_code == 403


def test_a_year_nobody_knows_is_not_there(running):
    lead = at_desk(running, Role.TAX_LEAD, "lead01")

    assert lead.get("/office/years/2051").status_code == 404
    assert lead.post("/office/years/2051/close", data=SURE).status_code == 404
