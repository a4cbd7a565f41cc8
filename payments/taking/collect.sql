-- What gateways said, kept as it arrived and believed, several at a time in one transaction: the raw message, the
-- settlement, the notice, and one job for all the notices. Each message stands alone: one that cannot be applied is
-- kept with its reason (`failed:<code>`) and spoils no other. Result: one word per message, in the order given.
-- `p_outcomes[i]` null: a verified message that is not about money. `p_now` business clock, `p_wall` system clock.

create or replace function collect(
  p_ids bigint[], p_households bigint[], p_gateways text[], p_numbers text[], p_outcomes jsonb[],
  p_events text[], p_headers jsonb[], p_bodies bytea[],
  p_now timestamptz, p_booked_on date, p_wall timestamptz
) returns text[] language plpgsql security definer set search_path = public, pg_temp
  -- Every row is found by its key: one plan for all calls, and never by reading a table from end to end.
  set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  results text[] := '{}';
  word text;
  memo jsonb;
  told_households bigint[] := '{}';
  told_causes text[] := '{}';
  told_cause text;
begin
  for i in 1 .. cardinality(p_ids) loop
    word := 'nothing';
    if p_outcomes[i] is not null then
      begin
        word := take_outcome(p_households[i], p_gateways[i], p_numbers[i], p_outcomes[i], p_now, p_booked_on);
        if word in ('paid', 'surplus') then
          select p.memo->'notice' into memo from payment p
            where p.household_id = p_households[i] and p.number = p_numbers[i];
          told_cause := 'payment:' || p_numbers[i] || ':' || word;
          if memo is not null and enqueue_notice(p_households[i], told_cause, word,
               (memo->'fields') || jsonb_build_object('paid_at', p_outcomes[i]->>'happened_at'),
               decode(memo->>'openid', 'base64'), decode(memo->>'phone', 'base64'), p_wall + interval '30 s') then
            told_households := told_households || p_households[i];
            told_causes := told_causes || told_cause;
          end if;
        end if;
      exception when others then
        word := 'failed:' || sqlstate;
      end;
    end if;
    insert into received (household_id, id, gateway, headers, body, event_id, number, verdict, result)
      values (p_households[i], p_ids[i], p_gateways[i], p_headers[i], p_bodies[i], p_events[i], p_numbers[i],
              'verified', word);
    results := results || word;
  end loop;
  perform defer_telling(told_households, told_causes);
  return results;
end $$;
