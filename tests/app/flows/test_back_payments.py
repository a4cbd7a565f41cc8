"""A back-payment stands beside the year's premium: neither takes the other's place, price, money or paper."""

from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.documents.item import years_of
from app.flows.due.quote import NoSuchItem, all_due, subjects
from app.flows.pay.follow import follow
from app.flows.pay.start import Kind as PayBy
from app.flows.pay.start import NotPayable, Payer, SameItemTwice, Want, start_payment
from app.flows.prove.check import check
from app.flows.prove.papers import confirm, hand_out
from app.flows.refund import wish
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register import determine
from app.flows.register.apply import apply
from app.flows.register.determine import Ruling, YearStillOpen
from app.flows.register.open_year import open_year
from app.flows.village.people import villagers
from app.policy.facts import Insurance
from app.registry.determinations import MEDICAL_ONLY, Kind
from core.clock import BEIJING
from tests.app.flows.test_corrections import confirmed
from tests.app.flows.test_import_outside import BUREAU, a_file, take
from tests.app.registry.files import VILLAGE
from tests.builders import a_person, an_id_number
from tests.days import MORNING, differences
from tests.refunding import agree, balances, pay, rows, run_refunds

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
YES, NO = Ruling(True), Ruling(False, reason="不符合规定")
JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)


def asked(running, person, insurance, kind):
    return apply(running.parts, person, insurance, kind, by="staff:desk")


def determined(running, person, insurance, kind, ruling):
    number = asked(running, person, insurance, kind)
    determine.decide(running.office, number, ruling, by="staff:bureau")
    return number


def dues(running, person, **choices):
    [subject] = subjects(running.parts, [person])
    return all_due(running.parts, subject, at=running.parts.clocks.now(), **choices)


@pytest.fixture
def sibling(running, adult):
    """Another person of the same household."""
    home = running.one("select household_id from person where id = :p", p=adult).household_id
    number = an_id_number(sequence=9)
    return running.write(lambda connection: a_person(connection, id_number=number, household=home, name="张弟弟"))


@pytest.mark.parametrize("insurance", Insurance)
def test_an_open_application_leaves_the_years_premium_as_it_was(running, adult, sibling, insurance):
    """B3: past 31 December it was 900 instead of 320."""
    before = [each.quote for each in dues(running, adult, tiers={(2022, None): 30000})]

    number = asked(running, adult, insurance, Kind.POLICY_BACKPAY)

    *years_own, back = dues(running, adult, tiers={(2022, None): 30000})
    assert [each.quote for each in years_own] == before
    assert (back.insurance, back.determination, back.payable) == (insurance, number, False)
    assert len(dues(running, sibling)) == 2


@pytest.mark.parametrize("insurance", Insurance)
def test_the_years_premium_and_a_back_payment_are_paid_side_by_side(running, adult, sibling, insurance):
    """B3: paid, it said of 2022 that nothing was to be paid any more, and papers printed 2022."""
    number = determined(running, adult, insurance, Kind.POLICY_BACKPAY, Ruling(True, 150000, (2019, 2020, 2021)))
    tier = 30000 if insurance is PENSION else None

    first = pay(running, Want(adult, insurance, None, number))

    year, back = [each for each in dues(running, adult, tiers={(2022, None): 30000}) if each.insurance is insurance]
    assert (year.payable, year.settled, back.settled, bool(back.paid)) == (True, False, True, True)
    words = "养老" if insurance is PENSION else "医保"
    assert follow(running.parts, first).items[0].title == f"2019、2020、2021年{words}补缴"
    paper = confirm(running.parts, first)
    assert hand_out(running.parts, paper).startswith(b"%PDF")
    assert check(running.parts, paper.code, network="here").items[0].years == "2019、2020、2021"
    _, progress = villagers(running.parts, VILLAGE)
    assert [each.done for each in progress] == [0, 0]
    pay(running, Want(adult, insurance, tier), key="the year")
    assert {each.settled for each in dues(running, adult) if each.insurance is insurance} == {True}
    assert not any(each.settled for each in dues(running, sibling))
    assert rows(running, "select * from refund") == []


