"""A town's counter: whoever stands there is served by the clerk's name, and nobody of another town is."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from app.registry import find
from payments.truths.invariants import INVARIANTS, look
from tests.app.flows.test_sponsors import funded
from tests.app.registry.files import a_csv, a_row, taken_in
from tests.app.web.test_office_people import at_desk, far, page_of
from tests.builders import a_person, an_id_number
from tests.refunding import agreed, pay, rows
from tests.system import last_text

__all__ = ["far"]

MEDICAL = Insurance.RES_MEDICAL
NEW_PHONE = "13900000077"


@pytest.fixture
def counter(running, district):
    return at_desk(running, Role.COUNTER, "counter01", [district.village[:9]])


def table_of(client, person):
    """The page on which he is served, from the page on which he was found."""
    page = client.get(page_of(client, person)).text
    return re.search(r'href="(/office/counter/people/[^"/]+)"', page)[1]


def fields_of(html):
    return dict(re.findall(r'name="(key|shown|expected|why)" value="([^"]*)"', html))


def test_who_stands_there_pays_by_a_code_in_the_clerks_name(running, district, counter):
    path = table_of(counter, district.adult)
    page = counter.get(path).text
    reference = path.rpartition("/")[2]

    begun = counter.post(
        path, data=fields_of(page) | {"item": f"{reference}:RES_MEDICAL@2022", "seen": "1", "by": "wechat:native"}
    )

    assert begun.status_code == 303, begun.text
    assert "只能付这一次" in counter.get(begun.location).text
    assert [row.started_by for row in rows(running, "select started_by from payment")] == ["staff:counter01"]
    assert "320" in counter.get(begun.location + "/paper").text
    closed = counter.post(begun.location + "/close")
    assert closed.status_code == 303 and "重新出码" in counter.get(begun.location).text


def test_a_refund_is_asked_for_and_taken_back_at_the_counter_by_who_asked(running, district, counter):
    pay(running, Want(district.adult.id, MEDICAL))
    path = table_of(counter, district.adult)
    assert "替他申请退费" in counter.get(f"{path}/paid").text

    why = counter.get(f"{path}/refund/RES_MEDICAL@2022").text
    assert "他应该由政府替他交" in why and "多收了他的钱" in why and "我" not in why.partition("<main")[2]
    assert "来窗口的就是他本人的，选错了" in counter.get(f"{path}/refund/RES_MEDICAL@2022?why=died").text
    confirm = counter.get(f"{path}/refund/RES_MEDICAL@2022?why=elsewhere").text
    assert "来窗口的就是他本人的" not in confirm
    asked = counter.post(f"{path}/refund/RES_MEDICAL@2022", data=fields_of(confirm))

    assert asked.status_code == 303, asked.text
    assert [row.by for row in rows(running, "select by from refund_step")] == ["staff:counter01"]
    other = at_desk(running, Role.COUNTER, "counter02", [district.village[:9]])
    assert "撤回申请" not in other.get(asked.location).text and "撤回申请" in counter.get(asked.location).text
    counter.post(asked.location + "/withdraw")
    assert "申请撤回了" in counter.get(asked.location).text


def test_the_certificate_of_what_is_booked_is_printed(running, district, counter):
    pay(running, Want(district.adult.id, MEDICAL))
    path = table_of(counter, district.adult)
    told = counter.post(f"{path}/certificate/RES_MEDICAL@2022")
    assert told.status_code == 409 and "入库" in told.text


def test_a_bureau_is_asked_and_the_wish_taken_back(running, district, counter):
    path = table_of(counter, district.adult)
    counter.post(f"{path}/bureau", data={"offer": offer_of(counter.get(f"{path}/bureau").text), "words": "以前没交"})
    held = rows(running, "select id, requested_by, state from determination")
    assert [(row.requested_by, row.state) for row in held] == [("staff:counter01", "applied")]
    page = counter.get(f"{path}/bureau").text
    assert "服务大厅窗口申请" in page

    stranger = at_desk(running, Role.COUNTER, "counter09", ["370404104"]) if far_town(running) else None
    assert stranger is not None
    assert stranger.post(f"{path}/bureau/{held[0].id}/withdraw").status_code == 404

    counter.post(f"{path}/bureau/{held[0].id}/withdraw")
    assert rows(running, "select state, withdrawn_by from determination")[0].withdrawn_by == "staff:counter01"


def test_a_sentence_is_said_and_settled_at_the_counter(running, district, counter):
    path = table_of(counter, district.adult)
    counter.post(f"{path}/matters", data={"kind": "NAME_WRONG", "words": "名字里少了一点"})
    medical = at_desk(running, Role.MEDICAL, "medical01")
    number = rows(running, "select id from matter")[0].id
    medical.post(f"/office/matters/{number}/take")
    medical.post(f"/office/matters/{number}/answer", data={"words": "请带户口本来改"})
    assert "请带户口本来改" in counter.get(f"{path}/matters").text

    counter.post(f"{path}/matters/{number}")

    assert rows(running, "select state from matter")[0].state == "closed"


def test_whoever_stands_there_is_said_to_have_died_only_when_asked_twice(running, district, counter, browser):
    path = f"{table_of(counter, district.adult)}/matters"
    page = counter.get(path).text
    assert (
        "名单上没有他" in page
        and "他没付过这笔" in page
        and "我" not in page.partition("<fieldset")[2].partition("</f")[0]
    )
    died = {"kind": "DIED", "words": "上个月走了"}

    asked = counter.post(path, data=died)

    assert (
        asked.status_code == 200 and "站在窗口的就是他本人的，选错了" in asked.text and "转给人社局核对" in asked.text
    )
    assert rows(running, "select 1 from matter") == []
    back = counter.post(path, data={"words": died["words"], "again": "1"})
    assert back.status_code == 200 and "上个月走了</textarea>" in back.text and 'role="alert"' not in back.text
    assert counter.post(path, data=died | {"sure": "1"}).status_code == 303
    assert [row.by for row in rows(running, "select by from matter where kind = 'DIED'")] == ["staff:counter01"]
    browser.look_up(district.adult.name, district.adult.id_number)
    his = browser.get("/matters").text
    assert "人去世了" in his and "上个月走了" not in his, "what a clerk wrote is the office's"


def test_a_phone_is_put_right_by_a_paper_and_the_former_one_is_told(running, district, counter):
    path = table_of(counter, district.adult)
    former, before = _phone(running, district.adult.id), _phone(running, district.neighbour.id)
    for phone, proof, told in (
        ("1390000", "本人到场", "“新的手机号”要写11位"),
        (NEW_PHONE, "好", "“看了什么材料”要写"),
        (NEW_PHONE, f"看了{district.adult.id_number}", "“看了什么材料”里写了证件号"),
        (former, "本人到场", "和现在登记的一样"),
    ):
        refused = counter.post(f"{path}/phone", data={"phone": phone, "proof": proof})
        assert refused.status_code == 400 and phone in refused.text and told in refused.text

    done = counter.post(f"{path}/phone", data={"phone": "139 0000 0077", "proof": "本人到场，核对身份证原件"})

    assert done.status_code == 303 and "139****0077" in counter.get(done.location).text
    assert _phone(running, district.adult.id) == NEW_PHONE
    assert _phone(running, district.neighbour.id) == before
    assert "改成别的号" in last_text(running.url, former)
    noted = rows(running, "select by, cause, columns from register_change where of = 'person'")
    assert [(row.by, row.columns) for row in noted] == [("staff:counter01", ["phone"])]
    wall = running.parts.clocks.wall()
    with running.parts.engine.connect() as connection:
        [found] = look(connection, [INVARIANTS["INV-81"]], wall=wall, today=running.parts.clocks.today())
    assert not [each for each in found.sample if "phone" in each]


def test_a_bureaus_file_that_repeats_the_former_phone_changes_nothing(running, district, counter, tmp_path):
    former, own = "13800000077", an_id_number(sequence=201)
    taken_in(running.office, a_csv(tmp_path / "0.csv", a_row(201, mobile=former), a_row(203, mobile=former)))
    path = table_of(counter, SimpleNamespace(id_number=own))
    person, other = _id(running, own), _id(running, an_id_number(sequence=203))
    counter.post(f"{path}/phone", data={"phone": NEW_PHONE, "proof": "本人到场，核对身份证原件"})
    assert (_phone(running, person), _phone(running, other)) == (NEW_PHONE, former)

    again = [a_row(each, mobile=former, relation_to_head="配偶") for each in (201, 203)]
    taken_in(running.office, a_csv(tmp_path / "1.csv", *again))
    assert (_phone(running, person), _phone(running, other)) == (NEW_PHONE, former)

    taken_in(running.office, a_csv(tmp_path / "2.csv", a_row(201, mobile="13700000011", relation_to_head="户主")))
    assert _phone(running, person) == "13700000011", "a new word of the bureau counts"


def test_nobody_of_another_town_is_served(running, district, counter, far):
    person, number = far
    assert "没有找到" in counter.post("/office/people/", data={"wanted": number, "place": ""}).text
    clerk = at_desk(running, Role.TAX_CLERK)
    his = re.search(r'href="/office/people/([^"]+)"', clerk.post("/office/people/", data={"wanted": number}).text)[1]
    assert counter.get(f"/office/counter/people/{his}").status_code == 404
    session = rows(
        running, "select token_hash from session s join staff f on f.id = s.staff_id where f.role = 'counter'"
    )
    with pytest.raises(DBAPIError, match="is not served"), running.parts.engine.begin() as connection:
        connection.execute(
            text("select correct_phone(:session, :person, '\\x00', null, '核对证件', now())"),
            {"session": session[0].token_hash, "person": person},
        )
    paid = pay(running, Want(district.neighbour.id, MEDICAL))
    assert counter.get(f"/office/counter/pay/{paid}").status_code == 200
    assert agreed(running.parts, paid)


def _phone(running, person):
    with running.parts.engine.connect() as connection:
        return find.phone_of(connection, running.parts.vault, person)


def _id(running, id_number):
    with running.parts.engine.connect() as connection:
        return find.by_id_number(connection, running.parts.vault, id_number)[0]


def offer_of(html):
    return re.search(r'name="offer" value="([^"]+)"', html)[1]


def far_town(running):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("insert into town values ('370404104', '远镇')")
    return True


def test_two_of_a_house_share_what_a_sponsor_has_left_as_the_page_says(running, district, counter):
    sibling = running.write(
        lambda c: a_person(c, name="张姊妹", id_number=an_id_number(sequence=16), household=district.household)
    )
    funded(running, mode="FIX", value="100", budget="100")
    path = table_of(counter, district.adult)
    own, other = (
        found[1] for found in re.finditer(r'name="item" value="([^"]+:RES_MEDICAL@2022)"', counter.get(path).text)
    )
    wish = {"item": [own, other], "seen": "1", "by": "wechat:native"}

    alone = counter.post(path, data=fields_of(counter.get(path).text) | wish | {"shown": "44000"})

    assert "changed=1" in alone.location and rows(running, "select 1 from payment") == []
    page = counter.get(alone.location).text
    assert fields_of(page)["shown"] == "54000" and "资助款已用完" in page
    begun = counter.post(path, data=fields_of(page) | wish)
    assert "/pay/" in begun.location and rows(running, "select amount from payment") == [(54000,)]
    assert {row.person_id for row in rows(running, "select person_id from bill")} == {district.adult.id, sibling}
    funded(running, village_code=district.other_village)
    assert "不用交，有人资助" in counter.get(table_of(counter, district.neighbour)).text
