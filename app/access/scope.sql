-- The second wall behind the doors' own checks. A connection that works for an agent or for an official of a town carries
-- the places he may see (liangxian.places: codes of villages and towns, comma-separated) and finds no row of any other,
-- whatever a query asks for. Every transaction says what it may see (core/db.py): `*` is everything, for the worker, the
-- residents and the offices; without a word there is nothing.
create or replace function in_places(p_village text) returns boolean language sql stable as $$
  select p_village = any (string_to_array(current_setting('liangxian.places', true), ','))
      or left(p_village, 9) = any (string_to_array(current_setting('liangxian.places', true), ','))
$$;

-- Each table by itself: all of them are hot, and an upgrade waits for one lock at a time.
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

alter table person enable row level security;
drop policy if exists places on person;
create policy places on person to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from household h where h.id = person.household_id));

alter table door_note enable row level security;
drop policy if exists places on door_note;
create policy places on door_note to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from household h where h.id = door_note.household_id));

alter table notice enable row level security;
drop policy if exists places on notice;
create policy places on notice to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from household h where h.id = notice.household_id));

alter table bill enable row level security;
drop policy if exists places on bill;
create policy places on bill to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from person p where p.id = bill.person_id));

alter table bill_line enable row level security;
drop policy if exists places on bill_line;
create policy places on bill_line to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from bill b where b.household_id = bill_line.household_id and b.id = bill_id));

alter table payment_bill enable row level security;
drop policy if exists places on payment_bill;
create policy places on payment_bill to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from bill b where b.household_id = payment_bill.household_id and b.id = bill_id));

alter table proof enable row level security;
drop policy if exists places on proof;
create policy places on proof to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or exists (select from bill b where b.household_id = proof.household_id and b.id = any (bills)));

alter table payment enable row level security;
drop policy if exists places on payment;
create policy places on payment to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or shown_payment(household_id, number));

alter table refund enable row level security;
drop policy if exists places on refund;
create policy places on refund to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or shown_refund(household_id, number, payment));

-- A department sees its own lists and nobody of the register; a town the rows of those who live there.
alter table special_row enable row level security;
drop policy if exists places on special_row;
create policy places on special_row to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or 'department:' || department = any (string_to_array(current_setting('liangxian.places', true), ','))
         or town = any (string_to_array(current_setting('liangxian.places', true), ',')));

alter table special_batch enable row level security;
drop policy if exists places on special_batch;
create policy places on special_batch to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or 'department:' || department = any (string_to_array(current_setting('liangxian.places', true), ','))
         or exists (select from special_row r where r.batch_id = special_batch.id));

-- A department sees its own bills and nobody else's.
alter table demand enable row level security;
drop policy if exists places on demand;
create policy places on demand to liangxian_app
  using (current_setting('liangxian.places', true) = '*'
         or 'department:' || department = any (string_to_array(current_setting('liangxian.places', true), ',')));

alter table demand_line enable row level security;
drop policy if exists places on demand_line;
create policy places on demand_line to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from demand d where d.id = demand_id));

alter table demand_payment enable row level security;
drop policy if exists places on demand_payment;
create policy places on demand_payment to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from demand d where d.id = demand_id));

-- Cash is of the village where it was taken (decision 0061).
alter table receipt_book enable row level security;
drop policy if exists places on receipt_book;
create policy places on receipt_book to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

alter table cash_switch enable row level security;
drop policy if exists places on cash_switch;
create policy places on cash_switch to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

alter table receipt enable row level security;
drop policy if exists places on receipt;
create policy places on receipt to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or in_places(village_code));

alter table cash_batch enable row level security;
drop policy if exists places on cash_batch;
create policy places on cash_batch to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from receipt r where r.batch_id = cash_batch.id));

alter table cash_slip enable row level security;
drop policy if exists places on cash_slip;
create policy places on cash_slip to liangxian_app
  using (current_setting('liangxian.places', true) = '*' or exists (select from cash_batch b where b.id = batch_id));

-- COPY goes past no row level security: a bureau's new people go in here and are moved over, a batch at a time.
drop table if exists new_household, new_person;
create unlogged table new_household (like household including defaults);
create unlogged table new_person (like person including defaults);
