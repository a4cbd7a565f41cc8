-- A determination moves only along app/registry/determinations.py; it begins as an application, what it is about never
-- changes, and what was decided is frozen.

create or replace function determination_begins() returns trigger language plpgsql as $$
begin
  if new.state <> 'applied' or new.decided_by is not null or new.reason is not null then
    raise exception 'a determination begins as an application' using errcode = 'LX008';
  end if;
  return new;
end $$;

drop trigger if exists begins on determination;
create trigger begins before insert on determination for each row execute function determination_begins();

create or replace function determination_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'determination % may not be removed', old.id using errcode = 'LX008';
  end if;
  if not exists (select from determination_move where from_state = old.state and to_state = new.state) then
    raise exception 'determination % may not move from % to %', old.id, old.state, new.state using errcode = 'LX008';
  end if;
  if (new.id, new.person_id, new.insurance, new.levy_year, new.kind, new.requested_by, new.applied_at) is distinct from
     (old.id, old.person_id, old.insurance, old.levy_year, old.kind, old.requested_by, old.applied_at) then
    raise exception 'determination % is about another case', old.id using errcode = 'LX008';
  end if;
  return new;
end $$;

drop trigger if exists moves on determination;
create trigger moves before update or delete on determination for each row execute function determination_moves();
