"""Rosters are drawn from one snapshot, masked, with what is odd beside; the same register draws nothing twice, and a
version never changes."""

from datetime import date
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.roster.draw import DrawingUnderWay, NothingToDraw
from tests.app.roster.hands import BOTH, broken, drawn, said, stand
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import rows


def masked(running, roster, no=1):
    found = rows(running, "select masked from roster_row where roster_id = :r and no = :n order by 1", r=roster, n=no)
    return [row.masked for row in found]


def test_everybody_registered_and_alive_stands_on_it_by_a_masked_name_and_the_counts_add_up(running, district):
    def more(connection):
        for at, name in enumerate(("艾", "阿依古丽·买买提", "𠮷田", "李4", "张示例")):
            a_person(connection, id_number=an_id_number(sequence=20 + at), name=name, household=district.household)
        gone = a_person(connection, id_number=an_id_number(sequence=31), name="去世了", household=district.household)
        connection.execute(text("update person set alive = false where id = :p"), {"p": gone})
        ended = a_person(connection, id_number=an_id_number(sequence=32), name="停保人", household=district.household)
        connection.execute(text("update enrolment set status = 'ENDED' where person_id = :p"), {"p": ended})

    running.write(more)
    told = drawn(running, BOTH)

    roster, no, state = stand(running)
    assert (no, state, told["drawn"], told["busy"]) == (1, "GENERATED", 4, 0)
    assert told["counts"]["RES_MEDICAL"] == {
        "insurance": "RES_MEDICAL", "registered": 12, "listed": 10, "dead": 1, "ended": 1, "restricted": 0,
    }  # fmt: skip
    names = ["*", "张*例", "张*例", "张*困", "李*", "李*班", "王*奶", "阿***提", "𠮷*"]
    assert sorted(masked(running, roster)) == sorted(names)
    version = running.one("select * from roster_version where roster_id = :r", r=roster)
    listed = rows(running, "select person_id, masked from roster_row where roster_id = :r order by 1", r=roster)
    whole = "\n".join(f"{row.person_id}|{row.masked}" for row in listed)
    assert version.digest == sha256(whole.encode()).digest() and broken(running) == []
    assert (version.people, version.registered, version.left_out) == (9, 11, {"DEAD": 1, "ENDED": 1})


def test_the_same_register_draws_nothing_twice_and_another_the_next_version(running, district):
    assert drawn(running)["drawn"] == 2
    again = drawn(running)
    assert (again["drawn"], again["same"], stand(running)[1]) == (0, 2, 1)
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=40), name="新来人", household=district.household)
    )
    assert drawn(running)["drawn"] == 1 and stand(running)[1] == 2
    assert "新*人" not in masked(running, stand(running)[0], 1), "the first version stays"
    assert stand(running, district.other_village)[1] == 1, "the village beside is as it was"
    assert drawn(running, place=district.village)["same"] == 1
    for wrong in ({"place": "370404999"}, {"insurances": ("OTHER",)}):
        with pytest.raises(NothingToDraw):
            drawn(running, **wrong)


def test_what_is_odd_is_found_before_anybody_signs(running, district):
    def more(connection):
        a_person(connection, id_number=an_id_number(born=date(1911, 1, 1)), name="寿星", household=district.household)
        alone = a_household(connection, village=district.village, number="0077")
        child = an_id_number(born=date(2012, 1, 1), sequence=3)
        a_person(connection, id_number=child, name="留守儿", household=alone)
        far = a_household(connection, village=district.other_village, number="0078")
        for at, house in enumerate((district.household, far)):
            a_person(connection, id_number=an_id_number(sequence=51 + 2 * at), name="两村人", household=house)
        connection.execute(
            text("insert into former_person select 2021, id, residence, student, family_type from person")
        )
        connection.execute(
            text(
                "insert into former_enrolment (levy_year, person_id, insurance, status, employee_insured,"
                " insured_elsewhere, digest) select 2021, id, 'RES_MEDICAL', 'NORMAL', false, 'none', '' from person"
            )
        )
        connection.execute(
            text("update enrolment set status = 'ENDED' where person_id = :p"), {"p": district.worker.id}
        )

    running.write(more)
    told = drawn(running)

    assert told["odd"] == {"OLD": 1, "NO_ADULT": 1, "TWICE": 2}
    version = running.one("select before, people from roster_version where roster_id = :r", r=stand(running)[0])
    assert (version.before, version.people) == (7, 6)


def test_a_version_is_changed_by_nobody_and_the_web_draws_none(running, district, desk):
    drawn(running)
    roster, _, _ = stand(running)
    admin = running.office.engine
    for statement in (
        "update roster_row set masked = '李*'",
        "delete from roster_row",
        "insert into roster_row select roster_id, no, 999, '李*' from roster_version",
        "update roster_version set people = 1",
        "update roster set state = 'ISSUED_TO_TOWN'",
        "delete from roster_step",
        "truncate roster_row",
    ):
        for engine in (admin, running.parts.engine):
            with engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text(statement))
    with running.parts.engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text("select roster_write('{1}', 'staff:x', null, '2021-11-05', now())"))
    assert broken(running) == [] and desk("hrss09", Role.HRSS).post("/office/rosters/draw/").status_code == 403
    with running.office.engine.connect() as other, pytest.raises(DrawingUnderWay):
        other.execute(text("select pg_advisory_xact_lock(hashtext('rosters are drawn'))"))
        drawn(running)
    assert roster


def test_drawn_up_on_a_page_by_the_office_process_once(running, district, desk, process):
    clerk = desk("clerk01", Role.TAX_CLERK)
    assert "今年还没有出清册" in clerk.get("/office/rosters/").text
    wrong = clerk.post("/office/rosters/draw/", data={"place": "999", "insurance": "RES_MEDICAL"})
    assert wrong.status_code == 422 and "从列表里选" in said(wrong) and 'value="RES_MEDICAL" selected' in wrong.text
    form = {"place": district.village[:9], "insurance": "RES_MEDICAL"}
    where = clerk.post("/office/rosters/draw/", data=form).location
    assert clerk.post("/office/rosters/draw/", data=form).location == where, "pressed twice"
    assert "正在排队" in clerk.get(where).text and process() == 1
    page = clerk.get(where).text
    assert "出了新版</dt><dd>2 份" in page and "登记里" in page and "没有可疑的" in page
    board = clerk.get("/office/rosters/").text
    assert "示例村" in board and "等税务分局审" in board and 'name="roster"' not in board, "who drew it signs for none"
    assert "没有这样的清册" in clerk.get("/office/rosters/?state=POSTED").text
    assert clerk.get("/office/rosters/999").status_code == 404
