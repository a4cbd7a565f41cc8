"""Who missed years waits longer, as far as it is known; the medical bureau can be asked to look, and what it recognises
counts. The years' rules here are the district's own, with a gap as the national rule has it."""

from datetime import date, datetime

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.flows.due.explain import explain
from app.flows.due.quote import amount_due, dues_of_year, subjects
from app.flows.due.record import year_by_year
from app.flows.pay.start import Want
from app.flows.register.apply import NothingToDetermine, apply, ask_for_history
from app.flows.register.check_year import check_year
from app.flows.register.desk import listed
from app.flows.register.determine import BadDetermination, OwnDetermination, Ruling, decide
from app.policy.facts import Insurance
from app.policy.refunds import Why
from app.registry.bulk import Share, people
from app.registry.determinations import Kind
from core.clock import BEIJING
from tests.builders import a_household, a_person, an_id_number
from tests.conftest import DATABASE
from tests.gap_years import gap_district
from tests.refunding import agreed, pay, run_refunds
from tests.two_years import open_2023

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
NEXT_JANUARY = datetime(2023, 1, 15, 9, tzinfo=BEIJING)
BUREAU = "staff:hsa"
SHORT = date(2022, 2, 15)  # 30 days after the fifteenth of January
LONG = date(2022, 4, 15)  # and two months for three missed years, the first of which is free


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": gap_district(tmp_path_factory.mktemp("years"))}


@pytest.fixture
def three(running):
    """Of one household: one with years 2017 and 2018, one of whom nothing is known, one enrolled last year too."""
    household = running.write(a_household)
    said = ([2017, 2018], None, [2019, 2021])
    return [
        running.write(
            lambda c, at=at, years=years: a_person(
                c, id_number=an_id_number(sequence=2 * at + 7), household=household, medical_years=years
            )
        )
        for at, years in enumerate(said)
    ]


def subject(running, person, year=None):
    found = subjects(running.parts, [person])[0]
    return found if year is None else found.in_year(year)


def medical(running, person, year=None):
    return amount_due(running.parts, subject(running, person, year), MEDICAL, at=running.parts.clocks.now()).quote


def sheet(running, person):
    return explain(running.parts, subject(running, person), MEDICAL, at=running.parts.clocks.now())


def test_only_years_that_are_known_to_be_missing_make_anybody_wait(running, three):
    running.turn(JANUARY)

    answers = [medical(running, person) for person in three]

    assert [(each.benefit_start, each.gap_months) for each in answers] == [(LONG, 2), (SHORT, 0), (SHORT, 0)]
    assert {each.personal_due for each in answers} == {90000}
    assert [sheet(running, person).answer.partition("交完")[2][:6] for person in three] == [
        "30天再加2",
        "30天后才能",
        "30天后才能",
    ]
    assert sheet(running, three[0]).record == (
        "等这么久，是因为断过保：按登记，最近一次参加居民医保是2018年，2019、2020、2021年没有参加，为此多等2个月。",
        "登记得不对的，可以请医保局核对；医保局认定参过保的年度算进去以后，等待会按新的算。",
        "多等的月数，有的可以补钱缩短。这里还不能交这笔钱，要补的请先问医保局。",
    )
    assert sheet(running, three[0]).may_ask
    for other in three[1:]:
        assert sheet(running, other).record == () and not sheet(running, other).may_ask


