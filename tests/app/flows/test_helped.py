"""A department's list: judged, taken in once, its people free at once, each failed row led to its end."""

from datetime import timedelta
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.due.quote import amount_due, subjects
from app.flows.helped import lists, live
from app.flows.helped.back import failures_file
from app.flows.helped.check import BOTH, ColumnsMissing, ListsOver, ListTaken, check
from app.flows.helped.layout import BadLayout, Layout, NoSuchDepartment, learn
from app.flows.helped.live import ENDS, Hand, Told
from app.flows.helped.take import ListDropped, PreviewOld, take
from app.flows.helped.watch import watch_rows
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from core.db import EVERYWHERE, PLACES
from tests.app.helped.papers import HEAD, a_line, a_list, born
from tests.app.registry.files import a_csv, a_row, taken_in
from tests.builders import NEW_YEAR, NOON, a_household, a_person, a_village, an_id_number
from tests.refunding import pay, rows

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
CLERK = "staff:civil"
HAND = Hand(by=CLERK)


def checked(running, path, department="civil", **how):
    return check(running.office, path, department=department, by=CLERK, **how)


def to_pay(running, person, insurance=MEDICAL, tier=None):
    [subject] = subjects(running.parts, [person])
    due = amount_due(running.parts, subject, insurance, at=running.parts.clocks.now(), tier=tier)
    return due.quote.to_pay if due.payable else None


def given(running):
    return sorted(tuple(row) for row in rows(running, "select person_id, insurance, code from helped_category"))


def states(running, batch):
    found = rows(running, f"select no, state, code from special_row where batch_id = {batch} order by no")
    return [(row.no, row.state, row.code) for row in found]


def test_whoever_stands_on_a_list_pays_nothing_from_the_moment_it_is_taken(running, adult, tmp_path):
    """The preview counts for nothing; the sibling on no list pays as before; the same list twice changes nothing."""
    sibling = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=8)))
    path = a_list(tmp_path / "a.xlsx", a_line(7, insurance="养老、医疗"))

    seen = checked(running, path)
    assert (seen.rows, seen.good, seen.codes) == (2, 2, {})
    assert (to_pay(running, adult), to_pay(running, adult, PENSION, 10000)) == (32000, None)
    taken = take(running.office, seen.batch, by=CLERK)

    assert (taken.good, taken.failed, taken.refunds, taken.before) == (2, 0, 0, False)
    assert (to_pay(running, adult), to_pay(running, adult, PENSION, 10000)) == (0, 0)
    assert to_pay(running, sibling) == 32000
    assert given(running) == [(adult, "RES_MEDICAL", "DIBAO"), (adult, "RES_PENSION", "DIBAO")]
    assert take(running.office, seen.batch, by=CLERK).before
    with pytest.raises(ListTaken):
        checked(running, path)
    assert rows(running, "select cells from special_row where cells is not null") == [], "taken rows keep no cells"


def test_who_paid_before_gets_it_back_by_the_same_act(running, adult, tmp_path):
    pay(running, Want(adult, MEDICAL))

    seen = checked(running, a_list(tmp_path / "a.xlsx", a_line(7)))

    assert (seen.good, seen.notes) == (1, {"ALREADY_SELF_PAID": 1})
    assert take(running.office, seen.batch, by=CLERK).refunds == 1
    [refund] = rows(running, "select amount, why, state from refund")
    assert tuple(refund) == (32000, "late_entitlement", "applied")


def test_a_bureaus_file_and_a_departments_list_take_nothing_from_each_other(running, tmp_path):
    """Decision 0051: whichever comes later; the categories are both."""
    running.write(a_village)
    first = a_csv(tmp_path / "a.csv", a_row(7, categories="二级残疾"))
    taken_in(running.office, first)
    seen = checked(running, a_list(tmp_path / "b.xlsx", a_line(7)))
    take(running.office, seen.batch, by=CLERK)
    taken_in(running.office, a_csv(tmp_path / "c.csv", a_row(7, categories="优抚", mobile="13900000001")))

    [person] = rows(running, "select id from person")
    [subject] = subjects(running.parts, [person.id])
    assert subject.standing["RES_MEDICAL"].categories == {"DIBAO", "YOUFU"}
    assert given(running) == [(person.id, "RES_MEDICAL", "DIBAO")]


