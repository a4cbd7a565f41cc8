-- "Paid elsewhere", as an office found: by the office that answers the matter, in the name of whose live session it is.

-- It is found by a paper. The same again is the same. LX125: no such matter of his office, or not of this insurance.
create or replace function officer_finds_elsewhere(
  p_session bytea, p_matter bigint, p_year int, p_code text, p_proof text, p_again_on date, p_now timestamptz, p_at timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  said matter;
  of text;
  number bigint;
begin
  select * into said from matter where id = p_matter for share;
  of := case said.kind when 'PAID_ELSEWHERE_MEDICAL' then 'RES_MEDICAL' when 'PAID_ELSEWHERE_PENSION' then 'RES_PENSION' end;
  if of is null or said.office <> mine.role or exists (
       select from person p where p.id = said.person_id and p.restricted_at is not null) then
    raise exception 'matter % is none of %', p_matter, mine.login using errcode = 'LX125';
  end if;
  select nextval(pg_get_serial_sequence('paid_elsewhere', 'id')) into number;
  perform set_config('liangxian.cause', 'elsewhere:' || number, true);
  insert into paid_elsewhere (id, person_id, levy_year, insurance, code, matter_id, proof, by, at, again_on)
    overriding system value
    values (number, said.person_id, p_year, of, p_code, p_matter, p_proof, 'staff:' || mine.login, p_now, p_again_on)
    on conflict do nothing;
  if not found then
    select e.id into number from paid_elsewhere e
     where (e.person_id, e.levy_year, e.insurance) = (said.person_id, p_year, of) and e.back_at is null;
  end if;
  return number;
end $$;

-- The office that found it. LX125: it is another one's.
create or replace function elsewhere_of(p_session bytea, p_id bigint, p_at timestamptz) returns paid_elsewhere
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  held paid_elsewhere;
begin
  select * into held from paid_elsewhere where id = p_id for update;
  if held.id is null or mine.role <> (case held.insurance when 'RES_MEDICAL' then 'medical' else 'hrss' end) then
    raise exception 'finding % is none of %', p_id, mine.login using errcode = 'LX125';
  end if;
  perform set_config('liangxian.cause', 'elsewhere:' || p_id, true);
  return held;
end $$;

-- Asked once more before the season ends: it is still so. False: it was asked, or taken back.
create or replace function officer_asks_elsewhere_again(p_session bytea, p_id bigint, p_now timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held paid_elsewhere := elsewhere_of(p_session, p_id, p_at);
begin
  update paid_elsewhere set asked_by = officer_of(p_session, p_at), asked_at = p_now
   where id = held.id and asked_at is null and back_at is null;
  return found;
end $$;

-- It was not so, or is no more. False: it was taken back before.
create or replace function officer_takes_elsewhere_back(
  p_session bytea, p_id bigint, p_why text, p_now timestamptz, p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held paid_elsewhere := elsewhere_of(p_session, p_id, p_at);
begin
  update paid_elsewhere set back_by = officer_of(p_session, p_at), back_at = p_now, back_why = p_why
   where id = held.id and back_at is null;
  return found;
end $$;

-- What was found stays; it is asked again once, taken back once.
create or replace function elsewhere_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and num_nonnulls(new.asked_by, new.back_by) = 0
     or tg_op = 'UPDATE' and words_stay(old.proof, new.proof) and words_stay(old.back_why, new.back_why)
        and to_jsonb(new) - array['proof', 'back_why'] = to_jsonb(old) - array['proof', 'back_why']
     or tg_op = 'UPDATE' and old.back_at is null and (old.asked_at is null or new.asked_at = old.asked_at)
        and to_jsonb(new) - array['asked_by', 'asked_at', 'back_by', 'back_at', 'back_why']
          = to_jsonb(old) - array['asked_by', 'asked_at', 'back_by', 'back_at', 'back_why'] then
    return new;
  end if;
  raise exception 'what was found elsewhere is asked again once and taken back once' using errcode = 'LX126';
end $$;

drop trigger if exists moves on paid_elsewhere;
create trigger moves before insert or update or delete on paid_elsewhere for each row execute function elsewhere_moves();
drop trigger if exists never_emptied on paid_elsewhere;
create trigger never_emptied before truncate on paid_elsewhere for each statement execute function ledger_is_append_only();
