"""One sentence finds the right office, is answered by a day, and is settled by who said it, or not."""

from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import accounts
from app.access.roles import Role
from app.flows.cases.say import NobodyCallsHimDead
from app.flows.cases.say import say as say_of
from app.flows.conflicts.bring_police import bring_police
from app.flows.enter.accounts import add_agent
from app.flows.register.import_roster import Office, import_roster
from app.flows.tell.remind import remind
from app.policy.days import working_day_after
from app.policy.facts import Insurance
from core.clock import BEIJING, utc_now
from tests.app.flows.test_police import a_list, line
from tests.app.web.test_api import Api
from tests.app.web.test_office_determinations import session_of
from tests.app.web.test_office_people import at_desk
from tests.browsing import Browser
from tests.house.tree import ROOT
from tests.refunding import rows
from tests.rosters import in_force

DESK = "/office/matters/"
SAID = "我在昆山交过医保了，不要再催"


@pytest.fixture
def desks(running, district):
    """A desk of each office that answers, and who audits."""
    roles = {"med1": Role.MEDICAL, "hrss1": Role.HRSS, "tax1": Role.TAX_CLERK, "audit1": Role.AUDITOR}
    return {login: at_desk(running, role, login) for login, role in roles.items()}


def registered_as_the_account(running, person):
    """His registered phone is the one that the last account proved."""
    account = running.one("select max(id) from resident_account")[0]

    def write(connection):
        phone = accounts.phone_of(connection, running.parts.vault, account)
        sealed = running.parts.vault.seal(phone, bound_to=f"person.phone:{person}")
        connection.execute(text("update person set phone = :p where id = :i"), {"p": sealed, "i": person})

    running.write(write)


def matter(running):
    return running.one("select id, kind, office, state, by, due_on, turn from matter order by id desc limit 1")


def say(browser, running, kind, words, **more):
    page = browser.get("/matters")
    return browser.submit(page, "/matters", form="/matters", kind=kind, words=words, **more)


def test_working_days_leave_out_weekends_and_holidays():
    friday = date(2021, 12, 31)

    assert working_day_after(friday, 1, {date(2022, 1, 3)}) == date(2022, 1, 4)
    assert working_day_after(date(2021, 11, 5), 5) == date(2021, 11, 12)


def test_a_sentence_is_answered_told_settled_or_not(running, district, browser, desks):
    browser.look_up(district.adult.name, district.adult.id_number)

    short = say(browser, running, "PAID_ELSEWHERE_MEDICAL", "嗯")
    said = say(browser, running, "PAID_ELSEWHERE_MEDICAL", SAID)
    again = say(browser, running, "PAID_ELSEWHERE_MEDICAL", "再说一遍")

    assert short.status == 400 and "用一两句话写清楚" in short.text and ">嗯</textarea>" in short.html
    assert SAID in said.text and "已经交给医保局，11月12日以前答复您" in said.text and again.text == said.text
    number, kind, office, state, by, due_on, _ = matter(running)
    assert (kind, office, state, due_on) == ("PAID_ELSEWHERE_MEDICAL", "medical", "open", date(2021, 11, 12))
    assert by.startswith("account:")

    med = desks["med1"]
    assert "医保在外地交了" in med.get(DESK).text and "1</strong><small>件反映的事等您答复" in med.get("/office/").text
    assert (
        "医保在外地交了" not in desks["hrss1"].get(DESK).text
        and desks["tax1"].get(f"{DESK}{number}").status_code == 404
    )
    assert "医保在外地交了" in desks["audit1"].get(DESK).text
    assert SAID in med.get(f"{DESK}{number}").text
    assert med.post(f"{DESK}{number}/take").status_code == 303
    assert "医保局正在办" in browser.get("/matters").text
    leaky = med.post(f"{DESK}{number}/answer", data={"words": f"您的号 {district.adult.id_number} 查到了"})
    assert leaky.status_code == 400 and district.adult.id_number in leaky.text and "不要写身份证号" in leaky.text
    med.post(f"{DESK}{number}/answer", data={"words": "查到了，昆山那边交的有效，这里不用再交。"})
    late = med.post(f"{DESK}{number}/answer", data={"words": "再答复一次看看"})
    assert late.status_code == 409

    answered = browser.get("/matters")
    assert "昆山那边交的有效" in answered.text
    (notice,) = rows(running, "select kind, cause, fields, phone from notice where kind = 'answered'")
    assert (notice.kind, notice.cause) == ("answered", f"matter:M{number}-1:answered")
    assert notice.fields["items"] == "医保在外地交了" and notice.phone is not None
    reopened = browser.submit(answered, f"/matters/{number}", form=f"/{number}", solved="no", again="村里还在催我")
    assert "您说没有解决，医保局再看" in reopened.text and matter(running)[3:] == ("reopened", by, due_on, 2)
    assert "村里还在催我" in med.get(f"{DESK}{number}").text
    med.post(f"{DESK}{number}/answer", data={"words": "已经告诉村里，不会再催了。"})
    closed = browser.submit(browser.get("/matters"), f"/matters/{number}", form=f"/{number}")
    assert "已经解决" in closed.text and matter(running).state == "closed"
    assert [row.cause for row in rows(running, "select cause from notice where kind = 'answered' order by 1")] == [
        f"matter:M{number}-1:answered",
        f"matter:M{number}-2:answered",
    ]
    over = browser.submit(answered, f"/matters/{number}", form=f"/{number}")
    assert over.status == 409 and "了结" in over.text
    assert "已解决" in med.get(f"{DESK}?done=1").text


