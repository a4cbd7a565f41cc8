-- Each of these people who live where the asker may see somebody, with all that the register, the bills and the bureaus
-- say, in the order of their ids: what is sealed for itself, the rest as one document, so that a reader who has read the
-- same before need not take it apart. In plpgsql, whose plans stay with the connection, and with the owner's eyes: each
-- table's own look at the place (scope.sql) cost more than all the rest, and one look at the household says the same.
-- A person's categories are the bureau's, and those that departments' lists gave for the year (decision 0051). Whom the
-- police call dead is dead, unless an office found that he is not (decision 0052). Who paid elsewhere is so by the
-- bureau's file, or because an office found it (paid_elsewhere). He is unhelped of whom a list's row failed and is open.
-- His pledges are those in force that may mean him, in the order of registration, and what his bill has of one already.
-- Said dead is of whom somebody told an office that he died, which has not answered.
-- Of each roster that is in force in his village it is said whether he is on it (decision 0059).
create or replace function person_facts(p_ids bigint[], p_years int[], p_former int[], p_places text)
  returns table (id bigint, name bytea, id_number bytea, phone bytea, restricted_at timestamptz, facts text)
  language plpgsql stable security definer rows 4
  set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  newest int := (select max(y) from unnest(p_years) y);  -- the register's categories are of that year (years.py)
