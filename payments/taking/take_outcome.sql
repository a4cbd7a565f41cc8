-- The one way for money to be believed. Given a verified "paid" of a gateway, from a callback, a query or a statement:
--   paid      its bills are settled and booked, or it is a pledge's that it was for
--   again     this very receipt is booked already
--   surplus   the money is real, its bills are settled, withdrawn or out of price, or differences to a tier whose premium
--             has gone back, or a sponsor who no longer pays his share: held for refund
--   suspense  number, channel, merchant, amount or currency fit nothing we wrote down: held with an owner
--   doubt     as suspense, but the message names no amount that could be booked; a later one that does takes its place
-- Locks: the payment, then its bills by id, then the premiums beside differences by id. `p_now` is the business clock.

create or replace function hold_money(
  p_household bigint, p_gateway text, p_number text, p_reference text, p_amount bigint,
  p_doubt text, p_account text, p_owner text, p_happened_at timestamptz, p_booked_on date
) returns boolean language plpgsql as $$
declare
  receipt text := 'receipt:' || p_gateway || ':' || p_reference;
begin
  insert into suspense (household_id, cause, doubt, owner, gateway, number, amount, owned_on, due_on)
    values (p_household, receipt, p_doubt, p_owner, p_gateway, p_number, p_amount, working_day(p_booked_on + 1),
            working_day(p_booked_on + 7))
    on conflict (household_id, cause) do update set doubt = excluded.doubt, amount = excluded.amount, owner =
      case when starts_with(suspense.owner, 'staff:') then suspense.owner else excluded.owner end
      where coalesce(suspense.amount, 0) <= 0;  -- what only a doubt was known of
  if p_amount is null or p_amount <= 0 then
    return false;
  end if;
  perform ledger_post(p_household, receipt, p_booked_on, p_happened_at,
                      array['clearing:' || p_gateway, p_account || ':' || p_gateway],
                      array[p_amount, -p_amount], array[null, null]::bigint[]);
  return true;
end $$;

create or replace function take_outcome(
  p_household bigint, p_gateway text, p_number text, p_outcome jsonb, p_now timestamptz, p_booked_on date
) returns text language plpgsql as $$
declare
  pay payment;
  covered bigint[];
  fit boolean;
  raises boolean;
  reference text := p_outcome->>'reference';
  amount bigint := (p_outcome->>'amount')::bigint;
  happened timestamptz := coalesce((p_outcome->>'happened_at')::timestamptz, p_now);
  receipt text := 'receipt:' || p_gateway || ':' || (p_outcome->>'reference');
  doubt text;
  sponsored bigint;
begin
  select * into pay from payment where household_id = p_household and number = p_number for update;
  if exists (select from entry where household_id = p_household and cause = receipt) then
    return 'again';
  end if;
  doubt := case
    when pay.number is null then 'unknown_number'
    when pay.gateway <> p_gateway then 'other_channel'
    when pay.merchant <> p_outcome->>'merchant' or pay.app <> p_outcome->>'app' then 'other_merchant'
    when p_outcome->>'currency' is distinct from 'CNY' then 'currency'
    when amount is distinct from pay.amount then 'amount' end;
  if doubt is not null then
    if p_outcome->>'currency' is distinct from 'CNY' then
      amount := null;
    end if;
    return case when hold_money(p_household, p_gateway, p_number, reference, amount, doubt, 'suspense', 'tax_clerk',
                                happened, p_booked_on) then 'suspense' else 'doubt' end;
  end if;

  select pledge_id into sponsored from pledge_payment where household_id = p_household and number = p_number;
  if sponsored is not null and pay.state not in ('paid', 'surplus') then
    perform pledge_take(p_household, receipt, sponsored, 'clearing:' || p_gateway, amount, p_booked_on, happened);
    update payment set state = 'paid', reference = p_outcome->>'reference', paid_at = happened
      where household_id = p_household and number = p_number;
    return 'paid';
  end if;
  select array_agg(b.id), bool_and(b.state = 'open' and happened < b.price_until), bool_or(b.raised_from is not null)
      into covered, fit, raises
    from (select b.id, b.state, b.price_until, b.raised_from
            from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
           where pb.household_id = p_household and pb.number = p_number order by b.id for update of b) b;
  if raises then
    fit := fit and premiums_stand(p_household, covered);
  end if;
  if fit and pay.state not in ('paid', 'surplus') and pledge_claim(p_household, covered, 'used') then
    perform post_settlement(p_household, receipt, 'clearing:' || p_gateway, covered, p_booked_on, happened);
    update bill set state = 'settled', settled_by = receipt, settled_at = happened
      where household_id = p_household and id = any (covered);
    update payment set state = 'paid', reference = p_outcome->>'reference', paid_at = happened
      where household_id = p_household and number = p_number;
    if exists (select from suspense where household_id = p_household and cause = receipt and solved_at is null) then
      -- a word without amount came first
      perform suspense_solve(p_household, receipt, 'applied', 'gateway:' || p_gateway, p_now);
    end if;
    return 'paid';
  end if;
  perform hold_money(p_household, p_gateway, p_number, reference, amount, 'surplus', 'surplus', 'refund_desk',
                     happened, p_booked_on);
  if pay.state not in ('paid', 'surplus') then
    update payment set state = 'surplus', reference = p_outcome->>'reference', paid_at = happened
      where household_id = p_household and number = p_number;
  end if;
  return 'surplus';
end $$;
