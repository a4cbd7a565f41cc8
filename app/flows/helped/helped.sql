-- A department's list as the database knows it: judged, taken in once, closed when none of its rows is open. Its failed
-- rows are fed back, their people told, and each ended with a word. What a page does is done in the name of the officer
-- whose live session it is, by the functions below; a file is taken in by the office's role (decisions 0021, 0051).
create or replace function special_batch_moves() returns trigger language plpgsql as $$
declare
  told constant text[] := array['state', 'taken_by', 'taken_at', 'ended_by', 'ended_at'];
begin
  if tg_op = 'INSERT' and new.state = 'VALIDATED' then
    return new;
  elsif tg_op = 'UPDATE' and old.state = 'VALIDATED' and new.state = 'VALIDATED' and old.rows = 0
        and to_jsonb(new) - 'rows' = to_jsonb(old) - 'rows' then
    return new;  -- all of its rows stand there
  elsif tg_op = 'UPDATE' and to_jsonb(new) - told = to_jsonb(old) - told
        and (old.state = 'VALIDATED' and old.rows > 0 and new.state in ('IMPORTED', 'PARTLY_IMPORTED', 'DROPPED')
             or old.state in ('IMPORTED', 'PARTLY_IMPORTED') and new.state = 'CLOSED'
                and (new.taken_by, new.taken_at) = (old.taken_by, old.taken_at)) then
    if new.state = 'CLOSED' and exists (
         select from special_row where batch_id = new.id and state in ('FAILED', 'FED_BACK', 'PERSON_TOLD')) then
      raise exception 'list % has rows that nobody ended', new.id using errcode = 'LX120';
    end if;
    return new;
  end if;
  raise exception 'a list is judged, taken in or dropped, and closed' using errcode = 'LX119';
end $$;

drop trigger if exists moves on special_batch;
create trigger moves before insert or update or delete on special_batch
  for each row execute function special_batch_moves();

create or replace function special_row_moves() returns trigger language plpgsql as $$
declare
  told constant text[] := array['cells', 'id_index', 'state', 'fed_back_at', 'told_at', 'told_by', 'told_how', 'told_whom', 'told_on',
    'settled_by', 'ended_at', 'ended_by', 'ended_why', 'taken_back_at', 'taken_back_by', 'taken_back_why'];
  held text;
begin
  select state into held from special_batch where id = coalesce(new.batch_id, old.batch_id);
  if tg_op = 'INSERT' and held = 'VALIDATED' and new.state in ('OK', 'FAILED') then
    return new;
  elsif tg_op = 'DELETE' and held = 'DROPPED' then
    return old;
  elsif tg_op = 'UPDATE' and to_jsonb(new) - told = to_jsonb(old) - told
        and (sealed_anew(old.cells, new.cells) or new.cells is null and (new.state = 'OK' or owner_acts()))
        and (new.id_index is not distinct from old.id_index or new.id_index is null and owner_acts())
        and ((new.taken_back_at, new.taken_back_by, new.taken_back_why)
               is not distinct from (old.taken_back_at, old.taken_back_by, old.taken_back_why)
             or (new.taken_back_at, new.taken_back_by) is not distinct from (old.taken_back_at, old.taken_back_by)
                and words_stay(old.taken_back_why, new.taken_back_why)
             or old.taken_back_at is null and old.state = 'OK' and held in ('IMPORTED', 'PARTLY_IMPORTED', 'CLOSED'))
        and (old.state = new.state
             or old.state = 'FAILED' and new.state = 'FED_BACK' and held = 'PARTLY_IMPORTED'
             or old.state = 'FED_BACK' and new.state = 'PERSON_TOLD' and new.told_whom is not null
             or old.state = 'FED_BACK' and new.state = 'RESOLVED' and new.settled_by is not null
             or old.state = 'PERSON_TOLD' and new.state in ('RESOLVED', 'GIVEN_UP'))
        and ((new.told_at, new.told_by, new.told_how, new.told_whom, new.told_on)
               is not distinct from (old.told_at, old.told_by, old.told_how, old.told_whom, old.told_on)
             or old.state = 'FED_BACK' and new.state = 'PERSON_TOLD')
        and (new.settled_by is not distinct from old.settled_by
             or old.state in ('FED_BACK', 'PERSON_TOLD') and new.state = 'RESOLVED' and exists (
                  select from special_row t join special_batch b on b.id = t.batch_id and b.taken_by is not null
                   where t.batch_id = new.settled_by and t.state = 'OK'
                     and (t.id_index, t.insurance, t.department) = (new.id_index, new.insurance, new.department))) then
    return new;
  end if;
  raise exception 'row % of list % is %', coalesce(new.no, old.no), coalesce(new.batch_id, old.batch_id),
    coalesce(old.state, new.state) using errcode = 'LX119';
