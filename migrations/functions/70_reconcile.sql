-- A gateway's statement of a business day against our book, line by line. Comparing writes what became of each line and
-- the names of the differences; it books nothing but the fees. The same facts give the same result, however often.

-- The household a number of ours carries, as payments/number.py reads it; 0 for a number that cannot be ours.
create or replace function household_of_number(p_number text) returns bigint language sql immutable as $$
  select case when p_number ~ '^(YC|YT).{6}[0-9A-HJKMNP-TV-Z]{8}.{10}$' then (
    select sum((position(substr(p_number, 8 + place, 1) in '0123456789ABCDEFGHJKMNPQRSTVWXYZ') - 1)::bigint
               << (5 * (8 - place)))::bigint
      from generate_series(1, 8) place) else 0 end
$$;

-- Payments and receipts of one gateway and day; `p_begins` and `p_ends` are the limits of its business day. A receipt of
-- the day before or after is the same money; who looks further away names a difference of dates.
create or replace function match_payments(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns void language plpgsql set search_path = public, pg_temp set work_mem = '128MB' set jit = off as $$
declare
  prefix text := 'receipt:' || p_gateway || ':';
begin
  -- A list that has just come is not in the statistics yet: whole days are joined by hashing, never row by row.
  perform set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);
  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours, our_day)
  with ours as materialized (
    select e.household_id, e.cause, min(e.happened_at) as happened_at, sum(p.amount)::bigint as amount
      from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
     where e.booked_on >= p_day - 2 and starts_with(e.cause, prefix) and p.account = 'clearing:' || p_gateway
       and e.happened_at >= p_begins - interval '1 day' and e.happened_at < p_ends + interval '1 day'
     group by e.household_id, e.cause
  ), theirs as (
    select row, prefix || reference as cause, amount from statement_row
     where gateway = p_gateway and day = p_day and movement = 'payment'
  )
  select p_gateway, p_day, coalesce(t.row, -(row_number() over (partition by t.row is null order by o.cause))::int),
         case when o.cause is null then 'MISSING_IN_LEDGER' when t.row is null then 'MISSING_IN_BANK'
              when t.amount <> o.amount then 'AMOUNT_DIFF' else 'matched' end,
         o.household_id, case when t.row is null or t.amount <> o.amount then o.cause end,
         case when t.row is null or t.amount <> o.amount then o.amount end,
         case when o.happened_at < p_begins then p_day - 1 when o.happened_at >= p_ends then p_day + 1 end
    from theirs t full join ours o on o.cause = t.cause
   where t.row is not null or (o.happened_at >= p_begins and o.happened_at < p_ends);

  perform set_config('enable_mergejoin', 'on', true);

  -- What their list of a neighbouring day has is not missing.
  delete from statement_match m where gateway = p_gateway and day = p_day and row < 0 and exists (
    select from statement_row r where r.gateway = p_gateway and r.day in (p_day - 1, p_day + 1)
       and r.movement = 'payment' and prefix || r.reference = m.cause);

  -- The same money twice: in this list, or in the one of the day before.
  update statement_match m set verdict = 'DUPLICATE', ours = 0 from (
    select r.row from statement_row r join (
        select reference, min(row) as first from statement_row
         where gateway = p_gateway and day = p_day and movement = 'payment' group by reference having count(*) > 1
      ) twice on twice.reference = r.reference and r.row > twice.first
     where r.gateway = p_gateway and r.day = p_day and r.movement = 'payment'
    union
    select r.row from statement_row r join statement_row b on b.gateway = r.gateway and b.day = p_day - 1
       and b.movement = 'payment' and b.reference = r.reference
     where r.gateway = p_gateway and r.day = p_day and r.movement = 'payment') again
   where m.gateway = p_gateway and m.day = p_day and m.row = again.row;

  -- Booked, but at another time than a day away: few, each found by its key.
  perform set_config('enable_nestloop', 'on', true), set_config('enable_seqscan', 'off', true);
  update statement_match m
     set verdict = case when older.amount <> older.theirs then 'AMOUNT_DIFF' else 'DATE_DIFF' end,
         household_id = older.household_id, cause = older.cause, ours = older.amount,
         our_day = p_day + floor(extract(epoch from older.happened_at - p_begins) / 86400)::int
    from (select m.row, r.amount as theirs, e.household_id, e.cause, e.happened_at,
                 (select sum(p.amount)::bigint from posting p where p.household_id = e.household_id
                     and p.cause = e.cause and p.account = 'clearing:' || p_gateway) as amount
            from statement_match m
            join statement_row r on r.gateway = m.gateway and r.day = m.day and r.row = m.row
            join entry e on e.household_id in (household_of_number(r.number), 0) and e.cause = prefix || r.reference
           where m.gateway = p_gateway and m.day = p_day and m.verdict = 'MISSING_IN_LEDGER'
             and r.movement = 'payment') older
   where m.gateway = p_gateway and m.day = p_day and m.row = older.row and older.amount is not null;

  perform set_config('enable_nestloop', 'off', true), set_config('enable_seqscan', 'on', true);

  -- Booked as money that fits nothing: the amounts agree, but not what it is for.
  update statement_match m
     set verdict = case s.doubt when 'amount' then 'AMOUNT_DIFF' else 'UNKNOWN_PERSON' end,
         cause = s.cause, household_id = s.household_id,
         ours = case s.doubt when 'amount' then coalesce(pay.amount, s.amount) else s.amount end
    from suspense s
    join statement_row r on r.gateway = p_gateway and r.day = p_day and r.movement = 'payment'
     and prefix || r.reference = s.cause
    left join payment pay on pay.household_id = s.household_id and pay.number = s.number
   where s.gateway = p_gateway and s.solved_at is null and s.doubt not in ('surplus', 'unconfirmed')
     and m.gateway = p_gateway and m.day = p_day and m.row = r.row and m.verdict = 'matched';
  perform set_config('enable_nestloop', 'on', true);
