"""The offices look for people: masked, within their towns, a full number for a reason; lists that are safe to open."""

import csv
import io
import re
import zipfile
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.access import accounts
from app.access.roles import Role
from app.access.sessions import Officer
from app.documents.spreadsheet import as_csv, as_xlsx
from app.flows.enter.accounts import NoSuchTown, WrongTowns, add_staff
from app.flows.offices.people import NobodyFound, search
from app.flows.offices.trace import trace
from app.flows.pay.start import Want
from app.flows.reconcile.import_outside import import_outside
from app.flows.refund.steps import apply
from app.policy.facts import Insurance
from core.redact import mask_name, mask_phone
from tests.app.web.people import Someone
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_proofs import PAPER
from tests.browsing import Browser
from tests.builders import a_household, a_person, a_village, an_id_number
from tests.refunding import CLERK, agreed, pay, rows, run_refunds
from tests.rosters import in_force

MEDICAL = Insurance.RES_MEDICAL
FAR_TOWN = "370404104"


def at_desk(running, role, login="somebody", towns=()):
    add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, towns=towns)
    return client_of(running, login)


@pytest.fixture
def clerk(running, district):
    return at_desk(running, Role.TAX_CLERK)


@pytest.fixture
def official(running, district):
    return at_desk(running, Role.TOWN, "town01", [district.village[:9]])


@pytest.fixture
def far(running, district):
    """Somebody of another town, of the same name as one of this."""
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("insert into town values (%s, '远镇')", (FAR_TOWN,))
        a_village(connection, f"{FAR_TOWN}901", "远村")
        home = a_household(connection, village=f"{FAR_TOWN}901", number="0001")
        number = an_id_number(sequence=77)
        return a_person(connection, name="张示例", id_number=number, household=home), number


def find(client, wanted, place=""):
    return client.post("/office/people/", data={"wanted": wanted, "place": place})


def page_of(client, person):
    """The first hit's page."""
    found = re.search(r'href="(/office/people/[^"]+)"', find(client, person.id_number).text)
    return found[1]


def test_what_a_household_was_told_says_of_whom_it_is_and_to_which_phone(running, district, clerk):
    pay(running, Want(district.adult.id, MEDICAL))

    own, others = (clerk.get(page_of(clerk, each)).text for each in (district.adult, district.elder))
    elsewhere = clerk.get(page_of(clerk, district.neighbour)).text

    assert "缴费成功（张*例）" in own and "同一户别的人的" not in own
    assert (
        others.index("没有说到他的通知") < others.index("同一户别的人的，不是他的") < others.index("缴费成功（张*例）")
    )
    assert "缴费成功" not in elsewhere
    running.write(
        lambda c: c.execute(
            text("update notice set phone = :p"),
            {"p": running.parts.vault.seal("13900000009", bound_to=f"notice.phone:{_subject(running)}")},
        )
    )
    assert "发到 139****0009" in clerk.get(page_of(clerk, district.elder)).text


def _subject(running):
    return running.one("select cause from notice")[0].rpartition(":")[0]


def test_a_person_is_found_by_whatever_somebody_has_in_the_hand(running, district, clerk):
    number = pay(running, Want(district.adult.id, MEDICAL))
    code = rows(running, "select check_code from payment")[0].check_code

    for wanted in (district.adult.id_number, district.adult.id_number.lower(), number, code.lower()):
        assert district.adult.name in find(clerk, wanted).text, wanted
    for wanted in (district.adult.name, "示例", "0001"):
        assert district.adult.name in find(clerk, wanted, district.village).text, wanted
        assert district.adult.name in find(clerk, wanted, district.village[:9]).text, wanted


@pytest.mark.parametrize(
    ("wanted", "place", "status", "words"),
    [
        ("", "", 400, "请写要找的"),
        ("示例", "", 400, "先选镇街"),
        ("示例", "3704'--", 400, "先选镇街"),
        ("没有这人", "370404103901", 404, "没有找到"),
        ("370499199001010011", "", 404, "没有找到"),
        ("%", "370404103901", 404, "没有找到"),
        ("' or 1=1 --", "370404103901", 404, "没有找到"),
        ("ZZZZZZZZ", "", 404, "没有找到"),
        ("0" * 16, "", 404, "没有找到"),
    ],
)
def test_what_is_not_found_says_what_to_do(clerk, wanted, place, status, words):
    answer = find(clerk, wanted, place)

    assert answer.status_code == status and words in answer.text


