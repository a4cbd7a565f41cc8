-- Refunds of a gateway's statement against our book, by any number or reference a refund was ever sent under. Only one
-- that is done moved money; a list has them from the day they were asked for and never learns how they ended.

-- The cause of a refund that was made at the gateway and never asked for by us. One that their list gives no number at
-- all is known by its day, its amount and its place among its like: a corrected list has it in another row.
create or replace function by_hand(p_line statement_row) returns text language sql stable as $$
  select 'refund:' || p_line.gateway || ':' || coalesce(
    nullif(p_line.refund_reference, ''), nullif(p_line.refund_number, ''),
    p_line.day || '#' || p_line.amount || '#' || (
      select count(*) from statement_row like_it
       where like_it.gateway = p_line.gateway and like_it.day = p_line.day and like_it.movement = 'refund'
         and like_it.refund_reference = '' and like_it.refund_number = '' and like_it.amount = p_line.amount
         and like_it.row <= p_line.row)) || ':unasked'
$$;

-- Whether our book has lost a part of a day, or of one beside it (their days begin when they like), before its server
-- was restored.
create or replace function lost_near(p_day date) returns boolean language sql stable as $$
  select exists (select from reopening where (lost_since at time zone 'Asia/Shanghai')::date <= p_day + 1
                    and (lost_until at time zone 'Asia/Shanghai')::date >= p_day - 1)
$$;

-- What the line of such a refund goes by, of its cause.
create or replace function by_hand_as(p_cause text) returns text language sql immutable as $$
  select substring(p_cause from '^refund:[^:]+:(.*):unasked$')
$$;

-- Does their own word on a line say that the money has left? Under way and refused are no such words.
create or replace function says_done(p_their_word text) returns boolean language sql immutable as $$
  select p_their_word not in ('PROCESSING', 'FAIL', 'CLOSED', 'ABNORMAL', 'CHANGE')
$$;

-- The number of ours, of all a refund was ever sent under, that a line is about.
create or replace function sent_as_of(p_line statement_row) returns refund_number language sql stable as $$
  select n from refund_number n join refund r on r.household_id = n.household_id and r.number = n.number
   where n.household_id in (household_of_number(p_line.refund_number), household_of_number(p_line.number))
     and r.gateway = p_line.gateway
     and (n.sent_as = nullif(p_line.refund_number, '') or n.reference = nullif(p_line.refund_reference, ''))
   order by n.sent_as = p_line.refund_number desc limit 1
$$;

-- Refunds of one gateway and day. A refund we never asked for is booked by refund_by_hand().
create or replace function match_refunds(p_gateway text, p_day date, p_begins timestamptz, p_ends timestamptz)
returns void language plpgsql set search_path = public, pg_temp set jit = off
  set enable_nestloop = off set enable_seqscan = off as $$  -- as match_payments: no row of theirs meets every one of ours
begin
  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours, our_day)
  select p_gateway, p_day, t.row,
         case when t.place > 1 then 'DUPLICATE' when o.went is distinct from 'paid' then 'MISSING_IN_LEDGER'
              when t.amount <> o.amount then 'AMOUNT_DIFF' when p_day not between o.asked - 1 and o.done + 1 then 'DATE_DIFF'
              else 'matched' end,
         coalesce(o.household_id, hand.household_id), coalesce(o.cause, hand.cause),
         case when t.place > 1 then 0 when o.went = 'twice' or o.went = 'paid' and t.amount <> o.amount then o.amount
              when o.number is null then hand.amount end,
         case when o.went = 'paid' and o.done <> p_day then o.done end
    from (select line.*, sent_as_of(line) as sent, by_hand(line) as by_hand,
                 row_number() over (partition by line_key(day, row, coalesce(nullif(refund_reference, ''), refund_number))
                                    order by row) as place
            from statement_row line where gateway = p_gateway and day = p_day and movement = 'refund') t
    left join lateral (
      select r.household_id, r.number, r.amount, split_part((t.sent).booked, ':', 3) as went,
             coalesce((t.sent).booked, 'refund:' || (t.sent).sent_as || ':listed') as cause,
             p_day + floor(extract(epoch from r.applied_at - p_begins) / 86400)::int as asked,
             p_day + floor(extract(epoch from (t.sent).done_at - p_begins) / 86400)::int as done
        from refund r where r.household_id = (t.sent).household_id and r.number = (t.sent).number limit 1) o on true
    left join lateral (select u.* from unasked_refund u
       where u.household_id = household_of_number(t.number) and u.cause = t.by_hand limit 1) hand on true;

  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours)
  select p_gateway, p_day, least(0, (select min(row) from statement_match where gateway = p_gateway and day = p_day))
                           - row_number() over (order by n.sent_as),
         'MISSING_IN_BANK', n.household_id, n.booked, r.amount
    from refund_number n join refund r on r.household_id = n.household_id and r.number = n.number
   where r.gateway = p_gateway and n.done_at >= p_begins and n.done_at < p_ends
     and not exists (select from statement_row t where t.gateway = p_gateway and t.movement = 'refund'
           and t.day between p_day - 366 and p_day + 1 and t.refund_number = n.sent_as)
     and not exists (select from statement_row t where t.gateway = p_gateway and t.movement = 'refund'
           and t.day between p_day - 366 and p_day + 1 and t.refund_reference = n.reference);

  -- Given back by hand, as their list said once; it may stand on a list of another day than it happened.
  insert into statement_match (gateway, day, row, verdict, household_id, cause, ours)
  select p_gateway, p_day, least(0, (select min(row) from statement_match where gateway = p_gateway and day = p_day))
                           - row_number() over (order by u.cause), 'MISSING_IN_BANK', u.household_id, u.cause, u.amount
    from unasked_refund u cross join lateral (
      select happened_at from entry where household_id = u.household_id and cause = u.cause limit 1) e
   where u.gateway = p_gateway and e.happened_at >= p_begins and e.happened_at < p_ends
     and not exists (select from statement_row t where t.gateway = p_gateway and t.movement = 'refund'
           and t.day between p_day - 366 and p_day + 366
           and coalesce(nullif(t.refund_reference, ''), t.refund_number) = by_hand_as(u.cause))
     and not exists (select from statement_row t where t.gateway = p_gateway and t.movement = 'refund'
           and t.day between p_day - 1 and p_day + 1 and t.refund_reference = '' and t.refund_number = ''
           and t.amount = u.amount and by_hand(t) = u.cause);
