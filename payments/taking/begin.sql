-- An attempt with the bills that it covers, their sponsors' shares spoken for last, and the key of the wish that it is of,
-- in one message to the server; the row as it was written. LX130: a sponsor has not so much left. No row: the key was used by another wish at this very moment, and nothing may stay of this one.
create or replace function begin_payment(p_payment jsonb, p_payer bytea, p_bills bigint[], p_key bytea, p_body bytea)
  returns setof payment language plpgsql rows 1 as $$
declare
  begun payment;
begin
  insert into request_key (key, body_hash, household_id, number)
    values (p_key, p_body, (p_payment ->> 'household_id')::bigint, p_payment ->> 'number') on conflict do nothing;
  if not found then
    return;
  end if;
  insert into payment (household_id, number, gateway, merchant, app, kind, amount, description, payer, started_by,
                       started_at, ordered_at, expires_at, next_query_at, check_code, memo)
    select said.household_id, said.number, said.gateway, said.merchant, said.app, said.kind, said.amount,
           said.description, p_payer, said.started_by, said.started_at, said.ordered_at, said.expires_at,
           said.next_query_at, said.check_code, said.memo
      from jsonb_populate_record(null::payment, p_payment) said
    returning * into begun;
  insert into payment_bill (household_id, number, bill_id)
    select begun.household_id, begun.number, bill from unnest(p_bills) bill order by bill;
  if not pledge_reserve(begun.household_id, p_bills) then
    raise exception 'a pledge for % has not so much left', begun.number using errcode = 'LX130';
  end if;
  return next begun;
end $$;
