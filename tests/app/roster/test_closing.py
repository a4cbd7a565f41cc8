"""After the season it hangs who is insured and who is not yet: agreed to by two, in its days and not a minute longer,
by masked names and nothing else; taken down, and all of it on one paper."""

import io
import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.documents.hanging import grouped
from app.documents.poster import draw as draw_poster
from app.flows.pay.start import Want
from app.flows.register.open_year import open_year
from app.flows.roster.close import NoClosingNow, close
from app.flows.roster.closings import own, poster
from app.flows.roster.draw import Asked
from app.flows.roster.post import ripen
from app.flows.roster.watch import watch_rosters
from app.policy.facts import Insurance
from core.clock import BEIJING
from tests.app.roster.hands import AFTER, MEDICAL, broken, drawn, listed, said, stand
from tests.app.roster.test_attacks import in_force
from tests.app.roster.test_post import a_photo, code_of, hang, resident, with_agent
from tests.builders import a_person, a_village, an_id_number
from tests.refunding import pay, rows

__all__ = ["with_agent"]
STARTS, ENDS = datetime(2021, 12, 21, tzinfo=BEIJING), datetime(2022, 1, 21, tzinfo=BEIJING)


def closed(running, insurances=MEDICAL, *, place="", by="staff:drawer"):
    return close(running.office, Asked(2022, insurances, place), by=by)


def put_up(agent, closing, no, code):
    sent = {"no": no, "code": code, "photo": (io.BytesIO(a_photo()), "贴好了.jpg")}
    return agent.post(f"/agent/rosters/closings/{closing}/hang", data=sent, content_type="multipart/form-data")


def columns(page):
    """Title → names as the public page has them."""
    found = re.findall(r"<section><h2>([^<]+)</h2>(.*?)</section>", page, re.S)
    return {title: re.findall(r"<li>([^<]+)</li>", names) for title, names in found}


def woken(running):
    """Who is woken now, and by which word."""
    heard = []
    loud = replace(running.parts, alert=lambda word, **more: heard.append((word, more.get("office") or more["town"])))
    watch_rosters(loud)
    return heard


