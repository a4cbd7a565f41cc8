-- What a department owes for people in whose place it pays, as bills of its own (decision 0054). A bill's lines are
-- postings of the department's receivable, each on one bill at most; what went back after it was billed is a credit on the
-- next one. Its money comes by the treasury's file, or to the bank with its number. Everything here is done one after
-- another: lock 'demands'.

-- Its number as it is written on a transfer: any one digit that is wrong, or two that changed places, make no number.
create or replace function demand_number(p_year int, p_id bigint) returns text language sql immutable as $$
  select 'DK' || bare || lpad((bare::bigint % 97)::text, 2, '0')
    from (select p_year || lpad(p_id::text, greatest(5, length(p_id::text)), '0') as bare) own
$$;

create or replace function demand_stays() returns trigger language plpgsql as $$
declare
  moving constant text[] := array['paid', 'state'];
begin
  if tg_op = 'INSERT' and new.paid = 0 and new.number = demand_number(new.levy_year, new.id) then
    return new;
  elsif tg_op = 'UPDATE' and to_jsonb(new) - moving = to_jsonb(old) - moving and new.paid > old.paid
        and new.paid = (select sum(amount) from demand_payment where demand_id = new.id and way = 'paid') then
    return new;
  end if;
  raise exception 'a department''s bill stays as it was drawn up' using errcode = 'LX121';
end $$;

drop trigger if exists stays on demand;
create trigger stays before insert or update or delete on demand for each row execute function demand_stays();

-- All its lines come with it, and are what it asks for.
create or replace function demand_adds_up() returns trigger language plpgsql as $$
begin
  if new.amount is distinct from (select sum(amount) from demand_line where demand_id = new.id) then
    raise exception 'bill % of a department is not its lines', new.number using errcode = 'LX121';
  end if;
  return null;
end $$;

drop trigger if exists adds_up on demand;
create constraint trigger adds_up after insert on demand deferrable initially deferred
  for each row execute function demand_adds_up();

-- A line is a posting of that department, fund and year, as the book has it.
create or replace function demand_line_booked() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and exists (
       select from demand d join posting p on p.account = receivable_of('gov_substitute', d.department, d.fund)
         join bill b on b.household_id = p.household_id and b.id = p.item and b.levy_year = d.levy_year
        where d.id = new.demand_id and d.xmin = pg_current_xact_id()::xid
          and (p.household_id, p.cause, p.line, p.item, p.amount)
            = (new.household_id, new.cause, new.line, new.item, new.amount)) then
    return new;
  end if;
  raise exception 'a department''s bill stays as it was drawn up' using errcode = 'LX121';
end $$;

drop trigger if exists booked on demand_line;
create trigger booked before insert or update or delete on demand_line
  for each row execute function demand_line_booked();

drop trigger if exists append_only on demand_payment;
create trigger append_only before update or delete on demand_payment
  for each row execute function ledger_is_append_only();

create or replace function demand_is_paid() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if new.way = 'paid' then
    update demand d set paid = d.paid + new.amount,
           state = case when d.paid + new.amount = d.amount then 'PAID' else 'PARTLY_PAID' end where d.id = new.demand_id;
  elsif (select sum(case p.way when 'passed' then -p.amount else p.amount end) from demand_payment p
          where p.demand_id = new.demand_id and (p.kind = 'bank' or p.way = 'passed')) < 0 then
    raise exception 'more of bill % is passed on than came to the bank', new.demand_id using errcode = 'LX121';
  end if;
  return null;
end $$;

drop trigger if exists pays on demand_payment;
create trigger pays after insert on demand_payment for each row execute function demand_is_paid();

-- Postings of what departments owe that are on no bill yet, and whose they are. One that went back after it was billed
-- is a credit.
create or replace function unbilled() returns table (
  household_id bigint, cause text, line smallint, item bigint, amount bigint, department text, fund text, levy_year int,
  person_id bigint, insurance text, credit boolean
) language sql stable as $$
  select p.household_id, p.cause, p.line, p.item, p.amount, split_part(p.account, ':', 3), split_part(p.account, ':', 4),
         b.levy_year, b.person_id, b.insurance,
         p.amount < 0 and exists (select from demand_line d
                                   where d.household_id = p.household_id and d.item = p.item and d.amount > 0)
    from posting p join bill b on b.household_id = p.household_id and b.id = p.item
   where p.item is not null and starts_with(p.account, 'receivable:gov_substitute:')
     and not exists (select from demand_line d
                      where (d.household_id, d.cause, d.line) = (p.household_id, p.cause, p.line))
$$;

-- A bill of these postings; its number. What came before without a number, and no bill had use for, pays it.
create or replace function demand_write(
  p_department text, p_year int, p_fund text, p_source bigint, p_households bigint[], p_causes text[], p_lines smallint[],
  p_by text, p_now timestamptz
) returns text language plpgsql as $$
declare
  own bigint := nextval(pg_get_serial_sequence('demand', 'id'));
begin
  insert into demand (id, number, department, levy_year, fund, source, amount, drawn_by, drawn_at)
    select own, demand_number(p_year, own), p_department, p_year, p_fund, p_source, sum(p.amount), p_by, p_now
      from unnest(p_households, p_causes, p_lines) k (household_id, cause, line) join posting p using (household_id, cause, line);
  insert into demand_line (demand_id, no, household_id, cause, line, item, amount)
    select own, k.no, p.household_id, p.cause, p.line, p.item, p.amount
      from unnest(p_households, p_causes, p_lines) with ordinality k (household_id, cause, line, no)
      join posting p using (household_id, cause, line);
  perform demand_settle(p_department, p_year, p_fund, p_now);
  return demand_number(p_year, own);
