-- What the police say stands beside the register; where that, the register and the bureaus cannot all be right, a conflict
-- is opened for the office that owns it, and while it is open no payment of those insurances begins (decision 0052).

-- Somebody's contradictions as the tables have them now (null: everybody's): of these kinds nothing else is remembered, so
-- that what does not contradict any more is found by asking again. `p_born_by`: the last birth date that pays nothing.
create or replace function contradictions(p_people bigint[], p_born_by date)
  returns table (person_id bigint, kind text, about text, insurances text[]) language sql stable
  security definer set search_path = public, pg_temp as $$
  with said as (
    select w.person_id, w.code, w.day, p.residence, p.birth_date, p.alive,
           array(select e.insurance from enrolment e
                  where e.person_id = p.id and e.status = 'NORMAL' order by 1) as active,
           bool_or(w.code = 'DIED') over (partition by w.person_id) as dead,
           w.code in ('MOVED_OUT', 'CANCELLED', 'MOVED_IN')
             and row_number() over (partition by w.person_id, w.code in ('MOVED_OUT', 'CANCELLED', 'MOVED_IN')
                                    order by coalesce(w.day, '-infinity') desc, w.at desc, w.code) = 1 as latest
      from police_word w join person p on p.id = w.person_id
     where w.stands = 'counts' and p.restricted_at is null and (p_people is null or w.person_id = any (p_people))
  )
  select person_id, 'ALIVE', coalesce(day::text, '-'), active from said
   where code = 'DIED' and alive and active <> '{}'
  union all
  select person_id, 'RESIDENCE', code || ' ' || coalesce(day::text, '-'), active from said
   where latest and alive and not dead and active <> '{}'
     and residence = case code when 'MOVED_IN' then 'nonlocal' else 'hukou' end
  union all
  select person_id, 'AGE', birth_date::text, '{RES_MEDICAL}' from said
   where code = 'EXEMPT' and alive and not dead and birth_date > p_born_by and 'RES_MEDICAL' = any (active)
$$;

-- The office that decides: the one of the kind, if the insurance is its own; else the other.
create or replace function conflict_owner(p_kind text, p_insurances text[]) returns text language sql immutable as $$
  select case when p_insurances @> case p_kind when 'ALIVE' then '{RES_PENSION}'::text[] else '{RES_MEDICAL}'::text[] end
              then case p_kind when 'ALIVE' then 'hrss' else 'medical' end
              else case p_insurances[1] when 'RES_PENSION' then 'hrss' else 'medical' end end
$$;

-- What these people's words and rows (null: everybody's) contradict is opened, once; what is open and contradicts no more
-- has ended by itself. How many were opened, by kind; `ended` under its own name. Called by the office's role.
create or replace function conflicts_looked(p_people bigint[], p_born_by date, p_cause text, p_now timestamptz, p_due_on date)
  returns table (kind text, number bigint) language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
    with opened as (
      insert into conflict (person_id, kind, about, insurances, owner, opened_by, opened_at, due_on)
        select c.person_id, c.kind, c.about, c.insurances, conflict_owner(c.kind, c.insurances), p_cause, p_now, p_due_on
          from contradictions(p_people, p_born_by) c order by c.person_id, c.kind
      on conflict do nothing returning kind)
    select o.kind, count(*) from opened o group by 1 order by 1;
  return query
    with over as (
      update conflict c set state = 'agreed', decided_by = p_cause, decided_at = p_now
       where c.state = 'open' and not exists (  -- erased: it waits, for he may come back
               select from person p where p.id = c.person_id and p.restricted_at is not null)
         and (p_people is null or c.person_id = any (p_people) or c.other_id = any (p_people))
         and not exists (select from contradictions(array[c.person_id], p_born_by) n
                          where (n.kind, n.about) = (c.kind, c.about))
         and (c.kind in ('ALIVE', 'RESIDENCE', 'AGE')
              or c.kind = 'BUREAUS' and exists (select from person p where p.id = c.person_id and p.alive)
              or c.kind = 'TWICE' and not exists (
                   select from enrolment mine join enrolment theirs using (insurance)
                     join person one on one.id = mine.person_id and one.alive
                     join person two on two.id = theirs.person_id and two.alive
                    where mine.person_id = c.person_id and theirs.person_id = c.other_id
                      and mine.status = 'NORMAL' and theirs.status = 'NORMAL'))
      returning 1)
    select 'ended'::text, count(*) from over having count(*) > 0;
end $$;

