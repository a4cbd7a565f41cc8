-- A roster goes from hand to hand (domain.md 3.1), and its versions stay as they were drawn. A page moves it in the name of
-- the officer whose live session it is. LX140: none of his · LX141: it stands otherwise by now · LX142: he had a hand in it
-- · LX143: nobody moves it so · LX145: an objection is open · LX149: what
-- was agreed to is in no version, and nobody said why.

-- Where it may go from where it stands.
create or replace function roster_goes(p_from text, p_to text, p_medical boolean) returns boolean language sql immutable as $$
  select (p_from, p_to) in (
      ('GENERATED', 'TAX_REVIEWED'), ('TAX_REVIEWED', 'HRSS_REVIEWED'), ('ISSUED_TO_TOWN', 'WITH_AGENT'),
      ('WITH_AGENT', 'WITH_AGENT'), ('GENERATED', 'SENT_BACK'), ('TAX_REVIEWED', 'SENT_BACK'), ('HRSS_REVIEWED', 'SENT_BACK'),
      ('MEDICAL_REVIEWED', 'SENT_BACK'), ('ISSUED_TO_TOWN', 'SENT_BACK'), ('WITH_AGENT', 'SENT_BACK'),
      ('SENT_BACK', 'GENERATED'), ('GENERATED', 'GENERATED'), ('WITH_AGENT', 'POSTED'), ('POSTED', 'SENT_BACK'),
      ('POSTED', 'AMENDING'), ('AMENDING', 'AMENDING'), ('AMENDING', 'REPORTED'), ('REPORTED', 'AMENDING'),
      ('REPORTED', 'TAX_CONFIRMED'), ('TAX_CONFIRMED', 'AMENDING'), ('TAX_CONFIRMED', 'EFFECTIVE'), ('EFFECTIVE', 'AMENDING'))
    or p_from = 'HRSS_REVIEWED' and p_to = case when p_medical then 'MEDICAL_REVIEWED' else 'ISSUED_TO_TOWN' end
    or p_medical and (p_from, p_to) = ('MEDICAL_REVIEWED', 'ISSUED_TO_TOWN')
$$;

-- Signed by every office that must, each by another hand, and none of them drew it.
create or replace function roster_signed(p_roster bigint, p_no int, p_medical boolean) returns boolean language sql stable
  security definer set search_path = public, pg_temp as $$
  select count(distinct s.by) = 2 + p_medical::int and bool_and(s.by <> v.drawn_by)
    from roster_step s join roster_version v using (roster_id, no)
   where s.roster_id = p_roster and s.no = p_no
     and (s.what in ('TAX_REVIEWED', 'HRSS_REVIEWED') or p_medical and s.what = 'MEDICAL_REVIEWED')
$$;

-- Three full days of a signed version are over when that step was taken, every objection is answered and told; and what is
-- in force was confirmed by two.
create or replace function roster_hung(p_roster bigint, p_no int, p_state text) returns boolean language sql stable
  security definer set search_path = public, pg_temp as $$
  select exists (
      select from roster_posting p join roster r on r.id = p.roster_id
       where p.roster_id = p_roster and roster_signed(p.roster_id, p.no, r.medical)
         and p.no = (select max(l.no) from roster_posting l where l.roster_id = p_roster and l.no <= p_no)
         and p.ends_at <= (select max(s.at) from roster_step s where (s.roster_id, s.no, s.what) = (p_roster, p_no, p_state)))
    and not exists (select from roster_objection o where o.roster_id = p_roster and o.told_at is null)
    and (p_state <> 'EFFECTIVE' or (
      select count(distinct last.by) = 2 and bool_and(last.by <> v.drawn_by or p.no is not null)
        from (select distinct on (s.what) s.what, s.by from roster_step s
               where (s.roster_id, s.no) = (p_roster, p_no) and s.what in ('TAX_CONFIRMED', 'EFFECTIVE')
               order by s.what, s.id desc) last
        join roster_version v on (v.roster_id, v.no) = (p_roster, p_no)
        left join roster_posting p on (p.roster_id, p.no) = (p_roster, p_no)))
$$;

