"""A child without an identity number: applied for under its birth certificate, registered by the medical bureau, paid
for as any of the family, and found by the certificate."""

import io
import re
from datetime import datetime

import pytest

from app.access.roles import Role
from app.flows.due.quote import all_due, subjects
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from app.registry import find
from core.clock import BEIJING
from tests.app.web.test_asking import a_photo
from tests.app.web.test_office_people import at_desk
from tests.browsing import a_token
from tests.refunding import rows
from tests.system import second_code

MEDICAL = Insurance.RES_MEDICAL
DESK = "/office/newborns/"


def register(client, key):
    """In hand, compared with the certificate, registered."""
    client.post(f"{DESK}{key}/check")
    return client.post(f"{DESK}{key}/register", data={"compared": "1"})


PAPER = "T370912345"
CHILD = {"certificate": PAPER, "name": "张小宝", "born": "2021-12-20", "sex": "2"}
JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)


def a_child(**other):
    return {**CHILD, **other, "picture": (io.BytesIO(a_photo()), "p.jpg")}


@pytest.fixture
def now(running):
    """After the window: who is no newborn pays the full price."""
    running.app.config["WTF_CSRF_ENABLED"] = False
    running.turn(JANUARY)


@pytest.fixture
def parent(running, district, now):
    """A resident who has looked himself up, and the address of his page for a child."""
    client = running.app.test_client()
    client.set_cookie("session", a_token(running, "13800000000"))  # the one the register has for him
    named = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}
    assert client.post("/who", data=named).status_code == 303
    return client, re.search(r'href="(/newborn/[^"]+)"', client.get("/due").text)[1]


@pytest.fixture
def medical(running, district, now):
    return at_desk(running, Role.MEDICAL, "med1")


def told(running, kind):
    return [row.fields for row in rows(running, "select kind, fields from notice") if row.kind == kind]


def newborn(running):
    return running.one("select * from newborn order by id desc limit 1")


def test_a_parent_applies_the_bureau_registers_and_he_pays_the_newborns_price(running, district, parent, medical):
    client, path = parent
    others = rows(running, "select * from person order by id")

    bad = client.post(path, data=a_child(certificate="370499", name="小1", born="2029-01-01", sex=""))
    assert bad.status_code == 422 and "1个字母加9个数字" in bad.text and 'value="370499"' in bad.text
    assert "不能晚于今天" in bad.text and "照出生医学证明写" in bad.text and "请选男或女" in bad.text
    assert client.post(path, data={**CHILD}).status_code == 422 and rows(running, "select * from newborn") == []
    wide = "ｔ３７０９ １２３４５"
    assert client.post(path, data=a_child(certificate=wide)).status_code == 303
    again = client.post(path, data=a_child(name="张二宝"))
    assert again.status_code == 409 and "已经申请过" in again.text and 'value="张二宝"' in again.text
    mine = client.get(path).text
    assert "等医保局核实" in mine and "T******345" in mine and PAPER not in mine and "撤回" in mine

    number = newborn(running).id
    listed, page = medical.get(DESK).text, medical.get(f"{DESK}{number}").text
    assert (
        "张*宝" in listed
        and PAPER in page
        and "张小宝" in page
        and "1</strong><small>个孩子等您登记" in medical.get("/office/").text
    )
    assert medical.get(f"{DESK}{number}/picture").mimetype == "image/jpeg"
    assert "先点“开始核实”" in medical.post(f"{DESK}{number}/register", data={"compared": "1"}).text
    assert f"{DESK}{number}/re" not in page and 'class="proof"' not in page, "first it is taken in hand"
    assert medical.post(f"{DESK}{number}/check").status_code == 303
    page = medical.get(f"{DESK}{number}").text
    assert f'src="{DESK}{number}/picture"' in page and 'name="compared"' in page and "/check" not in page
    unseen = medical.post(f"{DESK}{number}/register")
    assert unseen.status_code == 409 and "逐项对过勾上" in unseen.text and newborn(running).state == "checking"
    assert "撤回" not in client.get(path).text
    assert register(medical, number).status_code == 303
    twice = register(medical, number)

    assert twice.status_code == 409 and "不能再改" in twice.text
    held = newborn(running)
    assert (held.state, held.decided_by) == ("registered", "staff:med1")
    child = running.one("select * from person where id = :id", id=held.person_id)
    adult = running.one("select * from person where id = :id", id=district.adult.id)
    assert (child.household_id, child.id_type, str(child.birth_date), child.sex) == (
        *(adult.household_id, "BIRTH_CERT", "2021-12-20", 2),
    )
    [subject] = subjects(running.parts, [held.person_id])
    assert (subject.name, subject.id_masked) == ("张小宝", "T******345")
    due = next(
        each for each in all_due(running.parts, subject, at=running.parts.clocks.now()) if each.insurance == MEDICAL
    )
    assert (due.quote.reason_code, due.quote.to_pay) == ("NEWBORN_OK", 32000)
    notice = running.one("select * from notice where kind = 'determined'")
    assert (notice.kind, notice.cause) == ("determined", f"determination:N{number}:determined")
    assert (notice.fields["names"], notice.fields["items"]) == ("张*宝", "新生儿参保登记")
    seen = client.get("/due").text  # at once, in the session he has
    assert "张*宝" in seen and "登记好了" in client.get(path).text
    assert rows(running, "select * from person where id <> :id order by id".replace(":id", str(child.id))) == others
    assert [each.sample for each in check_book(running.parts, ["INV-133", "INV-117", "GUARDS"]) if each.rows] == []


