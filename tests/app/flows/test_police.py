"""The police's file: looked at before it counts, taken in once; the dead are not billed, what is on its way is not cut,
what was paid after a death goes back once nobody disputes it; offices decide what they contradict each other about."""

import io
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.conflicts.bring_police import bring_police
from app.flows.conflicts.of_the_dead import ask_for_dead, withdraw_of_the_dead
from app.flows.conflicts.watch import watch_conflicts
from app.flows.due.coverage import coverage
from app.flows.due.quote import all_due, subjects
from app.flows.pay.follow import close_payment
from app.flows.pay.start import NotPayable, Want
from app.flows.register.import_roster import import_roster
from app.flows.tell.remind import left_to_tell
from app.flows.village.people import villagers
from app.policy.facts import Insurance
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped_pages import desk
from tests.app.registry.files import a_csv, a_row, an_xlsx
from tests.app.web.people import a_district
from tests.builders import NOON, a_bill, a_person, a_started_payment, an_id_number
from tests.refunding import pay, rows, start, state
from tests.system import eventually

__all__ = ["desk", "process"]
HEAD = ("序号", "姓名", "公民身份号码", "事项", "日期", "备注")
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


@pytest.fixture
def district(running):
    return running.write(a_district)


def a_list(path, *lines):
    """The police's spreadsheet: a title above its header."""
    return an_xlsx(
        path, {"名单": [["公安分局人员变动名单"], HEAD, *([no, *line, ""] for no, line in enumerate(lines, 1))]}
    )


def line(whom, what, day="2021-10-20", name=None):
    return name or whom.name, whom.id_number, what, day


def hand_in(client, path, code=""):
    sent = {"file": (io.BytesIO(path.read_bytes()), path.name), "code": code}
    answer = client.post("/office/police/", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.location


def due(running, person, insurance=MEDICAL):
    [subject] = subjects(running.parts, [person])
    found = all_due(running.parts, subject, at=running.parts.clocks.now())
    return next(each for each in found if each.insurance is insurance)


def conflicts(running, state="open"):
    return [tuple(row) for row in rows(
        running, "select person_id, kind, owner from conflict where state = :s order by id", s=state)]  # fmt: skip


def test_a_list_is_looked_at_taken_in_once_and_what_contradicts_waits_for_its_office(
    running, district, desk, process, tmp_path
):
    under_way = start(running, Want(district.adult.id, MEDICAL))
    path = a_list(
        tmp_path / "公安十一月.xlsx",
        line(district.adult, "死亡"),
        line(district.elder, "免缴老人", ""),
        line(district.poor, "免缴老人", ""),
        line(district.worker, "迁出"),
        line(district.neighbour, "死亡", name="赵邻层"),
        ("周外人", an_id_number(sequence=77), "死亡", "2021-10-01"),
        line(district.adult, "死亡注销"),
        ("李示例", an_id_number(sequence=78), "失踪", "2021-10-01"),
        ("李示例", an_id_number(sequence=78), "死亡", "2031-10-01"),
    )
    medical = desk("med01", Role.MEDICAL)
    where = hand_in(medical, path)
    assert hand_in(medical, path) == where  # a button pressed twice
    assert "排着队" in medical.get(where).text and process() == 1

    told = rows(running, "select outcome from office_job")[0].outcome
    counts = ("rows_in", "added", "changed", "same", "unknown", "refused", "dead", "bills", "paying", "refunds")
    assert [told[each] for each in counts] == [9, 4, 0, 0, 1, 4, 1, 0, 1, 0]
    assert told["conflicts"] == {"ALIVE": 1, "AGE": 1, "RESIDENCE": 1, "NAME": 1}
    page = medical.get(where).text
    assert (
        "<strong>1</strong> 人，不打断" in page and "公安说去世了，登记说健在" in page and "导入没有问题的 4 行" in page
    )
    assert district.adult.id_number not in page and district.adult.name not in page
    assert rows(running, "select * from police_word") == [] and conflicts(running) == []
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(medical.get(f"{where}/refused.xlsx").data))
    assert [row[3] for row in sheet.get_sheet_by_name("退回").to_python()] == [
        "代码", "NAME_ID_MISMATCH", "SAID_TWICE", "CODE_UNKNOWN", "DATE_FUTURE",
    ]  # fmt: skip
    refused = [row[2:6:2] for row in sheet.get_sheet_by_name("退回").to_python()[3:]]
    assert refused == [
        ["事项（写的是“失踪”）", "不认识这种写法，请改成：死亡、户口注销、迁出、迁入、免缴老人"],
        ["日期（写的是“2031-10-01”）", "这一天还没有到，请核对日期"],
    ]
    assert "事项：不认识这种写法" in page and "事项（写的是“失踪”）" in page

    assert medical.post(f"{where}/take").location == where
    assert medical.post(f"{where}/take").status_code == 303  # pressed twice
    process()

    assert "已导入" in medical.get(where).text and "去看登记冲突" in medical.get(where).text
    assert sorted(conflicts(running)) == sorted([
        (district.adult.id, "ALIVE", "hrss"), (district.poor.id, "AGE", "medical"),
        (district.worker.id, "RESIDENCE", "medical"), (district.neighbour.id, "NAME", "medical"),
    ])  # fmt: skip
    batch = rows(running, "select * from import_batch where kind = 'police'")
    assert [(one.rows_in, one.added, one.refused, one.file_name) for one in batch] == [(8, 4, 4, "公安十一月.xlsx")]
    again = hand_in(medical, path)
    process()
    assert again != where and "再导入也不会改变什么" in medical.get(again).text
    assert medical.post(f"{again}/take").status_code == 409
    assert (
        "已导入" in medical.get("/office/police/").text and "公安十一月" not in medical.get("/office/registers/").text
    )

    # He owes nothing any more, but the money that was on its way is booked.
    assert running.outside.pay(under_way.checkout.code_url).status == 200
    eventually(lambda: state(running, under_way.number) == "paid")
    assert due(running, district.elder.id).is_free and due(running, district.poor.id).in_doubt


