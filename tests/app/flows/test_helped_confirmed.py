"""确认导入 does what it says, whoever else of this or another department pressed the same."""

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.flows.helped.take import take
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped_pages import desk, sent
from tests.app.helped.papers import a_line, a_list
from tests.refunding import rows

__all__ = ["desk", "process"]


@pytest.fixture
def batch(running, adult, desk, process, tmp_path):
    """A list of civil affairs that waits for its word."""
    sent(desk("civil01", Role.DEPARTMENT, departments=["civil"]), a_list(tmp_path / "a.xlsx", a_line(7)))
    process()
    return rows(running, "select id from special_batch")[0].id


def test_another_department_cannot_stand_in_the_way(running, desk, process, batch):
    cdpf = desk("cdpf01", Role.DEPARTMENT, departments=["cdpf"])
    civil = desk("civil02", Role.DEPARTMENT, departments=["civil"])

    assert cdpf.post(f"/office/helped/{batch}/take").status_code == 404
    taking = civil.post(f"/office/helped/{batch}/take").location
    process()

    assert "办成</dt><dd>1 行" in civil.get(taking).text
    assert rows(running, "select 1 from office_job where kind = 'helped_take' and by = 'staff:cdpf01'") == []


def test_two_clerks_of_a_department_confirm_at_once(running, desk, process, batch):
    one, other = (desk(login, Role.DEPARTMENT, departments=["civil"]) for login in ("civil02", "civil03"))

    pages = [who.post(f"/office/helped/{batch}/take").location for who in (one, other)]
    process()

    for who, page in zip((one, other), pages, strict=True):
        assert "办成</dt><dd>1 行" in who.get(page).text
    assert len(rows(running, "select 1 from helped_category")) == 1


def test_a_file_of_another_department_is_nobodys_else_to_throw_away(running, desk, batch):
    """The pages never ask; the database refuses by itself, whichever account asks for it."""
    desk("cdpf01", Role.DEPARTMENT, departments=["cdpf"])
    upload = rows(running, "select id from upload")[0].id
    of = "select token_hash from session s join staff f on f.id = s.staff_id where f.login = '{}'"
    thrown = text("select throw_upload_away(:session, :upload, clock_timestamp())")

    for login, gone in (("cdpf01", False), ("civil01", True)):
        session = rows(running, of.format(login))[-1].token_hash
        said = {"session": session, "upload": upload}
        assert running.write(lambda c, words=said: c.execute(thrown, words).scalar_one()) is gone, login


def test_work_that_was_given_up_does_not_say_that_nothing_changed(running, desk, process, batch):
    """Three processes died after the list was taken in, before its paid people were asked about."""
    civil = desk("civil02", Role.DEPARTMENT, departments=["civil"])
    taking = civil.post(f"/office/helped/{batch}/take").location
    take(running.office, batch, by="staff:civil02")
    died = text("update office_job set state = 'doing', turns = 3, began_at = now() where kind = 'helped_take'")
    with running.office.engine.begin() as connection:
        connection.execute(died)

    process()

    page = civil.get(taking).text
    assert "试了三次" in page and "没有改动" not in page
    assert "确认导入" not in civil.get(f"/office/helped/{batch}").text
