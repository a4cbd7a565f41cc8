-- The last day of the residence permit that lets a person enrol here (R07): his own, an accompanying child's the parent's
-- (D07). What the register has of the parent himself is newer than what the child's row said; a parent without a permit
-- lends none. Null: no day was named. The parent may live where the one who asks sees nobody, hence the owner's eyes.
create or replace function permit_end(p_residence text, p_said date, p_parent bytea) returns date
  language sql stable security definer set search_path = public, pg_temp as $$
  select case p_residence
    when 'permit' then p_said
    when 'permit_child' then
      coalesce((select case residence when 'permit' then permit_to when 'nonlocal' then date '1900-01-01' end
                  from person where id_index = p_parent), p_said)
  end
$$;

-- The same for a former levy year: an accompanying child's is what that year's register has of the parent.
create or replace function former_permit_end(p_year int, p_residence text, p_said date, p_parent bytea) returns date
  language sql stable security definer set search_path = public, pg_temp as $$
  select case p_residence
    when 'permit' then p_said
    when 'permit_child' then
      coalesce((select case f.residence when 'permit' then f.permit_to when 'nonlocal' then date '1900-01-01' end
                  from person parent join former_person f on f.person_id = parent.id and f.levy_year = p_year
                 where parent.id_index = p_parent), p_said)
  end
$$;
