"""Where two stories that were built apart meet: what one of them leaves, the other still understands."""

from app.access.roles import Role
from app.flows.conflicts.bring_police import bring_police
from tests.app.flows.test_helped_pages import desk
from tests.app.flows.test_police import a_list, conflicts, district, due, line
from tests.refunding import rows

__all__ = ["desk", "district"]


def test_of_a_death_that_was_not_so_what_else_the_police_say_waits_for_its_office(running, district, desk, tmp_path):
    """A death and the end of the household's registration come together; they were another man's."""
    both = a_list(tmp_path / "a.xlsx", line(district.adult, "死亡"), line(district.adult, "户口注销"))
    assert bring_police(running.office, both).conflicts == {"ALIVE": 1}
    [number] = [row.id for row in rows(running, "select id from conflict")]

    said = {"word": "register", "why": "入户见到本人，公安名单同名"}
    assert desk("hrss01", Role.HRSS).post(f"/office/conflicts/{number}/solve", data=said).status_code == 303

    assert conflicts(running) == [(district.adult.id, "RESIDENCE", "medical")]
    assert due(running, district.adult.id).in_doubt and due(running, district.poor.id).payable
