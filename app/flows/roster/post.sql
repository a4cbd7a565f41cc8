-- A signed roster hangs in its village for three full days (D31), is objected to and answered. In the name of whoever's live
-- session it is. LX140: none of his · LX141: it stands otherwise by now · LX143: it stays · LX146: another poster's code
-- · LX147: five of his are open.

-- The agent of a live session, who is active.
create or replace function agent_here(p_session bytea, p_at timestamptz) returns bigint language sql stable
  security definer set search_path = public, pg_temp as $$
  select a.id from session s join agent a on a.id = s.agent_id and a.active
   where s.token_hash = p_session and s.expires_at > p_at
$$;

-- Who of a village's own hands a live session is: its agent, or somebody of its town.
create or replace function near_village(p_session bytea, p_village text, p_at timestamptz) returns text language sql stable
  security definer set search_path = public, pg_temp as $$
  select case when exists (select from agent_village v where v.agent_id = agent_here(p_session, p_at) and v.village_code = p_village)
              then 'agent:' || agent_here(p_session, p_at)
              else (select 'staff:' || f.login from session s join staff f on f.id = s.staff_id
                     where s.token_hash = p_session and s.expires_at > p_at and f.active and f.role = 'town'
                       and left(p_village, 9) = any (f.towns)
                       and not exists (select from glass g where g.asked_by = 'staff:' || f.login and g.ended_at is null
                                          and g.until > p_at)) end
$$;

