"""The tables of a former levy year as an import of that year's file needs them: what the year owns is written beside
the register, what no year owns into it. Nothing of the newest year is touched."""

from typing import Any

import psycopg

from app.registry.register import PERSONS, TAKE_BACK, Changes, Register, columns

_ROWS = """
select * from unnest(%s::bigint[], %s::bigint[], %s::boolean[], %s::bytea[], %s::bytea[], %s::text[], %s::text[],
                     %s::text[], %s::date[], %s::boolean[], %s::boolean[], %s::date[], %s::bytea[], %s::text[],
                     %s::text[])
  as c (id, household_id, alive, digest, phone, residence, relation_to_head, family_type, spouse_birth, student,
        is_migrant, permit_to, parent_index, school, medical_years)
"""
# What the row does not say stays as that year has it; of whom it does not know, as the register has it.
_CHANGE_FORMER = f"""
with c as ({_ROWS})
insert into former_person
    (levy_year, person_id, residence, student, family_type, spouse_birth, permit_to, school, medical_years)
select {{year}}, c.id, c.residence, coalesce(c.student, was.student), coalesce(c.family_type, was.family_type),
       coalesce(c.spouse_birth, was.spouse_birth),
       case when c.residence like 'permit%%' then coalesce(c.permit_to, was.permit_to) end,
       coalesce(c.school, was.school), coalesce(c.medical_years::smallint[], was.medical_years)
  from c join person p on p.id = c.id
  left join former_person f on f.levy_year = {{year}} and f.person_id = c.id
  cross join lateral (
    select case when f.person_id is null then p.student else f.student end as student,
           case when f.person_id is null then p.family_type else f.family_type end as family_type,
           case when f.person_id is null then p.spouse_birth else f.spouse_birth end as spouse_birth,
           case when f.person_id is null then p.permit_to else f.permit_to end as permit_to,
           case when f.person_id is null then p.school else f.school end as school,
           case when f.person_id is null then p.medical_years else f.medical_years end as medical_years) was
on conflict (levy_year, person_id) do update set residence = excluded.residence, student = excluded.student,
  family_type = excluded.family_type, spouse_birth = excluded.spouse_birth, permit_to = excluded.permit_to,
  school = excluded.school, medical_years = excluded.medical_years
"""
# Who his parent is he has once for all; but whose permit counts for the newest year no file of a former one changes.
# After it the newest year's row of before says something new.
_CHANGE_EVERYBODYS = f"""
with c as ({_ROWS}), moved as (
  update enrolment e set household_id = c.household_id, digest = ''
  from c join person p on p.id = c.id
  where e.person_id = c.id and (e.household_id <> c.household_id or c.digest <> p.digest)
)
update person p set household_id = c.household_id, alive = c.alive, digest = c.digest,
  phone = coalesce(c.phone, p.phone), relation_to_head = coalesce(c.relation_to_head, p.relation_to_head),
  is_migrant = coalesce(c.is_migrant, p.is_migrant), parent_index = coalesce(p.parent_index, c.parent_index)
from c where p.id = c.id and (c.digest <> p.digest or c.alive <> p.alive)
"""
_CHANGE_ENROLMENTS = """
with c as (
  select * from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::boolean[], %s::boolean[], %s::bigint[],
                       %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    as c (person_id, insurance, household_id, digest, employee_insured, said_dead, last_tier, status, source_person_no,
          pay_from, pay_to, insured_elsewhere)
), heard as (  -- whom a bureau calls dead is dead in every year
  update enrolment e set said_dead = c.said_dead
  from c where e.person_id = c.person_id and e.insurance = c.insurance and e.said_dead <> c.said_dead
)
insert into former_enrolment
    (levy_year, person_id, insurance, status, last_tier, employee_insured, insured_elsewhere, digest)
select {year}, c.person_id, c.insurance, c.status, c.last_tier, c.employee_insured, c.insured_elsewhere, c.digest from c
on conflict (levy_year, person_id, insurance) do update set status = excluded.status, last_tier = excluded.last_tier,
  employee_insured = excluded.employee_insured, insured_elsewhere = excluded.insured_elsewhere, digest = excluded.digest
"""
_CLEAR = """
delete from former_category c using unnest(%s::bigint[], %s::text[]) as cleared (person_id, insurance)
where c.levy_year = {year} and c.person_id = cleared.person_id and c.insurance = cleared.insurance
"""


class FormerRegister(Register):
    """One former year's, over one connection that is inside a transaction: who is registered is so for that year."""

    def __init__(self, connection: psycopg.Connection[Any], year: int) -> None:
        """As `Register`. ImportUnderWay."""
        super().__init__(connection)
        self._year = year
        mine = f"e.levy_year = {year} and e.person_id = p.id"
        self.persons = PERSONS.format(enrolment="former_enrolment", mine=mine)

    def write(self, changes: Changes) -> None:
        """Put a batch of a FormerMerger in: what others point to first."""
        self.write_new(changes)
        if changes.changed_persons:
            people = columns(changes.changed_persons.values())
            self._ask(_CHANGE_FORMER.format(year=self._year), people)
            self._ask(_CHANGE_EVERYBODYS, people)
        if changes.changed_enrolments:
            self._ask(_CHANGE_ENROLMENTS.format(year=self._year), columns(changes.changed_enrolments))
        if changes.taken_back:
            self._ask(TAKE_BACK, columns(changes.taken_back))
        if changes.cleared:
            self._ask(_CLEAR.format(year=self._year), columns(changes.cleared))
        self._copy("copy former_category (levy_year, person_id, insurance, code)", changes.categories)
