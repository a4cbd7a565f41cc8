-- What a line of a gateway's statement goes by: our numbers, their references, or its place; and whose turn it is.

-- Whether a number has the form that we give to payments and refunds, and nobody else.
create or replace function is_our_number(p_number text) returns boolean language sql immutable as $$
  select p_number ~ '^(YC|YT).{6}[0-9A-HJKMNP-TV-Z]{8}.{10}$'
$$;

-- The household a number of ours carries, as payments/number.py reads it; 0 for a number that cannot be ours.
create or replace function household_of_number(p_number text) returns bigint language sql immutable as $$
  select case when is_our_number(p_number) then (
    select sum((position(substr(p_number, 8 + place, 1) in '0123456789ABCDEFGHJKMNPQRSTVWXYZ') - 1)::bigint
               << (5 * (8 - place)))::bigint
      from generate_series(1, 8) place) else 0 end
$$;

-- What a line goes by: their reference, or its day and row where they give none. No reference is never a reference.
create or replace function line_key(p_day date, p_row int, p_reference text) returns text language sql stable as $$
  select coalesce(nullif(p_reference, ''), to_char(p_day, 'YYYY-MM-DD') || '#' || p_row)
$$;

-- No two hands at the lines of one day: they come, or are compared, one after the other.
create or replace function hold_statement(p_gateway text, p_day date) returns void language sql as $$
  select pg_advisory_xact_lock(hashtext('matching ' || p_gateway), p_day - date '2000-01-01')
$$;