def test_numbers_are_masked_until_a_reason_is_given(running, district, clerk):
    path = page_of(clerk, district.adult)
    page = clerk.get(path)
    assert "3704**********" in page.text and "138****0000" in page.text
    assert district.adult.id_number not in page.text

    for reason in ("", "看看", "x" * 201, f"核对{district.adult.id_number}的信息", "a\0b核对信息"):
        refused = clerk.post(path, data={"reason": reason})
        assert refused.status_code == 400 and district.adult.id_number not in refused.text
    assert rows(running, "select 1 from disclosure") == []

    shown = clerk.post(path, data={"reason": "退费转账核对账户"})
    assert district.adult.id_number in shown.text and "13800000000" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    (noted,) = rows(running, "select * from disclosure")
    assert (noted.by, noted.person_id, noted.reason) == ("staff:somebody", district.adult.id, "退费转账核对账户")
    assert district.adult.id_number not in clerk.get(path).text


def test_the_trail_cannot_be_changed(running, district, clerk):
    clerk.post(page_of(clerk, district.adult), data={"reason": "核对信息"})

    for change in ("update disclosure set reason = 'nothing'", "delete from disclosure"):
        with pytest.raises(Exception, match="permission denied"), running.parts.engine.begin() as connection:
            connection.exec_driver_sql(change)


def test_whoever_reads_too_much_is_stopped(running, district, clerk, monkeypatch):
    monkeypatch.setattr("app.flows.offices.people.READINGS", ((timedelta(hours=1), 2),))
    path = page_of(clerk, district.adult)

    codes = [clerk.post(path, data={"reason": "核对信息"}).status_code for _ in range(3)]

    assert codes == [200, 200, 429] and len(rows(running, "select 1 from disclosure")) == 2


def test_an_official_sees_his_towns_and_nothing_of_others(running, district, official, far):
    _, number = far

    assert find(official, number).status_code == 404
    assert find(official, "张示例", FAR_TOWN).status_code == 404
    assert find(official, "张示例", district.village[:9]).text.count(">张示例<") == 1
    assert "远镇" not in official.get("/office/people/").text
    assert "远" not in official.get("/office/progress/").text
    assert official.post(f"/office/progress/{FAR_TOWN}901/to-do.xlsx", data={"reason": "村里催办用"}).status_code == 404
    desk = at_desk(running, Role.TAX_CLERK, "clerk02")
    foreign = re.search(r'href="(/office/people/[^"]+)"', find(desk, number).text)[1]
    assert official.get(foreign).status_code == 404, "a reference of another session"
    with pytest.raises(NobodyFound):
        search(running.parts, _officer(running, "town01"), wanted=number, place="", network="")


def _officer(running, login):
    row = running.one("select id, login, name, role, towns from staff where login = :l", l=login)
    return Officer(row.id, row.login, bytes(row.name), Role(row.role), frozenset(row.towns))


def test_an_official_moved_to_another_town_is_there_at_once(running, district, official, far):
    assert "示例村" in official.get("/office/progress/").text
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update staff set towns = %s", ([FAR_TOWN],))

    page = official.get("/office/progress/").text

    assert "示例村" not in page and "远村" in page


def test_an_official_has_a_town_and_nobody_else_has(running, district):
    for role, towns, error in (
        (Role.TOWN, [], WrongTowns),
        (Role.TAX_CLERK, [district.village[:9]], WrongTowns),
        (Role.TOWN, ["000000000"], NoSuchTown),
    ):
        with pytest.raises(error):
            add_staff(running.office, login="nobody", name="x", role=role, password=PASSWORD, towns=towns)


