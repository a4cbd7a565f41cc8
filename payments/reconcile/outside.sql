-- What banks, treasury, bureaus and POS terminals say in their files. Each line is kept once (outside_row) and booked by
-- its own serial; what it does not agree with gets its name like a gateway's line.

-- What a channel's day must bring to the bank: received less given back less what it keeps.
create or replace function net_of(s statement) returns bigint language sql immutable as $$
  select coalesce(s.received, 0) - coalesce(s.refunded, 0) - floor((coalesce(s.fee, 0) + 500) / 1000.0)::bigint
$$;

-- The days of one channel, running on without a gap and not settled yet, that a credit of the bank is made of: those it
-- names, or else the one stretch that adds up to it. Null: there is none, or more than one.
create or replace function days_of_credit(r outside_row) returns table (gateway text, first date, until date)
language sql stable set search_path = public, pg_temp as $$
  with open as (
    select s.gateway, s.day, net_of(s) as net from statement s
     where s.state in ('whole', 'empty') and s.deposit is null and s.day < r.booked_on and s.day > r.booked_on - 40
       and (r.channel = '' or s.gateway = r.channel)
  ), stretch as (
    select a.gateway, a.day as first, b.day as until, sum(c.net) as net
      from open a join open b on b.gateway = a.gateway and b.day between a.day and a.day + 9
      join open c on c.gateway = a.gateway and c.day between a.day and b.day
     where (r.day <> r.booked_on or r.until is not null) is not true or (a.day = r.day and b.day = coalesce(r.until, r.day))
     group by a.gateway, a.day, b.day having count(*) = b.day - a.day + 1
  )
  select min(gateway), min(first), max(until) from stretch
   where net = r.amount and net <> 0 and not exists (  -- an empty day at either end says nothing
     select from open o where o.gateway = stretch.gateway and o.day in (stretch.first, stretch.until)
        and o.net = 0 and stretch.first < stretch.until)
   having count(*) = 1
$$;

-- Book one credit of the bank and name what is wrong with it: `matched`, or the kind of its difference. What fits no
-- channel's days is held in suspense with an owner, so the bank's balance is right in any case. One that names a
-- department's bill is for that (payments/demands), a sponsor's for the pledge whose number it quotes, an agent's cash for
-- the batch whose slip it names (payments/cash).
create or replace function book_bank_row(p_serial text, p_now timestamptz, p_booked_on date) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r outside_row;
  fits record;
  expected bigint;
  named boolean;
  money text := 'suspense:bank';
  found text := 'MISSING_IN_LEDGER';
  sponsored bigint;
begin
  select * into strict r from outside_row where kind = 'bank' and serial = p_serial for update;
  if r.verdict <> '' then
    return r.verdict;
  elsif r.demand <> '' then
    return demand_book(r, p_now, p_booked_on);
  end if;
  perform pg_advisory_xact_lock(hashtext('credits of the bank'));
  if r.channel = 'cash' then
    return cash_arrives(r, p_now, p_booked_on);
  end if;
  named := r.day <> r.booked_on or r.until is not null;
  select * into fits from days_of_credit(r);
  if r.part <> '' then  -- it quotes a pledge's number
    sponsored := (select id from pledge where number = r.part and pledge_takes(id));
    found := case when sponsored is null then found else 'matched' end;
  elsif fits.gateway is not null then
    money := 'clearing:' || fits.gateway;
    found := case when r.booked_on - fits.until > 5 then 'DATE_DIFF' else 'matched' end;
    update statement set deposit = p_serial where gateway = fits.gateway and day between fits.first and fits.until;
  elsif named and exists (select from statement where gateway = r.channel and deposit is not null
                             and day between r.day and coalesce(r.until, r.day)) then
    found := 'DUPLICATE';
  elsif named and (select count(*) from statement where gateway = r.channel and state in ('whole', 'empty')
                      and day between r.day and coalesce(r.until, r.day)) = coalesce(r.until, r.day) - r.day + 1 then
    money := 'clearing:' || r.channel;
    found := 'AMOUNT_DIFF';
    select sum(net_of(s)) into expected from statement s
      where gateway = r.channel and day between r.day and coalesce(r.until, r.day);
    update statement set deposit = p_serial where gateway = r.channel and day between r.day and coalesce(r.until, r.day);
  end if;

  if sponsored is not null then
    perform pledge_take(0, 'deposit:' || p_serial, sponsored, 'bank:pending', r.amount, p_booked_on,
                        r.booked_on::timestamp at time zone 'Asia/Shanghai');
  else
    perform ledger_post(0, 'deposit:' || p_serial, p_booked_on, r.booked_on::timestamp at time zone 'Asia/Shanghai',
                        array['bank:pending', money], array[r.amount, -r.amount], array[null, null]::bigint[]);
  end if;
  if sponsored is null and money = 'suspense:bank' then
    perform hold_for_nobody('deposit:' || p_serial, 'bank', 'bank', '', r.amount, p_booked_on);
  end if;
  update outside_row set verdict = found, cause = 'deposit:' || p_serial where kind = 'bank' and serial = p_serial;
  if found <> 'matched' then
    perform name_difference('deposit', coalesce(nullif(r.channel, ''), 'bank'), r.day, found, 'deposit', p_serial, '',
      case when found = 'AMOUNT_DIFF' then expected when found = 'DATE_DIFF' then r.amount end, r.amount,
      case when found = 'DATE_DIFF' then fits.until end,
      case when found = 'AMOUNT_DIFF' then r.amount - expected else 0 end,
      case when sponsored is null and money = 'suspense:bank' then 'held' else '' end, p_now, clock_timestamp());
  end if;
  return found;
