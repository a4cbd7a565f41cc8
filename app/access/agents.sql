-- A town keeps its own agents: one is out at once; a telephone that is gone is told of by one, agreed to by another, and
-- then the office process gives out a new second factor. In the name of whoever's live session it is.

-- Somebody of a town all of whose villages an agent has. LX080: nobody of an office, behind a glass, or another town's.
create or replace function keeper_of(p_session bytea, p_login text, p_at timestamptz) returns text
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if mine.role <> 'town' or not exists (select from agent where login = p_login) or exists (
       select from agent a join agent_village v on v.agent_id = a.id
        where a.login = p_login and not left(v.village_code, 9) = any (mine.towns)) then
    raise exception 'agent % is not kept by %', p_login, mine.login using errcode = 'LX080';
  end if;
  return 'staff:' || mine.login;
end $$;

-- He is out, on every screen he has open. False: he was.
create or replace function end_agent(p_session bytea, p_login text, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  whose bigint;
begin
  perform set_config('liangxian.actor', keeper_of(p_session, p_login, p_at), true);
  update agent set active = false where login = p_login and active returning id into whose;
  delete from session where agent_id = whose;
  return whose is not null;
end $$;

-- His telephone is gone, and why that is believed; its number. One that is open already is that one.
create or replace function ask_second(p_session bytea, p_login text, p_why text, p_at timestamptz) returns bigint
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := keeper_of(p_session, p_login, p_at);
  number bigint;
begin
  insert into lost_second (login, why, asked_by, asked_at) values (p_login, p_why, who, p_at)
    on conflict do nothing returning id into number;
  return coalesce(number, (select id from lost_second
                            where login = p_login and agreed_at is null and refused_at is null));
end $$;

-- Another says yes or no: of the same town, or the lead of the tax bureau. False: somebody has. LX080: it is none of his;
-- LX118: he asked.
create or replace function answer_second(p_session bytea, p_id bigint, p_agreed boolean, p_at timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held lost_second;
  mine staff := officer_here(p_session, p_at);
begin
  select * into held from lost_second where id = p_id for update;
  if mine.role <> 'tax_lead' then
    perform keeper_of(p_session, held.login, p_at);
  end if;
  if p_agreed and held.asked_by = 'staff:' || mine.login then
    raise exception '% asked for it', mine.login using errcode = 'LX118';
  end if;
  update lost_second set agreed_by = case when p_agreed then 'staff:' || mine.login end,
         agreed_at = case when p_agreed then p_at end, refused_by = case when not p_agreed then 'staff:' || mine.login end,
         refused_at = case when not p_agreed then p_at end
   where id = p_id and agreed_at is null and refused_at is null;
  return found;
end $$;

-- Asked, answered once, its slip made once; nothing else of it moves.
create or replace function lost_second_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and num_nonnulls(new.agreed_at, new.refused_at, new.made_at) = 0
     or tg_op = 'UPDATE' and old.agreed_at is null and old.refused_at is null and new.made_at is null
        and to_jsonb(new) - array['agreed_by', 'agreed_at', 'refused_by', 'refused_at']
          = to_jsonb(old) - array['agreed_by', 'agreed_at', 'refused_by', 'refused_at']
     or tg_op = 'UPDATE' and old.agreed_at is not null and old.made_at is null
        and to_jsonb(new) - 'made_at' = to_jsonb(old) - 'made_at' then
    return new;
  end if;
  raise exception 'a lost telephone is answered once' using errcode = 'LX082';
end $$;

drop trigger if exists moves on lost_second;
create trigger moves before insert or update or delete on lost_second for each row execute function lost_second_moves();
drop trigger if exists never_emptied on lost_second;
create trigger never_emptied before truncate on lost_second for each statement execute function ledger_is_append_only();
