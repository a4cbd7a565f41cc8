-- A village's agent collects by its roster (R38, decision 0059). With each premium that a payment of his begins to hold it is
-- written by which version of his village's roster. LX154: none that is in force has him, in a year that asks for it.

-- Is it the year's ordinary premium? As `is_of_roster` of app/flows/due/listed.py.
create or replace function is_of_roster(p_bill bill) returns boolean language sql immutable as $$
  select p_bill.determination is null and p_bill.raised_from is null and p_bill.reason_code <> 'NEWBORN_OK'
$$;

-- By which version in force then of the roster of an agent's village its person is listed, where he lives now.
create or replace function listed_by(b bill, p_agent bigint, p_at timestamptz) returns table (roster_id bigint, roster_no int)
  language sql stable as $$
  select r.id, r.effective_no
    from person p join household h on h.id = p.household_id
    join agent_village v on v.village_code = h.village_code and v.agent_id = p_agent
    join roster r on (r.levy_year, r.insurance, r.village_code) = (b.levy_year, b.insurance, h.village_code)
    join roster_row w on (w.roster_id, w.no, w.person_id) = (r.id, r.effective_no, p.id)
   where p.id = b.person_id
     and exists (select from roster_step s  -- a clock that was set back stands before it
                  where (s.roster_id, s.no, s.what) = (r.id, r.effective_no, 'EFFECTIVE') and s.at <= p_at + interval '1 minute')
$$;

create or replace function agent_collects() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  begun payment;
  b bill;
begin
  new.roster_id := null;
  new.roster_no := null;
  select * into begun from payment p where (p.household_id, p.number) = (new.household_id, new.number);
  if not starts_with(begun.started_by, 'agent:') then
    return new;
  end if;
  select * into b from bill where (household_id, id) = (new.household_id, new.bill_id);
  if is_of_roster(b) then
    select l.roster_id, l.roster_no into new.roster_id, new.roster_no
      from listed_by(b, split_part(begun.started_by, ':', 2)::bigint, begun.ordered_at) l;
    if new.roster_id is null and begun.memo->'by_roster' @> to_jsonb(b.levy_year) then
      raise exception 'bill % is on no roster of %', new.bill_id, begun.started_by using errcode = 'LX154';
    end if;
  end if;
  return new;
end $$;

drop trigger if exists by_roster on payment_bill;
create trigger by_roster before insert on payment_bill for each row execute function agent_collects();