def test_a_persons_page_tells_what_was_paid_told_and_read(running, district, clerk):
    pay(running, Want(district.adult.id, MEDICAL))
    path = page_of(clerk, district.adult)
    clerk.post(path, data={"reason": "核对信息"})

    page = clerk.get(path).text

    for words in (
        "已付，入了账",
        f"缴费成功（{mask_name(district.adult.name)}）",
        "办好了",
        "王奶奶",
        "核对信息",
        "somebody",
    ):
        assert words in page
    for category in ("低保", "DIBAO"):
        assert category not in page


def test_the_progress_adds_up(running, district, official):
    pay(running, Want(district.adult.id, MEDICAL))

    page = official.get("/office/progress/").text

    cells = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", page, re.S)]
    medical = next(row for row in cells if row[:2] == ["榴园镇示例村", "医保"])
    counts = ["4", "3", "1", "0", "2", "0", "1", "33.3%", "1"]
    assert medical[2:11] == counts, "the worker is insured by his employer"
    total = next(row for row in cells if row[:2] == ["合计", "医保"])
    assert total[2:5] == ["5", "4", "1"]


def test_a_refund_and_a_phone_are_found(running, district, clerk):
    """Refund numbers and phones cannot be searched."""
    payment = pay(running, Want(district.adult.id, MEDICAL))
    refund = apply(running.parts, payment, by=CLERK).number
    phone = "13800001234"
    sealed = running.parts.vault.seal(phone, bound_to=f"person.phone:{district.elder.id}")
    running.write(lambda connection: connection.execute(_PHONE, {"phone": sealed, "id": district.elder.id}))

    assert district.adult.name in find(clerk, refund).text and district.elder.name not in find(clerk, refund).text
    assert find(clerk, refund[:-4] + "AAAA").status_code == 404
    registered = find(clerk, phone, district.village[:9]).text
    assert district.elder.name in registered and district.adult.name not in registered
    assert find(clerk, phone).status_code == 404, "no account has it, and no place was chosen"
    browser = Browser(running.url)
    browser.look_up(district.neighbour.name, district.neighbour.id_number)
    with running.parts.engine.connect() as connection:
        own = accounts.phone_of(connection, running.parts.vault, rows(running, "select id from resident_account")[0].id)
    assert district.neighbour.name in find(clerk, own).text


def test_a_list_of_who_is_still_to_do_is_masked_and_noted(running, district, official):
    in_force(running)
    path = f"/office/progress/{district.village}/to-do.xlsx"
    assert official.post(path, data={"reason": ""}).status_code == 400

    answer = official.post(path, data={"reason": "村里催办用"})

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert sheet[0] == ["户号", "姓名", "关系", "状态", "要交", "是否外出", "手机号"]
    assert [row[1] for row in sheet[1:4]] == ["张*例", "王*奶", "张*困"]
    assert "town01 于" in sheet[-1][0]
    assert district.adult.name.encode() not in answer.data
    (noted,) = rows(running, "select * from disclosure")
    assert (noted.what, noted.place, noted.reason) == ("list", district.village, "村里催办用")


def test_the_list_for_the_doors_has_phones_masked_unless_they_are_asked_for(running, district, official):
    """The door-to-door list has no phones."""
    path, phone = f"/office/progress/{district.village}/to-do.xlsx", "13800001234"
    sealed = running.parts.vault.seal(phone, bound_to=f"person.phone:{district.adult.id}")
    running.write(lambda connection: connection.execute(_PHONE, {"phone": sealed, "id": district.adult.id}))

    masked = official.post(path, data={"reason": "村里催办用"})
    whole = official.post(path, data={"reason": "村里催办用", "phones": "yes"})

    column = [[row[6] for row in _sheet(answer.data)[1:4]] for answer in (masked, whole)]
    assert column[0].count("138****1234") == 1 and phone not in column[0]
    assert column[1].count(phone) == 1 and [mask_phone(each) for each in column[1]] == column[0], "line by line"
    noted = [row.reason for row in rows(running, "select reason from disclosure order by id")]
    assert noted == ["村里催办用", "村里催办用（带完整手机号）"]