def test_nobody_reminds_of_whom_an_office_has_yet_to_answer(running, district, browser, desks):
    browser.look_up(district.adult.name, district.adult.id_number)
    before = remind(running.parts, [district.village], dry=True)
    say(browser, running, "PAID_ELSEWHERE_MEDICAL", SAID)
    quiet = rows(running, "select person_id from matter")
    during = remind(running.parts, [district.village])
    told = [
        row.fields["names"] for row in rows(running, "select fields from notice where kind in ('remind', 'waived')")
    ]

    assert before.remind == 1 and [row.person_id for row in quiet] == [district.adult.id]
    assert (during.remind, during.waived) == (0, 1) and told and "张*例" not in "".join(told)
    desks["med1"].post(f"{DESK}{matter(running).id}/answer", data={"words": "没有查到，请在这里交。"})
    assert "张*例" in str(remind_names(running, district))


def remind_names(running, district):
    running.turn(datetime(2021, 11, 15, 9, tzinfo=BEIJING))
    remind(running.parts, [district.village])
    return [row.fields["names"] for row in rows(running, "select fields from notice where kind = 'remind'")]


def test_late_stands_first_and_is_marked(running, district, browser, desks):
    browser.look_up(district.adult.name, district.adult.id_number)
    say(browser, running, "NAME_WRONG", "我的名字是示例的例，不是立")
    running.turn(datetime(2021, 11, 13, 9, tzinfo=BEIJING))
    say(browser, running, "NOT_MY_FAMILY", "这个人不是我家的人")

    listed = desks["med1"].get(DESK).text

    assert listed.index("名字错了") < listed.index("不是我家的人") and listed.count("过期了") == 1
    assert "说的是谁" in listed and "张*例" in listed and desks["med1"].get(f"{DESK}?page=2").text.count("没有了") == 1


def test_an_agent_says_whom_the_list_lacks_and_what_is_wrong_of_one(running, district, desks):
    add_agent(
        running.office, login="wang", name="王代办", password="correct horse battery", villages=[district.village]
    )
    agent = Browser(running.url)
    village = agent.log_in("wang", "correct horse battery")
    page = agent.get(village.link("名单上没有的人"))
    path = page.url.removeprefix(running.url)
    lacks = agent.submit(page, path, form=path, kind="NOT_LISTED", words="三组的李四一家三口，刚从外地迁回来")
    wrong = agent.submit(page, path, form=path, kind="DIED", words="没有说是谁去世了")
    person = agent.get(village.link(district.elder.name))
    own = agent.get(person.link("有话要说"))
    of_him = own.url.removeprefix(running.url)
    died = agent.submit(own, of_him, form="/matters", kind="DIED", words="上个月去世了")
    unlisted = agent.submit(own, of_him, form="/matters", kind="NOT_LISTED", words="清册上该有她")

    assert "已经交给医保局" in lacks.text and wrong.status == 400
    assert "人去世了：王*奶" in died.text.replace("王*奶奶", "王*奶") or "人去世了" in died.text
    assert "DIED" not in page.values("kind") and "DIED" in own.values("kind")
    assert [
        tuple(row) for row in rows(running, "select kind, office, person_id, village_code from matter order by id")
    ] == [
        ("NOT_LISTED", "medical", None, district.village),
        ("DIED", "hrss", district.elder.id, district.village),
        ("NOT_LISTED", "medical", None, district.village),
    ]
    assert "收到了" in unlisted.text and "收到了" not in wrong.text
    sent = agent.get(path).text
    assert f"{district.elder.name}（0001户）：清册上该有她" in sent, "whoever reads it knows of whom it is"
    first = running.one("select min(id) from matter")[0]
    desks["med1"].post(f"{DESK}{first}/answer", data={"words": "请带户口簿到镇便民服务中心登记"})
    seen = agent.get(path)
    assert "请带户口簿" in seen.text and rows(running, "select 1 from notice where kind = 'answered'") == []
    assert "已经解决" in agent.submit(seen, f"{path}/{first}", form=f"/{first}").text
    agent.close()


