"""A department's bill: drawn up of what its people settled by, paid by the treasury or at the bank, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.helped.bills import (
    NoSuchDemand,
    NotAsSeen,
    What,
    bills_of_list,
    demand,
    demands,
    draw,
    everybody,
    payments,
    people,
    unbilled,
)
from app.flows.helped.live import Hand
from app.flows.helped.take import take
from app.flows.pay.start import Want
from app.flows.reconcile.import_outside import import_outside
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from core.db import EVERYWHERE, PLACES
from payments.reconcile.outside_files import BadOutsideFile
from tests.app.flows.test_helped import CLERK, checked
from tests.app.helped.papers import a_line, a_list
from tests.builders import a_person, an_id_number
from tests.refunding import CLERK as TAX
from tests.refunding import agreed, balances, pay, rows, start

MEDICAL = Insurance.RES_MEDICAL
OWED = "receivable:gov_substitute:civil:RES_MEDICAL"
BUREAU = Hand(by="staff:medical")


def listed(running, tmp_path, *sequences, name="a"):
    """A list of civil affairs with these people, taken in; its number."""
    batch = checked(running, a_list(tmp_path / f"{name}.xlsx", *(a_line(each) for each in sequences))).batch
    take(running.office, batch, by=CLERK)
    return batch


def settle(running, person, key):
    """Somebody for whom all is paid says that he joins."""
    return start(running, Want(person, MEDICAL), key=key)


def somebody(running, sequence, **of):
    """One more person of the adult's village, by number."""
    return running.write(lambda c: a_person(c, id_number=an_id_number(sequence=sequence, **of)))


def treasury(running, *lines):
    """A file with these lines: serial, department, amount in yuan, the bill's number."""
    rows_ = [
        f"{serial},2021-11-08,2021-11-05,居民医疗保险,2022,{who}代缴,{yuan},{number}"
        for serial, who, yuan, number in lines
    ]
    return _file(
        running,
        "treasury",
        "税票号,入库日期,业务日期,险种,年度,类别,金额,代缴账单号",
        rows_,
        [each[2] for each in lines],
    )


def bank(running, *lines):
    """A file of the bank with these: serial, amount in yuan, the bill's number."""
    rows_ = [f"{serial},2021-11-08,{yuan},{number}" for serial, yuan, number in lines]
    return _file(running, "bank", "银行流水号,入账日期,金额,代缴账单号", rows_, [each[1] for each in lines])


def _file(running, kind, head, lines, amounts):
    total = f"合计,{len(lines)},{sum(map(float, amounts)):.2f}"
    return import_outside(running.parts, kind, "\n".join([head, *lines, total, ""]).encode(), by=TAX)


def stands(running, number):
    held = demand(running.parts, number)
    return held.state, held.paid


def owed(running):
    return {
        code: amount for code, amount in balances(running).items() if "gov_subsidy" not in code and "fund:" not in code
    }


def all_holds(running):
    assert {each.number: each.sample for each in check_book(running.office) if each.rows} == {}


def test_each_line_stands_on_one_bill_and_what_goes_back_is_credit_on_the_next(running, adult, tmp_path):
    """Of a list, and of the bureaus' register; a sibling who pays himself is on none; two at once draw it up once."""
    second, sibling = somebody(running, 8), somebody(running, 9)
    batch = listed(running, tmp_path, 7, 8)
    for person in (adult, second):
        assert settle(running, person, f"free-{person}").state == "settled"
    start(running, Want(sibling, MEDICAL), key="sibling")
    [found] = unbilled(running.parts)
    what = What("civil", 2022, "RES_MEDICAL", batch)
    assert (found.what, found.lines, found.total) == (what, 2, 64000)
    assert bills_of_list(running.parts, batch) == []
    with pytest.raises(NotAsSeen):
        draw(running.office, what, seen=32000, hand=BUREAU)

    def drawn():
        try:
            return draw(running.office, what, seen=64000, hand=BUREAU)
        except NotAsSeen:
            return ""

    with ThreadPoolExecutor(2) as pool:
        first, number = sorted(each.result() for each in [pool.submit(drawn), pool.submit(drawn)])
    assert first == "" and number.startswith("DK2022") and unbilled(running.parts) == []
    held = demand(running.parts, number)
    assert (held.amount, held.lines, held.source, held.drawn_by) == (64000, 2, batch, "staff:medical")
    assert [(each.name, each.amount) for each in people(running.parts, held)[0]] == [("张*例", 32000)] * 2
    assert sorted(each.id_number for each in everybody(running.parts, held)) == [
        an_id_number(sequence=7),
        an_id_number(sequence=8),
    ]
    assert [each.state for each in bills_of_list(running.parts, batch)] == ["OPEN"]
    all_holds(running)


def test_a_refund_after_the_bill_is_credit_on_the_next_one(running, adult):
    old, other = (somebody(running, each, born=date(1956, 3, 14)) for each in (21, 22))
    paid = pay(running, Want(old, MEDICAL), key="old")
    [found] = unbilled(running.parts)
    assert (found.what.source, found.total) == (None, 16000)
    first = draw(running.office, found.what, seen=16000, hand=BUREAU)
    agreed(running.parts, paid)
    [credit] = unbilled(running.parts)
    assert (credit.lines, credit.amount, credit.credit, credit.total) == (0, 0, -16000, -16000)
    with pytest.raises(NotAsSeen):
        draw(running.office, credit.what, seen=-16000, hand=BUREAU)
    pay(running, Want(other, MEDICAL), key="other")
    pay(running, Want(old, MEDICAL), key="again")

    [found] = unbilled(running.parts)
    assert (found.lines, found.amount, found.credit, found.total) == (2, 32000, -16000, 16000)
    next_one = draw(running.office, found.what, seen=16000, hand=BUREAU)

    held = demand(running.parts, next_one)
    assert (held.amount, held.lines, held.credit) == (16000, 3, -16000)
    assert demand(running.parts, first).amount == 16000, "what was drawn up stays"
    assert [each.number for each in demands(running.parts)[0]] == [next_one, first]
    all_holds(running)


