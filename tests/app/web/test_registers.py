"""A bureau hands its register file in at a page: looked at before it counts, taken in once, or thrown away."""

import io
import re

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.hand_in.work import work
from app.flows.pay.start import Want
from app.flows.register.import_roster import import_roster
from app.office_jobs import KINDS
from app.policy.facts import Insurance
from core.db import connect
from tests.app.registry.files import a_csv, a_row, an_xlsx
from tests.app.web.test_office import PASSWORD, client_of
from tests.builders import an_id_number
from tests.conftest import DATABASE
from tests.refunding import rows, start

TITLE_ROW = ("姓名", "身份证号", "户籍情况", "生存状态", "险种", "参保状态", "村居代码", "户号")


@pytest.fixture
def process(running, database):
    """Does what waits, as the office process; how many."""
    held = connect(database.office_url(DATABASE), pool_size=1)
    yield lambda: work(running.office, held, running.app.extensions["joined"].office_of, KINDS)
    held.dispose()


@pytest.fixture
def desk(running, district):
    """A browser for each role that is named."""

    def open_one(role, login):
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
        return client_of(running, login, PASSWORD)

    return open_one


def hand_in(client, path, name=None):
    sent = {"file": (io.BytesIO(path.read_bytes()), name or path.name)}
    answer = client.post("/office/registers/", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_file_is_looked_at_before_it_counts_and_taken_in_when_a_clerk_says_so(
    running, district, desk, process, tmp_path
):
    """One new, one now on the list of 低保 with a code out, one dead, one of the other bureau's, one unreadable."""
    start(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    adult = {"id_number": district.adult.id_number, "name": "张示例", "sex": ""}
    dead = {"alive_status": "死亡", "change_type": "END", "village_code": district.other_village, "birth_date": ""}
    path = a_csv(
        tmp_path / "人社十一月.csv",
        a_row(61),
        a_row(1, **adult, categories="低保"),
        a_row(5, id_number=district.neighbour.id_number, name="赵邻居", sex="", **dead),
        a_row(63, insurance="居民养老"),
        a_row(64, name=""),
    )
    client = desk(Role.MEDICAL, "med01")
    where = hand_in(client, path)
    assert hand_in(client, path) == where  # a button pressed twice
    assert "排着队" in client.get(where).text and "data-every" in client.get(where).text
    before = rows(running, "select * from person order by id"), rows(running, "select * from enrolment order by 1, 2")

    assert process() == 1

    page = client.get(where).text
    told = rows(running, "select outcome from office_job")[0].outcome
    assert (told["added"], told["changed"], told["same"], told["refused"]) == (1, 2, 0, 2)
    assert told["does"] == {
        "people": 3, "paying": 1, "refunds": 0,
        "due": {"RES_PENSION": {"left": 1}, "RES_MEDICAL": {"joined": 1, "nothing": 1, "left": 1}},
    }  # fmt: skip
    assert "由人社局来报" in page and "<strong>1</strong> 人这会儿正在付款" in page and "没有问题的 3 行" in page
    assert an_id_number(sequence=64) not in page and "data-every" not in page
    assert before == (
        rows(running, "select * from person order by id"), rows(running, "select * from enrolment order by 1, 2")
    )  # fmt: skip
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{where}/refused.xlsx").data))
    lines = sheet.get_sheet_by_name("退回").to_python()
    assert [line[3] for line in lines] == ["代码", "INSURANCE_OF_ANOTHER", "EMPTY"]

    assert client.post(f"{where}/take").status_code == 409  # who takes good rows only says so
    assert client.post(f"{where}/take", data={"good_rows": "1"}).location == where
    assert client.post(f"{where}/take", data={"good_rows": "1"}).status_code == 303  # pressed twice
    assert process() == 1

    page = client.get(where).text
    assert "已导入" in page and "当时是" not in page and f"{where}/take" not in page
    batch = rows(running, "select * from import_batch where kind = 'enrolment' order by id desc")[0]
    assert (batch.added, batch.changed, batch.refused) == (1, 2, 2)
    causes = rows(running, "select distinct by, cause from register_change where starts_with(cause, 'import:')"
                           " and cause <> 'import:' || encode('prepared', 'hex')")  # fmt: skip
    assert [tuple(one) for one in causes] == [("staff:med01", f"import:{bytes(batch.file_hash).hex()}")]
    assert client.post(f"{where}/take", data={"good_rows": "1"}).status_code == 409

    again = hand_in(client, path)
    process()
    assert again != where and "再导入也不会改变什么" in client.get(again).text
    assert f"{again}/take" not in client.get(again).text
    listed = client.get("/office/registers/").text
    assert listed.count("人社十一月.csv") == 2 and listed.count("已导入") == 1


def test_what_changed_since_the_look_is_told(running, district, desk, process, tmp_path):
    client = desk(Role.MEDICAL, "med01")
    where = hand_in(client, a_csv(tmp_path / "a.csv", a_row(61), a_row(63)))
    process()
    import_roster(running.office, a_csv(tmp_path / "b.csv", a_row(61)))
    client.post(f"{where}/take")
    process()

    page = client.get(where).text
    assert "新增当时是 2，实际是 1；相同当时是 0，实际是 1" in page
    assert running.one("select added, same from import_batch order by id desc limit 1") == (1, 1)


def test_a_file_thrown_away_is_gone_and_its_row_stays(running, district, desk, process, tmp_path):
    client = desk(Role.HRSS, "hrss01")
    where = hand_in(client, a_csv(tmp_path / "a.csv", a_row(61, insurance="居民养老", name="")))
    assert client.post(f"{where}/throw").status_code == 409  # it is being looked at
    process()
    assert client.get(f"{where}/refused.xlsx").status_code == 200

    assert client.post(f"{where}/throw").location == where

    assert (
        "hrss01 2021年11月5日 " in client.get(where).text
        and "还没有算数" not in client.get(where).text
        and "EMPTY" not in client.get(where).text
    )
    assert client.get(f"{where}/refused.xlsx").status_code == 404
    assert client.post(f"{where}/file", data={"reason": "核对名单用"}).status_code == 409
    assert client.post(f"{where}/take", data={"good_rows": "1"}).status_code == 409
    assert running.one("select count(*) from upload_piece")[0] == 0
    assert "已作废<br><small>hrss01，2021年11月5日" in client.get("/office/registers/").text


def test_the_file_comes_back_whole_for_a_reason_and_the_auditor_reads_it(running, district, desk, process, tmp_path):
    path = a_csv(tmp_path / "a.csv", a_row(61))
    client = desk(Role.MEDICAL, "med01")
    where = hand_in(client, path)
    process()

    assert client.post(f"{where}/file", data={"reason": "x"}).status_code == 400
    assert client.post(f"{where}/file", data={"reason": "和做表的人核对"}).data == path.read_bytes()

    assert running.one("select by, what, reason from disclosure") == ("staff:med01", "list", "和做表的人核对")
    auditor = desk(Role.AUDITOR, "audit01")
    assert "交来的文件" in auditor.get("/office/audit/readings").text
    page = auditor.get(where).text
    assert auditor.get(where).status_code == 200 and f"{where}/file" not in page and f"{where}/take" not in page
    other = desk(Role.HRSS, "hrss01")  # the other bureau's is not there
    asked = [other.get(path) for path in (where, f"{where}/refused.xlsx")]
    asked += [other.post(f"{where}/{act}", data={"reason": "和做表的人核对"}) for act in ("take", "throw", "file")]
    assert {answer.status_code for answer in asked} == {404}


def test_what_people_make_of_sheets_is_read_and_said(running, district, desk, process, tmp_path):
    """Titles above a header in the fourth row, a sum below, two names in a cell, a sheet that is hidden."""

    def line(number, name):
        return (name, an_id_number(sequence=number), "本区户籍", "健在", "居民医保", "正常", "370404103901", "0001")

    path = an_xlsx(tmp_path / "表.xlsx", {
        "登记": [("参保登记表",), ("2022年",), (), TITLE_ROW, line(61, "张示例"), line(63, "张示例、李示例"),
                ("合计", "", "", "2")],
        "说明": [("怎么填",)],
    })  # fmt: skip
    client = desk(Role.MEDICAL, "med01")
    where = hand_in(client, path)
    process()

    page = client.get(where).text
    assert "没有表头、没有读的工作表：说明" in page and "不是人、没有算的行：“登记”第7行（合计）" in page
    assert "像是两个人的姓名" in page and re.search(r"<td>登记</td><td>6</td>", page)


@pytest.mark.parametrize(("content", "why"), [(b"", "空的"), (None, "还没有选文件")])
def test_nothing_is_no_file_and_what_cannot_be_read_says_why(running, district, desk, process, content, why):
    client = desk(Role.MEDICAL, "med01")
    sent = {} if content is None else {"file": (io.BytesIO(content), "a.csv")}
    answer = client.post("/office/registers/", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 400 and why in answer.text

    sent = {"file": (io.BytesIO(b"PK\x03\x04 no workbook"), "a.xlsx")}
    where = client.post("/office/registers/", data=sent, content_type="multipart/form-data").location
    process()
    assert "这份文件看不了" in client.get(where).text and "看不了" in client.get("/office/registers/").text


def test_the_list_has_a_second_page(running, district, desk):
    client = desk(Role.MEDICAL, "med01")
    assert "还没有交来过" in client.get("/office/registers/").text
    running.write(lambda c: c.execute(text(
        "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
        " select 'enrolment', 'x', 'file-' || n || '.csv', 0, 0, 0, 0, 0 from generate_series(1, 25) n")))  # fmt: skip

    first, second = (client.get(f"/office/registers/?page={page}").text for page in (1, 2))

    assert "file-25.csv" in first and "命令行" in first
    assert "下一页" in first and "上一页" in second and "下一页" not in second
    assert "这一页没有了" in client.get("/office/registers/?page=9").text
