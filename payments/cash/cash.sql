-- Cash in villages (decision 0061): each taking is one special receipt with the next serial of its village's book and one
-- entry of the book, on an account of the agent who holds it. Locks: bills, then the agent's cash, then his
-- village's serials. LX157: no serial is left · LX160: this receipt may not be voided · LX161: not what he saw, or not his · LX162: what was
-- written stays · LX163: an agent would hold less than nothing.

create or replace function cash_account(p_agent bigint) returns text language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  its_code text := 'cash:agent:' || p_agent;
begin
  if not exists (select from account where code = its_code) then
    insert into account (code, kind, name) values (its_code, 'asset', '代办员' || p_agent || '手中现金')
      on conflict (code) do nothing;
  end if;
  return its_code;
end $$;

-- Whatever changes an agent's cash holds it until the transaction ends: two at once see each other's.
create or replace function hold_cash_of(p_agent bigint) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('cash of agent ' || p_agent, 0))
$$;

create or replace function cash_not_below() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  perform hold_cash_of(split_part(new.account, ':', 3)::bigint);
  if (select coalesce(sum(amount), 0) from posting where starts_with(account, 'cash:agent:') and account = new.account) + new.amount < 0 then
    raise exception '% would be less than nothing', new.account using errcode = 'LX163';
  end if;
  return new;
end $$;

drop trigger if exists not_below on posting;
create trigger not_below before insert on posting
  for each row when (new.amount < 0 and starts_with(new.account, 'cash:agent:')) execute function cash_not_below();

-- A book is given once; its serials go one after the other, each with its receipt.
create or replace function receipt_book_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.next = new.first
     or tg_op = 'UPDATE' and to_jsonb(new) - 'next' = to_jsonb(old) - 'next' and new.next = old.next + 1 and pg_trigger_depth() > 1 then
    return new;
  end if;
  raise exception 'a book of receipts stays' using errcode = 'LX162';
end $$;

drop trigger if exists stays on receipt_book;
create trigger stays before insert or update or delete on receipt_book for each row execute function receipt_book_stays();
drop trigger if exists never_emptied on receipt_book;
create trigger never_emptied before truncate on receipt_book for each statement execute function ledger_is_append_only();

drop trigger if exists append_only on cash_switch;
create trigger append_only before update or delete on cash_switch for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on cash_switch;
create trigger never_emptied before truncate on cash_switch for each statement execute function ledger_is_append_only();

-- Is cash taken in a village on a day? The town's last word; none: no.
create or replace function cash_is_on(p_village text, p_day date, p_at timestamptz) returns boolean language sql stable as $$
  select coalesce((select is_on from cash_switch where village_code = p_village and day = p_day and at <= p_at
                    order by id desc limit 1), false)
$$;

create or replace function receipt_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  moving constant text[] := array['state', 'void_why', 'voided_at', 'batch_id'];
begin
  if tg_op = 'INSERT' then
    if new.state <> 'ISSUED' or not booked_just_now(new.household_id, 'receipt:cash:' || new.serial) or not exists (
         select from posting where household_id = new.household_id and cause = 'receipt:cash:' || new.serial
            and (account, amount, item) = ('cash:agent:' || new.agent_id, new.amount, new.bill_id)) then
      raise exception 'receipt % is not in the book', new.serial using errcode = 'LX162';
    end if;
    update receipt_book set next = next + 1
      where id = new.book_id and village_code = new.village_code and next = new.serial and next <= last;
    if not found then
      raise exception 'receipt % is not the next one of its book', new.serial using errcode = 'LX162';
    end if;
    return new;
  elsif tg_op = 'UPDATE' and old.state = 'ISSUED' and to_jsonb(new) - moving = to_jsonb(old) - moving
     and (new.state = 'REMITTED'
          or new.state = 'VOIDED' and booked_just_now(new.household_id, 'receipt:cash:' || new.serial || ':voided')) then
    return new;
  end if;
  raise exception 'receipt % stays', old.serial using errcode = 'LX162';
end $$;

drop trigger if exists moves on receipt;
create trigger moves before insert or update or delete on receipt for each row execute function receipt_moves();
drop trigger if exists never_emptied on receipt;
create trigger never_emptied before truncate on receipt for each statement execute function ledger_is_append_only();

-- A batch is what its receipts are; of it only grows what arrived.
create or replace function cash_batch_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.arrived = 0
     or tg_op = 'UPDATE' and to_jsonb(new) - 'arrived' = to_jsonb(old) - 'arrived' and new.arrived > old.arrived then
    return new;
  end if;
  raise exception 'what was taken to the bank stays' using errcode = 'LX162';
end $$;

drop trigger if exists stays on cash_batch;
create trigger stays before insert or update or delete on cash_batch for each row execute function cash_batch_stays();
drop trigger if exists never_emptied on cash_batch;
create trigger never_emptied before truncate on cash_batch for each statement execute function ledger_is_append_only();