def test_numbers_of_a_file_are_numbers_with_their_sum_and_a_filter(running, district, official):
    """Numbers in spreadsheets are text, no sums, no filters."""
    answer = official.get("/office/progress/progress.xlsx")

    head, *lines = _sheet(answer.data)
    due = head.index("应参保")
    villages = [row for row in lines if row[1] and row[0] != "合计"]
    total = next(row for row in lines if row[0] == "合计")
    assert all(isinstance(row[due], float) for row in villages)
    assert total[due] == sum(row[due] for row in villages) > 0
    written = zipfile.ZipFile(io.BytesIO(answer.data)).read("xl/worksheets/sheet1.xml")
    assert b"<autoFilter" in written and b'state="frozen"' in written and b"SUBTOTAL(109,D2:D" in written


def _sheet(book):
    return CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()


_PHONE = text("update person set phone = :phone where id = :id")


def test_the_table_comes_as_two_kinds_of_file(running, district, official):
    as_text = official.get("/office/progress/progress.csv")
    assert as_text.data.startswith(b"\xef\xbb\xbf") and "示例村" in as_text.data.decode()
    assert official.get("/office/progress/progress.xlsx").data.startswith(b"PK")
    assert official.get("/office/progress/progress.exe").status_code == 404


NASTY = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"),
    *('=HYPERLINK("http://x","y")', " =1", 'a,b"c', "普通"),
]


def test_no_cell_of_a_file_is_ever_a_formula():
    """A76: text-typed cells in the one, an apostrophe in front in the other; both read back."""
    book = as_xlsx("表", NASTY, [NASTY], mark="=谁")
    (shared,) = re.findall(rb"xl/worksheets/sheet1.xml", book)[:1]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert [str(cell).replace("\r", "\n") for cell in sheet[1]] == [cell.replace("\r", "\n") for cell in NASTY]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(book)).read(shared.decode())

    read = list(csv.reader(io.StringIO(as_csv(NASTY, [NASTY], mark="=谁").decode("utf-8-sig"), newline="")))
    for cell, wanted in zip(read[1], NASTY, strict=True):
        assert cell in (wanted, f"'{wanted}")
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


def test_the_auditor_follows_one_yuan_to_its_end(running, district):
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    number = pay(running, Want(district.adult.id, MEDICAL))
    import_outside(running.parts, "treasury", PAPER.format("320.00").encode(), by=CLERK)
    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")

    page = auditor.get(f"/office/audit/trace?number={number.lower()}", follow_redirects=True)

    steps = (
        *(
            "开出缴费单",
            "发起付款",
            "渠道收到钱",
            "收到渠道通知",
            "验签通过",
            "每一分都在账上",
            "记账（业务日 2021-11-05）",
        ),
        *("2022年度居民医疗保险费", "国库入库", "T0001", "退费：申请退费", "退费：税务受理", "退费：钱已退回", "通知"),
    )
    for words in steps:
        assert words in page.text, words
    assert page.text.index("开出缴费单") < page.text.index("渠道收到钱") < page.text.index("退费：税务受理")
    assert district.adult.name not in page.text and "张*例" in page.text
    assert auditor.get("/office/audit/trace/YC211105000000019B205GPS7C").status_code == 404


@pytest.mark.parametrize("turned", [timedelta(0), timedelta(days=-30), timedelta(days=40)], ids=str)
def test_the_path_is_in_the_order_of_the_book_whatever_the_clock_says(running, district, turned):
    """The auditor's path is out of order when a clock was turned or within one minute."""
    number = pay(running, Want(district.adult.id, MEDICAL))
    other = pay(running, Want(district.neighbour.id, MEDICAL), key="another")
    running.turn(running.parts.clocks.now() + turned)
    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")

    found = trace(running.parts, number)

    order = [event.what for event in found.events if event.what != "通知"]
    assert order == [
        *("开出缴费单", "发起付款", "渠道收到钱", "收到渠道通知", "记账（业务日 2021-11-05）"),
        *("退费：申请退费", "退费：税务受理", "退费：主管部门核对", "退费：同意退费"),
        *(order[9], "退费：交给渠道退款", "退费：钱已退回", order[-1]),
    ]
    assert order[9].startswith("记账") and order[-1].startswith("记账")
    assert [event.what for event in trace(running.parts, other).events][:5] == order[:5], "the other one is as it was"
    page = at_desk(running, Role.AUDITOR, "audit01").get(f"/office/audit/trace/{number}")
    assert "浏览器菜单里的“打印”" in page.text