def test_who_is_insured_hangs_from_the_day_after_the_season_until_its_end(running, district, desk, process, with_agent):
    _, hands, agent = with_agent
    clerk, lead = desk("clerk01", Role.TAX_CLERK), hands["lead"]
    running.turn(STARTS - timedelta(minutes=1))
    with pytest.raises(NoClosingNow):
        closed(running)
    assert "出公示" not in clerk.get("/office/rosters/closing/").text
    running.turn(STARTS)
    wrong = clerk.post("/office/rosters/closing/draw", data={"year": "2022", "place": "999"})
    assert wrong.status_code == 422 and "从列表里选" in said(wrong)
    form = {"year": "2022", "place": district.village}
    where = clerk.post("/office/rosters/closing/draw", data=form).location
    assert clerk.post("/office/rosters/closing/draw", data=form).location == where, "pressed twice"
    assert process() == 1 and "没有生效清册的村" in clerk.get(where).text
    number, no, agreed, code = listed(running)
    version = running.one("select * from closing_version where closing_id = :c", c=number)
    assert (no, agreed, version.roster_no) == (1, None, None)
    # the old woman and the poor man pay nothing, whether they came or not; who is insured at work belongs to neither
    assert (version.done, version.owing, version.excluded) == (2, 1, 1)
    assert closed(running, place=district.village)["drawn"] == 0, "the same says nothing new"

    anybody = running.app.test_client()
    assert put_up(agent, number, 1, code).status_code == 404, "nobody agreed to it yet"
    assert "没有生效的清册" in clerk.get("/office/rosters/closing/").text
    ticked = {"closing": f"{number}:1"}
    assert "不能自己复核" in said(clerk.post("/office/rosters/closing/agree", data=ticked))
    assert hands["hrss"].post("/office/rosters/closing/agree", data=ticked).status_code == 403
    assert lead.post("/office/rosters/closing/agree", data=ticked).status_code == 303
    assert lead.post("/office/rosters/closing/agree", data=ticked).status_code == 409
    assert anybody.get(f"/posted/{code}").status_code == 404, "it hangs nowhere yet"
    assert "请打印、张贴" in agent.get("/agent/rosters").text
    assert "请选一张" in said(agent.post(f"/agent/rosters/closings/{number}/hang", data={"no": 1, "code": code}))
    assert "公示码不对" in said(put_up(agent, number, 1, "0" * 12))
    assert put_up(agent, number, 1, f"{code[:4]}-{code[4:8]} {code[8:].lower()}").status_code == 303
    photo = rows(running, "select photo from closing_step where what = 'HUNG'")[0].photo
    assert a_photo() not in bytes(photo) and put_up(agent, number, 1, code).status_code == 409
    page = anybody.get(f"/posted/{code}")
    assert columns(page.text) == {"已参保缴费": ["张*困", "王*奶"], "尚未缴费": ["张*例"]}
    assert "截至2021年12月21日0时" in page.text and page.headers["Cache-Control"] == "public, max-age=60"
    words = re.sub(r"<[^>]+>|\s", "", page.text).replace(grouped(code), "")
    assert not re.search(r"\d+元|低保|残疾|孤儿|出生|320|张示例|李\*班", words)

    home = resident(running, district.adult)
    assert "尚未缴费" in home.get("/lists").text and "告诉我们" in home.get("/lists").text
    running.turn(AFTER)
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL), key="late-key")
    assert closed(running)["drawn"] == 2, "and the village beside for the first time"
    assert columns(anybody.get(f"/posted/{code}").text)["尚未缴费"] == ["张*例"], "nobody agreed to the new one yet"
    assert lead.post("/office/rosters/closing/agree", data={"closing": f"{number}:2"}).status_code == 303
    assert columns(anybody.get(f"/posted/{code}").text)["已参保缴费"] == ["张*例", "张*困", "王*奶"]
    assert "不用自己出钱的也写在“已参保缴费”里" in anybody.get(f"/posted/{code}").text, (
        "who pays nothing presses once all the same"
    )
    assert "有新的一版，请换上" in agent.get("/agent/rosters").text
    town = hands["town"]
    assert "份参保缴费公示等您办" in town.get("/office/").text
    assert town.post(f"/office/rosters/closing/{number}/hang", data={"no": 2}).status_code == 303
    assert put_up(agent, number, 2, code).status_code == 303
    assert said(town.post(f"/office/rosters/closing/{number}/down", data={"place": "hall"})) != ""

    running.turn(ENDS - timedelta(seconds=30))
    late = anybody.get(f"/posted/{code}")
    assert late.status_code == 200 and 0 <= int(late.headers["Cache-Control"].rpartition("=")[2]) <= 30
    running.turn(ENDS)
    assert anybody.get(f"/posted/{code}").status_code == 404, "not a minute longer"
    assert agent.get(f"/agent/rosters/closings/{number}/poster-a4.pdf").status_code == 404
    with pytest.raises(NoClosingNow):
        closed(running)
    assert (
        "到期了，请撤下" in agent.get("/agent/rosters").text and "该撤下了" in town.get("/office/rosters/closing/").text
    )
    assert woken(running) == [("lists_hang_on", district.village[:9])]
    assert agent.post(f"/agent/rosters/closings/{number}/down").status_code == 303
    assert town.post(f"/office/rosters/closing/{number}/down", data={"place": "hall"}).status_code == 303
    assert agent.post(f"/agent/rosters/closings/{number}/down").status_code == 409
    assert "已归档" in town.get(f"/office/rosters/closing/{number}").text and woken(running) == []
    assert broken(running) == []


