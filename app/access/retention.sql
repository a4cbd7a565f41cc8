-- What is let go of when its time is over (app/flows/keep/retention.py says what, when and by which clause). The web and
-- the worker may call this and may not delete: it knows the shortest time of each itself, and writes down how much went.

create or replace function shortest_kept(p_what text) returns interval language plpgsql immutable as $$
begin
  return case p_what
    when 'request_keys' then interval '30 days'
    when 'refused_words' then interval '90 days'
    when 'upload_pieces' then interval '90 days'
    when 'door_notes' then interval '365 days'
    when 'shown_rows' then interval '90 days'
    when 'notice_addresses' then interval '180 days'
    when 'payment_addresses' then interval '180 days'
    when 'complaint_words' then interval '1095 days'
    when 'evidence' then interval '1095 days'
    when 'newborn_words' then interval '1095 days'
    when 'helped_previews' then interval '30 days'
    when 'helped_rows' then interval '365 days'
    when 'matter_words' then interval '1095 days'
    when 'objection_words' then interval '1095 days'
    when 'unused_accounts' then interval '1095 days'
    when 'restricted_names' then interval '11323 days'
  end;
end $$;

-- What came of work at a page, without the rows that the page showed of the file: counts stay.
create or replace function without_rows(p_outcome jsonb) returns jsonb language sql immutable as $$
  select p_outcome || coalesce((
    select jsonb_object_agg(key, case jsonb_typeof(p_outcome->key) when 'array' then '[]'::jsonb else '{}'::jsonb end)
      from unnest(array['columns', 'words', 'ignored', 'failures', 'rows', 'there', 'twice']) key
     where jsonb_typeof(p_outcome->key) in ('array', 'object')), '{}')
$$;

-- Where they lie, at most `p_most` of them (null: all).
create or replace function over_time(p_what text, p_before timestamptz, p_most int) returns setof tid
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  case p_what
    when 'request_keys' then
      return query select ctid from request_key where used_at < p_before limit p_most;
    when 'refused_words' then
      return query select ctid from received where result = 'refused' and received_at < p_before and body <> '' limit p_most;
    when 'upload_pieces' then
      return query select u.ctid from upload u
        where u.at < p_before and u.gone_at is null
          and not exists (select from office_job j where j.upload_id = u.id and j.state in ('waiting', 'doing'))
        limit p_most;
    when 'door_notes' then
      return query select ctid from door_note where kept_from < p_before limit p_most;
    when 'shown_rows' then
      return query select j.ctid from office_job j
        where j.state = 'done' and j.ended_at < p_before and j.outcome is distinct from without_rows(j.outcome) limit p_most;
    when 'notice_addresses' then  -- said, or given up; what still waits keeps its address
      return query select ctid from notice
        where rank >= 2 and ask_at is null and queued_at < p_before and (phone is not null or openid is not null)
        limit p_most;
    when 'payment_addresses' then  -- the notice has them by now
      return query select ctid from payment
        where state in ('paid', 'surplus', 'closed', 'failed') and started_at < p_before
          and (memo #>> '{notice,phone}' is not null or memo #>> '{notice,openid}' is not null)
        limit p_most;
    when 'complaint_words' then
      return query select c.ctid from complaint c
        where c.ended_at < p_before and (c.told <> '' or c.phone is not null) limit p_most;
    when 'evidence' then  -- of a case that is over
      return query select v.ctid from determination_evidence v join determination d on d.id = v.determination_id
        where v.at < p_before and d.state not in ('applied', 'checking') limit p_most;
    when 'newborn_words' then
      return query select ctid from newborn
        where kept_from < p_before and state not in ('applied', 'checking') and certificate <> '' limit p_most;
    when 'helped_previews' then
      return query select ctid from special_batch where state = 'VALIDATED' and at < p_before limit p_most;
    when 'helped_rows' then
      return query select r.ctid from special_row r join special_batch b on b.id = r.batch_id
        where (r.cells is not null or r.id_index is not null)
          and (b.state = 'CLOSED' and b.ended_at < p_before
               or b.state in ('IMPORTED', 'PARTLY_IMPORTED') and b.taken_at < p_before  -- all ended, and nobody closed it
                  and not exists (select from special_row o
                                   where o.batch_id = b.id and o.state <> 'OK' and (o.ended_at < p_before) is not true))
        limit p_most;
    when 'objection_words' then
      return query select ctid from roster_objection
        where kept_from < p_before and told_at is not null and words <> '' limit p_most;
    when 'matter_words' then
      return query select ctid from matter
        where kept_from < p_before and state in ('answered', 'closed') and words <> '' limit p_most;
    when 'unused_accounts' then
      return query select a.ctid from resident_account a
        where a.used_at < p_before
          and (num_nonnulls(a.phone_index, a.openid_index, a.holder) > 0
               or exists (select from resident_person p where p.account_id = a.id)
               or exists (select from barred b where b.account_id = a.id)) limit p_most;
      return query select ctid from resident_account
        where used_at < p_before and (phone_index is not null or openid_index is not null) limit p_most;
    when 'restricted_names' then  -- with the last of his accounts: after it he got no bill, perhaps money back
      return query select p.ctid from person p join erasure e on e.person_id = p.id
        where p.restricted_at < p_before and e.agreed_at is not null and e.lifted_at is null and e.let_go_at is null
          and not exists (
            select from bill b join refund_bill rb on rb.household_id = b.household_id and rb.bill_id = b.id
              join refund r on r.household_id = rb.household_id and r.number = rb.number
             where b.person_id = p.id and (r.applied_at >= p_before or r.paid_at >= p_before))
        limit p_most;
    else
      raise exception 'nothing is called %', p_what using errcode = 'LX106';
  end case;
end $$;

-- Who was restricted has no name and no number any more, and no index that any number would find. His row stays: bills
-- and refunds say that they are of one and the same person.
create or replace function nameless(e erasure) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  perform set_config('liangxian.cause', 'erasure:' || e.id, true);
  update erasure set let_go_at = clock_timestamp() where id = e.id;
  update name_correction set former = '', name = '' where person_id = e.person_id;
  update birth_certificate
     set number = '', index = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))
   where person_id = e.person_id;
  update joining set number = '', name = '' where e.person_id in (person_id, other_id, kept_id);
  update enrolment set source_person_no = '', digest = '' where person_id = e.person_id;
  update former_enrolment set digest = '' where person_id = e.person_id;
  update former_person set medical_years = null where person_id = e.person_id and medical_years is not null;
  update person
     set id_number = '', name = '', phone = null, parent_index = null, digest = '',
         id_index = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
         birth_date = date_trunc('year', birth_date)::date, medical_years = null
   where id = e.person_id;
