"""What others' books and papers say of the fund: chart, closed day, treasury, bureau, office pages, to the fen."""

from datetime import datetime, timedelta

import pytest

from app.access.roles import Role
from app.documents.certificate import draw
from app.flows.due.quote import subjects
from app.flows.enter.accounts import add_staff
from app.flows.prove.papers import NotBookedYet, certify
from app.flows.reconcile.certify import account_names, certificate
from app.flows.reconcile.close_day import ask_to_close, confirm_close
from core.clock import BEIJING
from payments.reconcile.outside_files import BadOutsideFile
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_proofs import words_of
from tests.journeys.fund import (
    BUREAU,
    CARE,
    DAY,
    MEDICAL,
    PENSION,
    TREASURY,
    Played,
)
from tests.refunding import CLERK, LEAD, balances, rows
from tests.system import System


def every_account_has_its_own_to_the_fen(played: Played) -> None:
    assert balances(played.running) == {
        "clearing:wechat": 64000 + 64500 + 34000,
        "clearing:alipay": 2000,
        "clearing:ccb_pos": 34000 + 34000,
        "fund:RES_MEDICAL:2022": -8 * 90000,
        "fund:LONG_TERM_CARE:2022": -7 * 2000,
        "fund:RES_PENSION:2022": -33000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 8 * 58000,
        "receivable:gov_subsidy:finance:RES_PENSION": 3000,
        "receivable:gov_substitute:civil:RES_MEDICAL": 32000,
        "receivable:gov_substitute:health:RES_MEDICAL": 32000,
        "receivable:gov_substitute:civil:LONG_TERM_CARE": 2000,
        "receivable:gov_substitute:cdpf:LONG_TERM_CARE": 1500,
    }
    assert played.funds() == {("RES_MEDICAL", 2022): 192000, (CARE, 2022): 10500, ("RES_PENSION", 2022): 30000}


def the_day_is_closed_and_certified_by_fund(played: Played) -> None:
    running = played.running
    running.turn(datetime(2021, 11, 8, 10, tzinfo=BEIJING))
    for day in (DAY, DAY + timedelta(days=1)):
        ask_to_close(running.parts, day, by=CLERK)
        assert confirm_close(running.parts, day, by=LEAD)
    held = certificate(running.parts, DAY)
    totals = {row["account"]: (row["debit"], row["credit"]) for row in held.facts["totals"]}
    assert totals["fund:LONG_TERM_CARE:2022"] == (0, 14000)
    names = account_names(running.parts)
    paper = words_of(draw(held.facts, names=names, signature=held.signature, public_key=held.public_key))
    assert "2022年度长期护理保险费" in paper and "140.00" in paper and names[CARE] == "长期护理保险"


def the_treasury_books_each_fund_and_the_certificate_waits_for_both(played: Played) -> None:
    running, row = played.running, "{0},2021-11-08,2021-11-05,{1},2022,{2},{3}"
    adult = subjects(running.parts, [played.people["adult"]])[0]
    with pytest.raises(BadOutsideFile, match="row 2"):
        played.take("treasury", TREASURY, row.format("T0", "失业保险", "保费", "1.00"), total="1.00")
    played.take("treasury", TREASURY, row.format("T1", "居民医疗保险", "保费", "1920.00"), total="1920.00")
    with pytest.raises(NotBookedYet):
        certify(running.parts, adult, MEDICAL)
    missing = [(row.channel, row.kind, row.ours) for row in _open(running, "treasury")]
    assert sorted(missing) == [(CARE, "MISSING_IN_BANK", 10500), ("RES_PENSION", "MISSING_IN_BANK", 30000)]
    lines = [
        row.format("T2", "长期护理保险", "保费", "105.00"),
        row.format("T3", "居民养老保险", "保费", "300.00"),
        row.format("T4", "长期护理保险", "民政代缴", "20.00"),
        row.format("T5", CARE, "残联代缴", "15.00"),
    ]
    played.take("treasury", TREASURY, *lines, total="440.00")
    assert _open(running, "treasury") == []
    booked = balances(running)
    assert booked["treasury:LONG_TERM_CARE:2022"] == -booked["fund:LONG_TERM_CARE:2022"] == 14000
    assert [code for code in booked if code.endswith(CARE)] == [], "nobody owes for it any more"
    paper = certify(running.parts, adult, MEDICAL)
    assert (paper.facts["tax_serial"], paper.facts["amount"]) == ("T1、T2", 34000)
    assert paper.facts["items"][0]["funds"] == [{"name": "长期护理保险", "amount": 2000}]
    assert certify(running.parts, adult, PENSION).facts["items"][0].get("funds") is None, "the pension has none"
    old = subjects(running.parts, [played.people["old"]])[0]
    assert certify(running.parts, old, MEDICAL).facts["tax_serial"] == "T2", "he paid no premium"


def the_bureau_confirms_each_by_itself(played: Played) -> None:
    row = "{0}{1},{2},2022,{3},{4}.00,2021-11-05,2021-11-08,PAY"
    premium = [("adult", 320), ("helped", 320), ("child", 320), ("later", 320), ("found", 320), ("card", 340)]
    care = [("adult", 20), ("old", 20), ("helped", 5), ("later", 20), ("found", 20), ("card", 20)]
    lines = [row.format(who, "M", "居民医疗保险", played.number(who), amount) for who, amount in premium]
    lines += [row.format(who, "L", "长期护理保险", played.number(who), amount) for who, amount in care]
    total = sum(amount for _, amount in premium + care)
    played.take("bureau", BUREAU, *lines, total=f"{total}.00")

    found = _open(played.running, "bureau")
    assert [(row.channel, row.kind, row.ours, row.theirs) for row in found] == [
        ("RES_MEDICAL", "AMOUNT_DIFF", 32000, 34000)
    ], "who said the whole amount of the premium is found; all others match"


def the_offices_see_each_fund_by_its_name(played: Played) -> None:
    running = played.running
    add_staff(running.office, login="clerk02", name="云经办", role=Role.TAX_CLERK, password=PASSWORD)
    client = client_of(running, "clerk02")
    day = client.get("/office/day/2021-11-05").text
    assert '<td>长期护理保险</td><td>2022</td><td class="money">105</td><td class="money">105</td>' in day
    told = client.get("/office/policy/2022").text
    assert "低保：民政交全部，自己还交0元；三级残疾：残联交到只剩5元，自己还交5元" in told
    sheet = running.app.test_cli_runner()
    said = sheet.invoke(args=["sheet", "show", "--name", "李示老", "--staff"], input=played.number("old")).output
    assert "长期护理保险 20 元" in said and "合计 920 元" in said


def _open(running: System, books: str):
    return rows(running, "select * from discrepancy where books = :books and state <> 'cleared'", books=books)