-- A contradiction that a file's rows show and no table remembers. False: it was said before. Called by the office's role.
create or replace function conflict_put(
  p_id bigint, p_person bigint, p_kind text, p_about text, p_insurances text[], p_owner text, p_name bytea, p_other bigint,
  p_cause text, p_now timestamptz, p_due_on date
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into conflict (id, person_id, kind, about, insurances, owner, name, other_id, opened_by, opened_at, due_on)
    overriding system value
    values (p_id, p_person, p_kind, p_about, p_insurances, p_owner, p_name, p_other, p_cause, p_now, p_due_on)
    on conflict do nothing;
  return found;
end $$;

-- What the police's file says of these people: how many words are new, others than before, the same. Called by the
-- office's role, in the transaction that writes the batch.
create or replace function police_put(p_batch bigint, p_people bigint[], p_codes text[], p_days date[], p_at timestamptz)
  returns table (added bigint, changed bigint) language sql security definer set search_path = public, pg_temp as $$
  with put as (
    insert into police_word as w (person_id, code, day, batch_id, at)
      select said.person_id, said.code, said.day, p_batch, p_at
        from unnest(p_people, p_codes, p_days) as said (person_id, code, day) order by 1, 2
    on conflict (person_id, code) do update
      set day = excluded.day, stands = 'counts', batch_id = excluded.batch_id, at = excluded.at
      where w.day is distinct from excluded.day
    returning xmax = 0 as fresh)
  select count(*) filter (where fresh), count(*) filter (where not fresh) from put
$$;

-- The bills of these dead that nobody is paying at this moment go; how many. Called by the office's role.
create or replace function police_withdraw(p_people bigint[]) returns bigint language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  gone bigint;
begin
  perform from person p where p.id = any (p_people) order by p.id for no key update;
  update bill b set state = 'withdrawn'
   where b.person_id = any (p_people) and b.state = 'open'
     and exists (select from police_word w where w.person_id = b.person_id and w.code = 'DIED' and w.stands = 'counts')
     and not exists (select from payment_bill pb join payment p using (household_id, number)
                      where pb.household_id = b.household_id and pb.bill_id = b.id
                        and p.state in ('created', 'pending', 'unknown', 'closing', 'left'));
  get diagnostics gone = row_count;
  return gone;
end $$;

-- The same of all the dead: whose bill was just being paid when the file came, and is not any more.
create or replace function withdraw_of_the_dead() returns bigint language sql
  security definer set search_path = public, pg_temp as $$
  select police_withdraw(array(
    select w.person_id from police_word w where w.code = 'DIED' and w.stands = 'counts'
       and exists (select from bill b where b.person_id = w.person_id and b.state = 'open')))
$$;

-- Decided by somebody of the office that owns it: whose word counts, and why. What else the police said, and a word that
-- no longer counts stood before, is looked at anew. False: it is over. LX122: another office's, or not to be decided so.
create or replace function officer_solves_conflict(
  p_session bytea, p_id bigint, p_word text, p_why text, p_born_by date, p_due_on date, p_now timestamptz, p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  held conflict;
begin
  select * into held from conflict where id = p_id for update;
  if held.id is null or held.owner <> mine.role or not p_word = any (
       case held.kind when 'ALIVE' then '{police,register}'::text[] when 'NAME' then '{other,register}'::text[]
                      else '{register}'::text[] end) then
    raise exception 'conflict % is not decided by %', p_id, mine.login using errcode = 'LX122';
  end if;
  if held.state <> 'open' then
    return false;
  end if;
  perform set_config('liangxian.cause', 'conflict:' || p_id, true);
  update conflict set state = 'solved', decided_by = 'staff:' || mine.login, decided_at = p_now, word = p_word, why = p_why
   where id = p_id;
  if p_word = 'register' and held.kind in ('ALIVE', 'RESIDENCE', 'AGE') then
    update police_word set stands = 'overruled'
     where person_id = held.person_id
       and code = case held.kind when 'ALIVE' then 'DIED' when 'AGE' then 'EXEMPT' else split_part(held.about, ' ', 1) end;
    perform conflicts_looked(array[held.person_id], p_born_by, 'conflict:' || p_id, p_now, p_due_on);
  end if;
  return true;
end $$;

-- It is opened once, decided once, and stays; only the other name and what was written of it go with its person.
create or replace function conflict_moves() returns trigger language plpgsql as $$
declare
  moving text[] := array['state', 'decided_by', 'decided_at', 'word', 'why', 'name'];
begin
  if tg_op = 'INSERT' and new.state = 'open'
     or tg_op = 'UPDATE' and to_jsonb(new) - moving = to_jsonb(old) - moving
        and (sealed_anew(old.name, new.name) or new.name is not distinct from old.name or new.name is null and owner_acts())
        and (old.state = 'open' or words_stay(old.why, new.why)
             and to_jsonb(new) - array['name', 'why'] = to_jsonb(old) - array['name', 'why']) then
    return new;
  end if;
  raise exception 'a conflict is decided once' using errcode = 'LX123';
end $$;

drop trigger if exists moves on conflict;
create trigger moves before insert or update or delete on conflict for each row execute function conflict_moves();
drop trigger if exists never_emptied on conflict;
create trigger never_emptied before truncate on conflict for each statement execute function ledger_is_append_only();

-- No payment begins of what offices do not agree on; what has begun goes on.
create or replace function payment_of_nobody_in_conflict() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from bill b join conflict c on c.person_id = b.person_id and c.state = 'open'
              where b.household_id = new.household_id and b.id = new.bill_id and b.insurance = any (c.insurances)) then
    raise exception 'offices contradict each other about the person of bill %', new.bill_id using errcode = 'LX124';
  end if;
  return new;
end $$;

drop trigger if exists of_nobody_in_conflict on payment_bill;
create trigger of_nobody_in_conflict before insert on payment_bill
  for each row execute function payment_of_nobody_in_conflict();

-- Nor is anything settled of which he pays nothing.
create or replace function free_of_nobody_in_conflict() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from conflict c
              where c.person_id = new.person_id and c.state = 'open' and new.insurance = any (c.insurances)) then
    raise exception 'offices contradict each other about the person of bill %', new.id using errcode = 'LX124';
  end if;
  return new;
end $$;

drop trigger if exists of_nobody_in_conflict on bill;
create trigger of_nobody_in_conflict before update of state on bill for each row
  when (old.state = 'open' and new.state = 'settled' and new.settled_by = 'bill:' || new.id || ':settled')
  execute function free_of_nobody_in_conflict();
