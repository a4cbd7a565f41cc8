-- Closing a day. What was booked on it is counted and hashed in the order of its keys, chained to the day before, and
-- kept; after that nothing is booked on it by anybody (payments/ledger/ledger.sql), and what late facts say goes to an open day.

-- The digest of every day from `p_from` to `p_until`, as it stands in the book now. A text that only one content gives:
-- lengths before what may hold anything, and no setting of a session in it.
create or replace function book_digests(p_from date, p_until date)
returns table (day date, entries bigint, postings bigint, content bytea) language sql stable
  set search_path = public, pg_temp as $$
  with line as (
    select e.booked_on, e.household_id, e.cause, count(*) as postings,
           sha256(convert_to(concat_ws('|', e.household_id, to_char(e.booked_on, 'YYYY-MM-DD'),
             (extract(epoch from e.happened_at) * 1000000)::bigint, length(e.cause), e.cause,
             string_agg(concat_ws(',', p.line, p.account, p.amount, coalesce(p.item::text, '-')), ';' order by p.line)),
             'UTF8')) as digest
      from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
     where e.booked_on between p_from and p_until
     group by e.booked_on, e.household_id, e.cause, e.happened_at
  )
  select booked_on, count(*), sum(postings)::bigint,
         sha256(string_agg(digest, ''::bytea order by household_id, cause collate "C"))
    from line group by booked_on
$$;

-- What a closed day's digest is made of: the digest before, the day, its counts, its content. Pure.
create or replace function day_digest(p_previous bytea, p_day date, p_entries bigint, p_postings bigint, p_content bytea)
returns bytea language sql stable as $$
  select sha256(p_previous || convert_to(concat_ws('|', to_char(p_day, 'YYYY-MM-DD'), p_entries, p_postings), 'UTF8')
                || coalesce(p_content, ''::bytea))
$$;

-- What stands beside the entries of a day and may not change either: whose bill each posting is of, and who asked for,
-- looked at and agreed to each refund that was booked.
create or replace function day_sides(p_from date, p_until date)
returns table (day date, content bytea) language sql stable set search_path = public, pg_temp as $$
  with side as (
    select distinct e.booked_on, concat_ws('|', 'bill', b.household_id, b.id, b.person_id, b.insurance, b.levy_year) as said
      from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause and p.item is not null
      join bill b on b.household_id = p.household_id and b.id = p.item
     where e.booked_on between p_from and p_until
    union all
    select e.booked_on, concat_ws('|', 'refund', r.household_id, r.number, r.applied_by, coalesce(r.decided_by, '-'),
             (select string_agg(concat_ws(',', s.step, s.word, s.by, (extract(epoch from s.at) * 1000000)::bigint), ';'
                       order by s.step)
                from refund_step s where s.household_id = r.household_id and s.number = r.number
                 and s.word in ('applied', 'accepted', 'reviewed', 'approved')))
      from entry e join refund r on r.household_id = e.household_id and e.cause = 'refund:' || r.number || ':approved'
     where e.booked_on between p_from and p_until
  )
  select booked_on, sha256(string_agg(sha256(convert_to(said, 'UTF8')), ''::bytea order by said collate "C"))
    from side group by booked_on
$$;

-- The digest of a day closed since: that of before, with what stands beside its entries, and who closed it when. Pure.
create or replace function closed_digest(p_day sealed_day, p_content bytea, p_side bytea)
returns bytea language sql stable as $$
  select sha256(day_digest(p_day.previous, p_day.day, p_day.entries, p_day.postings, p_content)
                || coalesce(p_side, ''::bytea)
                || convert_to(concat_ws('|', p_day.closed_by, coalesce(p_day.confirmed_by, '-'),
                     (extract(epoch from p_day.closed_at) * 1000000)::bigint, p_day.exceptions::text), 'UTF8'))
$$;

-- Somebody asks to close a day with the exceptions it has now; another confirms by closing it.
create or replace function ask_to_close(p_day date, p_by text, p_now timestamptz) returns jsonb language sql
  security definer set search_path = public, pg_temp as $$
  insert into closing_request values (p_day, day_exceptions(p_day), p_by, p_now)
    on conflict (day) do update set exceptions = excluded.exceptions, asked_by = excluded.asked_by,
                                    asked_at = excluded.asked_at
    returning exceptions
$$;