end $$;

-- The cause of a refund that was made at the gateway and never asked for by us.
create or replace function by_hand(p_gateway text, p_reference text, p_number text) returns text language sql immutable as $$
  select 'refund:' || p_gateway || ':' || coalesce(nullif(p_reference, ''), p_number) || ':unasked'
$$;

-- Refunds of one gateway and day, by our number or theirs. A refund we never asked for is booked by refund_by_hand().
create or replace function match_refunds(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns void language plpgsql set search_path = public, pg_temp as $$
begin
  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours, our_day)
  select p_gateway, p_day, t.row,
         case when t.place > 1 then 'DUPLICATE' when o.number is null or o.state <> 'paid' then 'MISSING_IN_LEDGER'
              when t.amount <> o.amount then 'AMOUNT_DIFF' when abs(o.day - p_day) > 1 then 'DATE_DIFF'
              else 'matched' end,
         coalesce(o.household_id, hand.household_id),
         case when o.state = 'paid' then 'refund:' || o.number || ':paid' else hand.cause end,
         case when t.place > 1 then 0 when o.state = 'paid' and t.amount <> o.amount then o.amount
              when o.number is null and hand.cause is not null then t.amount end,
         case when o.state = 'paid' and o.day <> p_day then o.day end
    from (select *, row_number() over (partition by coalesce(nullif(refund_reference, ''), refund_number) order by row)
                    as place from statement_row
           where gateway = p_gateway and day = p_day and movement = 'refund') t
    left join lateral (
      select r.*, p_day + floor(extract(epoch from r.paid_at - p_begins) / 86400)::int as day from refund r
       where r.household_id = household_of_number(coalesce(nullif(t.refund_number, ''), t.number))
         and r.gateway = p_gateway
         and (r.sent_as = t.refund_number or r.refund_reference = nullif(t.refund_reference, ''))
       order by r.sent_as = t.refund_number desc limit 1) o on true
    left join entry hand on hand.household_id = household_of_number(t.number) and hand.cause = by_hand(p_gateway, t.refund_reference, t.refund_number);

  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours)
  select p_gateway, p_day, least(0, (select min(row) from statement_match where gateway = p_gateway and day = p_day))
                           - row_number() over (order by number),
         'MISSING_IN_BANK', household_id, 'refund:' || number || ':paid', amount
    from refund r
   where gateway = p_gateway and state = 'paid' and paid_at >= p_begins and paid_at < p_ends
     and not exists (select from statement_row t where t.gateway = p_gateway and t.day between p_day - 1 and p_day + 1
           and t.movement = 'refund'
           and (t.refund_number = r.sent_as or (t.refund_reference <> '' and t.refund_reference = r.refund_reference)));
end $$;

-- What became of every line of a statement that is in; how many lines are not matched. No other comparison of the same
-- day runs meanwhile.
create or replace function match_statement(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('matching ' || p_gateway), p_day - date '2000-01-01');
  delete from statement_match where gateway = p_gateway and day = p_day;
  perform match_payments(p_gateway, p_day, p_begins, p_ends);
  perform match_refunds(p_gateway, p_day, p_begins, p_ends);
  update statement set matched_at = clock_timestamp() where gateway = p_gateway and day = p_day and state <> 'waiting';
  return (select count(*) from statement_match where gateway = p_gateway and day = p_day and verdict <> 'matched');
end $$;

-- A refund made by hand at the gateway: the payer has the money, so it is booked, and he owes it until somebody says
-- why. True: booked now. Nothing is booked for a line that a refund of ours explains.
create or replace function refund_by_hand(p_gateway text, p_day date, p_row int, p_booked_on date)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  line statement_row;
  household bigint;
