-- The steps of a refund. Each is one dated row that the payer reads; the state moves only with its row, and the rows
-- are written here only. LX005: it has moved on · LX021: another step comes first · 23505: the same person twice.

create or replace function refund_note(
  p_household bigint, p_number text, p_word text, p_insurance text, p_by text, p_reason text, p_now timestamptz
) returns void language sql as $$
  insert into refund_step (household_id, number, step, word, insurance, by, at, reason)
    select p_household, p_number, coalesce(max(step), 0) + 1, p_word, p_insurance, p_by, p_now, p_reason
      from refund_step where household_id = p_household and number = p_number
$$;

drop trigger if exists append_only on refund_step;
create trigger append_only before update or delete on refund_step
  for each row execute function ledger_is_append_only();

-- The refund, held against anybody else, if it stands in one of `p_states`.
create or replace function refund_held(p_household bigint, p_number text, p_states text[]) returns refund
  language plpgsql as $$
declare
  way text[] := array['applied', 'accepted', 'reviewed', 'approved', 'paying', 'abnormal', 'failed', 'paid'];
  r refund;
begin
  select * into strict r from refund where household_id = p_household and number = p_number for update;
  if r.state <> all (p_states) then
    raise exception 'refund % is %', p_number, r.state using errcode = case
      when array_position(way, r.state) < array_position(way, p_states[cardinality(p_states)]) then 'LX021'
      else 'LX005' end;
  end if;
  return r;
end $$;

