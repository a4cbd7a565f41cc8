"""The file of a town's lists says what each of them says, and is opened no more once one of them says otherwise."""

import pypdfium2
from sqlalchemy import text

from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.roster.test_closing import AFTER, STARTS, closed, put_up
from tests.app.roster.test_post import with_agent
from tests.builders import a_household, a_village
from tests.refunding import pay, rows

__all__ = ["with_agent"]


def names(answer):
    return "".join("".join(p.get_textpage().get_text_range().split()) for p in pypdfium2.PdfDocument(answer.data))


def test_who_is_erased_stands_in_no_file_that_is_opened_afterwards(
    running, district, desk, process, with_agent, superuser
):
    _, hands, _ = with_agent
    town = hands["town"]
    running.turn(STARTS)
    closed(running)
    lists = rows(running, "select id, no from closing where no > 0")
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": [f"{e.id}:{e.no}" for e in lists]})
    form = {"year": "2022", "town": district.village[:9], "size": "a4"}
    where = town.post("/office/rosters/closing/posters", data=form).location
    assert process() == 1
    assert "张*例" in names(town.get(f"{where}/file.pdf"))

    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update person set restricted_at = now() where id = :p"), {"p": district.adult.id})

    own = town.get(f"/office/rosters/closing/{lists[0].id}/poster-a4.pdf")
    assert own.status_code == 200 and "张*例" not in names(own)
    file = town.get(f"{where}/file.pdf")
    assert file.status_code != 200 or "张*例" not in names(file), "drawn anew, as the sheet of one village"


def test_the_file_of_the_town_is_not_opened_once_a_newer_version_was_agreed_to(
    running, district, desk, process, with_agent
):
    _, hands, _ = with_agent
    town = hands["town"]
    running.turn(STARTS)
    closed(running)
    lists = rows(running, "select id, no from closing where no > 0")
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": [f"{e.id}:{e.no}" for e in lists]})
    form = {"year": "2022", "town": district.village[:9], "size": "a4"}
    where = town.post("/office/rosters/closing/posters", data=form).location
    assert process() == 1
    running.turn(AFTER)
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL), key="late-key")
    closed(running)
    lists = rows(running, "select id, no from closing where no > 1")
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": [f"{e.id}:{e.no}" for e in lists]})
    page = town.get(where).text
    assert "打开文件，打印" not in page, page


def test_a_sheet_names_whom_the_file_and_the_page_name_though_he_moved_to_another_town(
    running, district, desk, process, with_agent, superuser
):

    _, hands, agent = with_agent
    town = hands["town"]
    running.write(lambda c: a_village(c, "370404104901", "远村"))
    far = running.write(lambda c: a_household(c, village="370404104901", number="0009"))
    running.turn(STARTS)
    closed(running)
    lists = rows(running, "select id, no, code from closing where no > 0 and village_code = '370404103901'")
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": [f"{e.id}:{e.no}" for e in lists]})
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        moved = {"p": district.adult.id, "h": far}
        connection.execute(text("update person set household_id = :h where id = :p"), moved)

    assert put_up(agent, lists[0].id, 1, lists[0].code).status_code == 303
    assert "张*例" in running.app.test_client().get(f"/posted/{lists[0].code}").text
    where = town.post(
        "/office/rosters/closing/posters", data={"year": "2022", "town": district.village[:9], "size": "a4"}
    ).location
    assert process() == 1
    assert "张*例" in names(town.get(f"{where}/file.pdf"))
    assert "张*例" in names(town.get(f"/office/rosters/closing/{lists[0].id}/poster-a4.pdf"))