def test_one_payment_may_cover_both(running, adult):
    number = determined(running, adult, PENSION, Kind.POLICY_BACKPAY, Ruling(True, 150000, (2020,)))

    pay(running, Want(adult, PENSION, 30000), Want(adult, PENSION, None, number))

    assert rows(running, "select determination, personal_due, state from bill order by 2") == [
        (None, 30000, "settled"),
        (number, 150000, "settled"),
    ]
    assert balances(running)["clearing:wechat"] == 180000


def test_an_item_is_wanted_once_and_is_the_persons_own(running, adult, sibling):
    number = determined(running, adult, PENSION, Kind.POLICY_BACKPAY, Ruling(True, 150000, (2020,)))
    payer = Payer("resident", "self", "wechat", PayBy.NATIVE)
    back = Want(adult, PENSION, None, number)

    with pytest.raises(SameItemTwice):
        start_payment(running.parts, [back, back], payer, request_key="twice")
    with pytest.raises(NoSuchItem):
        start_payment(running.parts, [Want(sibling, PENSION, None, number)], payer, request_key="another's")
    with pytest.raises(NoSuchItem):
        start_payment(running.parts, [Want(adult, MEDICAL, None, number)], payer, request_key="other insurance")
    refused = determined(running, adult, PENSION, Kind.INTERRUPTED_BACKPAY, NO)
    with pytest.raises(NoSuchItem):
        start_payment(running.parts, [Want(adult, PENSION, None, refused)], payer, request_key="refused")
    assert rows(running, "select * from bill") == []


@pytest.mark.parametrize("insurance", Insurance)
def test_approving_a_back_payment_asks_nothing_back(running, adult, insurance):
    """B2: the premium that was paid went back, and with the medical one the year's cover."""
    tier = 300000 if insurance is PENSION else None
    pay(running, Want(adult, insurance, tier))
    before = rows(running, "select * from bill")

    determined(running, adult, insurance, Kind.INTERRUPTED_BACKPAY, Ruling(True, 28000, (2021,), date(2021, 12, 1)))

    assert ask_for_entitled(running.parts) == 0
    assert rows(running, "select * from refund") == [] and rows(running, "select * from bill") == before


def test_what_goes_back_of_a_back_payment_leaves_the_year(running, adult):
    number = determined(running, adult, PENSION, Kind.POLICY_BACKPAY, Ruling(True, 150000, (2020,)))
    pay(running, Want(adult, PENSION, 30000), Want(adult, PENSION, None, number))
    running.write(lambda c: c.execute(text("update payment set started_by = 'account:1'")))
    [subject] = subjects(running.parts, [adult])

    found = wish.refundable(running.parts, subject, PENSION, 2022, number, actor="account:1")
    asking = wish.ask(
        running.parts,
        subject,
        PENSION,
        "wrong_person",
        expected=found.amount,
        actor="account:1",
        request_key="back",
        levy_year=2022,
        determination=number,
    )
    agree(running.parts, asking.number)
    run_refunds(running, asking.number, "paid")

    assert found.title == "2020年养老补缴" and found.amount == 150000
    year, back = [each for each in dues(running, adult) if each.insurance is PENSION]
    assert (year.settled, back.settled, back.payable) == (True, False, True)


def test_a_later_word_of_another_kind_hides_no_earlier_one(running):
    """B4: a newborn's 320 became 900; an approved late waiver went back to review."""
    running.turn(datetime(2022, 3, 1, 10, tzinfo=BEIJING))
    number = an_id_number(born=date(2022, 2, 10))
    baby = running.write(lambda connection: a_person(connection, id_number=number))
    poor = running.write(lambda connection: a_person(connection, categories=("DIBAO",)))
    determined(running, baby, MEDICAL, Kind.NEWBORN, YES)
    determined(running, poor, MEDICAL, Kind.LATE_WAIVER, YES)

    for person in (baby, poor):
        for ruling in (NO, Ruling(True, 28000, (2021,)), None):
            number = asked(running, person, MEDICAL, Kind.POLICY_BACKPAY)
            if ruling:
                determine.decide(running.office, number, ruling, by="staff:bureau")
    asked(running, poor, MEDICAL, Kind.NEWBORN)

    assert [(q.reason_code, q.personal_due) for q in (dues(running, who)[0].quote for who in (baby, poor))] == [
        ("NEWBORN_OK", 32000),
        ("OK_WAIVED", 0),
    ]


