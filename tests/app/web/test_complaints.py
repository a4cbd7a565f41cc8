"""The tax clerk's pages of complaints: the list by its clock, the case, what is typed and what is refused."""

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import text

from app.access.roles import Role
from app.flows.complaints.send import send_due
from app.flows.complaints.watch import poll
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.flows.test_complaints import _nobody_has_complained, complain, due_now, far, replies
from tests.app.web.test_office_people import at_desk
from tests.builders import NOON
from tests.refunding import agree, pay, rows

__all__ = ["_nobody_has_complained"]
MEDICAL = Insurance.RES_MEDICAL


@pytest.fixture
def clerk(running, district):
    return at_desk(running, Role.TAX_CLERK, "clerk01")


def path_of(number, gateway="wechat"):
    return f"/office/complaints/{gateway}/{number}"


def test_the_list_is_by_its_clock_with_pages_filters_and_an_empty_state(running, clerk):
    assert "没有要办的投诉" in clerk.get("/office/complaints/").text
    assert "办结的投诉一件也没有" in clerk.get("/office/complaints/?ended=1").text
    assert "云闪付没有投诉接口" in clerk.get("/office/complaints/").text
    for hour in range(21):
        at = (NOON - timedelta(hours=23 - hour)).isoformat()
        complain(running, "wechat", f"SHOP-{hour}", at=at)
    last = complain(running, "alipay")
    poll(running.parts)

    first = clerk.get("/office/complaints/").text
    second = clerk.get("/office/complaints/?page=2").text

    assert first.count("<tr") - 1 == 20 and second.count("<tr") - 1 == 2
    assert "第 1 页，共 2 页，22 件" in first and last in second
    assert re.search(r"第一次回复还剩 \d 小时", first) and "快到了" in first
    assert "支付宝" in clerk.get("/office/complaints/?gateway=alipay").text
    assert clerk.get("/office/complaints/?gateway=alipay").text.count("<tr") - 1 == 1
    assert "这一页没有了" in clerk.get("/office/complaints/?page=9").text
    assert "22</strong><small>件投诉等您办" in clerk.get("/office/").text


def test_the_clerk_reads_answers_asks_back_and_marks_it_done(running, district, clerk):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    number = complain(running, "wechat", payment, words="交了两次，电话13800005678", wants_back=32000)
    poll(running.parts)

    page = clerk.get(path_of(number)).text
    assert payment in page and "/office/audit/trace/" in page and "要求退 320 元" in page
    assert "13800005678" not in page and "138****1234" in page
    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "white").save(picture, "PNG")
    picture.seek(0)
    said = {"key": "looking", "own": "明天回复您", "picture": (picture, "a.png")}
    assert clerk.post(f"{path_of(number)}/answer", data=said).status_code == 303
    assert "马上发出" in clerk.get(path_of(number)).text
    send_due(running.parts)
    shown = clerk.get(path_of(number)).text
    assert "平台上已经看得到" in shown and "附一张图片" in shown and "等我们处理" not in shown
    listed = clerk.get("/office/complaints/").text
    assert "已回复，等办结" in listed and "投诉什么" in listed and "13800005678" not in listed
    assert clerk.post(f"{path_of(number)}/back", data={"why": "twice"}).status_code == 303
    refund = rows(running, "select refund from complaint")[0].refund
    assert refund in clerk.get(path_of(number)).text and "待受理" in clerk.get(path_of(number)).text
    early = clerk.post(f"{path_of(number)}/answer", data={"key": "", "own": "", "finish": "1"})
    assert early.status_code == 409 and "还没有人定" in early.text
    agree(running.parts, refund)
    assert clerk.post(f"{path_of(number)}/answer", data={"key": "", "own": "", "finish": "1"}).status_code == 303
    send_due(running.parts)

    done = clerk.get(path_of(number)).text
    assert "办结" in done and "您要办的" not in done
    assert number in clerk.get("/office/complaints/?ended=1").text
    assert [move for _, move, _ in far(running, number)] == ["CAME", "SAID", "DONE"]


