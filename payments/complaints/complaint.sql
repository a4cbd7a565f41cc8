-- What was said stays as it came; a case keeps its number and its beginning, and nothing of it is taken away.
create or replace function complaint_line_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - 'words' = to_jsonb(old) - 'words'
     and (sealed_anew(old.words, new.words) or new.words is null and owner_acts()) then
    return new;
  end if;
  raise exception 'what was said in a complaint stays as it came' using errcode = 'LX084';
end $$;

drop trigger if exists append_only on complaint_line;
drop trigger if exists stays on complaint_line;
create trigger stays before update or delete on complaint_line for each row execute function complaint_line_stays();
drop trigger if exists never_emptied on complaint_line;
create trigger never_emptied before truncate on complaint_line
  for each statement execute function ledger_is_append_only();

-- A reply says what it said when it was written down; only where it stands moves, and from its end nowhere.
create or replace function complaint_reply_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - array['words', 'picture'] = to_jsonb(old) - array['words', 'picture']
     and sealed_anew(old.words, new.words) 
     and (sealed_anew(old.picture, new.picture) or new.picture is null and owner_acts()) then
    return new;
  end if;
  if tg_op = 'UPDATE' and old.state in ('pending', 'unknown', 'sent')
     and not (old.state = 'sent' and new.state in ('pending', 'unknown'))
     and to_jsonb(new) - array['state', 'media', 'their_word', 'tries', 'next_try_at']
       = to_jsonb(old) - array['state', 'media', 'their_word', 'tries', 'next_try_at'] then
    return new;
  end if;
  raise exception 'a reply stays as it was written, and ends once' using errcode = 'LX084';
end $$;

drop trigger if exists moves on complaint_reply;
create trigger moves before update or delete on complaint_reply
  for each row execute function complaint_reply_moves();
