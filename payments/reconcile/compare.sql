-- A gateway's statement of a business day against our book, line by line. Comparing writes what became of each line and
-- the names of the differences; it books nothing but the fees. The same facts give the same result, however often.

-- Payments and receipts of one gateway and day; `p_begins` and `p_ends` are the limits of its business day. A receipt of
-- the day before or after is the same money; who looks further away names a difference of dates.
create or replace function match_payments(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns void language plpgsql set search_path = public, pg_temp set work_mem = '128MB' set jit = off as $$
declare
  prefix text := 'receipt:' || p_gateway || ':';
begin
  -- A list that has just come is not in the statistics yet: whole days are joined by hashing, never row by row.
  perform set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);
  -- Written in the order of their list, whatever order joining gave: an index that grows at its end costs a third.
  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours, our_day)
  with ours as (
    select e.household_id, e.cause, min(e.happened_at) as happened_at, sum(p.amount)::bigint as amount
      from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
     where e.booked_on >= p_day - 2 and starts_with(e.cause, prefix) and p.account = 'clearing:' || p_gateway
       and e.happened_at >= p_begins - interval '1 day' and e.happened_at < p_ends + interval '1 day'
     group by e.household_id, e.cause
  ), theirs as (
    select row, prefix || line_key(day, row, reference) as cause, amount from statement_row
     where gateway = p_gateway and day = p_day and movement = 'payment'
  ), met as materialized (
    select t.row, o.cause as receipt,
           case when o.cause is null then 'MISSING_IN_LEDGER' when t.row is null then 'MISSING_IN_BANK'
                when t.amount <> o.amount then 'AMOUNT_DIFF' else 'matched' end as verdict,
           o.household_id, case when t.row is null or t.amount <> o.amount then o.cause end as cause,
           case when t.row is null or t.amount <> o.amount then o.amount end as ours,
           case when o.happened_at < p_begins then p_day - 1 when o.happened_at >= p_ends then p_day + 1 end as our_day
      from theirs t full join ours o on o.cause = t.cause
     where t.row is not null or (o.happened_at >= p_begins and o.happened_at < p_ends)
  )
  (select p_gateway, p_day, row, verdict, household_id, cause, ours, our_day from met where row is not null order by row)
  union all
  select p_gateway, p_day, -(row_number() over (order by receipt))::int, verdict, household_id, cause, ours, our_day
    from met where row is null;

  perform set_config('enable_mergejoin', 'on', true);

  -- What their list of a neighbouring day has is not missing.
  delete from statement_match m where gateway = p_gateway and day = p_day and row < 0 and exists (
    select from statement_row r where r.gateway = p_gateway and r.day in (p_day - 1, p_day + 1)
       and r.movement = 'payment' and prefix || line_key(r.day, r.row, r.reference) = m.cause);

  -- The same money twice: in this list, or in the one of the day before.
  update statement_match m set verdict = 'DUPLICATE', ours = 0 from (
    select r.row from statement_row r join (
        select reference, min(row) as first from statement_row
         where gateway = p_gateway and day = p_day and movement = 'payment' and reference <> ''
         group by reference having count(*) > 1
      ) twice on twice.reference = r.reference and r.row > twice.first
     where r.gateway = p_gateway and r.day = p_day and r.movement = 'payment'
    union
    select r.row from statement_row r join statement_row b on b.gateway = r.gateway and b.day = p_day - 1
       and b.movement = 'payment' and b.reference = r.reference and b.reference <> ''
     where r.gateway = p_gateway and r.day = p_day and r.movement = 'payment') again
   where m.gateway = p_gateway and m.day = p_day and m.row = again.row;

  -- Booked, but at another time than a day away: each found by its key, whatever the statistics say.
  perform set_config('enable_seqscan', 'off', true);
  update statement_match m
     set verdict = case when older.amount <> older.theirs then 'AMOUNT_DIFF' else 'DATE_DIFF' end,
         household_id = older.household_id, cause = older.cause, ours = older.amount,
         our_day = p_day + floor(extract(epoch from older.happened_at - p_begins) / 86400)::int
    from (select m.row, r.amount as theirs, e.household_id, e.cause, e.happened_at,
                 (select sum(p.amount)::bigint from posting p where p.household_id = e.household_id
                     and p.cause = e.cause and p.account = 'clearing:' || p_gateway) as amount
            from statement_match m
            cross join lateral (select * from statement_row l where l.gateway = m.gateway and l.day = m.day
                                   and l.row = m.row limit 1) r
            cross join lateral (select * from entry where household_id in (household_of_number(r.number), 0)
                                   and cause = prefix || line_key(r.day, r.row, r.reference) limit 1) e
           where m.gateway = p_gateway and m.day = p_day and m.verdict = 'MISSING_IN_LEDGER'
             and r.movement = 'payment') older
   where m.gateway = p_gateway and m.day = p_day and m.row = older.row and older.amount is not null;

  perform set_config('enable_seqscan', 'on', true);

  -- Booked as money that fits nothing: the amounts agree, but not what it is for.
  update statement_match m
     set verdict = case s.doubt when 'amount' then 'AMOUNT_DIFF' else 'UNKNOWN_PERSON' end,
         cause = s.cause, household_id = s.household_id,
         ours = case s.doubt when 'amount' then coalesce(pay.amount, s.amount) else s.amount end
    from suspense s
    join statement_row r on r.gateway = p_gateway and r.day = p_day and r.movement = 'payment'
     and prefix || line_key(r.day, r.row, r.reference) = s.cause
    left join payment pay on pay.household_id = s.household_id and pay.number = s.number
   where s.gateway = p_gateway and s.solved_at is null and s.doubt not in ('surplus', 'unconfirmed')
     and m.gateway = p_gateway and m.day = p_day and m.row = r.row and m.verdict = 'matched';

  -- Booked by a card's line that named another person before (payments/reconcile/pos.sql).
  update statement_match m set verdict = 'UNKNOWN_PERSON', ours = r.amount from statement_row r
   where p_gateway = 'ccb_pos' and r.gateway = p_gateway and r.day = p_day and r.movement = 'payment'
     and r.their_word = 'POS elsewhere'
     and m.gateway = p_gateway and m.day = p_day and m.row = r.row and m.verdict = 'matched';
  perform set_config('enable_nestloop', 'on', true);
