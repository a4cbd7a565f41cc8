"""Whose lists a department's account may send is a right: in the trail, and told of a past day."""

from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.offices.rights import rights_on

PASSWORD = "correct horse battery"


def whose(running):
    return {right.whose: right.places for right in rights_on(running.parts, "")[1]}


def test_a_departments_account_is_told_with_its_departments(running):
    add_staff(running.office, login="zhao", name="示例", role=Role.DEPARTMENT, departments=["civil"], password=PASSWORD)
    add_staff(running.office, login="other", name="示例", role=Role.HRSS, password=PASSWORD)
    assert whose(running) == {"staff:zhao": "民政", "staff:other": "全区"}

    with running.office.engine.begin() as connection:
        connection.execute(text("update staff set departments = '{cdpf,civil}' where login = 'zhao'"))
        connection.execute(text("update staff set given = true where login = 'other'"))

    assert whose(running) == {"staff:zhao": "残联、民政", "staff:other": "全区"}
    with running.parts.engine.connect() as connection:
        noted = connection.execute(text("select about, words from act where what = 'role' order by id")).all()
    assert [tuple(row) for row in noted] == [
        ("staff:zhao", 'department ["civil"]'),
        ("staff:other", "hrss"),
        ("staff:zhao", 'department ["cdpf", "civil"]'),
    ]