end $$;

-- What the treasury booked of a department without a bill's number is for its oldest bills, the oldest first.
create or replace function demand_settle(p_department text, p_year int, p_fund text, p_now timestamptz) returns void
  language plpgsql as $$
declare
  came record;
  d demand;
  part bigint;
begin
  for came in
    select r.serial, -p.amount - coalesce((select sum(q.amount) from demand_payment q where q.kind = 'treasury'
                                              and q.serial = r.serial and q.way = 'paid'), 0) as rest
      from outside_row r join posting p on p.household_id = 0 and p.cause = r.cause
       and p.account = receivable_of('gov_substitute', p_department, p_fund)
     where r.kind = 'treasury' and r.part = 'gov_substitute:' || p_department and r.channel = p_fund
       and r.levy_year = p_year and r.demand = ''
     order by r.booked_on, r.serial
  loop
    for d in select * from demand where (department, levy_year, fund) = (p_department, p_year, p_fund) and paid < amount
              order by id for update loop
      exit when came.rest <= 0;
      part := least(came.rest, d.amount - d.paid);
      insert into demand_payment (demand_id, kind, serial, way, amount, at)
        values (d.id, 'treasury', came.serial, 'paid', part, p_now);
      came.rest := came.rest - part;
    end loop;
  end loop;
end $$;

-- The treasury's line moves on what had come to the bank for a bill, or for any of the department's; how much of it.
create or replace function demand_pass_on(r outside_row, p_demand bigint, p_now timestamptz) returns bigint
  language plpgsql as $$
declare
  d record;
  part bigint;
  passed bigint := 0;
begin
  for d in
    select m.id, sum(case p.way when 'passed' then -p.amount else p.amount end) as lies
      from demand m join demand_payment p on p.demand_id = m.id and (p.kind = 'bank' or p.way = 'passed')
     where r.part = 'gov_substitute:' || m.department and r.channel = m.fund and r.levy_year = m.levy_year
       and m.id = coalesce(p_demand, m.id)
     group by m.id having sum(case p.way when 'passed' then -p.amount else p.amount end) > 0 order by m.id
  loop
    part := least(d.lies, r.amount - passed);
    exit when part <= 0;
    insert into demand_payment (demand_id, kind, serial, way, amount, at)
      values (d.id, 'treasury', r.serial, 'passed', part, p_now);
    passed := passed + part;
  end loop;
  return passed;
end $$;

-- Book a credit of the bank that names a department's bill, or a line of the treasury about what a department pays: what
-- had come to the bank is passed on; the rest pays what is owed. A number that nobody gave, or more than the bill asks
-- for, is held with an owner.
create or replace function demand_book(r outside_row, p_now timestamptz, p_booked_on date) returns text language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  own demand;
  entry_cause text := case r.kind when 'bank' then 'deposit:' else 'treasury:' end || r.serial;
  whom text := 'suspense:bank';
  found text := 'matched';
  passes bigint := 0;
  pays bigint := 0;
  rest bigint;
begin
  perform pg_advisory_xact_lock(hashtext('demands'));
  select * into own from demand where number = r.demand and (r.kind = 'bank'
     or r.part = 'gov_substitute:' || department and r.channel = fund and r.levy_year = levy_year) for update;
  if own.id is not null or r.demand = '' then
    whom := receivable_of('gov_substitute', coalesce(own.department, split_part(r.part, ':', 2)), coalesce(own.fund, r.channel));
    passes := case r.kind when 'treasury' then demand_pass_on(r, own.id, p_now) else 0 end;
    pays := least(r.amount - passes, coalesce(own.amount - own.paid, r.amount));
  end if;
  rest := r.amount - passes - pays;
  found := case when rest = 0 then 'matched' when own.id is null then 'UNKNOWN_PERSON' else 'AMOUNT_DIFF' end;
  perform ledger_post(0, entry_cause, p_booked_on, r.booked_on::timestamp at time zone 'Asia/Shanghai',
                      array_agg(account order by place), array_agg(amount order by place), array_agg(null::bigint))
    from (values (1, case r.kind when 'bank' then 'bank:pending' else 'treasury:' || r.channel || ':' || r.levy_year end, r.amount),
                 (2, 'bank:pending', -passes), (3, whom, -pays), (4, 'suspense:bank', -rest)) posted (place, account, amount)
   where amount <> 0;
  update outside_row set verdict = found, cause = entry_cause where kind = r.kind and serial = r.serial;
  if own.id is not null and pays > 0 then
    insert into demand_payment (demand_id, kind, serial, way, amount, at) values (own.id, r.kind, r.serial, 'paid', pays, p_now);
  elsif r.demand = '' then
    perform demand_settle(split_part(r.part, ':', 2), r.levy_year, r.channel, p_now);
  end if;
  if rest > 0 then
    perform hold_for_nobody(entry_cause, r.kind, 'bank', '', rest, p_booked_on);
    perform name_difference(case r.kind when 'bank' then 'deposit' else r.kind end,
      case r.kind when 'bank' then 'bank' else r.channel end, r.day, found,
      case r.kind when 'bank' then 'deposit' else 'subsidy' end, r.serial, '',
      case when own.id is not null then r.amount - rest end, r.amount, null, 0, 'held', p_now, clock_timestamp());
  end if;
  return found;
end $$;
