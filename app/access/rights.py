"""Who had which right at a moment, told by the trail alone: who was given an account, a role, a village, and who lost
it. Nothing here writes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, text


def standing_at(connection: Connection, until: datetime) -> Sequence[Row]:
    """Every account that was there before a moment (system clock): `whose` (staff:<login>, agent:<login>), `since` and
    `by` of its last beginning, None for one that was there before the trail was kept, `active`, `role` as the trail
    writes it (role, and its towns or departments), `villages`, the name as it is sealed now."""
    return connection.execute(_STANDING, {"until": until}).all()


_STANDING = text("""
with told as (
  select id, about as whose, what, words, at, by from act
   where (starts_with(about, 'staff:') or starts_with(about, 'agent:'))
     and what in ('account', 'removed', 'disabled', 'enabled', 'role', 'village')
), account as (
  select 'staff:' || login as whose, name, active,
         concat_ws(' ', role, nullif(towns::text, '{}'), nullif(departments::text, '{}')) as role,
         '{}'::text[] as villages
    from staff
  union all
  select 'agent:' || login, name, active, 'agent',
         array(select village_code from agent_village v where v.agent_id = agent.id order by 1)
    from agent
), began as (
  select distinct on (whose) whose, id, at, by from told
   where what = 'account' and at < :until order by whose, id desc
), since as (  -- its last beginning: the login may have been somebody else's before
  select told.* from told join began using (whose) where told.id >= began.id and told.at < :until
), state as (
  select distinct on (whose) whose, what from since where what not in ('role', 'village') order by whose, id desc
), role as (
  select distinct on (whose) whose, words from since where what = 'role' order by whose, id desc
), place as (
  select distinct on (whose, split_part(words, ' ', 2)) whose, split_part(words, ' ', 2) as code,
         starts_with(words, 'delete') as gone
    from since where what = 'village' order by whose, split_part(words, ' ', 2), id desc
)
select b.whose, b.at as since, b.by, s.what not in ('disabled', 'removed') as active,
       coalesce(r.words, 'agent') as role,
       array(select code from place p where p.whose = b.whose and not p.gone order by code) as villages, a.name
  from began b join state s using (whose) left join role r using (whose) left join account a using (whose)
union all
select a.whose, null, '', a.active, a.role, a.villages, a.name
  from account a where not exists (select from told where told.whose = a.whose and told.what = 'account')
 order by 1
""")
