"""A bureau's word: applied for by one, decided by another, then a bill can exist; the database keeps to it too."""

from datetime import date, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.flows.due.quote import all_due, subjects
from app.flows.pay.start import Kind as PayBy
from app.flows.pay.start import NotPayable, Payer, Want, start_payment
from app.flows.register.apply import NothingToDetermine, apply, ask_for_waiver
from app.flows.register.desk import listed
from app.flows.register.determine import (
    AlreadyDecided,
    BadDetermination,
    NoSuchDetermination,
    OwnDetermination,
    Ruling,
    check,
    decide,
)
from app.policy.facts import Insurance
from app.registry.determinations import MOVES, Kind
from core.clock import BEIJING
from tests.app.web.conftest import far_folder, running
from tests.builders import a_person, a_village, an_id_number

__all__ = ["far_folder", "running"]
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
BUREAU = "staff:hsa"
YES, NO = Ruling(True), Ruling(False, reason="名单上没有这个人")


@pytest.fixture
def poor(running):
    return running.write(lambda connection: a_person(connection, categories=("DIBAO",)))


@pytest.fixture
def adult(running):
    return running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=7)))


def due(running, person, insurance=MEDICAL, tier=None, of=None):
    tiers = {(2022, of): tier} if tier else {}
    dues = all_due(running.parts, subjects(running.parts, [person])[0], at=running.parts.clocks.now(), tiers=tiers)
    return next(each for each in dues if (each.insurance, each.determination) == (insurance, of))


def pay(running, person, insurance=MEDICAL, tier=None, of=None):
    payer = Payer("resident", "self", "wechat", PayBy.NATIVE)
    wants = [Want(person, insurance, tier, of)]
    return start_payment(running.parts, wants, payer, request_key=f"{person}{insurance}{of}")


def ask(running, person):
    ask_for_waiver(running.parts, subjects(running.parts, [person])[0], by="resident")


def test_a_late_waiver_is_asked_for_once_and_approved(running, poor):
    running.turn(JANUARY)
    assert due(running, poor).may_ask
    with pytest.raises(NotPayable):
        pay(running, poor)

    ask(running, poor)
    ask(running, poor)

    (one,) = listed(running.parts)
    waiting = due(running, poor)
    assert (one.kind, one.state, one.name) == (Kind.LATE_WAIVER, "applied", "张*例")
    assert waiting.text == "已经交给医保局核实，有结果就告诉您，请先不要交钱。" and not waiting.may_ask
    check(running.office, one.id)
    assert due(running, poor).asked
    decide(running.office, one.id, YES, by=BUREAU)

    answer = due(running, poor).quote
    assert (answer.reason_code, answer.personal_due, answer.gov_substitute) == ("OK_WAIVED", 0, 32000)
    assert (answer.benefit_start, answer.waiting_end) == (date(2022, 1, 15), None)
    assert pay(running, poor).state == "settled"
    owed = running.one(
        "select sum(amount) as n from posting where account = 'receivable:gov_substitute:civil:RES_MEDICAL'"
    )
    assert owed.n == 32000 and listed(running.parts) == []


def test_a_late_waiver_that_is_refused_costs_the_full_price(running, poor):
    running.turn(JANUARY)
    number = apply(running.parts, poor, MEDICAL, Kind.LATE_WAIVER, by="resident")
    decide(running.office, number, NO, by=BUREAU)

    answer = due(running, poor).quote
    assert (answer.reason_code, answer.personal_due) == ("LATE_FULL_PRICE", 90000)
    assert pay(running, poor).amount == 90000


def test_who_needs_no_bureau_asks_none(running, poor, adult):
    with pytest.raises(NothingToDetermine):
        ask(running, poor)  # in November he is waived without asking
    running.turn(JANUARY)
    with pytest.raises(NothingToDetermine):
        ask(running, adult)
    assert listed(running.parts, everything=True) == []


