-- Whoever begins to pay meets the people of his wish, and reads only then what is so: whether the wish was heard before,
-- which levy years there are, which channels are paused, and the people themselves (app/registry/facts.sql). In one
-- message to the server; each look sees what was committed before it. One row at least.
create or replace function meet_and_read(p_people bigint[], p_key bytea, p_years int[], p_former int[])
  returns table (body_hash bytea, number text, levy_years jsonb, paused jsonb,
                 id bigint, name bytea, id_number bytea, phone bytea, restricted_at timestamptz, facts text)
  language plpgsql rows 4 as $$
#variable_conflict use_column
declare
  used request_key;
  years jsonb;
  closed jsonb;
begin
  perform meet_people(p_people, false);
  select * into used from request_key k where k.key = p_key;
  select jsonb_agg(jsonb_build_array(y.year, y.closed_at is null) order by y.year) into years from levy_year y;
  select jsonb_object_agg(c.gateway, c.words) into closed from channel_pause c where c.opened_at is null;
  return query
    select used.body_hash, used.number, years, closed, f.*
      from (select) as once
      left join person_facts(p_people, p_years, p_former, current_setting('liangxian.places', true)) f on true;
end $$;
