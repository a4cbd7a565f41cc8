-- Who may do what with cash (decision 0061), in the name of whoever's live session it is: tax gives a village a book of
-- receipts, the town switches cash on for a day, the agent takes it, voids a receipt, and writes down what he took to the bank.
-- LX155: none of his · LX156: no cash today, or he holds too much, or too long · LX157–LX161 of payments/cash/cash.sql · LX154: on no roster.

-- Serials of one levy year for a village, taken from nobody else (23P01).
create or replace function officer_gives_book(
  p_session bytea, p_village text, p_first bigint, p_last bigint, p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  number bigint;
begin
  if mine.role <> 'tax_clerk' then
    raise exception '% gives no receipts', mine.login using errcode = 'LX155';
  end if;
  insert into receipt_book (village_code, first, last, next, by, at)
    values (p_village, p_first, p_last, p_first, 'staff:' || mine.login, p_now) returning id into number;
  return number;
end $$;

-- Cash in these villages of his town on a day that has not passed, or no more. How many were otherwise before.
create or replace function officer_switches_cash(
  p_session bytea, p_villages text[], p_day date, p_on boolean, p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  changed bigint;
begin
  if mine.role <> 'town' or p_day < (p_now at time zone 'Asia/Shanghai')::date
     or exists (select from unnest(p_villages) code where not left(code, 9) = any (mine.towns)) then
    raise exception 'cash is none of %', mine.login using errcode = 'LX155';
  end if;
  perform pg_advisory_xact_lock(hashtext('switches of cash'));  -- whoever takes some at this moment is through, or waits
  insert into cash_switch (village_code, day, is_on, by, at)
    select there, p_day, p_on, 'staff:' || mine.login,
           greatest(p_now, (select max(r.issued_at) + interval '1 microsecond' from receipt r where r.village_code = there))
      from unnest(p_villages) there
     where cash_is_on(there, p_day, p_now) <> p_on;
  get diagnostics changed = row_count;
  return changed;
end $$;

-- What an agent has in hand at a moment: receipts not taken to the bank, since when; and since when money that he says he
-- took there is not in the bank's file.
create or replace function cash_in_hand(p_agent bigint) returns table (held bigint, since timestamptz, away timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(sum(amount), 0)::bigint, min(issued_at),
         (select min(oldest) from cash_batch where agent_id = p_agent and arrived < total)
    from receipt where agent_id = p_agent and state = 'ISSUED'
$$;

-- He has counted it: the bills are paid by it, each with its receipt; the receipts. The same request again: those it made. Its
-- transaction has issued the bills. `p_rules`: the year's ceiling (fen) and hours, and the levy years collected by roster.
create or replace function agent_takes_cash(
  p_session bytea, p_household bigint, p_bills bigint[], p_total bigint, p_codes text[], p_key bytea, p_body bytea,
  p_replaces bigint, p_rules jsonb, p_at timestamptz, p_now timestamptz
) returns setof receipt language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bigint := agent_here(p_session, p_at);
  today date := (p_now at time zone 'Asia/Shanghai')::date;
  its_village text := (select village_code from household where id = p_household);
  hand record;
  b bill;
  due bigint := 0;
  again boolean;
  on_roster record;
begin
  if mine is null or not exists (select from agent_village where agent_id = mine and village_code = its_village) then
    raise exception 'household % is none of agent %', p_household, mine using errcode = 'LX155';
  end if;
  insert into request_key (key, body_hash, household_id, number) values (p_key, p_body, p_household, 'cash')
    on conflict do nothing;
  if not found then
    return;
  end if;
  perform pg_advisory_xact_lock_shared(hashtext('switches of cash'));
  for b in select * from bill where household_id = p_household and id = any (p_bills) order by id for update loop
    if exists (select from conflict c where c.person_id = b.person_id and c.state = 'open' and b.insurance = any (c.insurances)) then
      raise exception 'offices contradict each other about whose bill % is', b.id using errcode = 'LX124';
    end if;
    due := due + b.personal_due;
    if b.state <> 'open' or b.personal_due = 0 or p_now >= b.price_until or not premiums_stand(p_household, array[b.id])
       or exists (select from payment_bill where household_id = p_household and bill_id = b.id and live) then
      raise exception 'bill % is not to be paid in cash now', b.id using errcode = 'LX161';
    end if;
  end loop;
  if due is distinct from p_total or cardinality(p_codes) is distinct from cardinality(p_bills)
     or (select count(*) from bill where household_id = p_household and id = any (p_bills)) <> cardinality(p_bills) then
    raise exception 'it is not what agent % saw', mine using errcode = 'LX161';
  end if;
  perform hold_cash_of(mine);
  select * into hand from cash_in_hand(mine);
  again := exists (select from receipt where serial = p_replaces and agent_id = mine and household_id = p_household
                      and amount = due and state = 'VOIDED')
    and booked_just_now(p_household, 'receipt:cash:' || p_replaces || ':voided');  -- a torn paper's: it was taken already
  if not again and (not cash_is_on(its_village, today, p_now)
     or hand.held + (select coalesce(sum(total - arrived), 0) from cash_batch where agent_id = mine) + due
          > coalesce((p_rules ->> 'ceiling')::bigint, 0)
     or least(hand.since, hand.away) <= p_now - make_interval(hours => coalesce((p_rules ->> 'red_hours')::int, 0))) then
    raise exception 'agent % takes no cash now', mine using errcode = 'LX156';
  end if;
  for i in 1 .. cardinality(p_bills) loop
    select * into b from bill where household_id = p_household and id = p_bills[i];
    select * into on_roster from listed_by(b, mine, p_now);
    if on_roster.roster_id is null and is_of_roster(b) and p_rules -> 'by_roster' @> to_jsonb(b.levy_year) then
      raise exception 'bill % is on no roster of agent %', b.id, mine using errcode = 'LX154';
    end if;
    return next cash_settle(mine, its_village, b, p_key, p_codes[i], p_replaces, on_roster.roster_id, on_roster.roster_no,
                            p_now, today);
  end loop;
end $$;

-- The agent who issued it, on the same day: torn, wrong, or the money went back to its payer's hand.
create or replace function agent_voids_receipt(p_session bytea, p_serial bigint, p_why text, p_at timestamptz, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bigint := agent_here(p_session, p_at);
  r receipt;
begin
  select * into r from receipt where serial = p_serial;
  if mine is null or r.agent_id is distinct from mine then
    raise exception 'receipt % is none of agent %', p_serial, mine using errcode = 'LX155';
  end if;
  perform cash_undo(r, p_why, p_now, (p_now at time zone 'Asia/Shanghai')::date);
end $$;

-- What he took to the bank: these receipts, whose sum he saw, by this slip; the batch.
create or replace function agent_remits_cash(
  p_session bytea, p_serials bigint[], p_total bigint, p_slip_id bigint, p_slip text, p_photo bytea, p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bigint := agent_here(p_session, p_at);
  found_now record;
  number bigint;
begin
  if mine is null then
    raise exception 'no agent is here' using errcode = 'LX155';
  end if;
  perform pg_advisory_xact_lock(hashtext('credits of the bank'));  -- a file that is being read knows it, or waits
  perform hold_cash_of(mine);
  select count(*) as count, sum(amount)::bigint as total, min(issued_at) as oldest into found_now
    from receipt where agent_id = mine and state = 'ISSUED' and serial = any (p_serials);
  if found_now.count = 0 or found_now.count <> cardinality(p_serials) or found_now.total <> p_total then
    raise exception 'it is not what agent % saw', mine using errcode = 'LX161';
  end if;
  insert into cash_batch (agent_id, count, total, oldest, at)
    values (mine, found_now.count, found_now.total, found_now.oldest, p_now) returning id into number;
  update receipt set state = 'REMITTED', batch_id = number where serial = any (p_serials);
  perform cash_writes_slip(mine, number, p_slip_id, p_slip, p_photo, p_now);
  return number;
end $$;

-- Another slip of a batch that is not whole yet: the rest of the money, or a number that was misread.
create or replace function agent_adds_slip(
  p_session bytea, p_batch bigint, p_slip_id bigint, p_slip text, p_photo bytea, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bigint := agent_here(p_session, p_at);
begin
  perform pg_advisory_xact_lock(hashtext('credits of the bank'));  -- a file that is being read knows it, or waits
  perform hold_cash_of(mine);
  if not exists (select from cash_batch where id = p_batch and agent_id = mine and arrived < total) then
    raise exception 'batch % is none of agent %, or is there', p_batch, mine using errcode = 'LX161';
  end if;
  perform cash_writes_slip(mine, p_batch, p_slip_id, p_slip, p_photo, p_now);
end $$;

create or replace function cash_writes_slip(
  p_agent bigint, p_batch bigint, p_slip_id bigint, p_slip text, p_photo bytea, p_now timestamptz
) returns void language plpgsql as $$
begin
  insert into cash_slip (id, batch_id, slip, photo, at) values (p_slip_id, p_batch, p_slip, p_photo, p_now);
  perform cash_had_arrived(p_slip, p_now, (p_now at time zone 'Asia/Shanghai')::date);
end $$;

-- Two wrote one number, or a wrong one: tax says of which batch it is not. What it keeps from its batch is looked for again.
create or replace function officer_strikes_slip(p_session bytea, p_slip_id bigint, p_at timestamptz, p_now timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  its_slip text;
begin
  if mine.role <> 'tax_clerk' then
    raise exception 'slips are none of %', mine.login using errcode = 'LX155';
  end if;
  perform pg_advisory_xact_lock(hashtext('credits of the bank'));
  update cash_slip set struck_by = 'staff:' || mine.login, struck_at = p_now
    where id = p_slip_id and struck_at is null returning slip into its_slip;
  if its_slip is not null then
    perform cash_had_arrived(its_slip, p_now, (p_now at time zone 'Asia/Shanghai')::date);
  end if;
  return its_slip is not null;
end $$;