def test_a_newborn_is_approved_and_pays_the_normal_price(running):
    running.turn(datetime(2022, 3, 1, 10, tzinfo=BEIJING))
    born = an_id_number(born=date(2022, 2, 10))
    baby = running.write(lambda connection: a_person(connection, id_number=born))
    number = apply(running.parts, baby, MEDICAL, Kind.NEWBORN, by="staff:desk")
    assert due(running, baby).quote.reason_code == "DETERMINATION_REQUIRED"

    decide(running.office, number, YES, by=BUREAU)

    answer = due(running, baby).quote
    assert (answer.reason_code, answer.personal_due, answer.gov_subsidy) == ("NEWBORN_OK", 32000, 58000)
    assert answer.benefit_start == date(2022, 2, 10) and pay(running, baby).amount == 32000


@pytest.mark.parametrize("insurance", Insurance)
def test_an_approved_back_payment_is_a_bill_of_its_amount(running, adult, insurance):
    number = apply(running.parts, adult, insurance, Kind.POLICY_BACKPAY, by="staff:desk")
    assert due(running, adult, insurance, of=number).quote.reason_code == "DETERMINATION_REQUIRED"
    with pytest.raises(NotPayable):
        pay(running, adult, insurance, of=number)

    decide(running.office, number, Ruling(True, 150000, (2020, 2021), date(2022, 2, 1)), by="staff:hrss")

    back = due(running, adult, insurance, of=number)
    assert (back.quote.reason_code, back.quote.personal_due, back.quote.gov_subsidy) == ("BACKPAY_APPROVED", 150000, 0)
    assert back.title == f"2020、2021年{'养老' if insurance is PENSION else '医保'}补缴" and back.choices == ()
    assert pay(running, adult, insurance, of=number).amount == 150000
    issued = running.one("select total, reason_code, determination, years from bill")
    assert issued == (150000, "BACKPAY_APPROVED", number, [2020, 2021])


def test_a_pension_back_payment_of_years_is_the_tier_for_each(running, adult):
    number = apply(running.parts, adult, PENSION, Kind.INTERRUPTED_BACKPAY, by="staff:desk")
    decide(running.office, number, Ruling(True, years=(2019, 2020, 2021)), by="staff:hrss")

    assert due(running, adult, PENSION, tier=50000, of=number).quote.personal_due == 150000
    assert due(running, adult, PENSION, tier=30000).quote.personal_due == 30000  # the year's own has its own tier


