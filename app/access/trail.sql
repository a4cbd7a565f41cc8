-- What somebody past every guard changes is still missed: the register keeps a trail of its changes, and what is only
-- added to is counted and hashed day by day.

-- Old and new as digests under a key that only the owner reads: equal is equal, and nothing else can be read from them.
create or replace function trail_digest(p_key bytea, p_row jsonb) returns bytea language sql immutable as $$
  select sha256(p_key || sha256(p_key || convert_to(p_row::text, 'UTF8')))
$$;

create or replace function trail_name(p_row jsonb) returns text language sql immutable as $$
  select concat_ws('/', p_row->>'id', p_row->>'levy_year', p_row->>'person_id', p_row->>'insurance', p_row->>'code')
$$;

-- One row for each row of the register that one statement changed or removed: which columns, who, and for what cause (an
-- import's or a correction's transaction names itself). A new row of the register is no change. Always on.
create or replace function register_noted() returns trigger language plpgsql
  security definer set search_path = public, pg_temp
  set enable_hashjoin = on set enable_seqscan = on as $$
declare
  secret bytea := (select key from trail_key);
  who text := coalesce(nullif(current_setting('liangxian.actor', true), ''), 'role:' || session_user);
  why text := coalesce(current_setting('liangxian.cause', true), '');
begin
  if tg_op = 'UPDATE' then
    insert into register_change (of, key, columns, before, after, by, cause, at)
      select tg_table_name, coalesce(o.name, n.name), changed.columns, trail_digest(secret, o.row),
             trail_digest(secret, n.row), who, why, clock_timestamp()
        from (select to_jsonb(r) - 'digest' as row, trail_name(to_jsonb(r)) as name from old_rows r) o
        full join (select to_jsonb(r) - 'digest' as row, trail_name(to_jsonb(r)) as name from new_rows r) n
             on n.name = o.name
        cross join lateral (
          select coalesce(array_agg(key order by key), '{}') as columns
            from jsonb_each(coalesce(n.row, o.row)) each
           where o.row is null or n.row is null or each.value is distinct from o.row->each.key) changed
       where o.row is distinct from n.row;
  elsif tg_op = 'DELETE' then
    insert into register_change (of, key, columns, before, by, cause, at)
      select tg_table_name, trail_name(to_jsonb(r)), '{removed}', trail_digest(secret, to_jsonb(r)), who, why,
             clock_timestamp()
        from old_rows r;
  elsif tg_table_name = 'former_category' then  -- each, but for those that are set down when a year begins
    insert into register_change (of, key, columns, after, by, cause, at)
      select tg_table_name, trail_name(to_jsonb(r)), '{added}', trail_digest(secret, to_jsonb(r)), who, why,
             clock_timestamp()
        from new_rows r where not exists (select from levy_year y where y.xmin = pg_current_xact_id()::xid);
  else  -- a category of somebody who was there before: who comes with it comes in this very transaction
    insert into register_change (of, key, columns, after, by, cause, at)
      select tg_table_name, trail_name(to_jsonb(r)), '{added}', trail_digest(secret, to_jsonb(r)), who, why,
             clock_timestamp()
        from new_rows r join person p on p.id = r.person_id
       where p.xmin <> pg_current_xact_id()::xid;
  end if;
  return null;
end $$;

drop trigger if exists noted_update on household;
create trigger noted_update after update on household referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on household;
create trigger noted_delete after delete on household referencing old table as old_rows
  for each statement execute function register_noted();
alter table household enable always trigger noted_update, enable always trigger noted_delete;

drop trigger if exists noted_update on person;
create trigger noted_update after update on person referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on person;
create trigger noted_delete after delete on person referencing old table as old_rows
  for each statement execute function register_noted();
alter table person enable always trigger noted_update, enable always trigger noted_delete;

drop trigger if exists noted_update on enrolment;
create trigger noted_update after update on enrolment referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on enrolment;
create trigger noted_delete after delete on enrolment referencing old table as old_rows
  for each statement execute function register_noted();
alter table enrolment enable always trigger noted_update, enable always trigger noted_delete;

drop trigger if exists noted_update on category;
create trigger noted_update after update on category referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on category;
create trigger noted_delete after delete on category referencing old table as old_rows
  for each statement execute function register_noted();
alter table category enable always trigger noted_update, enable always trigger noted_delete;
drop trigger if exists noted_insert on category;
create trigger noted_insert after insert on category referencing new table as new_rows
  for each statement execute function register_noted();
alter table category enable always trigger noted_insert;

drop trigger if exists noted_update on helped_category;
create trigger noted_update after update on helped_category referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on helped_category;
create trigger noted_delete after delete on helped_category referencing old table as old_rows
  for each statement execute function register_noted();
alter table helped_category enable always trigger noted_update, enable always trigger noted_delete;
drop trigger if exists noted_insert on helped_category;
create trigger noted_insert after insert on helped_category referencing new table as new_rows
  for each statement execute function register_noted();
alter table helped_category enable always trigger noted_insert;

drop trigger if exists noted_update on police_word;
create trigger noted_update after update on police_word referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on police_word;
create trigger noted_delete after delete on police_word referencing old table as old_rows
  for each statement execute function register_noted();
alter table police_word enable always trigger noted_update, enable always trigger noted_delete;
drop trigger if exists noted_insert on police_word;
create trigger noted_insert after insert on police_word referencing new table as new_rows
  for each statement execute function register_noted();
alter table police_word enable always trigger noted_insert;

