-- A pause begins in force, is ended once, and stays as it was.
create or replace function pause_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.opened_at is null then
    return new;
  elsif tg_op = 'UPDATE' and old.opened_at is null and new.opened_at is not null
     and to_jsonb(new) - array['opened_by', 'opened_at'] = to_jsonb(old) - array['opened_by', 'opened_at'] then
    return new;
  end if;
  raise exception 'a pause begins, and ends once' using errcode = 'LX083';
end $$;

drop trigger if exists moves on channel_pause;
create trigger moves before insert or update or delete on channel_pause
  for each row execute function pause_moves();
drop trigger if exists never_emptied on channel_pause;
create trigger never_emptied before truncate on channel_pause
  for each statement execute function ledger_is_append_only();
