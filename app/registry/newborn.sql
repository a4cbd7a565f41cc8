-- A child that has no number yet: applied for by its parent, an agent or a counter, registered under its birth certificate
-- by the medical bureau. An application of the web begins it; every step after that is these functions', in the name of
-- whoever's live session it is.

-- It moves only so, and what it is about never changes; what was written is let go of by the owner.
create or replace function newborn_moves() returns trigger language plpgsql as $$
declare
  steps text[] := array['state', 'checked_by', 'checked_at', 'reason', 'decided_by', 'decided_at', 'withdrawn_by',
                        'withdrawn_at', 'person_id', 'kept_from'];
  written text[] := array['certificate', 'name', 'picture', 'reason'];
begin
  if tg_op = 'INSERT' then
    if new.state <> 'applied' or num_nonnulls(new.checked_by, new.decided_by, new.reason, new.withdrawn_by, new.person_id) > 0 then
      raise exception 'a newborn begins as an application' using errcode = 'LX150';
    end if;
    return new;
  end if;
  if tg_op = 'UPDATE' and to_jsonb(new) - steps - written = to_jsonb(old) - steps - written
     and (new.state = old.state and to_jsonb(new) - written = to_jsonb(old) - written
          or (old.state, new.state) in (('applied', 'checking'), ('applied', 'withdrawn'), ('checking', 'registered'),
                                        ('checking', 'rejected')))
     and (new.state <> old.state or words_stay(old.reason, new.reason))
     and (sealed_anew(old.certificate, new.certificate) or new.certificate = '' and owner_acts())
     and (sealed_anew(old.name, new.name) or new.name = '' and owner_acts())
     and (sealed_anew(old.picture, new.picture) or new.picture is null and owner_acts()) then
    return new;
  end if;
  raise exception 'newborn % may not be changed so', old.id using errcode = 'LX150';
end $$;

drop trigger if exists moves on newborn;
create trigger moves before insert or update or delete on newborn for each row execute function newborn_moves();
drop trigger if exists never_emptied on newborn;
create trigger never_emptied before truncate on newborn for each statement execute function ledger_is_append_only();

-- A certificate stays its person's; it goes with his name.
create or replace function certificate_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.at = old.at
     and (new.index = old.index and (new.person_id = old.person_id and sealed_anew(old.number, new.number)
                                     or new.person_id <> old.person_id and owner_acts())  -- two rows became one
          or new.person_id = old.person_id and new.number = '' and owner_acts()) then
    return new;
  end if;
  raise exception 'the certificate of person % stays', old.person_id using errcode = 'LX150';
end $$;

drop trigger if exists stays on birth_certificate;
create trigger stays before update or delete on birth_certificate for each row execute function certificate_stays();
drop trigger if exists never_emptied on birth_certificate;
create trigger never_emptied before truncate on birth_certificate
  for each statement execute function ledger_is_append_only();

