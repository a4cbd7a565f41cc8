-- Money that goes back. Asked for by one person, agreed to by another, booked as owed when agreed, and booked as paid
-- when the gateway says so. What a refund gives back is reserved from the moment it is asked for (INV-11).
-- Locks: the payment, then its bills by id, then the refund.

create or replace function refund_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if new.state <> old.state and not exists (
      select from refund_move where from_state = old.state and to_state = new.state) then
    raise exception 'refund % may not move from % to %', new.number, old.state, new.state using errcode = 'LX005';
  end if;
  if (new.household_id, new.number, new.receipt, new.held, new.gateway, new.payment, new.reference, new.paid, new.amount,
      new.applied_by, new.applied_at) is distinct from (old.household_id, old.number, old.receipt, old.held,
      old.gateway, old.payment, old.reference, old.paid, old.amount, old.applied_by, old.applied_at)
     or (old.decided_by is not null and new.decided_by is distinct from old.decided_by) then
    raise exception 'refund % is frozen', old.number using errcode = 'LX006';
  end if;
  if new.state <> old.state and new.state in ('approved', 'paid') and not exists (
      select from entry where household_id = new.household_id
        and cause = 'refund:' || new.number || ':' || new.state) then
    raise exception 'refund % may not be % without its entry', new.number, new.state using errcode = 'LX005';
  end if;
  if new.state = 'rejected' then
    update refund_bill set live = false where household_id = new.household_id and number = new.number and live;
  end if;
  if new.state in ('rejected', 'paid', 'abnormal', 'failed') then
    new.next_query_at := null;
  end if;
  return new;
end $$;

drop trigger if exists moves on refund;
create trigger moves before update on refund for each row execute function refund_moves();

