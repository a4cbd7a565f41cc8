-- A levy year begins: what the register says is set down for the year that was the newest, the accounts of the new one
-- are there before anybody can be charged for it. Opening again changes nothing. Called by the office's role.
create or replace function open_levy_year(p_year int, p_by text) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  former int;
begin
  perform pg_advisory_xact_lock(hashtext('registry import'));  -- no file is half in
  select max(year) into former from levy_year;
  if exists (select from levy_year where year = p_year) then
    return false;
  end if;
  if former is not null and p_year <> former + 1 then
    raise exception 'after % comes %', former, former + 1 using errcode = 'LX090';
  end if;
  insert into former_person (levy_year, person_id, residence, student, family_type, spouse_birth, permit_to)
    select former, p.id, p.residence, p.student, p.family_type, p.spouse_birth,
           case when p.residence like 'permit%' then permit_end(p.residence, p.permit_to, p.parent_index) end
      from person p where former is not null;
  insert into former_enrolment
      (levy_year, person_id, insurance, status, last_tier, employee_insured, insured_elsewhere)
    select former, e.person_id, e.insurance, e.status, e.last_tier, e.employee_insured, e.insured_elsewhere
      from enrolment e where former is not null;
  insert into former_category (levy_year, person_id, insurance, code)
    select former, c.person_id, c.insurance, c.code from category c where former is not null;
  insert into account (code, kind, name)
    select each.code || ':' || p_year, each.kind, p_year || each.name from (values
      ('fund:RES_PENSION', 'liability', '年度居民养老保险费'), ('treasury:RES_PENSION', 'asset', '年度居民养老保险费已入库'),
      ('fund:RES_MEDICAL', 'liability', '年度居民医疗保险费'), ('treasury:RES_MEDICAL', 'asset', '年度居民医疗保险费已入库')
    ) as each (code, kind, name) on conflict (code) do nothing;
  insert into levy_year (year, opened_by) values (p_year, p_by);
  return true;
end $$;

-- A year ends: nothing is charged for it any more; what was paid for it can still go back and be proved.
create or replace function close_levy_year(p_year int, p_by text) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  others int;
begin
  select count(*) into others from levy_year where closed_at is null and year <> p_year;
  if others = 0 then
    raise exception 'somebody must be able to pay for some year' using errcode = 'LX091';
  end if;
  update levy_year set closed_by = p_by, closed_at = now() where year = p_year and closed_at is null;
  return found;
end $$;