def test_each_row_that_cannot_be_taken_says_why(running, adult, tmp_path):
    home = running.write(lambda c: a_household(c, number="0002"))
    who = {
        "NOT_RESIDENT": {"residence": "nonlocal"},
        "DECEASED": {"alive": False},
        "STUDENT": {"student": True, "insurance": "养老"},
        "NOT_REGISTERED": {"insurances": ("RES_PENSION",)},
        "EMPLOYEE_INSURED": {},
        "DUP_ELSEWHERE": {},
    }
    lines = []
    for at, (code, of) in enumerate(who.items(), 20):
        insurance = of.pop("insurance", "医疗")
        number = an_id_number(sequence=at)
        key = running.write(lambda c, n=number, o=of: a_person(c, id_number=n, household=home, **o))
        if code in ("EMPLOYEE_INSURED", "DUP_ELSEWHERE"):
            column = "employee_insured = true" if code[0] == "E" else "insured_elsewhere = 'medical_outside_zz'"
            running.write(lambda c, k=key, s=column: c.execute(text(f"update enrolment set {s} where person_id = {k}")))
        lines.append(a_line(number=number, insurance=insurance))
    old = running.write(lambda c: a_person(c, id_number=born(61), household=home))
    lines += [
        a_line(number=born(61), insurance="养老"),
        a_line(number=an_id_number(sequence=99)),
        a_line(7, name="李示例"),
        a_line(7),
        a_line(7),
        a_line(number=born(61), word="一级残疾"),
        a_line(number=born(61), word="甲类"),
        a_line(number=born(61), until="2021-11-04"),
    ]

    seen = checked(running, a_list(tmp_path / "a.xlsx", *lines))

    failed = [code for _, _, code in states(running, seen.batch)]
    assert failed == [
        *who,
        *("AGE_OUT", "NOT_REGISTERED", "NAME_ID_MISMATCH", None, "DUP_ROW", "NOT_YOURS", "CATEGORY_UNKNOWN", "EXPIRED"),
    ]
    assert seen.words == {"甲类": 1} and (seen.people, seen.rows) == (9, 14)
    reasons = {each.row.code: each.reason for each in lists.failed(running.parts, seen.batch)[0]}
    assert reasons["NOT_YOURS"] == "“一级残疾”由残联、财政认定，不由贵部门报"
    assert reasons["DUP_ROW"] == "与“名单”第14行是同一个人、同一个险种、同一类别"
    assert take(running.office, seen.batch, by=CLERK).good == 1
    assert given(running) == [(adult, "RES_MEDICAL", "DIBAO")] and to_pay(running, old) == 16000
    again = checked(running, a_list(tmp_path / "b.xlsx", a_line(number=born(61), word="残疾人", grade="一级")), "cdpf")
    assert (again.good, again.notes) == (1, {})


def test_somebody_on_two_departments_lists_is_told_not_refused(running, adult, tmp_path):
    take(running.office, checked(running, a_list(tmp_path / "a.xlsx", a_line(7))).batch, by=CLERK)

    seen = checked(running, a_list(tmp_path / "b.xlsx", a_line(7, word="脱贫户")), "rural")

    assert (seen.good, seen.notes) == (1, {"OTHER_DEPARTMENT": 1})
    take(running.office, seen.batch, by="staff:rural")
    [subject] = subjects(running.parts, [adult])
    due = amount_due(running.parts, subject, MEDICAL, at=running.parts.clocks.now())
    assert [line.payer for line in due.quote.lines] == ["civil", "finance"], "D20 decides who pays"


