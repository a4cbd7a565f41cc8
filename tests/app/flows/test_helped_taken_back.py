"""Whom a department named by mistake it takes back itself, while nobody has used it; lists let go in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.hand_in import work as hands
from app.flows.helped import live
from app.flows.helped.live import Hand, NotOfTheList, StaysForTheYear, Told
from app.flows.helped.take import take
from app.flows.keep.retention import let_go
from app.flows.pay.leave import give_way
from app.flows.pay.start import Want
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from core.clock import utc_now
from payments.taking import find as find_money
from payments.taking.bills import DraftLine, hold
from tests.app.flows.test_department_bills import MEDICAL, listed, somebody
from tests.app.flows.test_hand_in import process
from tests.app.flows.test_helped import CLERK, checked, given, states, to_pay
from tests.app.flows.test_helped_pages import desk, sent
from tests.app.flows.test_retention import owner_engine
from tests.app.helped.papers import a_line, a_list
from tests.builders import a_bill, an_id_number
from tests.refunding import pay, rows, start, state
from tests.system import eventually

__all__ = ["desk", "owner_engine", "process"]
NUMBER = an_id_number(sequence=7)
WHY = "同名同姓，报错了人"


def back(running, batch, number=NUMBER):
    return live.taken_back(running.office, batch, number, "RES_MEDICAL", why=WHY, hand=Hand(by=CLERK))


def test_a_category_given_by_mistake_goes_unless_another_list_gives_it(running, adult, tmp_path):
    sibling = somebody(running, 8)
    first = listed(running, tmp_path, 7, 8)
    second = listed(running, tmp_path, 7, 9, name="b")
    assert to_pay(running, adult) == 0

    assert back(running, first) is False and to_pay(running, adult) == 0, "the second list says so too"
    assert given(running) == [(adult, "RES_MEDICAL", "DIBAO"), (sibling, "RES_MEDICAL", "DIBAO")]
    assert back(running, second) is True and to_pay(running, adult) == 32000
    assert (given(running), to_pay(running, sibling)) == ([(sibling, "RES_MEDICAL", "DIBAO")], 0)
    for number in (NUMBER, an_id_number(sequence=9), "x"):
        with pytest.raises(NotOfTheList):
            back(running, second, number)
    assert {each.number: each.sample for each in check_book(running.office) if each.rows} == {}
    third = listed(running, tmp_path, 7, name="c")
    assert third > second and to_pay(running, adult) == 0, "named again, it counts again"


def test_what_somebody_settled_by_or_gets_back_stays_for_the_year(running, adult, tmp_path):
    paid = somebody(running, 8)
    pay(running, Want(paid, MEDICAL), key="paid")
    batch = listed(running, tmp_path, 7, 8)
    start(running, Want(adult, MEDICAL), key="free")

    for sequence in (7, 8):
        with pytest.raises(StaysForTheYear):
            back(running, batch, an_id_number(sequence=sequence))
    assert len(given(running)) == 2


def test_an_open_bill_at_the_price_that_the_list_gave_goes_with_it(running, adult, tmp_path):
    sibling = somebody(running, 8)
    batch = listed(running, tmp_path, 7, 8)
    home = running.one("select household_id from person where id = :p", p=adult)[0]
    lines = (
        DraftLine("personal", "resident", "RES_MEDICAL", 16000, "R16"),
        DraftLine("gov_substitute", "civil", "RES_MEDICAL", 16000, "R18"),
        DraftLine("gov_subsidy", "finance", "RES_MEDICAL", 58000, "R16"),
    )
    half = {"household_id": home, "personal_due": 16000, "lines": lines}
    for person in (adult, sibling):
        running.write(lambda c, person=person: a_bill(c, person_id=person, **half))

    assert back(running, batch) is True

    left = rows(running, "select person_id, state from bill order by person_id")
    assert [tuple(row) for row in left] == [(adult, "withdrawn"), (sibling, "open")]


def test_what_is_taken_back_while_it_asks_for_its_refund_asks_for_nothing(running, adult, tmp_path, monkeypatch):
    """The rule has looked, and a department takes its word back before it asks: nothing of it is given back."""
    pay(running, Want(adult, MEDICAL), key="paid")
    with monkeypatch.context() as killed, pytest.raises(SystemExit):
        killed.setattr("app.flows.helped.take.ask_for_entitled", _killed)
        listed(running, tmp_path, 7)
    batch = running.one("select id from special_batch").id

    with ThreadPoolExecutor(1) as night:
        with running.office.engine.begin() as connection:
            hold(connection, adult)
            asked = night.submit(ask_for_entitled, running.parts)
            eventually(lambda: running.one("select count(*) from pg_locks where not granted")[0] > 0, 4)
            index = running.parts.vault.index(NUMBER, purpose="id_number")
            word = connection.execute(_TAKEN_BACK, {"batch": batch, "index": index, "why": WHY, "by": CLERK})
            assert word.scalar_one() == "gone"
        assert asked.result() == 0

    assert rows(running, "select * from refund") == [] and given(running) == []


def _killed(*_words):
    raise SystemExit


_TAKEN_BACK = text("select helped_take_back(:batch, :index, 'RES_MEDICAL', :why, :by, now())")


def test_its_own_department_alone_takes_back_at_its_page(running, adult, desk, tmp_path):
    batch = listed(running, tmp_path, 7)
    civil, medical = desk("civil01", Role.DEPARTMENT, departments=["civil"]), desk("medical01", Role.MEDICAL)
    cdpf = desk("cdpf01", Role.DEPARTMENT, departments=["cdpf"])
    wish, path = {"number": NUMBER, "insurance": "RES_MEDICAL", "mistake": WHY}, f"/office/helped/{batch}/back"

    assert medical.post(path, data=wish).status_code == 403 and cdpf.post(path, data=wish).status_code == 404
    wrong = civil.post(path, data=wish | {"insurance": "RES_PENSION"})
    assert wrong.status_code == 404 and "请核对身份证号" in wrong.text and NUMBER in wrong.text, "nothing typed is lost"
    assert civil.post(path, data=wish | {"mistake": " "}).status_code == 422
    assert civil.post(path, data=wish).status_code == 303 and to_pay(running, adult) == 32000
    page = medical.get(f"/office/helped/{batch}").text
    assert WHY in page and "civil01" in page and NUMBER not in page and "报错了人，收回" not in page


def test_a_judging_that_was_killed_before_its_end_leaves_no_second_list(
    running, adult, desk, process, tmp_path, monkeypatch
):
    job = sent(civil := desk("civil01", Role.DEPARTMENT, departments=["civil"]), a_list(tmp_path / "a.xlsx", a_line(7)))
    end = hands.Job.end

    def killed(self, connection, outcome, parts):
        end(self, connection, outcome, parts)
        raise SystemExit

    monkeypatch.setattr(hands.Job, "end", killed)
    with pytest.raises(SystemExit):
        process()
    assert rows(running, "select id from special_batch") == []
    monkeypatch.setattr(hands.Job, "end", end)
    process()

    assert len(rows(running, "select id from special_batch")) == 1 and "可以办</dt><dd>1 行" in civil.get(job).text


def test_a_list_nobody_closed_is_let_go_of_once_each_row_has_its_end(running, adult, tmp_path, owner_engine):
    done, open_one = (checked(running, a_list(tmp_path / f"{no}.xlsx", a_line(7), a_line(no))).batch for no in (9, 11))
    for batch in (done, open_one):
        take(running.office, batch, by=CLERK)
    live.ended(running.office, done, 2, state="RESOLVED", why="另报", said=Told("self", "phone"), hand=Hand(by=CLERK))
    with owner_engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        old = {"at": utc_now() - timedelta(days=366)}
        connection.execute(text("update special_batch set taken_at = :at"), old)
        connection.execute(text("update special_row set ended_at = :at where ended_at is not null"), old)

    let_go(running.parts)

    left = rows(running, "select batch_id, no from special_row where cells is not null order by 1")
    assert [tuple(row) for row in left] == [(open_one, 2)]
    ends = rows(running, "select state, ended_by from special_batch order by id")
    assert [tuple(row) for row in ends] == [("CLOSED", "rule:retention"), ("PARTLY_IMPORTED", None)]
    assert states(running, done)[1][1] == "RESOLVED"


def test_an_open_pension_bill_at_the_price_that_the_list_gave_goes_with_it(running, adult, tmp_path):
    """Its lines name the treasury. By a code that was left nobody settles at that price, and nobody owes it."""
    sibling = somebody(running, 8)
    both = a_line(7, insurance="养老"), a_line(8, insurance="养老")
    batch = checked(running, a_list(tmp_path / "a.xlsx", *both)).batch
    take(running.office, batch, by=CLERK)
    other = start(running, Want(sibling, Insurance.RES_PENSION, 300_00), key="the sibling's")
    begun = start(running, Want(adult, Insurance.RES_PENSION, 300_00), gateway="alipay")
    assert begun.amount == 200_00, "the treasury pays 100 of it"
    with running.parts.reading() as connection:
        row = find_money.payment(connection, begun.number)
    assert give_way(running.parts, row, by="resident") and state(running, begun.number) == "left"
    hand = Hand(by=CLERK)
    assert live.taken_back(running.office, batch, NUMBER, "RES_PENSION", why=WHY, hand=hand) is True
    standing = {row.person_id: row.state for row in rows(running, "select person_id, state from bill")}
    assert standing == {adult: "withdrawn", sibling: "open"} and other.amount == 200_00

    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) != "left")

    assert state(running, begun.number) == "surplus"
    assert rows(running, "select account from posting where account like 'receivable:gov_substitute%'") == []


def test_no_row_ends_untold_by_any_hand(running, adult, tmp_path, owner_engine):
    """The trigger says it again, to the owner too: told before, or taken in by a later list."""
    batch = checked(running, a_list(tmp_path / "a.xlsx", a_line(7), a_line(9))).batch
    take(running.office, batch, by=CLERK)
    ended = "state = 'RESOLVED', ended_at = now(), ended_by = 'x', ended_why = 'so it is'"
    told = "state = 'PERSON_TOLD', told_at = now(), told_by = 'x', told_how = 'phone'"
    for wrong in (ended, f"{ended}, settled_by = {batch}", told, f"{ended.replace('RESOLVED', 'GIVEN_UP')}"):
        with pytest.raises(DBAPIError, match=rf"row 2 of list {batch} is FED_BACK"), owner_engine.begin() as connection:
            connection.execute(text(f"update special_row set {wrong} where batch_id = {batch} and no = 2"))
    assert states(running, batch) == [(1, "OK", None), (2, "FED_BACK", "NOT_REGISTERED")]
