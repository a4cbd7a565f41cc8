"""Replaying two years over the register gives what plain SQL gives, to the fen, in words that a clerk reads."""

from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.cli.people import load_district
from app.flows.due.replay import ReplayBroken, Replayed, replay
from app.flows.due.replay_book import REASONS
from app.flows.register.apply import apply
from app.policy.answer import Part, Reason
from app.policy.facts import Insurance
from app.policy.replay import TierBy, Total
from app.policy.year import load_year, load_year_file
from app.registry.determinations import Kind
from core.clock import utc_now
from payments.taking.settle import collect
from tests.app.policy.copies import dearer
from tests.builders import (
    NOON,
    a_bill,
    a_household,
    a_message,
    a_paid_word,
    a_person,
    a_started_payment,
    an_id_number,
)

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION

# Noon of 5 November 2021 once more, straight from the notice: who may pay, and each premium under both files (yuan).
EXPECTED = """
with codes as (
  select p.id, h.village_code, p.birth_date as born, p.sex, p.family_type, p.spouse_birth, p.alive, p.residence,
         p.student, m.status as m_status, m.employee_insured as m_employee, n.status as n_status,
         n.employee_insured as n_employee, n.last_tier / 100 as tier,
         coalesce(m.insured_elsewhere, '') || '|' || coalesce(n.insured_elsewhere, '') as away,
         array(select code from category c where c.person_id = p.id and c.insurance = 'RES_MEDICAL') as m,
         array(select code from category c where c.person_id = p.id and c.insurance = 'RES_PENSION') as n
    from person p join household h on h.id = p.household_id
    left join enrolment m on m.person_id = p.id and m.insurance = 'RES_MEDICAL'
    left join enrolment n on n.person_id = p.id and n.insurance = 'RES_PENSION'),
medical as (
  select village_code, 'RES_MEDICAL' as insurance, personal,
         case when m && '{TEKUN,WUBAO,ORPHAN,DFUC,DIBAO}' then 'civil' when m && '{POVERTY}' then 'rural'
              when m && '{DIS1,DIS2}' then 'cdpf' when m && :hsa then 'hsa'
              when born <= '1961-12-31' then 'health' else 'nobody' end as payer,
         case when m && '{TEKUN,WUBAO,ORPHAN,DFUC,DIBAO,POVERTY,DIS1,DIS2}' or m && :hsa then personal
              when born <= '1951-12-31' then personal
              when born <= '1961-12-31' then personal / 2 else 0 end as substitute,
         subsidy, 0 as bonus
    from codes, (select cast(:personal as int) as personal, cast(:subsidy as int) as subsidy) price
   where alive and residence <> 'nonlocal' and m_status = 'NORMAL' and not m_employee and away !~ 'medical_'),
wishes as (
  select *, n && '{DIS1,DIS2,POVERTY,DIBAO,WUBAO,TEKUN}' as paid_for,
         coalesce(tier, case when n && '{DIS1,DIS2,POVERTY,DIBAO,WUBAO,TEKUN}' then 100 else 300 end) as wish
    from codes
   where alive and residence <> 'nonlocal' and n_status = 'NORMAL' and not n_employee and not student
     and born <= '2005-11-05' and born > '1961-11-05' and away !~ 'pension'),
pension as (
  select village_code, 'RES_PENSION' as insurance, wish as personal, 'finance' as payer,
         case when paid_for then 100 else 0 end as substitute,
         case when wish >= 800 then cast(:band as int) when wish >= 500 then 60 else 30 end as subsidy,
         case when family_type <> 'none' and (case sex when 2 then born else spouse_birth end) <= '1971-12-31'
              then 300 else 0 end as bonus
    from wishes
   where wish in (300, 500, 600, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000)
      or (wish = 100 and n && '{DIS1,DIS2,DIS3,DIS4,WUBAO,TEKUN,DIBAO,YOUFU,POVERTY}'))
select village_code, insurance, payer, count(*), sum(personal - substitute), sum(substitute), sum(subsidy), sum(bonus)
  from (select * from medical union all select * from pension) both_insurances group by 1, 2, 3
"""
OLD = {"personal": 320, "subsidy": 580, "band": 80, "hsa": ["ILLNESS"]}
NEW = {"personal": 380, "subsidy": 520, "band": 90, "hsa": []}


@pytest.fixture
def changed(tmp_path):
    return dearer(tmp_path / "changed.toml")


def both(parts, changed: Path, **more) -> Replayed:
    return replay(parts, load_year(2022), load_year_file(changed), at=NOON, **more)