end $$;

-- What is to be said of a refund on their list that our book has not as one of its own.
create or replace function refund_line_note(p_match statement_match, p_line statement_row) returns text
language sql stable set search_path = public, pg_temp as $$
  select case substring(p_match.cause from '[a-z]+$')
    when 'unasked' then case when not exists (select from posting where household_id = p_match.household_id
        and cause = p_match.cause and account = 'receivable:resident') then 'by_hand_held'
      when (select beyond > 0 from unasked_refund where household_id = p_match.household_id and cause = p_match.cause)
        then 'by_hand_beyond' else 'by_hand' end
    when 'twice' then 'twice'
    when 'listed' then coalesce((select 'under_way' from refund r
      where r.household_id = p_match.household_id and r.sent_as = split_part(p_match.cause, ':', 2)
        and r.state in ('approved', 'paying')), 'not_done')
    else case when p_line.their_word = 'PROCESSING' then 'under_way' when not says_done(p_line.their_word) then 'not_done'
              when is_our_number(p_line.refund_number) then 'unknown_number' else '' end end
$$;

-- What of a receipt has left already, by hand or otherwise, as far as it was the receipt's own money; a transfer that
-- was written down has left. What was held and pays for a bill leaves with the bill, of another household too.
create or replace function receipt_gone(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select (coalesce((select sum(amount - beyond) from unasked_refund
                     where household_id = p_household and receipt = p_receipt and booked_back is null), 0)
          + coalesce((select sum(r.amount) from (
                select p_household as household_id, p_receipt as receipt
                union select coalesce(bills_household, p_household), p_receipt || ':applied' from suspense
                       where household_id = p_household and cause = p_receipt) way
              join refund r using (household_id, receipt)
             where r.state = 'paid' and not refund_is_booked(r.household_id, r.number, array['by_hand'])
                or exists (select from refund_transfer t where t.household_id = r.household_id
                              and t.number = r.number and t.state <> 'refused')), 0))::bigint
$$;

-- A refund made by hand at the gateway: the payer has the money, so it is booked, and he owes it until somebody says
-- why; but of money that is held, which fits no bill, it is what is held that went back, and all of it is a solution.
-- True: booked now. `p_done`: the gateway, asked, says it is done. Nothing is booked for a line that a refund of ours
-- explains, nor under a number that only we give, unless our book has lost a part of that day: then it was ours, and is
-- forgotten. Locks: the payment, the money held, then the receipt.
create or replace function refund_by_hand(p_gateway text, p_day date, p_row int, p_done boolean, p_booked_on date)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  line statement_row;
  household bigint;
  receipt text;
  happened timestamptz;
  held suspense;
  rest bigint;
begin
  select * into strict line from statement_row
    where gateway = p_gateway and day = p_day and row = p_row and movement = 'refund';
  household := household_of_number(line.number);
  if line.amount = 0 or not (p_done or says_done(line.their_word)) or (is_our_number(line.refund_number) and not lost_near(p_day))
     or (sent_as_of(line)).sent_as is not null or exists (
       select from unasked_refund where household_id = household and cause = by_hand(line)) then
    return false;
  end if;
  receipt := coalesce('receipt:' || p_gateway || ':' || nullif(line.reference, ''),
                      (select 'receipt:' || gateway || ':' || reference from payment
                        where household_id = household and number = line.number));
  perform from payment where household_id = household and number = line.number for update;
  select * into held from suspense where household_id = household and cause = receipt and solved_at is null
     and amount > 0 for update;
  perform hold_receipt(household, receipt);  -- as who asks for it
  rest := held.amount - receipt_unasked(receipt) - line.amount;
  happened := coalesce(line.happened_at, p_day::timestamp at time zone 'Asia/Shanghai');
  perform ledger_post(household, by_hand(line), p_booked_on, happened,
                      array[case when rest < 0 or held.cause is null then 'receivable:resident'
                                 when held.doubt = 'surplus' then 'surplus:' || p_gateway
                                 else 'suspense:' || p_gateway end, 'clearing:' || p_gateway],
                      array[line.amount, -line.amount], array[null, null]::bigint[]);
  insert into unasked_refund (household_id, cause, gateway, number, reference, receipt, amount, beyond)
    values (household, by_hand(line), p_gateway, line.refund_number, line.refund_reference, receipt, line.amount,
            least(line.amount, greatest(0, receipt_gone(household, receipt) + line.amount
                                           - receipt_amount(household, receipt))));
  if rest = 0 then
    perform suspense_solve(household, receipt, 'given_back', 'gateway:' || p_gateway, happened);
  end if;
  return true;
end $$;