create or replace function roster_moves() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  redrawn boolean := tg_op = 'UPDATE' and new.no = old.no + 1 and new.state = any ('{GENERATED,AMENDING}');
begin
  if tg_op = 'INSERT' and (new.state, new.no) = ('GENERATED', 0) and new.effective_no is null and new.agent_id is null then
    return new;
  elsif tg_op <> 'UPDATE' or to_jsonb(new) - array['state', 'no', 'effective_no', 'agent_id']
          is distinct from to_jsonb(old) - array['state', 'no', 'effective_no', 'agent_id']
     or not roster_goes(old.state, new.state, new.medical) or not redrawn and new.no <> old.no
     or not redrawn and (new.state = 'GENERATED' or (old.state, new.state) in (('AMENDING', 'AMENDING'), ('EFFECTIVE', 'AMENDING')))
     or new.effective_no is distinct from (case new.state when 'EFFECTIVE' then new.no else old.effective_no end)
     or new.agent_id is distinct from old.agent_id and new.state <> 'WITH_AGENT' then
    raise exception 'roster % may not be moved so', coalesce(old.id, new.id) using errcode = 'LX143';
  elsif not exists (select from roster_step s where (s.roster_id, s.no, s.what)
                      = (new.id, new.no, case when redrawn then 'GENERATED' else new.state end))
     or new.state in ('ISSUED_TO_TOWN', 'WITH_AGENT', 'POSTED') and not coalesce(roster_signed(new.id, new.no, new.medical), false)
     or new.state = 'POSTED' and not exists (select from roster_posting p where (p.roster_id, p.no) = (new.id, new.no))
     or new.state = any ('{AMENDING,REPORTED,EFFECTIVE}') and not redrawn
        and not coalesce(roster_hung(new.id, new.no, new.state), false) then
    raise exception 'roster % is not signed for that', new.id using errcode = 'LX143';
  end if;
  return new;
end $$;

drop trigger if exists moves on roster;
create trigger moves before insert or update or delete on roster for each row execute function roster_moves();
drop trigger if exists never_emptied on roster;
create trigger never_emptied before truncate on roster for each statement execute function ledger_is_append_only();

-- A version comes with its rows in one transaction, and none is changed, taken away or added to.
create or replace function roster_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a version of a roster stays as it was drawn' using errcode = 'LX143';
end $$;

drop trigger if exists stays on roster_version;
create trigger stays before update or delete on roster_version for each row execute function roster_stays();
drop trigger if exists never_emptied on roster_version;
create trigger never_emptied before truncate on roster_version for each statement execute function ledger_is_append_only();

drop trigger if exists stays on roster_row;
create trigger stays before update or delete on roster_row for each row execute function roster_stays();
drop trigger if exists never_emptied on roster_row;
create trigger never_emptied before truncate on roster_row for each statement execute function ledger_is_append_only();

-- Rows come only with the version that is being drawn: its number is not the roster's yet.
create or replace function roster_rows_come_with_it() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from (select distinct roster_id, no from fresh) f
              where not exists (select from roster r join roster_version v on v.roster_id = r.id and v.no = r.no + 1
                                 where r.id = f.roster_id and v.no = f.no)) then
    raise exception 'a version of a roster stays as it was drawn' using errcode = 'LX143';
  end if;
  return null;
end $$;

drop trigger if exists come_with_it on roster_row;
create trigger come_with_it after insert on roster_row referencing new table as fresh
  for each statement execute function roster_rows_come_with_it();

drop trigger if exists stays on roster_odd;
create trigger stays before update or delete on roster_odd for each row execute function roster_stays();

create or replace function roster_step_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - 'words' = to_jsonb(old) - 'words'
     and (sealed_anew(old.words, new.words) or new.words is null and owner_acts()) then
    return new;
  end if;
  raise exception 'what was done with a roster stays' using errcode = 'LX143';
end $$;

drop trigger if exists stays on roster_step;
create trigger stays before update or delete on roster_step for each row execute function roster_step_stays();
drop trigger if exists never_emptied on roster_step;
create trigger never_emptied before truncate on roster_step for each statement execute function ledger_is_append_only();

-- Whose step it is.
create or replace function roster_hands(p_what text) returns text[] language sql immutable as $$
  select case p_what
    when 'TAX_REVIEWED' then '{tax_clerk,tax_lead}'::text[]
    when 'HRSS_REVIEWED' then '{hrss}'::text[]
    when 'MEDICAL_REVIEWED' then '{medical}'::text[]
    when 'ISSUED_TO_TOWN' then '{tax_clerk,tax_lead}'::text[]
    when 'WITH_AGENT' then '{town}'::text[]
    when 'REPORTED' then '{town}'::text[]
    when 'TAX_CONFIRMED' then '{tax_clerk,tax_lead}'::text[]
    when 'EFFECTIVE' then '{hrss}'::text[]
    else '{}'::text[]
  end
$$;

-- Who may send a version back: whoever could take the next step; the tax branch until the town has it.
create or replace function roster_senders(p_state text, p_medical boolean) returns text[] language sql immutable as $$
  select case p_state
    when 'GENERATED' then '{tax_clerk,tax_lead}'::text[]
    when 'TAX_REVIEWED' then '{tax_clerk,tax_lead,hrss}'::text[]
    when 'HRSS_REVIEWED' then case when p_medical then '{tax_clerk,tax_lead,medical}'::text[] else '{tax_clerk,tax_lead}' end
    when 'MEDICAL_REVIEWED' then '{tax_clerk,tax_lead}'::text[]
    when 'ISSUED_TO_TOWN' then '{town}'::text[]
    when 'WITH_AGENT' then '{town}'::text[]
    when 'POSTED' then '{town}'::text[]
    when 'REPORTED' then '{tax_clerk,tax_lead}'::text[]
    when 'TAX_CONFIRMED' then '{hrss}'::text[]
    else '{}'::text[]
  end
