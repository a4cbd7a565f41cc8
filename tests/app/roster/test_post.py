"""A signed roster hangs for three full days and not a minute longer; it is objected to, answered, put right in the
register, reported, confirmed by two, in force."""

import io
import re
from datetime import date, datetime, timedelta

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import text

from app.access.roles import Role
from app.documents.poster import draw as draw_poster
from app.flows.roster import show as shown
from app.flows.roster.post import own, plain, poster, ripen
from core.clock import BEIJING
from tests.app.roster.hands import PASSWORD, broken, drawn, offices, said, stand, to_the_agent
from tests.browsing import a_token
from tests.builders import a_person, an_id_number
from tests.refunding import rows
from tests.system import second_code

HERE = {"370404103901"}


def a_photo():
    into = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(into, "JPEG", exif=b"Exif\0\0MM\0*")
    return into.getvalue()


def agent_client(running, login="agent01"):
    client = running.app.test_client()
    fields = {"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
    assert client.post("/agent/login", data=fields).status_code == 303
    return client


def resident(running, person):
    client = running.app.test_client()
    client.set_cookie("session", a_token(running))
    named = {"name": person.name, "id_number": person.id_number, "agreed": "1"}
    assert client.post("/who", data=named).status_code == 303
    return client


def code_of(running, roster, no=1):
    return running.one("select code from roster_version where roster_id = :r and no = :n", r=roster, n=no).code


def hang(agent, roster, code, no=1):
    sent = {"no": no, "code": code, "photo": (io.BytesIO(a_photo()), "贴好了.jpg")}
    return agent.post(f"/agent/rosters/{roster}/hang", data=sent, content_type="multipart/form-data")


@pytest.fixture
def with_agent(running, district, desk):
    hands = offices(desk)
    drawn(running)
    roster, _, _ = stand(running)
    to_the_agent(running, hands, roster, 1)
    return roster, hands, agent_client(running)


def test_the_three_days_at_both_edges_and_the_public_list(running, district, with_agent):
    roster, _, agent = with_agent
    code, anybody = code_of(running, roster), running.app.test_client()
    running.turn(datetime(2021, 10, 22, 15, tzinfo=BEIJING))
    assert anybody.get(f"/posted/{code}").status_code == 404, "it does not hang yet"
    page = agent.get(f"/agent/rosters/{roster}").text
    assert "第二步" in page and "清册和公示" in agent.get(f"/agent/villages/{district.village}").text
    other = code_of(running, stand(running, district.other_village)[0])
    wrong = hang(agent, roster, other)
    assert wrong.status_code == 400 and "公示码不对" in said(wrong)
    assert "请选一张" in said(agent.post(f"/agent/rosters/{roster}/hang", data={"no": 1, "code": code}))
    assert hang(agent, roster, code.lower()[:4] + " " + code[4:8] + "-" + code[8:]).status_code == 303
    assert hang(agent, roster, code).status_code == 409, "it hangs"
    posting = running.one("select * from roster_posting where roster_id = :r", r=roster)
    ends = datetime(2021, 10, 26, tzinfo=BEIJING)
    assert (posting.starts_at, posting.ends_at) == (datetime(2021, 10, 23, tzinfo=BEIJING), ends)
    assert b"Exif" not in bytes(posting.photo) and stand(running)[2] == "POSTED"

    answer = anybody.get(f"/posted/{code}")
    names = re.search(r'<div id="names">(.*?)</div>', answer.text, re.S)[1]
    assert "张*例" in names and "王*奶" in names and not re.search(r"\d", re.sub(r"<[^>]+>", "", names))
    words = re.sub(r"<[^>]+>|\s", "", answer.text)
    assert not re.search(r"\d+元|低保|残疾|孤儿|出生|320|张示例", words)
    assert answer.headers["Cache-Control"] == "public, max-age=60" and "Set-Cookie" not in answer.headers
    assert anybody.get(f"/posted?code={code.lower()}").location == f"/posted/{code}"
    assert anybody.get(f"/posted/{other}").status_code == 404, "another village's does not hang"

    running.turn(ends - timedelta(seconds=30))
    late = anybody.get(f"/posted/{code}")
    assert late.status_code == 200 and 0 <= int(late.headers["Cache-Control"].rpartition("=")[2]) <= 30
    assert ripen(running.parts) == 0 and stand(running)[2] == "POSTED"
    running.turn(ends)
    assert anybody.get(f"/posted/{code}").status_code == 404, "not a minute longer"
    assert ripen(running.parts) == 1 and ripen(running.parts) == 0 and stand(running)[2] == "AMENDING"
    assert broken(running) == []


def test_who_is_erased_while_it_hangs_is_on_no_page_of_it_for_whoever_looks(running, district, with_agent, superuser):
    roster, _, agent = with_agent
    code, anybody = code_of(running, roster), running.app.test_client()
    running.turn(datetime(2021, 10, 22, 15, tzinfo=BEIJING))
    assert hang(agent, roster, code).status_code == 303
    before = anybody.get(f"/posted/{code}").text
    assert "张*例" in before and "王*奶" in before and anybody.get(f"/posted/{code}").text == before
    [(moved,)] = rows(running, "select household_id from person where id = :p", p=district.neighbour.id)

    with superuser.begin() as connection:  # he lives in another village by now, where this agent sees nobody
        connection.execute(text("set local session_replication_role = replica"))
        gone = {"p": district.adult.id, "h": moved}
        connection.execute(text("update person set restricted_at = now(), household_id = :h where id = :p"), gone)

    for looks in (anybody, agent):
        page = looks.get(f"/posted/{code}").text
        assert "王*奶" in page and "张*例" not in page


def test_objections_are_answered_and_told_before_it_goes_on(running, district, desk, with_agent):
    roster, hands, agent = with_agent
    doctor = desk("med01", Role.MEDICAL)
    home, far = resident(running, district.adult), resident(running, district.neighbour)
    assert home.post(f"/lists/{roster}", data={"words": "名单上没有我爸"}).status_code == 409, "it does not hang yet"
    assert hang(agent, roster, code_of(running, roster)).status_code == 303
    ends = running.one("select ends_at from roster_posting").ends_at
    page = home.get("/lists").text
    assert "在名单上" in page and "示例村" in page and "没有正在公示的名单" in far.get("/lists").text
    assert far.post(f"/lists/{roster}", data={"words": "别的村的人来说"}).status_code == 404
    short = home.post(f"/lists/{roster}", data={"words": "错"})
    assert short.status_code == 400 and "写清楚" in said(short) and ">错</textarea>" in short.text
    assert home.post(f"/lists/{roster}", data={"words": "名单上没有我爸"}).status_code == 303
    paper = {"words": "王家的奶奶名字不对", "contact": ""}
    bare = agent.post(f"/agent/rosters/{roster}/objections", data=paper)
    assert bare.status_code == 400 and "王家的奶奶" in bare.text
    agent.post(f"/agent/rosters/{roster}/objections", data=paper | {"contact": "三组王家"})
    hands["town"].post(f"/office/rosters/objections/of/{roster}", data=paper | {"contact": "来电的李某"})
    assert "名单上没有我爸" not in agent.get(f"/agent/rosters/{roster}").text, (
        "a villager's own words are not his agent's"
    )
    held = rows(running, "select * from roster_objection order by id")
    assert [row.owner for row in held] == ["medical"] * 3 and "我爸".encode() not in bytes(held[0].words)
    assert (
        "条清册异议等您办" in doctor.get("/office/").text
        and "名单上没有我爸" in doctor.get("/office/rosters/objections/").text
    )
    own_words = {"words": "已经核实，登记里改", "accepted": "yes"}
    assert hands["hrss"].post(f"/office/rosters/objections/{held[0].id}/answer", data=own_words).status_code == 404
    for row in held:
        assert doctor.post(f"/office/rosters/objections/{row.id}/answer", data=own_words).status_code == 303
    assert doctor.post(f"/office/rosters/objections/{held[0].id}/answer", data=own_words).status_code == 409
    assert "已经核实，登记里改" in home.get("/lists").text

    running.turn(ends + timedelta(hours=1))
    assert ripen(running.parts) == 0, "two were not told yet"
    assert agent.post(f"/agent/rosters/{roster}/objections/{held[1].id}").status_code == 303
    assert hands["town"].post(f"/office/rosters/objections/{held[2].id}/told").status_code == 303
    assert home.post(f"/lists/{roster}", data={"words": "公示完了还想说"}).status_code == 409
    assert ripen(running.parts) == 1 and broken(running) == []


def test_what_was_put_right_is_the_next_version_confirmed_by_two_and_its_changes_hang(
    running, district, desk, with_agent
):
    roster, hands, agent = with_agent
    here = f"/office/rosters/{roster}"
    hang(agent, roster, code_of(running, roster))
    running.turn(running.one("select ends_at from roster_posting").ends_at)
    assert hands["town"].post(f"{here}/report", data={"no": 1}).status_code == 409, "nothing has gone on by itself yet"
    ripen(running.parts)

    def put_right(connection):
        a_person(connection, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
        connection.execute(text("update person set alive = false where id = :p"), {"p": district.elder.id})
        moved = text("update person set household_id = (select household_id from person where id = :to) where id = :p")
        connection.execute(moved, {"p": district.poor.id, "to": district.neighbour.id})

    running.write(put_right)
    assert drawn(running, place=district.village)["drawn"] == 1 and stand(running)[1:] == (2, "AMENDING")
    changes = {(row.masked, row.what, row.why) for row in rows(running, "select * from roster_change")}
    assert changes == {("钱*登", "added", "REGISTERED"), ("王*奶", "removed", "DEAD"), ("张*困", "removed", "MOVED")}
    page = hands["town"].get(here).text
    assert "迁到别的村了" in page and "看张贴的照片" in hands["town"].get(f"{here}?no=1").text
    assert hands["town"].get(f"{here}/photo/1").content_type == "image/jpeg"
    assert hands["town"].post(f"{here}/report", data={"no": 2}).status_code == 303
    assert hands["hrss"].post(f"{here}/sign", data={"roster": f"{roster}:2:EFFECTIVE"}).status_code == 409
    back = hands["lead"].post(f"{here}/back", data={"no": 2, "why": "还漏了一户"})
    assert back.status_code == 303 and stand(running)[2] == "AMENDING"
    hands["town"].post(f"{here}/report", data={"no": 2})
    assert hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:2:TAX_CONFIRMED"}).status_code == 303
    assert hands["hrss"].post(f"{here}/sign", data={"roster": f"{roster}:2:EFFECTIVE"}).status_code == 303
    assert running.one("select state, effective_no from roster where id = :r", r=roster) == ("EFFECTIVE", 2)
    assert broken(running) == []

    anybody, code = running.app.test_client(), code_of(running, roster, 2)
    hung = anybody.get(f"/posted/{code}").text
    assert "新加上的" in hung and "钱*登" in hung and "王*奶" in hung and "李*班" not in hung
    assert "打印更正表" in agent.get(f"/agent/rosters/{roster}").text
    running.turn(running.parts.clocks.now() + timedelta(days=4))
    assert anybody.get(f"/posted/{code}").status_code == 404
    assert "第1版和第2版" in hands["lead"].get(f"{here}/compare?a=1&b=2").text


def test_the_poster_is_as_many_sheets_as_it_needs_and_its_code_opens_the_list(running, district, with_agent):
    roster, _, agent = with_agent
    [row] = own(running.parts, HERE)
    held = poster(running.parts, row, on=date(2021, 10, 22))
    many = type(held)(
        **{**held.__dict__, "names": ["阿***提", "𠮷*", "*", *(f"张*{c}" for c in "一二三四五六七八九十" * 40)]}
    )
    for size, most in (("a4", 9), ("a3", 6)):
        paper = pypdfium2.PdfDocument(draw_poster(many, size=size))
        assert 2 <= len(paper) <= most
        for number, page in enumerate(paper, 1):
            words = page.get_textpage().get_text_bounded()
            assert f"第{number}张，共{len(paper)}张" in words and "10月22日，公示到 10月25日24时" in words
            [code] = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
            assert code.text == f"{running.parts.public_url}/posted/{row.code}" and plain(code.text[-12:]) == row.code
        first = paper[0].get_textpage().get_text_bounded()
        assert "𠮷*" in first and "320 元" in first and "〔U+" not in first
    empty = type(held)(**{**held.__dict__, "names": []})
    assert "没有人" in pypdfium2.PdfDocument(draw_poster(empty, size="a4"))[0].get_textpage().get_text_bounded()
    answer = agent.get(f"/agent/rosters/{roster}/poster-a4.pdf")
    assert answer.content_type == "application/pdf" and draw_poster(held, size="a4") == draw_poster(held, size="a4")
    assert agent.get(f"/agent/rosters/{roster}/poster-a9.pdf").status_code == 404


def test_an_agent_who_is_out_hangs_nothing_and_the_town_gives_it_to_another(running, district, with_agent):
    roster, hands, agent = with_agent
    running.write(lambda c: c.execute(text("update agent set active = false")))
    assert hang(agent, roster, code_of(running, roster)).status_code == 303, "to the login"
    assert (
        stand(running)[2] == "WITH_AGENT"
        and "本村还没有在岗的代办员" in hands["town"].get(f"/office/rosters/{roster}").text
    )


def test_who_asks_for_pages_that_are_not_there_throws_away_no_page_that_is_kept(running, district, with_agent):

    roster, _, agent = with_agent
    code = code_of(running, roster)
    running.turn(datetime(2021, 10, 22, 15, tzinfo=BEIJING))
    assert hang(agent, roster, code).status_code == 303
    shown._kept.clear()
    anybody = running.app.test_client()
    anybody.get(f"/posted/{code}")
    [real] = shown._kept
    for page in range(2, 70):
        anybody.get(f"/posted/{code}?page={page}")

    assert real in shown._kept
