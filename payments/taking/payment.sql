-- A payment moves only along payments/states.py; leaving the live states frees its bills for another payment (one that
-- somebody left is asked about all the same). Money makes a payment paid and a bill settled only in the transaction that
-- books it: later nobody can say it did.

create or replace function booked_just_now(p_household bigint, p_cause text) returns boolean language sql stable as $$
  select exists (select from entry where household_id = p_household and cause = p_cause
                    and transaction = pg_current_xact_id()::text::bigint)
$$;

create or replace function payment_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if not exists (select from payment_move where from_state = old.state and to_state = new.state) then
    raise exception 'payment % may not move from % to %', new.number, old.state, new.state using errcode = 'LX005';
  end if;
  if new.state in ('paid', 'surplus')
     and not booked_just_now(new.household_id, 'receipt:' || new.gateway || ':' || new.reference) then
    raise exception 'payment % may not be % without its entry', new.number, new.state using errcode = 'LX005';
  end if;
  if new.state in ('left', 'paid', 'surplus', 'closed', 'failed') then
    update payment_bill set live = false
      where household_id = new.household_id and number = new.number and live;
  end if;
  if new.state in ('left', 'surplus', 'closed', 'failed') then
    perform pledge_release(new.household_id, array(
      select bill_id from payment_bill where household_id = new.household_id and number = new.number));
  end if;
  if new.state in ('paid', 'surplus', 'closed', 'failed') then
    new.next_query_at := null;
  end if;
  return new;
end $$;

drop trigger if exists moves on payment;
create trigger moves before update of state on payment
  for each row when (old.state is distinct from new.state) execute function payment_moves();

-- What an attempt is about never changes: what was ordered, where, for how much, and the money that came of it.
create or replace function payment_is_frozen() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or (new.household_id, new.number, new.gateway, new.merchant, new.app, new.kind, new.amount,
       new.check_code) is distinct from (old.household_id, old.number, old.gateway, old.merchant, old.app, old.kind,
       old.amount, old.check_code)
     or (old.reference is not null and (new.reference, new.paid_at) is distinct from (old.reference, old.paid_at)) then
    raise exception 'payment % is frozen', old.number using errcode = 'LX006';
  end if;
  return new;
end $$;

drop trigger if exists frozen on payment;
create trigger frozen before update of household_id, number, gateway, merchant, app, kind, amount, check_code, reference,
  paid_at on payment for each row execute function payment_is_frozen();
drop trigger if exists never_removed on payment;
create trigger never_removed before delete on payment for each row execute function payment_is_frozen();

-- A payment takes bills on when it begins, and open ones only.
create or replace function payment_covers() returns trigger language plpgsql as $$
begin
  if not exists (select from payment p join bill b on b.household_id = p.household_id
                  where p.household_id = new.household_id and p.number = new.number and p.state = 'created'
                    and b.id = new.bill_id and b.state = 'open') or not new.live then
    raise exception 'payment % may not take bill % on', new.number, new.bill_id using errcode = 'LX006';
  end if;
  return new;
end $$;

drop trigger if exists covers on payment_bill;
create trigger covers before insert on payment_bill for each row execute function payment_covers();

-- Whoever begins a bill holds its person first, then the open bills by id: one order for two phones of a family, for a
-- callback, and for somebody whom the register is moving. `p_codes`: their live payments too, before the bills, for
-- whoever may make them give way.
create or replace function meet_people(p_people bigint[], p_codes boolean) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('levy of person ' || person, 0))
    from (select person from unnest(p_people) as person order by person) met;
  if p_codes then
    perform from payment p where exists (
        select from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
         where pb.household_id = p.household_id and pb.number = p.number and pb.live and b.person_id = any (p_people))
      order by p.number for update;
  end if;
  perform from bill where person_id = any (p_people) and state = 'open' order by id for update;
end $$;

-- A bill begins as open, or as settled by what is booked in the same breath; a payment begins as nothing but ordered.
create or replace function bill_begins() returns trigger language plpgsql as $$
begin
  if new.state <> 'open' and not (new.state = 'settled' and booked_just_now(new.household_id, new.settled_by)) then
    raise exception 'bill % may not begin as %', new.id, new.state using errcode = 'LX006';
  end if;
  return new;
end $$;

drop trigger if exists begins on bill;
create trigger begins before insert on bill for each row execute function bill_begins();

create or replace function payment_begins() returns trigger language plpgsql as $$
begin
  if new.state <> 'created' or new.reference is not null or new.paid_at is not null then
    raise exception 'payment % may not begin as %', new.number, new.state using errcode = 'LX005';
  end if;
  return new;
end $$;

drop trigger if exists begins on payment;
create trigger begins before insert on payment for each row execute function payment_begins();

-- Whether a fund is collected beside this premium: it is the medical one of a year that has the fund's accounts.
create or replace function is_fund_beside(p_insurance text, p_year int, p_determination bigint, p_fund text)
  returns boolean language sql stable as $$
  select p_insurance = 'RES_MEDICAL' and p_determination is null and p_fund not in ('RES_PENSION', 'RES_MEDICAL')
     and (select count(*) from account
           where code in ('fund:' || p_fund || ':' || p_year, 'treasury:' || p_fund || ':' || p_year)) = 2