def test_while_offices_disagree_nobody_is_billed_or_urged_and_the_owner_alone_decides(
    running, district, desk, tmp_path
):
    adult = district.adult.id
    path = a_list(tmp_path / "a.xlsx", line(district.adult, "死亡"), line(district.elder, "死亡"))
    assert bring_police(running.office, path).conflicts == {"ALIVE": 2}
    waits = due(running, adult)
    assert (waits.payable, waits.quote.reason_code) == (False, "REGISTER_CONFLICT")
    assert "人社局正在核对" in waits.text and "0632-12366" in waits.text and waits.can_be_done
    with pytest.raises(NotPayable):
        start(running, Want(adult, MEDICAL))
    with pytest.raises(NotPayable):
        start(running, Want(district.elder.id, MEDICAL))  # who pays nothing
    assert left_to_tell(running.parts, district.household)[1]["names"] == "张*困"
    lines, _ = villagers(running.parts, district.village)
    [told] = [each.words for each in lines if each.subject.id == adult]
    assert told == "先不要交，登记正在核对", "the agent may know best"

    hrss, medical = desk("hrss01", Role.HRSS), desk("med01", Role.MEDICAL)
    [one, other] = [row.id for row in rows(running, "select id from conflict order by id")]
    listed = hrss.get("/office/conflicts/").text
    assert listed.count("公安说去世了") == 2 and district.adult.name not in listed
    assert "件登记冲突等您定" in hrss.get("/office/").text
    assert medical.get(f"/office/conflicts/{one}").status_code == 404
    said = {"word": "register", "why": "入户见到本人，公安名单同名"}
    assert medical.post(f"/office/conflicts/{one}/solve", data=said).status_code == 404
    short = hrss.post(f"/office/conflicts/{one}/solve", data={"word": "register", "why": "见"})
    assert short.status_code == 400 and ">见<" in short.text.replace("</textarea", "<"), "what was typed is not lost"
    assert "“凭什么这样定”要写4到200个字" in short.text
    told = hrss.post(f"/office/conflicts/{one}/solve", data=said | {"why": "打电话问了 13900000001，本人接的"})
    assert told.status_code == 400 and "“凭什么这样定”里写了证件号或手机号" in told.text
    none = hrss.post(f"/office/conflicts/{one}/solve", data={"why": said["why"]})
    assert none.status_code == 400 and "请先选谁说得对" in none.text and "要写4到200" not in none.text
    assert hrss.post(f"/office/conflicts/{one}/solve", data=said).status_code == 303
    assert hrss.post(f"/office/conflicts/{one}/solve", data=said).status_code == 409

    assert due(running, adult).payable and due(running, district.elder.id).in_doubt
    assert running.one("select decided_by, word, why from conflict where id = :n", n=one) == (
        "staff:hrss01", "register", said["why"])  # fmt: skip
    assert "入户见到本人" in hrss.get(f"/office/conflicts/{one}").text
    # The same word again asks nothing; another day of death is another contradiction.
    assert bring_police(running.office, a_list(tmp_path / "b.xlsx", line(district.adult, "死亡"))).conflicts == {}
    anew = bring_police(running.office, a_list(tmp_path / "c.xlsx", line(district.adult, "死亡", "2021-10-21")))
    assert (anew.changed, anew.conflicts) == (1, {"ALIVE": 1}) and due(running, adult).in_doubt
    running.turn(NOON + timedelta(days=20))
    heard = []
    object.__setattr__(running.parts, "alert", lambda what, **words: heard.append((what, words["office"])))
    assert (watch_conflicts(running.parts), heard) == (2, [("conflicts_wait", "hrss")])
    assert other in [row.id for row in rows(running, "select id from conflict where state = 'open'")]


