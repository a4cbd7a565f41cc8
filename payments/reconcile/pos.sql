-- Payments by card at the bank's POS terminals, taken from the file of a day.

-- What a line goes by: terminal and trace. Terminals count their traces anew, so one that another day's receipt has is
-- followed by its day.
create or replace function pos_reference(p_reference text, p_happened_at timestamptz) returns text language sql stable
  security definer set search_path = public, pg_temp as $$
  select p_reference || case when exists (
    select from entry where starts_with(cause, 'receipt:ccb_pos:') and cause = 'receipt:ccb_pos:' || p_reference
       and (happened_at at time zone 'Asia/Shanghai')::date <> (p_happened_at at time zone 'Asia/Shanghai')::date)
    then to_char(p_happened_at at time zone 'Asia/Shanghai', '-YYYYMMDD') else '' end
$$;

-- One line: the bill it fits exactly is settled by it (D36), else the money is held with an owner. A receipt is booked
-- once, whoever a later file says it is of. Result: paid, surplus (the bill was settled before), suspense, again, or
-- elsewhere: it is booked for another person than the file says now.
create or replace function take_pos(
  p_household bigint, p_bill bigint, p_reference text, p_amount bigint, p_happened_at timestamptz, p_booked_on date
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  b bill;
  receipt text := 'receipt:ccb_pos:' || p_reference;
  booked_in bigint;
  paid bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended(receipt, 0));
  select * into b from bill where household_id = p_household and id = p_bill for update;
  select household_id into booked_in from entry
    where starts_with(cause, 'receipt:ccb_pos:') and cause = receipt order by household_id limit 1;
  if booked_in is not null then
    select id into paid from bill where household_id = booked_in and settled_by = receipt limit 1;
    return case when coalesce(paid <> p_bill, booked_in not in (p_household, 0)) then 'elsewhere' else 'again' end;
  end if;
  if b.state = 'open' and b.personal_due = p_amount and p_happened_at < b.price_until
     and (case when b.raised_from is null then true
               else premium_stands(b.person_id, b.levy_year, b.raised_from) end)
     and pledge_claim(p_household, array[p_bill], 'used') then
    perform post_settlement(p_household, receipt, 'clearing:ccb_pos', array[p_bill], p_booked_on, p_happened_at);
    update bill set state = 'settled', settled_by = receipt, settled_at = p_happened_at
      where household_id = p_household and id = p_bill;
    return 'paid';
  elsif b.state = 'settled' then
    perform hold_money(p_household, 'ccb_pos', '', p_reference, p_amount, 'surplus', 'surplus', 'refund_desk',
                       p_happened_at, p_booked_on);
    return 'surplus';
  end if;
  perform hold_money(p_household, 'ccb_pos', '', p_reference, p_amount,
                     case when b.id is not null then 'amount' when p_household = 0 then 'unknown_person'
                          else 'no_open_bill' end, 'suspense', 'tax_clerk',
                     p_happened_at, p_booked_on);
  return 'suspense';
end $$;
