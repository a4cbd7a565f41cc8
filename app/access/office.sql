-- What an office hands in at a page, and the long work it asks for: both in the name of whose live session it is, and of
-- nobody else. The work is the office process's, whose role alone moves it (app/flows/hand_in).

-- Which roles may ask for a kind of work; app/office_jobs.py says the same in Python.
create or replace function office_asks(p_kind text) returns text[] language sql immutable as $$
  select case p_kind
    when 'register_look' then '{hrss,medical}'::text[]
    when 'register_take' then '{hrss,medical}'::text[]
    when 'police_look' then '{hrss,medical}'::text[]
    when 'police_take' then '{hrss,medical}'::text[]
    when 'helped_check' then '{department}'::text[]
    when 'helped_take' then '{department}'::text[]
    when 'agents_look' then '{town}'::text[]
    when 'agents_make' then '{town}'::text[]
    when 'agents_renew' then '{town}'::text[]
    when 'roster_draw' then '{tax_clerk,tax_lead}'::text[]
    when 'closing_draw' then '{tax_clerk,tax_lead}'::text[]
    when 'closing_print' then '{town}'::text[]
    else '{}'::text[]
  end
$$;

-- The account whose live session it is. While his glass is open he changes nothing. LX080.
create or replace function officer_here(p_session bytea, p_at timestamptz) returns staff language plpgsql stable
  security definer set search_path = public, pg_temp as $$
declare
  who text := officer_of(p_session, p_at);
  mine staff;
begin
  if exists (select from glass where asked_by = who and ended_at is null and until > p_at) then
    raise exception 'behind a glass nothing is handed in' using errcode = 'LX080';
  end if;
  select f.* into mine from staff f where 'staff:' || f.login = who;
  return mine;
end $$;

-- A file begins; its pieces follow in this very transaction (the trigger below).
create or replace function keep_upload(p_session bytea, p_name text, p_digest bytea, p_size bigint, p_at timestamptz)
  returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  number bigint;
begin
  insert into upload (name, digest, size, by, role, at)
    values (p_name, p_digest, p_size, 'staff:' || mine.login, mine.role, p_at) returning id into number;
  return number;
end $$;

-- Work is asked for, on a file of one's own office or on none; the same again is the same work while it is not over.
-- LX080: his role may not, or it is no file of his office, or it is gone, or it is about a list of another department.
create or replace function ask_office(p_session bytea, p_kind text, p_upload bigint, p_about jsonb, p_at timestamptz)
  returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
  number bigint;
begin
  if not mine.role = any (office_asks(p_kind)) then
    raise exception '% may not ask for %', mine.role, p_kind using errcode = 'LX080';
  end if;
  if mine.role = 'department' and (coalesce(p_about->>'department', (
       select b.department from special_batch b where b.id = (p_about->>'batch')::bigint)) = any (mine.departments)) is not true then
    raise exception 'this is no business of %', mine.login using errcode = 'LX080';
  end if;
  if p_upload is not null then
    perform from upload u
      where u.id = p_upload and u.role = mine.role and (mine.role <> 'department' or u.by = 'staff:' || mine.login)
        and u.gone_at is null for share;
    if not found then
      raise exception 'no such file of this office' using errcode = 'LX080';
    end if;
  end if;
  insert into office_job (kind, upload_id, about, by, at)
    values (p_kind, p_upload, p_about, 'staff:' || mine.login, p_at)
    on conflict do nothing returning id into number;
  if number is null then
    select id into number from office_job
     where kind = p_kind and coalesce(upload_id, 0) = coalesce(p_upload, 0) and about = p_about
       and state in ('waiting', 'doing');
  end if;
  return number;
end $$;

-- A file of one's own office (of a department: one's own) is thrown away: its bytes go, what came of it stays. False: it
-- is gone already, is no file of his office, or is being worked on.
create or replace function throw_upload_away(p_session bytea, p_upload bigint, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  mine staff := officer_here(p_session, p_at);
begin
  perform from upload u
    where u.id = p_upload and u.role = mine.role and (mine.role <> 'department' or u.by = 'staff:' || mine.login)
      and u.gone_at is null for update;
  if not found or exists (select from office_job where upload_id = p_upload and state in ('waiting', 'doing')) then
    return false;
  end if;
  delete from upload_piece where upload_id = p_upload;
  update upload set gone_at = p_at, gone_by = 'staff:' || mine.login where id = p_upload;
  return true;
end $$;

-- A file stays as it came, until the owner's functions let go of it.
create or replace function upload_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.gone_at is null and owner_acts()
     and to_jsonb(new) - array['gone_at', 'gone_by'] = to_jsonb(old) - array['gone_at', 'gone_by'] then
    return new;
  end if;
  raise exception 'a file stays as it came' using errcode = 'LX110';
end $$;

drop trigger if exists stays on upload;
create trigger stays before update or delete on upload for each row execute function upload_stays();
drop trigger if exists never_emptied on upload;
create trigger never_emptied before truncate on upload for each statement execute function ledger_is_append_only();

-- A piece comes with its file, in one transaction, and is never another one; it goes with the others.
create or replace function piece_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and exists (select from upload u where u.id = new.upload_id
                                   and u.xmin = pg_current_xact_id()::xid) then
    return new;
  elsif tg_op = 'UPDATE' and (new.upload_id, new.no) = (old.upload_id, old.no) and sealed_anew(old.bytes, new.bytes) then
    return new;
  elsif tg_op = 'DELETE' and owner_acts() then
    return old;
  end if;
  raise exception 'a file stays as it came' using errcode = 'LX110';
end $$;

drop trigger if exists stays on upload_piece;
create trigger stays before insert or update or delete on upload_piece for each row execute function piece_stays();

-- Work waits, is being done, and is done or has failed; what was asked, by whom and of what stays.
create or replace function office_job_moves() returns trigger language plpgsql as $$
declare
  moving text[] := array['state', 'turns', 'rows', 'rows_about', 'began_at', 'ended_at', 'outcome', 'problem'];
begin
  if tg_op = 'INSERT' and new.state = 'waiting' and new.turns = 0 then
    return new;
  elsif tg_op = 'UPDATE' and old.state in ('waiting', 'doing') and new.state <> 'waiting'
     and (old.state = 'doing' or new.state = 'doing') and to_jsonb(new) - moving = to_jsonb(old) - moving then
    return new;
  elsif tg_op = 'UPDATE' and old.state = 'done' and owner_acts()
     and to_jsonb(new) - 'outcome' = to_jsonb(old) - 'outcome' then
    return new;  -- rows that it showed are let go of (retention.sql)
  end if;
  raise exception 'work is asked for and done once' using errcode = 'LX111';
end $$;

drop trigger if exists moves on office_job;
create trigger moves before insert or update or delete on office_job for each row execute function office_job_moves();
drop trigger if exists never_emptied on office_job;
create trigger never_emptied before truncate on office_job for each statement execute function ledger_is_append_only();