begin
  return query
    select p.id, p.name, p.id_number, p.phone, p.restricted_at, jsonb_build_object(
             'household_id', p.household_id, 'village_code', h.village_code, 'village', v.name, 'town', t.name,
             'birth_date', p.birth_date, 'sex', p.sex, 'residence', p.residence,
             'alive', p.alive and not exists (select from police_word w
                        where w.person_id = p.id and w.code = 'DIED' and w.stands = 'counts'),
             'conflicts', (select jsonb_agg(jsonb_build_array(c.insurances, c.owner) order by c.id) from conflict c
                            where c.person_id = p.id and c.state = 'open'),
             'called_dead', (select jsonb_agg(jsonb_build_array(c.insurances, c.kind, c.owner) order by c.id) from conflict c
                              where c.person_id = p.id and c.state = 'open' and c.kind in ('ALIVE', 'BUREAUS')),
             'said_dead', exists (select from matter m where m.person_id = p.id and m.kind = 'DIED'
                                     and m.state in ('open', 'taken', 'reopened')),
             'student', p.student, 'school', p.school, 'medical_years', p.medical_years, 'is_migrant', p.is_migrant,
             'relation_to_head', p.relation_to_head, 'household_number', h.number, 'family_type', p.family_type,
             'spouse_birth', p.spouse_birth, 'parent_known', p.parent_index is not null,
             'permit_to', case when p.residence like 'permit%' then
                            permit_end(p.residence, p.permit_to, p.parent_index) end,
             'categories', array(select c.insurance || ':' || c.code from category c where c.person_id = p.id
                                 union
                                 select c.insurance || ':' || c.code from helped_category c
                                  where c.person_id = p.id and c.levy_year = newest),
             'rosters', (select jsonb_agg(jsonb_build_array(r.levy_year, r.insurance, exists (
                            select from roster_row w
                             where (w.roster_id, w.no, w.person_id) = (r.id, r.effective_no, p.id))) order by r.id)
                           from roster r where r.village_code = h.village_code and r.levy_year = any (p_years)
                            and r.effective_no is not null),
             'unhelped', (select jsonb_object_agg(r.insurance, r.code) from special_row r
                            join special_batch l on l.id = r.batch_id and l.levy_year = newest
                           where r.person_id = p.id and r.state in ('FED_BACK', 'PERSON_TOLD')),
             'enrolments', (select jsonb_object_agg(e.insurance, jsonb_build_array(e.status, e.employee_insured,
                                                                e.insured_elsewhere || coalesce(
                                 (select '|' || x.code from paid_elsewhere x where x.person_id = p.id and x.back_at is null
                                     and x.levy_year = newest and x.insurance = e.insurance), ''), e.last_tier))
                              from enrolment e where e.person_id = p.id),
             'bills', (select jsonb_agg(jsonb_build_object('insurance', b.insurance, 'determination', b.determination,
                                'id', b.id, 'levy_year', b.levy_year, 'years', b.years,
                                'household_id', b.household_id, 'state', b.state, 'tier', b.tier,
                                'level', b.level,
                                'personal_due', b.personal_due, 'settled_at', b.settled_at,
                                'settled_by', b.settled_by, 'reason_code', b.reason_code,
                                'benefit_start', b.benefit_start, 'raised_from', b.raised_from,
                                'going_back', case when b.insurance = 'RES_PENSION' and b.state = 'settled' then exists (
                                  select from refund_bill r where r.household_id = b.household_id
                                     and r.bill_id = b.id and r.live and r.replacement is null) end))
                         from bill b
                        where b.person_id = p.id and b.state not in ('withdrawn', 'refunded')
                          and (b.levy_year = any (p_years) or b.insurance = 'RES_MEDICAL' and b.state = 'settled')),
             'determinations', (select jsonb_agg(jsonb_build_object('id', d.id, 'insurance', d.insurance,
                                'kind', d.kind, 'state', d.state, 'levy_year', d.levy_year, 'amount', d.amount,
                                'years', d.years, 'benefit_start', d.benefit_start) order by d.id)
                         from determination d
                        where d.person_id = p.id and d.state <> 'withdrawn'
                          and (d.levy_year = any (p_years) or d.kind = 'enrolment_history')),
             'pledges', (select jsonb_agg(jsonb_build_array(g.id, g.levy_year, g.insurance, t.mode, t.value,
                                t.covers_late, s.shown, t.from_day, t.until_day, t.category, t.from_age, t.to_age,
                                own.amount, least(pledge_room(g), 1000000)) order by g.id)
                         from pledge g join pledge_terms t on t.pledge_id = g.id join sponsor s on s.id = t.sponsor_id
                         cross join lateral (
                           select coalesce(sum(h.amount), 0)::bigint as amount
                             from bill b join pledge_share h on h.household_id = b.household_id and h.bill_id = b.id
                            where b.person_id = p.id and b.levy_year = g.levy_year and b.insurance = g.insurance
                              and h.pledge_id = g.id and h.state in ('reserved', 'used')) own
                        where g.levy_year = any (p_years)
                          and (own.amount > 0 or g.state = 'agreed' and g.taken > 0 and (
                               t.named and exists (select from pledge_person n where n.pledge_id = g.id and n.person_id = p.id)
                               or not t.named and coalesce(t.village_code = h.village_code, true)))),
             'former', case when cardinality(p_former) > 0 then (
               select jsonb_object_agg(f.levy_year, jsonb_build_object('residence', f.residence,
                        'student', f.student, 'school', f.school, 'medical_years', f.medical_years,
                        'family_type', f.family_type, 'spouse_birth', f.spouse_birth,
                        'permit_to', former_permit_end(f.levy_year, f.residence, f.permit_to, p.parent_index),
                        'categories', array(select c.insurance || ':' || c.code from former_category c
                                             where c.person_id = p.id and c.levy_year = f.levy_year
                                            union
                                            select c.insurance || ':' || c.code from helped_category c
                                             where c.person_id = p.id and c.levy_year = f.levy_year),
                        'enrolments', (select jsonb_object_agg(e.insurance, jsonb_build_array(e.status,
                                                e.employee_insured, e.insured_elsewhere || coalesce(
                                           (select '|' || x.code from paid_elsewhere x where x.person_id = p.id
                                               and x.back_at is null and x.levy_year = f.levy_year
                                               and x.insurance = e.insurance), ''), e.last_tier))
                                         from former_enrolment e
                                        where e.person_id = p.id and e.levy_year = f.levy_year)))
                 from former_person f where f.person_id = p.id and f.levy_year = any (p_former)) end)::text
      from unnest(p_ids) with ordinality k (id, place)
      join person p on p.id = k.id
      join household h on h.id = p.household_id
      join village v on v.code = h.village_code
      join town t on t.code = v.town_code
     where p_places = '*' or h.village_code = any (string_to_array(p_places, ','))
        or left(h.village_code, 9) = any (string_to_array(p_places, ','))
     order by k.place;
end $$;