begin
  select * into strict line from statement_row
    where gateway = p_gateway and day = p_day and row = p_row and movement = 'refund';
  household := household_of_number(line.number);
  if line.amount = 0 or exists (select from refund r where r.gateway = p_gateway
      and r.household_id in (household, household_of_number(line.refund_number))
      and (r.sent_as = line.refund_number or r.refund_reference = nullif(line.refund_reference, ''))) then
    return false;
  end if;
  return ledger_post(household, by_hand(p_gateway, line.refund_reference, line.refund_number), p_booked_on,
                     coalesce(line.happened_at, p_day::timestamp at time zone 'Asia/Shanghai'),
                     array['receivable:resident', 'clearing:' || p_gateway], array[line.amount, -line.amount],
                     array[null, null]::bigint[]);
end $$;

-- What a gateway kept of a day's money, thousandths of a fen rounded half up to the fen. True: booked now. A fee that was
-- booked before with another sum stays, and the difference gets its name.
create or replace function book_fees(p_gateway text, p_day date, p_now timestamptz, p_booked_on date)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  fee bigint;
  booked bigint;
  fee_cause text := 'statement:' || p_gateway || ':' || p_day || ':fees';
begin
  select floor((s.fee + 500) / 1000.0) into fee from statement s
    where s.gateway = p_gateway and s.day = p_day and s.state = 'whole';
  select sum(amount) into booked from posting
    where household_id = 0 and cause = fee_cause and account = 'fees:' || p_gateway;
  if booked is not null or coalesce(fee, 0) = 0 then
    return false;
  end if;
  return ledger_post(0, fee_cause, p_booked_on, p_now, array['fees:' || p_gateway, 'clearing:' || p_gateway],
                     array[fee, -fee], array[null, null]::bigint[]);
end $$;