-- The medical bureau has it in hand. False: it has it already, or it is over. LX117: of another office; LX118: he applied
-- for it himself.
create or replace function check_newborn(p_session bytea, p_id bigint, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held newborn;
  who text := bureau_of(p_session, 'RES_MEDICAL', p_at);
begin
  select * into held from newborn where id = p_id for update;
  if who = held.requested_by then
    raise exception '% applied for newborn %', who, p_id using errcode = 'LX118';
  end if;
  update newborn set state = 'checking', checked_by = who, checked_at = p_on where id = p_id and state = 'applied';
  return found;
end $$;

create or replace function reject_newborn(p_session bytea, p_id bigint, p_reason text, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform check_newborn(p_session, p_id, p_on, p_at);
  update newborn
     set state = 'rejected', reason = p_reason, decided_by = officer_of(p_session, p_at), decided_at = p_on, kept_from = p_at
   where id = p_id and state = 'checking';
  return found;
end $$;

-- The child is a person of his parent's household, enrolled for medical, also in former years (`p_years`) that are still
-- collected; the accounts that speak for the parent, and the one that applied, have him in their family. `p_person`: a
-- fresh id, which `p_number`, `p_name` and `p_certificate` are sealed for. False: it is over.
create or replace function register_newborn(
  p_session bytea, p_id bigint, p_person bigint, p_number bytea, p_name bytea, p_certificate bytea, p_years int[],
  p_on timestamptz, p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held newborn;
  parent person;
begin
  perform check_newborn(p_session, p_id, p_on, p_at);
  select * into held from newborn where id = p_id for update;
  if held.state is distinct from 'checking' then
    return false;
  end if;
  select * into parent from person where id = held.parent_id for share;
  insert into person (id, household_id, id_type, id_number, id_index, name, birth_date, sex, residence, permit_to,
                      parent_index, digest) overriding system value
    values (p_person, parent.household_id, 'BIRTH_CERT', p_number, held.index, p_name, held.birth_date, held.sex,
            case when parent.residence like 'permit%' then 'permit_child' else 'hukou' end,
            case when parent.residence like 'permit%' then parent.permit_to end,
            case parent.residence when 'permit' then parent.id_index when 'permit_child' then parent.parent_index end, '');
  insert into birth_certificate (person_id, number, index, at) values (p_person, p_certificate, held.index, p_at);
  insert into enrolment (person_id, insurance, household_id, digest)
    values (p_person, 'RES_MEDICAL', parent.household_id, '');
  insert into former_person (levy_year, person_id, residence, student, family_type, permit_to, school)
    select y.year, c.id, c.residence, c.student, c.family_type, c.permit_to, c.school
      from person c, levy_year y
     where c.id = p_person and y.year = any (p_years) and y.closed_at is null
       and y.year < (select max(year) from levy_year);
  insert into former_enrolment (levy_year, person_id, insurance, status, employee_insured, insured_elsewhere, digest)
    select f.levy_year, e.person_id, e.insurance, e.status, e.employee_insured, e.insured_elsewhere, e.digest
      from former_person f join enrolment e using (person_id) where f.person_id = p_person;
  update newborn
     set state = 'registered', person_id = p_person, decided_by = officer_of(p_session, p_at), decided_at = p_on,
         kept_from = p_at
   where id = p_id;
  insert into resident_person (account_id, person_id, own, since)
    select a.id, p_person, false, p_at from resident_account a
     where held.requested_by = 'account:' || a.id
        or exists (select from resident_person r where r.account_id = a.id and r.person_id = held.parent_id and r.own);
  update session s set known = s.known || jsonb_build_object(left(replace(gen_random_uuid()::text, '-', ''), 12), p_person)
   where s.expires_at > p_at
     and s.account_id in (select r.account_id from resident_person r where r.person_id = p_person);
  return true;
end $$;

-- The newborn's price of a levy year, in the very decision that registers him. LX117: it is another's, or another time.
create or replace function determine_newborn(p_session bytea, p_id bigint, p_year int, p_on timestamptz, p_at timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held newborn;
  who text := bureau_of(p_session, 'RES_MEDICAL', p_at);
  number bigint;
begin
  select * into held from newborn where id = p_id for update;
  if (held.state, held.decided_by, held.decided_at) is distinct from ('registered', who, p_on) then
    raise exception 'newborn % is not decided now', p_id using errcode = 'LX117';
  end if;
  insert into determination (person_id, insurance, levy_year, kind, requested_by, applied_at)
    values (held.person_id, 'RES_MEDICAL', p_year, 'newborn', held.requested_by, held.applied_at) returning id into number;
  update determination set state = 'checking', checked_by = held.checked_by, checked_at = held.checked_at where id = number;
  update determination set state = 'approved', decided_by = who, decided_at = p_on where id = number;
end $$;

-- Somebody who came with his number before seems to be the child that is registered in this very decision: a bureau looks
-- at the two. LX117: it is another's, or another time.
create or replace function newborn_offers(
  p_session bytea, p_id bigint, p_joining bigint, p_other bigint, p_number bytea, p_name bytea, p_on timestamptz,
  p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held newborn;
  who text := bureau_of(p_session, 'RES_MEDICAL', p_at);
begin
  select * into held from newborn where id = p_id for update;
  if (held.state, held.decided_by, held.decided_at) is distinct from ('registered', who, p_on)
     or not exists (select from person o where o.id = p_other and o.id_type = '01' and o.restricted_at is null
                       and (o.birth_date, o.sex) = (held.birth_date, held.sex)) then
    raise exception 'newborn % is not decided now', p_id using errcode = 'LX117';
  end if;
  return joining_offer(p_joining, held.person_id, p_other, p_number, p_name, 'newborn:' || p_id, p_on);
end $$;

-- Withdrawn while nobody has it in hand: by the account that applied, an agent of the village where an agent did, a
-- counter of the town where one did. False: it is in hand, or over. LX080: somebody else's.
create or replace function withdraw_newborn(p_session bytea, p_id bigint, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held newborn;
  who text;
begin
  select * into held from newborn where id = p_id for update;
  select case when s.account_id is not null then 'account:' || s.account_id
              when s.agent_id is not null then 'agent:' || s.agent_id else counter_of(p_session, held.parent_id, p_at) end into who
    from session s
   where s.token_hash = p_session and s.expires_at > p_at
     and (held.requested_by = 'account:' || s.account_id
          or starts_with(held.requested_by, 'agent:') and exists (
               select from agent a join agent_village v on v.agent_id = a.id
                 join household h on h.village_code = v.village_code join person p on p.household_id = h.id
                where a.id = s.agent_id and a.active and p.id = held.parent_id)
          or starts_with(held.requested_by, 'staff:') and counter_of(p_session, held.parent_id, p_at) is not null);
  if who is null then
    raise exception 'newborn % is not of this session', p_id using errcode = 'LX080';
  end if;
  update newborn set state = 'withdrawn', withdrawn_by = who, withdrawn_at = p_on, kept_from = p_at
   where id = p_id and state = 'applied';
  return found;
end $$;