end $$;

-- Days of a channel whose money the bank should have had by `p_until` and has not; days that came meanwhile are let go.
create or replace function name_deposits(p_until date, p_now timestamptz) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform name_difference('deposit', s.gateway, s.day, 'MISSING_IN_BANK', 'deposit', 'net', '', net_of(s), null, null, 0,
                          '', p_now, clock_timestamp())
    from statement s where s.state = 'whole' and s.deposit is null and net_of(s) <> 0 and s.day <= p_until - 3;
  update discrepancy d set state = 'cleared', remedy = 'gone', reason = '已经到账', cleared_by = 'rule:matched',
                           cleared_at = p_now
    from statement s where d.books = 'deposit' and d.kind = 'MISSING_IN_BANK' and d.state <> 'cleared'
     and s.gateway = d.channel and s.day = d.day and s.deposit is not null;
  return (select count(*) from discrepancy where books = 'deposit' and state <> 'cleared');
end $$;

-- Book one line of the treasury: premiums leave the bank's account, subsidies pay what their payer owes. A subsidy of a
-- payer we know nothing of is held.
create or replace function book_treasury_row(p_serial text, p_now timestamptz, p_booked_on date) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r outside_row;
  from_whom text;
begin
  select * into strict r from outside_row where kind = 'treasury' and serial = p_serial for update;
  if r.verdict <> '' then
    return r.verdict;
  end if;
  from_whom := case r.part when 'premium' then 'bank:pending' else 'receivable:' || r.part || ':' || r.channel end;
  if starts_with(r.part, 'gov_substitute:') and (r.demand <> '' or exists (select from account where code = from_whom)) then
    return demand_book(r, p_now, p_booked_on);
  end if;
  r.verdict := 'matched';
  if not exists (select from account where code = from_whom) then
    from_whom := 'suspense:bank';
    r.verdict := 'UNKNOWN_PERSON';
    perform hold_for_nobody('treasury:' || p_serial, 'treasury', 'bank', '', r.amount, p_booked_on);
    perform name_difference('treasury', r.channel, r.day, 'UNKNOWN_PERSON', 'subsidy', p_serial, '', null, r.amount, null,
                            0, 'held', p_now, clock_timestamp());
  end if;
  perform ledger_post(0, 'treasury:' || p_serial, p_booked_on, r.booked_on::timestamp at time zone 'Asia/Shanghai',
                      array['treasury:' || r.channel || ':' || r.levy_year, from_whom], array[r.amount, -r.amount],
                      array[null, null]::bigint[]);
  update outside_row set verdict = r.verdict, cause = 'treasury:' || p_serial where kind = 'treasury' and serial = p_serial;
  return r.verdict;
end $$;

