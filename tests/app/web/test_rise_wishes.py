"""A rise is one item however it is named: beside another insurance or a determination it is no item, or the same."""

import pytest

from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.web.test_api import Api
from tests.refunding import pay, rows
from tests.shape_years import shape_district

PENSION = Insurance.RES_PENSION


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": shape_district(tmp_path_factory.mktemp("shapes"))}


@pytest.fixture
def paid(running, district):
    """The adult and the poor one of his house have paid the tier of 300."""
    return pay(running, *(Want(who.id, PENSION, 30000) for who in (district.adult, district.poor)), key="premiums")


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
