-- The planner is told how large the register has become, within the transaction that fills it. Statistics of a table that
-- was empty, or whose rows a look has written and taken back, make it read a village for each household and everybody for
-- each person. Called by the office's role, which does not own the tables.
create or replace function register_counted() returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  analyze household, person, enrolment, category;
end $$;
