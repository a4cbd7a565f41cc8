-- What the web may change of an account, and in whose name it may note a reading: through these functions only. Accounts
-- themselves are the office commands' (migrations/grants.sql).

-- A code of the second factor counts once: the step moves on, or the recovery code is gone. False: used, or unknown.
create or replace function spend_second(p_whose text, p_login text, p_step bigint, p_recovery bytea) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if p_whose not in ('agent', 'staff') then
    raise exception '% has no second factor', p_whose using errcode = 'LX080';
  end if;
  if p_step is not null then
    if p_whose = 'agent' then
      update agent set second_step = p_step where login = p_login and second_step < p_step;
    else
      update staff set second_step = p_step where login = p_login and second_step < p_step;
    end if;
  elsif p_whose = 'agent' then
    update agent set recovery = array_remove(recovery, p_recovery) where login = p_login and p_recovery = any (recovery);
  else
    update staff set recovery = array_remove(recovery, p_recovery) where login = p_login and p_recovery = any (recovery);
  end if;
  return found;
end $$;

-- Whoever's live session it is has a password of his own from now on, and every other session of his is over. Noted in
-- his name. LX080 without one, or if the password is not the former one any more.
create or replace function change_own_password(p_session bytea, p_former text, p_hash text, p_at timestamptz)
  returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  own session;
  ended bigint;
begin
  select s.* into own from session s where s.token_hash = p_session and s.expires_at > p_at;
  perform set_config('liangxian.actor', coalesce((select 'agent:' || login from agent where id = own.agent_id),
                                                 (select 'staff:' || login from staff where id = own.staff_id)), true);
  if own.agent_id is not null then
    update agent set password_hash = p_hash, given = false
     where id = own.agent_id and active and password_hash = p_former;
  else
    update staff set password_hash = p_hash, given = false
     where id = own.staff_id and active and password_hash = p_former;
  end if;
  if not found then
    raise exception 'nobody changes a password in this session' using errcode = 'LX080';
  end if;
  delete from session where token_hash <> p_session and (agent_id = own.agent_id or staff_id = own.staff_id);
  get diagnostics ended = row_count;
  return ended;
end $$;

-- A reading is noted in the name of whoever's live session it is, and of nobody else. LX080 without one.
create or replace function note_reading(p_session bytea, p_person bigint, p_place text, p_reason text,
                                        p_at timestamptz) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  insert into disclosure (by, what, person_id, place, reason, at)
    select 'staff:' || f.login,
           case when p_person is not null then 'numbers' when starts_with(p_place, 'complaint:') then 'complaint' else 'list' end,
           p_person, p_place, p_reason, p_at
      from session s join staff f on f.id = s.staff_id
     where s.token_hash = p_session and s.expires_at > p_at and f.active;
  if not found then
    raise exception 'nobody of an office reads in this session' using errcode = 'LX080';
  end if;
end $$;

drop trigger if exists append_only on disclosure;
create trigger append_only before update or delete on disclosure for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on disclosure;
create trigger never_emptied before truncate on disclosure for each statement execute function ledger_is_append_only();

-- A raw message stays as it came. One that failed may be said to have been applied later; of one that nobody believed
-- the owner may keep the hash alone (forget_refused); nothing else changes.
create or replace function received_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.result = 'refused' and new.body = '' and new.whole = coalesce(old.whole, sha256(old.body))
     and to_jsonb(new) - array['body', 'whole'] = to_jsonb(old) - array['body', 'whole'] then
    return new;
  end if;
  if tg_op = 'DELETE' or not starts_with(old.result, 'failed') or starts_with(new.result, 'failed')
     or to_jsonb(new) - 'result' is distinct from to_jsonb(old) - 'result' then
    raise exception 'a raw message stays as it came' using errcode = 'LX081';
  end if;
  return new;
end $$;

-- The words of messages that nobody believed and that came before a moment go; their hashes stay, and with them what is
-- kept of their days (app/access/trail.sql). How many.
create or replace function forget_refused(p_before timestamptz) returns bigint language plpgsql
  set search_path = public, pg_temp as $$
