-- After the season a list of each village hangs until a day of the year's rules (R42, R59): who is insured and who is not
-- yet, by masked names, and nothing else of anybody. Drawn by the office process from the rosters in force, the register and
-- settled bills as they stand in one snapshot; a second person agrees before it hangs. LX140: none of his · LX141: it stands
-- otherwise by now · LX142: he drew it · LX143: it stays · LX144: a drawing is under way · LX146: another poster's code ·
-- LX148: outside its days.
drop table if exists new_closing_row, new_closing_list;
create unlogged table new_closing_row (village_code text not null, insurance text not null, person_id bigint not null,
                                       own boolean not null, done boolean not null);
create unlogged table new_closing_list (closing_id bigint not null, person_id bigint not null, masked text, done boolean);

-- The digest of a version: every person, the name that hangs and where he stands, in the order of their ids.
create or replace function closing_digest(p_closing bigint, p_no int) returns bytea language sql stable
  security definer set search_path = public, pg_temp as $$
  select sha256(convert_to(coalesce(string_agg(person_id || '|' || masked || '|' || done::int, E'\n' order by person_id), ''),
                           'utf8'))
    from closing_row where closing_id = p_closing and no = p_no
$$;

-- The lists of these villages, held until the transaction ends; each gets its code and its days with its first drawing.
create or replace function closing_hold(
  p_year int, p_insurances text[], p_villages text[], p_starts timestamptz, p_ends timestamptz, p_now timestamptz
) returns bigint[] language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not pg_try_advisory_xact_lock(hashtext('rosters are drawn')) then
    raise exception 'another drawing is under way' using errcode = 'LX144';
  elsif p_now < p_starts or p_now >= p_ends then
    raise exception 'no list of % is drawn now', p_year using errcode = 'LX148';
  end if;
  insert into closing (village_code, insurance, levy_year, code, starts_at, ends_at, no)
    select v, i, p_year, upper(left(replace(gen_random_uuid()::text, '-', ''), 12)), p_starts, p_ends, 0
      from unnest(p_villages) v cross join unnest(p_insurances) i order by 1, 2
    on conflict (levy_year, insurance, village_code) do nothing;
  return (select coalesce(array_agg(id order by id), '{}') from (
            select id from closing
             where levy_year = p_year and insurance = any (p_insurances) and village_code = any (p_villages)
               and ends_at > p_now order by id for update) held);
end $$;

-- What was gathered becomes the next version of each list; of one that would say the same again, nothing. How many are new.
create or replace function closing_write(p_closings bigint[], p_by text, p_job bigint, p_now timestamptz) returns bigint
  language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  drawn bigint[];
begin
  truncate new_closing_list;
  analyze new_closing_row;
  analyze new_roster_name;
  insert into new_closing_list
    with mine as (
      select c.id, c.insurance, c.village_code, r.id as roster, r.effective_no
        from closing c left join roster r
          on (r.levy_year, r.insurance, r.village_code) = (c.levy_year, c.insurance, c.village_code)
         and r.effective_no is not null
       where c.id = any (p_closings)),
    base as (
      select m.id, m.insurance, m.village_code, w.person_id
        from mine m join roster_row w on w.roster_id = m.roster and w.no = m.effective_no
      union all
      select m.id, m.insurance, m.village_code, g.person_id
        from mine m join new_closing_row g on (g.village_code, g.insurance) = (m.village_code, m.insurance)
       where m.roster is null)
    select b.id, b.person_id, n.masked, case when g.own and n.masked is not null then g.done end
      from base b
      left join new_closing_row g on (g.village_code, g.insurance, g.person_id) = (b.village_code, b.insurance, b.person_id)
      left join new_roster_name n on n.person_id = b.person_id;
  analyze new_closing_list;
  with listed as (
    select closing_id, count(*) filter (where done) as done, count(*) filter (where not done) as owing,
           count(*) filter (where done is null) as excluded,
           sha256(convert_to(coalesce(string_agg(person_id || '|' || masked || '|' || done::int, E'\n' order by person_id)
                                        filter (where done is not null), ''), 'utf8')) as digest
      from new_closing_list group by closing_id),
  since as (
    select c.id, count(*) as people from closing c
      join new_closing_row g on (g.village_code, g.insurance) = (c.village_code, c.insurance) and g.own
      left join new_closing_list l on l.closing_id = c.id and l.person_id = g.person_id
     where c.id = any (p_closings) and l.person_id is null group by 1),
  made as (
    insert into closing_version (closing_id, no, roster_no, done, owing, excluded, beside, digest, drawn_by, drawn_at, job)
      select c.id, c.no + 1, r.effective_no, coalesce(l.done, 0), coalesce(l.owing, 0), coalesce(l.excluded, 0),
             coalesce(s.people, 0), coalesce(l.digest, sha256('')), p_by, p_now, p_job
        from closing c left join listed l on l.closing_id = c.id left join since s on s.id = c.id
        left join roster r on (r.levy_year, r.insurance, r.village_code) = (c.levy_year, c.insurance, c.village_code)
        left join closing_version v on v.closing_id = c.id and v.no = c.no
       where c.id = any (p_closings) and (c.no > 0 or l.closing_id is not null)
         and v.digest is distinct from coalesce(l.digest, sha256(''))
      returning closing_id)
  select coalesce(array_agg(closing_id), '{}') into drawn from made;
  insert into closing_row (closing_id, no, person_id, masked, done)
    select l.closing_id, c.no + 1, l.person_id, l.masked, l.done
      from new_closing_list l join closing c on c.id = l.closing_id
     where l.done is not null and l.closing_id = any (drawn) order by 1, 3;
  insert into closing_step (closing_id, no, what, by, at)
    select id, no + 1, 'DRAWN', p_by, p_now from closing where id = any (drawn) order by id;
  update closing set no = no + 1 where id = any (drawn);
  truncate new_closing_list, new_closing_row, new_roster_name;
  return cardinality(drawn);
