-- Write one notice inside the caller's transaction. True: written now. The same cause never writes a second one.
create or replace function enqueue_notice(
  p_household bigint, p_cause text, p_kind text, p_fields jsonb, p_openid bytea, p_phone bytea, p_next_try_at timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into notice (household_id, cause, kind, fields, openid, phone, next_try_at)
    values (p_household, p_cause, p_kind, p_fields, p_openid, p_phone, p_next_try_at) on conflict do nothing;
  return found;
end $$;

-- A notice's rank only grows; what was sent is never unsent.
create or replace function notice_rank_grows() returns trigger language plpgsql as $$
begin
  if new.rank < old.rank then
    raise exception 'notice % may not fall from rank % to %', old.cause, old.rank, new.rank using errcode = 'LX007';
  end if;
  return new;
end $$;

drop trigger if exists rank_grows on notice;
create trigger rank_grows before update of rank on notice for each row execute function notice_rank_grows();

-- One job for many notices, in the caller's transaction.
create or replace function defer_telling(p_households bigint[], p_causes text[]) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if cardinality(p_causes) > 0 then
    perform procrastinate_defer_jobs_v1(array[row('notices', 'tell', 0, null, null, jsonb_build_object('notices',
      (select jsonb_agg(jsonb_build_array(h, c)) from unnest(p_households, p_causes) as n (h, c))),
      null)::procrastinate_job_to_defer_v1]);
  end if;
end $$;
