"""An agent goes from door to door: what he found stands at that door alone, until the day on which he comes again."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import BEIJING
from tests.app.web.test_agent import agent
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import rows

__all__ = ["agent"]
NOON = datetime(2021, 11, 5, 12, tzinfo=BEIJING)


@pytest.fixture
def second_house(running, district):
    def made(connection):
        house = a_household(connection, village=district.village, number="0002")
        a_person(connection, name="李邻居", id_number=an_id_number(sequence=21), household=house)
        return house

    running.turn(NOON)
    return running.write(made)


def rounds(agent, district, **more):
    return agent.get(f"/agent/villages/{district.village}/round", **more)


def noted(agent, district, house, reason, again=""):
    page = rounds(agent, district)
    return agent.submit(page, page.url, form=f'id="note{house}"', reason=reason, again=again)


def test_a_note_stands_at_its_door_and_the_other_is_still_to_be_seen(agent, district, running, second_house):
    page = rounds(agent, district)
    assert "全部没办完 2 户" in page.text and "还没去过 2 户" in page.text and "今天要去 0 户" in page.text
    assert "张示例" in page.text and "李邻居" in page.text and "李上班" not in page.text, "who owes nothing here"

    assert noted(agent, district, district.household, "LATER", "2021-11-08").status == 200

    assert "还没去过 1 户" in rounds(agent, district, show="new").text
    assert "张示例" not in rounds(agent, district, show="new").text
    assert "没有约好" in rounds(agent, district, show="today").text
    running.turn(datetime(2021, 11, 8, 0, 0, 1, tzinfo=BEIJING))
    today = rounds(agent, district, show="today").text
    assert "今天要去 1 户" in today and "11月5日去过：约好再来， 11月8日再来" in today and "李邻居" not in today
    page = noted(agent, district, district.household, "NONE")
    assert "记下了" in page.text
    assert "还没去过 2 户" in rounds(agent, district).text, "it was a mistake"
    assert [row.reason for row in rows(running, "select reason from door_note order by id")] == ["LATER", "NONE"]


@pytest.mark.parametrize(
    ("reason", "again"),
    [("", ""), ("LATER", ""), ("LATER", "2021-11-04"), ("AWAY", "2021-12-21"), ("AWAY", "明天"), ("TALK", "")],
)
def test_a_note_that_says_nothing_is_refused_and_what_was_chosen_stays(
    agent, district, running, second_house, reason, again
):
    page = noted(agent, district, second_house, reason, again)

    assert page.status == 400 and "请选一个原因" in page.text and "12月20日" in page.text
    assert f'value="{again}"' in page.html
    assert rows(running, "select 1 from door_note") == []


def test_a_door_of_another_village_is_not_found_and_what_is_written_stays(agent, district, running, second_house):
    away = running.one("select household_id from person where id = :p", p=district.neighbour.id).household_id
    page = rounds(agent, district)
    asked = agent.submit(page, page.url, form=f'id="note{second_house}"', household=away, reason="AWAY")
    assert asked.status == 404
    assert agent.get(f"/agent/villages/{district.other_village}/round").status == 404
    noted(agent, district, second_house, "AWAY")
    for change in ("update door_note set reason = 'OTHER'", "delete from door_note", "truncate door_note"):
        with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
            connection.execute(text(change))
    assert [row.household_id for row in rows(running, "select household_id from door_note")] == [second_house]


@pytest.mark.parametrize("day", [datetime(2021, 9, 1, 12, tzinfo=BEIJING), datetime(2021, 12, 22, 12, tzinfo=BEIJING)])
def test_on_a_day_on_which_agents_collect_nothing_a_village_that_owes_is_not_said_to_be_done(
    agent, district, running, second_house, day
):
    running.turn(day)
    page = rounds(agent, district, page="9" * 5000)
    assert ("约好再来" in page.text) is (day.month < 12), "nobody is promised a day on which nothing is collected"
    listed = agent.get(f"/agent/villages/{district.village}").text
    assert "还没交" in listed and "李邻居" in listed
    assert "全村都办好了" not in page.text and "李邻居" in page.text


def test_who_waits_alone_is_not_said_to_be_done(agent, district, running):
    running.turn(datetime(2021, 11, 5, 12, tzinfo=BEIJING))
    running.write(
        lambda c: c.execute(
            text(
                "select conflict_put(nextval(pg_get_serial_sequence('conflict', 'id')), p.id, 'NAME', '-',"
                " '{RES_MEDICAL,RES_PENSION}', 'medical', null, null, 'import:00', now(), '2021-11-12') from person p"
            )
        )
    )
    page = rounds(agent, district)
    assert "全村都办好了" not in page.text


def test_a_refused_note_is_told_where_its_door_is_on_the_list_no_more(agent, district, running, second_house):
    new = rounds(agent, district, show="new")
    agent.submit(new, new.url, form=f'id="note{second_house}"', reason="AWAY", again="")
    page = agent.submit(new, new.url, form=f'id="note{second_house}"', reason="LATER", again="")  # one step back
    assert page.status == 400
    assert "请选一个原因" in page.text


def test_a_note_taken_back_leaves_the_appointment_made_before_it(agent, district, running, second_house):
    noted(agent, district, second_house, "LATER", "2021-11-08")
    noted(agent, district, second_house, "AWAY")  # the wrong door
    noted(agent, district, second_house, "NONE")

    running.turn(datetime(2021, 11, 8, 9, tzinfo=BEIJING))
    assert "今天要去 1 户" in rounds(agent, district).text