create or replace function cash_slip_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - array['photo', 'struck_by', 'struck_at'] = to_jsonb(old) - array['photo', 'struck_by', 'struck_at']
     and (sealed_anew(old.photo, new.photo) or new.photo is null and owner_acts())
     and (old.struck_at is null or (new.struck_by, new.struck_at) = (old.struck_by, old.struck_at)) then
    return new;
  end if;
  raise exception 'a slip stays' using errcode = 'LX162';
end $$;

drop trigger if exists stays on cash_slip;
create trigger stays before update or delete on cash_slip for each row execute function cash_slip_stays();
drop trigger if exists never_emptied on cash_slip;
create trigger never_emptied before truncate on cash_slip for each statement execute function ledger_is_append_only();

-- One open bill is paid in cash: its entry, its settlement, its receipt. Who may, and whether, the caller has asked.
create or replace function cash_settle(
  p_agent bigint, p_village text, b bill, p_key bytea, p_code text, p_replaces bigint, p_roster bigint, p_no int,
  p_now timestamptz, p_booked_on date
) returns receipt language plpgsql as $$
declare
  book receipt_book;
  its_cause text;
  made receipt;
begin
  perform pg_advisory_xact_lock(hashtextextended('receipts of ' || p_village, 0));
  select * into book from receipt_book
    where village_code = p_village and first / 100000000 = b.levy_year and next <= last order by first limit 1;
  if book.id is null then
    raise exception 'no receipt is left in %', p_village using errcode = 'LX157';
  end if;
  its_cause := 'receipt:cash:' || book.next;
  perform post_settlement(b.household_id, its_cause, cash_account(p_agent), array[b.id], p_booked_on, p_now);
  update bill set state = 'settled', settled_by = its_cause, settled_at = p_now
    where household_id = b.household_id and id = b.id;
  insert into receipt (serial, book_id, village_code, agent_id, household_id, bill_id, amount, code, key, roster_id, roster_no,
                       issued_at, replaces)
    values (book.next, book.id, p_village, p_agent, b.household_id, b.id, b.personal_due, p_code, p_key, p_roster, p_no,
            p_now, p_replaces) returning * into made;
  return made;
end $$;

-- It was written wrong, or torn: its entry is undone by another, and nothing is paid any more. LX160 where somebody has it
-- given back, or a tier was raised on it.
create or replace function cash_undo(r receipt, p_why text, p_now timestamptz, p_booked_on date) returns void
  language plpgsql as $$
declare
  b bill;
  its_cause text := 'receipt:cash:' || r.serial;
begin
  select * into strict b from bill where household_id = r.household_id and id = r.bill_id for update;
  perform hold_cash_of(r.agent_id);
  select * into strict r from receipt where serial = r.serial for update;
  if r.state <> 'ISSUED' or b.state <> 'settled' or b.settled_by <> its_cause or is_raised(b)
     or (r.issued_at at time zone 'Asia/Shanghai')::date <> p_booked_on or exists (
       select from refund_bill rb where rb.household_id = b.household_id and rb.bill_id = b.id and rb.live) then
    raise exception 'receipt % may not be voided', r.serial using errcode = 'LX160';
  end if;
  perform ledger_post(r.household_id, its_cause || ':voided', p_booked_on, p_now, array_agg(account order by line),
                      array_agg(-amount order by line), array_agg(item order by line))
    from posting where household_id = r.household_id and cause = its_cause;
  update bill set state = 'withdrawn', settled_by = null, settled_at = null
    where household_id = b.household_id and id = b.id;
  update receipt set state = 'VOIDED', void_why = p_why, voided_at = p_now where serial = r.serial;
end $$;

-- What of a credit of the bank is of the one batch whose agent wrote this slip's number, and is still to come; and whose.
-- Nobody's, or several agents': nothing is.
create or replace function cash_batch_of(p_slip text) returns cash_batch language plpgsql as $$
declare
  its_batch bigint;
  batch cash_batch;
begin
  select min(s.batch_id) into its_batch from cash_slip s join cash_batch c on c.id = s.batch_id and c.arrived < c.total
   where s.slip = p_slip and s.struck_at is null having count(distinct s.batch_id) = 1;
  if its_batch is null then  -- nothing waits for it, or two do
    select min(batch_id) into its_batch from cash_slip where slip = p_slip and struck_at is null having count(distinct batch_id) = 1;
  end if;
  select * into batch from cash_batch where id = its_batch;
  if batch.id is not null then
    perform hold_cash_of(batch.agent_id);
    select * into batch from cash_batch where id = its_batch for update;
  end if;
  return batch;
end $$;

-- The bank has cash. By its slip's number it leaves its agent's hands, as far as it is of that batch; what is more, or
-- nobody's, is held with an owner; what is less is named. The difference's name, or `matched`.
create or replace function cash_arrives(r outside_row, p_now timestamptz, p_booked_on date) returns text
  language plpgsql as $$
