"""What must not come of it that what others paid whole goes back to them."""

from contextlib import suppress

import pytest

from app.access.roles import Role
from app.flows.cases.say import say
from app.flows.pay.start import Want
from app.flows.refund.for_nothing import ask_for_elsewhere
from app.policy.facts import Insurance
from core.errors import AppError
from tests.app.flows.test_elsewhere import PROOF
from tests.app.flows.test_helped_pages import desk
from tests.app.web.people import a_district
from tests.refunding import agree, rows, start
from tests.simulate import police

__all__ = ["desk"]
MEDICAL = Insurance.RES_MEDICAL


@pytest.fixture
def district(running):
    return running.write(a_district)


def found_elsewhere(running, desk, person):
    start(running, Want(person, MEDICAL))
    said = say(running.parts, "PAID_ELSEWHERE_MEDICAL", "在昆山交过了", person_id=person, village=None, by="account:1")
    medical = desk("med01", Role.MEDICAL)
    answer = medical.post(f"/office/matters/{said}/elsewhere", data={"code": "medical_outside_zz", "proof": PROOF})
    assert answer.status_code == 303
    return medical


def test_what_was_found_elsewhere_and_taken_back_is_not_given_back(running, district, desk):
    medical = found_elsewhere(running, desk, district.poor.id)
    assert ask_for_elsewhere(running.parts) == 1
    found = running.one("select id from paid_elsewhere").id
    assert medical.post(f"/office/elsewhere/{found}/back", data={"why": "昆山那边退了"}).status_code == 303

    with suppress(AppError):
        agree(running.parts, running.one("select number from refund").number)

    assert rows(running, "select state from bill") == [("settled",)], "he is insured here and nowhere else"


def test_the_season_sees_that_nobody_asked_back_what_others_paid_for_the_dead(running, district):
    start(running, Want(district.poor.id, MEDICAL))

    with running.parts.engine.connect() as connection:
        found = connection.exec_driver_sql(police._PAID, ([district.poor.id],)).all()

    assert [row.asked for row in found] == [False], "bills of no money are not judged"
