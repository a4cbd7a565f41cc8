-- Sponsors and their pledges (decision 0053): entered by one, agreed to by another, ended; what is left is asked back. A
-- command does it in its operator's name; a page in the name of the officer whose live session it is: the medical clerk
-- for the district, a town's for its own people. Another medical clerk or the tax lead agrees.
-- LX131: it is not there, or stands otherwise · 23514: one person twice · LX080: no business of his.

-- Whose words these are: the sponsor's stay as they were entered, the terms as well, but for who agrees and who ends.
create or replace function terms_stay() returns trigger language plpgsql as $$
declare
  told constant text[] := array['agreed_by', 'agreed_at', 'ended_by', 'ended_at', 'ended_why'];
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - told = to_jsonb(old) - told
     and (old.agreed_by is null or (new.agreed_by, new.agreed_at) = (old.agreed_by, old.agreed_at))
     and (old.ended_by is null or (new.ended_by, new.ended_at, new.ended_why) = (old.ended_by, old.ended_at, old.ended_why)) then
    return new;
  end if;
  raise exception 'the terms of pledge % stay', old.pledge_id using errcode = 'LX131';
end $$;

drop trigger if exists stay on pledge_terms;
create trigger stay before update or delete on pledge_terms for each row execute function terms_stay();

drop trigger if exists append_only on pledge_person;
create trigger append_only before update or delete on pledge_person for each row execute function ledger_is_append_only();

create or replace function sponsor_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and (new.id, new.kind, new.shown, new.entered_by, new.entered_at)
       = (old.id, old.kind, old.shown, old.entered_by, old.entered_at)
     and sealed_anew(old.name, new.name) and sealed_anew(old.contact, new.contact) and sealed_anew(old.phone, new.phone) then
    return new;
  end if;
  raise exception 'sponsor % stays', old.id using errcode = 'LX131';
end $$;

drop trigger if exists stays on sponsor;
create trigger stays before update or delete on sponsor for each row execute function sponsor_stays();

create or replace function sponsor_enter(
  p_id bigint, p_kind text, p_shown text, p_name bytea, p_contact bytea, p_phone bytea, p_by text, p_now timestamptz
) returns void language sql security definer set search_path = public, pg_temp as $$
  insert into sponsor (id, kind, shown, name, contact, phone, entered_by, entered_at)
    values (p_id, p_kind, p_shown, p_name, p_contact, p_phone, p_by, p_now)
$$;

-- The number that a payer quotes: the year, five figures, and one by which a slip of the pen is seen.
create or replace function pledge_number(p_year int, p_id bigint) returns text language sql immutable as $$
  select 'ZZ' || said || (97 - said::bigint % 97) % 10 from (select p_year || lpad((p_id % 100000)::text, 5, '0') as said) n
$$;

