"""What must be true of each levy year by itself when a season of two is over: the far side's trades and the book,
divided by our own reckoning of who asked for which year."""

from collections import Counter

from tests.simulate.oracle import Findings
from tests.simulate.owed import Item, whole
from tests.simulate.two_years import FORMER, NEWEST, TwoYears, former_of

LISTS_OF_FORMER = 2  # the place of its categories in what was set down


def judge_years(season: TwoYears, findings: Findings) -> None:
    """Every act under the year it was for, at that year's price, fen by fen; what was said of one year is not of the
    other."""
    wrong = {
        "what was seen and said at once": season.wrong,
        "a payment's bills are those asked for": _bills(season),
        "money that came, by year": _came(season),
        "money given back, by year": _went(season),
        "funds by year": _funds(season),
        "given back by a list of that year only": _lists(season),
        "2022's register is what it was": _register(season),
    }
    for name, words in wrong.items():
        if words:
            findings.broken[f"years: {name}"] = f"{len(words)}: {words[0]}"


def _bills(season: TwoYears) -> list[str]:
    """Payments of which a phone saw the code: their items, one by one."""
    found = _bills_of_payments(season)
    return [
        f"{number} {found.get(number)} {items}" for number, items in season.asked.items() if found.get(number) != items
    ]


def _bills_of_payments(season: TwoYears) -> dict[str, dict[Item, int]]:
    found: dict[str, dict[Item, int]] = {}
    for row in season.stage.eye.execute(_OF_PAYMENTS).fetchall():
        item = Item(row.person_id, row.insurance, row.levy_year, row.tier)
        found.setdefault(row.number, {})[item] = row.personal_due
    return found


def _came(season: TwoYears) -> list[str]:
    """The far side's trades, divided by what was asked for; the book's receipts by the year of the bill."""
    states = dict(tuple(row) for row in season.stage.eye.execute("select number, state from payment").fetchall())
    bills = _bills_of_payments(season)
    tried = [{item: fen for item, fen in owed.items() if fen} for tries in season.tries.values() for owed in tries]
    theirs: Counter[int] = Counter()
    for trade in season.stage.far.world.trades.paid():
        number = trade["number"]
        if states.get(number) == "paid":  # of one nobody heard the number: paid while it was being closed
            unheard = next((owed for owed in tried if owed == bills.get(number)), {})
            for item, fen in season.asked.get(number, unheard).items():
                theirs[item.year] += fen
    return _differing(theirs, season.stage.eye.execute(_RECEIVED).fetchall())


def _went(season: TwoYears) -> list[str]:
    """What each refund gave back is what was asked for its items; nothing stays of one, or all that a list spares."""
    wrong = []
    for row in season.stage.eye.execute(_GIVEN).fetchall():
        item = Item(row.person_id, row.insurance, row.levy_year, row.tier)
        fen = season.asked.get(row.payment, {}).get(item)
        if fen is None or fen != row.went:
            wrong.append(f"{row.number} {item} {row.went} of {fen}")
    sums = season.stage.eye.execute(_SUMS).fetchall()
    return wrong + [f"{row.number} {row.amount} is not {row.went}" for row in sums if row.amount != row.went]


def _funds(season: TwoYears) -> list[str]:
    """fund:<insurance>:<year> is what stands settled, at the notices' prices."""
    ours: Counter[str] = Counter()
    for row in season.stage.eye.execute(_STANDING).fetchall():
        ours[f"fund:{row.insurance}:{row.levy_year}"] -= whole(
            Item(row.person_id, row.insurance, row.levy_year, row.tier)
        )
    return _differing(ours, season.stage.eye.execute(_FUNDS).fetchall())


def _lists(season: TwoYears) -> list[str]:
    """Of 2022 whom its list and the bureau spare, of 2023 whom its list spares: they, all of them, and nobody else but
    whom a department's list helps (`prices` judges them)."""
    owed = season.owed
    spared = {
        FORMER: owed.spared.get(FORMER, set()) & owed.listed[FORMER],
        NEWEST: owed.listed[NEWEST],
    }
    rows = season.stage.eye.execute(_BY_LIST).fetchall()
    wrong = [f"{row}" for row in rows if row.person_id not in spared[row.levy_year]
             and (row.levy_year, row.person_id) not in owed.helped]  # fmt: skip
    disputed = set[int]().union(*(office.in_dispute for office in season.offices))  # `prices` judges those
    left = season.stage.eye.execute(_NOT_GIVEN).fetchall()
    return wrong + [f"nothing goes back of {row}" for row in left if row.person_id in spared[row.levy_year] - disputed]


def _register(season: TwoYears) -> list[str]:
    """Nothing but 2022's own list has changed it."""
    people, enrolments, lists = former_of(season.stage)
    assert isinstance(lists, list)
    before = [*season.set_down]
    before[LISTS_OF_FORMER] = sorted(
        {*before[LISTS_OF_FORMER]} | {repr((who, "RES_MEDICAL", "DIBAO")) for who in season.owed.listed[FORMER]}  # type: ignore[misc]
    )
    born = tuple(f"({row}," for child in season.newborns.children for row in child.rows)
    pairs = zip((people, enrolments, lists), before, strict=True)
    old = [([each for each in is_ if not each.startswith(born)], [each for each in was if not each.startswith(born)])
           for is_, was in pairs]  # fmt: skip
    return [f"{is_} was {was}" for is_, was in old if is_ != was]


def _differing(ours: Counter[int] | Counter[str], rows: list) -> list[str]:
    booked = Counter({row.what: row.fen for row in rows})
    return [
        f"{key}: {booked[key]} is not {ours[key]}" for key in booked.keys() | ours.keys() if booked[key] != ours[key]
    ]


_OF_PAYMENTS = """
select pb.number, b.person_id, b.insurance, b.levy_year, b.tier, b.personal_due
  from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"""
_RECEIVED = """
select b.levy_year as what, sum(p.amount)::bigint as fen
  from posting p join bill b on b.household_id = p.household_id and b.id = p.item
 where p.cause like 'receipt:%' and p.account like 'clearing:%' group by 1"""
_GIVEN = """
select r.number, r.payment, b.person_id, b.insurance, b.levy_year, b.tier, b.personal_due as went
  from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id
 where r.state = 'paid' and r.gateway <> 'none'"""  # of what others paid whole nobody gets any
_SUMS = """
select r.number, r.amount, sum(b.personal_due)::bigint as went
  from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id where r.state = 'paid' group by 1, 2"""
_STANDING = "select person_id, insurance, levy_year, tier from bill where state = 'settled'"
_FUNDS = """
select account as what, sum(amount)::bigint as fen from posting where account like 'fund:%' group by 1"""
_BY_LIST = """
select b.person_id, b.levy_year, r.number from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id where r.why = 'late_entitlement'"""
_NOT_GIVEN = """
select b.person_id, b.levy_year, b.id from bill b
 where b.state = 'settled' and b.insurance = 'RES_MEDICAL' and b.personal_due > 0
   and not exists (select from refund_bill rb where rb.household_id = b.household_id and rb.bill_id = b.id)"""