end $$;

-- A second person of the tax branch has looked at these versions: from now on each is the one that hangs. All or none.
create or replace function officer_agrees_closings(
  p_session bytea, p_closings bigint[], p_nos int[], p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  held record;
begin
  if mine.role not in ('tax_clerk', 'tax_lead') then
    raise exception '% agrees to no list', mine.login using errcode = 'LX140';
  elsif (select count(*) from closing where id = any (p_closings)) < cardinality(p_closings) then
    raise exception 'no such list' using errcode = 'LX140';
  end if;
  for held in
    select c.*, asked.no as seen, v.drawn_by
      from unnest(p_closings, p_nos) asked (id, no) join closing c on c.id = asked.id
      join closing_version v on v.closing_id = c.id and v.no = c.no order by c.id for update of c
  loop
    if held.no <> held.seen or held.agreed_no is not distinct from held.no then
      raise exception 'list % has moved', held.id using errcode = 'LX141';
    elsif p_now >= held.ends_at then
      raise exception 'list % is over', held.id using errcode = 'LX148';
    elsif held.drawn_by = 'staff:' || mine.login then
      raise exception 'list % has his hand', held.id using errcode = 'LX142';
    end if;
    insert into closing_step (closing_id, no, what, by, at) values (held.id, held.no, 'AGREED', 'staff:' || mine.login, p_now);
    update closing set agreed_no = no where id = held.id;
  end loop;
  return cardinality(p_closings);
end $$;

-- It hangs: in the village, as its agent says with a photo and the code that he read on it; or in the town's hall, as
-- somebody of the town says.
create or replace function closing_hangs(
  p_session bytea, p_closing bigint, p_no int, p_code text, p_photo bytea, p_id bigint, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held closing;
  who text;
begin
  select * into held from closing where id = p_closing for update;
  who := near_village(p_session, held.village_code, p_at);
  if held.id is null or who is null then
    raise exception 'list % is none of his', p_closing using errcode = 'LX140';
  elsif held.agreed_no is distinct from p_no then
    raise exception 'list % has moved', p_closing using errcode = 'LX141';
  elsif p_now < held.starts_at or p_now >= held.ends_at then
    raise exception 'list % does not hang now', p_closing using errcode = 'LX148';
  elsif starts_with(who, 'agent:') and (p_code is distinct from held.code or p_photo is null) then
    raise exception 'another poster than that of list %', p_closing using errcode = 'LX146';
  end if;
  insert into closing_step (id, closing_id, no, what, by, at, place, photo) overriding system value
    values (p_id, held.id, p_no, 'HUNG', who, p_now, case when starts_with(who, 'agent:') then 'village' else 'hall' end,
            case when starts_with(who, 'agent:') then p_photo end)
    on conflict do nothing;
  if not found then
    raise exception 'list % hangs there', p_closing using errcode = 'LX141';
  end if;
end $$;

-- It was taken down when its days were over: in the village by its agent or somebody of the town, in the hall by the town.
create or replace function closing_is_taken_down(
  p_session bytea, p_closing bigint, p_place text, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held closing;
  who text;
begin
  select * into held from closing where id = p_closing for update;
  who := near_village(p_session, held.village_code, p_at);
  if held.id is null or who is null or p_place = 'hall' and starts_with(who, 'agent:') then
    raise exception 'list % is none of his', p_closing using errcode = 'LX140';
  elsif p_now < held.ends_at then
    raise exception 'list % hangs on', p_closing using errcode = 'LX148';
  end if;
  insert into closing_step (closing_id, no, what, by, at, place)
    select held.id, max(s.no), 'TAKEN_DOWN', who, p_now, p_place from closing_step s
     where s.closing_id = held.id and (s.what, s.place) = ('HUNG', p_place) having count(*) > 0
    on conflict do nothing;
  if not found then
    raise exception 'list % hangs there no more', p_closing using errcode = 'LX141';
  end if;
end $$;

-- A list moves by its steps only, and its days and code stay.
create or replace function closing_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' and new.no = 0 and new.agreed_no is null then
    return new;
  elsif tg_op = 'UPDATE' and to_jsonb(new) - array['no', 'agreed_no'] = to_jsonb(old) - array['no', 'agreed_no']
     and (new.no = old.no + 1 and new.agreed_no is not distinct from old.agreed_no
            and exists (select from closing_version v where (v.closing_id, v.no) = (new.id, new.no))
          or new.no = old.no and new.agreed_no = new.no
            and exists (select from closing_step s where (s.closing_id, s.no, s.what) = (new.id, new.no, 'AGREED'))) then
    return new;
  end if;
  raise exception 'list % may not be moved so', coalesce(old.id, new.id) using errcode = 'LX143';
end $$;

drop trigger if exists moves on closing;
create trigger moves before insert or update or delete on closing for each row execute function closing_moves();
drop trigger if exists never_emptied on closing;
create trigger never_emptied before truncate on closing for each statement execute function ledger_is_append_only();

drop trigger if exists stays on closing_version;
create trigger stays before update or delete on closing_version for each row execute function roster_stays();
drop trigger if exists never_emptied on closing_version;
create trigger never_emptied before truncate on closing_version for each statement execute function ledger_is_append_only();

drop trigger if exists stays on closing_row;
create trigger stays before update or delete on closing_row for each row execute function roster_stays();
drop trigger if exists never_emptied on closing_row;
create trigger never_emptied before truncate on closing_row for each statement execute function ledger_is_append_only();

-- Rows come only with the version that is being drawn: its number is not the list's yet.
create or replace function closing_rows_come_with_it() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from (select distinct closing_id, no from fresh) f
              where not exists (select from closing c join closing_version v on v.closing_id = c.id and v.no = c.no + 1
                                 where c.id = f.closing_id and v.no = f.no)) then
    raise exception 'a version of a list stays as it was drawn' using errcode = 'LX143';
  end if;
  return null;
end $$;

drop trigger if exists come_with_it on closing_row;
create trigger come_with_it after insert on closing_row referencing new table as fresh
  for each statement execute function closing_rows_come_with_it();

-- What was done stays, and is done in order: agreed to by another than who drew it, hung when agreed to and in its days,
-- taken down when they are over. The photo may be let go of.
create or replace function closing_step_stays() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' and (case new.what
       when 'DRAWN' then true
       when 'AGREED' then exists (
         select from closing_version v where (v.closing_id, v.no) = (new.closing_id, new.no) and v.drawn_by <> new."by")
       when 'HUNG' then exists (
         select from closing c where (c.id, c.agreed_no) = (new.closing_id, new.no)
                                 and new.at >= c.starts_at and new.at < c.ends_at)
       else exists (
         select from closing c join closing_step s on s.closing_id = c.id and (s.what, s.place) = ('HUNG', new.place)
          where c.id = new.closing_id and new.at >= c.ends_at) end) then
    return new;
  elsif tg_op = 'UPDATE' and to_jsonb(new) - 'photo' = to_jsonb(old) - 'photo'
     and (sealed_anew(old.photo, new.photo) or new.photo is null and owner_acts()) then
    return new;
  end if;
  raise exception 'what was done with a list stays' using errcode = 'LX143';
end $$;

drop trigger if exists stays on closing_step;
create trigger stays before insert or update or delete on closing_step for each row execute function closing_step_stays();
drop trigger if exists never_emptied on closing_step;
create trigger never_emptied before truncate on closing_step for each statement execute function ledger_is_append_only();

-- A town and an agent see the lists of their own places.
alter table closing enable row level security;
drop policy if exists places on closing;
create policy places on closing to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

alter table closing_version enable row level security;
drop policy if exists places on closing_version;
create policy places on closing_version to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from closing c where c.id = closing_id));

alter table closing_row enable row level security;
drop policy if exists places on closing_row;
create policy places on closing_row to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from closing c where c.id = closing_id));

alter table closing_step enable row level security;
drop policy if exists places on closing_step;
create policy places on closing_step to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from closing c where c.id = closing_id));
