-- A registered phone is put right by a counter of the person's town, in the name of whoever's live session it is, and by
-- a paper. LX080: nobody of such a counter.
create or replace function correct_phone(
  p_session bytea, p_person bigint, p_phone bytea, p_former bytea, p_proof text, p_at timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who text := counter_of(p_session, p_person, p_at);
  number bigint;
begin
  if who is null or exists (select from person where id = p_person and restricted_at is not null) then
    raise exception 'person % is not served in this session', p_person using errcode = 'LX080';
  end if;
  insert into phone_correction (person_id, former_index, proof, by, at)
    values (p_person, p_former, p_proof, who, p_at) returning id into number;
  perform set_config('liangxian.actor', who, true);
  perform set_config('liangxian.cause', 'phone:' || number, true);
  update person set phone = p_phone where id = p_person;
end $$;

-- A correction stays as it was made; that of an erased person no longer knows the former phone, nor its proof (app/access/erasure.sql).
create or replace function phone_correction_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and owner_acts() and new.former_index is null and words_stay(old.proof, new.proof)
     and to_jsonb(new) - array['former_index', 'proof'] = to_jsonb(old) - array['former_index', 'proof'] then
    return new;
  end if;
  raise exception 'a correction of a phone stays' using errcode = 'LX082';
end $$;

drop trigger if exists stays on phone_correction;
create trigger stays before update or delete on phone_correction for each row execute function phone_correction_stays();
drop trigger if exists never_emptied on phone_correction;
create trigger never_emptied before truncate on phone_correction for each statement execute function ledger_is_append_only();
