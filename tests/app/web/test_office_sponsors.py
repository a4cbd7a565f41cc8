"""The offices' desk of pledges, in process: two hands, a code, money in doubt, the way back, and a town's own."""

import re
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_sponsors import VILLAGE, bank, stands
from tests.app.web.test_office import PASSWORD, client_of
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import CLERK, state
from tests.refunding import start as start_to_pay
from tests.system import eventually

FORM = {
    "key": "a-key-of-a-form",
    "kind": "person",
    "name": "王好心",
    "contact": "王好心",
    "phone": "06320000000",
    "year": "2022",
    "insurance": "RES_MEDICAL",
    "mode": "PCT",
    "value": "50",
    "budget": "320",
    "whom": "",
    "village_code": VILLAGE,
}
TOWN = VILLAGE[:9]


@pytest.fixture
def adult(running):
    return running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=7)))


def clerk(running, role, login=None, **whose):
    login = login or str(role).replace("_", "")
    add_staff(running.office, login=login, name="示例经办", role=role, password=PASSWORD, **whose)
    return client_of(running, login)


def entered(client, **words):
    """The pledge that a form made."""
    answer = client.post("/office/sponsors/new", data=FORM | words)
    assert answer.status_code == 303, re.findall(r'class="alert"[^>]*>([^<]+)', answer.text)
    return int(answer.location.rpartition("/")[2])


def sponsor_of(running, pledge):
    return running.one("select sponsor_id from pledge_terms where pledge_id = :p", p=pledge)[0]


def test_a_pledge_from_its_form_to_its_way_back(running, adult):
    medical, lead = clerk(running, Role.MEDICAL), clerk(running, Role.TAX_LEAD)
    assert "还没有人资助" in medical.get("/office/sponsors/").text
    wrong = medical.post(
        "/office/sponsors/new", data=FORM | {"budget": "x", "phone": "", "whom": "named", "people": "张"}
    )
    assert wrong.status_code == 422 and 'value="王好心"' in wrong.text
    assert all(words in wrong.text for words in ("预算要写成", "电话只写数字", "第1行：一行写一个人"))
    pledge = entered(medical)
    assert entered(medical) == pledge  # the same form twice
    here = f"/office/sponsors/{pledge}"
    assert "等另一个人同意" in medical.get(here).text and "王好心" not in medical.get(here).text
    assert "登记的人不能自己同意" in medical.post(f"{here}/agree").text
    assert '<strong class="bad">1</strong><small>笔资助等您同意' in lead.get("/office/").text
    assert lead.post(f"{here}/agree").status_code == 303
    assert "王好心" in medical.post(f"{here}/contact").text
    assert running.one("select place, reason from disclosure") == (f"sponsor:{pledge}", "联系资助方")

    answer = medical.post(f"{here}/code", data={"amount": "400", "gateway": "wechat", "key": "k"})
    assert answer.status_code == 422 and "最多是还没到账的预算" in answer.text
    code = medical.post(f"{here}/code", data={"amount": "320", "gateway": "wechat", "key": "k"}).location
    number = code.rpartition("/")[2]
    assert "请资助方的联系人扫码付 320 元" in medical.get(code).text and number in medical.get(here).text
    running.outside.pay(running.one("select checkout from payment where number = :n", n=number).checkout["code_url"])
    eventually(lambda: state(running, number) == "paid")
    assert "到账了" in medical.get(code).text

    started = start_to_pay(running, Want(adult, Insurance.RES_MEDICAL))
    assert started.amount == 16000
    page = medical.get(here).text
    assert "张*例" in page and "正在付款" in page and medical.get(f"{here}/shares.xlsx").status_code == 200
    assert "2到200个字" in medical.post(f"{here}/end", data={"why": ""}).text
    assert medical.post(f"{here}/end", data={"why": "不再资助"}).status_code == 303
    refused = medical.post(f"{here}/back")
    assert refused.status_code == 409 and "还有人正在付款" in refused.text
    running.outside.pay(started.checkout.code_url)
    eventually(lambda: state(running, started.number) == "paid")
    assert medical.post(f"{here}/back").status_code == 303
    assert stands(running, pledge) == ("ENDED", 0, 160, 0)
    [refund] = re.findall(r"/office/refunds/(YT\w+)", lead.get("/office/refunds/").text)[:1]
    page = lead.get(f"/office/refunds/{refund}").text
    assert "资助结束，没有用完的钱退回" in page and "待受理" in page


