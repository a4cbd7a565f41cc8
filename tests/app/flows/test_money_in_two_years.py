"""Money that came with two levy years open: it goes to the year it was meant for, and a person says which where nobody
can know."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import text

from app.flows.complaints.answer import places_of
from app.flows.levy import YearClosed, YearUnsaid
from app.flows.pay.start import Want
from app.flows.prove.papers import confirm, hand_out
from app.flows.refund.desk import case
from app.flows.refund.steps import apply
from app.flows.register import determine
from app.flows.register.apply import apply as ask_for
from app.flows.register.desk import listed
from app.flows.register.open_year import close_year
from app.flows.suspense import solve
from app.flows.titles import titles_together
from app.policy.refunds import Why
from app.policy.year import load_year
from app.registry.determinations import Kind
from core.clock import BEIJING
from tests.app.flows.test_import_outside import POS, a_file, take
from tests.app.flows.test_suspense import agreed_to, other_amount
from tests.builders import an_id_number
from tests.refunding import CLERK, DESK, LEAD, pay, rows
from tests.two_years import MEDICAL, PENSION


def settled(running, person):
    """(insurance, year, price) of what is paid for somebody."""
    found = rows(
        running,
        "select insurance, levy_year, personal_due from bill where state = 'settled' and person_id = :p",
        p=person,
    )
    return sorted((row.insurance, row.levy_year, row.personal_due) for row in found)


def card(running, *lines):
    """A day's file of POS lines: (trace, yuan, insurance) of who is late."""
    said = [
        f"T0001,{trace},示例村,1234,{yuan}.00,2022-10-21 09:00:00,,{an_id_number(sequence=7)},{insurance}"
        for trace, yuan, insurance in lines
    ]
    take(running, "pos", a_file(POS, *said, total=f"{sum(yuan for _, yuan, _ in lines)}.00"))


def held(running):
    """What waits for a person: (its key, why, how much)."""
    [row] = rows(running, "select doubt, amount, cause from suspense")
    return solve.key_of(running.parts, row.cause), row.doubt, row.amount


def told(running):
    return [row.fields["items"] for row in rows(running, "select fields from notice where kind = 'settled'")]


