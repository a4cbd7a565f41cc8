-- Money in doubt and how it is solved: taken by a person, kept for a reason until a day, applied to open bills by two
-- people, or given back (62). LX023: it is solved · LX022: the bills do not fit it.

-- The first day from `p_day` on that is neither Saturday nor Sunday.
create or replace function working_day(p_day date) returns date language sql immutable as $$
  select p_day + case extract(isodow from p_day)::int when 6 then 2 when 7 then 1 else 0 end
$$;

create or replace function suspense_note(
  p_household bigint, p_cause text, p_word text, p_by text, p_reason text, p_now timestamptz
) returns void language sql as $$
  insert into suspense_step (household_id, cause, step, word, by, at, reason)
    select p_household, p_cause, coalesce(max(step), 0) + 1, p_word, p_by, p_now, p_reason
      from suspense_step where household_id = p_household and cause = p_cause
$$;

drop trigger if exists append_only on suspense_step;
create trigger append_only before update or delete on suspense_step
  for each row execute function ledger_is_append_only();

create or replace function suspense_held(p_household bigint, p_cause text) returns suspense language plpgsql as $$
declare
  s suspense;
begin
  select * into strict s from suspense where household_id = p_household and cause = p_cause for update;
  if s.solved_at is not null then
    raise exception '% is solved', p_cause using errcode = 'LX023';
  end if;
  return s;
end $$;

-- A person takes it: from now on it is his.
create or replace function suspense_take(p_household bigint, p_cause text, p_by text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform suspense_held(p_household, p_cause);
  update suspense set owner = p_by where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, 'taken', p_by, '', p_now);
end $$;

-- It stays for a reason, until a day; whoever keeps it owns it.
create or replace function suspense_keep(
  p_household bigint, p_cause text, p_until date, p_reason text, p_by text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform suspense_held(p_household, p_cause);
  update suspense set owner = p_by, due_on = p_until where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, 'kept', p_by, p_reason, p_now);
end $$;

-- Is it the money of the payment whose number it carries: come in another amount, or known from the list alone? Then
-- the gateway takes nothing more under that number, and the payment ends with the solution.
create or replace function held_of_its_own(p_held suspense) returns boolean language sql immutable as $$
  select p_held.doubt in ('amount', 'unconfirmed')
$$;

-- Do these open bills of one household fit it: their resident's parts sum up exactly to what nobody gave back of it by
-- hand, their price was in force when the money came, and nobody else is paying or getting it? Locks the bills.
create or replace function suspense_fits(p_held suspense, p_household bigint, p_bills bigint[]) returns boolean
  language plpgsql as $$
declare
  came timestamptz;
  due bigint;
begin
  select happened_at into came from entry where household_id = p_held.household_id and cause = p_held.cause;
  if not premiums_stand(p_household, p_bills) then
    return false;
  end if;
  select sum(personal_due) into due from (
    select personal_due from bill b where household_id = p_household and id = any (p_bills) and state = 'open'
       and came < price_until
       and not exists (
         select from payment_bill pb where pb.household_id = b.household_id and pb.bill_id = b.id and pb.live
            and not (held_of_its_own(p_held) and pb.number = p_held.number))
     order by id for update) locked having count(*) = cardinality(p_bills);
  return due is not distinct from p_held.amount - receipt_unasked(p_held.cause) and not exists (
    select from refund where household_id = p_held.household_id and receipt = p_held.cause and held is not null
       and state <> 'rejected');
end $$;

create or replace function suspense_propose(
  p_household bigint, p_cause text, p_bills_household bigint, p_bills bigint[], p_by text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  s suspense;
begin
  s := suspense_held(p_household, p_cause);
  if not suspense_fits(s, p_bills_household, p_bills) then
    raise exception 'the bills do not fit %', p_cause using errcode = 'LX022';
  end if;
  update suspense set bills_household = p_bills_household, bills = p_bills, pledge = null, proposed_by = p_by, owner = p_by
    where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, 'proposed', p_by, '', p_now);
end $$;

