-- A department's bills (payments/demands) by the list that its people came by, drawn up by the bureau whose insurance it
-- is; whose people they are, it and the bureaus may read (decision 0054).

-- What is on no bill yet, with its list; none: the bureaus' register. A credit is of no list: the next bill has it.
create or replace function unbilled_by_list() returns table (
  department text, levy_year int, fund text, source bigint, household_id bigint, cause text, line smallint, amount bigint,
  credit boolean
) language sql stable as $$
  select u.department, u.levy_year, u.fund, case when not u.credit then given.batch_id end, u.household_id, u.cause, u.line,
         u.amount, u.credit
    from unbilled() u
    left join lateral (select min(h.batch_id) as batch_id from helped_category h
                        where (h.person_id, h.levy_year, h.insurance) = (u.person_id, u.levy_year, u.insurance)
                          and h.department = u.department) given on true
$$;

-- The bill is drawn up; its number. LX122: it would be another sum than was seen, or no more than the credits.
create or replace function helped_bill(
  p_department text, p_year int, p_fund text, p_source bigint, p_expected bigint, p_by text, p_now timestamptz
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  households bigint[];
  causes text[];
  lines smallint[];
  total bigint;
begin
  perform pg_advisory_xact_lock(hashtext('demands'));
  select array_agg(household_id order by credit, household_id, cause, line),
         array_agg(cause order by credit, household_id, cause, line),
         array_agg(line order by credit, household_id, cause, line), coalesce(sum(amount), 0)
    into households, causes, lines, total from unbilled_by_list()
   where (department, levy_year, fund) = (p_department, p_year, p_fund) and (credit or source is not distinct from p_source);
  if total <= 0 or total <> p_expected then
    raise exception 'there are % fen to bill, not %', total, p_expected using errcode = 'LX122';
  end if;
  return demand_write(p_department, p_year, p_fund, p_source, households, causes, lines, p_by, p_now);
end $$;

-- The same at a page: the pension's is the human resources bureau's, all others the medical bureau's. LX080.
create or replace function officer_bills_helped(
  p_session bytea, p_department text, p_year int, p_fund text, p_source bigint, p_expected bigint, p_at timestamptz,
  p_now timestamptz
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if mine.role is distinct from (case p_fund when 'RES_PENSION' then 'hrss' else 'medical' end) then
    raise exception '% draws up no bill of %', mine.login, p_fund using errcode = 'LX080';
  end if;
  return helped_bill(p_department, p_year, p_fund, p_source, p_expected, 'staff:' || mine.login, p_now);
end $$;

-- Whose people a bill is for, in its order: of one's own department, or of any for whom the district is his place.
create or replace function demand_people(p_demand bigint, p_from int, p_most int) returns table (
  no int, amount bigint, person_id bigint, name bytea, id_number bytea, restricted boolean, village text
) language sql stable security definer rows 50 set search_path = public, pg_temp as $$
  select l.no, l.amount, p.id, p.name, p.id_number, p.restricted_at is not null, v.name
    from demand d join demand_line l on l.demand_id = d.id
    join bill b on b.household_id = l.household_id and b.id = l.item join person p on p.id = b.person_id
    join household h on h.id = p.household_id join village v on v.code = h.village_code
   where d.id = p_demand and ('department:' || d.department = any (string_to_array(current_setting('liangxian.places', true), ','))
                              or current_setting('liangxian.places', true) = '*')
   order by l.no offset p_from limit p_most
$$;
