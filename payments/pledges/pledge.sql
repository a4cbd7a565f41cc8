-- A sponsor's money (decision 0053). The account `sponsor:<pledge>` has it in the book; the pledge's row counts beside it
-- what came in, what is spoken for and what goes back, and no number of hands at once can make it promise more than it
-- has: its checks hold at every write. A share is spoken for when a payment begins, so that settling it touches no
-- pledge. Locks: payments, bills and refunds first, then pledges by id.
-- LX130: not so much is left · LX131: the pledge may not move so.

create or replace function pledge_moves() returns trigger language plpgsql as $$
declare
  counts constant text[] := array['state', 'taken', 'spoken', 'back'];
begin
  if tg_op = 'INSERT' and new.state = 'proposed' and new.taken + new.spoken + new.back = 0
     or tg_op = 'UPDATE' and to_jsonb(new) - counts = to_jsonb(old) - counts
        and (new.state = old.state or (old.state, new.state) in (('proposed', 'agreed'), ('proposed', 'dropped'), ('agreed', 'ended')))
        and new.taken >= old.taken then
    return new;
  end if;
  raise exception 'pledge % may not be changed so', coalesce(new.id, old.id) using errcode = 'LX131';
end $$;

drop trigger if exists moves on pledge;
create trigger moves before insert or update or delete on pledge for each row execute function pledge_moves();
drop trigger if exists never_emptied on pledge;
create trigger never_emptied before truncate on pledge for each statement execute function ledger_is_append_only();

drop trigger if exists append_only on pledge_money;
create trigger append_only before update or delete on pledge_money for each row execute function ledger_is_append_only();

drop trigger if exists append_only on pledge_payment;
create trigger append_only before update or delete on pledge_payment for each row execute function ledger_is_append_only();

-- The account of the line of a bill that somebody else than the resident pays: a sponsor's is his pledge's own.
create or replace function pledge_of(p_part text, p_payer text) returns bigint language sql immutable as $$
  select case when p_part = 'sponsor' and p_payer ~ '^sponsor:[0-9]{1,18}$' then split_part(p_payer, ':', 2)::bigint end
$$;

-- Money for a pledge is in the book by this very transaction, under the pledge's account: it counts from now on.
create or replace function pledge_money_counts() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if not booked_just_now(new.household_id, new.cause) or new.amount is distinct from (
       select -sum(amount) from posting where household_id = new.household_id and cause = new.cause
          and account = 'sponsor:' || new.pledge_id) then
    raise exception 'money of % is not in the book', new.cause using errcode = 'LX131';
  end if;
  update pledge set taken = taken + new.amount where id = new.pledge_id and state in ('agreed', 'ended');
  if not found then
    raise exception 'pledge % takes no money', new.pledge_id using errcode = 'LX131';
  end if;
  return new;
end $$;

drop trigger if exists counts on pledge_money;
create trigger counts before insert on pledge_money for each row execute function pledge_money_counts();

-- A receipt's money is a pledge's: `p_money` is where it lies.
create or replace function pledge_take(
  p_household bigint, p_cause text, p_pledge bigint, p_money text, p_amount bigint, p_booked_on date,
  p_happened_at timestamptz
) returns void language plpgsql as $$
begin
  perform ledger_post(p_household, p_cause, p_booked_on, p_happened_at, array[p_money, 'sponsor:' || p_pledge],
                      array[p_amount, -p_amount], array[null, null]::bigint[]);
  insert into pledge_money (household_id, cause, pledge_id, amount, at)
    values (p_household, p_cause, p_pledge, p_amount, p_happened_at);
end $$;

-- May money come in for it?
create or replace function pledge_takes(p_pledge bigint) returns boolean language sql stable as $$
  select exists (select from pledge where id = p_pledge and state in ('agreed', 'ended'))
$$;

-- What can still be spoken for.
create or replace function pledge_room(p_pledge pledge) returns bigint language sql immutable as $$
  select case when p_pledge.state = 'agreed'
              then least(p_pledge.budget, p_pledge.taken - p_pledge.back) - p_pledge.spoken else 0 end
$$;

-- A share is what the bill's line says, is spoken for while it is reserved or used, and moves along one way.
create or replace function pledge_share_counts() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  before bigint := 0;
  change bigint;