def test_the_form_says_who_reads_a_name_and_has_days_to_choose(running, adult):
    town = clerk(running, Role.TOWN, towns=[TOWN])

    page = town.get("/office/sponsors/new").text
    wrong = town.post("/office/sponsors/new", data=FORM | {"from_day": "明天", "until_day": "2021-12-01"})

    assert "居民看到的是下面“给居民看的名称”" in page and "个人显示“爱心人士”" in page
    assert re.findall(r'<input type="date" id="(\w+)"', page) == ["from_day", "until_day"]
    assert wrong.status_code == 422 and 'value="明天"' in wrong.text and 'value="2021-12-01"' in wrong.text
    assert "日期写成2021-11-05这样" in wrong.text


def test_money_in_doubt_is_given_to_a_pledge_by_two(running):
    medical, tax, lead = clerk(running, Role.MEDICAL), clerk(running, Role.TAX_CLERK), clerk(running, Role.TAX_LEAD)
    pledge = entered(medical)
    bank(running, "转账", "320")
    here = "/office/suspense/0/deposit:BK1"
    number = running.one("select number from pledge").number
    wrong = tax.post(f"{here}/pledge", data={"pledge": number})
    assert wrong.status_code == 409 and f'value="{number}"' in wrong.text  # nobody has agreed to it yet
    lead.post(f"/office/sponsors/{pledge}/agree")
    assert tax.post(f"{here}/pledge", data={"pledge": number}).status_code == 303
    page = lead.get(here).text
    assert "爱心人士" in page and "同意，记到这笔资助" in page

    lead.post(f"{here}/give", data={"pledge": pledge})

    assert stands(running, pledge) == ("ACTIVE", 0, 0, 320)
    assert CLERK not in page


def test_nobody_promises_for_another_premium_than_the_one_that_has_sponsors(running):
    session = sha256(clerk(running, Role.MEDICAL).get_cookie("session").value.encode()).digest()
    asked = "select officer_enters_pledge(:s, null, '{}', 'RES_PENSION', 2022, 1, '{}', now(), now())"
    with running.parts.engine.begin() as connection, pytest.raises(DBAPIError, match="enters nothing for RES_PENSION"):
        connection.execute(text(asked), {"s": session})


def test_a_town_enters_and_sees_its_own_only(running, adult):
    other = running.write(
        lambda c: a_person(
            c, id_number=an_id_number(sequence=8), name="李远处", household=a_household(c, village="370404104901")
        )
    )
    medical = clerk(running, Role.MEDICAL)
    town = clerk(running, Role.TOWN, towns=[TOWN])
    elsewhere = entered(medical, key="another-key")
    pledge = entered(town, town=TOWN)

    assert town.get(f"/office/sponsors/{elsewhere}").status_code == 404
    assert town.post(f"/office/sponsors/{elsewhere}/end", data={"why": "不要了"}).status_code == 404
    assert town.post(f"/office/sponsors/{pledge}/agree").status_code == 403
    for words in (
        {"village_code": "370404104901"},
        {"village_code": "", "category": "DIBAO"},
        {"whom": "named", "people": f"李远处 {an_id_number(sequence=8)}"},
        {"town": "370404104", "village_code": "370404104901"},
        {"sponsor": str(sponsor_of(running, elsewhere))},  # whose contact it would read in clear
    ):
        assert (
            town.post("/office/sponsors/new", data=FORM | {"key": f"k{words}", "town": TOWN} | words).status_code != 303
        )
    assert town.get("/office/sponsors/").text.count("/office/sponsors/") == 3  # the door, the form, and its own
    assert other and running.one("select count(*) from pledge")[0] == 2
    again = entered(town, town=TOWN, key="its-own", sponsor=str(sponsor_of(running, pledge)))
    assert sponsor_of(running, again) == sponsor_of(running, pledge)
