"""A rise is one item however it is named: beside another insurance or a determination it is no item, or the same."""

import pytest

from app.policy.facts import Insurance
from tests.app.web.test_api import Api
from tests.app.web.test_rise import also, paid
from tests.refunding import rows

__all__ = ["also", "paid"]
PENSION = Insurance.RES_PENSION


def rises(running):
    """Every difference that was issued, and each payment but the premiums'."""
    return (
        [tuple(row) for row in rows(running, "select personal_due, state from bill where raised_from is not null")],
        [row.amount for row in rows(running, "select amount from payment where amount <> 50000")],
    )


def test_the_rise_of_a_medical_insurance_is_no_item(running, district, paid):
    api = Api(running)
    me = api.look_up(district.adult)

    answer = api.pay({"person": me, "insurance": "RES_MEDICAL", "year": 2022, "rise": True, "tier": 50000})

    assert (answer.status_code, list(answer.json["fields"]), rises(running)) == (422, ["items.0.rise"], ([], []))


def test_the_rise_of_a_back_payment_is_no_item(running, district, paid):
    api = Api(running)
    me = api.look_up(district.adult)
    item = {"person": me, "insurance": "RES_PENSION", "year": 2022, "rise": True, "tier": 50000}

    answer = api.pay(item | {"determination": 7})

    assert (answer.status_code, list(answer.json["fields"]), rises(running)) == (422, ["items.0.rise"], ([], []))


@pytest.mark.parametrize("tier", [50000, 60000])
@pytest.mark.parametrize("other", [{"determination": 7}, {"insurance": "RES_MEDICAL"}])
def test_one_rise_under_two_names_is_paid_once_or_refused(running, district, paid, tier, other):
    api = Api(running)
    me = api.look_up(district.adult)
    item = {"person": me, "insurance": "RES_PENSION", "year": 2022, "rise": True, "tier": 50000}

    answer = api.pay(item, item | other | {"tier": tier})

    assert answer.status_code in (400, 404, 409, 422), answer.json
    assert rises(running) == ([], [])
