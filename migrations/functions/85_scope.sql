-- The second wall behind the doors' own checks. A connection that works for an agent or for an official of a town carries
-- the places he may see (liangxian.places: codes of villages and towns, comma-separated) and finds no row of any other,
-- whatever a query asks for. Without the setting everything is there: for the worker, the residents and the offices.
create or replace function in_places(p_village text) returns boolean language sql stable as $$
  select p_village = any (string_to_array(current_setting('liangxian.places', true), ','))
      or left(p_village, 9) = any (string_to_array(current_setting('liangxian.places', true), ','))
$$;

alter table household enable row level security;
drop policy if exists places on household;
create policy places on household to liangxian_app
  using (coalesce(current_setting('liangxian.places', true), '') = '' or in_places(village_code));

do $$
declare
  guarded text;
begin
  foreach guarded in array array['person', 'bill', 'bill_line', 'payment', 'payment_bill', 'refund', 'notice',
                                 'proof'] loop
    execute format('alter table %I enable row level security', guarded);
    execute format('drop policy if exists places on %I', guarded);
    execute format('create policy places on %I to liangxian_app using'
                   ' (coalesce(current_setting(''liangxian.places'', true), '''') = '''''
                   '  or exists (select from household h where h.id = %I.household_id))', guarded, guarded);
  end loop;
end $$;

-- COPY goes past no row level security: a bureau's new people go in here and are moved over, a batch at a time.
drop table if exists new_household, new_person;
create unlogged table new_household (like household including defaults);
create unlogged table new_person (like person including defaults);