declare
  batch cash_batch := cash_batch_of(r.part);
  missing bigint := batch.total - batch.arrived;
  mine bigint := case when batch.id is null then 0 else least(r.amount, missing) end;
  rest bigint := r.amount - mine;
  its_cause text := 'deposit:' || r.serial;
  came timestamptz := r.booked_on::timestamp at time zone 'Asia/Shanghai';
  found text := case when batch.id is null then 'UNKNOWN_PERSON' when mine = 0 then 'DUPLICATE'
                     when r.amount <> missing then 'AMOUNT_DIFF' else 'matched' end;
begin
  if mine > 0 then
    perform ledger_post(0, its_cause, p_booked_on, came, array['bank:pending', 'cash:agent:' || batch.agent_id],
                        array[mine, -mine], array[null, null]::bigint[]);
    update cash_batch set arrived = arrived + mine where id = batch.id;
    if mine = missing then
      perform cash_is_there(batch.id, p_now);
    end if;
  end if;
  if rest > 0 then
    perform ledger_post(0, its_cause || case when mine > 0 then ':rest' else '' end, p_booked_on, came,
                        array['bank:pending', 'suspense:bank'], array[rest, -rest], array[null, null]::bigint[]);
    perform hold_for_nobody(its_cause || case when mine > 0 then ':rest' else '' end, 'bank', 'bank', '', rest, p_booked_on);
  end if;
  if found <> 'matched' then
    perform name_difference('deposit', 'cash', r.day, found, 'deposit', r.serial, coalesce(batch.id::text, ''),
                            case when found = 'AMOUNT_DIFF' then missing end, r.amount, null, 0,
                            case when rest > 0 then 'held' else '' end, p_now, clock_timestamp());
  end if;
  update outside_row set verdict = found, cause = its_cause where kind = 'bank' and serial = r.serial;
  return found;
end $$;

-- All of a batch is there: what was too short of it is no difference any more.
create or replace function cash_is_there(p_batch bigint, p_now timestamptz) returns void language sql as $$
  update discrepancy set state = 'cleared', remedy = 'gone', reason = '余下的已经到账', cleared_by = 'rule:matched',
                         cleared_at = p_now
   where books = 'deposit' and channel = 'cash' and kind = 'AMOUNT_DIFF' and number = p_batch::text and state = 'open'
     and note = ''
$$;

-- The bank's file was faster than the agent: what came with this slip's number and is held for nobody leaves his hands
-- now, and what is more than his batch is held anew. Not what somebody has decided on: that stays with its owner.
create or replace function cash_had_arrived(p_slip text, p_now timestamptz, p_booked_on date) returns void language plpgsql as $$
declare
  r outside_row;
  batch cash_batch := cash_batch_of(p_slip);  -- its agent first, as the bank's file holds him
  mine bigint;
begin
  for r in select o.* from outside_row o
            join suspense s on s.household_id = 0 and s.cause = o.cause and s.solved_at is null and s.proposed_by is null
            where o.kind = 'bank' and o.channel = 'cash' and o.part = p_slip and o.verdict = 'UNKNOWN_PERSON'
              and not exists (select from refund f where f.household_id = 0 and f.receipt = o.cause and f.state <> 'rejected')
            order by o.serial for update of s
  loop
    continue when exists (select from refund f where f.household_id = 0 and f.receipt = r.cause and f.state <> 'rejected');
    batch := cash_batch_of(p_slip);
    mine := case when batch.id is null then 0 else least(r.amount, batch.total - batch.arrived) end;
    continue when mine = 0;
    perform suspense_solve(0, r.cause, 'applied', 'rule:slip', p_now);
    perform ledger_post(0, r.cause || ':applied', p_booked_on, p_now, array['suspense:bank', 'cash:agent:' || batch.agent_id],
                        array[mine, -mine], array[null, null]::bigint[]);
    update cash_batch set arrived = arrived + mine where id = batch.id;
    if batch.arrived + mine = batch.total then
      perform cash_is_there(batch.id, p_now);
    end if;
    if r.amount > mine then
      perform ledger_post(0, r.cause || ':rest', p_booked_on, p_now, array['suspense:bank', 'suspense:bank'],
                          array[r.amount - mine, mine - r.amount], array[null, null]::bigint[]);
      perform hold_for_nobody(r.cause || ':rest', 'bank', 'bank', '', r.amount - mine, p_booked_on);
      continue;  -- its name stays until somebody ends it
    end if;
    update discrepancy set state = 'cleared', remedy = 'gone', reason = '代办员登记了存款凭条', cleared_by = 'rule:matched',
                           cleared_at = p_now
      where books = 'deposit' and channel = 'cash' and subject = r.serial and state = 'open';
  end loop;
end $$;
