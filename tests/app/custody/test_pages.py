"""An agent's screen offers codes first and cash last, reads back, gives a receipt; it goes to the bank; offices see."""

import re

import pytest
from pypdfium2 import PdfDocument
from sqlalchemy import text

from app.access.roles import Role
from app.flows.custody import remit
from core.db import EVERYWHERE, PLACES
from tests.app.custody.test_take import FIRST, bank
from tests.app.roster.test_post import agent_client
from tests.attacks.test_places import CASH
from tests.refunding import rows


@pytest.fixture
def phone(running, village):
    running.app.config["WTF_CSRF_ENABLED"] = False
    return agent_client(running)


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


def test_an_agent_takes_cash_on_his_screen(running, district, village, phone):
    listing = phone.get(f"/agent/villages/{district.village}").text
    assert "我的现金（手里 0 元）" in listing
    person = next(
        found
        for found in re.findall(r"/agent/people/([\w-]+)", listing)
        if "张示例" in phone.get(f"/agent/people/{found}").text.split("</h1>")[0]
    )
    page = phone.get(f"/agent/people/{person}")
    assert page.text.index("出微信") < page.text.index("POS机") < page.text.index("收现金（最后的办法）")
    items = re.findall(r'name="item" value="([^"]+)" data-fen', page.text)[:1]

    read = phone.post(f"/agent/people/{person}/cash", data={"item": items})
    assert "收到现金 320 元：张示例" in read.text and "RES_MEDICAL" in read.text
    said = {name: field(read, name) for name in ("key", "total")} | {"item": items}
    moved = phone.post(f"/agent/people/{person}/cash/take", data=said | {"total": "31000"})
    assert moved.status_code == 409 and "刚才有变动" in moved.text and rows(running, "select from receipt") == []
    done = phone.post(f"/agent/people/{person}/cash/take", data=said)
    again = phone.post(f"/agent/people/{person}/cash/take", data=said)
    assert done.location == again.location == f"/agent/cash/receipts/{FIRST}"

    shown = phone.get(done.location).text
    assert "居社2022 00000101" in shown and "叁佰贰拾元整" in shown
    paper = [page.get_textpage().get_text_range() for page in PdfDocument(phone.get(f"{done.location}/paper.pdf").data)]
    assert [copy in said for copy, said in zip(("存根", "缴费人", "记账"), paper, strict=True)] == [True] * 3
    assert "叁佰贰拾元整" in paper[1] and "盖村居章" in paper[1]
    strip = phone.get(f"{done.location}/strip").text
    code = running.one("select code from receipt").code
    assert code in strip and "张示例" in strip
    public = running.app.test_client().get(f"/check?code={code}").text
    assert "00000101" in public and "张示例" not in public and "320" not in public
    assert f'没有交过，或者交的不是这个数，请打 <strong class="whole">{running.parts.help_phone}' in public

    torn = phone.post(f"{done.location}/void", data={"why": "torn"})
    assert torn.location == f"/agent/cash/receipts/{FIRST + 1}"
    assert "这张收据已作废" in running.app.test_client().get(f"/check?code={code}").text
    assert "请选为什么作废" in phone.post(f"{torn.location}/void", data={}).text

    mine = phone.get("/agent/cash").text
    until = re.search(r'<option value="([^"]+)"', mine)[1]
    assert "凭条号不对" in phone.post("/agent/cash/remit", data={"until": until, "slip": "x"}).text
    assert phone.post("/agent/cash/remit", data={"until": until, "slip": "k-7788"}).status_code == 303
    assert "等银行的文件" in phone.get("/agent/cash").text
    bank(running, ("K1", "300", "K-7788"))
    assert "还差 20 元" in phone.get("/agent/cash").text
    batch = running.one("select id from cash_batch").id
    assert "已经登记在这一批上" in phone.post(f"/agent/cash/batches/{batch}/slips", data={"slip": "K-7788"}).text
    assert phone.post(f"/agent/cash/batches/{batch}/slips", data={"slip": "K-7799"}).status_code == 303
    bank(running, ("K2", "20", "K-7799"))
    assert "银行收到了" in phone.get("/agent/cash").text
    assert "已作废" in phone.get("/agent/cash/receipts").text


def test_offices_give_books_switch_villages_on_and_see_who_holds_what(running, district, village, desk):
    village.take()
    clerk = desk("clerk01", Role.TAX_CLERK)
    town = desk("town01", Role.TOWN, towns=[district.village[:9]])
    running.write(lambda c: c.execute(text("insert into town (code, name) values ('370404104', '峨山镇')")))
    elsewhere = desk("town02", Role.TOWN, towns=["370404104"])
    wrong = {"year": "2022", "village": district.village, "first": "103", "last": "120"}
    refused = clerk.post("/office/cash/books", data=wrong)
    assert refused.status_code == 409 and "已经发给别的村" in refused.text and 'value="120"' in refused.text
    assert clerk.post("/office/cash/books", data=wrong | {"first": "111"}).status_code == 303
    assert "居社2022 00000120" in clerk.get("/office/cash/books").text
    assert (
        "没有这个村"
        in clerk.post("/office/cash/books", data=wrong | {"first": "121", "last": "125", "village": "1"}).text
    )
    for client, sees in ((clerk, True), (town, True), (elsewhere, False)):
        assert ("agent01" in client.get("/office/cash/").text) is sees
        assert ("00000120" in client.get("/office/cash/books").text) is sees
        assert client.get("/office/cash/batches").status_code == client.get("/office/cash/voided").status_code == 200
    remit.remit(running.parts, FIRST, 32000, slip="7788", photo=b"drawn", by=village.agent)
    slip = running.one("select id from cash_slip").id
    photo = f"/office/cash/slips/{slip}/photo"
    assert town.get(photo).data == b"drawn" and elsewhere.get(photo).status_code == 404
    for place, seen in ((district.other_village, 0), ("370404104", 0), (district.village, 1), ("370404103", 1)):
        PLACES.set(place)
        with running.parts.engine.connect() as connection:
            counts = [connection.execute(text(f"select count(*) from {table}")).scalar_one() > 0 for table in CASH]
        PLACES.set(EVERYWHERE)
        assert counts == [bool(seen)] * len(CASH), place
    assert "可以收" in town.get("/office/cash/switch").text
    assert "请先勾选" in town.post("/office/cash/switch", data={"on": "0"}).text
    assert elsewhere.post("/office/cash/switch", data={"on": "0", "village": district.village}).status_code == 404
    assert town.post("/office/cash/switch", data={"on": "0", "village": district.village}).status_code == 303
    assert [row.is_on for row in rows(running, "select is_on from cash_switch order by id")] == [True, False]