declare
  gone bigint;
begin
  update received set body = '', whole = coalesce(whole, sha256(body))
   where result = 'refused' and received_at < p_before and body <> '';
  get diagnostics gone = row_count;
  return gone;
end $$;

drop trigger if exists stays on received;
create trigger stays before update or delete on received for each row execute function received_stays();
drop trigger if exists never_emptied on received;
create trigger never_emptied before truncate on received for each statement execute function ledger_is_append_only();

-- What is done with an account is noted by whatever way it is done: by a command, whose operator the connection names
-- (liangxian.actor), by its owner on his page, or in the name of the database's role. Codes that a login spends are not noted here.
create or replace function account_noted() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  actor text := nullif(current_setting('liangxian.actor', true), '');
  now_is jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) else '{}' end;
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) else '{}' end;
  row_is jsonb := before || now_is;
  whom text;
  done text;
begin
  if tg_table_name = 'agent_village' then
    whom := 'agent:' || coalesce((select login from agent where id = (row_is->>'agent_id')::bigint), row_is->>'agent_id');
  else
    whom := tg_table_name || ':' || (row_is->>'login');
  end if;
  foreach done in array array['account', 'removed', 'disabled', 'enabled', 'role', 'password', 'second', 'village'] loop
    if (case done
         when 'account' then tg_op = 'INSERT' and tg_table_name <> 'agent_village'
         when 'removed' then tg_op = 'DELETE' and tg_table_name <> 'agent_village'
         when 'village' then tg_table_name = 'agent_village'
         when 'role' then tg_table_name = 'staff' and tg_op <> 'DELETE'
              and (now_is->'role', now_is->'towns', now_is->'departments')
                  is distinct from (before->'role', before->'towns', before->'departments')
         when 'second' then tg_op <> 'DELETE' and tg_table_name <> 'agent_village'
              and not coalesce(sealed_anew(decode(substr(before->>'second', 3), 'hex'),
                                           decode(substr(now_is->>'second', 3), 'hex')), false)
         when 'password' then tg_op = 'UPDATE' and now_is->'password_hash' is distinct from before->'password_hash'
         when 'disabled' then tg_op = 'UPDATE' and before->'active' = 'true' and now_is->'active' = 'false'
         else tg_op = 'UPDATE' and before->'active' = 'false' and now_is->'active' = 'true'
       end) then
      insert into act (what, by, about, words, way, at)
        values (done, coalesce(actor, 'role:' || session_user), whom,
                case done when 'role' then concat_ws(' ', now_is->>'role', nullif(now_is->>'towns', '[]'),
                                                     nullif(now_is->>'departments', '[]'))
                          when 'village' then concat_ws(' ', lower(tg_op), row_is->>'village_code') else '' end,
                case when actor is null then 'database' when starts_with(actor, 'operator:') then 'command' else 'web' end,
                clock_timestamp());
    end if;
  end loop;
  return null;
end $$;

drop trigger if exists noted on staff;
create trigger noted after insert or update or delete on staff for each row execute function account_noted();

drop trigger if exists noted on agent;
create trigger noted after insert or update or delete on agent for each row execute function account_noted();

drop trigger if exists noted on agent_village;
create trigger noted after insert or update or delete on agent_village for each row execute function account_noted();

-- So is a channel that is paused or opened again, and why, by whoever the row names.
create or replace function pause_noted() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  actor text := coalesce(new.opened_by, new.paused_by);
begin
  insert into act (what, by, about, words, way, at)
    values (case when new.opened_by is null then 'paused' else 'opened' end, actor, 'gateway:' || new.gateway,
            case when new.opened_by is null then new.why else '' end,
            case when starts_with(actor, 'operator:') then 'command' else 'web' end, clock_timestamp());
  return null;
end $$;

drop trigger if exists noted on channel_pause;
create trigger noted after insert or update on channel_pause for each row execute function pause_noted();

drop trigger if exists append_only on act;
create trigger append_only before update or delete on act for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on act;
create trigger never_emptied before truncate on act for each statement execute function ledger_is_append_only();
