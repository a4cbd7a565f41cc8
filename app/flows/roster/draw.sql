-- Rosters are drawn up from the register as it stands in one snapshot (decision 0058): the names' masks come by COPY,
-- everything else is set-based. Called by the office's role, in one transaction; what an abandoned one left is thrown away.
drop table if exists new_roster_name, new_roster_row;
create unlogged table new_roster_name (person_id bigint not null, masked text not null, alike bigint not null);
create unlogged table new_roster_row (roster_id bigint not null, person_id bigint not null, reason text, masked text,
                                      alike bigint, born date, sex smallint, household_id bigint);

-- The digest of a version: every person and the name that may be posted, in the order of their ids.
create or replace function roster_digest(p_roster bigint, p_no int) returns bytea language sql stable
  security definer set search_path = public, pg_temp as $$
  select sha256(convert_to(coalesce(string_agg(person_id || '|' || masked, E'\n' order by person_id), ''), 'utf8'))
    from roster_row where roster_id = p_roster and no = p_no
$$;

-- The rosters of these villages (null: all) that may be drawn now, held until the transaction ends, and how many may not:
-- somebody is signing or posting those. What the first one of a year said of the medical bureau holds for all of it.
create or replace function roster_hold(p_year int, p_insurances text[], p_villages text[], p_medical boolean)
  returns table (rosters bigint[], busy bigint) language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare  -- what was in force in a former year stays so
  newest int := coalesce((select max(year) from levy_year), p_year);
  free text[] := array['GENERATED', 'SENT_BACK', 'AMENDING'] || case when p_year = newest then array['EFFECTIVE'] else '{}' end;
begin
  if not pg_try_advisory_xact_lock(hashtext('rosters are drawn')) then
    raise exception 'another drawing is under way' using errcode = 'LX144';
  end if;
  insert into roster (village_code, insurance, levy_year, medical, state, no)  -- of a former year no more than there are
    select v.code, i.insurance, p_year,
           coalesce((select bool_or(r.medical) from roster r where r.levy_year = p_year), p_medical), 'GENERATED', 0
      from village v cross join unnest(p_insurances) i (insurance)
     where (p_villages is null or v.code = any (p_villages)) and p_year = newest order by 1, 2
    on conflict (levy_year, insurance, village_code) do nothing;
  analyze roster;
  return query
    with asked as (
      select id from roster
       where levy_year = p_year and insurance = any (p_insurances) and (p_villages is null or village_code = any (p_villages))
         and state = any (free)
       order by id for update)
    select (select coalesce(array_agg(id), '{}') from asked),
           (select count(*) from roster
             where levy_year = p_year and insurance = any (p_insurances)
               and (p_villages is null or village_code = any (p_villages))
               and state <> all (free));
end $$;

-- Whom the police say is dead, and no office is still deciding whether it is so: until then he stays where he stood.
create or replace function said_dead() returns setof bigint language sql stable as $$
  select w.person_id from police_word w
   where w.code = 'DIED' and w.stands = 'counts'
     and not exists (select from conflict c where c.person_id = w.person_id and c.kind = 'ALIVE' and c.state = 'open')
$$;

-- Everybody who is registered for the insurances of these rosters, and why he is on none.
create or replace function roster_gather(p_rosters bigint[]) returns void language plpgsql
  security definer set search_path = public, pg_temp set enable_nestloop = off as $$
