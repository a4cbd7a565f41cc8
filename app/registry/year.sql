-- Both are acts of whoever asked for it.
create or replace function levy_year_note(p_what text, p_year int, p_by text) returns void language sql
  security definer set search_path = public, pg_temp as $$
  insert into act (what, by, about, words, way, at)
    values (p_what, p_by, 'year:' || p_year, '', case when starts_with(p_by, 'operator:') then 'command' else 'web' end,
            clock_timestamp())
$$;

-- The funds of a year: the two insurances', and the others that are collected with a premium, code → name.
create or replace function funds_with(p_funds jsonb) returns table (code text, name text) language sql immutable as $$
  values ('RES_PENSION', '居民养老保险'), ('RES_MEDICAL', '居民医疗保险')
  union all
  select key, value from jsonb_each_text(p_funds)
   where key ~ '^[A-Z][A-Z_]{1,29}$' and key not in ('RES_PENSION', 'RES_MEDICAL')
$$;

-- The accounts of whoever pays in residents' place, department's code → name, for each fund; there before anybody can be
-- charged with their part.
drop function if exists open_receivables(jsonb);
create or replace function open_receivables(p_departments jsonb, p_funds jsonb default '{}') returns void language sql
  security definer set search_path = public, pg_temp as $$
  insert into account (code, kind, name)
    select receivable_of('gov_substitute', each.key, fund.code), 'asset', '应收' || each.value || '代缴' || fund.name
      from jsonb_each_text(p_departments) each, funds_with(p_funds) as fund
     where each.key ~ '^[a-z_]{1,30}$'
    on conflict (code) do nothing
$$;

-- The accounts of a year's funds.
create or replace function open_funds(p_year int, p_funds jsonb) returns void language sql
  security definer set search_path = public, pg_temp as $$
  insert into account (code, kind, name)
    select of.account || ':' || fund.code || ':' || p_year, of.kind, p_year || '年度' || fund.name || of.words
      from funds_with(p_funds) as fund,
           (values ('fund', 'liability', '费'), ('treasury', 'asset', '费已入库')) as of (account, kind, words)
    on conflict (code) do nothing
$$;

-- A levy year begins: what the register says is set down for the year that was the newest, the accounts of the new one
-- and of the departments that pay are there before anybody can be charged for it. Opening again changes nothing; a year
-- that was closed is collected again. `p_funds`: what is collected with its premiums, code → name. LX090: it does not follow on the newest. Called by the office's role.
drop function if exists open_levy_year(int, text);
drop function if exists open_levy_year(int, text, jsonb);
create or replace function open_levy_year(p_year int, p_by text, p_departments jsonb default '{}',
    p_funds jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  former int;
begin
  perform pg_advisory_xact_lock(hashtext('registry import'));  -- no file is half in
  select max(year) into former from levy_year;
  if exists (select from levy_year where year = p_year) then
    update levy_year set closed_by = null, closed_at = null where year = p_year and closed_at is not null;
    if not found then
      return false;
    end if;
    perform open_funds(p_year, p_funds);
    perform open_receivables(p_departments, p_funds);
    perform levy_year_note('year_opened', p_year, p_by);
    return true;
  end if;
  if former is not null and p_year <> former + 1 then
    raise exception 'after % comes %', former, former + 1 using errcode = 'LX090';
  end if;
  insert into levy_year (year, opened_by) values (p_year, p_by);
  insert into former_person
      (levy_year, person_id, residence, student, family_type, spouse_birth, permit_to, school, medical_years)
    select former, p.id, p.residence, p.student, p.family_type, p.spouse_birth,
           case when p.residence like 'permit%' then permit_end(p.residence, p.permit_to, p.parent_index) end,
           p.school, p.medical_years
      from person p where former is not null;
  insert into former_enrolment
      (levy_year, person_id, insurance, status, last_tier, employee_insured, insured_elsewhere, digest)
    select former, e.person_id, e.insurance, e.status, e.last_tier, e.employee_insured, e.insured_elsewhere, e.digest
      from enrolment e where former is not null;
  insert into former_category (levy_year, person_id, insurance, code)
    select former, c.person_id, c.insurance, c.code from category c where former is not null;
  perform open_funds(p_year, p_funds);
  perform open_receivables(p_departments, p_funds);
  perform levy_year_note('year_opened', p_year, p_by);
  return true;
end $$;

-- A year ends: nothing is charged for it any more; what was paid for it can still go back and be proved. LX091: the
-- newest year does not end, its register is the register.
create or replace function close_levy_year(p_year int, p_by text) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if not exists (select from levy_year where year > p_year) then
    raise exception '% is the newest year', p_year using errcode = 'LX091';
  end if;
  update levy_year set closed_by = p_by, closed_at = now() where year = p_year and closed_at is null;
  if not found then
    return false;
  end if;
  perform levy_year_note('year_closed', p_year, p_by);
  return true;
end $$;

-- From a page both are done in the name of the tax lead whose live session it is, and of nobody else. LX080.
create or replace function levy_lead(p_session bytea, p_at timestamptz) returns text language plpgsql stable
  security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
begin
  if not exists (select from staff where 'staff:' || login = who and role = 'tax_lead') then
    raise exception 'only the tax lead begins and ends a year' using errcode = 'LX080';
  end if;
  return who;
end $$;

drop function if exists lead_opens_levy_year(bytea, int, timestamptz);
drop function if exists lead_opens_levy_year(bytea, int, timestamptz, jsonb);
create or replace function lead_opens_levy_year(p_session bytea, p_year int, p_at timestamptz,
    p_departments jsonb default '{}', p_funds jsonb default '{}') returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return open_levy_year(p_year, levy_lead(p_session, p_at), p_departments, p_funds);
end $$;

create or replace function lead_closes_levy_year(p_session bytea, p_year int, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  return close_levy_year(p_year, levy_lead(p_session, p_at));
end $$;