-- Close a day. True: closed now. False: it was closed before. Days are closed in order, from the first that was booked.
-- LX011: the day is not over, or another comes first. LX014: it has exceptions, and nobody asked to close it with these,
-- or the same person wants to confirm them.
create or replace function seal_day(p_day date, p_by text, p_confirmed_by text, p_now timestamptz)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  before sealed_day;
  due date;
  book record;
  open jsonb;
  closed sealed_day;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'a day is closed at read committed only' using errcode = 'LX010';  -- as it is written (payments/ledger/ledger.sql)
  end if;
  perform pg_advisory_xact_lock(hashtext('day of the book'), p_day - date '2000-01-01');
  select * into before from sealed_day order by day desc limit 1;
  if before.day >= p_day then
    return false;
  elsif before.day is null then
    lock table entry in share row exclusive mode;  -- once: nobody may book before the first day meanwhile
    select min(booked_on) into due from entry;
  else
    due := before.day + 1;
  end if;
  if p_day is distinct from due then
    raise exception 'the day to close is %', coalesce(due::text, 'none: nothing is booked') using errcode = 'LX011';
  end if;
  if p_day >= (p_now at time zone 'Asia/Shanghai')::date then
    raise exception '% is not over', p_day using errcode = 'LX011';
  end if;
  open := day_exceptions(p_day);
  if open <> '[]' and (p_confirmed_by is null or p_confirmed_by = p_by or not exists (
      select from closing_request where day = p_day and asked_by = p_by and open <@ exceptions)) then
    raise exception '% has % exceptions', p_day, jsonb_array_length(open) using errcode = 'LX014';
  end if;

  select * into book from book_digests(p_day, p_day);
  closed.day := p_day;
  closed.entries := coalesce(book.entries, 0);
  closed.postings := coalesce(book.postings, 0);
  closed.previous := coalesce(before.digest, decode(repeat('00', 32), 'hex'));
  closed.exceptions := open;
  closed.closed_by := p_by;
  closed.confirmed_by := case when open <> '[]' then p_confirmed_by end;
  closed.closed_at := p_now;
  closed.written_at := now();
  closed.version := 2;
  closed.digest := closed_digest(closed, book.content, (select content from day_sides(p_day, p_day)));
  insert into sealed_day select closed.*;
  insert into sealed_total (day, account, debit, credit, balance)
    select p_day, account, sum(debit), sum(credit), sum(balance) from (
      select p.account, coalesce(sum(p.amount) filter (where p.amount > 0), 0) as debit,
             coalesce(-sum(p.amount) filter (where p.amount < 0), 0) as credit, sum(p.amount) as balance
        from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
       where e.booked_on = p_day group by p.account
      union all select t.account, 0, 0, t.balance from sealed_total t where t.day = before.day) moved
     group by account;
  return true;
end $$;

-- Days that no longer are what was closed: other content, another chain, a gap, or totals that do not add up (INV-13).
create or replace function sealed_day_broken(p_from date default '-infinity')
returns setof date language sql stable security definer set search_path = public, pg_temp as $$
  with sealed as (
    select s.*, lag(s.digest) over w as before, lag(s.day) over w as day_before
      from sealed_day s window w as (order by s.day)
  ), book as (
    select * from book_digests(greatest(p_from, (select min(day) from sealed_day)), (select max(day) from sealed_day))
  ), side as (
    select * from day_sides(greatest(p_from, (select min(day) from sealed_day)), (select max(day) from sealed_day))
  ), moved as (
    select e.booked_on as day, p.account, coalesce(sum(p.amount) filter (where p.amount > 0), 0) as debit,
           coalesce(-sum(p.amount) filter (where p.amount < 0), 0) as credit
      from entry e join posting p on p.household_id = e.household_id and p.cause = e.cause
     where e.booked_on between greatest(p_from, (select min(day) from sealed_day)) and (select max(day) from sealed_day)
     group by e.booked_on, p.account
  ), wrong as (
    select coalesce(t.day, m.day) as day
      from (select * from sealed_total where day >= p_from) t full join moved m on m.day = t.day and m.account = t.account
     where (coalesce(t.debit, 0), coalesce(t.credit, 0)) is distinct from (coalesce(m.debit, 0), coalesce(m.credit, 0))
    union
    select t.day from (select *, lag(balance, 1, 0::bigint) over (partition by account order by day) as before
                         from sealed_total) t
     where t.day >= p_from and t.balance <> t.before + t.debit - t.credit
  )
  select s.day from sealed s join sealed_day d on d.day = s.day
    left join book b on b.day = s.day left join side on side.day = s.day
   where s.day >= p_from
     and (s.digest <> case s.version
            when 1 then day_digest(s.previous, s.day, s.entries, s.postings, b.content)
            else closed_digest(d, b.content, side.content) end
          or s.previous <> coalesce(s.before, decode(repeat('00', 32), 'hex')) or s.day <> s.day_before + 1
          or s.entries <> coalesce(b.entries, 0) or s.postings <> coalesce(b.postings, 0))
  union select day from wrong
  union select e.booked_on from entry e
   where e.booked_on <= (select max(day) from sealed_day) and e.booked_on >= p_from
     and not exists (select from sealed_day d where d.day = e.booked_on)
$$;

drop trigger if exists append_only on sealed_day;
create trigger append_only before update or delete on sealed_day
  for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on sealed_day;
create trigger never_emptied before truncate on sealed_day for each statement execute function ledger_is_append_only();

drop trigger if exists append_only on sealed_total;
create trigger append_only before update or delete on sealed_total
  for each row execute function ledger_is_append_only();
drop trigger if exists never_emptied on sealed_total;
create trigger never_emptied before truncate on sealed_total for each statement execute function ledger_is_append_only();

drop trigger if exists append_only on certificate;
create trigger append_only before update or delete on certificate
  for each row execute function ledger_is_append_only();