$$;

-- What the resident pays of a bill into other funds than its insurance's: fund → fen; null: nothing.
create or replace function paid_into_others(p_household bigint, p_bill bigint) returns jsonb language sql stable as $$
  select jsonb_object_agg(fund, amount) from (
    select l.fund, sum(l.amount)::bigint as amount
      from bill b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id
     where b.household_id = p_household and b.id = p_bill and l.payer = 'resident' and l.fund <> b.insurance
     group by l.fund) other
$$;

-- The lines of a bill are written with it, and whoever shall pay one has an account: nobody is charged for what could not
-- be booked when the money is there. A line of another fund stands only beside the medical premium of a year that
-- collects it (INV-112). LX006, LX002.
create or replace function bill_line_is_first() returns trigger language plpgsql as $$
declare
  b bill;
begin
  select * into b from bill where household_id = new.household_id and id = new.bill_id
     and issued_at = transaction_timestamp();
  if not found then
    raise exception 'bill % has its lines', new.bill_id using errcode = 'LX006';
  end if;
  if new.fund <> b.insurance and not is_fund_beside(b.insurance, b.levy_year, b.determination, new.fund) then
    raise exception 'nothing is collected for % with % of %', new.fund, b.insurance, b.levy_year using errcode = 'LX002';
  end if;
  if new.payer <> 'resident' and not exists (
       select from account where code = receivable_of(new.part, new.payer, new.fund)) then
    raise exception 'no account of % for %', new.payer, new.part using errcode = 'LX002';
  end if;
  return new;
end $$;

drop trigger if exists first on bill_line;
create trigger first before insert on bill_line for each row execute function bill_line_is_first();

create or replace function bill_is_frozen() returns trigger language plpgsql as $$
declare
  given_back boolean := old.state = 'settled' and new.state = 'refunded' and exists (
    select from refund_bill r join entry e on e.household_id = r.household_id
       and e.cause = 'refund:' || r.number || ':approved'
     where r.household_id = new.household_id and r.bill_id = new.id and r.live);
  voided boolean := old.state = 'settled' and new.state = 'withdrawn' and new.settled_by is null and new.settled_at is null
    and starts_with(old.settled_by, 'receipt:cash:') and booked_just_now(new.household_id, old.settled_by || ':voided');
begin
  if (old.state <> 'open' and not given_back and not voided) or (old.state = 'open' and new.state = 'refunded')
     or (new.household_id, new.id, new.person_id, new.insurance, new.levy_year, new.determination, new.years, new.tier,
         new.level, new.raised_from, new.total, new.personal_due, new.price_until, new.issued_at) is distinct from
        (old.household_id, old.id, old.person_id, old.insurance, old.levy_year, old.determination, old.years, old.tier,
         old.level, old.raised_from, old.total, old.personal_due, old.price_until, old.issued_at)
     or (given_back and (new.settled_by, new.settled_at) is distinct from (old.settled_by, old.settled_at))
     or (new.state = 'settled' and not booked_just_now(new.household_id, new.settled_by)) then
    raise exception 'bill % is frozen', old.id using errcode = 'LX006';
  end if;
  return new;
end $$;

drop trigger if exists frozen on bill;
create trigger frozen before update on bill for each row execute function bill_is_frozen();

-- The pension's tier raised within the year (decision 0048): a bill of the difference beside the settled premium, whose
-- tier it names. Was this premium raised?
create or replace function is_raised(p_bill bill) returns boolean language sql stable as $$
  select p_bill.insurance = 'RES_PENSION' and p_bill.determination is null and p_bill.raised_from is null and exists (
    select from bill r where r.person_id = p_bill.person_id and r.insurance = p_bill.insurance
       and r.levy_year = p_bill.levy_year and r.raised_from is not null and r.state = 'settled')
$$;

-- Does the premium stand, at this tier? It is held until the transaction ends: nobody gives it back meanwhile. Whoever
-- was waited for may have put another in its place: only a new look sees that one.
create or replace function premium_stands(p_person bigint, p_year int, p_tier bigint) returns boolean language plpgsql as $$
begin
  for look in 1 .. 2 loop
    perform from bill where person_id = p_person and insurance = 'RES_PENSION' and levy_year = p_year
       and determination is null and raised_from is null and state = 'settled' and tier = p_tier for share;
    if found then
      return true;
    end if;
  end loop;
  return false;
end $$;

-- Do the premiums beside all the differences among these bills stand? All are held first, by id, as a refund holds them:
-- two that want the same ones wait for each other in one order.
create or replace function premiums_stand(p_household bigint, p_bills bigint[]) returns boolean language plpgsql as $$
begin
  perform from bill b where b.insurance = 'RES_PENSION' and b.determination is null and b.raised_from is null
     and b.state = 'settled' and (b.person_id, b.levy_year) in (
       select r.person_id, r.levy_year from bill r
        where r.household_id = p_household and r.id = any (p_bills) and r.raised_from is not null)
    order by b.id for share of b;
  return coalesce((select bool_and(premium_stands(person_id, levy_year, raised_from)) from bill
                    where household_id = p_household and id = any (p_bills) and raised_from is not null), true);
