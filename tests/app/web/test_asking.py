"""A bureau is asked for its word by whom it is about, by his agent, or by his own program; its answer is read there."""

import io
from datetime import date, datetime

import pytest
from PIL import Image
from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.register.determine import Ruling, check, decide
from core.clock import BEIJING
from tests.app.web.test_agent import person_page
from tests.app.web.test_api import Api
from tests.app.web.test_office_people import at_desk
from tests.browsing import Browser
from tests.builders import a_person, an_id_number
from tests.refunding import rows

JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
PENSION_GAP = "RES_PENSION@2022:interrupted_backpay"
NEWBORN = "RES_MEDICAL@2022:newborn"
BUTTON = "申请核定</button>"


def determination(running):
    return running.one("select id, kind, insurance, state, requested_by from determination order by id desc limit 1")


def a_photo(size=(40, 30)):
    written = io.BytesIO()
    Image.new("RGB", size, "white").save(written, "JPEG")
    return written.getvalue()


def test_a_resident_asks_reads_where_it_stands_and_may_think_better_of_it(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    page = browser.get(due.link("补缴、新生儿，请部门核定"))
    assert "用出生医学证明登记" in page.text and "/newborn/" in page.link("登记没有身份证号的孩子")
    assert PENSION_GAP in page.values("offer") and NEWBORN not in page.values("offer") and "还没有" not in page.text

    path = page.url.removeprefix(running.url)
    lost = browser.submit(page, path, form="enctype", offer="RES_MEDICAL@2022:late_waiver", words="忘了交")
    after = browser.submit(page, path, form="enctype", offer=PENSION_GAP, words="2015年到2017年没有交")
    twice = browser.submit(page, path, form="enctype", offer=PENSION_GAP, words="再说一遍")

    assert lost.status == 409 and "忘了交" in lost.html and "不用核实" in lost.text
    assert "2022年居民养老补缴" in after.text and "申请收到了，等人社局核实。" in after.text
    assert PENSION_GAP not in after.values("offer") and twice.text == after.text
    number, kind, insurance, state, by = determination(running)
    assert (kind, insurance, state) == ("interrupted_backpay", "RES_PENSION", "applied") and by.startswith("account:")
    said = running.one("select words, picture from determination_evidence")
    words = running.parts.vault.open(said.words, bound_to=f"determination_evidence.words:{number}")
    assert words == "2015年到2017年没有交" and said.picture is None

    withdrawn = browser.submit(after, f"{path}/{number}/withdraw", form="withdraw")
    again = browser.submit(after, f"{path}/{number}/withdraw", form="withdraw")

    assert "您撤回了" in withdrawn.text and PENSION_GAP in withdrawn.values("offer")
    assert again.status == 409 and "不能再撤回" in again.text
    assert running.one("select withdrawn_by from determination")[0] == by
    assert "补缴" not in browser.get("/due").text.replace("补缴、新生儿", "")  # as if it had never been made
    browser.submit(withdrawn, path, form="enctype", offer=PENSION_GAP)
    check(running.office, number + 1)
    held = browser.get(path)
    assert "申请了 1 件，还在核实" in browser.get("/due").text
    assert "人社局正在核实" in held.text and "withdraw" not in held.html
    decide(running.office, number + 1, Ruling(True, 150000, (2016, 2017)), by="staff:hrss")
    told = browser.get(path).text
    assert "核定通过了" in told and "补缴2016、2017年，一共 1500 元" in told
    assert "1500 元" in browser.get("/due").text and "还在核实" not in browser.get("/due").text


def test_nobody_asks_or_withdraws_for_whom_he_does_not_know(running, district, browser):
    page = browser.get(browser.look_up(district.adult.name, district.adult.id_number).link("请部门核定"))
    path = page.url.removeprefix(running.url)
    browser.submit(page, path, form="enctype", offer=PENSION_GAP)
    number, other = determination(running).id, Browser(running.url)
    theirs = other.get(other.look_up(district.neighbour.name, district.neighbour.id_number).link("请部门核定"))
    own = theirs.url.removeprefix(running.url)

    assert other.submit(theirs, f"{own}/{number}/withdraw", form="enctype").status == 404
    assert other.submit(theirs, f"{path}/{number}/withdraw", form="enctype").status == 404
    assert other.submit(theirs, path, form="enctype", offer=PENSION_GAP).status == 404
    assert determination(running).state == "applied"
    other.close()


def test_who_only_looked_him_up_withdraws_nothing_and_reads_no_reason(running, district, browser):
    """A name and a number are enough to pay for somebody; what his own account asked is its own."""
    page = browser.get(browser.look_up(district.adult.name, district.adult.id_number).link("请部门核定"))
    browser.submit(page, page.url.removeprefix(running.url), form="enctype", offer=PENSION_GAP)
    number, other = determination(running).id, Browser(running.url)
    theirs = other.get(other.look_up(district.adult.name, district.adult.id_number).link("请部门核定"))
    path = theirs.url.removeprefix(running.url)

    assert "等人社局核实" in theirs.text and "withdraw" not in theirs.html
    assert other.submit(theirs, f"{path}/{number}/withdraw", form="enctype").status == 404
    assert determination(running).state == "applied"
    decide(running.office, number, Ruling(False, reason="病历不全"), by="staff:hrss")
    assert "病历不全" in browser.get(page.url.removeprefix(running.url)).text
    refused = other.get(path).text
    assert "没有核定通过" in refused and "病历不全" not in refused
    other.close()


def test_a_newborns_price_is_asked_for_with_a_photo_and_the_bureau_sees_it(running, district, browser):
    running.turn(datetime(2022, 3, 1, 10, tzinfo=BEIJING))
    number = an_id_number(born=date(2022, 2, 10), sequence=31)
    running.write(lambda c: a_person(c, name="张宝宝", id_number=number, household=district.household))
    page = browser.get(browser.look_up("张宝宝", number).link("请部门核定"))
    path = page.url.removeprefix(running.url)
    fields = page.fields("enctype") | {"offer": NEWBORN}

    def send(picture):
        return browser.session.post(running.url + path, data=fields, files={"picture": ("a.jpg", picture)}, timeout=10)

    no_picture, sent = send(b"not a picture"), send(a_photo())

    assert no_picture.status_code == 400 and "照片没有收下" in no_picture.text
    assert sent.status_code == 200 and "2022年居民医保新生儿缴费" in sent.text
    desk = at_desk(running, Role.MEDICAL, "med1")
    case = determination(running).id
    seen = desk.get(f"/office/determinations/{case}/picture")
    assert seen.mimetype == "image/jpeg" and Image.open(io.BytesIO(seen.data)).size == (40, 30)
    assert "900" in desk.get(f"/office/determinations/{case}").text  # what the rules say without the word
    desk.post(f"/office/determinations/{case}/decide", data={"word": "yes", "sure": "1"})
    assert "320 元" in browser.get("/due").text and "核定通过了" in browser.get(path).text


def test_a_program_asks_follows_and_withdraws(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    path = f"/people/{person}/determinations"
    before = api.get(path).json

    asked = api.post(path, {"offer": PENSION_GAP, "words": "断了三年"})
    [case] = asked.json["determinations"]
    gone = api.post(f"{path}/{case['number']}/withdrawal", {})

    assert before["determinations"] == [] and PENSION_GAP in [each["offer"] for each in before["offers"]]
    assert asked.status_code == 201 and (case["state"], case["may_withdraw"]) == ("applied", True)
    assert gone.json["determinations"][0]["state"] == "withdrawn"
    assert api.post(f"{path}/{case['number']}/withdrawal", {}).status_code == 409
    assert api.post(f"{path}/999/withdrawal", {}).status_code == 404
    assert api.post(path, {"offer": NEWBORN}).status_code == 409
    assert api.post(path, {"offer": PENSION_GAP, "words": "x" * 501}).status_code == 422


@pytest.fixture
def village_agent(running, district):
    add_agent(
        running.office, login="wang", name="王代办", password="correct horse battery", villages=[district.village]
    )
    held = Browser(running.url)
    held.log_in("wang", "correct horse battery")
    yield held
    held.close()


def test_an_agent_has_a_button_for_the_waiver_and_a_page_for_the_rest(running, district, village_agent):
    running.turn(JANUARY)
    page = person_page(village_agent, district, district.poor.name)
    assert "请医保局核实</button>" in page.html
    verify = page.html.partition('formaction="')[2].partition('"')[0].replace("&amp;", "&")

    after = village_agent.post(verify, page.fields("data-sum"))

    buttons = page.html.count("请医保局核实</button>")  # his grandmother's too
    assert "已经交给医保局核实" in after.text and after.html.count("请医保局核实</button>") == buttons - 1
    agent = running.one("select id from agent")[0]
    assert determination(running)[1:] == ("late_waiver", "RES_MEDICAL", "applied", f"agent:{agent}")
    bureau = village_agent.get(after.link("请部门核定"))
    path = bureau.url.removeprefix(running.url)
    asked = village_agent.submit(bureau, path, form="enctype", offer="RES_PENSION@2022:policy_backpay", words="退役")
    number = determination(running).id
    assert "2022年居民养老补缴" in asked.text and "代办员申请" in asked.text
    gone = village_agent.submit(asked, f"{path}/{number}/withdraw", form=f"{number}/withdraw")
    assert "您撤回了" in gone.text
    own = text(
        "insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at)"
        " values (:p, 'RES_PENSION', 2022, 'policy_backpay', 'account:1', now())"
    )
    running.write(lambda c: c.execute(own, {"p": district.poor.id}))
    shown = village_agent.get(path)
    refused = village_agent.submit(bureau, f"{path}/{number + 1}/withdraw", form="enctype")
    assert f"{number + 1}/withdraw" not in shown.html and refused.status == 404
    states = [row.state for row in rows(running, "select state from determination order by id")]
    assert states == ["applied", "withdrawn", "applied"]
