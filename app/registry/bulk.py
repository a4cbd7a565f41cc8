"""Everybody's facts in one stream, without names and numbers: for reckoning over the whole register in small memory."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

_BEGIN = "set local statement_timeout = 0; set local datestyle = iso"
_PEOPLE = """copy (
select {head},
       p.birth_date || '|' || p.sex || '|' || p.residence || '|'
           || (p.alive and dead.person_id is null)::int || '|' || p.student::int || '|'
           || p.family_type || '|' || coalesce(p.spouse_birth::text, '') || '|'
           || coalesce(pension.employee_insured, false)::int || '|' || coalesce(medical.employee_insured, false)::int
           || '|' || case when p.residence like 'permit%%' then
               coalesce(permit_end(p.residence, p.permit_to, p.parent_index)::text, '') || '|'
               || (p.parent_index is not null)::int else '|0' end || '|' || p.school,
       coalesce(pension.insured_elsewhere, '') || coalesce('|' || found.pension, ''),
       coalesce(medical.insured_elsewhere, '') || coalesce('|' || found.medical, ''),
       coalesce(pension.status, ''), coalesce(c.pension, ''), coalesce(pension.last_tier::text, ''),
       coalesce(paid.pension, ''), coalesce(word.pension, ''),
       coalesce(medical.status, ''), coalesce(c.medical, ''), coalesce(paid.medical, ''), coalesce(word.medical, ''),
       case when p.medical_years is null then '-'
            else array_to_string(p.medical_years || coalesce(had.years, '{{}}'), '|') end
  from person p
  join household h on h.id = p.household_id
  left join police_word dead on dead.person_id = p.id and dead.code = 'DIED' and dead.stands = 'counts'
  left join enrolment pension on pension.person_id = p.id and pension.insurance = 'RES_PENSION'
  left join enrolment medical on medical.person_id = p.id and medical.insurance = 'RES_MEDICAL'
  left join (select person_id, max(code) filter (where insurance = 'RES_PENSION') as pension,
                    max(code) filter (where insurance = 'RES_MEDICAL') as medical
               from paid_elsewhere
              where back_at is null and levy_year = (select max(year) from levy_year) and {own}
              group by person_id) found on found.person_id = p.id
  left join (select person_id,
                    string_agg(code, '|' order by code) filter (where insurance = 'RES_PENSION') as pension,
                    string_agg(code, '|' order by code) filter (where insurance = 'RES_MEDICAL') as medical
               from (select person_id, insurance, code from category
                     union select person_id, insurance, code from helped_category
                      where levy_year = (select max(year) from levy_year)) each
              where {own} group by person_id) c on c.person_id = p.id
  left join (select person_id,
                    string_agg(levy_year::text, '|') filter (where insurance = 'RES_PENSION') as pension,
                    string_agg(levy_year || coalesce(':' || level, ''), '|')
                      filter (where insurance = 'RES_MEDICAL') as medical
               from bill where state = 'settled' and determination is null and raised_from is null
                           and levy_year = any (%(years)s) and {own}
              group by person_id
            ) paid on paid.person_id = p.id
  left join (select person_id,
                    (jsonb_object_agg(kind, said) filter (where insurance = 'RES_PENSION'))::text as pension,
                    (jsonb_object_agg(kind, said) filter (where insurance = 'RES_MEDICAL'))::text as medical
               from (select distinct on (person_id, insurance, kind) person_id, insurance, kind,
                            jsonb_build_object('state', state, 'amount', amount, 'years', years,
                                               'benefit_start', benefit_start) as said
                       from determination
                      where levy_year = any (%(years)s) and state <> 'withdrawn' and {own}
                      order by person_id, insurance, kind, id desc) latest group by person_id
            ) word on word.person_id = p.id
  left join (select person_id, array_agg(year) as years
               from (select person_id, levy_year as year from bill
                      where insurance = 'RES_MEDICAL' and state = 'settled' and determination is null
                     union all select person_id, unnest(years) from bill
                      where insurance = 'RES_MEDICAL' and state = 'settled' and determination is not null
                     union all select person_id, unnest(years) from determination
                      where kind = 'enrolment_history' and state = 'approved') each
              where {own} group by person_id
            ) had on had.person_id = p.id
 where {which}
) to stdout"""
_OF_A_SHARE = _PEOPLE.format(head="h.village_code", which="p.household_id %% %(shares)s = %(share)s", own="true")
_OF_SOME = _PEOPLE.format(head="p.id", which="p.id = any (%(ids)s)", own="person_id = any (%(ids)s)")
# Their number is known; the statistics may be of when the tables were small. Row by row over what was gathered of
# thousands takes minutes then.
_BEGIN_SOME = (
    f"{_BEGIN}; set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_nestloop = off"
)


@dataclass(frozen=True, slots=True)
class Share:
    """One of several disjoint shares of the register, whole households each, seen at one moment.

    `snapshot` as `pg_export_snapshot()` names it, so that all shares see the same people."""

    number: int
    of: int
    snapshot: str | None = None


def people(
    connection: "psycopg.Connection[Any]", share: Share, levy_years: tuple[int, ...]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Every person of a share: village code, facts for the pension, facts for the medical insurance.

    The facts are bytes that `facts_of_line` reads: equal bytes are equal facts. Settled bills of
    the year's premium, with the medical insurance's level as 2022:2, and the latest determination of each
    kind of `levy_years` count. The connection must not be in a transaction; it is in one until the iterator ends."""
    with connection.transaction(), connection.cursor() as cursor:
        if share.snapshot:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute(f"set transaction snapshot '{share.snapshot}'")
        cursor.execute("set local liangxian.places = '*'")  # this connection is none of core/db.py's
        cursor.execute(_BEGIN)
        values = {"years": list(levy_years), "shares": share.of, "share": share.number}
        with cursor.copy(_OF_A_SHARE, values) as copy:
            yield from map(_lines, copy)


def some_people(
    connection: "psycopg.Connection[Any]", ids: Collection[int], levy_years: tuple[int, ...]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The same of these persons, with the id in place of the village, as the caller's transaction sees them; whom it
    does not see is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN_SOME)
        with cursor.copy(_OF_SOME, {"years": list(levy_years), "ids": list(ids)}) as copy:
            yield from map(_lines, copy)
        cursor.execute("set local enable_nestloop = on")


def _lines(row: Any) -> tuple[bytes, bytes, bytes]:
    head, common, elsewhere_p, elsewhere_m, *own = bytes(row).rstrip(b"\n").split(b"\t")
    shared = common + b"\t" + elsewhere_p + b"|" + elsewhere_m
    return head, b"\t".join((shared, *own[:5], b"-")), b"\t".join((shared, *own[5:7], b"", *own[7:]))