def test_a_death_that_is_sure_leaves_the_count_and_what_was_paid_after_it_goes_back(running, district, desk, tmp_path):
    before = pay(running, Want(district.adult.id, MEDICAL))
    home = running.one("select household_id from person where id = :p", p=district.neighbour.id)[0]
    sibling = running.write(lambda c: a_person(c, name="赵姊妹", id_number=an_id_number(sequence=16), household=home))
    after = pay(running, Want(sibling, MEDICAL), key="sibling")
    due_before = sum(row.due for row in coverage(running.parts, since=NOON))
    path = a_list(tmp_path / "a.xlsx", line(district.adult, "死亡", "2021-11-01"))
    brought = bring_police(running.office, path)
    assert (brought.refunds, rows(running, "select 1 from refund")) == (1, [])
    [number] = [row.id for row in rows(running, "select id from conflict")]
    hrss = desk("hrss01", Role.HRSS)

    solved = hrss.post(f"/office/conflicts/{number}/solve", data={"word": "police", "why": "村里证实，家属已确认"})

    assert solved.status_code == 303 and ask_for_dead(running.parts) == 0
    [refund] = rows(running, "select payment, applied_by, state from refund")
    assert tuple(refund) == (before, "rule:died", "applied") and state(running, after) == "paid"
    assert sum(row.due for row in coverage(running.parts, since=NOON)) == due_before - 2
    assert due(running, district.adult.id, PENSION).quote.reason_code == "DECEASED"
    # The bureau's next file calls him alive as before: the police's word is not undone, and nothing is asked again.
    alive = a_row(1, id_number=district.adult.id_number, name="张示例", sex="", mobile="13900000001")
    assert import_roster(running.office, a_csv(tmp_path / "b.csv", alive)).conflicts == {}
    assert due(running, district.adult.id, PENSION).quote.reason_code == "DECEASED"


def test_a_bill_that_somebody_was_paying_goes_the_night_after_he_gave_up(running, district, tmp_path):
    begun = start(running, Want(district.adult.id, MEDICAL))
    living = start(running, Want(district.neighbour.id, MEDICAL), key="living")
    close_payment(running.parts, living.number, by="account:1")
    bring_police(running.office, a_list(tmp_path / "a.xlsx", line(district.adult, "死亡")))
    withdraw_of_the_dead(running.parts)
    assert bills_of(running, district.adult.id) == ["open"], "his code is out"

    close_payment(running.parts, begun.number, by="account:1")
    assert withdraw_of_the_dead(running.parts) == 1

    assert bills_of(running, district.adult.id) == ["withdrawn"] and withdraw_of_the_dead(running.parts) == 0
    assert bills_of(running, district.neighbour.id) == ["open"]