begin
  truncate new_roster_row;
  analyze new_roster_name;
  insert into new_roster_row
    with living as materialized (  -- joined in this order, whatever the statistics say
      select p.id, p.household_id, p.birth_date, p.sex, p.alive, p.restricted_at, h.village_code
        from person p join household h on h.id = p.household_id
       where h.village_code in (select r.village_code from roster r where r.id = any (p_rosters))),
    said as (  -- of a former year what the register said then
      select e.person_id, e.insurance, e.status from enrolment e
       where not exists (select from roster r where r.id = any (p_rosters) and r.levy_year < (select max(year) from levy_year))
      union all
      select f.person_id, f.insurance, f.status from former_enrolment f
       where f.levy_year = (select min(r.levy_year) from roster r where r.id = any (p_rosters))
         and f.levy_year < (select max(year) from levy_year)),
    registered as materialized (
      select l.*, e.insurance, e.status from living l join said e on e.person_id = l.id)
    select r.id, p.id,
           case when p.restricted_at is not null then 'RESTRICTED'
                when not p.alive or w.person_id is not null then 'DEAD'
                when p.status <> 'NORMAL' then 'ENDED' end,
           n.masked, n.alike, p.birth_date, p.sex, p.household_id
      from registered p
      join roster r on r.village_code = p.village_code and r.insurance = p.insurance and r.id = any (p_rosters)
      left join said_dead() w (person_id) on w.person_id = p.id
      left join new_roster_name n on n.person_id = p.id;
  analyze new_roster_row;
  if exists (select from new_roster_row where reason is null and masked is null) then
    raise exception 'a name is missing: the register changed within one snapshot' using errcode = 'LX143';
  end if;
end $$;

-- What was gathered becomes the next version of each roster; of one that would say the same again, nothing, unless it was
-- sent back. How many people the ones before had stands beside. How many are new.
create or replace function roster_write(p_rosters bigint[], p_by text, p_job bigint, p_today date, p_now timestamptz)
  returns bigint language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  drawn bigint[];
begin
  with listed as (
    select roster_id, count(*) as registered, count(*) filter (where reason is null) as people,
           jsonb_strip_nulls(jsonb_build_object(
             'DEAD', nullif(count(*) filter (where reason = 'DEAD'), 0),
             'ENDED', nullif(count(*) filter (where reason = 'ENDED'), 0),
             'RESTRICTED', nullif(count(*) filter (where reason = 'RESTRICTED'), 0))) as left_out,
           sha256(convert_to(coalesce(string_agg(person_id || '|' || masked, E'\n' order by person_id)
                                        filter (where reason is null), ''), 'utf8')) as digest
      from new_roster_row group by roster_id),
  enrolled as materialized (
    select h.village_code, f.insurance, f.levy_year, count(*) as people
      from former_enrolment f join person p on p.id = f.person_id join household h on h.id = p.household_id
     where f.status = 'NORMAL'
       and f.levy_year in (select r.levy_year - 1 from roster r where r.id = any (p_rosters)) group by 1, 2, 3),
  last_year as (
    select r.id, e.people from roster r join enrolled e
        on (e.village_code, e.insurance, e.levy_year) = (r.village_code, r.insurance, r.levy_year - 1)
     where r.id = any (p_rosters)),
  made as (
    insert into roster_version (roster_id, no, people, registered, left_out, before, digest, code, drawn_by, drawn_at, job)
      select r.id, r.no + 1, coalesce(l.people, 0), coalesce(l.registered, 0), coalesce(l.left_out, '{}'),
             coalesce(force.people, former.people, y.people), coalesce(l.digest, sha256('')),
             upper(left(replace(gen_random_uuid()::text, '-', ''), 12)), p_by, p_now, p_job
        from roster r left join listed l on l.roster_id = r.id
        left join roster_version v on v.roster_id = r.id and v.no = r.no
        left join roster_version force on force.roster_id = r.id and force.no = r.effective_no
        left join roster o on (o.levy_year, o.insurance, o.village_code) = (r.levy_year - 1, r.insurance, r.village_code)
        left join roster_version former on former.roster_id = o.id and former.no = o.effective_no
        left join last_year y on y.id = r.id
       where r.id = any (p_rosters)
         and (v.digest is distinct from coalesce(l.digest, sha256('')) or r.state = 'SENT_BACK')
      returning roster_id)
  select coalesce(array_agg(roster_id), '{}') into drawn from made;
  insert into roster_row (roster_id, no, person_id, masked)
    select g.roster_id, r.no + 1, g.person_id, g.masked
      from new_roster_row g join roster r on r.id = g.roster_id
     where g.reason is null and g.roster_id = any (drawn) order by 1, 3;
  perform roster_look(drawn, p_today);
  perform roster_differ(drawn);
  insert into roster_step (roster_id, no, what, by, at)
    select id, no + 1, 'GENERATED', p_by, p_now from roster where id = any (drawn) order by id;
  update roster set no = no + 1, state = case when state in ('AMENDING', 'EFFECTIVE') then 'AMENDING' else 'GENERATED' end
   where id = any (drawn);
  truncate new_roster_name, new_roster_row;
  return cardinality(drawn);