def by_sql(parts, figures) -> dict[tuple[str, str], dict]:
    """(village, insurance) → people, personal and budget lines in fen."""
    found: dict = {}
    with parts.engine.connect() as connection:
        rows = connection.execute(text(EXPECTED), figures).all()
    for village, insurance, payer, people, personal, substitute, subsidy, bonus in rows:
        place = found.setdefault((village, insurance), {"people": 0, "personal": 0, "budget": {}})
        place["people"] += people
        place["personal"] += int(personal) * 100
        for who, part, amount in (
            (payer, "gov_substitute", substitute),
            ("finance", "gov_subsidy", subsidy),
            ("finance", "couple_bonus", bonus),
        ):
            if amount:
                key = (who, part, insurance)
                place["budget"][key] = place["budget"].get(key, 0) + int(amount) * 100
    return found


def told(replayed: Replayed, when: int) -> dict[tuple[str, str], dict]:
    return {
        (village, str(insurance)): {
            "people": total.eligible[when],
            "personal": total.personal[when],
            "budget": {key: amount for key, amount in total.budget[when].items() if amount},
        }
        for village, totals in replayed.villages.items()
        for insurance, total in totals.items()
        if total.eligible[when]
    }


def adds_up(total: Total) -> bool:
    steps = total.more.amount - total.less.amount + total.joined.amount - total.left.amount
    heads = total.joined.people - total.left.people
    return (
        total.personal[1] - total.personal[0] == steps
        and total.eligible[1] - total.eligible[0] == heads
        and total.more.people + total.less.people + total.same.people + total.left.people == total.eligible[0]
        and sum(total.reasons.values()) == total.asked
    )


def test_every_total_of_a_district_equals_a_sum_in_sql(running, changed):
    load_district(running.office, 1500)
    seen: list[tuple[int, int]] = []

    replayed = both(running.parts, changed, progress=lambda done, about: seen.append((done, about)))

    assert told(replayed, 0) == by_sql(running.parts, OLD)
    assert told(replayed, 1) == by_sql(running.parts, NEW)
    assert replayed.people == 1500 and seen[-1] == (1500, 1500)
    assert all(adds_up(total) for totals in replayed.villages.values() for total in totals.values())
    towns = [totals for _, totals in replayed.towns().values()]
    assert sum(totals[MEDICAL].personal[1] for totals in towns) == replayed.whole()[MEDICAL].personal[1]


def ten_people(connection) -> None:
    house = a_household(connection)
    away = a_household(connection, village="370404100200")
    for place, (born, categories, columns) in enumerate(
        [
            ("1985-06-15", (), {}),
            ("1985-06-16", ("ILLNESS",), {}),
            ("1955-01-01", (), {}),
            ("1950-01-01", (), {}),
            ("1990-01-01", ("DIBAO",), {}),
            ("1991-01-01", ("YOUFU",), {}),
            ("1968-01-01", (), {"family_type": "only_child", "sex": 2}),
            ("1992-01-01", (), {"alive": False}),
            ("2015-01-01", (), {"student": True}),
            ("1993-01-01", (), {"residence": "nonlocal", "household_id": away}),
        ]
    ):
        a_person(
            connection,
            id_number=an_id_number(born=date.fromisoformat(born), sequence=2 * place + 1),
            household=house,
            categories=categories,
            **columns,
        )
    tiers = {"1985-06-15": 100000, "1985-06-16": 20000, "1991-01-01": 10000}
    for born, tier in tiers.items():
        connection.execute(
            text(
                "update enrolment set last_tier = :tier where insurance = 'RES_PENSION'"
                " and person_id = (select id from person where birth_date = :born)"
            ),
            {"tier": tier, "born": born},
        )


def test_ten_people_reckoned_by_hand(running, changed):
    running.write(ten_people)

    whole = both(running.parts, changed).whole()

    medical, pension = whole[MEDICAL], whole[PENSION]
    assert (medical.asked, dict(medical.eligible)) == (10, {0: 8, 1: 8})
    assert dict(medical.personal) == {0: (4 * 320 + 160) * 100, 1: (5 * 380 + 190) * 100}
    assert (medical.more.people, medical.more.amount) == (6, (4 * 60 + 380 + 30) * 100)
    assert (medical.less.people, medical.same.people, medical.loses, medical.gains) == (0, 2, 1, 0)
    assert medical.lost == {Part.GOV_SUBSTITUTE: 1}
    assert medical.budget[0]["hsa", Part.GOV_SUBSTITUTE, MEDICAL] == 32000
    assert medical.budget[1]["hsa", Part.GOV_SUBSTITUTE, MEDICAL] == 0
    assert medical.budget[1]["finance", Part.GOV_SUBSIDY, MEDICAL] == 8 * 52000
    assert medical.reasons[Reason.OK_WAIVED, Reason.OK] == 1
    assert (pension.asked, dict(pension.eligible)) == (10, {0: 4, 1: 4})
    assert dict(pension.personal) == {0: (1000 + 0 + 100 + 300) * 100, 1: (1000 + 0 + 100 + 300) * 100}
    assert pension.budget[0]["finance", Part.GOV_SUBSIDY, PENSION] == (80 + 30 + 30 + 30) * 100
    assert pension.budget[1]["finance", Part.GOV_SUBSIDY, PENSION] == (90 + 30 + 30 + 30) * 100
    assert pension.budget[0]["finance", Part.COUPLE_BONUS, PENSION] == 30000
    assert pension.tiers[0] == {TierBy.LAST: 2, TierBy.DEFAULT: 1, TierBy.LOWEST: 1}
    assert pension.reasons[Reason.TIER_ILLEGAL, Reason.TIER_ILLEGAL] == 1


