-- A bureau's word from a page, and an applicant's second thought: written through these functions only, in the name of
-- whoever's live session it is.

-- Who of the bureau of an insurance a live session belongs to. LX080: nobody of an office; LX117: of another office, or
-- while an open glass lets him see what is not his.
create or replace function bureau_of(p_session bytea, p_insurance text, p_at timestamptz) returns text
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
begin
  if not exists (select from staff where 'staff:' || login = who
                    and role = case p_insurance when 'RES_PENSION' then 'hrss' when 'RES_MEDICAL' then 'medical' end)
     or exists (select from glass where asked_by = who and ended_at is null and until > p_at) then
    raise exception '% is not of the bureau of %', who, p_insurance using errcode = 'LX117';
  end if;
  return who;
end $$;

-- Who of a counter a live session belongs to, if it is of the town where a person lives; null for everybody else, and
-- while an open glass lets him see what is not his.
create or replace function counter_of(p_session bytea, p_person bigint, p_at timestamptz) returns text
  language sql stable security definer set search_path = public, pg_temp as $$
  select 'staff:' || f.login
    from session s join staff f on f.id = s.staff_id and f.active and f.role = 'counter'
    join person p on p.id = p_person join household h on h.id = p.household_id and left(h.village_code, 9) = any (f.towns)
   where s.token_hash = p_session and s.expires_at > p_at
     and not exists (select from glass g where g.asked_by = 'staff:' || f.login and g.ended_at is null and g.until > p_at)
$$;

-- The bureau has it in hand. False: it has it already, or it is over. LX118: he applied for it himself.
create or replace function check_determination(p_session bytea, p_id bigint, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held determination;
  who text;
begin
  select * into held from determination where id = p_id for update;
  who := bureau_of(p_session, held.insurance, p_at);
  if who = held.requested_by then
    raise exception '% applied for determination %', who, p_id using errcode = 'LX118';
  end if;
  update determination set state = 'checking', checked_by = who, checked_at = p_on
   where id = p_id and state = 'applied';
  return found;
end $$;

-- Approved or rejected, for good, on the business clock's `p_on`. False: it is over. LX118: he applied for it himself.
create or replace function decide_determination(p_session bytea, p_id bigint, p_approved boolean, p_amount bigint,
    p_years int[], p_benefit_start date, p_reason text, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform check_determination(p_session, p_id, p_on, p_at);
  update determination
     set state = case when p_approved then 'approved' else 'rejected' end, amount = p_amount, years = p_years,
         benefit_start = p_benefit_start, reason = p_reason, decided_by = officer_of(p_session, p_at), decided_at = p_on
   where id = p_id and state = 'checking';
  return found;
end $$;

-- Withdrawn while nobody has it in hand: by the account that applied, or where none did by one that knows the person, or
-- by an agent of his village where an agent applied, or by a counter of his town where one did. False: it is in hand, or over. LX080: somebody else's.
create or replace function withdraw_determination(p_session bytea, p_id bigint, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held determination;
  who text;
begin
  select * into held from determination where id = p_id for update;
  select case when s.account_id is not null then 'account:' || s.account_id
              when s.agent_id is not null then 'agent:' || s.agent_id else counter_of(p_session, held.person_id, p_at) end into who
    from session s
   where s.token_hash = p_session and s.expires_at > p_at
     and (s.account_id is not null and exists (select from jsonb_each(s.known) k where k.value = to_jsonb(held.person_id))
            and (held.requested_by = 'account:' || s.account_id or not starts_with(held.requested_by, 'account:'))
          or starts_with(held.requested_by, 'agent:') and exists (
               select from agent a join agent_village v on v.agent_id = a.id
                 join household h on h.village_code = v.village_code join person p on p.household_id = h.id
                where a.id = s.agent_id and a.active and p.id = held.person_id)
          or starts_with(held.requested_by, 'staff:') and counter_of(p_session, held.person_id, p_at) is not null);
  if who is null then
    raise exception 'determination % is not of this session', p_id using errcode = 'LX080';
  end if;
  update determination set state = 'withdrawn', withdrawn_by = who, withdrawn_at = p_on
   where id = p_id and state = 'applied';
  return found;
end $$;

-- What became of a case is told once, in the caller's transaction; `p_subject` is D and its number, or N and a newborn's.
create or replace function determination_tell(
  p_household bigint, p_subject text, word text, p_fields jsonb, p_phone bytea, p_next_try_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  told text := 'determination:' || p_subject || ':' || word;
begin
  if word in ('determined', 'not_determined') then
    if enqueue_notice(p_household, told, word, p_fields, null, p_phone, p_next_try_at) then
      perform defer_telling(array[p_household], array[told]);
    end if;
  end if;
end $$;
