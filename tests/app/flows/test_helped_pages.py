"""A department at its pages: its list sent, judged by the office process, taken in; the town and the medical bureau see
who failed; nobody sees another department's."""

import re
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from app.access.roles import Role
from app.flows.enter.accounts import WrongDepartments, add_staff
from app.flows.helped.check import check
from app.registry.helped_reasons import OF_MANY
from tests.app.flows.test_hand_in import process
from tests.app.helped.papers import HEAD, a_line, a_list
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_uploads import FORM, MEGABYTE, form
from tests.builders import an_id_number
from tests.refunding import rows

__all__ = ["process"]
TOWN = "370404103"


@pytest.fixture
def desk(running):
    """A client of somebody with a role, by login."""
    running.app.config["WTF_CSRF_ENABLED"] = False

    def made(login, role, **whose):
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, **whose)
        return client_of(running, login, PASSWORD)

    return made


def sent(client, path, **fields):
    """Where the judging of a file is followed."""
    with path.open("rb") as file:
        answer = client.post(
            "/office/helped/send", data={"file": (file, path.name), "insurance": "RES_MEDICAL"} | fields
        )
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_department_sends_its_list_and_leads_who_failed_to_the_end(running, adult, desk, process, tmp_path):
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    home = civil.get("/office/").text
    assert "部门名单" in home and "找人" not in home and civil.get("/office/people/").status_code == 403
    path = a_list(tmp_path / "名单.xlsx", a_line(7), a_line(9), a_line(11, name="李示例"))
    job = sent(civil, path)
    assert "正在排队" in civil.get(job).text and process() == 1

    seen = civil.get(job).text
    assert "可以办</dt><dd>1 行" in seen and "没有参保登记" in seen and "3 人，3 行" in seen
    [batch] = [row.id for row in rows(running, "select id from special_batch")]
    page = civil.get(f"/office/helped/{batch}").text
    assert "确认导入 1 行" in page and "张*例" in page and an_id_number(sequence=9) not in page
    assert rows(running, "select 1 from helped_category") == []
    taking = civil.post(f"/office/helped/{batch}/take").location
    process()
    assert "办成</dt><dd>1 行" in civil.get(taking).text
    assert civil.post(f"/office/helped/{batch}/close").status_code == 409

    town = desk("town01", Role.TOWN, towns=[TOWN])
    assert "李*例" in town.get("/office/helped/waiting").text
    told = {"whom": "family", "how": "visit", "on": "2021-11-05"}
    assert town.post(f"/office/helped/{batch}/2/told", data=told).status_code == 303
    assert town.get(f"/office/helped/{batch}/back.xlsx").status_code == 403
    for state in ("GIVEN_UP", "RESOLVED"):
        wrong = civil.post(f"/office/helped/{batch}/3/end", data={"state": state, "why": "找不到人"})
        assert wrong.status_code == 409 and "先写明告诉了谁" in wrong.text and "“名单”第7行</a>：" in wrong.text
        assert wrong.text.count('value="找不到人"') == 1, "what was typed stands at its row alone"
    late = civil.post(f"/office/helped/{batch}/3/told", data=told | {"on": "2021-11-06", "how": "sms"})
    assert late.status_code == 422 and "不能晚于今天" in late.text and '<option value="sms" selected>' in late.text
    medical = desk("medical01", Role.MEDICAL)
    for who, step, fields in (
        (civil, "2/end", {"state": "GIVEN_UP"}),
        (medical, "3/told", told | {"state": "RESOLVED"}),
    ):
        ended = who.post(f"/office/helped/{batch}/{step}", data=fields | {"why": "本人知道了"})
        assert ended.status_code == 303, ended.text
    page = civil.get(f"/office/helped/{batch}").text
    assert page.count("2021年11月5日上门告诉了家里人（") == 2 and "不办了：本人知道了" in page and "写告知" not in page
    file = civil.get(f"/office/helped/{batch}/back.xlsx").data
    head, *_ = CalamineWorkbook.from_filelike(BytesIO(file)).get_sheet_by_index(0).to_python()
    assert tuple(head[: len(HEAD)]) == HEAD
    noted = rows(running, "select by, place from disclosure")
    assert [tuple(row) for row in noted] == [("staff:civil01", f"helped:{batch}")]
    auditor = desk("auditor01", Role.AUDITOR)
    assert f"部门名单 {batch}" in auditor.get("/office/audit/readings").text
    assert auditor.post(f"/office/helped/{batch}/close").status_code == 403
    assert civil.post(f"/office/helped/{batch}/close").status_code == 303
    assert "已办结" in civil.get("/office/helped/").text


