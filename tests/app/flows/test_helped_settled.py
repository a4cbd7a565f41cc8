"""A failed row is settled by itself only where a later list gave what it asked for."""

from app.flows.helped.take import take
from tests.app.flows.test_helped import CLERK, checked, states
from tests.app.helped.papers import a_line, a_list
from tests.builders import a_person, an_id_number
from tests.refunding import rows


def test_a_row_stays_open_where_another_category_was_taken(running, adult, tmp_path):
    """特困 failed for somebody not registered; the allowance that is taken later is less, and no answer to it."""
    batch = checked(running, a_list(tmp_path / "a.xlsx", a_line(9, word="特困"), a_line(11))).batch
    take(running.office, batch, by=CLERK)
    for sequence in (9, 11):
        running.write(lambda c, of=sequence: a_person(c, id_number=an_id_number(sequence=of)))

    later = checked(running, a_list(tmp_path / "b.xlsx", a_line(9), a_line(11))).batch
    take(running.office, later, by=CLERK)

    assert states(running, batch) == [(1, "FED_BACK", "NOT_REGISTERED"), (2, "RESOLVED", "NOT_REGISTERED")]
    last = checked(running, a_list(tmp_path / "c.xlsx", a_line(9, word="特困"))).batch
    take(running.office, last, by=CLERK)
    assert states(running, batch)[0] == (1, "RESOLVED", "NOT_REGISTERED")
    assert {row.code for row in rows(running, "select code from helped_category")} == {"DIBAO", "TEKUN"}
