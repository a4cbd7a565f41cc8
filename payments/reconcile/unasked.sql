-- A refund made by hand at the gateway that its list has no more: how what was booked for it is booked back.

-- What a booked difference goes by when the facts it was booked for are no more.
create or replace function booked_difference(p_id text) returns text language sql immutable as $$
  select '差异' || p_id || '已入账'
$$;

-- The refund by hand that a difference is about: their list has it no more; or it was booked back for that, and now the
-- list has it again. Null: it is about none.
create or replace function unasked_of(d discrepancy) returns unasked_refund language sql stable as $$
  select u from unasked_refund u where d.books = 'channel' and d.what = 'refund' and u.gateway = d.channel
     and (d.kind = 'MISSING_IN_BANK' and u.booked_back is null and by_hand_as(u.cause) = d.subject
          or u.booked_back = 'discrepancy:' || substring(d.subject from booked_difference('([0-9]+)')) || ':booked')
   limit 1
$$;

-- Can it be booked back where it was booked? Not if that is at its end: what the payer owed was set off, or what was
-- held was given back or applied.
create or replace function unasked_returns(u unasked_refund) returns boolean language sql stable as $$
  select case p.account
      when 'receivable:resident' then receipt_unasked(u.receipt || ':applied') - u.amount
        >= receipt_set_off(u.household_id, u.receipt) + coalesce((
          select receipt_set_off(s.bills_household, s.cause || ':applied') from suspense s
           where s.household_id = u.household_id and s.cause = u.receipt and s.bills_household is not null), 0)
      else exists (
        select from suspense s where s.household_id = u.household_id and s.cause = u.receipt
           and (s.solved_at is null or starts_with(s.solved_by, 'gateway:')) and not exists (
             select from refund r where r.household_id = s.household_id and r.receipt = s.cause
                and r.held is not null and r.state <> 'rejected')) end
    from posting p where p.household_id = u.household_id and p.cause = u.cause and p.amount > 0
$$;

-- The account it is booked back on: where it was booked, or it is money in doubt.
create or replace function unasked_place(u unasked_refund) returns text language sql stable as $$
  select case when coalesce(unasked_returns(u), true) then account else 'suspense:' || u.gateway end
    from posting where household_id = u.household_id and cause = u.cause and amount > 0
$$;

-- Locks the payment, the money held, then the receipt, as who books it (refund_by_hand).
create or replace function hold_unasked(u unasked_refund) returns void language plpgsql as $$
begin
  perform from payment where household_id = u.household_id
     and 'receipt:' || gateway || ':' || reference = u.receipt for update;
  perform from suspense where household_id = u.household_id and cause = u.receipt for update;
  perform hold_receipt(u.household_id, u.receipt);
end $$;

-- A difference about it was booked: it counts no more for its receipt, and what was held waits for a solution again; or,
-- where the list has it again, it counts as before. False: it is about none, or that is money in doubt now.
create or replace function unasked_moves(
  d discrepancy, p_account text, p_by text, p_now timestamptz, p_booked_on date
) returns boolean language plpgsql as $$
declare
  u unasked_refund := unasked_of(d);
begin
  if u.cause is null or (u.booked_back is null and unasked_returns(u) is false) then
    return false;
  end if;
  update unasked_refund set booked_back = case when u.booked_back is null then 'discrepancy:' || d.id || ':booked' end
    where household_id = u.household_id and cause = u.cause;
  if u.booked_back is null and p_account <> 'receivable:resident' then
    update suspense set solved_at = null, solved_by = null, solution = null, bills_household = null, bills = null,
                        proposed_by = null, owner = 'tax_clerk', created_at = now(),
                        owned_on = working_day(p_booked_on + 1), due_on = working_day(p_booked_on + 7)
      where household_id = u.household_id and cause = u.receipt and solved_at is not null;
    perform suspense_note(u.household_id, u.receipt, 'there_again', p_by, '', p_now);
  elsif p_account <> 'receivable:resident' and (select amount = receipt_unasked(cause) from suspense
           where household_id = u.household_id and cause = u.receipt) then
    perform suspense_solve(u.household_id, u.receipt, 'given_back', 'gateway:' || u.gateway, p_now);
  end if;
  return true;
end $$;