def test_a_failed_row_is_led_to_its_end_before_its_list_is_closed(running, adult, tmp_path):
    path = a_list(tmp_path / "a.xlsx", a_line(7), a_line(9), a_line(11, name="李示例"), a_line(13))
    batch = checked(running, path).batch
    with pytest.raises(live.RowMoved):
        live.told(running.office, batch, 2, Told("self", "phone"), hand=Hand(by=CLERK))
    take(running.office, batch, by=CLERK)
    assert states(running, batch)[1:] == [(no, "FED_BACK", "NOT_REGISTERED") for no in (2, 3, 4)]

    with pytest.raises(live.RowsOpen):
        live.closed(running.office, batch, hand=Hand(by=CLERK))
    for state in ENDS:
        with pytest.raises(live.NotTold):
            live.ended(running.office, batch, 2, state=state, why="找不到人", hand=Hand(by=CLERK))
    for day in (NOON.date() - timedelta(days=1), NOON.date() + timedelta(days=1)):
        with pytest.raises(live.BadTold):
            live.told(running.office, batch, 2, Told("self", "visit", day), hand=Hand(by=CLERK))
    live.told(running.office, batch, 2, Told("family", "visit", NOON.date()), hand=Hand(by=CLERK))
    live.ended(running.office, batch, 2, state="GIVEN_UP", why="本人不参保", hand=Hand(by=CLERK))
    with pytest.raises(live.RowMoved):
        live.told(running.office, batch, 2, Told("self", "phone"), hand=Hand(by=CLERK))
    at_once = {"said": Told("self", "phone"), "hand": Hand(by=CLERK)}
    live.ended(running.office, batch, 3, state="RESOLVED", why="姓名写错，另报", **at_once)
    with pytest.raises(live.BadEnd):
        live.ended(running.office, batch, 4, state="GIVEN_UP", why=" ", hand=Hand(by=CLERK))
    with pytest.raises(live.BadWay):
        live.told(running.office, batch, 4, Told("self", "pigeon"), hand=Hand(by=CLERK))
    with pytest.raises(live.BadWay):
        live.ended(running.office, batch, 4, state="RESOLVED", why="另报", said=Told("neighbour", "phone"), hand=HAND)

    running.write(lambda c: a_person(c, id_number=an_id_number(sequence=13)))  # registered meanwhile, and listed anew
    later = checked(running, a_list(tmp_path / "b.xlsx", a_line(13))).batch
    take(running.office, later, by=CLERK)
    assert states(running, batch) == [
        (1, "OK", None),
        (2, "GIVEN_UP", "NOT_REGISTERED"),
        (3, "RESOLVED", "NOT_REGISTERED"),
        (4, "RESOLVED", "NOT_REGISTERED"),
    ]
    assert (
        rows(running, f"select settled_by from special_row where batch_id = {batch} and no = 4")[0].settled_by == later
    )
    sheet = CalamineWorkbook.from_filelike(
        BytesIO(failures_file(running.parts, batch, mark="示例"))
    ).get_sheet_by_index(0)
    head, first, *_ = sheet.to_python()
    assert tuple(head[: len(HEAD)]) == HEAD and head[-1] == "处理结果"
    told = dict(zip(head, first, strict=True))
    assert told["身份证号"] == an_id_number(sequence=9)
    assert (told["告知本人时间"], told["告知了谁"], told["告知方式"]) == ("2021-11-05", "家里人", "上门")
    assert (told["失败代码"], told["处理结果"]) == ("NOT_REGISTERED", "不办了：本人不参保")
    live.closed(running.office, batch, hand=Hand(by=CLERK))
    live.closed(running.office, batch, hand=Hand(by=CLERK))
    [(one, two)] = [
        (row.state, row.ended_by) for row in rows(running, f"select * from special_batch where id = {batch}")
    ]
    assert (one, two) == ("CLOSED", CLERK)


def test_rows_that_wait_three_days_wake_the_town(running, adult, tmp_path):
    woken = []
    heard = running.office.__class__(
        **{**running.office.__dict__, "alert": lambda word, **of: woken.append((word, of))}
    )
    take(
        running.office,
        checked(running, a_list(tmp_path / "a.xlsx", a_line(9), a_line(11, town="火星镇"))).batch,
        by=CLERK,
    )
    assert watch_rows(heard) == 0

    running.parts.clocks.set_to(NOON + timedelta(days=3, hours=1))

    assert watch_rows(heard) == 2
    assert [(word, of["town"], of["rows"]) for word, of in woken] == [
        ("helped_rows_wait", "", 1),
        ("helped_rows_wait", "370404103", 1),
    ]
    shown, more = lists.waiting(running.parts)
    assert [(each.name, each.days, each.late) for each in shown] == [("张*例", 3, True)] * 2 and not more