-- Reserve what is to be given back. Bills: those of the payment that are settled by it, all of `p_bills`. No bills: the
-- money of the receipt that fitted none. LX009: there is nothing there to give back, or somebody asked before.
create or replace function refund_apply(
  p_household bigint, p_number text, p_payment text, p_receipt text, p_bills bigint[], p_reason text, p_by text,
  p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  pay payment;
  whole bigint;
  back bigint;
  held_in text;
begin
  select * into pay from payment where household_id = p_household and number = p_payment for update;
  select sum(amount) filter (where account = 'clearing:' || split_part(p_receipt, ':', 2)) into whole
    from posting where household_id = p_household and cause = p_receipt;
  if whole is null then
    raise exception 'no receipt %', p_receipt using errcode = 'LX009';
  end if;
  if cardinality(p_bills) > 0 then
    select sum(personal_due) into back from (
      select personal_due from bill where household_id = p_household and id = any (p_bills)
         and state = 'settled' and settled_by = p_receipt order by id for update) locked
      having count(*) = cardinality(p_bills);
  else
    select case doubt when 'surplus' then 'surplus' else 'suspense' end, amount into held_in, back
      from suspense where household_id = p_household and cause = p_receipt and solved_at is null for update;
  end if;
  if coalesce(back, 0) <= 0 then
    raise exception 'nothing to give back of %', p_receipt using errcode = 'LX009';
  end if;
  insert into refund (household_id, number, receipt, held, gateway, payment, reference, ordered_at, paid, amount,
                      reason, sent_as, applied_by, applied_at)
    values (p_household, p_number, p_receipt, held_in, split_part(p_receipt, ':', 2), p_payment,
            split_part(p_receipt, ':', 3), p_now, whole, back, p_reason, p_number, p_by, p_now);
  insert into refund_bill (household_id, number, bill_id) select p_household, p_number, unnest(p_bills);
  return back;
exception when unique_violation then
  raise exception 'asked for before: %', p_receipt using errcode = 'LX009';
end $$;

-- A second person agrees: from now on the money is owed to the payer, the bills are given back, and others owe no more
-- for them. `p_next` (system clock) is when the gateway is to be asked.
create or replace function refund_approve(
  p_household bigint, p_number text, p_by text, p_now timestamptz, p_booked_on date, p_next timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund;
  accounts text[];
  amounts bigint[];
  items bigint[];
begin
  select * into strict r from refund where household_id = p_household and number = p_number for update;
  if r.state <> 'applied' then
    raise exception 'refund % is %', p_number, r.state using errcode = 'LX005';
  end if;
  if r.held is not null then
    accounts := array[r.held || ':' || r.gateway, 'refunds:' || r.gateway];
    amounts := array[r.amount, -r.amount];
    items := array[null, null]::bigint[];
  else
    with part as materialized (
      select l.bill_id, l.amount, 'fund:' || l.fund || ':' || b.levy_year as fund,
             case l.payer when 'resident' then 'refunds:' || r.gateway
                          else receivable_of(l.part, l.payer, l.fund) end as to_whom
        from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
             join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
       where rb.household_id = p_household and rb.number = p_number and rb.live
    ), posted as (
      select fund as account, sum(amount)::bigint as amount, bill_id from part group by fund, bill_id
      union all
      select to_whom, -sum(amount)::bigint, bill_id from part group by to_whom, bill_id
      order by 3, 2 desc, 1
    )
    select array_agg(account), array_agg(amount), array_agg(bill_id) into accounts, amounts, items from posted;
  end if;
  perform ledger_post(p_household, 'refund:' || p_number || ':approved', p_booked_on, p_now, accounts, amounts, items);
  update refund set state = 'approved', decided_by = p_by, decided_at = p_now, next_query_at = p_next
    where household_id = p_household and number = p_number;
  update bill set state = 'refunded' where household_id = p_household and id in (
    select bill_id from refund_bill where household_id = p_household and number = p_number and live);
  update suspense set solved_at = p_now where household_id = p_household and cause = r.receipt and r.held is not null;
end $$;

-- A gateway's verified word about a refund, applied once, with the raw message it came in (`p_id` null: it came by a
-- question of ours and is kept nowhere else):
--   paid      booked now · again  booked before · noted  still under way · abnormal, failed  a person must look
--   unknown   no refund of ours goes by this number
--   doubt     payment, amount or merchant are not what we asked for: nothing is booked
create or replace function take_refund(
  p_id bigint, p_household bigint, p_gateway text, p_sent_as text, p_outcome jsonb, p_event text, p_headers jsonb,
  p_body bytea, p_now timestamptz, p_booked_on date
) returns text language plpgsql security definer set search_path = public, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  r refund;
  word text := p_outcome->>'word';
  happened timestamptz := coalesce((p_outcome->>'happened_at')::timestamptz, p_now);
  result text;
begin
  select * into r from refund where household_id = p_household and sent_as = p_sent_as for update;
  if r.number is null then
    result := 'unknown';
  elsif r.gateway <> p_gateway
     or coalesce(p_outcome->>'payment', '') not in ('', r.payment)
     or coalesce((p_outcome->>'amount')::bigint, r.amount) <> r.amount then
    result := 'doubt';
  elsif r.state = 'paid' then
    result := 'again';
  elsif word = 'done' and r.state in ('paying', 'abnormal', 'failed') then
    perform ledger_post(p_household, 'refund:' || r.number || ':paid', p_booked_on, happened,
                        array['refunds:' || r.gateway, 'clearing:' || r.gateway], array[r.amount, -r.amount],
                        array[null, null]::bigint[]);
    update refund set state = 'paid', paid_at = happened, refund_reference = p_outcome->>'reference',
                      their_word = p_outcome->>'their_word'
      where household_id = p_household and number = r.number;
    result := 'paid';
  elsif word in ('abnormal', 'failed') and r.state in ('paying', 'abnormal') then
    update refund set state = word, refund_reference = nullif(p_outcome->>'reference', ''),
                      their_word = p_outcome->>'their_word'
      where household_id = p_household and number = r.number and state <> word;
    result := word;
  else
    result := 'noted';
  end if;
  if p_id is not null then
    insert into received (household_id, id, gateway, headers, body, event_id, number, verdict, result)
      values (p_household, p_id, p_gateway, p_headers, p_body, p_event, p_sent_as, 'verified', 'refund:' || result);
  end if;
  return result;
end $$;
