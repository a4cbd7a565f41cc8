-- The second wall behind the doors' own checks. A connection that works for an agent or for an official of a town carries
-- the places he may see (liangxian.places: codes of villages and towns, comma-separated) and finds no row of any other,
-- whatever a query asks for. Every transaction says what it may see (core/db.py): `*` is everything, for the worker, the
-- residents and the offices; without a word there is nothing.
create or replace function in_places(p_village text) returns boolean language sql stable as $$
  select p_village = any (string_to_array(current_setting('liangxian.places', true), ','))
      or left(p_village, 9) = any (string_to_array(current_setting('liangxian.places', true), ','))
$$;

alter table household enable row level security;
drop policy if exists places on household;
create policy places on household to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

-- What somebody owes, paid, got back and can prove follows him to where he lives now. A payment or refund of several
-- people is shown where any of them is; one that names nobody's bill yet stays with its household.
create or replace function shown_payment(p_household bigint, p_number text) returns boolean language sql stable
  security definer set search_path = public, pg_temp as $$
  select coalesce(bool_or(in_places(h.village_code)),
                  (select in_places(village_code) from household where id = p_household))
    from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
    join person p on p.id = b.person_id join household h on h.id = p.household_id
   where pb.household_id = p_household and pb.number = p_number
$$;

create or replace function shown_refund(p_household bigint, p_number text, p_payment text) returns boolean
  language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(bool_or(in_places(h.village_code)), shown_payment(p_household, p_payment))
    from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
    join person p on p.id = b.person_id join household h on h.id = p.household_id
   where rb.household_id = p_household and rb.number = p_number
$$;

do $$
declare
  guarded text;
  seen text;
begin
  for guarded, seen in values
    ('person', 'exists (select from household h where h.id = person.household_id)'),
    ('notice', 'exists (select from household h where h.id = notice.household_id)'),
    ('bill', 'exists (select from person p where p.id = bill.person_id)'),
    ('bill_line', 'exists (select from bill b where b.household_id = bill_line.household_id and b.id = bill_id)'),
    ('payment_bill', 'exists (select from bill b where b.household_id = payment_bill.household_id and b.id = bill_id)'),
    ('proof', 'exists (select from bill b where b.household_id = proof.household_id and b.id = any (bills))'),
    ('payment', 'shown_payment(household_id, number)'),
    ('refund', 'shown_refund(household_id, number, payment)')
  loop
    execute format('alter table %I enable row level security', guarded);
    execute format('drop policy if exists places on %I', guarded);
    execute format('create policy places on %I to liangxian_app using'
                   ' (current_setting(''liangxian.places'', true) = ''*'' or %s)', guarded, seen);
  end loop;
end $$;

-- COPY goes past no row level security: a bureau's new people go in here and are moved over, a batch at a time.
drop table if exists new_household, new_person;
create unlogged table new_household (like household including defaults);
create unlogged table new_person (like person including defaults);