end $$;

-- Let go of so many at most; how many went. LX106: too early, or nothing of that name.
create or replace function let_go_of(p_what text, p_before timestamptz, p_most int) returns bigint language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  those tid[];
  lists bigint[];
  gone bigint;
begin
  if p_before is null or shortest_kept(p_what) is null or p_before > now() - shortest_kept(p_what) then
    raise exception 'it is too early to let go of %', p_what using errcode = 'LX106';
  end if;
  select array_agg(t) into those from over_time(p_what, p_before, p_most) t;
  case p_what
    when 'request_keys' then
      delete from request_key where ctid = any (those);
    when 'refused_words' then
      update received set body = '', whole = coalesce(whole, sha256(body)) where ctid = any (those) and body <> '';
    when 'upload_pieces' then
      delete from upload_piece p using upload u where u.ctid = any (those) and p.upload_id = u.id;
      update upload set gone_at = clock_timestamp(), gone_by = 'rule:retention' where ctid = any (those);
    when 'door_notes' then
      delete from door_note where ctid = any (those);
    when 'shown_rows' then
      update office_job set outcome = without_rows(outcome) where ctid = any (those);
    when 'notice_addresses' then
      update notice set phone = null, openid = null where ctid = any (those);
    when 'payment_addresses' then
      update payment set memo = jsonb_set(memo, '{notice}', (memo->'notice') - array['phone', 'openid'])
       where ctid = any (those);
    when 'complaint_words' then
      update complaint_line l set words = null from complaint c
       where c.ctid = any (those) and (l.gateway, l.number) = (c.gateway, c.number) and l.words is not null;
      update complaint_reply r set picture = null from complaint c
       where c.ctid = any (those) and (r.gateway, r.number) = (c.gateway, c.number) and r.picture is not null;
      update complaint set told = '', phone = null where ctid = any (those);
    when 'evidence' then
      delete from determination_evidence where ctid = any (those);
    when 'newborn_words' then
      update newborn set certificate = '', name = '', picture = null where ctid = any (those);
    when 'helped_previews' then
      perform helped_drop(b.id, 'rule:retention', now()) from special_batch b where b.ctid = any (those);
    when 'helped_rows' then
      select array_agg(distinct batch_id) into lists from special_row where ctid = any (those);
      update special_row set cells = null, id_index = null where ctid = any (those);
      perform helped_close(b.id, 'rule:retention', clock_timestamp()) from special_batch b
        where b.id = any (lists) and b.state <> 'CLOSED' and not exists (
          select from special_row r where r.batch_id = b.id and (r.cells is not null or r.id_index is not null));
    when 'objection_words' then
      update roster_objection set words = '', answer = null, contact = null where ctid = any (those);
    when 'matter_words' then
      update matter set words = '', answer = null, again = null where ctid = any (those);
    when 'unused_accounts' then
      delete from resident_person p using resident_account a where a.ctid = any (those) and p.account_id = a.id;
      delete from barred b using resident_account a where a.ctid = any (those) and b.account_id = a.id;
      delete from subscription n using resident_account a where a.ctid = any (those) and n.openid_index = a.openid_index;
      delete from session s using resident_account a where a.ctid = any (those) and a.id in (s.account_id, s.unsure_id);
      update resident_account set phone = null, phone_index = null, openid_index = null, holder = null
       where ctid = any (those);
    when 'restricted_names' then
      perform nameless(e) from erasure e join person p on p.id = e.person_id
        where p.ctid = any (those) and e.agreed_at is not null and e.lifted_at is null;
  end case;
  gone := coalesce(cardinality(those), 0);
  if gone > 0 then
    insert into let_go (what, before, rows, at) values (p_what, p_before, gone, clock_timestamp());
  end if;
  return gone;
end $$;

drop trigger if exists append_only on let_go;
create trigger append_only before update or delete on let_go for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on let_go;
create trigger never_emptied before truncate on let_go for each statement execute function ledger_is_append_only();