@pytest.mark.parametrize("own", ["证件370499199001010011", "张示例您好", "看 https://a.example", ""])
def test_what_may_not_go_out_stays_in_the_form(running, district, clerk, own):
    payment = pay(running, Want(district.adult.id, MEDICAL))
    number = complain(running, "wechat", payment)
    poll(running.parts)

    answer = clerk.post(f"{path_of(number)}/answer", data={"key": "", "own": own})

    assert answer.status_code == 400 and "回复没有写下" in answer.text
    assert f">{own}</textarea>" in answer.text
    assert replies(running, number) == []


def test_a_picture_that_is_none_loses_no_word(running, clerk):
    number = complain(running, "alipay")
    poll(running.parts)
    said = {"key": "booked", "own": "请放心", "picture": (io.BytesIO(b"<script>"), "a.png")}

    answer = clerk.post(f"{path_of(number, 'alipay')}/answer", data=said)

    assert answer.status_code == 400 and "图片没有收下" in answer.text
    assert "请放心</textarea>" in answer.text and 'value="booked" selected' in answer.text
    assert replies(running, number) == []


def test_the_payers_phone_in_full_is_a_reading_with_a_reason(running, clerk):
    number = complain(running, "wechat", words="打13800005678找我")
    poll(running.parts)

    assert clerk.post(f"{path_of(number)}/full", data={"reason": "看"}).status_code == 400
    shown = clerk.post(f"{path_of(number)}/full", data={"reason": "回电话核对缴费"})

    assert "13800001234" in shown.text and "13800005678" in shown.text
    [noted] = rows(running, "select * from disclosure")
    assert (noted.by, noted.what, noted.reason) == ("staff:clerk01", "complaint", "回电话核对缴费")
    assert "13800001234" not in clerk.get(path_of(number)).text
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    assert f"投诉单 {number}" in auditor.get("/office/audit/readings").text
    assert auditor.post(f"{path_of(number)}/full", data={"reason": "回电话核对缴费"}).status_code == 403
    assert "您要办的" not in auditor.get(path_of(number)).text


def test_what_the_platform_refused_is_said_on_the_page(running, clerk):
    number = complain(running, "wechat")
    poll(running.parts)
    clerk.post(f"{path_of(number)}/answer", data={"key": "looking"})
    running.outside.post(f"/complaints/{number}/withdraw", {})
    send_due(running.parts)
    due_now(running)

    page = clerk.get(path_of(number)).text

    assert "平台没有收" in page and "投诉人撤回" in page
    assert clerk.post(f"{path_of(number)}/answer", data={"key": "looking"}).status_code == 409


def test_a_number_nobody_has_is_not_there(clerk):
    assert clerk.get(path_of("200020211105")).status_code == 404
    assert clerk.post(f"{path_of('200020211105')}/answer", data={"key": "looking"}).status_code == 404


def test_a_forged_notification_changes_nothing(running, clerk):
    number = complain(running, "wechat", at=NOON.isoformat())
    for gateway in ("wechat", "alipay"):
        for body in (b"", b"{}", b"sign_type=RSA2&msg_method=alipay.merchant.tradecomplain.changed&sign=x"):
            answer = running.app.test_client().post(f"/callbacks/{gateway}/complaints", data=body)
            assert answer.status_code == 401
    assert running.app.test_client().post("/callbacks/unionpay/complaints", data=b"").status_code == 404
    assert running.app.test_client().post("/callbacks/wechat/complaints?a=1", data=b"").status_code == 400

    assert rows(running, "select 1 from complaint_hint") == rows(running, "select 1 from complaint") == []
    assert number and rows(running, "select 1 from received where result = 'refused'")
    with running.parts.engine.connect() as connection:
        assert connection.execute(text("select count(*) from payment")).scalar_one() == 0