def test_a_year_is_paid_back_only_when_its_own_premium_cannot_be_paid(running, adult):
    """B3: after 31 December 2022 the year itself is back-pay (D29), and is one item only."""
    number = asked(running, adult, PENSION, Kind.POLICY_BACKPAY)
    with pytest.raises(YearStillOpen):
        determine.decide(running.office, number, Ruling(True, years=(2021, 2022)), by="staff:bureau")
    running.turn(datetime(2023, 1, 2, 9, tzinfo=BEIJING))
    assert [each.quote.reason_code for each in dues(running, adult, tiers={(2022, None): 30000})][
        1
    ] == "DETERMINATION_REQUIRED"

    determine.decide(running.office, number, Ruling(True, years=(2021, 2022)), by="staff:bureau")

    medical, back = dues(running, adult, tiers={(2022, number): 30000})
    assert (medical.insurance, back.quote.personal_due, back.title) == (MEDICAL, 60000, "2021、2022年养老补缴")
    with pytest.raises(NotPayable):
        pay(running, Want(adult, PENSION, 30000))


def test_a_newborn_who_paid_the_full_price_gets_the_difference_though_benefits_began(running):
    """B6: approved after the benefit had begun, nothing came back (D28)."""
    running.turn(datetime(2022, 3, 1, 10, tzinfo=BEIJING))
    number = an_id_number(born=date(2022, 2, 10))
    baby = running.write(lambda connection: a_person(connection, id_number=number))
    other = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=11)))
    pay(running, Want(baby, MEDICAL))
    pay(running, Want(other, MEDICAL), key="other")
    running.turn(datetime(2022, 4, 20, 10, tzinfo=BEIJING))

    determined(running, baby, MEDICAL, Kind.NEWBORN, YES)

    [row] = rows(running, "select number, amount, why from refund")
    assert (row.amount, row.why) == (58000, "late_entitlement")
    agree(running.parts, row.number)
    run_refunds(running, row.number, "paid")
    bills = "select person_id, personal_due, benefit_start from bill where state = 'settled' order by 2"
    assert rows(running, bills) == [(baby, 32000, date(2022, 2, 10)), (other, 90000, date(2022, 4, 1))]


def test_the_bureau_confirms_each_of_both_by_its_amount(running, adult, sibling):
    """B3: two bills of one person and year settled at one moment, confirmed in any order, on two days."""
    number = determined(running, adult, MEDICAL, Kind.POLICY_BACKPAY, Ruling(True, 150000, (2020,)))
    pay(running, Want(adult, MEDICAL), Want(adult, MEDICAL, None, number), Want(sibling, MEDICAL))
    running.turn(MORNING)

    take(running, "bureau", a_file(BUREAU, confirmed("R1", 7, "320.00"), total="320.00"))
    assert [(kind, ours) for kind, _, ours, *_ in differences(running) if kind != "MISSING_IN_BANK"] == []
    lines = confirmed("R2", 9, "320.00"), confirmed("R3", 7, "1500.00")
    take(running, "bureau", a_file(BUREAU, *lines, total="1820.00"))

    assert differences(running) == []
    take(running, "bureau", a_file(BUREAU, confirmed("R4", 7, "1500.00"), total="1500.00"))
    assert [(kind, subject) for kind, subject, *_ in differences(running)] == [("DUPLICATE", "R4")]


def test_a_paper_says_the_years_it_was_paid_for():
    """B3: also one that was written before there were back-payments."""
    assert [years_of({"year": 2022}), years_of({"year": 2022, "back_years": None})] == [[2022], [2022]]
    assert [years_of({"year": 2022, "back_years": each}) for each in ([2021, 2019], [])] == [[2019, 2021], []]