begin
  if tg_op = 'INSERT' then
    if new.state not in ('reserved', 'used') or new.amount is distinct from (
         select sum(amount) from bill_line where household_id = new.household_id and bill_id = new.bill_id
            and pledge_of(part, payer) = new.pledge_id) then
      raise exception 'a share of bill % is what its line says', new.bill_id using errcode = 'LX131';
    end if;
  elsif tg_op = 'DELETE' or (new.household_id, new.bill_id, new.pledge_id, new.amount) is distinct from
        (old.household_id, old.bill_id, old.pledge_id, old.amount)
     or (old.state, new.state) not in (('reserved', 'released'), ('reserved', 'used'), ('released', 'reserved'),
                                       ('released', 'used'), ('used', 'given_back')) then
    raise exception 'the share of bill % may not move so', old.bill_id using errcode = 'LX131';
  elsif old.state in ('reserved', 'used') then
    before := old.amount;
  end if;
  change := case when new.state in ('reserved', 'used') then new.amount else 0 end - before;
  if change <> 0 then
    update pledge set spoken = spoken + change
      where id = new.pledge_id and (change < 0 or state in ('agreed', 'ended') and spoken + change <= budget
                                                  and spoken + change + back <= taken);
    if not found then
      raise exception 'pledge % has not so much left', new.pledge_id using errcode = 'LX130';
    end if;
  end if;
  return new;
end $$;

drop trigger if exists counts on pledge_share;
create trigger counts before insert or update or delete on pledge_share for each row execute function pledge_share_counts();

