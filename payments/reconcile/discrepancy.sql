-- How a difference ends: one person says what and why; where money moves, a second agrees, and only then it is booked.

-- The account that took what a difference lacked, once it is booked.
create or replace function booked_in(p_id bigint) returns text language sql stable as $$
  select account from posting where household_id = 0 and cause = 'discrepancy:' || p_id || ':booked' and line = 2
$$;

-- Can what was booked for facts that are no more be booked back? Not out of money in doubt or surplus that was applied
-- or given back since, or that somebody asks to have given back.
create or replace function can_be_booked_back(d discrepancy) returns boolean language sql stable as $$
  select booked_in(d.id) !~ '^(suspense|surplus):' or (d.lacks < 0 and d.what = 'payment') or exists (
    select from suspense s left join unasked_refund u on u.household_id = s.household_id and u.receipt = s.cause
       and u.booked_back = 'discrepancy:' || d.id || ':booked'
     where s.solved_at is null and (s.household_id = 0 and s.cause = 'discrepancy:' || d.id || ':booked'
             and receipt_unasked(s.cause) = 0 or s.amount - receipt_unasked(s.cause) >= u.amount)
       and not exists (select from refund r where r.household_id = s.household_id and r.receipt = s.cause
                          and r.held is not null and r.state <> 'rejected'))
$$;

-- The difference that was booked, and is no more, of which this one tells; null: it tells of none. What was booked is
-- held against whoever solves it.
create or replace function former_difference(p_subject text) returns discrepancy language plpgsql as $$
declare
  d discrepancy;
begin
  select * into d from discrepancy where id = substring(p_subject from booked_difference('([0-9]+)'))::bigint;
  perform from suspense where household_id = 0 and cause = 'discrepancy:' || d.id || ':booked' for update;
  return d;
end $$;

-- The account of the other books that a difference is about, and the one that takes what it lacks; what was booked for
-- facts that are no more goes back where it came from.
create or replace function accounts_of(d discrepancy) returns text[] language sql stable as $$
  select case
    when d.subject ~ booked_difference('[0-9]+') then (
      select array_agg(account order by line) from posting
       where household_id = 0 and cause = 'discrepancy:' || substring(d.subject from '[0-9]+') || ':booked')
    when d.books = 'channel' and d.what = 'fee' then array['clearing:' || d.channel, 'fees:' || d.channel]
    when d.books = 'channel' and d.lacks < 0 then array['clearing:' || d.channel, 'receivable:resident']
    when d.books = 'channel' and d.what = 'refund' then array['clearing:' || d.channel, coalesce((
      select p.account from refund_number n join posting p on p.household_id = n.household_id and p.cause = n.booked
       where n.household_id = household_of_number(d.subject) and n.sent_as = d.subject and p.amount > 0
         and d.kind = 'MISSING_IN_BANK'), unasked_place(unasked_of(d)), 'refunds:' || d.channel)]
      -- back where it was booked: owed, or owed back
    when d.books = 'channel' then array['clearing:' || d.channel, 'suspense:' || d.channel]
    when d.books = 'deposit' and d.what = 'deposit' then array['clearing:' || d.channel, 'fees:' || d.channel]
  end
$$;

-- Money of no household that waits for an explanation: an owner and his days, as for any suspense (INV-19).
create or replace function hold_for_nobody(
  p_cause text, p_doubt text, p_gateway text, p_number text, p_amount bigint, p_booked_on date
) returns void language sql set search_path = public, pg_temp as $$
  insert into suspense (household_id, cause, doubt, owner, gateway, number, amount, owned_on, due_on)
    values (0, p_cause, p_doubt, 'tax_clerk', p_gateway, p_number, p_amount, working_day(p_booked_on + 1),
            working_day(p_booked_on + 7)) on conflict do nothing
$$;

-- Somebody says how a difference ends: `accept` with a reason ends it; `book` books what is lacking once a second
-- person agrees. LX030: it has ended, or nothing is to be booked.
create or replace function discrepancy_clear(p_id bigint, p_remedy text, p_reason text, p_by text, p_now timestamptz)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  d discrepancy;
begin
  select * into d from discrepancy where id = p_id for update;
  if d.id is null or d.state <> 'open' or p_remedy not in ('accept', 'book')
     or (p_remedy = 'book' and (d.lacks = 0 or accounts_of(d) is null)) then
    raise exception 'difference % cannot end by %', p_id, p_remedy using errcode = 'LX030';
  end if;
  update discrepancy set state = case p_remedy when 'book' then 'proposed' else 'cleared' end, remedy = p_remedy,
                         reason = p_reason, cleared_by = p_by, cleared_at = p_now where id = p_id
    returning state into d.state;
  perform discrepancy_note(p_id, case d.state when 'proposed' then 'proposed' else 'accepted' end, p_by, p_reason, p_now);
  return d.state;