end $$;

drop trigger if exists moves on special_row;
create trigger moves before insert or update or delete on special_row
  for each row execute function special_row_moves();

-- A category stands beside the bureau's as long as the row that gave it: it was taken in, for the same person.
create or replace function helped_category_given() returns trigger language plpgsql as $$
begin
  if not exists (select from special_row r join special_batch b on b.id = r.batch_id
                  where r.batch_id = new.batch_id and r.no = new.no and r.state = 'OK' and r.taken_back_at is null
                    and b.taken_by is not null
                    and (r.person_id, r.insurance, b.levy_year, b.department)
                      = (new.person_id, new.insurance, new.levy_year, new.department)
                    and new.code = any (r.codes)) then
    raise exception 'no list gave category % to person %', new.code, new.person_id using errcode = 'LX119';
  end if;
  return new;
end $$;

drop trigger if exists given on helped_category;
create trigger given before insert or update on helped_category
  for each row execute function helped_category_given();

-- So many rows it has. Called by the office's role.
create or replace function helped_counted(p_batch bigint, p_rows int) returns void language sql
  security definer set search_path = public, pg_temp as $$
  update special_batch set rows = p_rows where id = p_batch and rows = 0
$$;

-- The list is taken in: what its good rows give, and a failed row of the same year whose person now has all that it asked
-- for is settled. False: it was so before. LX119: it was dropped. LX120: one of its people was erased meanwhile. Called by
-- the office's role.
create or replace function helped_take(p_batch bigint, p_by text, p_now timestamptz) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  b special_batch;
begin
  select * into b from special_batch where id = p_batch for update;
  if b.taken_by is not null then
    return false;
  end if;
  if exists (select from special_row r join person p on p.id = r.person_id
              where r.batch_id = p_batch and r.state = 'OK' and p.restricted_at is not null) then
    raise exception 'somebody of list % was erased', p_batch using errcode = 'LX120';
  end if;
  perform set_config('liangxian.cause', 'helped:' || p_batch, true);
  update special_batch
     set taken_by = p_by, taken_at = p_now,
         state = case when exists (select from special_row where batch_id = p_batch and state = 'FAILED')
                      then 'PARTLY_IMPORTED' else 'IMPORTED' end
   where id = p_batch;
  insert into helped_category (person_id, levy_year, insurance, code, department, batch_id, no)
    select r.person_id, b.levy_year, r.insurance, c.code, b.department, r.batch_id, r.no
      from special_row r, unnest(r.codes) as c (code)
     where r.batch_id = p_batch and r.state = 'OK'
     order by r.person_id, r.insurance, c.code
    on conflict do nothing;
  update special_row set state = 'FED_BACK', fed_back_at = p_now where batch_id = p_batch and state = 'FAILED';
  update special_row set cells = null where batch_id = p_batch and state = 'OK';
  update special_row r set state = 'RESOLVED', settled_by = p_batch, ended_at = p_now, ended_by = p_by,
      ended_why = '名单' || p_batch || '里办成了'
    from special_row taken, special_batch before
   where before.id = r.batch_id and before.levy_year = b.levy_year and taken.batch_id = p_batch and taken.state = 'OK'
     and r.state in ('FED_BACK', 'PERSON_TOLD') and r.department = b.department and r.insurance = taken.insurance
     and r.id_index = taken.id_index and (r.batch_id <> p_batch or r.code = 'DUP_ROW')
     and not exists (select from unnest(r.codes) as asked (code)
                      where not exists (select from helped_category h
                                         where (h.person_id, h.levy_year, h.insurance, h.code)
                                             = (taken.person_id, b.levy_year, taken.insurance, asked.code)));
  return true;
end $$;

-- The preview is thrown away, with its rows. LX119: it was taken in.
create or replace function helped_drop(p_batch bigint, p_by text, p_at timestamptz) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  update special_batch set state = 'DROPPED', ended_by = p_by, ended_at = p_at where id = p_batch and state <> 'DROPPED';
  delete from special_row where batch_id = p_batch and exists (
    select from special_batch where id = p_batch and state = 'DROPPED');
end $$;

