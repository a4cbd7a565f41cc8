"""Papers that prove a payment: who may have them, anybody checks them, void when the money went back."""

import io
import re

import pypdfium2
import pytest
import zxingcpp

from app.flows.pay.start import Want
from app.flows.reconcile.import_outside import import_outside
from app.policy.facts import Insurance
from app.web.api.told import ErrorTold
from app.web.api.told_money import ProofTold
from tests.app.web.test_agent import agent, person_page
from tests.app.web.test_api import Api
from tests.refunding import CLERK, agreed, pay, rows, run_refunds, start, state
from tests.system import eventually

__all__ = ["agent"]

PAPER = (
    "税票号,入库日期,业务日期,险种,年度,类别,金额\nT0001,2021-11-08,2021-11-05,居民医疗保险,2022,保费,{0}\n合计,1,{0}\n"
)


def paid(running, *people, key="k"):
    return pay(running, *(Want(person.id, Insurance.RES_MEDICAL) for person in people), key=key)


def book_at_the_treasury(running, amount="320.00"):
    import_outside(running.parts, "treasury", PAPER.format(amount).encode(), by=CLERK)


def file_of(browser, page, action):
    """The PDF behind a button of a page."""
    answer = browser.session.post(browser._url(action), data=page.fields(action), timeout=10)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/pdf", answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.content, answer.url


def words_of(pdf):
    return "".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().split())


def code_on(pdf):
    """What a phone reads from the paper."""
    (found,) = zxingcpp.read_barcodes(pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil())
    return found.text


def the_certificate(browser, district):
    browser.look_up(district.adult.name, district.adult.id_number)
    page = browser.get(browser.get("/paid").link("缴费凭证"))
    return file_of(browser, page, re.search(r'action="(/proof/[^"]+)"', page.html)[1])


def test_the_confirmation_is_there_at_once_and_says_what_it_is_not(running, district, browser):
    number = paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)

    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")

    said = words_of(pdf)
    for words in (
        "缴费确认单",
        "张示例",
        "3704**********",
        "叁佰贰拾元整",
        "320.00",
        number,
        "不是税务凭证",
        "微信支付",
    ):
        assert words in said
    assert district.adult.id_number not in said


