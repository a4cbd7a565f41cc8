-- Who proposed something takes it back before anybody agreed, with its dated step; nothing was booked, so nothing is.
-- LX032: somebody else proposed it.

create or replace function only_who_asked(p_asked text, p_by text) returns void language plpgsql as $$
begin
  if p_asked is distinct from p_by then
    raise exception '% did not propose it', p_by using errcode = 'LX032';
  end if;
end $$;

-- A wish to have money given back, while nobody agreed: nothing is reserved any more.
create or replace function refund_withdraw(p_household bigint, p_number text, p_by text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  r refund;
begin
  r := refund_held(p_household, p_number, array['applied', 'accepted', 'reviewed']);
  perform only_who_asked(r.applied_by, p_by);
  perform refund_note(p_household, p_number, 'withdrawn', null, p_by, '', p_now);
  update refund set state = 'rejected', decided_by = p_by, decided_at = p_now
    where household_id = p_household and number = p_number;
end $$;

-- What money in doubt was meant for: it is in doubt as before.
create or replace function suspense_withdraw(p_household bigint, p_cause text, p_by text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  s suspense;
begin
  s := suspense_held(p_household, p_cause);
  if s.bills is null and s.pledge is null then
    raise exception 'nothing is proposed for %', p_cause using errcode = 'LX024';
  end if;
  perform only_who_asked(s.proposed_by, p_by);
  update suspense set bills_household = null, bills = null, pledge = null, proposed_by = null
    where household_id = p_household and cause = p_cause;
  perform suspense_note(p_household, p_cause, 'withdrawn', p_by, '', p_now);
end $$;

-- What somebody did about a difference. Only added to.
create or replace function discrepancy_note(p_id bigint, p_word text, p_by text, p_reason text, p_now timestamptz)
  returns void language sql as $$
  insert into discrepancy_step (discrepancy, step, word, by, reason, at)
    select p_id, coalesce(max(step), 0) + 1, p_word, p_by, p_reason, p_now from discrepancy_step where discrepancy = p_id
$$;

drop trigger if exists append_only on discrepancy_step;
create trigger append_only before update or delete on discrepancy_step
  for each row execute function ledger_is_append_only();

-- What was to be booked for a difference: it is open again. LX030: nothing waits for a second person.
create or replace function discrepancy_withdraw(p_id bigint, p_by text, p_now timestamptz)
  returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  d discrepancy;
begin
  select * into d from discrepancy where id = p_id for update;
  if d.id is null or d.state <> 'proposed' then
    raise exception 'difference % waits for nobody', p_id using errcode = 'LX030';
  end if;
  perform only_who_asked(d.cleared_by, p_by);
  update discrepancy set state = 'open', remedy = '', reason = '', cleared_by = null, cleared_at = null where id = p_id;
  perform discrepancy_note(p_id, 'withdrawn', p_by, '', p_now);
end $$;
