"""A list waits for its word while one of its people is erased."""

import pytest

from app.flows.helped.take import PeopleMoved, take
from app.flows.keep import erase
from tests.app.flows.test_helped import CLERK, checked, given
from tests.app.helped.papers import a_line, a_list
from tests.builders import a_person, an_id_number
from tests.refunding import rows


def test_who_was_erased_meanwhile_gets_no_category(running, adult, tmp_path):
    """The list is judged anew; then it says of him what it says of everybody whom the register does not know."""
    sibling = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=8)))
    path = a_list(tmp_path / "a.xlsx", a_line(7), a_line(8))
    batch = checked(running, path).batch
    asked = {"id_number": an_id_number(sequence=7), "ground": "asked", "reason": "本人书面申请", "by": "staff:a"}
    erase.agree(running.office, erase.ask(running.office, **asked), by="staff:b")

    with pytest.raises(PeopleMoved):
        take(running.office, batch, by=CLERK)

    assert (
        given(running) == []
        and rows(running, f"select 1 from special_batch where id = {batch} and taken_by <> ''") == []
    )
    again = checked(running, path)
    assert (again.good, again.codes) == (1, {"NOT_REGISTERED": 1})
    take(running.office, again.batch, by=CLERK)
    assert given(running) == [(sibling, "RES_MEDICAL", "DIBAO")]
