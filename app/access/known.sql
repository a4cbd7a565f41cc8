-- Everybody a session knows. Not inlined, so that a plan knows how few they are.
create or replace function known_people(p_known jsonb) returns setof bigint language plpgsql immutable rows 4 as $$
begin
  return query select value::bigint from jsonb_each_text(p_known);
end $$;