-- What residents paid into each fund on each day of our book, less what went back: what the treasury must book. A bill's
-- postings name their fund each by itself, and one year together.
create or replace function premiums_of(p_from date, p_until date)
returns table (day date, insurance text, levy_year int, amount bigint) language sql stable
  set search_path = public, pg_temp as $$
  select booked_on, fund, levy_year, -sum(amount)::bigint
    from (select e.booked_on, p.amount,
                 split_part(p.account, ':', case when p.account like 'fund:%' then 2 else 4 end) as fund,
                 max(split_part(p.account, ':', 3)::int) filter (where p.account like 'fund:%')
                   over (partition by e.household_id, e.cause, p.item) as levy_year
            from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
           where e.booked_on between p_from and p_until
             and (p.account like 'fund:%' or p.account like 'receivable:%:%:%')) part
   where levy_year is not null group by 1, 2, 3
$$;

-- The treasury's premiums day by day against our book, over the days from `p_from` to `p_until`.
create or replace function name_treasury(p_from date, p_until date, p_now timestamptz) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  seen timestamptz := clock_timestamp();
  newest date := (select max(booked_on) from outside_row where kind = 'treasury');
begin
  perform name_difference('treasury', found.insurance, found.day, found.kind, 'fund', found.levy_year::text, '',
                          found.ours, found.theirs, found.their_day, 0, '', p_now, seen)
    from (
      select coalesce(o.day, t.day) as day, coalesce(o.insurance, t.insurance) as insurance,
             coalesce(o.levy_year, t.levy_year) as levy_year, nullif(o.amount, 0) as ours, t.amount as theirs,
             case when t.amount = o.amount then t.last end as their_day,
             case when t.amount is null and o.day > newest - 3 then null
                  when t.amount is null then 'MISSING_IN_BANK' when coalesce(o.amount, 0) = 0 then 'MISSING_IN_LEDGER'
                  when t.amount <> o.amount and t.lines > 1 and o.amount = any (t.amounts) then 'DUPLICATE'
                  when t.amount <> o.amount then 'AMOUNT_DIFF'
                  when t.last - o.day > 10 or t.first < o.day then 'DATE_DIFF' end as kind
        from (select * from premiums_of(p_from, p_until) where amount <> 0) o
        full join (select day, channel as insurance, levy_year, sum(amount)::bigint as amount, count(*) as lines,
                          array_agg(amount) as amounts, min(booked_on) as first, max(booked_on) as last
                     from outside_row where kind = 'treasury' and part = 'premium' and day between p_from and p_until
                    group by 1, 2, 3) t
          on (t.day, t.insurance, t.levy_year) = (o.day, o.insurance, o.levy_year)) found
   where found.kind is not null;
  return forget_differences('treasury', null, p_from, p_until, 'fund', seen, p_now);
end $$;

-- What the resident pays of a bill into one fund.
create or replace function paid_into(p_household bigint, p_bill bigint, p_fund text) returns bigint language sql stable as $$
  select coalesce(sum(amount), 0)::bigint from bill_line
   where household_id = p_household and bill_id = p_bill and payer = 'resident' and fund = p_fund
$$;

-- The bureaus' confirmations of one insurance, or of another fund collected with its premium, against our settled bills,
-- over the days from `p_from` to `p_until`: each is of what residents paid into that fund alone.
create or replace function name_bureau(p_insurance text, p_from date, p_until date, p_now timestamptz) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  seen timestamptz := clock_timestamp();
  of_bill text := case when p_insurance = 'RES_PENSION' then p_insurance else 'RES_MEDICAL' end;
