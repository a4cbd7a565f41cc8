-- Does one of the owner's own functions act? Nobody else may let go of what stays as it came.
create or replace function owner_acts() returns boolean language sql stable as $$
  select pg_has_role(current_user, (select relowner from pg_class where oid = 'person'::regclass), 'member')
$$;

-- May a sealed value be the other one? It is the same one still, or the owner, who alone seals anew under another key
-- (app/flows/keep/reseal.py), put one of the same length in its place. What is inside, no query can tell.
create or replace function sealed_anew(p_before bytea, p_after bytea) returns boolean language sql stable as $$
  select p_before is not distinct from p_after
      or (length(p_before) = length(p_after) and substr(p_before, 1, 2) <> substr(p_after, 1, 2)
          and pg_has_role(session_user, (select relowner from pg_class where oid = 'person'::regclass), 'member'))
$$;

-- What stands where somebody wrote in his own words about a person who was erased: may these words become those?
create or replace function words_stay(p_old text, p_new text) returns boolean language sql stable as $$
  select p_new is not distinct from p_old or p_old is not null and p_new = '（已按规定删除）' and owner_acts()
$$;