$$;

-- One step of some rosters at the versions that he saw: all of them or none. `p_more`: of one that is sent back the sealed
-- words (id, base64) and whom they are about, of one that is reported as it hung though an objection was agreed to the sealed
-- words why; of one that is handed over the agent. How many moved.
create or replace function officer_moves_rosters(
  p_session bytea, p_what text, p_rosters bigint[], p_nos int[], p_more jsonb, p_at timestamptz, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  who text := 'staff:' || mine.login;
  held record;
begin
  for held in
    select r.*, asked.no as seen, v.drawn_by, v.drawn_at
      from unnest(p_rosters, p_nos) asked (id, no) join roster r on r.id = asked.id
      left join roster_version v on v.roster_id = r.id and v.no = r.no order by r.id for update of r
  loop
    if mine.role = 'town' and not left(held.village_code, 9) = any (mine.towns)
       or roster_goes(held.state, p_what, held.medical) and not mine.role = any (
            case when p_what = 'SENT_BACK' or p_what = 'AMENDING' and held.state in ('REPORTED', 'TAX_CONFIRMED')
                 then roster_senders(held.state, held.medical) else roster_hands(p_what) end) then
      raise exception 'roster % is none of %', held.id, mine.login using errcode = 'LX140';
    elsif held.no <> held.seen or not roster_goes(held.state, p_what, held.medical) then
      raise exception 'roster % has moved', held.id using errcode = 'LX141';
    elsif p_what in ('TAX_CONFIRMED', 'EFFECTIVE') and (
            held.drawn_by = who and not exists (select from roster_posting p where (p.roster_id, p.no) = (held.id, held.no))
            or p_what = 'EFFECTIVE' and who = (select s.by from roster_step s
                 where (s.roster_id, s.no, s.what) = (held.id, held.no, 'TAX_CONFIRMED') order by s.id desc limit 1)) then
      raise exception 'roster % has his hand', held.id using errcode = 'LX142';
    elsif p_what = 'REPORTED' and exists (select from roster_objection o where o.roster_id = held.id and o.told_at is null) then
      raise exception 'roster % is objected to', held.id using errcode = 'LX145';
    elsif p_what = 'REPORTED' and p_more->>'words' is null and exists (
            select from roster_objection o where o.roster_id = held.id and o.state = 'ACCEPTED' and o.answered_at >= held.drawn_at) then
      raise exception 'what was agreed to stands in no version of roster %', held.id using errcode = 'LX149';
    elsif p_what like '%\_REVIEWED' and (held.drawn_by = who or exists (
            select from roster_step s where (s.roster_id, s.no, s.by) = (held.id, held.no, who) and s.what like '%\_REVIEWED')) then
      raise exception 'roster % has his hand', held.id using errcode = 'LX142';
    elsif p_what = 'WITH_AGENT' and not exists (
            select from agent a join agent_village av on av.agent_id = a.id
             where a.id = (p_more->>'agent')::bigint and a.active and av.village_code = held.village_code) then
      raise exception 'no agent of roster %', held.id using errcode = 'LX140';
    end if;
    insert into roster_step (id, roster_id, no, what, by, at, words, people, agent_id) overriding system value
      values (coalesce((p_more->>'id')::bigint, nextval(pg_get_serial_sequence('roster_step', 'id'))), held.id, held.no, p_what,
              who, p_now, decode(p_more->>'words', 'base64'),
              (select array_agg(person_id order by person_id) from roster_row
                where roster_id = held.id and no = held.no
                  and p_more->'people' @> to_jsonb(person_id)), (p_more->>'agent')::bigint);
    update roster set state = p_what, agent_id = coalesce((p_more->>'agent')::bigint, agent_id),
           effective_no = case p_what when 'EFFECTIVE' then no else effective_no end where id = held.id;
  end loop;
  if (select count(*) from roster where id = any (p_rosters)) < cardinality(p_rosters) then
    raise exception 'no such roster' using errcode = 'LX140';
  end if;
  return cardinality(p_rosters);
end $$;

-- A town and an agent see the rosters of their own places.
alter table roster enable row level security;
drop policy if exists places on roster;
create policy places on roster to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

alter table roster_version enable row level security;
drop policy if exists places on roster_version;
create policy places on roster_version to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

alter table roster_row enable row level security;
drop policy if exists places on roster_row;
create policy places on roster_row to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

alter table roster_odd enable row level security;
drop policy if exists places on roster_odd;
create policy places on roster_odd to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));

alter table roster_step enable row level security;
drop policy if exists places on roster_step;
create policy places on roster_step to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from roster r where r.id = roster_id));