-- The shares of these bills are spoken for (`p_state` reserved), or used because the bills are being settled. What is
-- reserved already needs no pledge. `p_ended`: one that ended meanwhile pays too, out of what a bill has just given back.
-- False: a pledge has ended or has not so much left, and nothing was written.
create or replace function pledge_claim(
  p_household bigint, p_bills bigint[], p_state text, p_ended boolean default false
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  lines int;
  wanted jsonb;
begin
  select count(distinct (bill_id, payer)) into lines from bill_line
    where household_id = p_household and bill_id = any (p_bills) and pledge_of(part, payer) is not null;
  if lines = 0 then
    return true;
  end if;
  if lines > (select count(*) from pledge_share where household_id = p_household and bill_id = any (p_bills)
                 and state in ('reserved', 'used')) then
    select jsonb_agg(jsonb_build_object('bill', bill_id, 'pledge', pledge, 'amount', amount)) into wanted from (
      select l.bill_id, pledge_of(l.part, l.payer) as pledge, sum(l.amount)::bigint as amount from bill_line l
       where l.household_id = p_household and l.bill_id = any (p_bills) and pledge_of(l.part, l.payer) is not null
         and not exists (select from pledge_share s where s.household_id = l.household_id and s.bill_id = l.bill_id
                            and s.pledge_id = pledge_of(l.part, l.payer) and s.state in ('reserved', 'used'))
       group by 1, 2) missing;
    perform from pledge where id in (select w.pledge from jsonb_to_recordset(wanted) as w (pledge bigint)) order by id for update;
    if exists (select from (select w.pledge, sum(w.amount) as amount
                              from jsonb_to_recordset(wanted) as w (pledge bigint, amount bigint) group by w.pledge) asked
                 left join pledge g on g.id = asked.pledge
                where g.id is null or asked.amount > case when p_ended and g.state = 'ended'
                                                         then least(g.budget, g.taken - g.back) - g.spoken
                                                         else pledge_room(g) end) then
      return false;
    end if;
    update pledge_share s set state = p_state from jsonb_to_recordset(wanted) as w (bill bigint, pledge bigint)
      where s.household_id = p_household and (s.bill_id, s.pledge_id) = (w.bill, w.pledge) and s.state = 'released';
    insert into pledge_share (household_id, bill_id, pledge_id, amount, state)  -- no upsert: it would count twice
      select p_household, w.bill, w.pledge, w.amount, p_state
        from jsonb_to_recordset(wanted) as w (bill bigint, pledge bigint, amount bigint)
       where not exists (select from pledge_share s where s.household_id = p_household
                            and (s.bill_id, s.pledge_id) = (w.bill, w.pledge))
       order by w.pledge, w.bill;
  end if;
  if p_state = 'used' then
    update pledge_share set state = 'used'
      where household_id = p_household and bill_id = any (p_bills) and state = 'reserved';
  end if;
  return true;
end $$;

-- Their payment begins. False as above.
create or replace function pledge_reserve(p_household bigint, p_bills bigint[]) returns boolean language sql
  security definer set search_path = public, pg_temp as $$
  select pledge_claim(p_household, array(select bill_id from payment_bill where household_id = p_household
                                            and bill_id = any (p_bills) and live), 'reserved')
$$;

-- The pledges of these bills' shares that stand so, held in one order: two at once do not wait for each other.
create or replace function hold_pledges(p_household bigint, p_bills bigint[], p_state text) returns void language sql as $$
  select from pledge where id in (select pledge_id from pledge_share
                                   where household_id = p_household and bill_id = any (p_bills) and state = p_state)
   order by id for update
$$;

-- Nobody pays these bills any more: what was reserved for them is free.
create or replace function pledge_release(p_household bigint, p_bills bigint[]) returns void language sql
  security definer set search_path = public, pg_temp as $$
  select hold_pledges(p_household, p_bills, 'reserved');
  update pledge_share s set state = 'released'
   where s.household_id = p_household and s.state = 'reserved' and s.bill_id = any (p_bills)
     and not exists (select from payment_bill b where b.household_id = s.household_id and b.bill_id = s.bill_id and b.live)
$$;

-- A bill that goes back, or whose receipt of cash is voided, gives its shares to their budgets again, whoever else is given
-- what; an open one that is withdrawn keeps none. The bill in its place has its own.
create or replace function bill_lets_shares_go() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  perform hold_pledges(new.household_id, array[new.id], case old.state when 'settled' then 'used' else 'reserved' end);
  update pledge_share set state = case old.state when 'settled' then 'given_back' else 'released' end
   where household_id = new.household_id and bill_id = new.id
     and state = case old.state when 'settled' then 'used' else 'reserved' end;
  return null;
end $$;

drop trigger if exists shares_go on bill;
create trigger shares_go after update of state on bill
  for each row when (new.state in ('refunded', 'withdrawn')) execute function bill_lets_shares_go();

-- A pledge that ended gives back what is left, receipt by receipt, the way it came: reserved from the moment it is asked
-- for, free again when it is not agreed to.
create or replace function pledge_back_counts() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    update pledge set back = back + new.amount
      where id = new.pledge and state = 'ended' and spoken + back + new.amount <= taken
        and exists (select from pledge_money m where m.household_id = new.household_id and m.cause = new.receipt
                       and m.pledge_id = new.pledge)
        and not exists (select from pledge_share s where s.pledge_id = new.pledge and s.state = 'reserved');
    if not found then
      raise exception 'pledge % has not so much to give back', new.pledge using errcode = 'LX009';
    end if;
  else
    update pledge set back = back - new.amount where id = new.pledge;
  end if;
  return null;
end $$;

drop trigger if exists of_a_pledge on refund;
create trigger of_a_pledge after insert on refund
  for each row when (new.pledge is not null) execute function pledge_back_counts();
drop trigger if exists not_of_a_pledge on refund;
create trigger not_of_a_pledge after update of state on refund
  for each row when (new.pledge is not null and new.state = 'rejected' and old.state <> 'rejected')
  execute function pledge_back_counts();

-- An attempt is for a pledge when it begins, and then pays no bill.
create or replace function pledge_payment_begins() returns trigger language plpgsql as $$
begin
  if not exists (select from payment where household_id = new.household_id and number = new.number and state = 'created')
     or exists (select from payment_bill where household_id = new.household_id and number = new.number)
     or not exists (select from pledge where id = new.pledge_id and state = 'agreed') then
    raise exception 'payment % may not be for pledge %', new.number, new.pledge_id using errcode = 'LX131';
  end if;
  return new;
end $$;

drop trigger if exists begins on pledge_payment;
create trigger begins before insert on pledge_payment for each row execute function pledge_payment_begins();

-- Somebody asks for what is left of a receipt to go back to the sponsor; `p_number` is the refund's. LX009: it has not
-- ended, something is still reserved, or there is not so much.
create or replace function pledge_return(
  p_pledge bigint, p_household bigint, p_receipt text, p_number text, p_amount bigint, p_why text, p_reason text,
  p_by text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  way text := receipt_way(p_household, p_receipt);
  paid_under text := coalesce((select number from payment where household_id = p_household
                                  and 'receipt:' || gateway || ':' || reference = p_receipt), '');
begin
  if way is null then
    raise exception 'no receipt %', p_receipt using errcode = 'LX009';
  end if;
  insert into refund (household_id, number, receipt, held, gateway, payment, reference, ordered_at, paid, amount,
                      why, reason, sent_as, applied_by, applied_at, pledge)
    values (p_household, p_number, p_receipt, null, way, paid_under, receipt_reference(p_receipt), p_now,
            receipt_amount(p_household, p_receipt), p_amount, p_why, p_reason, p_number, p_by, p_now, p_pledge);
  perform refund_note(p_household, p_number, 'applied', null, p_by, '', p_now);
end $$;

-- What is asked to go back to its sponsor and has not gone yet.
create or replace function pledge_going_back(p_pledge bigint) returns bigint language sql stable
  security definer set search_path = public, pg_temp as $$
  select coalesce(sum(amount), 0)::bigint from refund
   where household_id in (select household_id from pledge_money where pledge_id = p_pledge) and pledge = p_pledge
     and state not in ('rejected', 'paid')
$$;
