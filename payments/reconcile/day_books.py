"""A day's books side by side, for the clerk's page: read, never written."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, Row, text


def channels(connection: Connection, day: date) -> Sequence[Row]:
    """Each channel of a day: what its list says, what our book has of it, what the bank received for it, what is open.

    Amounts in fen; `fee` is rounded as it was booked, `received` and `refunded` are null while the list is missing."""
    return connection.execute(_CHANNELS, {"day": day}).all()


def funds(connection: Connection, day: date) -> Sequence[Row]:
    """Each fund of a day: what residents paid by our book, what the treasury booked, what the bureau confirmed."""
    return connection.execute(_FUNDS, {"day": day}).all()


def open_by_day(connection: Connection, days: Sequence[date]) -> dict[date, int]:
    """How many differences of each day are not ended."""
    rows = connection.execute(
        text("select day, count(*) from discrepancy where state <> 'cleared' and day = any (:days) group by day"),
        {"days": list(days)},
    )
    return {row.day: row.count for row in rows}


_CHANNELS = text("""
select s.gateway, s.state, s.trouble, s.lines, s.received, s.refunded, s.deposit, s.matched_at,
       floor((coalesce(s.fee, 0) + 500) / 1000.0)::bigint as fee,
       net_of(s) as net, m.received as ours_received, m.refunded as ours_refunded, coalesce(m.matched, 0) as matched,
       (select -sum(p.amount)::bigint from posting p where p.cause = 'deposit:' || s.deposit and p.household_id = 0
           and p.account = 'clearing:' || s.gateway) as credited,
       (select min(o.day)::text || case when min(o.day) <> max(o.day) then ' … ' || max(o.day) else '' end
          from statement o where o.gateway = s.gateway and o.deposit = s.deposit) as credited_for,
       (select count(*) from discrepancy d
         where d.day = s.day and d.channel = s.gateway and d.state <> 'cleared') as open
  from statement s
  left join lateral (
    select count(*) filter (where m.verdict = 'matched') as matched,
           sum(coalesce(m.ours, r.amount)) filter (where m.household_id is not null
               and coalesce(r.movement, case split_part(m.cause, ':', 1) when 'refund' then 'refund' else 'payment' end)
                   = 'payment')::bigint as received,
           sum(coalesce(m.ours, r.amount)) filter (where m.household_id is not null
               and coalesce(r.movement, case split_part(m.cause, ':', 1) when 'refund' then 'refund' else 'payment' end)
                   = 'refund' and split_part(m.cause, ':', 3) <> 'listed')::bigint as refunded
      from statement_match m
      left join statement_row r on r.gateway = m.gateway and r.day = m.day and r.row = m.row
     where m.gateway = s.gateway and m.day = s.day) m on true
 where s.day = :day order by s.gateway
""")
_FUNDS = text("""
select coalesce(o.insurance, t.channel, b.channel) as insurance,
       coalesce(o.levy_year, t.levy_year, b.levy_year) as levy_year,
       o.amount as ours, t.amount as treasury, b.amount as bureau, b.persons
  from premiums_of(:day, :day) o
  full join (select channel, levy_year, sum(amount)::bigint as amount from outside_row
              where kind = 'treasury' and part = 'premium' and day = :day group by 1, 2) t
    on t.channel = o.insurance and t.levy_year = o.levy_year
  full join (select channel, levy_year, sum(case part when 'PAY' then amount else -amount end)::bigint as amount,
                    count(*) as persons from outside_row where kind = 'bureau' and day = :day group by 1, 2) b
    on b.channel = coalesce(o.insurance, t.channel) and b.levy_year = coalesce(o.levy_year, t.levy_year)
 order by 1, 2
""")
