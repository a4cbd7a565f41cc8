"""The mini-program's JSON: strict in, lean out, and nothing about anybody the session does not know."""

import secrets

import pytest
from orjson import dumps, loads
from sqlalchemy import event

from app.flows.due.quote import all_due, subjects
from app.registry import find
from app.registry.subject import MOST_KEPT
from app.web.api.people import _told
from app.web.api.told import ErrorTold, PeopleTold, PersonTold, PolicyTold, SessionTold, SheetTold
from app.web.api.told_money import PaymentTold
from tests.browsing import a_phone, code_in
from tests.builders import NEW_YEAR, an_id_number
from tests.system import early_in_the_minute, eventually, last_text


class Api:
    """A mini-program: a token, and calls."""

    def __init__(self, running, code=None):
        self.client = running.app.test_client()
        self.url, self.phone, self.signed_in = running.url, a_phone(), False
        answer = self.client.post("/api/v1/session", json={"code": code} if code else {})
        assert answer.status_code == 201, answer.json
        self.token = SessionTold.model_validate(answer.json).token

    def get(self, path, **query):
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self._headers())

    def post(self, path, wanted, **headers):
        return self.client.post(f"/api/v1{path}", json=wanted, headers=self._headers() | headers)

    def sign_in(self):
        """Prove a phone; the token changes."""
        asked = self.post("/session/phone", {"phone": self.phone})
        assert asked.status_code == 200, asked.json
        code = code_in(last_text(self.url, self.phone))
        answer = self.post("/session/phone/confirm", {"code": code})
        assert answer.status_code == 200, answer.json
        self.token = SessionTold.model_validate(answer.json).token
        self.signed_in = True

    def find(self, name, id_number):
        """As `POST /people`, signed in before."""
        if not self.signed_in:
            self.sign_in()
        return self.post("/people", {"name": name, "id_number": id_number, "agreed": True})

    def look_up(self, person):
        answer = self.find(person.name, person.id_number)
        assert answer.status_code == 200, answer.json
        return PersonTold.model_validate(answer.json).person

    def pay(self, *items, key=None, kind="native", **more):
        wanted = {"items": list(items), "kind": kind} | more
        return self.post("/payments", wanted, **{"Idempotency-Key": key or secrets.token_urlsafe(9)})

    def _headers(self):
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def api(running):
    return Api(running)


def medical(person):
    return {"person": person, "insurance": "RES_MEDICAL"}


def pension(person, tier):
    return {"person": person, "insurance": "RES_PENSION", "tier": tier}


def test_somebody_is_looked_up_with_every_line(api, district):
    answer = api.find(district.adult.name, district.adult.id_number)

    told = PersonTold.model_validate(answer.json)
    assert (told.masked_name, told.village) == ("张*例", "榴园镇示例村")
    medical_due, pension_due = told.due
    assert (medical_due.personal_due, medical_due.total, medical_due.reason_code) == (32000, 90000, "OK")
    assert [(line.payer, line.amount) for line in medical_due.lines] == [("resident", 32000), ("government", 58000)]
    assert pension_due.reason_code == "TIER_REQUIRED"
    assert [(tier.tier, tier.gov_subsidy) for tier in pension_due.tiers if tier.allowed][:3] == [
        (30000, 3000),
        (50000, 6000),
        (60000, 6000),
    ]
    assert district.adult.name not in answer.text and district.adult.id_number not in answer.text


def test_a_department_is_never_named(api, district):
    answer = api.find(district.poor.name, district.poor.id_number)

    assert {line["payer"] for due in answer.json["due"] for line in due["lines"]} == {"government"}
    assert not {"civil", "DIBAO", "低保"} & set(answer.text.split('"'))


def test_everybody_known_is_one_answer(api, district):
    one, two = api.look_up(district.adult), api.look_up(district.elder)

    told = PeopleTold.model_validate(api.get("/due", **{f"tier.{one}": 50000}).json)

    assert [person.person for person in told.people] == [one, two]
    assert told.people[0].due[1].personal_due == 50000