def test_a_list_after_the_season_is_of_the_roster_in_force_and_all_is_one_paper(running, district, desk, with_agent):
    roster, hands, agent = with_agent
    in_force(running, district, with_agent)
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=77), name="后来人", household=district.household)
    )
    running.turn(AFTER)
    closed(running, place=district.village)
    number, no, _, code = listed(running)
    version = running.one("select * from closing_version where closing_id = :c", c=number)
    assert (version.roster_no, version.beside) == (2, 1) and "后*人" not in {
        row.masked for row in rows(running, "select masked from closing_row")
    }
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": f"{number}:{no}"})
    paper = pypdfium2.PdfDocument(io.BytesIO(agent.get(f"/agent/rosters/closings/{number}/poster-a4.pdf").data))
    words = paper[0].get_textpage().get_text_bounded()
    assert "已参保缴费：" in words and "尚未缴费：" in words and "公示到 1月20日24时" in words and "钱*登" in words
    [read] = zxingcpp.read_barcodes(paper[0].render(scale=2).to_pil())
    assert read.text == f"{running.parts.public_url}/posted/{code}"
    [(row, _)] = own(running.parts, {district.village})
    held = poster(running.parts, row, on=date(2021, 12, 22))
    many = replace(held, lists=[(title, [f"张*{c}" for c in "一二三四五" * 40]) for title, _ in held.lists])
    for sheet in pypdfium2.PdfDocument(draw_poster(many, size="a4")):
        assert re.search("已参保缴费|尚未缴费", sheet.get_textpage().get_text_bounded().partition("公示码")[2]), (
            "of which"
        )
    put_up(agent, number, no, code)

    whole = hands["town"].get(f"/office/rosters/{roster}/archive.pdf")
    text_of = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(io.BytesIO(whole.data)))
    for told in (
        "征收清册档案",
        "税务分局审过",
        "公示期满",
        "新登记的",
        "已参保缴费",
        "复核过",
        grouped(code_of(running, roster)),
    ):
        assert told in text_of, told
    assert re.search(r"2021年1\d月\d+日24时", "".join(text_of.split())), "days and codes as the pages tell them"


def test_a_town_prints_all_that_was_agreed_to_in_one_file_village_by_village(
    running, district, desk, process, with_agent
):
    _, hands, _ = with_agent
    running.write(lambda connection: a_village(connection, "370404104901", "远村"))
    town, far = hands["town"], desk("town02", Role.TOWN, towns=["370404104"])
    form = {"year": "2022", "town": district.village[:9], "size": "a4"}
    running.turn(STARTS)
    closed(running)
    nothing = town.post("/office/rosters/closing/posters", data=form)
    assert nothing.status_code == 409 and "没有可打印的" in said(nothing)
    assert "全镇街打印" not in town.get("/office/rosters/closing/").text
    lists = rows(running, "select id, no, code from closing where no > 0 order by village_code")
    ticked = {"closing": [f"{each.id}:{each.no}" for each in lists]}
    assert hands["lead"].post("/office/rosters/closing/agree", data=ticked).status_code == 303
    assert "全镇街打印（A4）" in town.get("/office/rosters/closing/").text
    assert "全镇街打印" not in far.get("/office/rosters/closing/").text

    where = town.post("/office/rosters/closing/posters", data=form).location
    assert town.post("/office/rosters/closing/posters", data=form).location == where, "pressed twice"
    assert far.post("/office/rosters/closing/posters", data=form).status_code == 409
    assert "正在排队" in town.get(where).text and process() == 1

    assert "2 个村（居），2 份公示" in town.get(where).text
    file = town.get(f"{where}/file.pdf")
    pages = ["".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(file.data)]
    assert [code for page in pages for each in lists if (code := grouped(each.code)) in page] == [
        grouped(each.code) for each in lists
    ], "in the order of villages, each on sheets of its own"
    assert len(pages) == 2 and all("第1张，共1张" in page for page in pages)
    assert far.get(where).status_code == far.get(f"{where}/file.pdf").status_code == 404
    assert hands["hrss"].get(where).status_code == 403
    running.turn(ENDS)
    assert town.post("/office/rosters/closing/posters", data=form).status_code == 409
    assert town.get(f"{where}/file.pdf").status_code == 409 and "不能再打印" in town.get(where).text


