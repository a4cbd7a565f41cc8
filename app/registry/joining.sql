-- Whoever stands under a birth certificate comes to stand under his identity number (decision 0057): offered by a file,
-- asked for by one of a bureau, agreed to by another, each in the name of his live session. Where the register has somebody
-- under that number already, the two become one: one row goes on, the other ends.

create or replace function joining_moves() returns trigger language plpgsql as $$
declare
  steps text[] := array['state', 'proof', 'asked_by', 'asked_at', 'why', 'decided_by', 'decided_at', 'kept_id'];
  written text[] := array['number', 'name', 'proof', 'why'];
begin
  if tg_op = 'INSERT' and new.state in ('offered', 'asked')
     or tg_op = 'UPDATE' and to_jsonb(new) - steps - written = to_jsonb(old) - steps - written
        and (new.state = old.state and to_jsonb(new) - written = to_jsonb(old) - written
             or (old.state, new.state) in (('offered', 'asked'), ('offered', 'refused'), ('asked', 'done'),
                                           ('asked', 'refused'), ('asked', 'withdrawn')))
        and (new.state <> old.state or words_stay(old.proof, new.proof) and words_stay(old.why, new.why))
        and (sealed_anew(old.number, new.number) or new.number = '' and owner_acts())
        and (sealed_anew(old.name, new.name) or new.name = '' and owner_acts()) then
    return new;
  end if;
  raise exception 'a joining is asked for and decided once' using errcode = 'LX150';
end $$;

drop trigger if exists moves on joining;
create trigger moves before insert or update or delete on joining for each row execute function joining_moves();
drop trigger if exists never_emptied on joining;
create trigger never_emptied before truncate on joining for each statement execute function ledger_is_append_only();

-- Who of the two bureaus a live session belongs to. LX117: nobody of them, or behind an open glass.
create or replace function joining_officer(p_session bytea, p_at timestamptz) returns text language plpgsql stable
  security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if mine.role in ('hrss', 'medical') then
    return 'staff:' || mine.login;
  end if;
  raise exception '% joins nobody', mine.login using errcode = 'LX117';
end $$;