def test_who_is_in_no_register_can_say_so(running, district, browser, desks):
    browser.sign_in()
    page = browser.get("/matters")
    medical, pension = "NOT_LISTED:RES_MEDICAL", "NOT_LISTED:RES_PENSION"
    assert page.values("kind") == [medical, pension]
    said = browser.submit(page, "/matters", form="/matters", kind=medical, words="我是示例村的，名单上找不到我")
    assert "已经交给医保局" in said.text and matter(running)[1:3] == ("NOT_LISTED", "medical")
    also = browser.submit(page, "/matters", form="/matters", kind=pension, words="养老的名单上也找不到我")
    assert "已经交给人社局" in also.text and matter(running)[1:3] == ("NOT_LISTED", "hrss")
    assert "养老名单上没有我" in desks["hrss1"].get(DESK).text and "医保名单" not in desks["hrss1"].get(DESK).text
    assert "医保名单上没有我" in desks["med1"].get(DESK).text and "养老名单" not in desks["med1"].get(DESK).text
    assert browser.submit(page, "/matters", form="/matters", kind="NOT_LISTED:X", words="别的名单没有我").status == 400
    assert browser.submit(page, "/matters", form="/matters", kind="DIED", words="没有说是谁去世了").status == 400


def a_conflict(running, person, kind, owner):
    number = running.one("select nextval(pg_get_serial_sequence('conflict', 'id'))")[0]
    statement = (
        "select conflict_put(:n, :p, :kind, '-', '{RES_MEDICAL}', :owner, null, null, 'import:00', now(), '2021-11-12')"
    )
    running.write(lambda c: c.execute(text(statement), {"n": number, "p": person, "kind": kind, "owner": owner}))
    return number


def test_who_is_called_dead_reads_it_and_says_that_he_lives_to_the_office_that_decides(
    running, district, browser, desks, tmp_path
):
    bring_police(running.office, a_list(tmp_path / "a.xlsx", line(district.adult, "死亡")))
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert due.text.count("公安报来的名单上写着人已经去世，登记上写着健在，人社局正在核对") == 2, "of both insurances"

    page = browser.get(due.link("人还健在"))
    assert "张*例：公安报来的名单上写着人已经去世" in page.text and "人还健在，写错了，请核对。" in page.html
    said = browser.submit(page, "/matters", form="/matters", kind="STILL_ALIVE", words="我就在家里，请来看")

    assert "已经交给人社局，11月12日以前答复您" in said.text
    number, kind, office, *_ = matter(running)
    assert (kind, office) == ("STILL_ALIVE", "hrss")
    hrss, conflict = desks["hrss1"], running.one("select id from conflict")[0]
    assert "有人说还健在" in hrss.get("/office/conflicts/").text
    shown = hrss.get(f"/office/conflicts/{conflict}").text
    assert "我就在家里，请来看" in shown and f"/office/matters/{number}" in shown
    assert f"/office/conflicts/{conflict}" in hrss.get(f"{DESK}{number}").text
    assert desks["med1"].get(f"{DESK}{number}").status_code == 404
    assert "（别的手机号说的，不是他登记的）" in shown
    registered_as_the_account(running, district.adult.id)
    assert "（用他自己登记的手机号说的）" in hrss.get(f"/office/conflicts/{conflict}").text
    early = hrss.post(f"{DESK}{number}/answer", data={"words": "见到您了，已经改过来，可以交费了。"})
    assert early.status_code == 409 and "还没有定" in early.text and "已经改过来，可以交费了。</textarea>" in early.text
    assert matter(running)[3] == "open", "what is not decided is not answered"
    decided = {"word": "register", "why": "入户见到本人，公安名单同名"}
    assert hrss.post(f"/office/conflicts/{conflict}/solve", data=decided).status_code == 303
    hrss.post(f"{DESK}{number}/answer", data={"words": "见到您了，已经改过来，可以交费了。"})
    assert "已经改过来" in browser.get("/matters").text and "STILL_ALIVE" not in browser.get("/matters").values("kind")
    (notice,) = rows(running, "select fields from notice where kind = 'answered'")
    assert notice.fields["items"] == "我（他）还健在"


