-- Break-glass (A52): somebody of an office asks, somebody else opens, an hour at most, once. Written through these
-- functions only, in the name of whoever's live session it is; each step is noted with the acts.

-- Who of an office a live session belongs to. LX080: nobody.
create or replace function officer_of(p_session bytea, p_at timestamptz) returns text language plpgsql stable
  security definer set search_path = public, pg_temp as $$
declare
  who text;
begin
  select 'staff:' || f.login into who from session s join staff f on f.id = s.staff_id
   where s.token_hash = p_session and s.expires_at > p_at and f.active;
  if who is null then
    raise exception 'nobody of an office acts in this session' using errcode = 'LX080';
  end if;
  return who;
end $$;

create or replace function glass_ask(p_session bytea, p_reason text, p_at timestamptz) returns bigint language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  mine bigint;
begin
  insert into glass (asked_by, reason, asked_at) values (officer_of(p_session, p_at), p_reason, p_at)
    on conflict do nothing returning id into mine;
  return mine;
end $$;

-- True: open from now on, an hour. False: it is open, ended, or was asked for more than an hour ago. Who asked does not
-- open (the table's own check), nor does anybody whose own glass is open.
create or replace function glass_open(p_session bytea, p_glass bigint, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
begin
  update glass g set opened_by = who, opened_at = p_at, until = p_at + interval '1 hour'
   where g.id = p_glass and g.opened_at is null and g.ended_at is null and g.asked_at > p_at - interval '1 hour'
     and not exists (select from glass own where own.asked_by = who and own.ended_at is null and own.until > p_at);
  return found;
end $$;

-- Either of the two ends it, whether it was opened or only asked for. False: not his, or over.
create or replace function glass_end(p_session bytea, p_glass bigint, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
begin
  update glass set ended_by = who, ended_at = p_at
   where id = p_glass and ended_at is null and who in (asked_by, opened_by);
  return found;
end $$;

-- Those whose time is over end by it: what was opened an hour ago, what was asked for and opened by nobody.
create or replace function glass_over(p_at timestamptz) returns setof glass language sql
  security definer set search_path = public, pg_temp as $$
  update glass set ended_by = 'rule:an_hour', ended_at = p_at
   where ended_at is null and coalesce(until, asked_at + interval '1 hour') <= p_at
  returning *
$$;

-- One request of somebody whose glass is open. LX080: it is not.
create or replace function glass_note(p_session bytea, p_endpoint text, p_words text, p_person bigint, p_network text,
                                      p_at timestamptz) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  insert into glass_act (glass, endpoint, words, person_id, network, at)
    select id, p_endpoint, p_words, p_person, p_network, p_at from glass
     where asked_by = officer_of(p_session, p_at) and ended_at is null and until > p_at;
  if not found then
    raise exception 'no glass is open in this session' using errcode = 'LX080';
  end if;
end $$;

-- It is asked for, opened once, and ended once; nothing else of it changes.
create or replace function glass_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and num_nonnulls(new.opened_by, new.ended_by) = 0 then
    return new;
  elsif tg_op = 'UPDATE' and old.ended_at is null
     and (old.opened_at is null and new.opened_at is not null and new.ended_at is null
          and to_jsonb(new) - array['opened_by', 'opened_at', 'until']
            = to_jsonb(old) - array['opened_by', 'opened_at', 'until']
       or new.ended_at is not null and to_jsonb(new) - array['ended_by', 'ended_at']
            = to_jsonb(old) - array['ended_by', 'ended_at']) then
    return new;
  end if;
  raise exception 'a glass is asked for, opened once and ended once' using errcode = 'LX107';
end $$;

drop trigger if exists moves on glass;
create trigger moves before insert or update or delete on glass for each row execute function glass_moves();
drop trigger if exists never_emptied on glass;
create trigger never_emptied before truncate on glass for each statement execute function ledger_is_append_only();

drop trigger if exists append_only on glass_act;
create trigger append_only before update or delete on glass_act for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on glass_act;
create trigger never_emptied before truncate on glass_act for each statement execute function ledger_is_append_only();

create or replace function glass_noted() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  insert into act (what, by, about, words, way, at) values (
    case when new.ended_at is not null then 'glass_ended' when new.opened_at is not null then 'glass_opened'
         else 'glass_asked' end,
    coalesce(new.ended_by, new.opened_by, new.asked_by), new.asked_by, case when tg_op = 'INSERT' then new.reason else '' end,
    'web', clock_timestamp());
  return null;
end $$;

drop trigger if exists noted on glass;
create trigger noted after insert or update on glass for each row execute function glass_noted();