def test_what_the_bureau_recognises_counts_and_changes_nothing_else(running, three):
    running.turn(JANUARY)
    before = [(each.insurance, each.determination, each.text) for each in all_of(running, three[0])]
    for _ in range(2):
        ask_for_history(running.parts, subject(running, three[0]), by="resident")

    (case,) = listed(running.parts)
    assert (case.kind, case.state) == (Kind.ENROLMENT_HISTORY, "applied")
    waiting = sheet(running, three[0])
    assert waiting.record[-1] == "已经请医保局核对参保年度，还没有结果。有了结果，这里会写明。" and not waiting.may_ask
    assert [(each.insurance, each.determination, each.text) for each in all_of(running, three[0])] == before
    with pytest.raises(OwnDetermination):
        decide(running.office, case.id, Ruling(True, years=(2020,)), by="resident")
    decide(running.office, case.id, Ruling(True, years=(2020, 2021)), by=BUREAU)

    mended = medical(running, three[0])
    assert (mended.benefit_start, mended.personal_due, mended.gap_months) == (SHORT, 90000, 0)
    assert sheet(running, three[0]).record == ("医保局核对过了，认定2020、2021年参加过医保，等待已经按认定的算。",)
    assert [each.payable for each in all_of(running, three[0]) if each.insurance is MEDICAL] == [True]
    assert subject(running, three[0]).recorded.years == {2017, 2018, 2020, 2021}, "no year is taken away"
    assert subject(running, three[2]).recorded.years == {2019, 2021}
    assert dict(year_by_year(subject(running, three[0])))["2020年"] == "参过保，医保局核对认定"
    assert pay(running, Want(three[0], MEDICAL))
    assert subject(running, three[0]).standing[MEDICAL].bill["state"] == "settled"


def all_of(running, person):
    return dues_of_year(running.parts, subject(running, person), at=running.parts.clocks.now())


def test_a_no_leaves_the_wait_and_is_told(running, three):
    running.turn(JANUARY)
    number = apply(running.parts, three[0], MEDICAL, Kind.ENROLMENT_HISTORY, by="agent:1")
    decide(running.office, number, Ruling(False, reason="查不到缴费"), by=BUREAU)

    assert medical(running, three[0]).benefit_start == LONG
    assert sheet(running, three[0]).record[-1] == "医保局核对过了，没有认定别的年度。还有疑问的，请问医保局。"


def test_years_of_whom_nothing_is_known_make_no_gap(running, three):
    running.turn(JANUARY)
    number = apply(running.parts, three[1], MEDICAL, Kind.ENROLMENT_HISTORY, by="staff:desk")

    decide(running.office, number, Ruling(True, years=(2018,)), by=BUREAU)

    assert medical(running, three[1]).benefit_start == SHORT and subject(running, three[1]).recorded.years is None
    said = list(year_by_year(subject(running, three[1])))
    assert said == [("往年", "不知道：医保局没有报来过，按一直参保算"), ("2018年", "参过保，医保局核对认定")]


def test_what_was_recognised_after_the_payment_is_told_on_the_sheet(running, three):
    running.turn(JANUARY)
    ask_for_history(running.parts, subject(running, three[0]), by="resident")
    pay(running, Want(three[0], MEDICAL))
    assert sheet(running, three[0]).record == ()
    (case,) = listed(running.parts)

    decide(running.office, case.id, Ruling(True, years=(2021,)), by=BUREAU)

    told = sheet(running, three[0])
    assert told.record == ("交费以后，医保局认定了您往年的参保年度。按认定的算，2022年2月15日起就可以报销。",)
    assert told.benefit_start == LONG, "what was booked stays"
    assert running.one("select count(*) as n from refund").n == 0, "no price changed"


@pytest.mark.parametrize(
    "ruling",
    [
        Ruling(True),
        Ruling(True, years=(2022,)),
        Ruling(True, years=(1999,)),
        Ruling(True, 100, (2020,)),
        Ruling(True, years=(2020,), benefit_start=date(2022, 2, 1)),
        Ruling(False, years=(2020,), reason="没有"),
    ],
)
def test_a_decision_on_the_record_names_former_years_and_no_money(running, three, ruling):
    number = apply(running.parts, three[0], MEDICAL, Kind.ENROLMENT_HISTORY, by="staff:desk")

    with pytest.raises(BadDetermination):
        decide(running.office, number, ruling, by=BUREAU)
    assert listed(running.parts)[0].state == "applied"


