"""What an erasure takes of what agents noted at doors: of houses in which nobody is left, and of no other."""

from sqlalchemy import text

from app.flows.keep import erase
from tests.app.flows.test_erase import ASKED, superuser
from tests.builders import a_household, a_person, an_id_number, in_a_files_name
from tests.refunding import rows

__all__ = ["superuser"]
NOTE = text(
    "insert into door_note (household_id, reason, again_on, by, at, kept_from)"
    " values (:h, 'LATER', '2021-11-20', 'agent:wang', now(), now())"
)


def erased(running, number):
    asked = erase.ask(running.office, **(ASKED | {"id_number": number}))
    erase.agree(running.office, asked, by="staff:b")


def test_the_appointment_with_those_who_stay_in_the_house_stays(running):
    home = running.write(lambda c: a_household(c, number="0007"))
    goes, stays = an_id_number(sequence=41), an_id_number(sequence=43)
    for number in (goes, stays):
        running.write(lambda c, n=number: a_person(c, id_number=n, household=home, phone=None))
    running.write(lambda c: c.execute(NOTE, {"h": home}))

    erased(running, goes)

    assert [row.again_on.day for row in rows(running, "select again_on from door_note")] == [20]


def test_what_was_noted_where_he_lived_alone_goes_with_him_though_he_moved(running, superuser):
    old, new = (running.write(lambda c, n=n: a_household(c, number=n)) for n in ("0007", "0008"))
    number = an_id_number(sequence=41)
    person = running.write(lambda c: a_person(c, id_number=number, household=old, phone=None))
    running.write(lambda c: c.execute(NOTE, {"h": old}))
    with superuser.begin() as connection:
        in_a_files_name(connection)
        connection.execute(text("update person set household_id = :h where id = :p"), {"h": new, "p": person})

    erased(running, number)

    assert rows(running, "select 1 from door_note") == []