def test_the_words_of_an_answer_never_stand_under_another(running, district):
    """What was told may outlive its answer, and the next answer lie where that one lay in memory."""
    [person], now = subjects(running.parts, [district.adult.id]), running.parts.clocks.now()
    first, second = (
        list(all_due(running.parts, person, at=now, tiers={(2022, None): tier})) for tier in (30000, 50000)
    )
    for page in range(MOST_KEPT - 3):
        person.once(page, lambda: "its answer")
    dues = person.once("first", lambda: tuple(first * 8))
    assert {each["tier"] for each in loads(dumps(_told(person, dues)))} == {None, 30000}
    del dues

    dues = person.once("second", lambda: tuple(second * 8))

    assert {each["tier"] for each in loads(dumps(_told(person, dues)))} == {None, 50000}


def test_a_look_up_of_a_household_is_one_query(api, district, running, monkeypatch):
    for person in (district.adult, district.elder, district.poor):
        api.look_up(person)
    said = []
    event.listen(running.parts.engine, "before_cursor_execute", lambda *words: said.append(words[2]))
    ask, alone = find.ask_alone, []
    monkeypatch.setattr(find, "ask_alone", lambda *words: alone.append(words[1]) or ask(*words))

    assert api.get("/due").status_code == 200

    asked_once_a_second = ("business_clock", "pg_is_in_recovery", "alembic_version")
    assert [words for words in said if not any(each in words for each in asked_once_a_second)] == []
    assert alone == [find.BY_SESSION]


def test_it_is_paid_from_the_mini_program(running, district):
    login = running.outside.post("/phone/login-code", {"phone": "1"})
    api = Api(running, login["code"])
    person = api.look_up(district.adult)

    answer = api.pay(medical(person), pension(person, 30000), kind="jsapi")

    started = PaymentTold.model_validate(answer.json)
    assert (answer.status_code, started.state, started.amount, started.code_url) == (201, "waiting", 62000, None)
    prepay_id = started.jsapi["package"].removeprefix("prepay_id=")
    assert running.outside.pay(prepay_id, login["openid"]).status == 200
    eventually(lambda: api.get(f"/payments/{started.number}").json["state"] == "paid")
    paid = PaymentTold.model_validate(api.get(f"/payments/{started.number}").json)
    assert paid.paid_at.startswith("2021-11-05") and len(paid.check_code) == 8 and paid.jsapi is None
    assert [due["settled"] for due in api.get("/due").json["people"][0]["due"]] == [True, True]


def test_jsapi_needs_a_wechat_user(api, district):
    answer = api.pay(medical(api.look_up(district.adult)), kind="jsapi")
    assert (answer.status_code, answer.json["code"]) == (409, "NOT_IN_WE_CHAT")


def test_nothing_due_is_settled_at_once(api, district):
    answer = api.pay(medical(api.look_up(district.elder)))

    told = PaymentTold.model_validate(answer.json)
    assert (told.state, told.number) == ("settled", None)
    assert api.get("/due").json["people"][0]["due"][0]["settled"] is True


def test_the_same_key_is_the_same_payment(api, district):
    person = api.look_up(district.adult)

    first, second = (api.pay(medical(person), key="key-of-one-wish").json for _ in range(2))
    other = api.pay(medical(person), pension(person, 30000), key="key-of-one-wish")

    assert first["number"] == second["number"]
    assert (other.status_code, other.json["code"]) == (409, "KEY_REUSED")


def test_a_key_counts_within_its_session_only(running, district):
    one, two = Api(running), Api(running)
    mine, theirs = one.look_up(district.adult), two.look_up(district.neighbour)

    first = one.pay(medical(mine), key="everybodys-key")
    second = two.pay(medical(theirs), key="everybodys-key")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["number"] != second.json["number"]


