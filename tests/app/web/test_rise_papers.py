"""Whose a rise is, how it is named in an address, and what stands of it on paper."""

import pytest

from app.flows.pay.start import Want
from app.flows.prove.papers import confirm, hand_out
from app.policy.facts import Insurance
from core.money import yuan
from tests.app.web.test_api import Api
from tests.app.web.test_proofs import words_of
from tests.app.web.test_rise import also, paid
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import pay

__all__ = ["also", "paid"]
PENSION = Insurance.RES_PENSION


def test_another_accounts_reference_opens_nothing(running, district, paid):
    mine, theirs = Api(running), Api(running)
    me, other = mine.look_up(district.adult), theirs.look_up(district.poor)
    stranger = Api(running)
    stranger.look_up(district.neighbour)
    for named in (me, other):
        answer = stranger.get("/due", **{f"rise.{named}@2022": "50000"})
        assert answer.status_code in (404, 422), answer.json
        item = {"person": named, "insurance": "RES_PENSION", "year": 2022, "rise": True, "tier": 50000}
        assert stranger.pay(item).status_code == 404
        assert stranger.get(f"/people/{named}/sheet/RES_PENSION@2022:rise").status_code == 404


@pytest.mark.parametrize(
    "named", ["rise.{me}@2022:17", "level.{me}@2022:17", "rise.{me}@2022:rise", "tier.{me}@2022:rise", "rise.{me}@x"]
)
def test_an_odd_field_is_refused(running, district, paid, named):
    api = Api(running)
    me = api.look_up(district.adult)
    answer = api.get("/due", **{named.format(me=me): "50000"})
    assert answer.status_code in (400, 404, 422), (named, answer.json["people"][0]["due"][1]["rise"])


def test_a_whole_house_of_rises_stands_on_its_paper(running, many=8):
    home = running.write(a_household)
    people = [
        running.write(lambda c, n=n: a_person(c, id_number=an_id_number(sequence=n), household=home, name=f"张示{n}"))
        for n in range(101, 101 + 2 * many, 2)
    ]
    first = pay(running, *(Want(each, PENSION, 30000) for each in people), key="premiums")
    number = pay(running, *(Want(each, PENSION, 50000, rise=True) for each in people), key="rises")

    for payment, total in ((first, many * 30000), (number, many * 20000)):
        words = words_of(hand_out(running.parts, confirm(running.parts, payment)))
        assert words.count("城乡居民基本养老保险费") == many
        assert f"合计{yuan(total)}" in words
    assert words.count("补差提档：300元→500元") == many