def test_there_is_no_certificate_before_the_treasury_has_the_money(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    path = browser.get("/paid").link("缴费凭证")

    page = browser.get(path)
    assert "正在入库" in page.text and f'action="{path}"' not in page.html
    assert browser.submit(page, path, form="/pay/").status == 409

    book_at_the_treasury(running)
    assert f'action="{path}"' in browser.get(path).html


def test_a_booking_of_another_amount_is_nobodys_certificate_yet(running, district, browser):
    paid(running, district.adult)
    book_at_the_treasury(running, "319.00")
    browser.look_up(district.adult.name, district.adult.id_number)

    assert "正在入库" in browser.get(browser.get("/paid").link("缴费凭证")).text


def test_a_certificate_is_whole_and_its_code_is_read_by_a_phone(running, district, browser):
    number = paid(running, district.adult)
    book_at_the_treasury(running)

    pdf, _ = the_certificate(browser, district)

    said = words_of(pdf)
    for words in (
        *("社会保险费缴费证明", "张示例", "城乡居民基本医疗保险费", "2022年1月1日至2022年12月31日", "叁佰贰拾元整"),
        *("2021年11月8日", "T0001", number, "峄城区税务局"),
    ):
        assert words in said
    assert code_on(pdf).startswith(f"{running.parts.public_url}/check?code=")
    page = browser.get(code_on(pdf).removeprefix(running.parts.public_url))
    assert "请对照纸上的内容" in page.text and "320 元" in page.text and "张*例" in page.text
    assert district.adult.name not in page.html and "3704" not in page.html


def test_the_same_settlement_is_the_same_paper(running, district, browser):
    paid(running, district.adult)
    book_at_the_treasury(running)

    (first, address), (again, same) = the_certificate(browser, district), the_certificate(browser, district)

    assert first == again and address == same
    assert [row.given_out for row in rows(running, "select given_out from proof")] == [2]


def test_a_file_is_told_from_an_altered_one(running, district, browser):
    paid(running, district.adult)
    book_at_the_treasury(running)
    pdf, address = the_certificate(browser, district)
    code = address.rpartition("/")[2].removesuffix(".pdf")

    def checked(content, typed=code):
        page = browser.get("/check")
        return browser._page(
            browser.session.post(
                browser._url("/check"), data=page.fields() | {"code": typed}, files={"file": ("a.pdf", content)}
            )
        )

    assert "没有改过" in checked(pdf).text
    assert "没有改过" in checked(pdf, " ".join(code.lower()[at : at + 4] for at in range(0, 16, 4))).text
    assert "不是我们开的那一份" in checked(pdf.replace(b"320.00", b"920.00") + b" ").text
    other = code[:-1] + ("0" if code[-1] != "0" else "1")
    forged = checked(pdf, other)
    assert forged.status == 404 and "请不要相信" in forged.text


def test_a_paper_is_void_when_the_money_went_back(running, district, browser):
    number = paid(running, district.adult)
    book_at_the_treasury(running)
    pdf, _ = the_certificate(browser, district)

    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")

    page = browser.get(code_on(pdf).removeprefix(running.parts.public_url))
    assert "已作废" in page.text and "退了费" in page.text
    assert browser.get("/paid").html.count("缴费凭证") == 0


def codes(running):
    return [row.code for row in rows(running, "select code from proof order by issued_at, code")]


def test_money_that_went_back_is_certified_nowhere(running, district, browser):
    """B9: /check said 已缴费, /pay 缴费成功 with a benefit date, and a new confirmation could be drawn."""
    number, neighbours = paid(running, district.adult), paid(running, district.neighbour, key="n")
    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")
    browser.look_up(district.adult.name, district.adult.id_number)

    page = browser.get(f"/pay/{number}")
    told = {row.number: row.check_code for row in rows(running, "select number, check_code from payment")}
    notice, other = (browser.get("/check", code=told[each]).text for each in (number, neighbours))

    assert "已退费" in page.text and "缴费成功" not in page.text and "可以报销" not in page.text
    assert "/proof" not in page.html and "已退费，不能当缴费凭证" in notice and "已缴费" not in notice
    assert "已缴费" in other and "退" not in other.split("状态")[1].split("再核对")[0]
    api = Api(running)
    api.look_up(district.adult)
    assert api.get(f"/payments/{number}").json["state"] == "refunded"
    refused = api.post(f"/payments/{number}/proof", {})
    assert (refused.status_code, refused.json["code"]) == (409, "MONEY_WENT_BACK") and codes(running) == []


def test_when_one_item_went_back_the_rest_has_a_new_paper(running, district, browser):
    """B9: the whole confirmation was void for good."""
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("delete from category")
    number = paid(running, district.adult, district.poor)
    for person in (district.adult, district.poor):
        browser.look_up(person.name, person.id_number)
    first, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    bill = rows(running, "select id from bill where person_id = :id", id=district.poor.id)[0].id
    asked = agreed(running.parts, number, bills=[bill])
    run_refunds(running, asked.number, "paid")

    page = browser.get(f"/pay/{number}")
    second, address = file_of(browser, page, f"/pay/{number}/proof")
    again, same = file_of(browser, page, f"/pay/{number}/proof")

    assert "退了一部分" in page.text and "张示例" in words_of(second) and "张小困" not in words_of(second)
    assert "叁佰贰拾元整" in words_of(second) and (again, same) == (second, address)
    void, stands = (browser.get(code_on(each).removeprefix(running.parts.public_url)).text for each in (first, second))
    assert "已作废" in void and "请对照纸上的内容" in stands
    check_code = rows(running, "select check_code from payment")[0].check_code
    assert "已缴费，后来退了一部分" in browser.get("/check", code=check_code).text


def test_the_code_of_money_that_came_twice_is_known(running, district, browser):
    """B10: our own “多付会退回” carried a code that /check called false; before and after it went back."""
    first = start(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    running.outside.fault("late_success", first.number)
    wanted = (Insurance.RES_MEDICAL, None), (Insurance.RES_PENSION, 30000)
    kept = pay(running, *(Want(district.adult.id, item, tier) for item, tier in wanted), key="b")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")
    codes = {row.number: row.check_code for row in rows(running, "select number, check_code from payment")}

    going = browser.get("/check", code=codes[first.number])
    run_refunds(running, agreed(running.parts, first.number).number, "paid")
    gone, other = (browser.get("/check", code=codes[each]) for each in (first.number, kept))

    assert going.status == gone.status == 200 and "这一笔是多付的，会退回" in going.text
    assert "这一笔是多付的，已退回" in gone.text and "已缴费" not in gone.text and "已缴费" in other.text


def test_of_a_familys_confirmation_everybody_is_on_it(running, district, browser):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("delete from category")
    number = paid(running, district.adult, district.poor)
    for person in (district.adult, district.poor):
        browser.look_up(person.name, person.id_number)

    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")

    assert "张示例" in words_of(pdf) and "张小困" in words_of(pdf) and "陆佰肆拾元整" in words_of(pdf)


def test_a_rare_name_is_drawn_whole(running, district, browser):
    rare = "䶮㛃"
    with running.office.engine.begin() as connection:
        sealed = running.parts.vault.seal(rare, bound_to=f"person.name:{district.adult.id}")
        connection.exec_driver_sql("update person set name = %s where id = %s", (sealed, district.adult.id))
    number = paid(running, district.adult)
    browser.look_up(rare, district.adult.id_number)

    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")

    assert rare in words_of(pdf)


def test_somebody_elses_paper_is_not_found(running, district, browser):
    number = paid(running, district.adult)
    book_at_the_treasury(running)
    _, address = the_certificate(browser, district)
    path = address.removeprefix(running.url)
    code = path.rpartition("/")[2].removesuffix(".pdf")

    stranger = type(browser)(running.url)
    stranger.look_up(district.neighbour.name, district.neighbour.id_number)
    assert stranger.get(path).status == 404
    api = Api(running)
    api.look_up(district.neighbour)
    assert api.get(f"/proofs/{code}").status_code == api.get(f"/proofs/{code}/file").status_code == 404
    assert api.post(f"/payments/{number}/proof", {}).status_code == 404
    stranger.close()


def test_the_mini_program_has_both_papers(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    before = api.post(f"/people/{person}/proof/RES_MEDICAL", {})
    assert (before.status_code, ErrorTold.model_validate(before.json).code) == (409, "NOT_PAID_YET")
    number = paid(running, district.adult)

    early = api.post(f"/people/{person}/proof/RES_MEDICAL", {})
    assert (early.status_code, early.json["code"]) == (409, "NOT_BOOKED_YET")
    confirmation = ProofTold.model_validate(api.post(f"/payments/{number}/proof", {}).json)
    book_at_the_treasury(running)
    certificate = ProofTold.model_validate(api.post(f"/people/{person}/proof/RES_MEDICAL", {}).json)

    assert (confirmation.kind, certificate.kind) == ("confirmation", "certificate")
    assert confirmation.amount == certificate.amount == 32000
    file = api.get(f"/proofs/{certificate.code}/file")
    assert file.content_type == "application/pdf" and code_on(io.BytesIO(file.data)).endswith(certificate.code)
    assert ProofTold.model_validate(api.get(f"/proofs/{certificate.code}").json).stands


def test_what_nobody_paid_has_no_paper(running, district):
    """A69: a step skipped is a conflict."""
    api = Api(running)
    person = api.look_up(district.adult)
    started = api.pay({"person": person, "insurance": "RES_MEDICAL"}).json

    answer = api.post(f"/payments/{started['number']}/proof", {})

    assert (answer.status_code, answer.json["code"]) == (409, "NOT_PAID_YET")
    assert rows(running, "select 1 from proof") == []


@pytest.mark.parametrize("code", ["0" * 16, "O" * 16, "é" * 16, "0" * 400, "%00" * 5])
def test_a_code_that_is_none(running, district, browser, code):
    browser.look_up(district.adult.name, district.adult.id_number)

    assert browser.get(f"/proofs/{code}.pdf").status == 404
    assert browser.get("/check", code=code).status == 404


def test_an_agent_prints_it_for_somebody_without_a_phone(running, district, agent):
    page = person_page(agent, district, district.adult.name)
    page = agent.submit(page, page.url, form='method="post"', act="code")
    number = page.url.rpartition("/")[2]
    running.outside.pay(rows(running, "select checkout ->> 'code_url' as url from payment")[0].url)
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))

    pdf, address = file_of(agent, agent.get(f"/agent/pay/{number}"), f"/agent/pay/{number}/proof")

    assert "张示例" in words_of(pdf) and "/agent/proofs/" in address


def test_what_is_written_stays_sealed(running, district, browser):
    paid(running, district.adult)
    book_at_the_treasury(running)
    the_certificate(browser, district)

    (row,) = rows(running, "select * from proof")
    assert district.adult.name.encode() not in bytes(row.content)
    assert not {district.adult.name, district.adult.id_number[-4:]} & {str(value) for value in row}
