"""Cash in villages against the rest of the year: a year that ends, offices that disagree, sponsors, refunds."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from time import sleep

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.custody import hand, remit, switch, void
from app.flows.custody.take import Asked, take
from app.flows.custody.watch import watch_cash
from app.flows.due.draft import draft_of
from app.flows.due.quote import subjects
from app.flows.pay.start import Want, dues_of
from app.flows.prove.check import _receipt
from app.flows.refund.give_back import Account, ask_transfer, decide_transfer, pay_due
from app.flows.refund.steps import Asking, ask_for_bill, reserve
from app.flows.register.open_year import close_year, open_year
from app.policy.facts import Insurance
from app.policy.refunds import Why
from core.clock import BEIJING
from core.db import EVERYWHERE, PLACES
from payments.taking.bills import issue, meet
from tests.app.custody.test_take import FIRST, bank, held
from tests.app.flows.test_sponsors import funded, stands
from tests.app.roster.test_post import agent_client
from tests.refunding import CLERK, LEAD, agree, balances, rows, state


def test_cash_of_a_year_that_was_closed_still_rings_and_can_go_to_the_bank(running, village):
    village.take()
    running.turn(datetime(2022, 10, 20, 9, tzinfo=BEIJING))
    assert open_year(running.office, 2023, by="operator:test")
    running.parts.levy.look()
    assert close_year(running.office, 2022, by="operator:test")
    running.parts.levy.look()
    said = []
    watch_cash(replace(running.parts, alert=lambda word, **_more: said.append(word)))
    assert said == ["cash_red"]
    assert hand.hand_of(running.parts, village.agent.agent.id) is not None


def test_of_whom_offices_disagree_nothing_is_taken_in_cash_whoever_asks(running, village, superuser):
    village.take()
    void.void(running.parts, FIRST, "torn", by=village.agent)
    void.void(running.parts, FIRST + 1, "wrong", by=village.agent)
    want = village.wants()
    person = want[0].person_id
    people = {each.id: each for each in subjects(running.parts, [person])}
    now = running.parts.clocks.now()
    with running.parts.engine.begin() as connection:
        meet(connection, [person])
        ((subject, due),) = dues_of(running.parts, want, people, at=now, channel="agent_cash")
        bill = issue(connection, draft_of(running.parts, subject, due))
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into conflict (person_id, kind, about, insurances, owner, opened_by, opened_at, due_on)"
                " values (:p, 'ALIVE', '2021-10-20', '{RES_MEDICAL}', 'medical', 'import:x', now(), now())"
            ),
            {"p": person},
        )
    asked = {
        "s": village.agent.token_hash,
        "h": bill.household_id,
        "b": [bill.id],
        "at": running.parts.clocks.wall(),
        "now": now,
    }
    with pytest.raises(DBAPIError), running.parts.engine.begin() as connection:
        connection.execute(
            text(
                "select agent_takes_cash(:s, :h, :b, 32000, '{abcdefgh}', 'k', 'b', null,"
                """ '{"ceiling": 500000, "red_hours": 72, "by_roster": [2022]}', :at, :now)"""
            ),
            asked,
        )


def test_a_void_gives_a_sponsors_share_back_and_a_torn_one_takes_it_again(running, village):
    pledge = funded(running, mode="PCT", value="50", budget="1000", village_code=village.district.village)
    village.take(total=16000)
    assert stands(running, pledge) == ("ACTIVE", 0, 160, 840)
    void.void(running.parts, FIRST, "torn", by=village.agent)
    assert stands(running, pledge) == ("ACTIVE", 0, 160, 840)
    void.void(running.parts, FIRST + 1, "returned", by=village.agent)
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 1000)
    assert balances(running).get(f"sponsor:{pledge}") == -100000


def test_cash_is_given_back_by_the_bank_and_a_receipt_under_refund_stays(running, village):
    village.take()
    with running.parts.engine.begin() as connection:
        bill = connection.execute(text("select * from bill where state = 'settled'")).one()
        asked = ask_for_bill(running.parts, connection, bill, Why.TWICE, by="staff:desk")
    with pytest.raises(void.NotVoidable):
        void.void(running.parts, FIRST, "torn", by=village.agent)
    agree(running.parts, asked.number)
    account = Account(
        holder="insured", name="张示例", account="6222000011112222", bank="示例银行", proof="凭证1", digest=b"x" * 32
    )
    pay_due(running.parts)
    ask_transfer(running.parts, asked.number, account, by=CLERK)
    decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)
    assert state(running, asked.number, "refund") == "paid"
    assert held(running, village).held == 32000
    remit.remit(running.parts, FIRST, 32000, slip="7788", photo=None, by=village.agent)


def test_a_torn_paper_is_replaced_though_the_town_said_no_more_meanwhile(running, village):
    village.take()
    switch.switch(running.parts, [village.district.village], running.parts.clocks.today(), on=False, by=village.town)
    assert void.void(running.parts, FIRST, "torn", by=village.agent) == [FIRST + 1]


def test_numbers_out_of_range_and_villages_of_nobody_are_refused_with_words(running, village, desk, district):
    running.app.config["WTF_CSRF_ENABLED"] = False
    phone = agent_client(running)
    town = desk("town01", Role.TOWN, towns=[district.village[:9]])
    clerk = desk("clerk01", Role.TAX_CLERK)
    found = {
        "receipt": phone.get("/agent/cash/receipts/99999999999999999999").status_code,
        "slips": phone.post("/agent/cash/batches/99999999999999999999/slips", data={"slip": "7788"}).status_code,
        "strike": clerk.post("/office/cash/slips/99999999999999999999/strike").status_code,
        "photo": town.get("/office/cash/slips/99999999999999999999/photo").status_code,
        "switch": town.post(
            "/office/cash/switch", data={"on": "1", "village": district.village[:9] + "777"}
        ).status_code,
        "nul": town.post("/office/cash/switch", data={"on": "1", "village": district.village[:9] + "\0"}).status_code,
        "void": phone.post("/agent/cash/receipts/99999999999999999999/void", data={"why": "torn"}).status_code,
    }
    assert [name for name, status in found.items() if status >= 500] == [], found


def test_the_public_page_says_where_a_receipt_was_given_not_where_its_payer_lives_now(running, village, district):
    village.take()
    code = running.one("select code from receipt").code
    with running.parts.engine.connect() as connection:
        there = _receipt(running.parts, connection, code).village
    running.write(
        lambda c: c.execute(
            text(
                "update household set village_code = :v, number = '9999' where id = (select household_id from receipt)"
            ),
            {"v": district.other_village},
        )
    )
    with running.parts.engine.connect() as connection:
        assert _receipt(running.parts, connection, code).village == there


def test_the_receipt_of_a_household_that_moved_the_same_day_is_refused_in_words(running, village, district):
    village.take()
    running.write(
        lambda c: c.execute(
            text(
                "update household set village_code = :v, number = '9999' where id = (select household_id from receipt)"
            ),
            {"v": district.other_village},
        )
    )
    PLACES.set(district.village)
    try:
        with pytest.raises(void.NotVoidable):
            void.void(running.parts, FIRST, "wrong", by=village.agent)
    finally:
        PLACES.set(EVERYWHERE)


def test_many_who_hold_something_hide_nobody_who_holds_too_much(running, village, monkeypatch):
    other = village.an_agent("agent02")
    monkeypatch.setattr(hand, "PAGE", 1)
    village.take()
    running.turn(running.parts.clocks.now() + timedelta(minutes=1))
    wants = [Want(village.others[0].id, Insurance.RES_PENSION, 500000, levy_year=2022)]
    take(running.parts, Asked(wants, 500000, "the-ceiling"), by=other)
    said = []
    watch_cash(replace(running.parts, alert=lambda word, **_more: said.append(word)))
    assert said == ["cash_over_ceiling"]


def test_money_that_somebody_is_giving_back_does_not_count_for_an_agent_as_well(running, village):
    village.take()
    bank(running, ("K1", "320", "9911"))
    with ThreadPoolExecutor(1) as pool, running.parts.engine.connect() as office:
        wish = Asking(0, "", "deposit:K1", [], Why.TWICE, "不是我们的钱", "staff:desk")
        reserve(running.parts, office, wish, now=running.parts.clocks.now())
        done = pool.submit(lambda: remit.remit(running.parts, FIRST, 32000, slip="9911", photo=None, by=village.agent))
        sleep(2)
        office.commit()
        done.result()
    solved = rows(running, "select solved_at is not null as s from suspense")
    live = rows(running, "select state from refund where state <> 'rejected'")
    assert not (solved == [(True,)] and live), "it is the agent's, and somebody's refund as well"
