"""What a WeChat user allows to be told, and what an agent tells at the door."""

from datetime import date
from typing import ClassVar

import pytest

from app.flows.reconcile.clear_difference import clear
from app.flows.reconcile.import_outside import import_outside
from app.flows.tell.remind import remind, tell_certified
from app.flows.tell.send import tell_due
from app.web.api.told import SubscriptionsTold
from notifications.channels.console import Console
from tests.app.web.people import Someone
from tests.app.web.test_agent import agent
from tests.app.web.test_api import Api, medical
from tests.app.web.test_proofs import PAPER
from tests.builders import a_person, an_id_number, in_a_files_name
from tests.refunding import CLERK, rows
from tests.system import eventually

__all__ = ["agent"]


class Wechat:
    name, address = "wechat", "openid"
    templates: ClassVar = {"paid": "template-paid", "certified": "template-certified"}

    def __init__(self):
        self.told = []

    def deliver(self, to, words):
        self.told.append(words.text)
        return words.key


@pytest.fixture
def wechat(running):
    held = Wechat()
    object.__setattr__(running.parts, "channels", running.parts.channels | {"wechat": held})
    return held


@pytest.fixture
def login(running):
    return running.outside.post("/phone/login-code", {"phone": "1"})


@pytest.fixture
def api(running, wechat, login):
    held = Api(running, login["code"])
    held.sign_in()
    return held


def test_each_tap_is_one_message_of_each_kind(api):
    assert SubscriptionsTold.model_validate(api.get("/me/subscriptions").json).left == {}

    api.post("/me/subscriptions", {"accepted": ["certified", "certified"]})
    told = SubscriptionsTold.model_validate(api.post("/me/subscriptions", {"accepted": ["certified", "remind"]}).json)

    assert told.left == {"certified": 2}, "what has no template is not counted"
    assert told.templates == Wechat.templates


@pytest.mark.parametrize("accepted", [["spam"], "paid", ["paid"] * 4, [1], None])
def test_what_no_dialogue_of_wechat_gives_is_refused(api, accepted):
    assert api.post("/me/subscriptions", {"accepted": accepted}).status_code == 422


def test_who_is_not_in_wechat_has_nothing_to_allow(running):
    api = Api(running)
    api.sign_in()

    answer = api.get("/me/subscriptions")

    assert (answer.status_code, answer.json["code"]) == (409, "NOT_FROM_WECHAT")


def test_who_asked_is_told_that_the_certificate_is_ready(running, district, api, wechat, login):
    person = api.look_up(district.adult)
    api.post("/me/subscriptions", {"accepted": ["certified"]})
    started = api.pay(medical(person), kind="jsapi").json
    running.outside.pay(started["jsapi"]["package"].removeprefix("prepay_id="), login["openid"])
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))

    import_outside(running.parts, "treasury", PAPER.format("320.00").encode(), by=CLERK)
    tell_due(running.parts)

    assert [words for words in wechat.told if "缴费证明可以开了" in words]
    assert api.get("/me/subscriptions").json["left"] == {"certified": 0}


def test_nobody_is_told_of_a_certificate_that_cannot_be_had(running, district, api, wechat, login):
    person = api.look_up(district.adult)
    api.post("/me/subscriptions", {"accepted": ["certified"]})
    started = api.pay(medical(person), kind="jsapi").json
    running.outside.pay(started["jsapi"]["package"].removeprefix("prepay_id="), login["openid"])
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))

    import_outside(running.parts, "treasury", PAPER.format("319.00").encode(), by=CLERK)

    assert rows(running, "select 1 from notice where kind = 'certified'") == []


def paid_in_wechat(running, api, login, *items):
    started = api.pay(*items, kind="jsapi").json
    running.outside.pay(started["jsapi"]["package"].removeprefix("prepay_id="), login["openid"])
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))


def certified(running):
    return rows(running, "select rank, channel from notice where kind = 'certified'")


def test_one_consent_is_one_certificate_told(running, district, api, wechat, login):
    """B16: three were written on one consent, and two of them given up with an alert."""
    family = [district.adult]
    for sequence in (8, 10):
        sister = {"name": "张示妹", "id_number": an_id_number(sequence=sequence), "household": district.household}
        key = running.write(lambda connection, sister=sister: a_person(connection, **sister))
        family.append(Someone(key, sister["name"], sister["id_number"]))
    people = [api.look_up(person) for person in family]
    api.post("/me/subscriptions", {"accepted": ["certified"]})
    paid_in_wechat(running, api, login, *map(medical, people))

    import_outside(running.parts, "treasury", PAPER.format("960.00").encode(), by=CLERK)
    assert len(certified(running)) == 1 and api.get("/me/subscriptions").json["left"] == {"certified": 0}
    tell_due(running.parts)

    assert [tuple(row) for row in certified(running)] == [(2, "wechat")]
    api.post("/me/subscriptions", {"accepted": ["certified"]})
    with running.parts.engine.begin() as connection:
        assert tell_certified(running.parts, connection, date(2021, 11, 5), "RES_MEDICAL") == 1
    assert len(certified(running)) == 2, "a second consent is for a second person, and none is spent on the first"


def test_a_difference_that_is_cleared_makes_the_certificate_and_tells_of_it(running, district, api, wechat, login):
    """B17: it was told to nobody."""
    person = api.look_up(district.adult)
    api.post("/me/subscriptions", {"accepted": ["certified"]})
    paid_in_wechat(running, api, login, medical(person))
    import_outside(running.parts, "treasury", PAPER.format("319.00").encode(), by=CLERK)
    assert certified(running) == []

    found = "select id from discrepancy where books = 'treasury' and kind = 'AMOUNT_DIFF'"
    clear(running.parts, running.one(found).id, "accept", "国库少记一元，已去函", by=CLERK)
    tell_due(running.parts)

    assert [tuple(row) for row in certified(running)] == [(2, "wechat")]
    assert api.get("/me/subscriptions").json["left"] == {"certified": 0}


def test_in_the_sandbox_too_whom_no_phone_reaches_is_visited(running, district, agent):
    """The console counted as told, and nobody was ever to be visited."""
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        connection.exec_driver_sql("update person set phone = null where household_id = %s", (district.household,))
    object.__setattr__(running.parts, "channels", {"console": Console()})
    remind(running.parts, [district.village, district.other_village])
    tell_due(running.parts)

    assert "0001户" in agent.get(f"/agent/villages/{district.village}/visits").text
    neighbours = "select channel from notice join household h on h.id = household_id where h.village_code = :v"
    assert running.one(neighbours, v=district.other_village).channel == "console"


def test_an_agent_reads_it_out_at_the_door_and_says_so(running, district, agent):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set phone = null")
    object.__setattr__(running.parts, "channels", {})
    remind(running.parts, [district.village, district.other_village])
    tell_due(running.parts)
    path = f"/agent/villages/{district.village}/visits"

    page = agent.get(path)
    assert "0001户" in page.text and "还没有办" in page.text and "邻家村" not in page.text
    done = agent.submit(page, path, form="post")

    assert "没有要上门告诉的" in done.text
    assert agent.submit(page, path, form="post").status == 404
    assert agent.post(path, {**page.fields("post"), "household": "1 or 1=1"}).status == 404
    assert agent.get(f"/agent/villages/{district.other_village}/visits").status == 404