-- Tax takes it on. What never was a premium needs no bureau and is not taken on: it is agreed to at once.
create or replace function refund_accept(p_household bigint, p_number text, p_by text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund;
begin
  r := refund_held(p_household, p_number, array['applied']);
  if r.held is not null then
    raise exception 'refund % gives back no premium', p_number using errcode = 'LX021';
  end if;
  perform refund_note(p_household, p_number, 'accepted', null, p_by, '', p_now);
  update refund set state = 'accepted' where household_id = p_household and number = p_number;
end $$;

-- One bureau has looked at its part; the refund is reviewed when every insurance in it is.
create or replace function refund_review(
  p_household bigint, p_number text, p_insurance text, p_by text, p_reason text, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  missing text[];
begin
  perform refund_held(p_household, p_number, array['accepted']);
  select array_agg(distinct b.insurance) into missing from (
    select b.insurance from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
     where rb.household_id = p_household and rb.number = p_number and rb.live
    union all
    select g.insurance from refund r join pledge g on g.id = r.pledge
     where r.household_id = p_household and r.number = p_number) b
   where not exists (
     select from refund_step s where s.household_id = p_household and s.number = p_number
        and s.word = 'reviewed' and s.insurance = b.insurance);
  if p_insurance <> all (missing) then
    raise exception 'refund % waits for no review of %', p_number, p_insurance using errcode = 'LX005';
  end if;
  perform refund_note(p_household, p_number, 'reviewed', p_insurance, p_by, p_reason, p_now);
  if cardinality(missing) = 1 then
    update refund set state = 'reviewed' where household_id = p_household and number = p_number;
  end if;
  return cardinality(missing) = 1;
end $$;

-- Somebody else than who asked says no, and the payer reads why: nothing is reserved any more.
create or replace function refund_reject(
  p_household bigint, p_number text, p_by text, p_reason text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform refund_held(p_household, p_number, array['applied', 'accepted', 'reviewed']);
  perform refund_note(p_household, p_number, 'rejected', null, p_by, p_reason, p_now);
  update refund set state = 'rejected', decided_by = p_by, decided_at = p_now
    where household_id = p_household and number = p_number;
end $$;

-- Another person agrees: from now on the money is owed to the payer, the bills are given back (and others issued in
-- their place, paid by what stays), and others owe no more for them. `p_next` (system clock) is when the gateway is to
-- be asked. A payment whose money was of another amount has ended: its bill may be paid anew. LX033: what goes back was
-- raised since it was asked for. Locks: the payment, then its bills by id, then the refund (as who asks for it).
create or replace function refund_approve(
  p_household bigint, p_number text, p_by text, p_reason text, p_now timestamptz, p_booked_on date, p_next timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund;
  booked text := 'refund:' || p_number || ':approved';
  posted record;
begin
  perform from payment p join refund on refund.household_id = p.household_id and refund.payment = p.number
    where refund.household_id = p_household and refund.number = p_number for update of p;
  perform from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
    where rb.household_id = p_household and rb.number = p_number and rb.live order by b.id for update of b;
  r := refund_held(p_household, p_number, array['applied', 'reviewed']);
  if r.held is null and r.state = 'applied' then
    raise exception 'refund % gives a premium back: tax and the bureau come first', p_number using errcode = 'LX021';
  end if;
  if receipt_unasked(r.receipt) + (  -- given back by hand since it was asked for
       select sum(amount) from refund where household_id = p_household and receipt = r.receipt
          and (number = p_number or state in ('approved', 'paying', 'paid', 'abnormal', 'failed'))
          and not refund_is_booked(household_id, number, array['by_hand'])) > r.paid then
    raise exception 'receipt % has given that back', r.receipt using errcode = 'LX009';
  end if;
  perform refund_note(p_household, p_number, 'approved', null, p_by, p_reason, p_now);
  select * into posted from refund_postings(r);
  perform ledger_post(p_household, booked, p_booked_on, p_now, posted.accounts, posted.amounts, posted.items);
  if receipt_set_off(p_household, r.receipt) > receipt_unasked(r.receipt) then  -- booked back since it was asked for
    raise exception 'receipt % did not give that back', r.receipt using errcode = 'LX009';
  end if;
  update refund set state = 'approved', decided_by = p_by, decided_at = p_now, next_query_at = p_next
    where household_id = p_household and number = p_number;
  update bill set state = 'refunded' where household_id = p_household and id in (
    select bill_id from refund_bill where household_id = p_household and number = p_number and live);
  perform refund_replace(p_household, p_number, booked);
  if exists (select from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
              where rb.household_id = p_household and rb.number = p_number and rb.live and rise_is_left(b)) then
    raise exception 'a bill of % was raised since', p_number using errcode = 'LX033';
  end if;
  if r.held is not null then
    perform suspense_solve(p_household, r.receipt, 'given_back', p_by, p_now);
  end if;
  if r.amount = 0 then  -- others paid it whole, and have it back by the entry: nobody waits for money
    perform refund_note(p_household, p_number, 'paid', null, 'rule:paid_by_others', '', p_now);
    update refund set state = 'paid', paid_at = p_now where household_id = p_household and number = p_number;
  end if;
end $$;

-- Issue the bills that stand in the place of those given back: of the same item, paid when the former was, by the
-- approval's entry; benefits never begin later.
create or replace function refund_replace(p_household bigint, p_number text, p_booked text) returns void
  language plpgsql as $$
begin
  insert into bill (household_id, id, person_id, insurance, levy_year, determination, years, tier, level, raised_from, total,
                    personal_due, reason_code, price_until, benefit_start, state, settled_by, settled_at)
    select b.household_id, n.id, b.person_id, b.insurance, b.levy_year, b.determination, b.years, b.tier, b.level, b.raised_from, n.total,
           n.personal_due, n.reason_code, b.price_until, least(b.benefit_start, n.benefit_start), 'settled', p_booked, b.settled_at
      from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id,
           jsonb_to_record(rb.replacement->'bill') as n (id bigint, total bigint, personal_due bigint, reason_code text, benefit_start date)
     where rb.household_id = p_household and rb.number = p_number and rb.live and rb.replacement is not null;
  insert into bill_line (household_id, bill_id, line, part, payer, fund, amount, clause, evidence)
    select p_household, (rb.replacement->'bill'->>'id')::bigint, l.line, l.part, l.payer, l.fund, l.amount, l.clause,
           l.evidence
      from refund_bill rb, jsonb_to_recordset(rb.replacement->'lines') as l (
             line smallint, part text, payer text, fund text, amount bigint, clause text, evidence text)
     where rb.household_id = p_household and rb.number = p_number and rb.live;
  if not pledge_claim(p_household, array(  -- his share is a smaller one of the same sponsor
       select (replacement->'bill'->>'id')::bigint from refund_bill
        where household_id = p_household and number = p_number and live and replacement is not null), 'used', true) then
    raise exception 'a pledge for refund % has not so much left', p_number using errcode = 'LX130';
  end if;
end $$;

-- It cannot go back the way it came: too old for its gateway, or it came by none. A person must find another way.
create or replace function refund_stuck(p_household bigint, p_number text, p_word text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform refund_held(p_household, p_number, array['approved']);
  perform refund_note(p_household, p_number, 'failed', null, 'rule:' || p_word, '', p_now);
  update refund set state = 'failed', their_word = p_word where household_id = p_household and number = p_number;
end $$;