def test_a_card_pays_the_year_whose_price_it_is(running, two_years):
    """Agents collect 2023 only, and a card of theirs pays nothing of 2022: a person says that it was for that."""
    card(running, ("000001", 350, "RES_MEDICAL"), ("000002", 900, "RES_MEDICAL"))
    assert settled(running, two_years.late) == [("RES_MEDICAL", 2023, 35000)]
    key, doubt, amount = held(running)
    assert (doubt, amount) == ("no_open_bill", 90000)

    solve.propose(running.parts, key, [Want(two_years.late, MEDICAL, levy_year=2022)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert settled(running, two_years.late) == [("RES_MEDICAL", 2022, 90000), ("RES_MEDICAL", 2023, 35000)]
    assert told(running) == ["2022年居民医保"] and len(settled(running, two_years.in_time)) == 2


def test_a_card_that_fits_both_years_waits_for_a_person(running, two_years, monkeypatch):
    """In a district whose agents still collect 2022 too."""
    own = load_year(2022)
    longer = replace(own, dates=replace(own.dates, concentrated_end=date(2022, 11, 30)))
    monkeypatch.setattr(running.parts.levy, "rules", lambda year: longer if year == 2022 else load_year(year))

    card(running, ("000001", 300, "RES_PENSION"))

    key, doubt, amount = held(running)
    assert (settled(running, two_years.late), doubt, amount) == ([], "no_open_bill", 30000)
    with pytest.raises(YearUnsaid):
        solve.propose(running.parts, key, [Want(two_years.late, PENSION, 30000)], by=CLERK)
    solve.propose(running.parts, key, [Want(two_years.late, PENSION, 30000, levy_year=2022)], by=CLERK)
    agreed_to(running, key, by=LEAD)
    assert settled(running, two_years.late) == [("RES_PENSION", 2022, 30000)] and told(running) == ["2022年居民养老"]


def test_a_card_of_one_that_paid_2022_is_for_2023_and_again_changes_nothing(running, two_years):
    said = f"T0001,000001,示例村,1234,300.00,2022-10-21 09:00:00,,{an_id_number(sequence=9)},RES_PENSION"
    take(running, "pos", a_file(POS, said, total="300.00"))
    before = settled(running, two_years.in_time)

    other = f"T0001,000002,示例村,1234,350.00,2022-10-21 09:30:00,,{an_id_number(sequence=9)},RES_MEDICAL"
    take(running, "pos", a_file(POS, said, other, total="650.00"))

    assert ("RES_PENSION", 2023, 30000) in before
    assert settled(running, two_years.in_time) == sorted([*before, ("RES_MEDICAL", 2023, 35000)])
    assert rows(running, "select 1 from suspense") == [] and settled(running, two_years.late) == []


def test_money_in_doubt_pays_a_year_that_was_closed_since(running, two_years):
    key, _ = other_amount(running, two_years.late, 125000, Want(two_years.late, MEDICAL, levy_year=2023))
    close_year(running.office, 2022, by="operator:test")
    running.parts.levy.look()
    both = [Want(two_years.late, MEDICAL, levy_year=year) for year in (2023, 2022)]
    with pytest.raises(YearClosed):
        solve.propose(running.parts, key, [Want(two_years.late, MEDICAL, levy_year=2021)], by=CLERK)

    solve.propose(running.parts, key, both, by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert settled(running, two_years.late) == [("RES_MEDICAL", 2022, 90000), ("RES_MEDICAL", 2023, 35000)]


def test_one_payment_for_both_years_is_told_and_proved_as_both(running, two_years):
    wants = [
        Want(person, insurance, 30000 if insurance == PENSION else None, levy_year=year)
        for person, years in ((two_years.late, (2023, 2022)), (two_years.in_time, (2023,)))
        for year in years
        for insurance in (MEDICAL, PENSION)
    ]
    number = pay(running, *wants, key="both years")

    [notice] = rows(running, "select fields from notice where kind = 'paid' and cause like :c", c=f"payment:{number}%")
    assert notice.fields["items"] == "2022和2023年居民两险"
    paper = confirm(running.parts, number)
    assert [(item["title"], item["year"]) for item in paper.facts["items"]] == [
        *(("2023年居民医保", 2023), ("2023年居民养老", 2023), ("2022年居民医保", 2022), ("2022年居民养老", 2022)),
        *(("2023年居民医保", 2023), ("2023年居民养老", 2023)),
    ]

    assert hand_out(running.parts, paper).startswith(b"%PDF")
    with running.parts.reading() as connection:
        assert places_of(running.parts, connection, number)["year"] == "2022、2023"
        [former] = rows(running, "select number from payment where paid_at < '2022-10-01'")
        assert places_of(running.parts, connection, former.number)["year"] == "2022"
        assert places_of(running.parts, connection, None)["year"] == "2023"


def test_titles_come_together_only_where_years_stand_side_by_side(running, two_years):
    bills = rows(
        running, "select insurance, levy_year, determination, years, level, raised_from from bill order by insurance"
    )

    assert titles_together(bills) == "2022年居民医保、2022年居民养老"
    pay(running, Want(two_years.late, MEDICAL, levy_year=2023), key="2023")
    bills = rows(
        running,
        "select insurance, levy_year, determination, years, level, raised_from from bill order by insurance, levy_year",
    )
    assert titles_together(bills) == "2022和2023年居民医保、2022年居民养老"


def test_an_application_names_its_year_and_the_list_shows_it(running, two_years):
    asked = running.parts, two_years.late, MEDICAL, Kind.POLICY_BACKPAY
    with pytest.raises(YearUnsaid):
        ask_for(*asked, by="staff:desk")

    numbers = [ask_for(*asked, by="staff:desk", levy_year=year) for year in (2022, 2023)]

    assert [(each.id, each.levy_year) for each in listed(running.parts)] == list(
        zip(numbers, (2022, 2023), strict=True)
    )
    close_year(running.office, 2022, by="operator:test")
    running.parts.levy.look()
    assert [each.levy_year for each in listed(running.parts)] == [2022, 2023], "who asked waits for an answer"


def test_what_a_bureau_grants_for_a_closed_year_goes_back_too(running, two_years):
    """He applied while 2022 could be paid; the bureau speaks after its end, and finds him on its list."""
    late = two_years.late
    pay(running, Want(late, MEDICAL, levy_year=2022), Want(late, MEDICAL, levy_year=2023), key="both")
    running.write(
        lambda connection: connection.execute(
            text("insert into former_category values (2022, :p, 'RES_MEDICAL', 'DIBAO')"), {"p": late}
        )
    )
    number = ask_for(running.parts, late, MEDICAL, Kind.LATE_WAIVER, by="staff:desk", levy_year=2022)
    close_year(running.office, 2022, by="operator:test")

    assert [each.id for each in listed(running.parts)] == [number]
    determine.decide(running.office, number, determine.Ruling(True), by="staff:medical")

    asked = "select b.levy_year, r.amount, r.why from refund r join refund_bill using (household_id, number)"
    assert rows(running, f"{asked} join bill b on b.id = bill_id") == [(2022, 90000, "late_entitlement")]


def test_money_in_doubt_pays_no_year_that_was_paid_back_since(running, two_years):
    """It came while 2022 could be paid by itself; what was determined since pays that year."""
    late = two_years.late
    key, _ = other_amount(running, late, 30000, Want(late, MEDICAL, levy_year=2023))
    running.turn(datetime(2023, 1, 2, 9, tzinfo=BEIJING))
    number = ask_for(running.parts, late, PENSION, Kind.POLICY_BACKPAY, by="staff:desk", levy_year=2023)
    solve.propose(running.parts, key, [Want(late, PENSION, 30000, levy_year=2022)], by=CLERK)
    solve.withdraw(running.parts, key, by=CLERK)
    determine.decide(running.office, number, determine.Ruling(True, years=(2022,)), by="staff:bureau")

    with pytest.raises(solve.YearPaidBack):
        solve.propose(running.parts, key, [Want(late, PENSION, 30000, levy_year=2022)], by=CLERK)

    solve.propose(running.parts, key, [Want(late, PENSION, 30000, number, 2023)], by=CLERK)
    agreed_to(running, key, by=LEAD)
    assert settled(running, late) == [("RES_PENSION", 2023, 30000)] and told(running) == ["2022年养老补缴"]


def test_the_refund_desk_reads_the_item_of_the_year_that_goes_back(running, two_years):
    pay(running, Want(two_years.in_time, MEDICAL, levy_year=2023), key="2023")
    [former] = rows(running, "select number from payment where paid_at < '2022-10-01'")
    asked = apply(running.parts, former.number, by=DESK, why=Why.TWICE)

    def read():
        return [
            (each.title, "2022" in each.sheet.lines[0].clause_words, [line.amount for line in each.sheet.lines])
            for each in case(running.parts, asked.number).standing
        ]

    once = read()
    assert once == [("2022年居民医保", True, [32000, 58000]), ("2022年居民养老", False, [30000, 3000])]
    close_year(running.office, 2022, by="operator:test")
    running.parts.levy.look()
    assert read() == once


def test_who_decides_about_money_of_a_year_reads_that_years_register(running, two_years):
    """Also of a back-payment that was applied for in 2022, after its end."""
    late, year = two_years.late, {"levy_year": 2022}
    number = ask_for(running.parts, late, PENSION, Kind.POLICY_BACKPAY, by="staff:desk", levy_year=2022)
    determine.decide(running.office, number, determine.Ruling(True, years=(2019,)), by="staff:bureau")
    paid = pay(running, Want(late, MEDICAL, **year), Want(late, PENSION, 30000, number, **year), key="late")
    running.write(
        lambda connection: connection.execute(
            text("update enrolment set employee_insured = true where person_id = :p"), {"p": late}
        )
    )
    close_year(running.office, 2022, by="operator:test")

    found = case(running.parts, apply(running.parts, paid, by=CLERK).number)

    assert [(each.title, each.sheet.personal_due) for each in found.standing] == [
        ("2022年居民医保", 90000),
        ("2019年养老补缴", 30000),
    ]
    assert [each.register[2] for each in found.standing] == ["没有参加单位的医疗保险", "没有参加单位的养老保险"]
