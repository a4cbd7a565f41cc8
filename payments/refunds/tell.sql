-- The notice of a refund's step, and its job, in the caller's transaction; the same step is told once.
create or replace function refund_tell(
  p_household bigint, p_number text, word text, p_fields jsonb, p_openid bytea, p_phone bytea, p_next_try_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  told text := 'refund:' || p_number || ':' || word;
begin
  if word in ('refund_asked', 'refund_rejected', 'refunded') then
    if enqueue_notice(p_household, told, word, p_fields, p_openid, p_phone, p_next_try_at) then
      perform defer_telling(array[p_household], array[told]);
    end if;
  end if;
end $$;
