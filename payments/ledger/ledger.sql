-- The book's guards and its one way in. Entries balance at commit, are never changed or removed, and take postings
-- only from the transaction that wrote them. The application may read the book and call ledger_post(), nothing else.

create or replace function ledger_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the book is append-only: % on %', tg_op, tg_table_name using errcode = 'LX003';
end $$;

create or replace function ledger_balances() returns trigger language plpgsql
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  lines int;
  difference numeric;
begin
  select count(*), coalesce(sum(amount), 0) into lines, difference
    from posting where household_id = new.household_id and cause = new.cause;
  if lines < 2 or difference <> 0 then
    raise exception 'entry % does not balance: % lines, difference % fen', new.cause, lines, difference
      using errcode = 'LX004';
  end if;
  return null;
end $$;

create or replace function ledger_joins_own_entry() returns trigger language plpgsql as $$
begin
  if not exists (select from entry where household_id = new.household_id and cause = new.cause
                   and transaction = pg_current_xact_id()::text::bigint) then
    raise exception 'postings join only an entry of their own transaction' using errcode = 'LX003';
  end if;
  return new;
end $$;

drop trigger if exists append_only on entry;
create trigger append_only before update or delete on entry
  for each row execute function ledger_is_append_only();

drop trigger if exists append_only on posting;
create trigger append_only before update or delete on posting
  for each row execute function ledger_is_append_only();

drop trigger if exists never_emptied on entry;
create trigger never_emptied before truncate on entry for each statement execute function ledger_is_append_only();

drop trigger if exists never_emptied on posting;
create trigger never_emptied before truncate on posting for each statement execute function ledger_is_append_only();

drop trigger if exists balances on entry;
create constraint trigger balances after insert on entry deferrable initially deferred
  for each row execute function ledger_balances();

drop trigger if exists own_entry on posting;
create trigger own_entry before insert on posting for each row execute function ledger_joins_own_entry();

-- The first day from `p_day` on that is still open. From here to the end of the transaction nobody can close it.
-- Who writes shares a lock with the other writers of that day; closing a day takes it alone (payments/ledger/seal.sql), so a day
-- that is closing keeps nobody waiting who writes into another.
create or replace function open_day(p_day date) returns date language plpgsql as $$
declare
  found date := p_day;
  sealed date;
begin
  loop
    perform pg_advisory_xact_lock_shared(hashtext('day of the book'), found - date '2000-01-01');
    select max(day) into sealed from sealed_day;
    if sealed is null or found > sealed then
      return found;
    end if;
    found := sealed + 1;
  end loop;
end $$;

-- Whoever writes an entry, by whatever way: no day that is closed takes it (INV-13). A transaction that sees an older
-- state of the database than the lock guards cannot know what is closed.
create or replace function ledger_day_is_open() returns trigger language plpgsql as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the book is written at read committed only' using errcode = 'LX010';
  end if;
  if open_day(new.booked_on) <> new.booked_on then
    raise exception 'the book is closed for %', new.booked_on using errcode = 'LX010';
  end if;
  return new;
end $$;

drop trigger if exists day_is_open on entry;
create trigger day_is_open before insert on entry for each row execute function ledger_day_is_open();

-- Book one event. True: booked now. False: booked before, with the same figures. What belongs to a closed day is booked
-- on the first open one; when it happened stays as it was.
-- LX001 the same cause with other figures · LX002 an account the chart does not know · LX004 out of balance.
create or replace function ledger_post(
  p_household bigint, p_cause text, p_booked_on date, p_happened_at timestamptz,
  p_accounts text[], p_amounts bigint[], p_items bigint[]
) returns boolean language plpgsql as $$
declare
  written int;
begin
  insert into entry (household_id, cause, booked_on, happened_at, transaction)
    values (p_household, p_cause, open_day(p_booked_on), p_happened_at, pg_current_xact_id()::text::bigint)
    on conflict do nothing;
  if not found then
    if (select array_agg(account order by line) = p_accounts and array_agg(amount order by line) = p_amounts
          from posting where household_id = p_household and cause = p_cause) then
      return false;
    end if;
    raise exception 'cause % was booked before with other figures', p_cause using errcode = 'LX001';
  end if;
  insert into posting (household_id, cause, line, account, amount, item)
    select p_household, p_cause, given.line, given.account, given.amount, given.item
      from unnest(p_accounts, p_amounts, p_items) with ordinality as given (account, amount, item, line)
      join account on account.code = given.account;
  get diagnostics written = row_count;
  if written <> cardinality(p_accounts) then
    raise exception 'cause % names an account that the chart does not know', p_cause using errcode = 'LX002';
  end if;
  return true;
end $$;