def test_the_treasury_and_the_bank_pay_it_once_and_only_what_it_asks_for(running, adult, tmp_path):
    second = somebody(running, 8)
    batch = listed(running, tmp_path, 7, 8)
    for person in (adult, second):
        settle(running, person, f"free-{person}")
    number = draw(running.office, What("civil", 2022, "RES_MEDICAL", batch), seen=64000, hand=BUREAU)

    assert bank(running, ("B1", "100.00", number)).taken and stands(running, number) == ("PARTLY_PAID", 10000)
    assert not bank(running, ("B1", "100.00", number)).taken, "the same file"
    bank(running, ("B1", "100.00", number), ("B2", "240.00", number))
    assert stands(running, number) == ("PARTLY_PAID", 34000), "a serial counts once"
    assert owed(running) == {"bank:pending": 34000, OWED: 30000}
    treasury(running, ("T1", "民政", "340.00", ""))
    assert stands(running, number) == ("PARTLY_PAID", 34000), "the treasury moved on what lay at the bank"
    treasury(running, ("T2", "民政", "305.00", number))

    assert stands(running, number) == ("PAID", 64000)
    assert owed(running) == {"treasury:RES_MEDICAL:2022": 64500, "suspense:bank": -500}
    assert [each.state for each in bills_of_list(running.parts, batch)] == ["PAID"]
    [held] = rows(running, "select cause, amount, owner, doubt from suspense")
    assert tuple(held) == ("treasury:T2", 500, "tax_clerk", "treasury")
    came = [
        (row.kind, row.serial, row.way, row.amount) for row in payments(running.parts, demand(running.parts, number))
    ]
    assert sorted(came) == [
        ("bank", "B1", "paid", 10000),
        ("bank", "B2", "paid", 24000),
        ("treasury", "T1", "passed", 34000),
        ("treasury", "T2", "paid", 30000),
    ]
    all_holds(running)


def test_a_number_nobody_gave_is_held_and_another_department_pays_nothing_of_it(running, adult, tmp_path):
    batch = listed(running, tmp_path, 7)
    settle(running, adult, "free")
    number = draw(running.office, What("civil", 2022, "RES_MEDICAL", batch), seen=32000, hand=BUREAU)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    bank(running, ("B1", "320.00", wrong))
    treasury(running, ("T1", "残联", "320.00", number), ("T2", "残联", "5.00", ""))

    assert stands(running, number) == ("OPEN", 0)
    held = {row.cause: row.amount for row in rows(running, "select cause, amount from suspense")}
    assert held == {"deposit:B1": 32000, "treasury:T1": 32000}
    kinds = [(row.books, row.kind) for row in rows(running, "select books, kind from discrepancy order by books")]
    assert kinds == [("deposit", "UNKNOWN_PERSON"), ("treasury", "UNKNOWN_PERSON")]
    for content in (
        "银行流水号,入账日期,金额,渠道,代缴账单号\nB2,2021-11-08,1.00,微信支付,DK1\n合计,1,1.00\n",
        "银行流水号,入账日期,金额,业务日期,代缴账单号\nB2,2021-11-08,1.00,2021-11-05,DK1\n合计,1,1.00\n",
    ):
        with pytest.raises(BadOutsideFile) as told:
            import_outside(running.parts, "bank", content.encode(), by=TAX)
        assert "第2行“代缴账单号”" in told.value.sentence()
    all_holds(running)


def test_what_came_before_the_bill_pays_it_when_it_is_drawn_up(running, adult, tmp_path):
    batch = listed(running, tmp_path, 7)
    settle(running, adult, "free")
    treasury(running, ("T1", "民政", "400.00", ""))
    assert owed(running) == {"treasury:RES_MEDICAL:2022": 40000, OWED: -8000}

    number = draw(running.office, What("civil", 2022, "RES_MEDICAL", batch), seen=32000, hand=BUREAU)

    assert stands(running, number) == ("PAID", 32000)
    all_holds(running)


def test_a_department_sees_its_own_bills_and_nobody_writes_past_the_functions(running, adult, tmp_path):
    batch = listed(running, tmp_path, 7)
    settle(running, adult, "free")
    number = draw(running.office, What("civil", 2022, "RES_MEDICAL", batch), seen=32000, hand=BUREAU)
    try:
        PLACES.set("department:cdpf")
        with pytest.raises(NoSuchDemand):
            demand(running.parts, number)
        assert demands(running.parts) == ([], False)
        PLACES.set("department:civil")
        held = demand(running.parts, number)
        assert [each.name for each in people(running.parts, held)[0]] == ["张*例"]
        PLACES.set("department:cdpf")
        assert people(running.parts, held) == ([], False), "who knows the row's number sees nobody"
    finally:
        PLACES.set(EVERYWHERE)
    for wrong in (
        "update demand set paid = amount, state = 'PAID'",
        "delete from demand_line",
        "insert into demand_payment values (1, 'bank', 'B9', 'paid', 1, now())",
        "select helped_bill('civil', 2022, 'RES_MEDICAL', null, 1, 'staff:x', now())",
    ):
        with pytest.raises(DBAPIError, match="denied"), running.parts.engine.begin() as connection:
            connection.execute(text(wrong))