-- It hangs: the three days begin at the next midnight in Beijing. The poster's code is the version's, as the agent read it
-- from what he photographed.
create or replace function agent_posts_roster(
  p_session bytea, p_roster bigint, p_no int, p_code text, p_photo bytea, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine bigint := agent_here(p_session, p_at);
  held roster;
  midnight timestamptz := (date_trunc('day', p_now at time zone 'Asia/Shanghai') + interval '1 day') at time zone 'Asia/Shanghai';
begin
  select * into held from roster where id = p_roster for update;
  if held.id is null or mine is null or held.agent_id is distinct from mine or not exists (
       select from agent_village v where v.agent_id = mine and v.village_code = held.village_code) then
    raise exception 'roster % is none of agent %', p_roster, mine using errcode = 'LX140';
  elsif held.state <> 'WITH_AGENT' or held.no <> p_no then
    raise exception 'roster % has moved', p_roster using errcode = 'LX141';
  elsif p_code is distinct from (select v.code from roster_version v where (v.roster_id, v.no) = (held.id, held.no)) then
    raise exception 'another poster than that of roster %', p_roster using errcode = 'LX146';
  end if;
  insert into roster_posting (roster_id, no, agent_id, posted_at, starts_at, ends_at, photo)
    values (held.id, held.no, mine, p_now, midnight, midnight + interval '72 hours', p_photo);
  insert into roster_step (roster_id, no, what, by, at, agent_id) values (held.id, held.no, 'POSTED', 'agent:' || mine, p_now, mine);
  update roster set state = 'POSTED' where id = held.id;
end $$;

-- Whose three days are over and who has no open objection goes on; how many.
create or replace function roster_ripen(p_now timestamptz) returns bigint language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  ripe bigint[];
begin
  select coalesce(array_agg(id), '{}') into ripe from (
    select r.id from roster r join roster_posting p on p.roster_id = r.id and p.no = r.no
     where r.state = 'POSTED' and p.ends_at <= p_now
       and not exists (select from roster_objection o where o.roster_id = r.id and o.told_at is null)
     order by r.id for update of r skip locked) found;
  insert into roster_step (roster_id, no, what, by, at)
    select r.id, r.no, 'AMENDING', 'rule:three_days', p_now from roster r where r.id = any (ripe);
  update roster set state = 'AMENDING' where id = any (ripe);
  return cardinality(ripe);
end $$;

-- One sentence about a list that hangs, by an account that knows somebody of the village, by its agent, or by the town for
-- who telephoned.
create or replace function object_to_roster(
  p_session bytea, p_id bigint, p_roster bigint, p_words bytea, p_contact bytea, p_due_on date, p_at timestamptz, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  held roster;
  who text;
begin
  select * into held from roster where id = p_roster for share;
  select coalesce(near_village(p_session, held.village_code, p_at), (
           select 'account:' || s.account_id from session s
            where s.token_hash = p_session and s.expires_at > p_at and s.account_id is not null and exists (
                    select from jsonb_each(s.known) k join person p on to_jsonb(p.id) = k.value
                      join household h on h.id = p.household_id where h.village_code = held.village_code))) into who;
  if held.id is null or who is null then
    raise exception 'roster % is none of his', p_roster using errcode = 'LX140';
  elsif held.state <> 'POSTED' or not exists (
      select from roster_posting p where (p.roster_id, p.no) = (held.id, held.no) and p_now < p.ends_at) then
    raise exception 'roster % hangs no more', p_roster using errcode = 'LX141';
  end if;
  if starts_with(who, 'account:') and (select count(*) from roster_objection o
                                         where o.roster_id = p_roster and o.by = who and o.state = 'RAISED') >= 5 then
    raise exception 'five of % are open', who using errcode = 'LX147';
  end if;
  insert into roster_objection (id, roster_id, no, words, contact, by, at, owner, due_on, kept_from, state) overriding system value
    values (p_id, held.id, held.no, p_words, p_contact, who, p_now,
            case held.insurance when 'RES_PENSION' then 'hrss' else 'medical' end, p_due_on, p_at, 'RAISED');
end $$;

-- The office's answer. Who raised it on the page reads it there; whom an agent or the town spoke for is told by them.
-- False: it is answered.
create or replace function officer_answers_objection(
  p_session bytea, p_id bigint, p_accepted boolean, p_answer bytea, p_at timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if not exists (select from roster_objection where id = p_id and owner = mine.role) then
    raise exception 'objection % is none of %', p_id, mine.login using errcode = 'LX140';
  end if;
  update roster_objection set state = case when p_accepted then 'ACCEPTED' else 'REFUSED' end, answer = p_answer,
         answered_by = 'staff:' || mine.login, answered_at = p_now,
         told_by = case when starts_with(by, 'account:') then 'page' end,
         told_at = case when starts_with(by, 'account:') then p_now end
   where id = p_id and state = 'RAISED';
  return found;
end $$;

-- Who raised it on the page is told by a message too, in the caller's transaction; of which household he is stays here.
create or replace function objection_tell(
  p_id bigint, p_household bigint, p_fields jsonb, p_phone bytea, p_next_try_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  told text := 'objection:O' || p_id || ':answered';
begin
  if not exists (select from roster_objection o where o.id = p_id and o.answered_at is not null and starts_with(o.by, 'account:')) then
    raise exception 'objection % is not answered', p_id using errcode = 'LX143';
  elsif enqueue_notice(p_household, told, 'answered', p_fields, null, p_phone, p_next_try_at) then
    perform defer_telling(array[p_household], array[told]);
  end if;
end $$;

-- Told to who had telephoned, or wrote on paper: by the town, or the village's agent. False: it was, or is not answered.
create or replace function objection_told(p_session bytea, p_id bigint, p_at timestamptz, p_now timestamptz)
  returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := (select near_village(p_session, r.village_code, p_at) from roster_objection o join roster r on r.id = o.roster_id
                where o.id = p_id);
begin
  if who is null then
    raise exception 'objection % is none of his', p_id using errcode = 'LX140';
  end if;
  update roster_objection set told_by = who, told_at = p_now where id = p_id and state <> 'RAISED' and told_at is null;
  return found;
end $$;

-- What hung stays as it was; the photo may be let go of.
create or replace function roster_posting_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - 'photo' = to_jsonb(old) - 'photo'
     and (sealed_anew(old.photo, new.photo) or new.photo is null and owner_acts()) then
    return new;
  end if;
  raise exception 'what hung stays' using errcode = 'LX143';
end $$;

drop trigger if exists stays on roster_posting;
create trigger stays before update or delete on roster_posting for each row execute function roster_posting_stays();
drop trigger if exists never_emptied on roster_posting;
create trigger never_emptied before truncate on roster_posting for each statement execute function ledger_is_append_only();

drop trigger if exists stays on roster_change;
create trigger stays before update or delete on roster_change for each row execute function roster_stays();

-- An objection is answered once and told once, and is never lost.
create or replace function roster_objection_moves() returns trigger language plpgsql as $$
declare
  moving text[] := array['state', 'answer', 'answered_by', 'answered_at', 'told_by', 'told_at', 'words', 'contact'];  -- and kept_from stays
begin
  if tg_op = 'INSERT' and new.state = 'RAISED'
     or tg_op = 'UPDATE' and to_jsonb(new) - moving = to_jsonb(old) - moving
        and (old.state = 'RAISED' or (new.state, new.answered_by, new.answered_at) = (old.state, old.answered_by, old.answered_at))
        and (old.told_at is null or (new.told_by, new.told_at) is not distinct from (old.told_by, old.told_at))
        and (new.words = old.words or sealed_anew(old.words, new.words) or owner_acts())
        and (new.contact is not distinct from old.contact or sealed_anew(old.contact, new.contact) or owner_acts()) then
    return new;
  end if;
  raise exception 'an objection is answered once' using errcode = 'LX143';
end $$;

drop trigger if exists moves on roster_objection;
create trigger moves before insert or update or delete on roster_objection
  for each row execute function roster_objection_moves();
drop trigger if exists never_emptied on roster_objection;
create trigger never_emptied before truncate on roster_objection for each statement execute function ledger_is_append_only();

alter table roster_posting enable row level security;
drop policy if exists places on roster_posting;
create policy places on roster_posting to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

alter table roster_change enable row level security;
drop policy if exists places on roster_change;
create policy places on roster_change to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

alter table roster_objection enable row level security;
drop policy if exists places on roster_objection;
create policy places on roster_objection to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

-- What was changed hangs from the day on which it came into force, three full days more.
create or replace function roster_changes_until(p_at timestamptz) returns timestamptz language sql immutable as $$
  select (date_trunc('day', p_at at time zone 'Asia/Shanghai') + interval '4 days') at time zone 'Asia/Shanghai'
$$;

-- Who was erased and when, wherever he lived: no list that hangs shows him, whoever looks at it.
create or replace function restricted_people() returns table (id bigint, at timestamptz) language plpgsql stable
  security definer set search_path = public, pg_temp as $$
begin
  return query select p.id, p.restricted_at from person p where p.restricted_at is not null;
end $$;