def test_a_year_against_itself_changes_nobody(running):
    running.write(ten_people)

    whole = replay(running.parts, load_year(2022), load_year(2022), at=NOON, processes=1).whole()

    for total in whole.values():
        assert total.more.people == total.less.people == total.gains == total.loses == 0
        assert total.budget[0] == total.budget[1] and all(old is new for old, new in total.reasons)


def test_a_code_that_the_rules_do_not_know_ends_the_replay_instead_of_being_passed_over(running, changed):
    running.write(lambda connection: a_person(connection, categories=("DIS9",)))

    with pytest.raises(ReplayBroken):
        both(running.parts, changed, processes=1)


def test_a_bureaus_word_is_heard(running, changed):
    person = running.write(
        lambda c: a_person(c, id_number=an_id_number(born=date(2021, 9, 1)), insurances=("RES_MEDICAL",))
    )
    apply(running.parts, person, MEDICAL, Kind.NEWBORN, by="agent:1")

    replayed = both(running.parts, changed)

    counted = replayed.villages["370404103901"][MEDICAL].reasons
    assert dict(counted) == {(Reason.DETERMINATION_REQUIRED, Reason.DETERMINATION_REQUIRED): 1}


def test_every_reason_has_a_short_name_for_clerks():
    assert set(REASONS) == set(Reason) and len(set(REASONS.values())) == len(REASONS)


def test_one_process_or_three_give_the_same_sums(running, changed):
    running.write(ten_people)

    assert both(running.parts, changed, processes=1).villages == both(running.parts, changed, processes=3).villages


def test_the_command_prints_towns_and_writes_the_spreadsheet(running, changed, tmp_path):
    running.write(ten_people)
    out = tmp_path / "report.xlsx"
    words = ["policy", "replay", "--year", "2022", "--against", str(changed), "--at", "2021-11-05T12:00"]

    said = running.app.test_cli_runner().invoke(args=[*words, "--villages", "--out", str(out)])

    assert said.exit_code == 0, said.output
    assert all(word in said.output for word in ("榴园镇", "示例村", "全区", "OK_WAIVED", "财政补助", "上年档次 2 → 2"))
    book = CalamineWorkbook.from_path(str(out))
    assert book.sheet_names == ["汇总", "镇街", "村居", "预算", "原因变化"]
    head, *rows = book.get_sheet_by_name("镇街").to_python()
    (row,) = (dict(zip(head, row, strict=True)) for row in rows if row[0] == "370404103" and row[2] == "居民医保")
    assert (row["原个人合计（元）"], row["新个人合计（元）"], row["个人增减（元）"]) == (1440, 2090, 650)
    budget = book.get_sheet_by_name("预算").to_python()
    assert ["全区", "财政", "财政补助", "居民医保", 4640, 4160, -480] in budget


def test_a_replay_at_new_year_asks_both_rules_at_that_moment(running, changed):
    running.write(ten_people)
    words = ["policy", "replay", "--year", "2022", "--against", str(changed), "--at", "2022-01-01T00:00"]

    said = running.app.test_cli_runner().invoke(args=words)

    assert said.exit_code == 0 and "2022-01-01 00:00:00" in said.output
    assert "changed.toml" in said.output and "LATE_WAIVER_REVIEW" in said.output and "LATE_FULL_PRICE" in said.output


def test_who_has_paid_is_not_asked_again_and_who_only_has_a_bill_is(running, changed):
    running.write(ten_people)
    person = running.one("select id, household_id from person where birth_date = '1985-06-15'")

    def pay(connection):
        bill = a_bill(connection, household_id=person.household_id, person_id=person.id)
        return a_started_payment(connection, bill)

    attempt = running.write(pay)
    assert both(running.parts, changed).whole()[MEDICAL].reasons[Reason.ALREADY_PAID, Reason.ALREADY_PAID] == 0

    running.write(
        lambda connection: collect(
            connection, [a_message(a_paid_word(attempt))], now=NOON, booked_on=NOON.date(), wall=utc_now()
        )
    )
    whole = both(running.parts, changed).whole()

    assert whole[MEDICAL].reasons[Reason.ALREADY_PAID, Reason.ALREADY_PAID] == 1
    assert whole[MEDICAL].eligible[0] == 7 and whole[PENSION].eligible[0] == 4