-- The person, or who speaks for him, was told why it failed: whom, on which day, how. False: it is not a row that waits
-- for that, or a day on which nobody could know of it yet.
create or replace function helped_tell_whom(
  p_batch bigint, p_no int, p_whom text, p_on date, p_how text, p_by text, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update special_row set state = 'PERSON_TOLD', told_at = p_now, told_by = p_by, told_whom = p_whom, told_on = p_on, told_how = p_how
   where batch_id = p_batch and no = p_no and state = 'FED_BACK'
     and p_on between (fed_back_at at time zone 'Asia/Shanghai')::date and (p_now at time zone 'Asia/Shanghai')::date;
  return found;
end $$;

-- As a process of the version before says it: the person himself, on that day.
create or replace function helped_tell(p_batch bigint, p_no int, p_how text, p_by text, p_now timestamptz) returns boolean
  language sql security definer set search_path = public, pg_temp as $$
  select helped_tell_whom(p_batch, p_no, 'self', (p_now at time zone 'Asia/Shanghai')::date, p_how, p_by, p_now)
$$;

-- Somebody was told and it was settled, or given up for a reason. False: it waits for no word, or nobody was told yet.
create or replace function helped_end(
  p_batch bigint, p_no int, p_state text, p_why text, p_by text, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update special_row set state = p_state, ended_at = p_now, ended_by = p_by, ended_why = p_why
   where batch_id = p_batch and no = p_no and p_state in ('RESOLVED', 'GIVEN_UP') and state = 'PERSON_TOLD';
  return found;
end $$;

-- The department says that its list named somebody by mistake: what it gave him goes, but for what another list gives him
-- too. Not while somebody settled, is paying or gets money back by it (D20: nothing is taken back within the year).
-- What came of it: 'gone', 'stands' (another list), 'used', 'none' (nobody of the list).
create or replace function helped_take_back(
  p_batch bigint, p_index bytea, p_insurance text, p_why text, p_by text, p_now timestamptz
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  b special_batch;
  r special_row;
  whose bigint;
  word text := 'gone';
begin
  select * into b from special_batch where id = p_batch and taken_by is not null for share;
  select min(person_id) into whose from special_row
   where batch_id = b.id and id_index = p_index and insurance = p_insurance and state = 'OK' and taken_back_at is null;
  if whose is null then
    return 'none';
  end if;
  perform meet_people(array[whose], true);  -- nobody begins to pay by it meanwhile
  if exists (select from bill l
              where (l.person_id, l.insurance, l.levy_year) = (whose, p_insurance, b.levy_year)
                and (l.state = 'settled' or l.state = 'open' and exists (
                       select from payment_bill k where k.household_id = l.household_id and k.bill_id = l.id and k.live))
                and (p_insurance = 'RES_PENSION'
                     or exists (select from bill_line x
                                 where x.household_id = l.household_id and x.bill_id = l.id and x.part = 'gov_substitute'
                                   and split_part(x.payer, ':', 1) = b.department)
                     or exists (select from refund_bill k where k.household_id = l.household_id and k.bill_id = l.id
                                   and k.live and k.replacement is not null))) then
    return 'used';
  end if;
  perform set_config('liangxian.cause', 'helped:' || p_batch, true);
  update special_row set taken_back_at = p_now, taken_back_by = p_by, taken_back_why = p_why
   where batch_id = b.id and id_index = p_index and insurance = p_insurance and state = 'OK' and taken_back_at is null;
  if not found then
    return 'none';
  end if;
  delete from helped_category h using special_row t
   where t.batch_id = b.id and t.id_index = p_index and t.insurance = p_insurance and (h.batch_id, h.no) = (t.batch_id, t.no);
  for r in
    select o.* from special_row o join special_batch other on other.id = o.batch_id
     where o.person_id = whose and o.insurance = p_insurance and o.state = 'OK' and o.taken_back_at is null
       and other.taken_by is not null and other.levy_year = b.levy_year order by o.batch_id, o.no
  loop
    perform set_config('liangxian.cause', 'helped:' || r.batch_id, true);
    insert into helped_category (person_id, levy_year, insurance, code, department, batch_id, no)
      select whose, b.levy_year, p_insurance, c.code, r.department, r.batch_id, r.no from unnest(r.codes) as c (code)
      on conflict do nothing;
    word := 'stands';
  end loop;
  update bill l set state = 'withdrawn'  -- open at a price that the list gave: the next look prices it anew
   where (l.person_id, l.insurance, l.levy_year) = (whose, p_insurance, b.levy_year) and l.state = 'open'
     and (p_insurance = 'RES_PENSION'  -- whose lines name the treasury, and whose tier alone may rest on the list
          or exists (select from bill_line x where x.household_id = l.household_id and x.bill_id = l.id
                        and x.part = 'gov_substitute' and split_part(x.payer, ':', 1) = b.department))
     and not exists (select from helped_category h where (h.person_id, h.levy_year, h.insurance, h.department)
                                                       = (whose, b.levy_year, p_insurance, b.department));
  return word;
end $$;

-- Nothing of the list is open any more. LX120: a row is. False: it was closed before.
create or replace function helped_close(p_batch bigint, p_by text, p_at timestamptz) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  update special_batch set state = 'CLOSED', ended_by = p_by, ended_at = p_at where id = p_batch and state <> 'CLOSED';
  return found;
end $$;

-- From a page: whoever's live session it is, if the list is his department's, the row his town's, or he is of the
-- medical bureau (p_no null: the whole list, which is no town's). LX080.
create or replace function helped_hand(p_session bytea, p_batch bigint, p_no int, p_at timestamptz) returns text
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if not exists (
       select from special_batch b
        where b.id = p_batch
          and (mine.role = 'medical' or mine.role = 'department' and b.department = any (mine.departments)
               or mine.role = 'town' and exists (
                    select from special_row r where r.batch_id = p_batch and r.no = p_no and r.town = any (mine.towns)))) then
    raise exception 'list % is no business of %', p_batch, mine.login using errcode = 'LX080';
  end if;
  return 'staff:' || mine.login;
end $$;

-- How his department writes, as it shall be from now on. LX080.
create or replace function officer_learns_helped(
  p_session bytea, p_department text, p_columns jsonb, p_words jsonb, p_at timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if mine.role <> 'department' or not p_department = any (mine.departments) then
    raise exception '% is not of %', mine.login, p_department using errcode = 'LX080';
  end if;
  insert into special_layout (department, columns, words, by, at)
    values (p_department, p_columns, p_words, 'staff:' || mine.login, p_now)
    on conflict (department) do update set columns = special_layout.columns || excluded.columns,
      words = special_layout.words || excluded.words, by = excluded.by, at = excluded.at;
  return true;
end $$;

create or replace function officer_tells_whom(
  p_session bytea, p_batch bigint, p_no int, p_whom text, p_on date, p_how text, p_at timestamptz, p_now timestamptz
) returns boolean language sql security definer set search_path = public, pg_temp as $$
  select helped_tell_whom(p_batch, p_no, p_whom, p_on, p_how, helped_hand(p_session, p_batch, p_no, p_at), p_now)
$$;

-- As a process of the version before says it.
create or replace function officer_tells_helped(
  p_session bytea, p_batch bigint, p_no int, p_how text, p_at timestamptz, p_now timestamptz
) returns boolean language sql security definer set search_path = public, pg_temp as $$
  select helped_tell(p_batch, p_no, p_how, helped_hand(p_session, p_batch, p_no, p_at), p_now)
$$;

create or replace function officer_ends_helped(
  p_session bytea, p_batch bigint, p_no int, p_state text, p_why text, p_at timestamptz, p_now timestamptz
) returns boolean language sql security definer set search_path = public, pg_temp as $$
  select helped_end(p_batch, p_no, p_state, p_why, helped_hand(p_session, p_batch, p_no, p_at), p_now)
$$;

create or replace function officer_closes_helped(p_session bytea, p_batch bigint, p_at timestamptz)
  returns boolean language sql security definer set search_path = public, pg_temp as $$
  select helped_close(p_batch, helped_hand(p_session, p_batch, null, p_at), p_at)
$$;

create or replace function officer_drops_helped(p_session bytea, p_batch bigint, p_at timestamptz)
  returns void language sql security definer set search_path = public, pg_temp as $$
  select helped_drop(p_batch, helped_hand(p_session, p_batch, null, p_at), p_at)
$$;

-- His own department's list alone; a town and the medical bureau only see it. LX080.
create or replace function officer_takes_helped_back(
  p_session bytea, p_batch bigint, p_index bytea, p_insurance text, p_why text, p_at timestamptz, p_now timestamptz
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  if mine.role <> 'department' then
    raise exception '% takes nothing back', mine.login using errcode = 'LX080';
  end if;
  return helped_take_back(p_batch, p_index, p_insurance, p_why, helped_hand(p_session, p_batch, null, p_at), p_now);
end $$;
