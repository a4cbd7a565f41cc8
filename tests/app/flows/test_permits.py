"""A residence permit counts to its last day, and an accompanying child's is a parent's, wherever that parent lives."""

from datetime import date

import pytest

from app.flows.due.quote import amount_due, subjects
from app.policy.facts import Insurance
from core.clock import beijing
from core.db import PLACES
from tests.app.registry.files import VILLAGE, a_csv, a_row, taken_in
from tests.builders import a_village, an_id_number
from tests.refunding import rows

OTHER = "370404103902"
PARENT = an_id_number(sequence=1)
CHILD = {"id_number": an_id_number(born=date(2014, 6, 1), sequence=1), "birth_date": "2014-06-01", "name": "童示例"}
CHILD |= {"residence": "随迁子女", "household_no": "0002"}


@pytest.fixture
def brought(running, tmp_path):
    """Takes in one file of these rows, as the bureau sends it."""
    running.write(a_village)
    running.write(lambda connection: a_village(connection, OTHER, "邻家村"))

    def bring(*cells):
        result, failures = taken_in(running.office, a_csv(tmp_path / "a.csv", *cells))
        assert result.taken and failures == []

    return bring


def said(running):
    """Village and year of birth → what is due for the medical insurance, or why nothing is, and until when."""
    found = {}
    for person in subjects(running.parts, [row.id for row in rows(running, "select id from person")]):
        due = amount_due(running.parts, person, Insurance.RES_MEDICAL, at=running.parts.clocks.now())
        found[person.village_code, person.birth_date.year] = due.quote
    return found


def reasons(running):
    return {key: quoted.reason_code for key, quoted in said(running).items()}


def test_the_permits_last_day_is_read_from_the_file_and_renewed_by_it(running, brought):
    """B8: a permit that had ended in 2019 was still quoted 320."""
    other = an_id_number(born=date(1990, 1, 1), sequence=1)
    neighbour = a_row(1, id_number=other, birth_date="", residence="居住证", residence_permit_valid_to="2022-05-31")
    brought(a_row(1, residence="居住证", residence_permit_valid_to="2019-05-31"), neighbour)

    assert reasons(running) == {(VILLAGE, 1986): "PERMIT_ENDED", (VILLAGE, 1990): "OK_RESIDENCE_PERMIT"}

    brought(a_row(1, residence="居住证", residence_permit_valid_to="2021-11-30"))
    found = said(running)
    assert beijing(found[VILLAGE, 1986].price_until).date() == date(2021, 12, 1), "its last day is a day of it"
    assert beijing(found[VILLAGE, 1990].price_until).date() == date(2022, 1, 1)

    brought(a_row(1, residence="居住证", mobile="13900000001"))
    assert beijing(said(running)[VILLAGE, 1986].price_until).date() == date(2021, 12, 1), (
        "what a file does not say stays"
    )


def test_a_child_relies_on_a_parent_who_is_named_and_holds_a_permit(running, brought):
    """B8: a permit child had no parent."""
    brought(a_row(1, **CHILD))
    assert reasons(running) == {(VILLAGE, 2014): "PARENT_UNKNOWN"}

    brought(a_row(1, **CHILD, parent_id_number=PARENT))
    assert reasons(running) == {(VILLAGE, 2014): "OK_RESIDENCE_PERMIT"}, "a parent who works here is in no file of ours"

    brought(a_row(1, village_code=OTHER, residence="居住证", residence_permit_valid_to="2021-10-31"))
    assert reasons(running) == {(VILLAGE, 2014): "PERMIT_ENDED", (OTHER, 1986): "PERMIT_ENDED"}

    brought(a_row(1, village_code=OTHER, residence="居住证", residence_permit_valid_to="2023-10-31"))
    assert set(reasons(running).values()) == {"OK_RESIDENCE_PERMIT"}

    brought(a_row(1, village_code=OTHER, residence="外地"))
    assert reasons(running) == {(VILLAGE, 2014): "PERMIT_ENDED", (OTHER, 1986): "NOT_RESIDENT"}


def test_an_agent_who_sees_not_the_parents_village_has_the_same_answer(running, brought):
    """B8"""
    brought(
        a_row(1, **CHILD, parent_id_number=PARENT, residence_permit_valid_to="2023-10-31"),
        a_row(1, village_code=OTHER, residence="居住证", residence_permit_valid_to="2021-10-31"),
    )

    token = PLACES.set(VILLAGE)
    try:
        assert reasons(running) == {(VILLAGE, 2014): "PERMIT_ENDED"}
    finally:
        PLACES.reset(token)


def test_whoever_is_not_older_is_no_parent(running, brought, tmp_path):
    """B8"""
    path = a_csv(tmp_path / "b.csv", a_row(1, **CHILD, parent_id_number=CHILD["id_number"]))

    _, failures = taken_in(running.office, path)

    assert [(each.column, each.code) for each in failures] == [("父母身份证号", "PARENT_NOT_OLDER")]