-- Another person agrees to what he saw: the proposed bills are settled by it, when the money came. LX024: nothing is
-- proposed · LX025: it is not what he saw. Locks: the payment, the bills he saw by id (as who proposes), then the money.
create or replace function suspense_apply(
  p_household bigint, p_cause text, p_seen bigint[], p_amount bigint, p_by text, p_now timestamptz, p_booked_on date
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  s suspense;
  came timestamptz;
begin
  perform from payment p join suspense on suspense.household_id = p.household_id and suspense.number = p.number
    where suspense.household_id = p_household and suspense.cause = p_cause for update of p;
  perform from bill where id = any (p_seen) and household_id = (
    select bills_household from suspense where household_id = p_household and cause = p_cause) order by id for update;
  s := suspense_held(p_household, p_cause);
  if s.bills is null then
    raise exception 'nothing is proposed for %', p_cause using errcode = 'LX024';
  end if;
  if (s.bills, s.amount) is distinct from (p_seen, p_amount) then
    raise exception 'another thing is proposed for %', p_cause using errcode = 'LX025';
  end if;
  if s.proposed_by = p_by then
    raise exception 'who proposes does not agree: %', p_cause using errcode = '23514';
  end if;
  if not suspense_fits(s, s.bills_household, s.bills) then
    raise exception 'the bills do not fit %', p_cause using errcode = 'LX022';
  end if;
  select happened_at into came from entry where household_id = p_household and cause = p_cause;
  perform suspense_solve(p_household, p_cause, 'applied', p_by, p_now);
  perform post_settlement(s.bills_household, p_cause || ':applied',
                          case s.doubt when 'surplus' then 'surplus:' else 'suspense:' end || s.gateway, s.bills,
                          p_booked_on, came);
  update bill set state = 'settled', settled_by = p_cause || ':applied', settled_at = came
    where household_id = s.bills_household and id = any (s.bills);
end $$;

-- It is solved. A payment whose own money it was has ended with it, and its bills are free.
create or replace function suspense_solve(
  p_household bigint, p_cause text, p_solution text, p_by text, p_now timestamptz
) returns void language plpgsql as $$
declare
  s suspense;
begin
  s := suspense_held(p_household, p_cause);
  update suspense set solved_at = p_now, solved_by = p_by, solution = p_solution
    where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, p_solution, p_by, '', p_now);
  if held_of_its_own(s) then
    update payment set state = 'closed' where household_id = p_household and number = s.number
       and gateway = s.gateway and state in ('created', 'pending', 'unknown', 'closing', 'left');
  end if;
end $$;

-- Whose money no bill waits for may be a sponsor's: one proposes to give it to a pledge, another who saw that agrees, and
-- it counts for the pledge. LX022: the pledge takes no money, or somebody gives it back.
create or replace function suspense_fits_pledge(p_held suspense, p_pledge bigint) returns boolean language sql stable as $$
  select p_held.amount > 0 and pledge_takes(p_pledge) and receipt_unasked(p_held.cause) = 0 and not exists (
    select from refund where household_id = p_held.household_id and receipt = p_held.cause and held is not null
       and state <> 'rejected')
$$;

create or replace function suspense_propose_pledge(
  p_household bigint, p_cause text, p_pledge bigint, p_by text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  s suspense;
begin
  s := suspense_held(p_household, p_cause);
  if not suspense_fits_pledge(s, p_pledge) then
    raise exception 'pledge % does not take %', p_pledge, p_cause using errcode = 'LX022';
  end if;
  update suspense set bills_household = null, bills = null, pledge = p_pledge, proposed_by = p_by, owner = p_by
    where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, 'proposed', p_by, '', p_now);
end $$;

create or replace function suspense_give_pledge(
  p_household bigint, p_cause text, p_seen bigint, p_amount bigint, p_by text, p_now timestamptz, p_booked_on date
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  s suspense;
begin
  perform from payment p join suspense on suspense.household_id = p.household_id and suspense.number = p.number
    where suspense.household_id = p_household and suspense.cause = p_cause for update of p;
  s := suspense_held(p_household, p_cause);
  if s.pledge is null then
    raise exception 'nothing is proposed for %', p_cause using errcode = 'LX024';
  end if;
  if (s.pledge, s.amount) is distinct from (p_seen, p_amount) then
    raise exception 'another thing is proposed for %', p_cause using errcode = 'LX025';
  end if;
  if s.proposed_by = p_by then
    raise exception 'who proposes does not agree: %', p_cause using errcode = '23514';
  end if;
  if not suspense_fits_pledge(s, s.pledge) then
    raise exception 'pledge % does not take %', s.pledge, p_cause using errcode = 'LX022';
  end if;
  perform suspense_solve(p_household, p_cause, 'applied', p_by, p_now);
  perform pledge_take(p_household, p_cause || ':applied', s.pledge,
                      case s.doubt when 'surplus' then 'surplus:' else 'suspense:' end || s.gateway, s.amount,
                      p_booked_on, (select happened_at from entry where household_id = p_household and cause = p_cause));
end $$;