def test_whom_somebody_told_dead_nobody_urges_and_the_office_puts_it_into_the_register(
    running, district, browser, desks, an_agent, tmp_path
):
    in_force(running)
    agent = Browser(running.url)
    agent.log_in(*an_agent)
    whose, village = (
        {"person_id": district.adult.id, "village": district.village},
        f"/agent/villages/{district.village}",
    )
    before = agent.get(f"{village}/round").text
    say_of(running.parts, "DIED", "上个月走了，村里都知道", by="agent:wang", **whose)
    number = matter(running)[0]

    due = browser.look_up(district.adult.name, district.adult.id_number).text
    told = agent.get(village).text
    hrss, med = desks["hrss1"], desks["med1"]
    shown = hrss.get(f"{DESK}{number}").text
    file = hrss.post(f"{DESK}{number}/row.xlsx")

    assert "有人报告他去世了，人社局正在核对" in due and "要交" in due, "a word alone bars nobody"
    assert "有人报他去世了，人社局在核对，先不要催" in told
    assert district.adult.name in before and district.adult.name not in agent.get(f"{village}/round").text
    assert "下载他这一行" in shown and "答复只告诉报的人" in shown
    assert med.post(f"{DESK}{number}/row.xlsx").status_code == 404, "another office's matter"
    assert running.one("select reason from disclosure where person_id = :p", p=district.adult.id)[0].startswith(
        "有人报去世"
    )
    path = tmp_path / "row.xlsx"
    path.write_bytes(file.get_data())
    taken = import_roster(running.office, path, office=Office(only=Insurance.RES_PENSION))
    assert (taken.changed, taken.refused) == (1, 0)
    assert running.one("select alive from person where id = :p", p=district.adult.id) == (False,)
    assert running.one("select alive from person where id = :p", p=district.elder.id) == (True,), "nobody else's row"
    gone = hrss.post(f"{DESK}{number}/row.xlsx")
    assert gone.status_code == 409 and "登记上已经是去世" in gone.text
    hrss.post(f"{DESK}{number}/answer", data={"words": "核对了，已经登记去世。"})
    assert "先不要催" not in agent.get(village).text


def test_only_of_whom_somebody_calls_dead_it_is_said_and_to_that_bureau(running, district, browser, desks):
    browser.look_up(district.adult.name, district.adult.id_number)
    a_conflict(running, district.adult.id, "NAME", "medical")
    page = browser.get("/matters")
    refused = browser.submit(page, "/matters", form="/matters", kind="STILL_ALIVE", words="我就在家里，请来看")
    assert "STILL_ALIVE" not in page.values("kind") and refused.status == 409 and "我就在家里" in refused.html
    with pytest.raises(NobodyCallsHimDead):
        say_of(running.parts, "STILL_ALIVE", "他就在家里", person_id=district.elder.id, village=None, by="agent:wang")
    assert rows(running, "select 1 from matter") == []

    conflict = a_conflict(running, district.adult.id, "BUREAUS", "medical")
    own = browser.get("/matters")
    assert "医保局的登记上写着人已经去世，另一家局的写着健在，医保局正在核对" in own.text
    browser.submit(own, "/matters", form="/matters", kind="STILL_ALIVE", words="我就在家里，请来看")
    assert matter(running)[1:3] == ("STILL_ALIVE", "medical")
    assert "我就在家里" in desks["med1"].get(f"/office/conflicts/{conflict}").text


