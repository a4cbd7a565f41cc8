-- Money that goes back. Asked for by one person, taken on by tax, looked at by the bureaus, agreed to by another, booked
-- as owed when agreed, and booked as paid when the gateway says so (steps: 62). What a refund gives back is reserved
-- from the moment it is asked for (INV-11). Locks: the payment, then its bills by id, then the refund.

create or replace function refund_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  last refund_step;
begin
  if new.state <> old.state and not exists (
      select from refund_move where from_state = old.state and to_state = new.state) then
    raise exception 'refund % may not move from % to %', new.number, old.state, new.state using errcode = 'LX005';
  end if;
  if (new.household_id, new.number, new.receipt, new.held, new.gateway, new.payment, new.reference, new.paid, new.amount,
      new.why, new.applied_by, new.applied_at, new.pledge) is distinct from (old.household_id, old.number, old.receipt, old.held,
      old.gateway, old.payment, old.reference, old.paid, old.amount, old.why, old.applied_by, old.applied_at, old.pledge)
     or (old.decided_by is not null and new.decided_by is distinct from old.decided_by) then
    raise exception 'refund % is frozen', old.number using errcode = 'LX006';
  end if;
  if new.sent_as <> old.sent_as and not (old.state = 'failed' and new.state = 'paying') then
    raise exception 'refund % has its number until a definite no', new.number using errcode = 'LX006';
  end if;
  if new.state = old.state then
    return new;
  end if;
  if new.state = 'paying' then
    if exists (select from refund_transfer where household_id = new.household_id and number = new.number
                 and state <> 'refused') then
      raise exception 'refund % goes by transfer', new.number using errcode = 'LX005';
    end if;
    if old.state = 'failed' then  -- sent again: as for a transfer
      perform hold_receipt(new.household_id, new.receipt);
      if receipt_left(new.household_id, new.receipt) < 0 then
        raise exception 'receipt % has given that back by hand', new.receipt using errcode = 'LX009';
      end if;
    end if;
    perform refund_note(new.household_id, new.number, 'paying', null, 'gateway:' || new.gateway, '', new.ordered_at);
  end if;
  select * into last from refund_step where household_id = new.household_id and number = new.number
    order by step desc limit 1;
  if last.word is distinct from new.state and not (new.state = 'rejected' and last.word = 'withdrawn') then
    raise exception 'refund % may not be % without its step', new.number, new.state using errcode = 'LX005';
  end if;
  if old.state = 'applied' and new.state = 'approved' and new.held is null then
    raise exception 'refund % gives a premium back: tax and the bureau come first', new.number using errcode = 'LX021';
  end if;
  if old.state = 'approved' and new.state = 'paid' and new.amount > 0 then
    raise exception 'refund % gives money back: somebody must have it first', new.number using errcode = 'LX005';
  end if;
  if new.state = 'approved' and not refund_is_booked(new.household_id, new.number, array['approved'])
     or new.state = 'paid' and new.amount > 0 and not refund_is_booked(new.household_id, new.number, array['paid', 'external', 'by_hand']) then
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

create or replace function refund_is_booked(p_household bigint, p_number text, p_events text[]) returns boolean
  language sql stable as $$
  select exists (select from entry e, unnest(p_events) as event
                  where e.household_id = p_household and e.cause = 'refund:' || p_number || ':' || event)
$$;

