-- One sentence and its answer. An application of the web begins it; every step after that is these functions', in the
-- name of whoever's live session it is.

create or replace function matter_moves() returns trigger language plpgsql as $$
declare
  steps text[] := array['words', 'due_on', 'state', 'turn', 'taken_by', 'taken_at', 'answer', 'answered_by', 'answered_at',
                        'again', 'kept_from'];  -- all else is what it is about
begin
  if tg_op = 'INSERT' then
    if new.state <> 'open' or new.turn <> 1 or num_nonnulls(new.taken_by, new.answered_by, new.answer, new.again) > 0 then
      raise exception 'a matter begins open' using errcode = 'LX119';
    end if;
    return new;
  end if;
  if tg_op = 'DELETE' or to_jsonb(new) - steps is distinct from to_jsonb(old) - steps or new.state <> old.state and (old.state, new.state) not in (
          ('open', 'taken'), ('reopened', 'taken'), ('taken', 'answered'), ('answered', 'closed'),
          ('answered', 'reopened')) then
    raise exception 'matter % may not be changed so', old.id using errcode = 'LX119';
  end if;
  return new;
end $$;

drop trigger if exists moves on matter;
create trigger moves before insert or update or delete on matter for each row execute function matter_moves();
drop trigger if exists never_emptied on matter;
create trigger never_emptied before truncate on matter for each statement execute function ledger_is_append_only();

-- Somebody of the office that answers it has it in hand. False: somebody has it, or it is answered. LX080: nobody of an
-- office; LX117: of another one, or while an open glass lets him see what is not his.
create or replace function take_matter(p_session bytea, p_id bigint, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
  held matter;
begin
  select * into held from matter where id = p_id for update;
  if not exists (select from staff where 'staff:' || login = who and role = held.office)
     or exists (select from glass where asked_by = who and ended_at is null and until > p_at) then
    raise exception 'matter % is not answered by %', p_id, who using errcode = 'LX117';
  end if;
  update matter set state = 'taken', taken_by = who, taken_at = p_on where id = p_id and state in ('open', 'reopened');
  return found;
end $$;

-- The office's answer, once a turn, whoever of it has the matter in hand. False: it is answered.
create or replace function answer_matter(p_session bytea, p_id bigint, p_answer bytea, p_on timestamptz, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform take_matter(p_session, p_id, p_on, p_at);
  update matter set state = 'answered', answer = p_answer, answered_by = officer_of(p_session, p_at), answered_at = p_on,
         kept_from = p_at
   where id = p_id and state = 'taken';
  return found;
end $$;

-- Settled (`p_again` null), or not, and why: by the account that said it, or where an agent or a counter did by one that
-- knows the person, or by an agent of the village, a counter of the town. False: it is not answered. LX080: somebody else's.
create or replace function end_matter(
  p_session bytea, p_id bigint, p_again bytea, p_due_on date, p_on timestamptz, p_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform from matter where id = p_id for update;
  if not exists (
       select from session s join matter held on held.id = p_id
        where s.token_hash = p_session and s.expires_at > p_at
          and (held.by = 'account:' || s.account_id
               or not starts_with(held.by, 'account:') and s.account_id is not null and exists (
                    select from jsonb_each(s.known) k where k.value = to_jsonb(held.person_id))
               or starts_with(held.by, 'staff:') and counter_of(p_session, held.person_id, p_at) is not null
               or starts_with(held.by, 'agent:') and exists (
                    select from agent a join agent_village v on v.agent_id = a.id
                     where a.id = s.agent_id and a.active and v.village_code = held.village_code))) then
    raise exception 'matter % is not of this session', p_id using errcode = 'LX080';
  end if;
  update matter set state = case when p_again is null then 'closed' else 'reopened' end, again = coalesce(p_again, again),
         turn = turn + case when p_again is null then 0 else 1 end, due_on = coalesce(p_due_on, due_on)
   where id = p_id and state = 'answered';
  return found;
end $$;

-- The answer is told once a turn, in the caller's transaction; `p_subject` is M, the number and the turn.
create or replace function matter_tell(
  p_household bigint, p_subject text, p_fields jsonb, p_phone bytea, p_next_try_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  told text := 'matter:' || p_subject || ':answered';
begin
  if enqueue_notice(p_household, told, 'answered', p_fields, null, p_phone, p_next_try_at) then
    perform defer_telling(array[p_household], array[told]);
  end if;
end $$;
