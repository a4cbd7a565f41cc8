-- A person's data erased (decision 0040): asked for by one, agreed to by another, then what need not be kept goes in one
-- transaction, and who he was is restricted until the accounts' time is over. The office's role asks; everything after it
-- is these functions'.

-- The accounts that are his own: he holds the phone, or nobody else of its own people could.
create or replace function own_accounts(p_person bigint) returns setof bigint language sql stable
  security definer set search_path = public, pg_temp as $$
  select a.id from resident_account a join resident_person rp on rp.account_id = a.id
   where rp.person_id = p_person and rp.own
     and (a.holder = p_person
          or a.holder is null and not exists (
               select from resident_person other
                where other.account_id = a.id and other.own and other.person_id <> p_person))
$$;

-- His row, and those that became one with it (app/registry/joining.sql).
create or replace function rows_of(p_person bigint) returns setof bigint language sql stable
  security definer set search_path = public, pg_temp as $$
  select p_person
  union
  select case j.kept_id when j.person_id then j.other_id else j.person_id end from joining j
   where j.kept_id = p_person and j.state = 'done' and j.other_id is not null
$$;

-- The payments of his bills, and those that his own accounts began.
create or replace function own_payments(p_person bigint) returns table (household_id bigint, number text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select pb.household_id, pb.number from bill b
    join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id
   where b.person_id in (select rows_of(p_person))
  union
  select p.household_id, p.number from payment p
   where p.started_by in (select 'account:' || a from own_accounts(p_person) a)
$$;

-- What notices are about (the second word of their cause) that are of him and nobody else.
create or replace function subjects_of(p_person bigint) returns table (household_id bigint, subject text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select b.household_id, b.id::text from bill b where b.person_id = p_person
  union
  select pb.household_id, pb.number from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
   where pb.household_id in (select mine.household_id from bill mine where mine.person_id = p_person)
   group by 1, 2 having bool_and(b.person_id = p_person)
  union
  select rb.household_id, rb.number from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
   where rb.household_id in (select mine.household_id from bill mine where mine.person_id = p_person)
   group by 1, 2 having bool_and(b.person_id = p_person)
  union all
  select p.household_id, 'M' || m.id || '-' || n from matter m join person p on p.id = m.person_id
    cross join lateral generate_series(1, m.turn) n where m.person_id = p_person
  union all
  select p.household_id, 'D' || d.id from determination d join person p on p.id = d.person_id where d.person_id = p_person
  union all
  select p.household_id, 'N' || n.id from newborn n join person p on p.id = n.parent_id where n.person_id = p_person
$$;

-- What forbids it at this moment: what is under way, each by its number.
create or replace function erasure_hindrances(p_person bigint) returns table (what text, number text)
  language sql stable security definer set search_path = public, pg_temp as $$
  with mine as (select m.household_id, m.number, p.state
                  from own_payments(p_person) m join payment p on (p.household_id, p.number) = (m.household_id, m.number))
  select 'payment', m.number from mine m where m.state not in ('paid', 'surplus', 'closed', 'failed')
  union all
  select 'refund', m.number from mine m  -- paid twice, and not given back yet
   where m.state = 'surplus' and not exists (
     select from refund r where r.household_id = m.household_id and r.payment = m.number and r.state = 'paid')
  union all
  select 'refund', r.number from refund r
   where r.state not in ('paid', 'rejected') and r.held is null and exists (
     select from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
      where rb.household_id = r.household_id and rb.number = r.number and b.person_id = p_person)
  union all
  select 'refund', r.number from refund r join mine m on m.household_id = r.household_id and m.number = r.payment
   where r.state not in ('paid', 'rejected') and r.held is not null and m.state <> 'surplus'
  union all
  select 'suspense', s.number from suspense s
   where s.solved_at is null
     and (exists (select from mine m where m.number = s.number)
          or exists (select from bill b
                      where b.person_id = p_person and b.household_id = s.bills_household and b.id = any (s.bills)))
  union all
  select 'complaint', c.number from complaint c join mine m on m.number = c.payment where c.ended_at is null
  union all
  select 'correction', c.id::text from name_correction c where c.person_id = p_person and c.state = 'asked'
  union all
  select 'determination', d.id::text from determination d
   where d.person_id = p_person and d.state in ('applied', 'checking')
  union all
  select 'joining', j.id::text from joining j where p_person in (j.person_id, j.other_id) and j.state in ('offered', 'asked')
  union all
  select 'newborn', n.id::text from newborn n where n.parent_id = p_person and n.state in ('applied', 'checking')
  union all
  select 'objection', o.id::text from roster_objection o
   where o.told_at is null and o.by in (select 'account:' || a from own_accounts(p_person) a)
  union all
  select 'matter', m.id::text from matter m
   where m.person_id = p_person and m.state in ('open', 'taken', 'reopened')
$$;

-- Everything that need not be kept goes; table → rows. `p_notices`: [household, cause] of what went to his addresses,
-- `p_addressed` and `p_payers`: payments that hold his address, or his WeChat user; `p_tallies`: keyed digests that name
-- him. LX108: something is under way. Nothing where it was agreed to before.
create or replace function erase_person(
  p_erasure bigint, p_by text, p_at timestamptz, p_notices jsonb, p_addressed text[], p_payers text[], p_tallies bytea[]
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  e erasure;
  accounts bigint[];
  gone jsonb := '{}';
  n bigint;
begin
  select * into e from erasure where id = p_erasure for update;
  if e.id is null or e.withdrawn_at is not null or e.agreed_at is not null then
    return null;
  end if;
  perform meet_people(array[e.person_id], true);
  if exists (select from erasure_hindrances(e.person_id)) then
    raise exception 'something of person % is under way', e.person_id using errcode = 'LX108';
  end if;
  perform set_config('liangxian.cause', 'erasure:' || e.id, true);
  select coalesce(array_agg(a), '{}') into accounts from own_accounts(e.person_id) a;

  update notice o set openid = null, phone = null, ask_at = null,
         rank = case when rank < 2 then 4 else rank end,
         last_error = case when rank < 2 then 'the person was erased' else last_error end
    from jsonb_array_elements(p_notices) named
   where o.household_id = (named->>0)::bigint and o.cause = named->>1;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('notice', n);
  update notice o set rank = 4, last_error = 'the person was erased'  -- of him alone, for an agent to tell at the door
   where o.phone is null and o.openid is null and (o.rank < 2 or o.rank = 4 and o.visited_at is null)
     and (o.household_id, split_part(o.cause, ':', 2)) in (select household_id, subject from subjects_of(e.person_id));
  update payment p set memo = case when p.number = any (p_addressed) and p.memo ? 'notice'
                                   then jsonb_set(p.memo, '{notice}', (p.memo->'notice') - array['phone', 'openid'])
                                   else p.memo end,
         payer = case when p.number = any (p_payers) then '' else p.payer end  -- that he paid in WeChat stays (INV-93)
    from own_payments(e.person_id) m
   where (p.household_id, p.number) = (m.household_id, m.number) and p.number = any (p_addressed || p_payers);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('payment', n);
  delete from request_key k using payment p
   where (k.household_id, k.number) = (p.household_id, p.number)
     and p.started_by in (select 'account:' || a from unnest(accounts) a);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('request_key', n);
  delete from tally where key = any (p_tallies);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('tally', n);
  delete from subscription s using resident_account a where a.id = any (accounts) and s.openid_index = a.openid_index;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('subscription', n);
  delete from login_code c using session s
   where s.token_hash = c.token_hash and (s.account_id = any (accounts) or s.unsure_id = any (accounts));
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('login_code', n);
  delete from session s where s.account_id = any (accounts) or s.unsure_id = any (accounts);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('session', n);
  update session s set known = (  -- others' who had looked him up
           select coalesce(jsonb_object_agg(k, v), '{}') from jsonb_each(s.known) each (k, v)
            where v <> to_jsonb(e.person_id))
   where exists (select from jsonb_each(s.known) each (k, v) where v = to_jsonb(e.person_id));
  delete from barred b where b.person_id = e.person_id or b.account_id = any (accounts);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('barred', n);
  delete from resident_person rp where rp.person_id = e.person_id or rp.account_id = any (accounts);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('resident_person', n);
  update special_row set cells = null, id_index = null,  -- a department's list that names him; how it ended stays
         taken_back_why = case when taken_back_why is not null then '（已按规定删除）' end
   where person_id = e.person_id or id_index = (select p.id_index from person p where p.id = e.person_id);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('special_row', n);
  update resident_account a set phone = null, phone_index = null, openid_index = null where a.id = any (accounts);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('resident_account', n);
  update resident_account a set holder = null where a.holder = e.person_id;
  delete from determination_evidence v using determination d
   where d.id = v.determination_id and d.person_id = e.person_id;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('determination_evidence', n);
  update joining set proof = case when proof is not null then '（已按规定删除）' end,
         why = case when why is not null then '（已按规定删除）' end
   where e.person_id in (person_id, other_id, kept_id) and (proof is not null or why is not null);
  update newborn set certificate = '', name = '', picture = null,
         reason = case when reason is not null then '（已按规定删除）' end
   where (certificate <> '' or reason is not null) and (person_id = e.person_id or index in (
         select c.index from birth_certificate c where c.person_id = e.person_id));
  update roster_objection set words = '', answer = null  -- what his own accounts objected to
   where by in (select 'account:' || a from unnest(accounts) a) and words <> '';
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('roster_objection', n);
  update roster_step set words = null  -- why a roster was sent back because of his row
   where words is not null and people && array(select rows_of(e.person_id));
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('roster_step', n);
  update matter set words = '', answer = null, again = null where person_id = e.person_id and words <> '';
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('matter', n);
  update conflict set name = null, why = case when why is not null then '（已按规定删除）' end  -- what it was about stays
   where person_id = e.person_id and (name is not null or why is not null);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('conflict', n);
  update paid_elsewhere set proof = '（已按规定删除）', back_why = case when back_why is not null then '（已按规定删除）' end
   where person_id = e.person_id;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('paid_elsewhere', n);
  update bill set state = 'withdrawn' where person_id = e.person_id and state = 'open';
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('bill', n);
  update phone_correction set former_index = null, proof = '（已按规定删除）' where person_id = e.person_id;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('phone_correction', n);
  update person set phone = null, restricted_at = p_at where id = e.person_id;
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('person', n);
  delete from door_note d where not exists (  -- of houses in which nobody is left, also where he lived before
    select from person p where p.household_id = d.household_id and p.restricted_at is null);
  get diagnostics n = row_count;  gone := gone || jsonb_build_object('door_note', n);
  update erasure set agreed_by = p_by, agreed_at = p_at, went = gone where id = e.id;
  return gone;
end $$;

-- True: what was asked for is asked for no more, by whoever asked.
create or replace function erasure_withdraw(p_erasure bigint, p_by text, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update erasure set withdrawn_by = p_by, withdrawn_at = p_at
   where id = p_erasure and asked_by = p_by and agreed_at is null and withdrawn_at is null;
  return found;
end $$;

-- True: somebody asks for him to come back; nothing is changed yet.
create or replace function erasure_lift_ask(p_erasure bigint, p_reason text, p_by text, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update erasure set lift_asked_by = p_by, lift_asked_at = p_at, lift_reason = p_reason
   where id = p_erasure and agreed_at is not null and lifted_at is null and let_go_at is null;
  return found;
end $$;

-- True: he is as others are, with what is left of him; what went does not come back.
create or replace function erasure_lift(p_erasure bigint, p_by text, p_at timestamptz) returns boolean
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  who bigint;
begin
  update erasure set lifted_by = p_by, lifted_at = p_at
   where id = p_erasure and lift_asked_at is not null and lifted_at is null and let_go_at is null
  returning person_id into who;
  perform set_config('liangxian.cause', 'erasure:' || p_erasure, true);
  update person set restricted_at = null where id = who;
  return who is not null;
end $$;

-- What was written once stays; a wish for him to come back may be written anew until somebody agrees.
create or replace function erasure_moves() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and num_nonnulls(new.agreed_by, new.withdrawn_by, new.lift_asked_by, new.lifted_by, new.let_go_at) = 0
     or tg_op = 'UPDATE' and old.withdrawn_at is null and old.lifted_at is null and old.let_go_at is null
        and (old.agreed_at is null or (new.agreed_by, new.agreed_at, new.went) = (old.agreed_by, old.agreed_at, old.went))
        and (new.id, new.person_id, new.ground, new.reason, new.asked_by, new.asked_at)
          = (old.id, old.person_id, old.ground, old.reason, old.asked_by, old.asked_at) then
    return new;
  end if;
  raise exception 'an erasure is asked for, decided once and lifted once' using errcode = 'LX109';
end $$;

drop trigger if exists moves on erasure;
create trigger moves before insert or update or delete on erasure for each row execute function erasure_moves();
drop trigger if exists never_emptied on erasure;
create trigger never_emptied before truncate on erasure for each statement execute function ledger_is_append_only();

-- Nobody who is restricted is given a bill.
create or replace function bill_of_nobody_restricted() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (select from person where id = new.person_id and restricted_at is not null) then
    raise exception 'person % is restricted', new.person_id using errcode = 'LX108';
  end if;
  return new;
end $$;

drop trigger if exists of_nobody_restricted on bill;
create trigger of_nobody_restricted before insert on bill for each row execute function bill_of_nobody_restricted();
