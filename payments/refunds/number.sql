-- Every number a refund was ever sent under, written here only. After a definite no it goes out under a new number, and
-- the gateway's list and words may name the former one for as long as they come.
create or replace function refund_keeps_its_numbers() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  insert into refund_number (household_id, sent_as, number, ordered_at)
    values (new.household_id, new.sent_as, new.number, new.ordered_at)
    on conflict (household_id, sent_as) do update set ordered_at = excluded.ordered_at;
  return null;
end $$;

drop trigger if exists keeps_its_numbers on refund;
create trigger keeps_its_numbers after insert or update of sent_as, ordered_at on refund
  for each row execute function refund_keeps_its_numbers();

-- What is known of a refund's number from now on: theirs of it, and the entry by which money left under it.
create or replace function refund_number_says(
  p_household bigint, p_sent_as text, p_reference text, p_booked text, p_done_at timestamptz
) returns void language sql as $$
  update refund_number set reference = coalesce(nullif(p_reference, ''), reference), booked = coalesce(p_booked, booked),
                           done_at = coalesce(p_done_at, done_at)
    where household_id = p_household and sent_as = p_sent_as
$$;
