"""One count for agents, offices and lists, held against another sum: by person, where he lives, never past 100 %."""

import csv
import io
from datetime import date, datetime, time
from random import Random

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.conflicts.bring_police import bring_police
from app.flows.due.coverage import one_by_one
from app.flows.due.facts import facts_of
from app.flows.due.quote import subjects
from app.flows.offices import people as desk_people
from app.flows.offices.progress import progress, progress_file, to_do_file, totals
from app.flows.pay.start import Want
from app.flows.register import determine
from app.flows.register.apply import apply
from app.flows.register.determine import Ruling
from app.flows.village.people import villagers
from app.policy.days import birthday, born_by
from app.policy.facts import Insurance
from app.policy.quote import exclusion
from app.registry.determinations import Kind
from core.clock import BEIJING
from tests.app.flows.test_police import a_list
from tests.app.registry.files import VILLAGE, a_csv, a_row, taken_in
from tests.builders import a_household, a_person, a_village, an_id_number
from tests.refunding import pay, rows, start

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
OFFICER = Officer(1, "li", b"", Role.TAX_CLERK, session=b"desk")


@pytest.fixture
def neighbours(running, tmp_path):
    """Three people of three households, by id."""
    running.write(a_village)
    cells = [a_row(n, household_no=f"000{n}", name=f"张示{name}") for n, name in ((1, "甲"), (3, "乙"), (5, "丙"))]
    taken_in(running.office, a_csv(tmp_path / "a.csv", *cells))
    people = "select p.id from person p join household h on h.id = p.household_id order by h.number"
    return [row.id for row in rows(running, people)]


def summed(running, village):
    """The same by hand: (due, done) an insurance, from the rules' own order of reasons and the bills."""
    ids = [row.id for row in rows(running, "select id from person order by id")]
    people = [each for each in subjects(running.parts, ids) if each.village_code == village and each.alive]
    found = {}
    for insurance in Insurance:
        own = [
            person.standing[insurance].bill is not None and person.standing[insurance].bill["state"] == "settled"
            for person in people
            if person.standing[insurance].registered
            and exclusion(running.parts.rules, facts_of(person, insurance), running.parts.clocks.today()) is None
        ]
        found[insurance] = len(own), sum(own)
    return found


def counted(running, village=VILLAGE):
    found = dict.fromkeys(Insurance, (0, 0))
    own = [row for row in progress(running.parts, OFFICER) if row.village_code == village]
    found |= {Insurance(row.insurance): (row.due, row.done) for row in own}
    agents = villagers(running.parts, village)[1]
    assert [(each.of, each.done) for each in agents] == [found[MEDICAL], found[PENSION]]
    return found


def at_his_desk(connection):
    """The officer's account and session: a list that is taken away is noted in its name."""
    connection.execute(
        text(
            "insert into staff (id, login, name, role, password_hash) overriding system value"
            " values (1, 'li', '', 'tax_clerk', '') on conflict do nothing"
        )
    )
    connection.execute(
        text(
            "insert into session (token_hash, staff_id, expires_at, ends_at)"
            " values ('desk', 1, now() + interval '1 hour', now() + interval '1 hour') on conflict do nothing"
        )
    )


def columns(row):
    return row.paid, row.free, row.left, row.doubted, row.excluded


def to_do(running, village=VILLAGE):
    running.write(at_his_desk)
    made = to_do_file(running.parts, OFFICER, village, "csv", reason="上门告诉还没办的人")
    return [line[0] for line in csv.reader(io.StringIO(made.decode("utf-8-sig"))) if line and line[0].startswith("000")]


def test_who_paid_and_was_excluded_later_is_counted_nowhere(running, neighbours, tmp_path):
    """B7: the rate was 200 %."""
    for place, person in enumerate(neighbours[:2]):
        pay(running, Want(person, MEDICAL), key=f"payer {place}")
    change = {"change_type": "UPDATE", "employee_insured": "是"}
    gone = {"change_type": "UPDATE", "insured_elsewhere": "市外医保"}

    taken_in(
        running.office,
        a_csv(
            tmp_path / "b.csv",
            a_row(1, household_no="0001", name="张示甲", **change),
            a_row(3, household_no="0003", name="张示乙", **gone),
        ),
    )

    [row] = progress(running.parts, OFFICER)
    assert (row.due, row.paid, row.excluded, row.left, row.rate, row.week) == (1, 0, 2, 1, "0.0%", 0)
    assert counted(running) == summed(running, VILLAGE) and to_do(running) == ["0005"]


