"""Cash in a village: each taking a receipt with the next serial and an entry, undone by another, taken to the bank."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.custody import books, hand, remit, switch, void
from app.flows.custody.take import Asked, CashMoved, CodeIsOut, FreeItem, NoCashNow, NoReceiptLeft, take
from app.flows.custody.watch import watch_cash
from app.flows.pay.start import NotPayable, Want
from app.flows.reconcile.import_outside import import_outside
from app.policy.facts import Insurance
from payments.errors import KeyReused
from tests.conftest import DATABASE
from tests.refunding import balances, rows, start

FIRST = 202200000101


def bank(running, *lines):
    """The bank's file has these credits of cash: (serial, yuan, slip)."""
    day = running.parts.clocks.today()
    told = [f"{serial},{day},{yuan},现金,{slip}" for serial, yuan, slip in lines]
    total = sum(int(yuan) for _, yuan, _ in lines)
    words = "\n".join(["银行流水号,入账日期,金额,渠道,存款凭条号", *told, f"合计,{len(lines)},{total}"])
    return import_outside(running.parts, "bank", words.encode(), by="staff:clerk")


def held(running, village):
    return hand.hand_of(running.parts, village.agent.agent.id)


def receipts(running):
    return [
        (row.serial - FIRST, row.state, row.replaces)
        for row in rows(running, "select serial, state, replaces from receipt order by serial")
    ]


def test_a_taking_is_a_receipt_an_entry_and_a_paid_item(running, village):
    account = f"cash:agent:{village.agent.agent.id}"

    assert village.take() == [FIRST]
    assert village.take() == [FIRST], "a double tap does it once"

    bill = running.one("select * from bill where person_id = :p", p=village.district.adult.id)
    assert (bill.state, bill.settled_by) == ("settled", f"receipt:cash:{FIRST}")
    assert balances(running)[account] == 32000 == held(running, village).held
    (told,) = rows(running, "select kind, fields from notice where cause = 'cash:202200000101:taken'")
    assert (told.kind, told.fields["amount"], told.fields["serial"]) == ("cash", "320", "00000101")
    row = running.one("select roster_id, roster_no from receipt")
    assert None not in (row.roster_id, row.roster_no)
    other = village.others[0]
    both = [*village.wants(other), Want(other.id, Insurance.RES_PENSION, 30000, levy_year=2022)]
    assert take(running.parts, Asked(both, 62000, "two-items"), by=village.agent) == [FIRST + 1, FIRST + 2]
    assert held(running, village).held == 94000
    with pytest.raises(KeyReused):
        village.take(village.district.elder, total=0)
    with pytest.raises(NotPayable):
        village.take(key="another-key")


def test_what_may_not_be_taken_is_refused_and_nothing_is_written(running, village):
    with pytest.raises(CashMoved):
        village.take(total=16000)
    with pytest.raises(FreeItem):
        village.take(village.district.elder)
    with pytest.raises(NotPayable):
        village.take(village.district.worker)
    code = start(running, *village.wants())
    with pytest.raises(CodeIsOut):
        village.take()
    assert code.number and rows(running, "select * from receipt") == []
    switch.switch(running.parts, [village.district.village], running.parts.clocks.today(), on=False, by=village.town)
    running.write(lambda c: c.execute(text("update payment set state = 'closed'")))
    with pytest.raises(NoCashNow):
        village.take()
    assert rows(running, "select * from receipt") == [] and rows(running, "select * from entry") == []


def test_two_agents_at_once_each_have_their_own_serial_until_the_book_is_used_up(running, village):
    other = village.an_agent("agent02")
    *people, last = village.others
    with ThreadPoolExecutor(2) as both:
        taken = [
            both.submit(village.take, person, key=f"key-of-{person.id}", by=by)
            for person, by in zip(people, (village.agent, other), strict=True)
        ]
        assert sorted(serial for each in taken for serial in each.result()) == [FIRST, FIRST + 1]
    village.take(key="the-third")
    with pytest.raises(NoReceiptLeft):
        village.take(last, key="the-fourth")
    with pytest.raises(books.SerialsTaken):
        books.give_book(running.parts, village.district.village, year=2022, first="103", last="110", by=village.clerk)
    books.give_book(running.parts, village.district.village, year=2022, first="201", last="210", by=village.clerk)
    assert village.take(last, key="the-fourth") == [202200000201]