@pytest.mark.parametrize("key", ["", "short", "with blanks here", "x" * 65, "quote'quote"])
def test_a_payment_needs_a_key(api, district, key):
    person = api.look_up(district.adult)
    answer = api.post("/payments", {"items": [medical(person)], "kind": "native"}, **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


@pytest.mark.parametrize(
    ("spoilt", "field"),
    [
        ({"amount": 1}, "amount"),
        ({"state": "paid"}, "state"),
        ({"kind": "free"}, "kind"),
        ({"kind": None}, "kind"),
        ({"gateway": 1}, "gateway"),
        ({"items": []}, "items"),
        ({"items": "all"}, "items"),
        ({"items": [{"person": "x", "insurance": "RES_MEDICAL", "price": 1}]}, "items.0.price"),
        ({"items": [{"person": "x", "insurance": "MEDICAL"}]}, "items.0.insurance"),
        ({"items": [{"person": 7, "insurance": "RES_MEDICAL"}]}, "items.0.person"),
        *(
            ({"items": [{"person": "x", "insurance": "RES_PENSION", "tier": tier}]}, "items.0.tier")
            for tier in (0, -1, 0.5, "30000", "３００", True, 10**12)
        ),
    ],
)
def test_what_no_page_would_send_is_refused_by_field(api, spoilt, field):
    answer = api.post("/payments", {"items": [medical("x")], "kind": "native"} | spoilt)

    told = ErrorTold.model_validate(answer.json)
    assert answer.status_code == 422
    assert field in told.fields and all("\u4e00" <= said[0] <= "\u9fff" for said in told.fields.values())


def test_what_was_typed_is_not_echoed(api, district):
    answer = api.post("/people", {"name": 5, "id_number": district.adult.id_number, "extra": district.adult.id_number})
    assert answer.status_code == 422 and district.adult.id_number not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff\xfe"])
def test_a_body_that_is_no_object_is_a_clean_no(api, body):
    answer = api.client.post(
        "/api/v1/people", data=body, content_type="application/json", headers={"Authorization": f"Bearer {api.token}"}
    )
    assert answer.status_code in (400, 422) and "message" in answer.json


def test_a_wrong_name_and_nobody_are_the_same_answer(api, district):
    wrong = api.find("张别人", district.adult.id_number)
    nobody = api.find("张别人", an_id_number(sequence=77))

    told = [{**answer.json, "request": ""} for answer in (wrong, nobody)]
    assert (wrong.status_code, nobody.status_code) == (404, 404) and told[0] == told[1]


def test_looking_up_is_limited_for_caller_and_target(running, district):
    early_in_the_minute(20)
    api = Api(running)
    statuses = [api.find("某某", district.adult.id_number).status_code for _ in range(6)]
    for _ in range(2):
        another = Api(running)
        for _ in range(5):
            another.find("某某", district.adult.id_number)
    third = Api(running).find(district.adult.name, district.adult.id_number)

    assert statuses == [404] * 5 + [429]
    assert third.status_code == 429  # the number itself is protected from an address, whoever asks


def test_a_strangers_payment_is_not_there(running, district):
    mine, stranger = Api(running), Api(running)
    number = mine.pay(medical(mine.look_up(district.adult))).json["number"]
    stranger.look_up(district.neighbour)

    assert stranger.get(f"/payments/{number}").status_code == 404
    assert stranger.post(f"/payments/{number}/close", {}).status_code == 404
    assert mine.get(f"/payments/{number}").json["state"] == "waiting"


def test_a_reference_is_worth_nothing_elsewhere(running, district):
    mine, stranger = Api(running), Api(running)
    person = mine.look_up(district.adult)
    stranger.look_up(district.neighbour)

    assert stranger.pay(medical(person)).status_code == 404
    assert stranger.get("/due", **{f"tier.{person}": 30000}).status_code == 404


@pytest.mark.parametrize("number", ["YC", "x" * 26, "YC211105000000019B205GPS7C", "YC2111050000000%00000000000"])
def test_a_number_nobody_has_is_not_there(api, number):
    assert api.get(f"/payments/{number}").status_code == 404


def test_a_payment_is_closed_on_wish(api, district):
    number = api.pay(medical(api.look_up(district.adult))).json["number"]
    assert api.post(f"/payments/{number}/close", {}).json["state"] == "closed"


def test_without_a_token_there_is_no_answer(running, district):
    client = running.app.test_client()
    assert client.get("/api/v1/due").status_code == 401
    assert client.get("/api/v1/due", headers={"Authorization": "Bearer nobodys"}).status_code == 401
    assert client.get("/api/v1/due?token=x").status_code == 401


def test_a_cookie_of_another_sites_request_pays_nothing(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    client = running.app.test_client()
    client.set_cookie("session", api.token)
    wanted, key = {"items": [medical(person)], "kind": "native"}, {"Idempotency-Key": "key-of-one-wish"}

    def statuses(**headers):
        return client.post("/api/v1/payments", json=wanted, headers=key | headers).status_code

    assert statuses() == 403
    assert statuses(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert statuses(Origin="https://evil.example") == 403
    assert statuses(**{"Sec-Fetch-Site": "same-origin"}) == 201


def test_a_used_login_code_is_refused(running):
    code = running.outside.post("/phone/login-code", {"phone": "2"})["code"]
    Api(running, code)
    again = running.app.test_client().post("/api/v1/session", json={"code": code})
    assert again.status_code == 401 and "微信登录失效" in again.json["message"]


def test_the_policy_is_open_to_all(running):
    told = PolicyTold.model_validate(running.app.test_client().get("/api/v1/policy").json)
    assert (told.year, told.medical["personal"], told.windows["normal_price_end"]) == (2022, 32000, "2021-12-31")
    assert len(told.tiers) == 12


def test_the_description_names_every_body_as_required(running):
    spec = running.app.test_client().get("/api/openapi.json").json

    operations = [each for path in spec["paths"].values() for each in path.values()]
    assert all(path.startswith("/api/v1/") for path in spec["paths"])
    assert all(each["requestBody"]["required"] for each in operations if "requestBody" in each)
    known = set(spec["components"]["schemas"])
    used = {part.split('"')[0] for part in str(spec).replace("'", '"').split("#/components/schemas/")[1:]}
    assert used <= known
    headers = [each["name"] for each in spec["paths"]["/api/v1/payments"]["post"]["parameters"]]
    assert headers == ["Idempotency-Key"]


def test_the_sheet_is_data_too(api, district):
    person = api.look_up(district.poor)

    told = SheetTold.model_validate(api.get(f"/people/{person}/sheet/RES_PENSION", **{f"tier.{person}": 200000}).json)

    assert (told.personal_due, told.account_credit, told.masked_name) == (190000, 208000, "张*困")
    assert [(line.payer, line.amount, line.evidence) for line in told.lines] == [
        ("resident", 190000, "居民养老保险缴费档次"),
        ("government", 10000, "政府名单"),
        ("government", 8000, "居民养老保险缴费补贴标准"),
    ]
    assert told.price_until == "2023-01-01T00:00:00+08:00" and told.asked_at.startswith("2021-11-05T1")


@pytest.mark.parametrize("path", ["/people/nobody/sheet/RES_MEDICAL", "/people/{}/sheet/RES_LIFE"])
def test_a_sheet_of_nobody_or_nothing_is_not_there(api, district, path):
    assert api.get(path.format(api.look_up(district.adult))).status_code == 404


def test_the_medical_bureau_is_asked_once_and_only_where_it_may_help(api, district, running):
    poor, adult = api.look_up(district.poor), api.look_up(district.adult)
    assert api.post(f"/people/{poor}/verification", {}).status_code == 409
    running.turn(NEW_YEAR)
    due = api.get("/due")
    asks = {each["masked_name"] for each in due.json["people"] for item in each["due"] if item["may_ask"]}
    assert asks == {"张*困"} and "点“请医保局核实”" in due.text and "我们请医保局" not in due.text  # B13
    answers = [api.post(f"/people/{poor}/verification", {}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    asked = api.get("/due")
    assert "已经交给医保局核实" in asked.text and '"may_ask":true' not in asked.text.replace(" ", "")
    assert api.post(f"/people/{adult}/verification", {}).status_code == 409
    assert api.post("/people/nobody/verification", {}).status_code == 404
    assert running.one("select count(*) as n from determination").n == 1