end $$;

-- Is it there, whoever may be giving it back?
create or replace function premium_is_there(p_person bigint, p_year int, p_tier bigint) returns boolean language sql stable as $$
  select exists (select from bill where person_id = p_person and insurance = 'RES_PENSION' and levy_year = p_year
     and determination is null and raised_from is null and state = 'settled' and tier = p_tier)
$$;

-- Has what became of this premium left a paid difference alone? One that only costs less since keeps its tier.
create or replace function rise_is_left(p_bill bill) returns boolean language sql stable as $$
  select p_bill.insurance = 'RES_PENSION' and exists (
    select from bill r where r.person_id = p_bill.person_id and r.insurance = p_bill.insurance
       and r.levy_year = p_bill.levy_year and r.raised_from is not null and r.state = 'settled'
       and not premium_is_there(r.person_id, r.levy_year, r.raised_from))
$$;

-- When all is written no difference stands without its premium (INV-113). LX033. One that only begins waits for nobody:
-- whoever takes its money looks again.
create or replace function rise_has_its_premium() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if (case when new.raised_from is null then rise_is_left(new)
           when new.state = 'open' then not premium_is_there(new.person_id, new.levy_year, new.raised_from)
           else not premium_stands(new.person_id, new.levy_year, new.raised_from) end) then
    raise exception 'the difference of bill % has no premium beside it', new.id using errcode = 'LX033';
  end if;
  return null;
end $$;

drop trigger if exists raised_beside on bill;
create constraint trigger raised_beside after insert or update of state on bill deferrable initially deferred
  for each row when (new.insurance = 'RES_PENSION' and case when new.raised_from is null then new.state = 'refunded'
    else new.state in ('open', 'settled') end) execute function rise_has_its_premium();

-- The account of what somebody else than the resident pays: what he owes, by what for, by whom, and for which fund; a
-- sponsor's money is here already, as his pledge's (payments/pledges/pledge.sql).
create or replace function receivable_of(p_part text, p_payer text, p_fund text) returns text language sql immutable as $$
  select case when p_part = 'sponsor' and p_payer ~ '^sponsor:[0-9]{1,18}$' then p_payer
              else 'receivable:' || p_part || ':' || split_part(p_payer, ':', 1) || ':' || p_fund end
$$;

-- Book the lines of a payment's or a bill's settlement: what the resident paid against `p_money`, what others owe
-- as receivables from whoever pays it, what sponsors pay from their money. Amounts of one account and one bill are one
-- posting. LX130: a sponsor's money is used up meanwhile.
create or replace function post_settlement(
  p_household bigint, p_cause text, p_money text, p_bills bigint[], p_booked_on date, p_happened_at timestamptz
) returns boolean language plpgsql as $$
declare
  accounts text[];
  amounts bigint[];
  items bigint[];
begin
  if not pledge_claim(p_household, p_bills, 'used') then
    raise exception 'a pledge for % has not so much left', p_cause using errcode = 'LX130';
  end if;
  with part as materialized (
    select l.bill_id, l.amount, 'fund:' || l.fund || ':' || b.levy_year as fund,
           case l.payer when 'resident' then p_money else receivable_of(l.part, l.payer, l.fund) end as from_whom
      from bill_line l join bill b on b.household_id = l.household_id and b.id = l.bill_id
     where l.household_id = p_household and l.bill_id = any (p_bills)
  ), posted as (
    select from_whom as account, sum(amount)::bigint as amount, bill_id from part group by from_whom, bill_id
    union all
    select fund, -sum(amount)::bigint, bill_id from part group by fund, bill_id
    order by 3, 2 desc, 1
  )
  select array_agg(account), array_agg(amount), array_agg(bill_id) into accounts, amounts, items from posted;
  return ledger_post(p_household, p_cause, p_booked_on, p_happened_at, accounts, amounts, items);
end $$;

-- A bill of which the resident pays nothing is settled without a gateway (decision 11). False: it was settled before.
create or replace function settle_bill(
  p_household bigint, p_bill bigint, p_now timestamptz, p_booked_on date
) returns boolean language plpgsql security definer set search_path = public, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  b bill;
  settled_cause text := 'bill:' || p_bill || ':settled';
begin
  select * into strict b from bill where household_id = p_household and id = p_bill for update;
  if b.state = 'settled' then
    return false;
  end if;
  if b.personal_due <> 0 or b.state <> 'open' then
    raise exception 'bill % is % with % fen due from the resident', p_bill, b.state, b.personal_due
      using errcode = 'LX006';
  end if;
  perform post_settlement(p_household, settled_cause, '', array[p_bill], p_booked_on, p_now);
  update bill set state = 'settled', settled_by = settled_cause, settled_at = p_now
    where household_id = p_household and id = p_bill;
  return true;
end $$;