def test_another_departments_list_does_not_exist(running, adult, desk, process, tmp_path):
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    cdpf = desk("cdpf01", Role.DEPARTMENT, departments=["cdpf"])
    far = desk("town01", Role.TOWN, towns=[TOWN[:6] + "100"]) if _town(running) else None
    job = sent(civil, a_list(tmp_path / "a.xlsx", a_line(7), a_line(9)))
    process()
    batch = rows(running, "select id from special_batch")[0].id

    for who in filter(None, (cdpf, far)):
        assert who.get(f"/office/helped/{batch}").status_code == 404
        assert (
            "还没有名单" in who.get("/office/helped/").text and "都有结果了" in who.get("/office/helped/waiting").text
        )
    assert cdpf.get(job).status_code == 404
    assert cdpf.post(f"/office/helped/{batch}/drop").status_code == 404
    assert sent_refused(cdpf, tmp_path / "a.xlsx", department="civil") == 404
    assert cdpf.post(f"/office/helped/{batch}/take").status_code == 404
    assert rows(running, "select state from special_batch")[0].state == "VALIDATED"
    assert civil.post(f"/office/helped/{batch}/drop").status_code == 303
    assert rows(running, "select 1 from special_row") == []
    for page in (job, f"/office/helped/{batch}"):
        text_of = civil.get(page).text
        assert "已作废" in text_of and "civil01 2021年11月5日 " in text_of and "确认导入" not in text_of
    with pytest.raises(WrongDepartments):
        desk("wrong01", Role.DEPARTMENT, departments=["mars"])
    with pytest.raises(WrongDepartments):
        desk("wrong02", Role.MEDICAL, departments=["civil"])


def test_what_failed_is_counted_and_said_in_words(running, adult, desk, tmp_path):
    """No code of ours and no place of a sentence left open; a person and his rows are told apart."""
    lines = [
        a_line(7, insurance="养老、医疗"),
        a_line(9, word="二级残疾", insurance="养老、医疗"),
        a_line(9, word="二级残疾", until="2021-11-04"),
        a_line(11, word="甲类"),
    ]
    path = a_list(tmp_path / "a.xlsx", *lines)
    batch = check(running.office, path, department="civil", by="staff:civil01").batch

    page = desk("civil01", Role.DEPARTMENT, departments=["civil"]).get(f"/office/helped/{batch}").text

    assert "3 人，6 行（一人一个险种算一行）" in page
    assert "<li>类别由别的部门认定，不由贵部门报 <small>2 行" in page and "“二级残疾”由残联、财政认定" in page
    assert "<li>认定已经到期，请续办后再报" in page and "认定在2021-11-04到期了" in page
    assert "“…”" not in page and "DIS2" not in page and not [each for each in OF_MANY.values() if "{" in each]


def test_columns_and_words_are_pointed_at_once(running, adult, desk, process, tmp_path):
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    head = ["编码", "谁", "号码", "哪一种"]
    number = an_id_number(sequence=7)
    path = a_list(tmp_path / "a.xlsx", [1, "张示例", number, "甲类"], head=head)
    job = sent(civil, path)
    process()
    page = civil.get(job).text
    assert "请在下面指定" in page and "张*例" in page and number not in page
    columns = {"column-1": "name", "column-2": "id_number", "column-3": "category"}

    assert civil.post(f"{job}/layout", data={"column-1": "height"}).status_code == 422
    again = civil.post(f"{job}/layout", data=columns).location
    process()
    page = civil.get(again).text
    assert "“甲类”（1 行）是" in page
    last = civil.post(f"{again}/layout", data={"word-0": "TEKUN"}).location
    process()

    assert "可以办</dt><dd>1 行" in civil.get(last).text
    assert re.search(r"甲类", str(rows(running, "select words from special_layout")))
    later = sent(civil, a_list(tmp_path / "b.xlsx", [2, "张示例", number, "甲类"], head=head))
    process()
    assert "可以办</dt><dd>1 行" in civil.get(later).text, "the next file is read so at once"


def sent_refused(client, path, **fields):
    with path.open("rb") as file:
        return client.post("/office/helped/send", data={"file": (file, path.name), **fields}).status_code


def _town(running):
    """Another town than the adult's."""
    return running.write(
        lambda c: (
            c.exec_driver_sql(f"insert into town values ('{TOWN[:6]}100', '古邵镇') on conflict do nothing").rowcount
        )
    )


def test_a_list_of_megabytes_is_taken_and_what_is_none_says_so(running, desk, process):
    """The door takes 20 MB; an empty file, and one without people, are told in words."""
    civil = desk("civil01", Role.DEPARTMENT, departments=["civil"])
    none = civil.post("/office/helped/send", data={"file": (BytesIO(b""), "a.csv")})
    assert none.status_code == 400 and "还没有选文件" in none.text
    job = civil.post("/office/helped/send", data=form(3 * MEGABYTE), content_type=FORM).location
    process()

    assert "一格太长" in civil.get(job).text, "read whole, and found to be no list"