-- Somebody says that the number is his, by which paper: a new one, or what a file offered. LX150: he does not stand under a
-- certificate, or another one is open.
create or replace function joining_ask(
  p_session bytea, p_id bigint, p_person bigint, p_number bytea, p_index bytea, p_name bytea, p_birth date, p_sex int,
  p_proof text, p_on timestamptz, p_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := joining_officer(p_session, p_at);
begin
  update joining set state = 'asked', proof = p_proof, asked_by = who, asked_at = p_on
   where person_id = p_person and index = p_index and state = 'offered';
  if found then
    return;
  end if;
  if not exists (select from person where id = p_person and id_type = 'BIRTH_CERT' and restricted_at is null)
     or exists (select from joining where person_id = p_person and state in ('offered', 'asked')) then
    raise exception 'person % is not to be joined', p_person using errcode = 'LX150';
  end if;
  insert into joining (id, person_id, other_id, number, index, name, birth_date, sex, state, opened_by, opened_at, proof,
                       asked_by, asked_at) overriding system value
    values (p_id, p_person, (select o.id from person o where o.id_index = p_index and o.id <> p_person), p_number, p_index,
            p_name, p_birth, p_sex, 'asked', who, p_on, p_proof, who, p_on);
end $$;

-- A file brought somebody with a number who seems to be one under a certificate, or a child was registered who seems to
-- be one with a number: once for the two, in the transaction that did so.
create or replace function joining_offer(
  p_id bigint, p_person bigint, p_other bigint, p_number bytea, p_name bytea, p_cause text, p_on timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into joining (id, person_id, other_id, number, index, name, birth_date, sex, state, opened_by, opened_at)
    overriding system value
    select p_id, p_person, o.id, p_number, o.id_index, p_name, o.birth_date, o.sex, 'offered', p_cause, p_on
      from person o
     where o.id = p_other
       and not exists (select from joining j where j.person_id = p_person
                          and (j.state in ('offered', 'asked') or j.state = 'refused' and j.index = o.id_index));
  return found;
end $$;

-- It is not he, and why; or who asked takes it back (`p_why` null). False: it is over. LX118: he asked himself; LX117:
-- another asked.
create or replace function joining_end(p_session bytea, p_id bigint, p_why text, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := joining_officer(p_session, p_at);
  held joining;
begin
  select * into held from joining where id = p_id for update;
  if p_why is null and who is distinct from held.asked_by then
    raise exception '% did not ask for joining %', who, p_id using errcode = 'LX117';
  elsif p_why is not null and who = held.asked_by then
    raise exception '% asked for joining %', who, p_id using errcode = 'LX118';
  end if;
  update joining set state = case when p_why is null then 'withdrawn' else 'refused' end, why = p_why, decided_by = who,
         decided_at = p_on
   where id = p_id and (state = 'asked' or state = 'offered' and p_why is not null);
  return found;
end $$;

-- What forbids to unite two people at this moment, each by its number: what is under way, and what is bound to a row for
-- good.
create or replace function joining_hindrances(p_keep bigint, p_end bigint) returns table (what text, number text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select distinct 'payment', p.number
    from bill b join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id
    join payment p on p.household_id = pb.household_id and p.number = pb.number
   where b.person_id = p_end and p.state not in ('paid', 'surplus', 'closed', 'failed')
  union all
  select 'refund', r.number
    from bill b join refund_bill rb on rb.household_id = b.household_id and rb.bill_id = b.id and rb.live
    join refund r on r.household_id = rb.household_id and r.number = rb.number
   where b.person_id in (p_keep, p_end) and r.state not in ('paid', 'rejected')
  union all
  select 'suspense', s.number from suspense s
   where s.solved_at is null and exists (
     select from bill b where b.person_id = p_end and b.household_id = s.bills_household and b.id = any (s.bills))
  union all
  select 'correction', c.id::text from name_correction c where c.person_id in (p_keep, p_end) and c.state = 'asked'
  union all
  select 'determination', d.id::text from determination d
   where d.person_id = p_end
     and (d.state in ('applied', 'checking') or d.state = 'approved' and d.kind <> 'newborn')
  union all
  select 'matter', m.id::text from matter m where m.person_id = p_end and m.state in ('open', 'taken', 'reopened')
  union all
  select 'elsewhere', e.id::text from paid_elsewhere e where e.person_id = p_end and e.back_at is null
  union all
  select 'list', h.batch_id::text from helped_category h where h.person_id = p_end
  union all
  select 'pledge', n.pledge_id::text from pledge_person n where n.person_id = p_end
  union all
  select 'conflict', c.id::text from conflict c
   where c.state = 'open' and c.person_id in (p_keep, p_end)
     and not (c.kind = 'TWICE' and c.other_id in (p_keep, p_end))
  union all
  select 'newborn', n.id::text from newborn n where n.parent_id = p_end
  union all
  select 'restricted', p.id::text from person p where p.id in (p_keep, p_end) and p.restricted_at is not null
$$;

-- Which of two rows goes on: who stands under the certificate, unless only the other has paid. Of what both have paid one
-- comes back; null: each has paid what the other has not, and one of them must get it back first.
create or replace function joining_kept(p_person bigint, p_other bigint) returns bigint language sql stable
  security definer set search_path = public, pg_temp as $$
  with paid as (
    select person_id, array_agg(insurance || levy_year || coalesce(determination::text, '') || (raised_from is not null)) as items
      from bill where person_id in (p_person, p_other) and state = 'settled' group by 1)
  select case when o.items is null or o.items <@ coalesce(p.items, '{}') then p_person
              when p.items is null or p.items <@ o.items then p_other end
    from (select 1) one left join paid p on p.person_id = p_person left join paid o on o.person_id = p_other
$$;

-- Agreed to by another than who asked. `p_keep`: who goes on, for whom the rest is sealed. False: it is over. LX118: he
-- asked himself; LX151: somebody came under the number, or paid, meanwhile; LX152: something hinders; LX153: a file is
-- being brought in.
create or replace function joining_agree(
  p_session bytea, p_id bigint, p_keep bigint, p_number bytea, p_name bytea, p_certificate bytea, p_on timestamptz,
  p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := joining_officer(p_session, p_at);
  held joining;
  other bigint;
  ending bigint;
begin
  select * into held from joining where id = p_id for update;
  if who = held.asked_by then
    raise exception '% asked for joining %', who, p_id using errcode = 'LX118';
  end if;
  if held.state is distinct from 'asked' then
    return false;
  end if;
  if not pg_try_advisory_xact_lock(hashtext('registry import')) then
    raise exception 'a file is being brought in' using errcode = 'LX153';
  end if;
  select o.id into other from person o where o.id_index = held.index;
  perform meet_people(array_remove(array[held.person_id, other], null), true);
  perform from person where id in (held.person_id, other) order by id for no key update;
  if other is distinct from held.other_id
     or p_keep is distinct from (case when other is null then held.person_id else joining_kept(held.person_id, other) end)
     or not exists (select from person where id = held.person_id and id_type = 'BIRTH_CERT' and restricted_at is null) then
    raise exception 'joining % is another one now', p_id using errcode = 'LX151';
  end if;
  perform set_config('liangxian.cause', 'joining:' || p_id, true);
  update joining set state = 'done', decided_by = who, decided_at = p_on, kept_id = p_keep where id = p_id;
  if other is not null then
    ending := case p_keep when other then held.person_id else other end;
    if exists (select from joining_hindrances(p_keep, ending)) then
      raise exception 'something hinders joining %', p_id using errcode = 'LX152';
    end if;
    perform joining_unite(p_keep, ending, p_certificate, p_at);
  end if;
  update person
     set id_type = '01', id_number = p_number, id_index = held.index, name = p_name, birth_date = held.birth_date,
         sex = held.sex, digest = ''  -- the bureau's next row of him is looked at anew
   where id = p_keep;
  return true;
end $$;

-- What the register said of a row that ends in former years counts for the one that is kept, where nothing was said of
-- that one. A year that is still collected may be all that the other was registered for.
create or replace function former_years_go_on(p_keep bigint, p_end bigint) returns void language sql as $$
  insert into former_person (levy_year, person_id, residence, student, family_type, spouse_birth, permit_to, school, medical_years)
    select levy_year, p_keep, residence, student, family_type, spouse_birth, permit_to, school, medical_years
      from former_person where person_id = p_end on conflict do nothing;
  insert into former_enrolment (levy_year, person_id, insurance, status, last_tier, employee_insured, insured_elsewhere, digest)
    select levy_year, p_keep, insurance, status, last_tier, employee_insured, insured_elsewhere, ''
      from former_enrolment where person_id = p_end on conflict do nothing;
  insert into former_category (levy_year, person_id, insurance, code)
    select levy_year, p_keep, insurance, code from former_category where person_id = p_end on conflict do nothing;
  update former_enrolment set status = 'ENDED', digest = '' where person_id = p_end;
$$;

-- What of a row that ends goes on at the one that is kept. Bills stay where they were booked: open ones are withdrawn,
-- settled ones come back (app/flows/newborn/join.py asks for it in this very transaction).
create or replace function joining_unite(p_keep bigint, p_end bigint, p_certificate bytea, p_at timestamptz) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  word determination;
  fresh bigint;
begin
  for word in select * from determination d  -- the newborn's price is the child's, whichever row goes on
               where d.person_id = p_end and d.kind = 'newborn' and d.state = 'approved' and not exists (
                 select from determination k where k.person_id = p_keep and k.kind = 'newborn' and k.levy_year = d.levy_year
                    and k.state in ('applied', 'checking', 'approved')) loop
    insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at)
      values (p_keep, word.insurance, word.levy_year, word.kind, word.requested_by, word.applied_at) returning id into fresh;
    update determination set state = 'checking', checked_by = word.checked_by, checked_at = word.checked_at where id = fresh;
    update determination set state = 'approved', benefit_start = word.benefit_start, decided_by = word.decided_by,
           decided_at = word.decided_at where id = fresh;
  end loop;
  update bill set state = 'withdrawn' where person_id = p_end and state = 'open';
  update conflict set state = 'agreed', decided_by = current_setting('liangxian.cause'), decided_at = p_at
   where state = 'open' and kind = 'TWICE' and person_id in (p_keep, p_end) and other_id in (p_keep, p_end);
  insert into resident_person (account_id, person_id, own, since)
    select account_id, p_keep, own, since from resident_person where person_id = p_end on conflict do nothing;
  delete from resident_person where person_id = p_end;
  delete from barred where person_id = p_end;
  update resident_account set holder = p_keep where holder = p_end;
  update session s set known = (
           select jsonb_object_agg(k, case when v = to_jsonb(p_end) then to_jsonb(p_keep) else v end)
             from jsonb_each(s.known) each (k, v)
            where v <> to_jsonb(p_end) or not exists (select from jsonb_each(s.known) o where o.value = to_jsonb(p_keep)))
   where exists (select from jsonb_each(s.known) each (k, v) where v = to_jsonb(p_end));
  insert into police_word (person_id, code, day, stands, batch_id, at)
    select p_keep, code, day, stands, batch_id, at from police_word where person_id = p_end on conflict do nothing;
  insert into enrolment (person_id, insurance, household_id, source_person_no, status, pay_from, pay_to, last_tier,
                         employee_insured, insured_elsewhere, said_dead, digest)
    select p_keep, insurance, k.household_id, source_person_no, status, pay_from, pay_to, last_tier, employee_insured,
           insured_elsewhere, said_dead, ''
      from enrolment e, person k where e.person_id = p_end and k.id = p_keep on conflict do nothing;
  insert into category (person_id, insurance, code)
    select p_keep, insurance, code from category where person_id = p_end on conflict do nothing;
  update enrolment set status = 'ENDED', digest = '' where person_id = p_end;
  perform former_years_go_on(p_keep, p_end);
  if exists (select from birth_certificate where person_id = p_end) then
    update birth_certificate set person_id = p_keep, number = p_certificate where person_id = p_end;
  end if;
  update person
     set id_type = '01', id_index = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
         id_number = '', name = '', phone = null, digest = '', restricted_at = p_at
   where id = p_end;
end $$;
