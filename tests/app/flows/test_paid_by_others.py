"""What others paid whole for somebody goes back to them, by a refund's hands, and nobody gets money (decision 0056)."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.cases.say import say
from app.flows.conflicts.bring_police import bring_police
from app.flows.conflicts.of_the_dead import ask_for_dead
from app.flows.due.quote import subjects
from app.flows.pay.start import Want
from app.flows.refund.follow import follow, follow_all
from app.flows.refund.for_nothing import ask_for_elsewhere
from app.flows.refund.steps import decide
from app.flows.refund.wish import refundables
from app.policy.facts import Insurance
from tests.app.flows.test_elsewhere import PROOF
from tests.app.flows.test_helped_pages import desk
from tests.app.flows.test_police import a_list, line
from tests.app.flows.test_sponsors import funded, stands
from tests.app.web.people import a_district
from tests.refunding import LEAD, agree, balances, pay, rows, start, state, to_the_approval

__all__ = ["desk"]
MEDICAL = Insurance.RES_MEDICAL


@pytest.fixture
def district(running):
    return running.write(a_district)


def test_a_waived_man_who_died_is_nobody_s_debt_any_more(running, district, desk, tmp_path):
    settled = ("fund:RES_MEDICAL:2022", "receivable:gov_substitute:civil:RES_MEDICAL")
    assert start(running, Want(district.poor.id, MEDICAL)).number is None
    one = {code: balances(running)[code] for code in settled}
    assert start(running, Want(district.elder.id, MEDICAL), key="elder").number is None
    before = balances(running)
    dead = {"p": district.poor.id}
    running.write(lambda connection: connection.execute(text("update person set alive = false where id = :p"), dead))

    told = bring_police(running.office, a_list(tmp_path / "a.xlsx", line(district.poor, "死亡", "2021-11-01")))

    assert told.refunds == 1
    [asked] = rows(running, "select number, amount, paid, gateway, applied_by, state from refund")
    assert tuple(asked)[1:] == (0, 0, "none", "rule:died", "applied")
    assert ask_for_dead(running.parts) == 0 and balances(running) == before
    assert "别人替付" in follow(running.parts, asked.number).words
    clerk = desk("clerk9", Role.TAX_CLERK)
    listed, page = clerk.get("/office/refunds/").text, clerk.get(f"/office/refunds/{asked.number}").text
    assert ">撤回</a>" in listed and "撤回别人替付的参保" in page and " 0 元" not in page

    agree(running.parts, asked.number)

    found = follow(running.parts, asked.number)
    assert (found.state, found.words) == ("paid", "已经撤回。这一项是别人替付的，您没有付过钱，没有钱要退。")
    assert [step.text for step in found.steps] == ["申请撤回", "税务受理", "医保局核对", "同意撤回", "替付的钱已冲回"]
    after = balances(running)
    assert {code: before[code] - after.get(code, 0) for code in settled} == one
    assert rows(running, "select state from bill order by state") == [("refunded",), ("settled",)]
    assert rows(running, "select 1 from notice where cause like 'refund:%'") == [], "there is nothing to tell"
    assert ask_for_dead(running.parts) == 0


def test_a_sponsor_has_back_what_he_gave_whole_for_who_is_insured_elsewhere(running, district, desk):
    pledge = funded(running)
    assert start(running, Want(district.adult.id, MEDICAL)).number is None
    paid = pay(running, Want(district.neighbour.id, MEDICAL), key="paid")
    used = stands(running, pledge)
    assert used == ("ACTIVE", 0, 320, 680) and ask_for_elsewhere(running.parts) == 0
    medical = desk("med01", Role.MEDICAL)
    for whom in (district.adult, district.neighbour):
        said = say(
            running.parts, "PAID_ELSEWHERE_MEDICAL", "在昆山交过了", person_id=whom.id, village=None, by="account:1"
        )
        medical.post(f"/office/matters/{said}/elsewhere", data={"code": "medical_outside_zz", "proof": PROOF})

    assert (ask_for_elsewhere(running.parts), ask_for_elsewhere(running.parts)) == (1, 0)

    [asked] = rows(running, "select number, why from refund")
    [adult] = subjects(running.parts, [district.adult.id])
    [own] = follow_all(running.parts, [adult])
    assert (asked.why, own.by_others, own.is_asked) == ("elsewhere", True, True)
    assert refundables(running.parts, [adult], actor="account:1") == [], "he has nothing to ask for"
    to_the_approval(running.parts, asked.number)
    assert stands(running, pledge) == used
    decide(running.parts, asked.number, approved=True, by=LEAD)
    assert stands(running, pledge) == ("ACTIVE", 0, 0, 1000) and state(running, paid) == "paid"
    assert ask_for_elsewhere(running.parts) == 0


def test_a_no_leaves_all_as_it_was_and_is_not_asked_again(running, district, desk):
    start(running, Want(district.poor.id, MEDICAL))
    said = say(
        running.parts,
        "PAID_ELSEWHERE_MEDICAL",
        "在昆山交过了",
        person_id=district.poor.id,
        village=None,
        by="account:1",
    )
    where, wanted = f"/office/matters/{said}/elsewhere", {"code": "medical_outside_zz", "proof": PROOF}
    assert desk("med01", Role.MEDICAL).post(where, data=wanted).status_code == 303
    before = balances(running)
    ask_for_elsewhere(running.parts)
    [asked] = rows(running, "select number from refund")
    to_the_approval(running.parts, asked.number)

    decide(running.parts, asked.number, approved=False, by=LEAD, reason="那边没有交成")

    assert follow(running.parts, asked.number).words == "没有撤回，参保照旧。原因：那边没有交成"
    assert balances(running) == before and ask_for_elsewhere(running.parts) == 0
    assert rows(running, "select state from bill") == [("settled",)]


def test_money_never_ends_as_if_there_were_none(running, district):
    paid = pay(running, Want(district.adult.id, MEDICAL))
    with running.parts.engine.begin() as connection:
        for amount, gateway, code in ((0, "wechat", "23514"), (0, "none", "LX"), (32000, "none", "LX")):
            with pytest.raises(DBAPIError) as refused, connection.begin_nested():
                connection.execute(text("select 1"))
                connection.execute(_BY_HAND, {"p": paid, "amount": amount, "gateway": gateway})
            assert refused.value.orig.sqlstate.startswith(code) or refused.value.orig.sqlstate == "42501"
    assert rows(running, "select 1 from refund") == []


_BY_HAND = text(
    "insert into refund (household_id, number, receipt, gateway, payment, reference, ordered_at, paid, amount, why,"
    " reason, sent_as, applied_by, applied_at, state, next_query_at) select household_id, 'R' || number,"
    " 'receipt:wechat:' || reference, :gateway, number, reference, now(), amount, :amount, 'died', '', 'R' || number,"
    " 'staff:x', now(), 'paid', null from payment where number = :p"
)
