"""What everybody was asked for, and who paid in whose place, beside our own reckoning of that moment; what departments
owe for it."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.clock import BEIJING
from tests.simulate.oracle import Findings
from tests.simulate.owed import NOTICES, Item
from tests.simulate.seeded import SECOND

if TYPE_CHECKING:
    from tests.simulate.season import Season


def judge_offices(season: "Season", findings: Findings) -> None:
    """Prices, payers, and whatever each office knows of itself."""
    wrong: dict[str, Any] = {
        "prices: bills of payments": _begun(season),
        "prices: bills of which nothing was due": _free(season),
        "prices: who paid in whose place": _payers(season),
        "prices: what departments owe": _receivable(season),
        "prices: what came back of who is helped": _entitled(season),
    }
    for office in season.offices:
        wrong |= {f"{office.name}: {what}": words for what, words in office.judge().items()}
    for name, words in wrong.items():
        if words:
            findings.broken[name] = f"{len(words)}: {words[0]}"


def _begun(season: "Season") -> list[str]:
    """The items of each payment at what they cost when it began."""
    wrong = []
    for row in season.stage.eye.execute(_OF_PAYMENTS).fetchall():
        wrong += _must(season, row, micros(row.started_at), row.number)
    return wrong


def _free(season: "Season") -> list[str]:
    wrong = []
    for row in season.stage.eye.execute(_FREE).fetchall():
        wrong += _must(season, row, micros(row.settled_at), f"bill {row.id}")
    return wrong


def _must(season: "Season", row: Any, moment: int, what: str) -> list[str]:
    if row.person_id in season.staff.determined:
        return []
    item = Item(row.person_id, row.insurance, row.levy_year, row.tier)
    tries = [one for one in season.starts if one.began <= moment <= one.ended and item in one.owed]
    owed = {one[item] for each in tries for one in (each.owed, each.after)}
    return [] if row.personal_due in owed else [f"{what} {item}: {row.personal_due}, not of {owed}"]


def _payers(season: "Season") -> list[str]:
    """Who stands on a bill that was settled in somebody's place is who had to then."""
    wrong = []
    for row in season.stage.eye.execute(_PAYERS).fetchall():
        said = season.owed.payer_at(row.levy_year, row.person_id, micros(row.at))
        if row.payer.partition(":")[0] not in said or row.amount != NOTICES[row.levy_year].own:
            wrong.append(f"bill {row.id} of {row.person_id}: {row.payer} {row.amount}, not {said}")
    return wrong


def _receivable(season: "Season") -> list[str]:
    """Of each department, for each fund and year: what stands settled in its charge."""
    ours = charged(season)
    theirs = {(row.department, row.levy_year): row.fen for row in season.stage.eye.execute(_OWED).fetchall()}
    return [f"{key}: {theirs.get(key, 0)}, not {ours[key]}" for key in sorted(ours.keys() | theirs.keys())
            if theirs.get(key, 0) != ours[key]]  # fmt: skip


def _entitled(season: "Season") -> list[str]:
    """The rule asks once for who is helped, and for nobody else; of who is helped nothing stays unasked, in time."""
    wrong = []
    for row in season.stage.eye.execute(_ASKED).fetchall():
        helped = season.owed.payer_at(row.levy_year, row.person_id, micros(row.applied_at)) - {None}
        if not helped or row.times > 1 or row.amount != row.personal_due:
            wrong.append(
                f"{row.number} {row.amount} of {row.personal_due} for {row.person_id}, {row.times} times: {helped}"
            )
    return wrong + _not_asked(season)


def _not_asked(season: "Season") -> list[str]:
    """Who is helped, paid at the normal price, and nobody asked it back though there was a morning for it."""
    owed, disputed, wrong = season.owed, set[int]().union(*(each.in_dispute for each in season.offices)), []
    for row in season.stage.eye.execute(_KEPT).fetchall():
        notice, settled = NOTICES[row.levy_year], row.settled_at.astimezone(BEIJING).date()
        if owed.payer(row.levy_year, row.person_id) is None or row.person_id in disputed | season.staff.determined:
            continue
        since = min((at for at, year, who, payer in owed.payers if (year, who) == row[1:3] and payer), default=0)
        at_last = max(day_of(since), settled + timedelta(days=1))
        if settled <= notice.normal_until and at_last < (row.benefit_start or date(row.levy_year, 1, 1)):
            wrong.append(f"bill {row.id} of {row.person_id}, paid on {settled}, helped since {day_of(since)}")
    return wrong


def charged(season: "Season") -> Counter[tuple[str, int]]:
    """Of each department and year, what stands settled in its charge, at the notices' prices."""
    ours: Counter[tuple[str, int]] = Counter()
    for row in season.stage.eye.execute(_CHARGED).fetchall():
        ours[row.department, row.levy_year] += NOTICES[row.levy_year].own
    return ours


def micros(moment: Any) -> int:
    """As the season's clock counts."""
    return round(moment.timestamp() * SECOND)


def day_of(moment: int) -> date:
    """In Beijing."""
    return datetime.fromtimestamp(moment / SECOND, BEIJING).date()


_BILL = "b.id, b.person_id, b.insurance, b.levy_year, b.tier, b.personal_due"
_YEARS_OWN = "b.determination is null and b.raised_from is null"
_OF_PAYMENTS = f"""
select p.number, p.started_at, {_BILL} from payment p join payment_bill pb using (household_id, number)
  join bill b on b.household_id = pb.household_id and b.id = pb.bill_id where {_YEARS_OWN} order by p.number, b.id"""
_FREE = f"select {_BILL}, b.settled_at from bill b where b.settled_by = 'bill:' || b.id || ':settled' and {_YEARS_OWN}"
_PAYERS = """
select b.id, b.person_id, b.levy_year, l.payer, l.amount, coalesce(r.applied_at, b.settled_at) as at
  from bill b join bill_line l on l.household_id = b.household_id and l.bill_id = b.id and l.part = 'gov_substitute'
  left join refund r on r.household_id = b.household_id and b.settled_by = 'refund:' || r.number || ':approved'
 where b.state in ('settled', 'refunded') and b.insurance = 'RES_MEDICAL' order by b.id"""
_CHARGED = """
select split_part(l.payer, ':', 1) as department, b.levy_year from bill b
  join bill_line l on l.household_id = b.household_id and l.bill_id = b.id and l.part = 'gov_substitute'
 where b.state = 'settled' and b.insurance = 'RES_MEDICAL'"""
_OWED = """
select split_part(p.account, ':', 3) as department, b.levy_year, sum(p.amount)::bigint as fen
  from posting p join bill b on b.household_id = p.household_id and b.id = p.item
 where starts_with(p.account, 'receivable:gov_substitute:') and p.item is not null group by 1, 2"""
_KEPT = """
select b.id, b.levy_year, b.person_id, b.settled_at, b.benefit_start from bill b
 where b.state = 'settled' and b.insurance = 'RES_MEDICAL' and b.personal_due > 0 and b.determination is null
   and not exists (select from refund_bill rb where rb.household_id = b.household_id and rb.bill_id = b.id)"""
_ASKED = """
select r.number, r.applied_at, r.amount, b.person_id, b.levy_year, b.personal_due,
       (select count(*) from refund_bill o join refund s using (household_id, number)
         where o.household_id = rb.household_id and o.bill_id = rb.bill_id and s.applied_by = r.applied_by) as times
  from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
 where r.applied_by = 'rule:late_entitlement' and b.determination is null"""
