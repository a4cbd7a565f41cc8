"""Lists, counts and messages with two levy years open: each names its year, and the newest is what they are about."""

import csv
import io

import pytest
from sqlalchemy import text

from app.flows.due.coverage import coverage, left_in
from app.flows.offices import people as desk_people
from app.flows.offices.progress import progress, progress_file, to_do_file
from app.flows.pay.start import Want
from app.flows.register.open_year import close_year
from app.flows.tell.remind import remind
from app.flows.village.people import Standing, villagers, villagers_in
from app.flows.village.slips import slips
from app.policy.year import NoSuchYear
from tests.app.flows.test_coverage import OFFICER, at_his_desk
from tests.builders import a_person, an_id_number
from tests.refunding import pay, rows
from tests.two_years import MEDICAL, PENSION

VILLAGE = "370404103901"


def lines(running):
    return {line.subject.id: line for line in villagers(running.parts, VILLAGE)[0]}


def counts(running, year=None):
    found = coverage(running.parts, since=running.parts.clocks.now(), village=VILLAGE, year=year)
    return {row.insurance: (row.due, row.done) for row in found}


def test_a_list_is_about_the_newest_year_and_what_is_late_is_a_word_of_its_own(running, two_years):
    both_paid = Want(two_years.late, MEDICAL, levy_year=2023), Want(two_years.late, PENSION, 30000, levy_year=2023)
    before = lines(running)
    pay(running, *both_paid, key="2023")
    found = lines(running)

    assert before[two_years.late].standing is before[two_years.in_time].standing is Standing.UNPAID
    assert before[two_years.late].amount == before[two_years.in_time].amount == 35000
    assert found[two_years.late].standing is Standing.DONE and found[two_years.late].amount == 0
    assert found[two_years.late].late == "2022年医保、养老逾期未交"
    assert "逾期" not in found[two_years.late].due_words
    assert found[two_years.in_time] == before[two_years.in_time] and found[two_years.in_time].late == ""


def test_each_year_is_counted_by_its_own_register(running, two_years):
    assert counts(running) == {"RES_MEDICAL": (2, 0), "RES_PENSION": (2, 0)}
    assert counts(running, 2022) == {"RES_MEDICAL": (2, 1), "RES_PENSION": (2, 1)}
    assert left_in(running.parts, VILLAGE, year=2022) == {two_years.late}

    running.write(
        lambda connection: a_person(
            connection, name="张示新", id_number=an_id_number(sequence=11), household=two_years.household
        )
    )
    gone = "update enrolment set status = 'ENDED' where person_id = :p and insurance = 'RES_MEDICAL'"
    running.write(lambda connection: connection.execute(text(gone), {"p": two_years.in_time}))

    assert counts(running) == {"RES_MEDICAL": (2, 0), "RES_PENSION": (3, 0)}
    assert counts(running, 2022) == {"RES_MEDICAL": (2, 1), "RES_PENSION": (2, 1)}
    student = "update former_person set student = true where person_id = :p"
    running.write(lambda connection: connection.execute(text(student), {"p": two_years.late}))
    assert counts(running, 2022) == {"RES_MEDICAL": (2, 1), "RES_PENSION": (1, 1)}
    assert counts(running) == {"RES_MEDICAL": (2, 0), "RES_PENSION": (3, 0)}


def test_an_office_asks_for_the_progress_and_the_list_of_a_former_year(running, two_years):
    running.write(at_his_desk)
    asked = {"reason": "上门告诉还没办的人", "year": 2022}

    told = list(
        csv.reader(io.StringIO(to_do_file(running.parts, OFFICER, VILLAGE, "csv", **asked).decode("utf-8-sig")))
    )

    assert [line[1] for line in told if line and line[0] == "0001"] == ["张*迟"]
    newest = to_do_file(running.parts, OFFICER, VILLAGE, "csv", reason=asked["reason"]).decode("utf-8-sig")
    assert "张*迟" in newest and "张*早" in newest
    assert {(row.insurance, row.done) for row in progress(running.parts, OFFICER, year=2022)} == {
        ("RES_MEDICAL", 1),
        ("RES_PENSION", 1),
    }
    assert progress_file(running.parts, OFFICER, "csv", year=2022) != progress_file(running.parts, OFFICER, "csv")
    with pytest.raises(NoSuchYear):
        progress(running.parts, OFFICER, year=2024)


def test_a_former_years_list_reads_by_that_year(running, two_years):
    found = {line.subject.id: line for line in villagers_in(running.parts, VILLAGE, 2022)}

    assert found[two_years.in_time].standing is Standing.DONE
    assert found[two_years.late].standing is Standing.NOT_NOW
    assert found[two_years.late].late == ""


def test_a_household_with_only_late_items_is_not_written_to(running, two_years):
    everything = [
        want
        for person in (two_years.late, two_years.in_time)
        for want in (Want(person, MEDICAL, levy_year=2023), Want(person, PENSION, 30000, levy_year=2023))
    ]
    assert remind(running.parts, [VILLAGE], dry=True).remind == 1 and len(slips(running.parts, VILLAGE)) == 1

    pay(running, *everything, key="2023")
    told = remind(running.parts, [VILLAGE])

    assert (told.remind, told.waived) == (0, 0) and slips(running.parts, VILLAGE) == []


def test_a_reminder_names_the_newest_year(running, two_years):
    assert remind(running.parts, [VILLAGE]).remind == 1

    [notice] = rows(running, "select fields from notice where kind = 'remind'")
    assert notice.fields["items"] == "2023年居民两险" and notice.fields["until"] == "12月31日"


def test_a_persons_page_shows_every_year_the_newest_first(running, two_years):
    found = desk_people.dossier(running.parts, OFFICER, two_years.late)
    paid = desk_people.dossier(running.parts, OFFICER, two_years.in_time)

    assert [due.heading for due in found.dues] == [
        *("2023年居民医保", "2023年居民养老"),
        *("2022年居民医保（逾期）", "2022年居民养老（逾期）"),
    ]
    assert [due.settled for due in paid.dues] == [False, False, True, True]
    assert paid.dues[2].heading == "2022年居民医保"


def test_nobody_is_told_to_pay_for_a_year_that_ended(running, two_years):
    """A desk's page, a list for the doors: it was not paid, and cannot be. What was paid is as it was."""
    before = {due.key: due for due in desk_people.dossier(running.parts, OFFICER, two_years.in_time).dues}
    close_year(running.office, 2022, by="operator:test")
    late, in_time = (
        desk_people.dossier(running.parts, OFFICER, who).dues for who in (two_years.late, two_years.in_time)
    )

    own = {due.key: due for due in late}
    ended = own["RES_MEDICAL@2022"]
    assert (ended.payable, ended.can_be_done) == (False, False)
    assert ended.text == "2022年度已经停止征缴，这一项没有交，现在不能再交。"
    assert own["RES_MEDICAL@2023"].payable
    assert {due.key: due for due in in_time} == before
    [line] = [each for each in villagers_in(running.parts, VILLAGE, 2022) if each.subject.id == two_years.late]
    assert (line.standing, line.amount, line.year_open) == (Standing.NOT_NOW, 0, False)
    assert line.due_words == "医保还没交；养老还没交"