def test_nobody_elses_is_seen_or_settled_and_the_database_keeps_to_it(running, district, browser, desks):
    browser.look_up(district.adult.name, district.adult.id_number)
    say(browser, running, "NAME_WRONG", "我的名字写错了一个字")
    number, other = matter(running).id, Browser(running.url)
    other.look_up(district.neighbour.name, district.neighbour.id_number)
    page = other.get("/matters")

    assert "写错了一个字" not in page.text
    assert other.submit(page, f"/matters/{number}", form="/matters").status == 404
    named = browser.get("/matters").values("person")
    foreign = other.submit(page, "/matters", form="/matters", person=named, kind="DIED", words="别人家的人去世了")
    assert foreign.status == 404 and len(rows(running, "select 1 from matter")) == 1
    other.close()

    def refused(statement, code, **words):
        with pytest.raises(DBAPIError) as error, running.parts.engine.begin() as connection:
            connection.execute(text(statement), {"n": number, "at": utc_now()} | words)
        assert error.value.orig.sqlstate == code, statement

    hrss = session_of(running, "hrss1")
    refused("select take_matter(:s, :n, :at, :at)", "LX117", s=hrss)
    refused("select answer_matter(:s, :n, '', :at, :at)", "LX117", s=hrss)
    refused("select answer_matter(:s, :n, '', :at, :at)", "LX080", s=b"nobody")
    refused("select end_matter(:s, :n, null, null, :at, :at)", "LX080", s=hrss)
    refused("update matter set state = 'closed'", "42501")
    refused("delete from matter", "42501")
    begun = "insert into matter (kind, office, words, by, at, kept_from, due_on, state, taken_by)"
    refused(f"{begun} values ('NOT_LISTED', 'hrss', '', 'a', now(), now(), now(), 'taken', 'b')", "LX119")
    with running.office.engine.connect() as connection:
        assert connection.execute(text("select state from matter")).scalar_one() == "open"


def test_whom_one_bureau_calls_dead_may_say_that_he_lives(district, running, browser):
    running.write(lambda c: c.execute(text("update person set alive = false where id = :p"), {"p": district.adult.id}))
    a_conflict(running, district.adult.id, "BUREAUS", "hrss")
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert "人还健在，告诉他们" in due.text
    page = browser.get(due.link("人还健在"))
    said = browser.submit(page, "/matters", form="/matters", kind="STILL_ALIVE", words="我就在家里，请来看")
    assert "已经交给人社局" in said.text


def test_who_lives_is_said_to_the_office_that_decides_by_now(district, running, browser):
    first = a_conflict(running, district.adult.id, "ALIVE", "hrss")
    browser.look_up(district.adult.name, district.adult.id_number)
    browser.submit(browser.get("/matters"), "/matters", form="/matters", kind="STILL_ALIVE", words="我就在家里，请来看")
    over = text("select * from conflicts_looked(array[cast(:p as bigint)], null, 'import:01', now(), '2021-11-12')")
    with running.office.engine.begin() as connection:  # a later file contradicts no more
        connection.execute(over, {"p": district.adult.id}).all()
    assert running.one("select state from conflict where id = :n", n=first).state == "agreed"
    a_conflict(running, district.adult.id, "BUREAUS", "medical")

    page = browser.get("/matters")
    assert "医保局正在核对" in page.text
    said = browser.submit(page, "/matters", form="/matters", kind="STILL_ALIVE", words="医保局写错了，我还在")

    assert running.one("select count(*) from matter where office = 'medical'")[0] == 1, said.text


def test_a_mini_program_is_told_of_no_button_that_it_has_not(running, district):

    a_conflict(running, district.adult.id, "ALIVE", "hrss")
    api = Api(running)
    api.look_up(district.adult)
    said = api.get("/due").get_data(as_text=True).encode().decode("unicode_escape", errors="ignore")
    said += api.get("/due").get_data(as_text=True)
    pages = list((ROOT / "miniprogram" / "pages").rglob("*.*ml"))
    assert pages and "先不要交钱" in said
    assert "有话要说" not in said or any("有话要说" in p.read_text() for p in pages)