def test_a_torn_receipt_has_another_in_its_place_and_a_wrong_one_leaves_the_item_open(running, village):
    village.take()
    assert void.void(running.parts, FIRST, "torn", by=village.agent) == [FIRST + 1]
    assert receipts(running) == [(0, "VOIDED", None), (1, "ISSUED", FIRST)]
    assert held(running, village).held == 32000

    assert void.void(running.parts, FIRST + 1, "wrong", by=village.agent) == []

    assert held(running, village).held == 0
    assert running.one("select count(*) filter (where state = 'withdrawn') as gone, count(*) from bill") == (2, 2)
    assert balances(running).get("fund:RES_MEDICAL:2022", 0) == 0
    with pytest.raises(void.NotVoidable):
        void.void(running.parts, FIRST, "wrong", by=village.agent)
    other = village.an_agent("agent02")
    village.take(key="again-later")
    with pytest.raises(void.NoSuchReceipt):
        void.void(running.parts, FIRST + 2, "wrong", by=other)
    with pytest.raises(void.NoWhy):
        void.void(running.parts, FIRST + 2, "because", by=village.agent)
    running.turn(running.parts.clocks.now() + timedelta(days=1))
    with pytest.raises(void.NotVoidable):
        void.void(running.parts, FIRST + 2, "wrong", by=village.agent)


def test_cash_leaves_his_hands_by_the_slip_he_wrote(running, village):
    village.take()
    village.take(village.others[0], key="the-second")
    rows_now = remit.waiting(running.parts, village.agent.agent.id)
    assert [(row.serial, row.total) for row in rows_now] == [(FIRST, 32000), (FIRST + 1, 64000)]
    with pytest.raises(remit.RemittedOtherwise):
        remit.remit(running.parts, FIRST + 1, 32000, slip="7788", photo=None, by=village.agent)
    with pytest.raises(remit.BadSlip):
        remit.remit(running.parts, FIRST + 1, 64000, slip="七", photo=None, by=village.agent)

    batch = remit.remit(running.parts, FIRST + 1, 64000, slip="7788", photo=b"drawn", by=village.agent)

    assert (held(running, village).held, held(running, village).short) == (0, 64000)
    with pytest.raises(remit.RemittedOtherwise):
        remit.remit(running.parts, FIRST + 1, 64000, slip="7788", photo=None, by=village.agent)
    bank(running, ("K1", "600", "7788"))
    (less,) = rows(running, "select kind, ours, theirs, state from discrepancy")
    assert tuple(less) == ("AMOUNT_DIFF", 64000, 60000, "open") and held(running, village).short == 4000
    remit.add_slip(running.parts, batch, slip="7799", photo=None, by=village.agent)
    bank(running, ("K2", "50", "7799"))

    account = f"cash:agent:{village.agent.agent.id}"
    found = balances(running)
    assert (found.get(account, 0), found["bank:pending"], found["suspense:bank"]) == (0, 65000, -1000)
    told = rows(running, "select kind, state from discrepancy order by id")
    assert [tuple(row) for row in told] == [("AMOUNT_DIFF", "cleared"), ("AMOUNT_DIFF", "open")]
    (more,) = rows(running, "select cause, amount from suspense where solved_at is null")
    assert tuple(more) == ("deposit:K2:rest", 1000)
    with pytest.raises(remit.RemittedOtherwise):
        remit.add_slip(running.parts, batch, slip="7800", photo=None, by=village.agent)


def test_a_bank_that_is_faster_and_a_number_of_nobody_wait_with_an_owner(running, village):
    village.take()
    bank(running, ("K1", "330", "9911"), ("K2", "5", "9912"))
    assert balances(running)["suspense:bank"] == -33500

    remit.remit(running.parts, FIRST, 32000, slip="9911", photo=None, by=village.agent)

    assert balances(running)["suspense:bank"] == -1500 and held(running, village).short == 0
    held_now = rows(running, "select cause, amount from suspense where solved_at is null order by cause")
    assert held_now == [("deposit:K1:rest", 1000), ("deposit:K2", 500)]
    bank(running, ("K3", "320", "9911"))
    assert rows(running, "select kind from discrepancy where subject = 'K3'") == [("DUPLICATE",)]

    other = village.an_agent("agent02")
    village.take(village.others[0], key="the-second")
    village.take(village.others[1], key="of-the-other", by=other)
    remit.remit(running.parts, FIRST + 1, 32000, slip="5555", photo=None, by=village.agent)
    remit.remit(running.parts, FIRST + 2, 32000, slip="5555", photo=None, by=other)
    bank(running, ("K4", "320", "5555"))
    assert balances(running)["suspense:bank"] == -32000 - 33500, "one number of two agents is nobody's"
    wrong = rows(running, "select id from cash_slip where slip = '5555' order by batch_id")[1].id
    with pytest.raises(books.NoBusiness):
        remit.strike(running.parts, wrong, by=village.town)

    assert remit.strike(running.parts, wrong, by=village.clerk)

    assert balances(running).get(f"cash:agent:{village.agent.agent.id}", 0) == 0
    assert balances(running)[f"cash:agent:{other.agent.id}"] == 32000