-- Give every difference of a statement its name, and let go of those that are no more. A cleared one stays cleared as
-- long as its facts stay; with other facts it is another difference. How many are open.
create or replace function name_differences(p_gateway text, p_day date, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  seen timestamptz := clock_timestamp();
begin
  perform name_difference('channel', p_gateway, p_day, found.kind, found.what, found.subject, found.number, found.ours,
                          found.theirs, found.our_day, found.lacks, found.note, p_now, seen)
    from differences_of(p_gateway, p_day) found;
  return forget_differences('channel', p_gateway, p_day, p_day, null, seen, p_now);
end $$;

-- One difference, opened, or seen again. Whoever is asked for owns it: what went back to payers is the refund desk's.
create or replace function name_difference(
  p_books text, p_channel text, p_day date, p_kind text, p_what text, p_subject text, p_number text, p_ours bigint,
  p_theirs bigint, p_our_day date, p_lacks bigint, p_note text, p_now timestamptz, p_seen timestamptz
) returns void language sql set search_path = public, pg_temp as $$
  insert into discrepancy as d (books, channel, day, kind, what, subject, number, ours, theirs, our_day, lacks, note,
                                owner, opened_at, deadline, seen_at)
    values (p_books, p_channel, p_day, p_kind, p_what, p_subject, p_number, p_ours, p_theirs, p_our_day, p_lacks, p_note,
            case p_what when 'refund' then 'refund_desk' else 'tax_clerk' end, p_now, p_now + interval '1 day', p_seen)
    on conflict (books, channel, day, kind, what, subject, ours, theirs, our_day) do update
      set seen_at = p_seen, lacks = case when d.state = 'open' then p_lacks else d.lacks end,
          note = case when d.state = 'open' and d.note not in ('said_paid', 'said_not', 'silent') then p_note else d.note end,
          state = case when d.cleared_by = 'rule:matched' then 'open' else d.state end,
          reason = case when d.cleared_by = 'rule:matched' then '' else d.reason end,
          remedy = case when d.cleared_by = 'rule:matched' then '' else d.remedy end,
          cleared_at = case when d.cleared_by = 'rule:matched' then null else d.cleared_at end,
          cleared_by = nullif(d.cleared_by, 'rule:matched')
$$;

-- Differences that this comparison has not seen are no more; how many are left. `p_channel` or `p_what` null: any.
create or replace function forget_differences(
  p_books text, p_channel text, p_from date, p_until date, p_what text, p_seen timestamptz, p_now timestamptz
) returns bigint language plpgsql set search_path = public, pg_temp as $$
begin
  update discrepancy set state = 'cleared', remedy = 'gone', reason = '再次核对时已经相符', cleared_by = 'rule:matched',
                         cleared_at = p_now
    where books = p_books and channel = coalesce(p_channel, channel) and day between p_from and p_until
      and what = coalesce(p_what, what) and state <> 'cleared' and seen_at < p_seen;
  return (select count(*) from discrepancy
           where books = p_books and channel = coalesce(p_channel, channel) and day between p_from and p_until
             and what = coalesce(p_what, what) and state <> 'cleared');
end $$;

-- The differences of a statement as they stand: of its lines, of our lines that it lacks, and of its fees.
-- `lacks` is what the clearing account misses (negative: has too much) until somebody books it.
create or replace function differences_of(p_gateway text, p_day date)
returns table (kind text, what text, subject text, number text, ours bigint, theirs bigint, our_day date, lacks bigint,
               note text) language sql stable set search_path = public, pg_temp set enable_seqscan = off as $$
  select m.verdict, r.movement,
         coalesce(nullif(case r.movement when 'refund' then r.refund_reference else r.reference end, ''),
                  nullif(r.refund_number, ''), '第' || m.row || '行')
           || case m.verdict when 'DUPLICATE' then '#' || m.row else '' end,
         r.number, case m.verdict when 'DUPLICATE' then null else m.ours end, r.amount, m.our_day,
         case when m.verdict in ('DATE_DIFF', 'UNKNOWN_PERSON') or held.cause is not null then 0
              when r.movement = 'payment' then r.amount - coalesce(m.ours, 0)
              else coalesce(m.ours, 0) - r.amount end,
         case when m.verdict = 'MISSING_IN_LEDGER' and m.cause is not null then 'by_hand'
              when held.cause is not null then 'held' else '' end
    from statement_match m
    join statement_row r on r.gateway = m.gateway and r.day = m.day and r.row = m.row
    left join suspense held on held.household_id = m.household_id and held.cause = m.cause and held.solved_at is null
   where m.gateway = p_gateway and m.day = p_day and m.verdict <> 'matched'
  union all
  select m.verdict, case split_part(m.cause, ':', 1) when 'refund' then 'refund' else 'payment' end,
         case split_part(m.cause, ':', 1) when 'refund' then split_part(m.cause, ':', 2)
              else split_part(m.cause, ':', 3) end,
         coalesce(pay.number, case split_part(m.cause, ':', 1) when 'refund' then split_part(m.cause, ':', 2) end, ''),
         m.ours, null, m.our_day, case split_part(m.cause, ':', 1) when 'refund' then m.ours else -m.ours end,
         case when next.state in ('whole', 'empty') then '' else 'awaits' end
    from statement_match m
    left join payment pay on pay.household_id = m.household_id and pay.reference = split_part(m.cause, ':', 3)
     and pay.gateway = m.gateway
    left join statement next on next.gateway = m.gateway and next.day = m.day + 1
   where m.gateway = p_gateway and m.day = p_day and m.row < 0
  union all
  select 'AMOUNT_DIFF', 'fee', 'fees', '', booked.fee, floor((s.fee + 500) / 1000.0)::bigint, null,
         booked.fee - floor((s.fee + 500) / 1000.0)::bigint, ''
    from statement s, lateral (
      select coalesce(sum(amount), 0)::bigint as fee from posting where household_id = 0
         and cause = 'statement:' || p_gateway || ':' || p_day || ':fees' and account = 'fees:' || p_gateway) booked
   where s.gateway = p_gateway and s.day = p_day and s.state = 'whole'
     and booked.fee <> floor((s.fee + 500) / 1000.0)
$$;

-- Lines that could not be matched and might be healed: what they say, and what we know of their numbers.
create or replace function unhealed(p_gateway text, p_day date)
returns table (line int, movement text, number text, reference text, refund_number text, refund_reference text,
               amount bigint, happened_at timestamptz, their_word text, paid_by text, merchant text, app text,
               expected bigint, refund text) language sql stable security definer
  set search_path = public, pg_temp set enable_seqscan = off as $$
  select r.row, r.movement, r.number, r.reference, r.refund_number, r.refund_reference, r.amount, r.happened_at,
         r.their_word, p.gateway, p.merchant, p.app, p.amount, known.number
    from statement_match m
    join statement_row r on r.gateway = m.gateway and r.day = m.day and r.row = m.row
    left join payment p on r.movement = 'payment' and p.household_id = household_of_number(r.number)
     and p.number = r.number
    left join lateral (select f.number from refund f where r.movement = 'refund' and f.gateway = r.gateway
        and f.household_id = household_of_number(coalesce(nullif(r.refund_number, ''), r.number))
        and (f.sent_as = r.refund_number or f.refund_reference = nullif(r.refund_reference, '')) limit 1) known on true
   where m.gateway = p_gateway and m.day = p_day and m.verdict = 'MISSING_IN_LEDGER' and m.cause is null
   order by r.row
$$;