drop trigger if exists noted_update on paid_elsewhere;
create trigger noted_update after update on paid_elsewhere referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on paid_elsewhere;
create trigger noted_delete after delete on paid_elsewhere referencing old table as old_rows
  for each statement execute function register_noted();
alter table paid_elsewhere enable always trigger noted_update, enable always trigger noted_delete;
drop trigger if exists noted_insert on paid_elsewhere;
create trigger noted_insert after insert on paid_elsewhere referencing new table as new_rows
  for each statement execute function register_noted();
alter table paid_elsewhere enable always trigger noted_insert;

-- What the register said of a former levy year is changed no less.
drop trigger if exists noted_update on former_person;
create trigger noted_update after update on former_person referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on former_person;
create trigger noted_delete after delete on former_person referencing old table as old_rows
  for each statement execute function register_noted();
alter table former_person enable always trigger noted_update, enable always trigger noted_delete;

drop trigger if exists noted_update on former_enrolment;
create trigger noted_update after update on former_enrolment referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on former_enrolment;
create trigger noted_delete after delete on former_enrolment referencing old table as old_rows
  for each statement execute function register_noted();
alter table former_enrolment enable always trigger noted_update, enable always trigger noted_delete;

drop trigger if exists noted_update on former_category;
create trigger noted_update after update on former_category referencing old table as old_rows new table as new_rows
  for each statement execute function register_noted();
drop trigger if exists noted_delete on former_category;
create trigger noted_delete after delete on former_category referencing old table as old_rows
  for each statement execute function register_noted();
alter table former_category enable always trigger noted_update, enable always trigger noted_delete;
drop trigger if exists noted_insert on former_category;
create trigger noted_insert after insert on former_category referencing new table as new_rows
  for each statement execute function register_noted();
alter table former_category enable always trigger noted_insert;

drop trigger if exists append_only on register_change;
create trigger append_only before update or delete on register_change
  for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on register_change;
create trigger never_emptied before truncate on register_change
  for each statement execute function ledger_is_append_only();

-- What is only added to, by the Beijing day it was written on (system clock): how many rows, and a digest of them all.
create or replace function kept_rows(p_from date, p_until date)
returns table (of text, day date, rows bigint, digest bytea) language sql stable
  security definer set search_path = public, pg_temp as $$
  with line as (  -- the columns by name: a column that comes later changes no digest
    select 'received' as of, received_at as at,
           concat_ws('|', household_id, id, gateway, headers, encode(coalesce(whole, sha256(body)), 'hex'), event_id, number, verdict) as said
      from received
    union all
    select 'disclosure', at, concat_ws('|', id, by, what, coalesce(person_id::text, '-'), place, reason) from disclosure
    union all
    select 'act', at, concat_ws('|', id, what, by, about, words, network, way) from act
    union all
    select 'register_change', at,
           concat_ws('|', id, of, key, array_to_string(columns, ','), coalesce(encode(before, 'hex'), '-'),
                     coalesce(encode(after, 'hex'), '-'), by, cause)
      from register_change
  ), hashed as (
    select of, at, sha256(convert_to((extract(epoch from at) * 1000000)::bigint || '|' || said, 'UTF8')) as digest from line
  )
  select of, (at at time zone 'Asia/Shanghai')::date, count(*), sha256(string_agg(digest, ''::bytea order by digest))
    from hashed
   where at >= p_from::timestamp at time zone 'Asia/Shanghai'
     and at < (p_until + 1)::timestamp at time zone 'Asia/Shanghai'
   group by 1, 2
$$;

-- Keep the figures of the days before `p_until` that are not kept yet; how many. They are of at least an hour ago.
create or replace function keep_days(p_until date) returns int language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  kept int;
begin
  insert into kept_day (of, day, rows, digest)
    select * from kept_rows(coalesce((select max(day) + 1 from kept_day), '2000-01-01'), p_until - 1);
  get diagnostics kept = row_count;
  return kept;
end $$;

-- Days whose rows are no longer those that were kept.
create or replace function kept_day_broken() returns setof text language sql stable
  security definer set search_path = public, pg_temp as $$
  select concat_ws(' ', k.of, k.day, k.rows || ' / ' || coalesce(n.rows, 0))
    from kept_day k
    left join kept_rows((select min(day) from kept_day), (select max(day) from kept_day)) n on n.of = k.of and n.day = k.day
   where n.digest is distinct from k.digest
$$;

drop trigger if exists append_only on kept_day;
create trigger append_only before update or delete on kept_day for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on kept_day;
create trigger never_emptied before truncate on kept_day for each statement execute function ledger_is_append_only();

-- A correction of a name begins as a wish, is decided once, and stays (INV-81 believes it).
create or replace function correction_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.state = 'asked'
     or tg_op = 'UPDATE' and to_jsonb(new) - array['former', 'name'] = to_jsonb(old) - array['former', 'name']
        and (sealed_anew(old.former, new.former) and sealed_anew(old.name, new.name)
             or new.former = '' and new.name = '' and owner_acts()) then  -- retention.sql
    return new;
  elsif tg_op = 'UPDATE' and old.state = 'asked' and new.state <> 'asked'
     and to_jsonb(new) - array['state', 'decided_by', 'decided_at']
       = to_jsonb(old) - array['state', 'decided_by', 'decided_at'] then
    return new;
  end if;
  raise exception 'a correction is asked for and decided once' using errcode = 'LX082';
end $$;

drop trigger if exists moves on name_correction;
create trigger moves before insert or update or delete on name_correction
  for each row execute function correction_moves();