begin
  create temporary table said on commit drop as
    with confirmed as (
      select serial, day, amount, levy_year, part, person_id, row_number() over (item order by day, serial) as nth,
             row_number() over (exact order by day, serial) as place, count(*) over exact as rows
        from outside_row where kind = 'bureau' and channel = p_insurance
      window item as (partition by person_id, levy_year, part),
             exact as (partition by person_id, levy_year, part, amount)
    ), own as (  -- who paid, was given it back and paid again has a bill for each time; a back-payment is one more
      select b.id, b.person_id, b.levy_year, paid.personal_due, act.part, b.settled_at,
             (b.settled_at at time zone 'Asia/Shanghai')::date as settled_on,
             row_number() over (exact order by b.settled_at, b.issued_at, b.id) as place, count(*) over exact as bills
        from bill b join (values ('PAY', 'settled'), ('PAY', 'refunded'), ('REVERSE', 'refunded')) as act (part, state)
          on act.state = b.state
        cross join lateral paid_into(b.household_id, b.id, p_insurance) as paid (personal_due)
       where b.insurance = of_bill and (b.insurance = p_insurance or paid.personal_due > 0)
         and b.person_id in (select person_id from confirmed)
      window exact as (partition by b.person_id, b.levy_year, act.part, paid.personal_due)
    ), said_same as (  -- of fewer rows than bills each is of a later one
      select c.*, o.id as bill, o.personal_due, o.settled_on from confirmed c left join own o
          on o.person_id = c.person_id and o.levy_year = c.levy_year and o.part = c.part
         and o.personal_due = c.amount and o.place = c.place + greatest(o.bills - c.rows, 0)
    ), own_same as (
      select o.*, c.serial from own o left join confirmed c
          on o.person_id = c.person_id and o.levy_year = c.levy_year and o.part = c.part
         and o.personal_due = c.amount and o.place = c.place + greatest(o.bills - c.rows, 0)
    ), said_other as (  -- the rest, whatever their amounts
      select serial, person_id, levy_year, part, row_number() over (item order by day, serial) as nth,
             count(*) over item as rest from said_same where bill is null
      window item as (partition by person_id, levy_year, part)
    ), own_other as (
      select id, person_id, levy_year, part, personal_due, settled_on,
             row_number() over (item order by settled_at, id) as nth, count(*) over item as rest
        from own_same where serial is null
      window item as (partition by person_id, levy_year, part)
    )
    select serial, day, amount, levy_year, part, bill, personal_due, settled_on,
           case when person_id is null then 'UNKNOWN_PERSON' when bill is null and nth > 1 then 'DUPLICATE'
                when bill is null then 'MISSING_IN_LEDGER' when personal_due <> amount then 'AMOUNT_DIFF'
                when abs(settled_on - day) > 1 and part = 'PAY' then 'DATE_DIFF' else 'matched' end as verdict
      from (select s.serial, s.day, s.amount, s.levy_year, s.part, s.person_id, s.nth,
                   coalesce(s.bill, o.id) as bill, coalesce(s.personal_due, o.personal_due) as personal_due,
                   coalesce(s.settled_on, o.settled_on) as settled_on
              from said_same s left join said_other c using (serial)
              left join own_other o on o.person_id = c.person_id and o.levy_year = c.levy_year and o.part = c.part
               and o.nth = c.nth + greatest(o.rest - c.rest, 0)) met;
  update outside_row o set verdict = s.verdict from said s
    where o.kind = 'bureau' and o.serial = s.serial and o.verdict <> s.verdict and s.day between p_from and p_until;
  perform name_difference('bureau', p_insurance, day, verdict, 'bill', serial, '',
                          case when verdict in ('AMOUNT_DIFF', 'DATE_DIFF') then personal_due end, amount,
                          case verdict when 'DATE_DIFF' then settled_on end, 0, '', p_now, seen)
    from said where verdict <> 'matched' and day between p_from and p_until;
  perform name_difference('bureau', p_insurance, b.settled_on, 'MISSING_IN_BANK', 'bill', 'bill:' || b.id, '',
                          b.personal_due, null, null, 0, '', p_now, seen)
    from (select id, paid.personal_due, (settled_at at time zone 'Asia/Shanghai')::date as settled_on
            from bill cross join lateral paid_into(household_id, id, p_insurance) as paid (personal_due)
           where insurance = of_bill and state = 'settled' and paid.personal_due > 0  -- who pays nothing is not confirmed
             and settled_at >= p_from::timestamp at time zone 'Asia/Shanghai'
             and settled_at < (p_until + 1)::timestamp at time zone 'Asia/Shanghai') b
   where not exists (select from said where said.bill = b.id and said.part = 'PAY');
  drop table said;
  return forget_differences('bureau', p_insurance, p_from, p_until, 'bill', seen, p_now);
end $$;