def bills_of(running, person):
    return [row.state for row in rows(running, "select state from bill where person_id = :p", p=person)]


def test_the_registers_own_file_ends_what_it_no_longer_contradicts_and_opens_what_it_does(running, district, tmp_path):
    bring_police(running.office, a_list(tmp_path / "a.xlsx", line(district.adult, "迁出"), line(district.poor, "死亡")))
    assert set(conflicts(running)) == {
        (district.poor.id, "ALIVE", "hrss"),
        (district.adult.id, "RESIDENCE", "medical"),
    }
    moved = a_row(1, id_number=district.adult.id_number, name="张示例", sex="", residence="外地")
    other = a_row(5, id_number=district.neighbour.id_number, name="赵邻层", sex="", birth_date="")
    result = import_roster(running.office, a_csv(tmp_path / "b.csv", moved, other), good_rows=True)

    assert (result.ended, result.conflicts) == (1, {"NAME": 1})
    assert conflicts(running, "agreed") == [(district.adult.id, "RESIDENCE", "medical")]
    assert due(running, district.neighbour.id).in_doubt and not due(running, district.neighbour.id, PENSION).in_doubt
    # Moved in again, later: the police and the register say the same.
    bring_police(running.office, a_list(tmp_path / "c.xlsx", line(district.adult, "迁入", "2021-11-02")))
    assert (district.adult.id, "RESIDENCE", "medical") in conflicts(running)


def test_two_numbers_of_one_name_birth_and_village_are_a_hint_and_a_conflict_where_both_are_active(
    running, district, tmp_path
):
    twin = a_row(11, name="张示例", birth_date="1986-03-14", household_no="0009")
    paused = a_row(13, name="张示例", birth_date="1986-03-14", household_no="0010", insured_status="暂停")

    result = import_roster(running.office, a_csv(tmp_path / "a.csv", twin, paused))

    assert result.conflicts == {"TWICE": 1} and len(result.twice) == 3, "each pair is a hint"
    [(new, kind, owner)] = conflicts(running)
    assert (kind, owner) == ("TWICE", "medical") and due(running, new).in_doubt
    assert due(running, district.adult.id).payable, "the older number goes on"
    ended = twin | {"insured_status": "终止", "change_type": "END"}
    assert import_roster(running.office, a_csv(tmp_path / "b.csv", ended)).ended == 1


def test_the_web_writes_no_word_and_a_payment_of_a_disputed_person_is_refused_by_the_database(
    running, district, tmp_path
):
    start(running, Want(district.neighbour.id, MEDICAL))
    bring_police(
        running.office, a_list(tmp_path / "a.xlsx", line(district.neighbour, "死亡"), line(district.elder, "死亡"))
    )
    for statement in (
        "insert into police_word values (1, 'DIED', null, 'counts', 1, now())",
        "update police_word set stands = 'overruled'",
        "update conflict set state = 'solved'",
        "select police_withdraw(array[1]::bigint[])",
        "select conflict_put(1, 1, 'TWICE', '', '{RES_MEDICAL}', 'hrss', null, null, '', now(), now()::date)",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
            connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="contradict"), running.parts.engine.begin() as connection:
        issued = a_bill(connection, person_id=district.elder.id)
        a_started_payment(connection, issued)
    bill = running.one("select state from bill where person_id = :p", p=district.neighbour.id)
    assert bill.state == "open", "an order under way is not cut"


def test_a_cell_that_may_be_somebodys_own_is_not_repeated(running, district, tmp_path):
    """Columns get shifted: a name or a number where the matter should stand."""
    number = an_id_number(sequence=78)
    path = a_list(
        tmp_path / "a.xlsx",
        ("李示例", number, "李示例", ""),
        ("李示例", number, district.adult.id_number, ""),
        ("李示例", number, "见附件一第三十二号文件的说明和备注栏", ""),
        ("李示例", number, "", ""),
        ("李示例", number, "死亡", "去年"),
    )
    heard = []

    bring_police(running.office, path, report=heard.append)

    assert [(each.column, each.code) for each in heard] == [
        *[("事项", "CODE_UNKNOWN")] * 3, ("事项", "EMPTY"), ("日期（写的是“去年”）", "DATE_SHAPE")]  # fmt: skip