def test_who_moved_is_counted_where_he_lives_now(running, neighbours, tmp_path):
    """B7: he was lost from progress and dossier."""
    other = "370404103902"
    running.write(lambda connection: a_village(connection, other, "邻家村"))
    paid = pay(running, Want(neighbours[0], MEDICAL))

    moved = a_row(1, name="张示甲", village_code=other, household_no="0009", change_type="UPDATE")
    taken_in(running.office, a_csv(tmp_path / "b.csv", moved))

    found = {row.village_code: (row.due, row.done) for row in progress(running.parts, OFFICER)}
    assert found == {VILLAGE: (2, 0), other: (1, 1)}
    dossier = desk_people.dossier(running.parts, OFFICER, neighbours[0])
    assert [each.number for each, *_ in dossier.payments] == [paid]
    assert [each.kind for each in dossier.notices] == ["paid"]
    stayed = desk_people.dossier(running.parts, OFFICER, neighbours[1])
    assert (stayed.payments, stayed.notices) == ([], [])
    assert to_do(running) == ["0003", "0005"] and to_do(running, other) == []


def test_a_back_payment_is_no_cover_of_the_year(running, neighbours):
    """B3: it was counted as the year's premium."""
    number = apply(running.parts, neighbours[0], MEDICAL, Kind.POLICY_BACKPAY, by="staff:desk")
    determine.decide(running.office, number, Ruling(True, 28000, (2021,)), by="staff:hsa")
    pay(running, Want(neighbours[0], MEDICAL, None, number))

    assert counted(running)[MEDICAL] == (3, 0) and len(to_do(running)) == 3


@pytest.mark.parametrize("day", [date(2021, 11, 5), date(2022, 2, 28), date(2022, 3, 1)])
def test_everybody_is_counted_as_the_rules_would(running, day):
    """B7: compared with a sum of its own, over everything that leaves somebody out, at the edges of every age."""
    running.write(a_village)
    births = [
        date(2006, 2, 28),
        date(2006, 3, 1),
        date(1962, 2, 28),
        date(1962, 3, 1),
        date(2004, 2, 29),
        date(2020, 1, 1),
    ]
    spoilt = [
        "",
        "update person set alive = false where id = :p",
        "update person set student = true where id = :p",
        "update person set residence = 'nonlocal' where id = :p",
        "update person set residence = 'permit', permit_to = '2021-11-04' where id = :p",
        "update person set residence = 'permit', permit_to = '2023-01-31' where id = :p",
        "update person set residence = 'permit_child' where id = :p",
        "update person set residence = 'permit_child', parent_index = 'gone' where id = :p",
        "update person set residence = 'permit_child', parent_index = 'gone', permit_to = '2023-01-31' where id = :p",
        "update enrolment set status = 'PAUSED' where person_id = :p",
        "update enrolment set employee_insured = true where person_id = :p and insurance = 'RES_PENSION'",
        "update enrolment set insured_elsewhere = 'pension_elsewhere|medical_inside_zz' where person_id = :p"
        " and insurance = 'RES_MEDICAL'",
        "update enrolment set insured_elsewhere = 'drawing_pension' where person_id = :p and insurance = 'RES_PENSION'",
    ]
    home = running.write(a_household)
    sequence = 101
    for born in births:
        for change in spoilt:
            number, sequence = an_id_number(born=born, sequence=sequence), sequence + 2
            person = running.write(lambda connection, n=number: a_person(connection, id_number=n, household=home))
            if change:
                running.write(lambda connection, c=change, p=person: connection.execute(text(c), {"p": p}))
    running.turn(datetime.combine(day, time(10), BEIJING))

    assert counted(running) == summed(running, VILLAGE)
    assert all(row.due >= row.done for row in totals(progress(running.parts, OFFICER)))