def test_anybody_of_the_family_finds_him_by_name_and_certificate(running, district, parent, medical):
    client, path = parent
    client.post(path, data=a_child())
    register(medical, newborn(running).id)
    other = running.app.test_client()
    other.set_cookie("session", a_token(running))

    unknown = other.post("/who", data={"name": "张大宝", "id_number": PAPER, "agreed": "1"})
    found = other.post("/who", data={"name": "张小宝", "id_number": PAPER.lower(), "agreed": "1"})

    assert unknown.status_code == 404 and found.status_code == 303 and "张*宝" in other.get("/due").text
    desk = medical.post("/office/people/", data={"wanted": PAPER})
    assert "张小宝" in desk.text and PAPER not in desk.text.replace(f'value="{PAPER}"', "")
    with running.parts.engine.connect() as connection:
        assert find.index_of(running.parts.vault, PAPER) != running.parts.vault.index(PAPER, purpose="id_number")
        assert find.restricted(connection, running.parts.vault, PAPER) is None
    assert client.post(path, data=a_child()).status_code == 409


def test_a_no_is_told_with_its_reason_and_asked_for_anew(running, district, parent, medical):
    client, path = parent
    client.post(path, data=a_child())
    number = newborn(running).id

    assert medical.post(f"{DESK}{number}/refuse", data={"reason": " "}).status_code == 400
    assert medical.post(f"{DESK}{number}/refuse", data={"reason": "照片看不清"}).status_code == 303

    assert "照片看不清" in client.get(path).text and len(told(running, "not_determined")) == 1
    assert client.post(path, data=a_child()).status_code == 303
    withdrawn = client.post(f"{path}/{number + 1}/withdraw")
    assert withdrawn.status_code == 303 and newborn(running).state == "withdrawn"
    assert client.post(f"{path}/{number + 1}/withdraw").status_code == 409
    other = running.app.test_client()
    other.set_cookie("session", a_token(running))
    assert other.post(f"{path}/{number}/withdraw").status_code in (302, 303, 404)
    assert newborn(running).state == "withdrawn" and len(rows(running, "select * from newborn")) == 2


def test_an_older_child_is_registered_and_pays_as_any_other(running, district, parent, medical):
    client, path = parent
    client.post(path, data=a_child(born="2021-03-01"))
    client.post(path, data=a_child(born="2019-03-01", certificate="T370912346"))
    first, second = (row.id for row in rows(running, "select id from newborn order by id"))
    assert "孩子已经满 2 岁" in medical.get(f"{DESK}{second}").text, "the desk is told, and decides all the same"
    assert "孩子已经满" not in medical.get(f"{DESK}{first}").text
    assert medical.post(f"{DESK}{second}/refuse", data={"reason": "请先去上户口"}).status_code == 303
    register(medical, first)

    [subject] = subjects(running.parts, [running.one("select person_id from newborn where id = :n", n=first)[0]])
    due = next(
        each for each in all_due(running.parts, subject, at=running.parts.clocks.now()) if each.insurance == MEDICAL
    )
    assert due.quote.reason_code != "NEWBORN_OK" and rows(running, "select * from determination") == []


def test_an_agent_applies_for_who_asks_him_and_the_parent_has_the_child(running, district, parent, medical, an_agent):
    login, password = an_agent
    agent = running.app.test_client()
    fields = {"login": login, "password": password, "code": second_code(running.url, login)}
    assert agent.post("/agent/login", data=fields).status_code == 303
    found = agent.post(f"/agent/villages/{district.village}", data={"q": district.adult.name}, follow_redirects=True)
    table = agent.get(re.search(r'href="(/agent/people/[^"?]+)', found.text)[1]).text
    path = re.search(r'href="([^"]+/newborn)"', table)[1]

    assert agent.post(path, data=a_child()).status_code == 303
    assert "等医保局核实" in agent.get(path).text and newborn(running).requested_by.startswith("agent:")
    register(medical, newborn(running).id)

    assert "张*宝" in parent[0].get("/due").text
    number = running.one("select determination from bill union select id from determination")[0]
    assert running.one("select requested_by from determination where id = :n", n=number)[0].startswith("agent:")