end $$;

-- A second person agrees, and it is booked, or does not, and it is open again. LX030: nothing waits for that, or what
-- it was about has come otherwise since, or has ended, or the list it was seen in is there anew and not compared yet.
create or replace function discrepancy_confirm(
  p_id bigint, p_agreed boolean, p_by text, p_now timestamptz, p_booked_on date
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  d discrepancy;
  former discrepancy;
  accounts text[];
  cause text;
begin
  perform hold_statement(channel, day) from discrepancy where id = p_id and books = 'channel';  -- nobody compares it now
  select * into d from discrepancy where id = p_id for update;
  if d.id is null or d.state <> 'proposed' then
    raise exception 'difference % waits for nobody', p_id using errcode = 'LX030';
  end if;
  if d.cleared_by = p_by then
    raise exception 'difference % needs a second person', p_id using errcode = 'LX031';
  end if;
  if not p_agreed then
    update discrepancy set state = 'open', remedy = '', reason = '', cleared_by = null, cleared_at = null
      where id = p_id;
    perform discrepancy_note(p_id, 'refused', p_by, '', p_now);
    return;
  end if;
  if d.books = 'channel' and (
       exists (select from statement where gateway = d.channel and day = d.day and state <> 'waiting'
                  and matched_at is null)
       or d.what = 'payment' and d.kind = 'MISSING_IN_LEDGER' and exists (
         select from entry e where e.household_id in (household_of_number(d.number), 0)
            and e.cause = 'receipt:' || d.channel || ':' || d.subject)) then
    raise exception 'difference % is not what it was', p_id using errcode = 'LX030';
  end if;
  update discrepancy set state = 'cleared', confirmed_by = p_by, confirmed_at = p_now where id = p_id;
  perform discrepancy_note(p_id, 'booked', p_by, '', p_now);
  perform hold_unasked(unasked_of(d));
  former := former_difference(d.subject);
  if former.id is not null and not can_be_booked_back(former) then
    raise exception 'what difference % booked has ended', former.id using errcode = 'LX030';
  end if;
  accounts := accounts_of(d);
  if d.what = 'payment' and d.kind = 'MISSING_IN_LEDGER' then
    perform hold_money(household_of_number(d.number), d.channel, d.number, d.subject, d.lacks, 'unconfirmed', 'suspense',
                       'tax_clerk', d.day::timestamp at time zone 'Asia/Shanghai' + interval '12 hours', p_booked_on);
    return;
  end if;
  cause := 'discrepancy:' || p_id || ':booked';
  perform ledger_post(0, cause, p_booked_on, p_now, accounts, array[d.lacks, -d.lacks], array[null, null]::bigint[]);
  if unasked_moves(d, accounts[2], p_by, p_now, p_booked_on) or accounts[2] not like 'suspense:%' then
    return;
  elsif d.lacks < 0 then
    perform suspense_solve(0, 'discrepancy:' || former.id || ':booked', 'never_there', p_by, p_now);
  else
    perform hold_for_nobody(cause, 'unconfirmed', d.channel, d.number, d.lacks, p_booked_on);
  end if;
end $$;

-- What must be named when a day is closed: statements that are not in or not compared, and differences that are open.
create or replace function day_exceptions(p_day date) returns jsonb language sql stable security definer
  set search_path = public, pg_temp as $$
  select coalesce(jsonb_agg(named order by named->>'what', named->>'channel', named->>'subject', named->>'id'), '[]')
    from (
      select jsonb_build_object('what', 'statement', 'channel', expected.gateway, 'subject',
               case when s.state is null or s.state = 'waiting' then 'missing' else 'not compared' end) as named
        from (select distinct gateway from payment where ordered_at < (p_day + 1)::timestamp at time zone 'Asia/Shanghai'
              union select gateway from statement where day = p_day) expected
        left join statement s on s.gateway = expected.gateway and s.day = p_day
       where s.state is null or s.state = 'waiting' or s.matched_at is null
      union all
      select jsonb_build_object('what', d.what, 'channel', d.channel, 'subject', d.subject, 'id', d.id, 'books', d.books,
               'kind', d.kind, 'day', d.day, 'ours', d.ours, 'theirs', d.theirs, 'owner', d.owner, 'state', d.state)
        from discrepancy d where d.day <= p_day and d.state <> 'cleared') open
$$;