@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_is_in_exactly_one_column_and_the_columns_are_all(running, tmp_path, seed):
    """Whatever is disputed of whom, whatever is done: on the page, in its file, in the agent's sentence."""
    chance, other = Random(seed), "370404103902"
    running.write(lambda connection: a_village(connection, other, "邻家村"))
    homes = [running.write(lambda c, v=v: a_household(c, village=v)) for v in (VILLAGE, other)]
    born = [1990, 1990, 1990, 1945, *(chance.choice([1945, 1958, 1990, 2012]) for _ in range(20))]
    people = [(an_id_number(born=date(y, 5, 1), sequence=1 + 2 * n), chance.choice(homes)) for n, y in enumerate(born)]
    both = ("RES_PENSION", "RES_MEDICAL")
    ids = [
        running.write(lambda c, n=n, h=h, i=i: a_person(c, id_number=n, household=h, insurances=i))
        for (n, h), i in zip(people, [both, *chance.choices([both, both, both[1:]], k=len(people) - 1)], strict=True)
    ]
    for person in ids[:3]:
        pay(running, Want(person, MEDICAL), key=f"payer {person}")
    assert start(running, Want(ids[3], MEDICAL), key="the elder").number is None, "who pays nothing is done at once"
    for person in ids:
        for statement in chance.sample(_HAPPENS, chance.randrange(4)):
            running.write(lambda c, s=statement, p=person: c.execute(text(s), {"p": p}))
    dead = [("张示例", number, "死亡", "2021-10-20") for number, _ in chance.sample(people, 5)]
    bring_police(running.office, a_list(tmp_path / "police.xlsx", *dead))

    registered = rows(running, _REGISTERED)
    found = progress(running.parts, OFFICER)

    assert any(row.doubted for row in found), "a seed in which nobody is disputed proves nothing"
    for row in [*found, *totals(found)]:
        assert sum(columns(row)) == row.everybody and min(columns(row)) >= 0 and row.due == sum(columns(row)[:3])
    counted_ones = {(row.village_code, str(row.insurance)): row.everybody for row in found}
    assert counted_ones == {(row.village_code, row.insurance): row.people for row in registered}
    query, asked = one_by_one(running.parts)
    ones = [(row.person, row.insurance, row.own, row.doubted) for row in rows(running, query, **asked)]
    assert len({each[:2] for each in ones}) == len(ones) == sum(row.people for row in registered)
    assert not any(own and doubted for *_, own, doubted in ones)
    head, *lines = csv.reader(io.StringIO(progress_file(running.parts, OFFICER, "csv").decode("utf-8-sig")))
    for line in lines[: len(found)]:
        said = dict(zip(head, line, strict=False))
        parts = ("已缴费", "不用交已办好", "还没办", "登记正在核对", "不在这里交")
        assert sum(int(said[each]) for each in parts) == int(said["登记人数"])
    for village in (VILLAGE, other):
        of_it = {row.insurance: row.doubted for row in found if row.village_code == village}
        assert {MEDICAL: villagers(running.parts, village)[1][0].doubted} == {MEDICAL: of_it.get(MEDICAL, 0)}


_HAPPENS = [
    "update person set alive = false where id = :p",
    "update person set student = true where id = :p",
    "update person set residence = 'nonlocal' where id = :p",
    "update enrolment set status = 'PAUSED' where person_id = :p and insurance = 'RES_PENSION'",
    "update enrolment set employee_insured = true where person_id = :p",
    *(
        "select conflict_put(nextval(pg_get_serial_sequence('conflict', 'id')), :p,"
        f" '{kind}', 'x', '{{{insurance}}}', 'medical', null, null, 'import:00', now(), '2021-11-12')"
        for kind, insurance in (("NAME", "RES_MEDICAL"), ("BUREAUS", "RES_PENSION"), ("TWICE", "RES_MEDICAL"))
    ),
]
_REGISTERED = """
select h.village_code, e.insurance, count(*) as people
  from person p join household h on h.id = p.household_id join enrolment e on e.person_id = p.id
 where p.alive and not exists (select from police_word w where w.person_id = p.id and w.code = 'DIED')
    or exists (select from conflict c
                where c.person_id = p.id and c.state = 'open' and e.insurance = any (c.insurances))
 group by 1, 2
"""


def test_who_is_born_by_a_day_has_the_age():
    days = [date(2022, 2, 28), date(2022, 3, 1), date(2024, 2, 29), date(2021, 12, 31)]
    births = [date(year, month, day) for year in (2003, 2004, 2006, 2008) for month, day in ((2, 28), (3, 1), (12, 31))]
    births.append(date(2004, 2, 29))

    for day in days:
        for born in births:
            for age in (14, 16, 18):
                assert (born <= born_by(day, age)) == (birthday(born, age) <= day)