end $$;

-- What became of every line of a statement that is in; how many lines are not matched. Until its differences have their
-- names (name_differences) the day does not count as compared.
create or replace function match_statement(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform hold_statement(p_gateway, p_day);
  delete from statement_match where gateway = p_gateway and day = p_day;
  perform match_payments(p_gateway, p_day, p_begins, p_ends);
  perform match_refunds(p_gateway, p_day, p_begins, p_ends);
  update statement set matched_at = null where gateway = p_gateway and day = p_day;
  return (select count(*) from statement_match where gateway = p_gateway and day = p_day and verdict <> 'matched');
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

-- Give every difference of a statement its name, and let go of those that are no more; called in the transaction that
-- matched the lines. A cleared one stays cleared as long as its facts stay; with other facts it is another difference.
-- How many are open.
create or replace function name_differences(p_gateway text, p_day date, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  seen timestamptz := clock_timestamp();
begin
  perform name_difference('channel', p_gateway, p_day, found.kind, found.what, found.subject, found.number, found.ours,
                          found.theirs, found.our_day, found.lacks, found.note, p_now, seen)
    from differences_of(p_gateway, p_day) found;
  update statement set matched_at = seen where gateway = p_gateway and day = p_day and state <> 'waiting';
  return forget_differences('channel', p_gateway, p_day, p_day, null, seen, p_now);
end $$;

-- One difference, opened, or seen again; one that had gone and is there again is as new, and wakes somebody again.
-- Whoever is asked for owns it: what went back to payers is the refund desk's.
create or replace function name_difference(
  p_books text, p_channel text, p_day date, p_kind text, p_what text, p_subject text, p_number text, p_ours bigint,
  p_theirs bigint, p_our_day date, p_lacks bigint, p_note text, p_now timestamptz, p_seen timestamptz
) returns void language plpgsql set search_path = public, pg_temp as $$
declare
  d discrepancy;
begin
  insert into discrepancy as old (books, channel, day, kind, what, subject, number, ours, theirs, our_day, lacks, note,
                                owner, opened_at, deadline, seen_at)
    values (p_books, p_channel, p_day, p_kind, p_what, p_subject, p_number, p_ours, p_theirs, p_our_day, p_lacks, p_note,
            case p_what when 'refund' then 'refund_desk' else 'tax_clerk' end, p_now, p_now + interval '1 day', p_seen)
    on conflict (books, channel, day, kind, what, subject, ours, theirs, our_day) do update
      set seen_at = p_seen, lacks = case when old.state = 'open' then p_lacks else old.lacks end,
          note = case when old.state = 'open' and old.note not in ('said_paid', 'said_not', 'silent') then p_note
                      else old.note end
    returning * into d;
  if d.cleared_by = 'rule:matched' then
    update discrepancy set state = 'open', reason = '', remedy = '', cleared_at = null, cleared_by = null,
                           lacks = p_lacks, note = p_note, alerted = false, opened_at = p_now,
                           deadline = p_now + interval '1 day' where id = d.id;
  end if;
end $$;

-- Differences that this comparison has not seen are no more; how many are left. `p_channel` or `p_what` null: any. One
-- that was booked does not go in silence: what it moved is a difference now, until it is booked back or explained.
create or replace function forget_differences(
  p_books text, p_channel text, p_from date, p_until date, p_what text, p_seen timestamptz, p_now timestamptz
) returns bigint language plpgsql set search_path = public, pg_temp as $$
declare
  d discrepancy;
begin
  for d in
    select * from discrepancy
     where books = p_books and channel = coalesce(p_channel, channel) and day between p_from and p_until
       and what = coalesce(p_what, what) and state = 'cleared' and remedy = 'book' and seen_at < p_seen
       and exists (select from entry where household_id = 0 and cause = 'discrepancy:' || id || ':booked') order by id
  loop
    continue when (select seen_at from discrepancy where id = d.id) = p_seen;  -- it was the name of an earlier one
    perform name_difference(d.books, d.channel, d.day, 'AMOUNT_DIFF', d.what, booked_difference(d.id::text), d.number,
                            d.lacks, 0, null, case when can_be_booked_back(d) then -d.lacks else 0 end,
                            'vanished', p_now, p_seen);
  end loop;
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
               note text) language sql stable set search_path = public, pg_temp
  set enable_seqscan = off as $$
  select m.verdict, r.movement,
         line_key(r.day, r.row, coalesce(nullif(case r.movement when 'refund' then r.refund_reference else r.reference end,
                                                ''), r.refund_number))
           || case m.verdict when 'DUPLICATE' then '#' || m.row else '' end,
         r.number, case m.verdict when 'DUPLICATE' then null else m.ours end, r.amount, m.our_day,
         case when m.verdict in ('DATE_DIFF', 'UNKNOWN_PERSON') or held.cause is not null then 0
              when r.movement = 'payment' then r.amount - coalesce(m.ours, 0)
              when m.verdict = 'MISSING_IN_LEDGER' and m.ours is null then 0  -- it books itself once it is done
              else coalesce(m.ours, 0) - r.amount end,
         case when m.verdict = 'MISSING_IN_LEDGER' and r.movement = 'refund' then refund_line_note(m, r.line)
              when held.cause is not null then 'held' when m.verdict = 'UNKNOWN_PERSON' then 'elsewhere' else '' end
    from statement_match m
    cross join lateral (select l.*, l as line from statement_row l where l.gateway = m.gateway and l.day = m.day
       and l.row = m.row limit 1) r
    left join lateral (select s.cause from suspense s where s.household_id = m.household_id and s.cause = m.cause
       and s.solved_at is null limit 1) held on true
   where m.gateway = p_gateway and m.day = p_day and m.verdict <> 'matched'
  union all
  select m.verdict, case split_part(m.cause, ':', 1) when 'refund' then 'refund' else 'payment' end,
         coalesce(sent.sent_as, by_hand_as(m.cause), split_part(m.cause, ':', 3)), coalesce(sent.sent_as, pay.number, ''),
         m.ours, null, m.our_day, case split_part(m.cause, ':', 1) when 'refund' then m.ours else -m.ours end,
         case when exists (select from statement next where next.gateway = m.gateway and next.day = m.day + 1
                              and next.state in ('whole', 'empty')) then '' else 'awaits' end
    from statement_match m
    left join lateral (select p.number from payment p where p.household_id = m.household_id and p.gateway = m.gateway
       and p.reference = split_part(coalesce((select u.receipt from unasked_refund u where u.household_id = m.household_id
         and u.cause = m.cause), m.cause), ':', 3) limit 1) pay on true
    left join lateral (select n.sent_as from refund_number n where n.household_id = m.household_id  -- one of its numbers
       and n.booked = m.cause limit 1) sent on true
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

-- Lines that could not be matched and might be healed: what they say, and what we know of their numbers. A payment that
-- was ordered under another application of ours than its line names is not known by the list alone: the gateway is asked.
create or replace function unhealed(p_gateway text, p_day date)
returns table (line int, movement text, number text, reference text, refund_number text, refund_reference text,
               amount bigint, happened_at timestamptz, their_word text, paid_by text, merchant text, app text,
               expected bigint, refund text, sent_as text, asked_at timestamptz) language sql stable security definer
  set search_path = public, pg_temp set enable_seqscan = off as $$
  select r.row, r.movement, r.number, r.reference, r.refund_number, r.refund_reference, r.amount, r.happened_at,
         r.their_word, p.gateway, p.merchant, p.app, p.amount, known.number, known.sent_as, known.ordered_at
    from statement_match m
    cross join lateral (select l.*, l as line from statement_row l where l.gateway = m.gateway and l.day = m.day
       and l.row = m.row limit 1) r
    left join lateral (select * from payment where r.movement = 'payment'
       and household_id = household_of_number(r.number) and number = r.number
       and r.app in ('', app) limit 1) p on true
    left join lateral (select * from refund_number where household_id = m.household_id
       and m.cause = 'refund:' || sent_as || ':listed' limit 1) known on true
   where m.gateway = p_gateway and m.day = p_day and m.verdict = 'MISSING_IN_LEDGER'
     and (m.cause is null or m.cause like '%:listed')
   order by r.row
$$;