end $$;

-- What is odd about the versions that are being written.
create or replace function roster_look(p_drawn bigint[], p_today date) returns void language sql
  security definer set search_path = public, pg_temp set enable_nestloop = off as $$
  insert into roster_odd (roster_id, no, kind, person_id)
    with mine as (select g.*, r.no + 1 as no, r.insurance from new_roster_row g join roster r on r.id = g.roster_id
                   where g.reason is null),
    twice as (select insurance, alike, born, sex from mine group by 1, 2, 3, 4 having count(*) > 1),
    grown as (select h.household_id from (select distinct household_id from mine) h
               where exists (select from person p where p.household_id = h.household_id and p.alive
                                and p.birth_date <= p_today - interval '18 years'))
    select roster_id, no, 'OLD', person_id from mine
     where roster_id = any (p_drawn) and born <= p_today - interval '110 years'
    union all
    select roster_id, no, 'NO_ADULT', person_id from mine left join grown using (household_id)
     where roster_id = any (p_drawn) and grown.household_id is null
    union all
    select roster_id, no, 'TWINS', person_id from mine
     where roster_id = any (p_drawn)
       and person_id in (select c.person_id from conflict c where c.kind = 'NAME' and c.state = 'open')
    union all
    select roster_id, no, 'TWICE', person_id from mine left join twice using (insurance, alike, born, sex)
     where roster_id = any (p_drawn)
       and (twice.alike is not null
            or person_id in (select c.person_id from conflict c where c.kind = 'TWICE' and c.state = 'open'
                             union select c.other_id from conflict c where c.kind = 'TWICE' and c.state = 'open'))
$$;

-- Of those whose list hung before: who came, who went, and why.
create or replace function roster_differ(p_drawn bigint[]) returns void language sql
  security definer set search_path = public, pg_temp as $$
  with mine as (
    select r.id, r.no + 1 as no, r.insurance, r.village_code,
           greatest(r.effective_no, (select max(p.no) from roster_posting p where p.roster_id = r.id)) as base
      from roster r where r.id = any (p_drawn) and r.state in ('AMENDING', 'EFFECTIVE'))
  insert into roster_change (roster_id, no, person_id, what, why, masked)
    select m.id, m.no, w.person_id, 'added', 'REGISTERED', w.masked
      from mine m join roster_row w on (w.roster_id, w.no) = (m.id, m.no)
     where not exists (select from roster_row b where (b.roster_id, b.no, b.person_id) = (m.id, m.base, w.person_id))
    union all
    select m.id, m.no, b.person_id, 'removed',
           case when p.restricted_at is not null then 'RESTRICTED'
                when not p.alive or w.person_id is not null then 'DEAD'
                when h.village_code <> m.village_code then 'MOVED' else 'ENDED' end, b.masked
      from mine m join roster_row b on (b.roster_id, b.no) = (m.id, m.base)
      join person p on p.id = b.person_id join household h on h.id = p.household_id
      left join said_dead() w (person_id) on w.person_id = p.id
     where not exists (select from roster_row n where (n.roster_id, n.no, n.person_id) = (m.id, m.no, b.person_id))
$$;