def test_the_database_keeps_to_it_too(running, three, database):
    number = apply(running.parts, three[0], MEDICAL, Kind.ENROLMENT_HISTORY, by="staff:desk")
    url = database.admin_url().replace("/postgres?", f"/{DATABASE}?").replace("postgresql://", "postgresql+psycopg://")
    owner = create_engine(url)
    with owner.begin() as connection:
        connection.execute(text("update determination set state = 'checking' where id = :n"), {"n": number})
    for spoilt in ("years = null", "years = '{}'", "years = '{2020}', amount = 1"):
        with pytest.raises(DBAPIError, match="history_years"), owner.begin() as connection:
            connection.execute(
                text(
                    f"update determination set {spoilt}, state = 'approved', decided_by = 'staff:x', decided_at = now()"
                    " where id = :n"
                ),
                {"n": number},
            )
    owner.dispose()


def test_a_pensions_back_payment_of_no_sum_and_no_year_is_not_approved(running, three, database):
    number = apply(running.parts, three[0], PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    approve = "update determination set state = 'approved', decided_by = 'staff:x', decided_at = now(), years = {}"
    url = database.admin_url().replace("/postgres?", f"/{DATABASE}?").replace("postgresql://", "postgresql+psycopg://")
    owner = create_engine(url)
    with owner.begin() as connection:
        connection.execute(text("update determination set state = 'checking' where id = :n"), {"n": number})
    for nothing in ("null", "'{}'"):
        with pytest.raises(DBAPIError, match="backpay_amount"), owner.begin() as connection:
            connection.execute(text(f"{approve.format(nothing)} where id = :n"), {"n": number})
    with owner.begin() as connection:
        assert connection.execute(text(approve.format("'{2020}'") + " where id = :n"), {"n": number}).rowcount == 1
    owner.dispose()


def test_nobody_asks_who_waits_for_no_gap_and_the_pension_has_none(running, three):
    running.turn(JANUARY)
    with pytest.raises(NothingToDetermine):
        ask_for_history(running.parts, subject(running, three[2]), by="resident")
    with pytest.raises(BadDetermination):
        apply(running.parts, three[0], PENSION, Kind.ENROLMENT_HISTORY, by="staff:desk")
    assert listed(running.parts) == []


def test_a_year_that_was_paid_here_is_no_gap_unless_it_went_back(running, three):
    """The first and the third of the three pay 2022; the third gets it back."""
    first, _, third = three
    pay(running, Want(first, MEDICAL), key="first")
    back = pay(running, Want(third, MEDICAL), key="third")
    run_refunds(running, agreed(running.parts, back, why=Why.WRONG_PERSON).number, "paid")
    open_2023(running)
    running.turn(NEXT_JANUARY)

    assert medical(running, first, 2023).gap_months == 0
    assert subject(running, first).recorded.years == {2017, 2018, 2022}
    assert dict(year_by_year(subject(running, first)))["2022年"] == "参过保，在这里缴的"
    assert subject(running, third).recorded.years == {2019, 2021}
    assert dict(year_by_year(subject(running, third)))["2022年"] == "没有参保的记录"
    lines = {medical.split(b"\t")[-1] for _, _, medical in everybody(running)}
    assert lines == {b"2017|2018|2022", b"-", b"2019|2021"}, "a replay reckons with the same"
    assert subject(running, first, 2022).recorded.years == {2017, 2018, 2022}, "which is no former year of its own"


def everybody(running):
    url = running.parts.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        return list(people(connection, Share(0, 1), (2022, 2023)))


def test_before_a_year_with_a_gap_is_opened_it_is_said_whose_years_are_unknown(running, three):
    said = {line.words: line.ok for line in check_year(running.parts, 2023)}

    assert said["断过保的要多等，可登记着的3人里有1人医保局没报过往年参保，都按一直参保算"] is None
    running.write(lambda c: c.execute(text("update person set medical_years = '{}' where medical_years is null")))
    assert {line.words: line.ok for line in check_year(running.parts, 2023)}["断过保的要多等，往年参保医保局都报来了"]