-- What a receipt took in, wherever that lay: at the channel, at the treasury, or aside until somebody knew whose it was.
create or replace function receipt_amount(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select sum(amount)::bigint from posting
   where household_id = p_household and cause = p_receipt and amount > 0 and (account = 'bank:pending'
      or split_part(account, ':', 1) in ('clearing', 'suspense', 'surplus', 'treasury', 'cash'))
$$;

-- The way it came, by which it goes back: a channel; or the bank, for money that came there or to the treasury, and for
-- cash (no agent gives cash back).
create or replace function receipt_way(p_household bigint, p_receipt text) returns text language sql stable as $$
  select case when account = 'bank:pending' or split_part(account, ':', 1) in ('treasury', 'cash') then 'bank'
              else split_part(account, ':', 2) end
    from posting where household_id = p_household and cause = p_receipt and amount > 0
     and (account = 'bank:pending'
          or split_part(account, ':', 1) in ('clearing', 'suspense', 'surplus', 'treasury', 'cash')) limit 1
$$;

-- Where the money of a transfer leaves from: the treasury for what came there, for nobody we knew; else the bank.
create or replace function receipt_place(p_household bigint, p_receipt text) returns text language sql stable as $$
  select coalesce((select account from posting
                    where household_id in (p_household, 0) and cause = regexp_replace(p_receipt, ':applied$', '')
                      and amount > 0 and starts_with(account, 'treasury:') limit 1), 'bank:pending')
$$;

-- The reference by which its gateway knows a receipt, also one that was booked by a difference of its list.
create or replace function receipt_reference(p_receipt text) returns text language sql stable as $$
  select case split_part(p_receipt, ':', 1)
    when 'discrepancy' then (select split_part(subject, '#', 1) from discrepancy
                              where 'discrepancy:' || id || ':booked' = p_receipt)
    else split_part(p_receipt, ':', 3) end
$$;

-- The receipt a bill was paid from: a bill issued in the place of one that went back was paid by the same receipt.
create or replace function receipt_of(p_household bigint, p_settled_by text) returns text language sql stable as $$
  select coalesce((select receipt from refund where household_id = p_household and number = split_part(p_settled_by, ':', 2)
                      and p_settled_by = 'refund:' || number || ':approved'), p_settled_by)
$$;

-- What somebody gave back of a receipt at its gateway without asking us, as far as its list still says so. Of money that
-- was held and then applied, what went off what was held never came to the bills.
create or replace function receipt_unasked(p_receipt text) returns bigint language sql stable as $$
  select coalesce(sum(amount), 0)::bigint from unasked_refund u
   where receipt = regexp_replace(p_receipt, ':applied$', '') and booked_back is null and (p_receipt !~ ':applied$' or exists (
     select from posting p where p.household_id = u.household_id and p.cause = u.cause
        and p.account = 'receivable:resident'))
$$;

-- What of a receipt no refund that stands gives back, nor anybody gave back by hand; null for no receipt.
create or replace function receipt_left(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select receipt_amount(p_household, p_receipt) - receipt_unasked(p_receipt) - coalesce((
    select sum(amount) from refund where household_id = p_household and receipt = p_receipt
       and state <> 'rejected' and not refund_is_booked(household_id, number, array['by_hand'])), 0)::bigint
$$;

-- What the refunds of a receipt set off against what the payer owes since somebody gave it back by hand.
create or replace function receipt_set_off(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select coalesce(-sum(p.amount), 0)::bigint from refund r join posting p on p.household_id = r.household_id
     and p.cause in ('refund:' || r.number || ':approved', 'refund:' || r.number || ':by_hand')
     and p.account = 'receivable:resident'
   where r.household_id = p_household and r.receipt = p_receipt
$$;

-- What the payer of a receipt owes since somebody gave it back by hand, and no refund has set off yet.
create or replace function receipt_owed(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select receipt_unasked(regexp_replace(p_receipt, ':applied$', '') || ':applied')
         - receipt_set_off(p_household, p_receipt)
$$;

-- What of a receipt went back by hand that no refund accounts for: nobody has said yet whose it was. What went off money
-- that is held is nobody's premium.
create or replace function receipt_by_hand(p_household bigint, p_receipt text) returns bigint language sql stable as $$
  select receipt_unasked(own || ':applied') - receipt_set_off(p_household, own)
         - receipt_set_off(p_household, own || ':applied') from regexp_replace(p_receipt, ':applied$', '') as own
$$;

-- No two hands give back of one receipt at once.
create or replace function hold_receipt(p_household bigint, p_receipt text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('refund:' || p_household || ':' || p_receipt, 0))
$$;

-- A receipt never gives back more than it took in, whatever bills, surplus and asking people say (INV-11).
create or replace function refund_fits_its_receipt() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  took bigint := coalesce(receipt_amount(new.household_id, new.receipt), 0);  -- no money came for what others paid whole
  rest bigint;
begin
  perform hold_receipt(new.household_id, new.receipt);
  rest := coalesce(receipt_left(new.household_id, new.receipt), 0);
  if new.state <> 'applied' or new.decided_by is not null or new.paid is distinct from took
     or new.amount > rest then
    raise exception 'receipt % has % left and would give back %', new.receipt, rest, new.amount using errcode = 'LX009';
  end if;
  return new;
end $$;

drop trigger if exists fits_its_receipt on refund;
create trigger fits_its_receipt before insert on refund for each row execute function refund_fits_its_receipt();

-- Reserve what is to be given back. Bills: those of the payment that are settled by its receipt, all of `p_bills`. No
-- bills: the money of the receipt that fitted none. `p_replacement`: the bill to be issued in the place of the one bill
-- that goes back; then only the difference of the resident's parts does. Never more than is left of the receipt: what
-- went back by hand the payer has. `p_expected`: what somebody saw as refundable. Of bills that others paid whole nothing
-- goes back to anybody; what others gave does, when it is agreed to (decision 0056).
-- LX009: there is nothing there to give back, or somebody asked before · LX020: it is not what he saw · LX033: a pension
-- whose tier was raised since: the difference goes back first.
create or replace function refund_apply(
  p_household bigint, p_number text, p_payment text, p_receipt text, p_bills bigint[], p_replacement jsonb, p_why text,
  p_reason text, p_by text, p_expected bigint, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  whole bigint;
  back bigint;
  others boolean := false;  -- they paid it whole
  held_in text;
begin
  perform from payment where household_id = p_household and number = p_payment for update;
  whole := coalesce(receipt_amount(p_household, p_receipt), 0);
  if cardinality(p_bills) > 0 then
    select sum(personal_due) into back from (
      select personal_due from bill where household_id = p_household and id = any (p_bills)
         and state = 'settled' and receipt_of(p_household, settled_by) = p_receipt order by id for update) locked
      having count(*) = cardinality(p_bills);
    others := back = 0 and p_replacement is null;
    if p_replacement is not null then
      back := case when cardinality(p_bills) = 1 then back - (p_replacement->'bill'->>'personal_due')::bigint end;
    end if;
    perform hold_receipt(p_household, p_receipt);
    back := case when back is not null then least(back, receipt_left(p_household, p_receipt)) end;
  else
    select case doubt when 'surplus' then 'surplus' else 'suspense' end, amount - receipt_unasked(cause)
      into held_in, back from suspense
     where household_id = p_household and cause = p_receipt and solved_at is null for update;
  end if;
  if not coalesce(back > 0 or others, false) or exists (select from refund_bill where household_id = p_household
                                          and bill_id = any (p_bills) and live) then
    raise exception 'nothing to give back of %', p_receipt using errcode = 'LX009';
  end if;
  if p_replacement is null and exists (
      select from bill b where b.household_id = p_household and b.id = any (p_bills) and is_raised(b)) then
    raise exception 'a bill of % was raised since', p_receipt using errcode = 'LX033';
  end if;
  if back <> p_expected then
    raise exception 'there are % fen, not %', back, p_expected using errcode = 'LX020';
  end if;
  insert into refund (household_id, number, receipt, held, gateway, payment, reference, ordered_at, paid, amount,
                      why, reason, sent_as, applied_by, applied_at)
    values (p_household, p_number, p_receipt, held_in,
            case when others then 'none' else receipt_way(p_household, p_receipt) end, p_payment, receipt_reference(p_receipt), p_now, whole, back, p_why, p_reason, p_number, p_by, p_now);
  insert into refund_bill (household_id, number, bill_id, replacement)
    select p_household, p_number, bill_id, p_replacement from unnest(p_bills) as bill_id;
  perform refund_note(p_household, p_number, 'applied', null, p_by, '', p_now);
  return back;
exception when unique_violation then
  raise exception 'asked for before: %', p_receipt using errcode = 'LX009';
end $$;

-- What an approval books: the lines of the bills that go back reversed, those of the bill in their place booked, and
-- the difference of the resident's parts owed to the payer, less what he had of it by hand and owes since; or money that
-- fitted no bill, owed to the payer.
create or replace function refund_postings(
  p_refund refund, out accounts text[], out amounts bigint[], out items bigint[]
) language sql stable as $$
  with line as (
    select l.bill_id as item, l.bill_id as old, l.part, l.payer, l.fund, b.levy_year, l.amount
      from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
           join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
     where rb.household_id = p_refund.household_id and rb.number = p_refund.number and rb.live
    union all
    select (rb.replacement->'bill'->>'id')::bigint, rb.bill_id, l.part, l.payer, l.fund, b.levy_year, -l.amount
      from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id,
           jsonb_to_recordset(rb.replacement->'lines') as l (part text, payer text, fund text, amount bigint)
     where rb.household_id = p_refund.household_id and rb.number = p_refund.number and rb.live
  ), by_hand as (
    select sum(amount)::bigint - p_refund.amount as amount from line where payer = 'resident' and p_refund.held is null
       and p_refund.pledge is null
  ), posted as (
    select 'fund:' || fund || ':' || levy_year as account, sum(amount)::bigint as amount, item from line
     group by 1, item
    union all
    select case payer when 'resident' then 'refunds:' || p_refund.gateway else receivable_of(part, payer, fund) end,
           -sum(amount)::bigint, case payer when 'resident' then old else item end
      from line group by 1, 3
    union all
    select case when p_refund.held is null then 'sponsor:' || p_refund.pledge
                else p_refund.held || ':' || p_refund.gateway end, p_refund.amount, null
     where p_refund.held is not null or p_refund.pledge is not null
    union all
    select 'refunds:' || p_refund.gateway, -p_refund.amount, null
     where p_refund.held is not null or p_refund.pledge is not null
    union all
    select 'refunds:' || p_refund.gateway, amount, null from by_hand
    union all
    select 'receivable:resident', -amount, null from by_hand
  )
  select array_agg(account order by item, amount desc, account), array_agg(amount order by item, amount desc, account),
         array_agg(item order by item, amount desc, account)
    from posted where amount <> 0
$$;