def test_the_auditor_sees_who_read_what_page_by_page(running, district, clerk, monkeypatch):
    monkeypatch.setattr("app.flows.offices.audit.PAGE", 2)
    path = page_of(clerk, district.adult)
    for turn in range(3):
        clerk.post(path, data={"reason": f"核对第{turn}次"})
    auditor = at_desk(running, Role.AUDITOR, "audit01")

    first = auditor.get("/office/audit/readings")

    assert "核对第2次" in first.text and "核对第0次" not in first.text and "榴园镇示例村张*例" in first.text
    second = auditor.get(re.search(r'href="([^"]*readings\?after=[^"]+)"', first.text)[1])
    assert "核对第0次" in second.text and "回到最近的" in second.text
    assert auditor.get("/office/audit/readings?after=-1").status_code == 200


def test_the_alarms_are_nothing_until_something_is(running, district):
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    assert auditor.get("/office/audit/alarms").text.count("0 项") == 8

    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into notice (household_id, cause, kind, fields, rank) values (1, 'x', 'paid', '{}', 4)"
        )

    assert "1 项" in auditor.get("/office/audit/alarms").text


def test_the_auditor_sees_how_backups_and_drills_stand(running, district):
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(A_BACKUP)
        connection.exec_driver_sql(A_DRILL.format(holds=True, differences="{}"))
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    well = auditor.get("/office/audit/alarms").text
    with running.parts.engine.begin() as connection:
        connection.exec_driver_sql(A_DRILL.format(holds=False, differences='{"INV-01 x"}'))
        connection.exec_driver_sql(
            "insert into backup_run (kind, began_at, ended_at, trouble) values ('diff', now(), now(), 'x')"
        )
    wrong = auditor.get("/office/audit/alarms").text
    figures = running.app.test_client().get("/metrics").text

    assert "全部成立" in well and "2048 MB" in well and "只在本机" in well and well.count("0 项") == 8
    assert "1 处不成立" in wrong and "2 项" in wrong
    assert "liangxian_backup_bytes 2.147483648e+09" in figures and "liangxian_drill_lost_seconds 42.0" in figures


A_BACKUP = (
    "insert into backup (stanza, repository, label, kind, began_at, ended_at, bytes, added, away)"
    " values ('liangxian', 1, '20211105-020000F', 'full', now(), now(), 2147483648, 1, false)"
)
A_DRILL = (
    "insert into drill (moment, began_at, ended_at, holds, lost_s, bytes, differences, figures) values ('latest',"
    " now(), now(), {holds}, 42, 1, '{differences}', '{{\"restore_s\": 90}}')"
)


def test_the_first_page_shows_each_role_its_doors(running, district):
    for role, towns, words, nothing in (
        (Role.TOWN, [district.village[:9]], ("找人", "参保缴费进度"), ("退费", "对账", "谁看过")),
        (Role.AUDITOR, (), ("一块钱的去向", "谁看过完整号码", "现在有什么不对"), ()),
    ):
        page = at_desk(running, role, str(role) + "01", towns).get("/office/").text
        assert all(word in page for word in words) and not any(word in page for word in nothing)


def test_who_is_refused_in_an_office_is_sent_back_to_his_own_pages(running, district):
    """O3"""
    refused = at_desk(running, Role.MEDICAL).get("/office/complaints/")

    assert refused.status_code == 403 and "回办公首页" in refused.text and "要交多少" not in refused.text


def test_a_brother_whose_masked_name_is_the_same_is_not_told_that_he_paid(running, district):
    number = an_id_number(sequence=31)
    key = running.write(lambda c: a_person(c, name="张小例", id_number=number, household=district.household))
    brother = Someone(key, "张小例", number)
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))

    clerk = at_desk(running, Role.TAX_CLERK)
    page = clerk.get(page_of(clerk, brother)).text

    assert page.index("同一户别的人的，不是他的") < page.index("缴费成功（张*例）")