class TestCover:
    """B2: whatever is said of somebody afterwards, what he paid for the year stays."""

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        acts=st.lists(
            st.one_of(
                st.tuples(
                    st.sampled_from([MEDICAL, PENSION]),
                    st.sampled_from(list(Kind)),
                    st.sampled_from([YES, NO, Ruling(True, 100, (2020,)), Ruling(True, 999900, (2021,))]),
                ),
                st.sampled_from(["DIBAO", "DIS1", "YOUFU", "none", "employed", "student"]),
            ),
            max_size=6,
        ),
        late=st.booleans(),
    )
    def test_no_word_no_list_and_no_file_takes_a_cover_away(self, running, acts, late):
        if late:
            running.turn(JANUARY)
        sequence = 11 + 2 * running.one("select count(*) from person")[0]
        who = running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=sequence)))
        pay(running, Want(who, MEDICAL), Want(who, PENSION, 30000), key=f"cover {sequence}")
        paid = {row.insurance: row.personal_due for row in self._cover(running, who)}

        for act in acts:
            self._do(running, who, act)
            ask_for_entitled(running.parts)
            for row in rows(running, "select number from refund where state = 'applied'"):
                agree(running.parts, row.number)

        cover = self._cover(running, who)
        assert sorted(row.insurance for row in cover) == sorted(paid)
        assert all(row.personal_due <= paid[row.insurance] for row in cover)

    def _cover(self, running, who):
        return rows(
            running,
            "select insurance, personal_due from bill where person_id = :p and state = 'settled'"
            " and determination is null and levy_year = 2022",
            p=who,
        )

    def _do(self, running, who, act):
        if isinstance(act, tuple):
            insurance, kind, ruling = act
            insurance = MEDICAL if kind in MEDICAL_ONLY else insurance
            backpay = kind not in MEDICAL_ONLY
            if kind is Kind.ENROLMENT_HISTORY and ruling.approved:
                ruling = Ruling(True, years=(2020,))
            elif ruling.approved and (backpay != (ruling.amount is not None)):
                return
            determined(running, who, insurance, kind, ruling)
        elif act == "none":
            running.write(lambda c: c.execute(text("delete from category where person_id = :p"), {"p": who}))
        elif act in ("employed", "student"):
            change = {"employed": "update enrolment set employee_insured = true where person_id = :p"}
            change["student"] = "update person set student = true where id = :p"
            running.write(lambda c: c.execute(text(change[act]), {"p": who}))
        else:
            add = "insert into category select :p, i, :c from unnest(array['RES_MEDICAL', 'RES_PENSION']) i"
            running.write(lambda c: c.execute(text(add + " on conflict do nothing"), {"p": who, "c": act}))


def test_a_year_of_two_is_not_paid_back_while_its_own_premium_can_be_paid(running, adult):
    """Applied for in 2023, for 2022: until its end 2022 is paid by itself, then by the back-payment alone."""
    running.turn(datetime(2022, 10, 20, 9, tzinfo=BEIJING))
    early = apply(running.parts, adult, PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    with pytest.raises(YearStillOpen):  # nor one that has not begun
        determine.decide(running.office, early, Ruling(True, years=(2021, 2023)), by="staff:bureau")
    open_year(running.office, 2023, by="operator:test")
    determine.decide(running.office, early, Ruling(False, reason="材料不全，重新申请"), by="staff:bureau")
    number = apply(running.parts, adult, PENSION, Kind.POLICY_BACKPAY, by="staff:desk", levy_year=2023)
    with pytest.raises(YearStillOpen):
        determine.decide(running.office, number, Ruling(True, years=(2022,)), by="staff:bureau")
    pensions = [each.levy_year for each in dues(running, adult) if each.key.startswith(PENSION)]
    assert pensions == [2023, 2023, 2022], "2022's own stands beside the application"

    running.turn(datetime(2023, 1, 2, 9, tzinfo=BEIJING))
    determine.decide(running.office, number, Ruling(True, years=(2022,)), by="staff:bureau")

    assert [each.levy_year for each in dues(running, adult) if each.key.startswith(PENSION)] == [2023, 2023]