def test_a_refused_back_payment_leaves_the_years_own_premium(running, adult):
    number = apply(running.parts, adult, PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    decide(running.office, number, NO, by="staff:hrss")

    assert due(running, adult, PENSION, tier=30000).quote.personal_due == 30000
    running.turn(datetime(2023, 1, 2, 9, tzinfo=BEIJING))
    assert due(running, adult, PENSION, tier=30000).quote.reason_code == "BACKPAY_REJECTED"


@pytest.mark.parametrize(
    ("kind", "insurance", "ruling"),
    [
        (Kind.LATE_WAIVER, MEDICAL, Ruling(False)),
        (Kind.LATE_WAIVER, MEDICAL, Ruling(False, reason="  ")),
        (Kind.LATE_WAIVER, MEDICAL, Ruling(True, 32000)),
        (Kind.NEWBORN, MEDICAL, Ruling(True, years=(2022,))),
        (Kind.POLICY_BACKPAY, MEDICAL, YES),
        (Kind.POLICY_BACKPAY, MEDICAL, Ruling(True, years=(2021,))),
        (Kind.POLICY_BACKPAY, PENSION, YES),
        (Kind.POLICY_BACKPAY, PENSION, Ruling(True, 0)),
        (Kind.POLICY_BACKPAY, PENSION, Ruling(False, 100, reason="不符合")),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(running, adult, kind, insurance, ruling):
    number = apply(running.parts, adult, insurance, kind, by="staff:desk")
    with pytest.raises(BadDetermination):
        decide(running.office, number, ruling, by=BUREAU)
    assert running.one("select state from determination").state == "applied"


def test_nobody_decides_what_he_applied_for_and_nothing_is_decided_twice(running, adult):
    number = apply(running.parts, adult, MEDICAL, Kind.NEWBORN, by=BUREAU)
    with pytest.raises(OwnDetermination):
        decide(running.office, number, YES, by=BUREAU)
    decide(running.office, number, NO, by="staff:other")
    for again in (YES, NO):
        with pytest.raises(AlreadyDecided):
            decide(running.office, number, again, by="staff:third")
    with pytest.raises(AlreadyDecided):
        check(running.office, number)
    with pytest.raises(NoSuchDetermination):
        check(running.office, number + 1)
    with pytest.raises(BadDetermination):
        apply(running.parts, adult, PENSION, Kind.LATE_WAIVER, by="x")


NEW = "insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at, state)"
DONE = "update determination set state = 'approved', decided_by = 'staff:b', decided_at = now()"


@pytest.mark.parametrize(
    ("state", "statement", "code"),
    [
        (None, NEW + " select id, 'RES_MEDICAL', 2022, 'newborn', 'a', now(), 'approved' from person", "LX008"),
        (None, NEW + " select id, 'RES_PENSION', 2022, 'newborn', 'a', now(), 'applied' from person", "23514"),
        (None, NEW + " select id, 'RES_MEDICAL', 2022, 'newborn', ' ', now(), 'applied' from person", "23514"),
        ("applied", NEW + " select id, 'RES_MEDICAL', 2022, 'newborn', 'a', now(), 'applied' from person", "23505"),
        ("applied", DONE, "LX008"),
        ("checking", "update determination set state = 'applied'", "LX008"),
        ("checking", "update determination set state = 'approved'", "23514"),
        ("checking", DONE.replace("staff:b", "staff:desk"), "23514"),
        ("checking", DONE.replace("approved", "rejected"), "23514"),
        ("checking", DONE + ", amount = 0", "23514"),
        ("checking", "update determination set amount = 5", "LX008"),
        ("checking", DONE + ", kind = 'late_waiver'", "LX008"),
        ("checking", DONE + ", requested_by = 'somebody'", "LX008"),
        ("decided", DONE, "LX008"),
        ("decided", "update determination set reason = 'x'", "LX008"),
        ("decided", "delete from determination", "LX008"),
    ],
)
def test_the_database_refuses_wrong_moves_even_to_its_owner(running, adult, state, statement, code):
    if state:
        number = apply(running.parts, adult, MEDICAL, Kind.NEWBORN, by="staff:desk")
    if state == "checking":
        check(running.office, number)
    if state == "decided":
        decide(running.office, number, YES, by=BUREAU)
    owner = create_engine(running.parts.engine.url.set(username="liangxian_owner"))

    with pytest.raises(DBAPIError) as refused, owner.begin() as connection:
        connection.execute(text(statement))

    owner.dispose()
    assert refused.value.orig.sqlstate == code


@pytest.mark.parametrize(
    "statement", ["delete from determination", "update determination set kind = 'newborn'", "truncate determination"]
)
def test_the_application_may_not_even_try(running, statement):
    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        connection.execute(text(statement))
    assert refused.value.orig.sqlstate == "42501"


def test_the_database_knows_the_same_moves_as_the_code(running):
    with running.parts.engine.connect() as connection:
        held = {tuple(row) for row in connection.execute(text("select * from determination_move"))}
    assert held == {(old, new) for old, allowed in MOVES.items() for new in allowed}


def test_it_is_done_from_the_command_line(running):
    running.write(a_village)
    number = an_id_number(sequence=9)
    running.write(lambda connection: a_person(connection, name="王示例", id_number=number))
    runner = running.app.test_cli_runner()

    def run(*words, typed=""):
        return runner.invoke(args=["determination", *words], input=typed)

    case = ("apply", "--name", "王示例", "--insurance", "RES_PENSION", "--kind", "policy_backpay", "--by", "desk")
    first, again = run(*case, typed=number + "\n"), run(*case, typed=number + "\n")
    assert first.exit_code == 0 and first.output == again.output
    key = first.output.split()[-1]
    assert "政策性补缴" in run("list").output and "王*例" in run("list").output
    assert "不能自己核定" in run("decide", key, "--approve", "--by", "desk", "--amount", "1500").output
    assert "核定的内容不对" in run("decide", key, "--reject", "--by", "hrss").output
    assert run("check", key).exit_code == 0
    assert run("decide", key, "--approve", "--by", "hrss", "--amount", "1500", "--year", "2021").exit_code == 0
    assert run("list").output == "" and "通过" in run("list", "--all").output
    row = running.one("select amount, years, decided_by from determination")
    assert row == (150000, [2021], "staff:hrss")
    assert "没有查到" in run(*case[:2], "别人", *case[3:], typed=number + "\n").output