def test_who_holds_it_too_long_takes_no_more_and_somebody_is_woken(running, village):
    said = []
    parts = replace(running.parts, alert=lambda word, **_more: said.append(word))
    village.take()
    assert watch_cash(parts) == 0
    running.turn(running.parts.clocks.now() + timedelta(hours=25))
    assert watch_cash(parts) == 1 and said == ["cash_detained"]
    today = running.parts.clocks.today()
    switch.switch(running.parts, [village.district.village], today + timedelta(days=2), on=True, by=village.town)
    running.turn(running.parts.clocks.now() + timedelta(hours=48))
    assert watch_cash(parts) == 1 and said[1:] == ["cash_red"] and "不能再收现金" in held(running, village).why_not

    with pytest.raises(NoCashNow):
        village.take(village.others[0], key="too-late")

    remit.remit(running.parts, FIRST, 32000, slip="7788", photo=None, by=village.agent)
    with pytest.raises(NoCashNow):
        village.take(village.others[0], key="still-not-there")
    bank(running, ("K1", "320", "7788"))
    assert village.take(village.others[0], key="it-is-there") == [FIRST + 1]


ATTACKS = (
    "update receipt set amount = 1",
    "update receipt set state = 'VOIDED', void_why = 'torn', voided_at = now()",
    "delete from receipt",
    "update receipt_book set next = next + 1",
    "update receipt_book set last = last + 10",
    "insert into receipt_book (village_code, first, last, next, by, at) select code, 202200009001, 202200009002,"
    " 202200009001, 'staff:x', now() from village limit 1",
    "insert into cash_switch (village_code, day, is_on, by, at) select code, '2021-11-06', true, 'staff:x', now()"
    " from village",
    "update cash_batch set arrived = total",
    "insert into cash_slip (id, batch_id, slip, at) select 1, id, '1234', now() from cash_batch",
    "update bill set state = 'withdrawn', settled_by = null, settled_at = null where state = 'settled'",
    "select cash_settle(1, '370404103901', b, 'x', 'x', null, null, null, now(), '2021-11-05') from bill b",
    "select cash_undo(r, 'torn', now(), '2021-11-05') from receipt r",
    "select officer_gives_book('x', '370404103901', 202200009001, 202200009002, now(), now())",
    "select officer_switches_cash('x', '{370404103901}', '2021-11-06', true, now(), now())",
    "select agent_voids_receipt('x', 202200000101, 'torn', now(), now())",
    "select agent_remits_cash('x', '{202200000101}', 32000, 5, '1234', null, now(), now())",
)


def test_neither_web_nor_office_writes_cash_past_its_functions(running, village, database):
    village.take()
    ways = "select receipt_way(household_id, cause), receipt_amount(household_id, cause) from entry"
    assert rows(running, ways) == [("bank", 32000)], "it goes back by the bank, never in cash"
    before = receipts(running)
    for parts in (running.parts, running.office):
        for attack in ATTACKS:
            with pytest.raises(DBAPIError), parts.engine.begin() as connection:
                connection.execute(text(attack))
    account = f"cash:agent:{village.agent.agent.id}"
    below = pytest.raises(psycopg.Error, match="less than nothing")
    with psycopg.connect(database.owner_url(DATABASE)) as owner, below:
        owner.execute(
            "select ledger_post(0, 'x:1', '2021-11-05', now(), array['bank:pending', %s],"
            " array[32001, -32001]::bigint[], array[null, null]::bigint[])",
            (account,),
        )
    assert receipts(running) == before