def test_no_list_after_the_season_is_changed_or_made_by_the_web(running, district, with_agent):
    running.turn(AFTER)
    closed(running)
    for statement in (
        "update closing_row set done = true",
        "delete from closing_step",
        "update closing set agreed_no = 1",
        "insert into closing_step (closing_id, no, what, by, at) select id, 1, 'AGREED', 'staff:x', now() from closing",
        "insert into closing_row select id, 1, 999, '李*', true from closing",
        "update closing set ends_at = ends_at + interval '1 day'",
        "select closing_write('{1}', 'staff:x', null, now())",
    ):
        with running.parts.engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(statement))
    assert broken(running) == []


def test_an_answer_is_told_by_message_and_names_nobody_to_the_village(running, district, desk, with_agent):
    roster, hands, agent = with_agent
    doctor, home = desk("med01", Role.MEDICAL), resident(running, district.adult)
    hang(agent, roster, code_of(running, roster))
    home.post(f"/lists/{roster}", data={"words": "名单上没有我爸"})
    number = running.one("select id from roster_objection").id
    running.turn(running.parts.clocks.now() + timedelta(days=9))
    assert ("objections_wait", "medical") in woken(running)
    own_words = {"words": "查过了，登记里补上", "accepted": "yes"}
    assert doctor.post(f"/office/rosters/objections/{number}/answer", data=own_words).status_code == 303
    told = running.one("select * from notice where cause = :c", c=f"objection:O{number}:answered")
    assert told.kind == "answered" and "张" not in str(told.fields) and "查过了" not in str(told.fields)
    running.write(lambda c: c.execute(text("update notice set rank = 4, last_error = 'x' where kind = 'answered'")))
    assert "公示的名单" not in agent.get(f"/agent/villages/{district.village}/visits").text

    page = doctor.get("/office/rosters/objections/").text
    [link] = re.findall(r'href="(/office/registers/[^"]+)"', page)
    assert "名单上没有我爸" in doctor.get(link).text
    assert ripen(running.parts) == 1
    here, town = f"/office/rosters/{roster}", hands["town"]
    bare = town.post(f"{here}/report", data={"no": 1})
    assert bare.status_code == 409 and "还没有改" in said(bare) and 'name="why"' in bare.text
    assert town.post(f"{here}/report", data={"no": 1, "why": "查明他登记在邻村，那边会列"}).status_code == 303
    assert "登记在邻村" in town.get(here).text and broken(running) == []


def test_what_is_odd_beyond_one_page_stands_on_the_next(running, district, desk):
    def many(connection):
        for at in range(101):
            number = an_id_number(born=date(1909, 1, 1) + timedelta(days=at), sequence=9)
            a_person(
                connection, id_number=number, name="寿星", household=district.household, insurances=("RES_MEDICAL",)
            )

    running.write(many)
    drawn(running)
    page = desk("lead01", Role.TAX_LEAD).get(f"/office/rosters/{stand(running)[0]}").text
    assert "一共 101 条，第 1 页，共 2 页" in page and "odd=2" in page


def test_a_roster_of_a_former_year_is_drawn_anew_from_what_was_said_of_that_year(running, district):
    drawn(running, ("RES_PENSION",))
    running.turn(running.parts.clocks.now() + timedelta(days=4))
    assert woken(running) == [("rosters_wait", "tax")], "nobody has moved it, and the agents collect"
    assert open_year(running.office, 2023, by="operator:test")
    ended = text("update former_enrolment set status = 'ENDED' where person_id = :p and levy_year = 2022")
    running.write(lambda c: c.execute(ended, {"p": district.adult.id}))
    running.write(lambda c: a_person(c, id_number=an_id_number(sequence=77), household=district.household))

    told = drawn(running, ("RES_PENSION", "RES_MEDICAL"))

    assert (told["drawn"], told["same"]) == (1, 1), "and no medical one is made now that there was none"
    found = running.one("select people, left_out from roster_version where no = 2")
    assert (found.people, found.left_out) == (3, {"ENDED": 1})
