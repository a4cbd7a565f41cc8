-- How a refund ends: by its gateway's word; by a bank transfer that two people and a proof stand for; or because
-- somebody had given the money back at the gateway by hand.

-- A gateway's verified word about a refund, applied once, with the raw message it came in (`p_id` null: it came by a
-- question of ours and is kept nowhere else):
--   paid      booked now · again  booked before · noted  still under way · abnormal, failed  a person must look
--   twice     it went back before, by transfer or under another number: the payer has it twice and owes it
--   unknown   no refund of ours goes by this number
--   doubt     payment, amount or merchant are not what we asked for: nothing is booked
create or replace function take_refund(
  p_id bigint, p_household bigint, p_gateway text, p_sent_as text, p_outcome jsonb, p_event text, p_headers jsonb,
  p_body bytea, p_now timestamptz, p_booked_on date
) returns text language plpgsql security definer set search_path = public, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  r refund;
  sent refund_number;
  word text := p_outcome->>'word';
  happened timestamptz := coalesce((p_outcome->>'happened_at')::timestamptz, p_now);
  booked text;
  result text;
begin
  select own.* into r from refund_number n join refund own on own.household_id = n.household_id and own.number = n.number
    where n.household_id = p_household and n.sent_as = p_sent_as for update of own;
  select * into sent from refund_number where household_id = p_household and sent_as = p_sent_as;
  if r.number is null then
    result := 'unknown';
  elsif r.gateway <> p_gateway
     or coalesce(p_outcome->>'payment', '') not in ('', r.payment)
     or coalesce((p_outcome->>'amount')::bigint, r.amount) <> r.amount then
    result := 'doubt';
  elsif word = 'done' and r.state = 'paid' and sent.booked is null then
    booked := 'refund:' || p_sent_as || ':twice';
    perform ledger_post(p_household, booked, p_booked_on, happened,
                        array['receivable:resident', 'clearing:' || r.gateway], array[r.amount, -r.amount],
                        array[null, null]::bigint[]);
    perform refund_number_says(p_household, p_sent_as, p_outcome->>'reference', booked, happened);
    result := 'twice';
  elsif r.state = 'paid' then
    result := 'again';
  elsif word = 'done' and r.state in ('paying', 'abnormal', 'failed') then
    booked := 'refund:' || r.number || ':paid';
    perform ledger_post(p_household, booked, p_booked_on, happened,
                        array['refunds:' || r.gateway, 'clearing:' || r.gateway], array[r.amount, -r.amount],
                        array[null, null]::bigint[]);
    perform refund_note(p_household, r.number, 'paid', null, 'gateway:' || r.gateway, '', happened);
    perform refund_number_says(p_household, p_sent_as, p_outcome->>'reference', booked, happened);
    update refund set state = 'paid', paid_at = happened, refund_reference = p_outcome->>'reference',
                      their_word = p_outcome->>'their_word'
      where household_id = p_household and number = r.number;
    update refund_transfer set state = 'refused', decided_by = 'gateway:' || r.gateway, decided_at = p_now
      where household_id = p_household and number = r.number and state = 'asked';
    result := 'paid';
  elsif word in ('abnormal', 'failed') and r.sent_as = p_sent_as and r.state in ('paying', 'abnormal')
        and r.state <> word then
    perform refund_note(p_household, r.number, word, null, 'gateway:' || r.gateway, '', p_now);
    perform refund_number_says(p_household, p_sent_as, p_outcome->>'reference', null, null);
    update refund set state = word, refund_reference = nullif(p_outcome->>'reference', ''),
                      their_word = p_outcome->>'their_word'
      where household_id = p_household and number = r.number;
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

-- One person writes down the transfer that was made in place of the way back: whose account, which slip. Account and
-- name are sealed. LX005: the refund does not wait for a way, or a transfer stands · LX009: it went back by hand.
create or replace function refund_transfer_ask(
  p_household bigint, p_number text, p_holder text, p_name bytea, p_account bytea, p_last4 text, p_bank text,
  p_proof text, p_digest bytea, p_by text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund := refund_held(p_household, p_number, array['abnormal', 'failed']);
begin
  perform hold_receipt(p_household, r.receipt);
  if receipt_left(p_household, r.receipt) < 0 then
    raise exception 'receipt % has given that back by hand', r.receipt using errcode = 'LX009';
  end if;
  insert into refund_transfer (household_id, number, turn, holder, name, account, last4, bank, proof, digest, asked_by,
                               asked_at)
    select p_household, p_number, count(*) + 1, p_holder, p_name, p_account, p_last4, p_bank, p_proof, p_digest, p_by,
           p_now from refund_transfer where household_id = p_household and number = p_number;
  perform refund_note(p_household, p_number, 'transfer_asked', null, p_by, '', p_now);
exception when unique_violation then
  raise exception 'refund % goes by transfer', p_number using errcode = 'LX005';
end $$;

-- Another person has seen the slip and agrees, and the money is booked as gone from the bank; or does not.
create or replace function refund_transfer_decide(
  p_household bigint, p_number text, p_agreed boolean, p_by text, p_now timestamptz, p_booked_on date
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund;
begin
  r := refund_held(p_household, p_number, array['abnormal', 'failed']);
  update refund_transfer set state = case when p_agreed then 'agreed' else 'refused' end, decided_by = p_by,
                             decided_at = p_now
    where household_id = p_household and number = p_number and state = 'asked';
  if not found then
    raise exception 'refund % has no transfer to decide', p_number using errcode = 'LX021';
  end if;
  if not p_agreed then
    perform refund_note(p_household, p_number, 'transfer_refused', null, p_by, '', p_now);
    return;
  end if;
  perform ledger_post(p_household, 'refund:' || p_number || ':external', p_booked_on, p_now,
                      array['refunds:' || r.gateway, receipt_place(p_household, r.receipt)], array[r.amount, -r.amount],
                      array[null, null]::bigint[]);
  perform refund_note(p_household, p_number, 'paid', null, p_by, '', p_now);
  update refund set state = 'paid', paid_at = p_now, their_word = 'transfer'
    where household_id = p_household and number = p_number;
end $$;

-- The money went back at the gateway by hand before this refund could be made: what is owed to the payer is set off
-- against what he owes for that. LX005: it has ended, or goes by transfer · LX009: so much did not go back by hand.
create or replace function refund_went_by_hand(
  p_household bigint, p_number text, p_by text, p_now timestamptz, p_booked_on date
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund := refund_held(p_household, p_number, array['abnormal', 'failed']);
begin
  perform hold_receipt(p_household, r.receipt);
  if exists (select from refund_transfer where household_id = p_household and number = p_number
               and state <> 'refused') then
    raise exception 'refund % goes by transfer', p_number using errcode = 'LX005';
  end if;
  if receipt_owed(p_household, r.receipt) < r.amount then
    raise exception 'receipt % did not give that back by hand', r.receipt using errcode = 'LX009';
  end if;
  perform ledger_post(p_household, 'refund:' || p_number || ':by_hand', p_booked_on, p_now,
                      array['refunds:' || r.gateway, 'receivable:resident'], array[r.amount, -r.amount],
                      array[null, null]::bigint[]);
  perform refund_note(p_household, p_number, 'paid', null, p_by, '', p_now);
  update refund set state = 'paid', paid_at = p_now, their_word = 'by_hand'
    where household_id = p_household and number = p_number;
end $$;