create or replace function pledge_enter(
  p_terms jsonb, p_insurance text, p_year int, p_budget bigint, p_people bigint[], p_by text, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  number_of bigint := nextval(pg_get_serial_sequence('pledge', 'id'));
begin
  insert into pledge (id, number, insurance, levy_year, budget) overriding system value
    values (number_of, pledge_number(p_year, number_of), p_insurance, p_year, p_budget);
  insert into pledge_terms (pledge_id, sponsor_id, mode, value, covers_late, from_day, until_day, town, named, village_code,
                            category, from_age, to_age, entered_by, entered_at)
    select number_of, t.sponsor_id, t.mode, t.value, t.covers_late, t.from_day, t.until_day, t.town, t.named,
           t.village_code, t.category, t.from_age, t.to_age, p_by, p_now
      from jsonb_populate_record(null::pledge_terms, p_terms) t;
  insert into pledge_person (pledge_id, person_id) select number_of, person from unnest(p_people) person;
  return number_of;
end $$;

-- Another person agrees: money may come from now on, and the book has its account.
create or replace function pledge_agree(p_pledge bigint, p_by text, p_now timestamptz) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  update pledge set state = 'agreed' where id = p_pledge and state = 'proposed';
  if not found then
    raise exception 'pledge % is not proposed', p_pledge using errcode = 'LX131';
  end if;
  update pledge_terms set agreed_by = p_by, agreed_at = p_now where pledge_id = p_pledge;
  insert into account (code, kind, name)
    select 'sponsor:' || id, 'liability', '资助款' || number from pledge where id = p_pledge
    on conflict (code) do nothing;
end $$;

-- It ends: nothing more is spoken for; what is reserved is used or let go of by itself. One that nobody agreed to is
-- dropped.
create or replace function pledge_end(p_pledge bigint, p_why text, p_by text, p_now timestamptz) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update pledge set state = case state when 'proposed' then 'dropped' else 'ended' end
    where id = p_pledge and state in ('proposed', 'agreed');
  if not found then
    raise exception 'pledge % has ended', p_pledge using errcode = 'LX131';
  end if;
  update pledge_terms set ended_by = p_by, ended_at = p_now, ended_why = p_why where pledge_id = p_pledge;
end $$;

-- From a page: whoever's live session it is, if he may do that with this pledge, or (null) enter one. LX080.
create or replace function sponsor_hand(p_session bytea, p_pledge bigint, p_roles text[], p_at timestamptz) returns staff
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if not mine.role = any (p_roles) or mine.role = 'town' and p_pledge is not null and not exists (
       select from pledge_terms where pledge_id = p_pledge and town = any (mine.towns)) then
    raise exception 'pledge % is no business of %', p_pledge, mine.login using errcode = 'LX080';
  end if;
  return mine;
end $$;

-- A town's clerk enters for a village of his town, or for people who live there; of a sponsor whose pledge his town sees,
-- or of a new one: whoever enters a pledge may read in clear whom to speak to there.
create or replace function officer_enters_pledge(
  p_session bytea, p_sponsor jsonb, p_terms jsonb, p_insurance text, p_year int, p_budget bigint, p_people bigint[],
  p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := sponsor_hand(p_session, null, '{medical,town}', p_at);
begin
  if p_insurance is distinct from 'RES_MEDICAL' then  -- no other premium has sponsors (R20)
    raise exception '% enters nothing for %', mine.login, p_insurance using errcode = 'LX080';
  end if;
  if mine.role = 'medical' then
    p_terms := p_terms || jsonb_build_object('town', null);
  elsif not coalesce(p_terms->>'town' = any (mine.towns), false)
        or not (p_terms->>'named')::boolean and left(p_terms->>'village_code', 9) is distinct from p_terms->>'town'
        or exists (select from person p join household h on h.id = p.household_id
                    where p.id = any (p_people) and left(h.village_code, 9) <> p_terms->>'town')
        or p_sponsor is null and not exists (select from pledge_terms t where t.sponsor_id = (p_terms->>'sponsor_id')::bigint
                                                and t.town = any (mine.towns)) then
    raise exception '% enters for his town only', mine.login using errcode = 'LX080';
  end if;
  if p_sponsor is not null then
    perform sponsor_enter((p_terms->>'sponsor_id')::bigint, p_sponsor->>'kind', p_sponsor->>'shown',
                          decode(p_sponsor->>'name', 'base64'), decode(p_sponsor->>'contact', 'base64'),
                          decode(p_sponsor->>'phone', 'base64'), 'staff:' || mine.login, p_now);
  end if;
  return pledge_enter(p_terms, p_insurance, p_year, p_budget, p_people, 'staff:' || mine.login, p_now);
end $$;

create or replace function officer_agrees_pledge(p_session bytea, p_pledge bigint, p_at timestamptz, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := sponsor_hand(p_session, p_pledge, '{medical,tax_lead}', p_at);
begin
  perform pledge_agree(p_pledge, 'staff:' || mine.login, p_now);
end $$;

create or replace function officer_ends_pledge(
  p_session bytea, p_pledge bigint, p_why text, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := sponsor_hand(p_session, p_pledge, '{medical,town}', p_at);
begin
  perform pledge_end(p_pledge, p_why, 'staff:' || mine.login, p_now);
end $$;

create or replace function officer_returns_pledge(
  p_session bytea, p_pledge bigint, p_household bigint, p_receipt text, p_number text, p_amount bigint, p_why text,
  p_reason text, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := sponsor_hand(p_session, p_pledge, '{medical,town}', p_at);
begin
  perform pledge_return(p_pledge, p_household, p_receipt, p_number, p_amount, p_why, p_reason, 'staff:' || mine.login, p_now);
end $$;

-- A town sees the pledges its own clerks entered.
alter table pledge_terms enable row level security;
drop policy if exists places on pledge_terms;
create policy places on pledge_terms to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or town = any (string_to_array(current_setting('liangxian.places', true), ',')));

-- Which sponsors paid how much of a bill, as payers read them: [[name, fen], …]; null: none did.
create or replace function sponsors_of(p_household bigint, p_bill bigint) returns jsonb language sql stable
  security definer set search_path = public, pg_temp as $$
  select jsonb_agg(jsonb_build_array(s.shown, l.amount) order by l.line)
    from bill_line l join pledge_terms t on t.pledge_id = pledge_of(l.part, l.payer) join sponsor s on s.id = t.sponsor_id
   where l.household_id = p_household and l.bill_id = p_bill and l.part = 'sponsor'
$$;