def test_a_list_counts_on_the_day_it_was_judged_and_until_the_years_end(running, adult, tmp_path):
    path = a_list(tmp_path / "a.xlsx", a_line(7))
    seen = checked(running, path)
    running.parts.clocks.set_to(NOON + timedelta(days=1))
    with pytest.raises(PreviewOld):
        take(running.office, seen.batch, by=CLERK)
    live.dropped(running.office, seen.batch, hand=Hand(by=CLERK))
    with pytest.raises(ListDropped):
        take(running.office, seen.batch, by=CLERK)
    assert states(running, seen.batch) == [], "nothing of its people is kept"

    running.parts.clocks.set_to(NEW_YEAR)
    with pytest.raises(ListsOver):
        checked(running, path)


def test_a_department_says_once_what_its_columns_and_words_mean(running, adult, tmp_path):
    head = ["序号", "谁", "号码", "哪一种"]
    path = a_list(tmp_path / "a.xlsx", [1, "张示例", an_id_number(sequence=7), "甲类"], head=head)
    with pytest.raises(ColumnsMissing) as wrong:
        checked(running, path)
    assert wrong.value.words == {"missing": "姓名、身份证号", "titles": "序号、谁、号码、哪一种"}
    for spoilt in (Layout({"谁": "height"}), Layout({}, {"甲类": "MARTIAN"})):
        with pytest.raises(BadLayout):
            learn(running.office, "civil", spoilt, by=CLERK)
    with pytest.raises(NoSuchDepartment):
        learn(running.office, "mars", Layout(), by=CLERK)
    learn(running.office, "civil", Layout({"谁": "name", "号码": "id_number", "哪一种": "category"}), by=CLERK)
    assert checked(running, path).words == {"甲类": 2}
    learn(running.office, "civil", Layout({}, {"甲类": "TEKUN"}), by=CLERK)

    assert checked(running, path, insurances=BOTH).good == 2
    with pytest.raises(ColumnsMissing):
        checked(running, path, "cdpf")


def test_a_department_sees_its_own_lists_and_a_town_its_own_rows(running, adult, tmp_path):
    """Nobody of the register is among a department's places."""
    civil = checked(running, a_list(tmp_path / "a.xlsx", a_line(9), a_line(11, town="火星镇"))).batch
    rural = checked(running, a_list(tmp_path / "b.xlsx", a_line(13, word="脱贫户", town="火星镇")), "rural").batch
    try:
        for place, batches, lines, people in (
            ("department:civil", [civil], 2, 0),
            ("department:rural", [rural], 1, 0),
            ("department:cdpf", [], 0, 0),
            ("370404103", [civil], 1, 1),
            ("370404100", [], 0, 0),
            (EVERYWHERE, [civil, rural], 3, 1),
        ):
            PLACES.set(place)
            found = [row.id for row in rows(running, "select id from special_batch order by id")]
            counted = [running.one(f"select count(*) from {table}")[0] for table in ("special_row", "person")]
            assert (found, *counted) == (batches, lines, people), place
    finally:
        PLACES.set(EVERYWHERE)


def test_no_hand_writes_past_the_functions(running, adult, tmp_path):
    """INV-119, INV-120: no category without its row, no list closed with an open one, no row made good afterwards."""
    batch = checked(running, a_list(tmp_path / "a.xlsx", a_line(7), a_line(9))).batch
    given_by_hand = (
        "insert into helped_category (person_id, levy_year, insurance, code, department, batch_id, no)"
        f" values ({adult}, 2022, 'RES_MEDICAL', 'DIBAO', 'civil', {batch}, 1)"
    )
    with pytest.raises(DBAPIError, match=r"no list gave|denied"):
        running.write(lambda c: c.execute(text(given_by_hand)))
    take(running.office, batch, by=CLERK)
    for wrong in (
        f"update special_row set state = 'OK', code = null where batch_id = {batch} and no = 2",
        f"update special_batch set state = 'CLOSED', ended_by = 'x', ended_at = now() where id = {batch}",
        f"delete from special_row where batch_id = {batch}",
        f"delete from helped_category where batch_id = {batch}",
    ):
        for parts in (running.parts, running.office):
            with pytest.raises(DBAPIError, match=r"denied"), parts.engine.begin() as connection:
                connection.execute(text(wrong))
