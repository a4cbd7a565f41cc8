"""What must be true when a season is over, judged by the far side's own list of trades and refunds, and by the book's
own rules. The far side's list is the oracle: a handler that drops money breaks no rule of the book (reliability)."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.simulate.stage import Stage

CHECKS = {  # each returns no row
    "the book is balanced": "select sum(amount) from posting having sum(amount) <> 0",
    "every entry balances": "select cause from posting group by household_id, cause having sum(amount) <> 0 or count(*) < 2",
    "every entry has its postings": "select cause from entry e where not exists (select from posting p where"
    " p.household_id = e.household_id and p.cause = e.cause)",
    "a bill is paid at most once": "select item from posting p where item is not null and account like 'clearing:%'"
    " and cause like 'receipt:%' group by household_id, item having count(*) > 1 + (select count(*) from refund_bill r"
    " join refund f using (household_id, number) where r.household_id = p.household_id and r.bill_id = p.item and r.live"
    " and f.state in ('approved', 'paying', 'paid', 'abnormal', 'failed'))",
    "a settled bill names its entry": "select b.id from bill b where b.state in ('settled', 'refunded') and not exists"
    " (select from entry e where e.household_id = b.household_id and e.cause = b.settled_by)",
    "no open payment without its question": "select number from payment where state in ('created', 'pending', 'unknown',"
    " 'closing') and next_query_at is null",
    "no refund under way without its question": "select number from refund where state in ('approved', 'paying') and"
    " next_query_at is null",
    "no live payment on a bill that is settled by another": "select pb.number from payment_bill pb join bill b on"
    " b.household_id = pb.household_id and b.id = pb.bill_id where pb.live and b.state = 'settled' and not exists"
    " (select from payment p where p.household_id = pb.household_id and p.number = pb.number and p.state in ('pending',"
    " 'unknown', 'closing', 'created'))",
    "no message that could not be applied": "select id from received where result like 'failed%'",
    "every doubt has an owner": "select cause from suspense where owner = ''",
    "one notice for each payment that settled": "select number from payment p where state in ('paid', 'surplus') and"
    " memo ? 'notice' and (select count(*) from notice n where n.household_id = p.household_id and n.cause ="
    " 'payment:' || p.number || ':' || p.state) <> 1",
    "no notice for a payment that did not": "select cause from notice n where cause like 'payment:%' and not exists"
    " (select from payment p where p.household_id = n.household_id and n.cause = 'payment:' || p.number || ':' ||"
    " p.state)",
}
AT_THE_END = {  # true once everything has come to its end
    "no open payment": "select number from payment where state in ('created', 'pending', 'unknown', 'closing') and not"
    " exists (select from suspense s where s.household_id = payment.household_id and s.number = payment.number)",
    "no refund under way": "select number from refund where state in ('approved', 'paying')",
    "surplus asked for": "select cause from suspense s where doubt = 'surplus' and not exists (select from refund r where"
    " r.household_id = s.household_id and r.receipt = s.cause)",
    "every notice was sent or given up": "select cause from notice where rank < 2",
    "nothing rests among the refunds but what a person must look at": "select gateway from (select split_part(account,"
    " ':', 2) as gateway, -sum(amount) as owed from posting where account like 'refunds:%' group by 1) b where owed <>"
    " coalesce((select sum(amount) from refund r where r.gateway = b.gateway and r.state in ('abnormal', 'failed')), 0)",
}
_BOOKED = """
select split_part(cause, ':', 2) as gateway, split_part(cause, ':', 3) as reference, cause,
       sum(amount)::bigint as amount, count(distinct household_id) as households
  from posting where cause like 'receipt:%' and account like 'clearing:%' group by cause"""
_GIVEN_BACK = """
select r.payment, -p.amount as amount from refund r join posting p on p.household_id = r.household_id
   and p.cause = 'refund:' || r.number || ':paid' and p.account like 'clearing:%'"""
_OTHERS = """
select cause from posting where account ~ '^clearing:(wechat|alipay|unionpay)$'
   and cause !~ '^(receipt|refund):'"""
_DUMP = {
    "entry": "household_id, cause, booked_on, happened_at",
    "posting": "household_id, cause, line, account, amount, item",
    "bill": "household_id, id, person_id, insurance, tier, total, personal_due, state, settled_by, settled_at",
    "payment": "household_id, number, gateway, kind, amount, state, reference, started_at, expires_at, paid_at, queries",
    "refund": "household_id, number, receipt, amount, state, sent_as, decided_by, paid_at, refund_reference, queries",
    "suspense": "household_id, cause, doubt, owner, gateway, number, amount, solved_at",
    "notice": "household_id, cause, kind, rank",
    "received": "household_id, id, gateway, event_id, number, verdict, result",
    "statement": "gateway, day, state, tries, lines, received, refunded, fee",
}


@dataclass
class Findings:
    """Fen that do not agree with the far side's lists, and checks that returned rows, with the first of them."""

    lost: int = 0
    doubled: int = 0
    invented: int = 0
    refunds_off: int = 0
    unbooked_after_grace: int = 0  # payments, two minutes after the last fault
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled or invented, and no check has anything to say."""
        return not (self.lost or self.doubled or self.invented or self.refunds_off or self.broken)


def judge(stage: Stage, findings: Findings) -> None:
    """After everything has come to its end."""
    _compare_receipts(stage, findings)
    _compare_refunds(stage, findings)
    look(stage, findings, CHECKS | AT_THE_END)
    if others := stage.eye.execute(_OTHERS).fetchall():
        findings.broken["nothing else in clearing"] = str(others[0])


def look(stage: Stage, findings: Findings, checks: dict[str, str], when: str = "") -> None:
    """Every check that has rows, with the first."""
    for name, statement in checks.items():
        if rows := stage.eye.execute(statement).fetchall():
            findings.broken[f"{when}{name}"] = f"{len(rows)}: {rows[0]}"


def unbooked(stage: Stage) -> int:
    """Trades paid there of which our book knows nothing."""
    booked = {(row.gateway, row.reference) for row in stage.eye.execute(_BOOKED).fetchall()}
    return sum((trade["gateway"], trade["reference"]) not in booked for trade in stage.far.world.trades.paid())


def _compare_receipts(stage: Stage, findings: Findings) -> None:
    theirs = {(one["gateway"], one["reference"]): one["amount"] for one in stage.far.world.trades.paid()}
    booked: Counter[tuple[str, str]] = Counter()
    for row in stage.eye.execute(_BOOKED).fetchall():
        booked[row.gateway, row.reference] += row.amount
        if row.households > 1:
            findings.doubled += row.amount
    for key in theirs.keys() | booked.keys():
        more = booked[key] - theirs.get(key, 0)
        if key not in theirs:
            findings.invented += booked[key]
        elif more > 0:
            findings.doubled += more
        else:
            findings.lost -= more


def _compare_refunds(stage: Stage, findings: Findings) -> None:
    there = Counter(
        {
            (trade["number"], place): refund["amount"]
            for trade, refund in stage.far.world.trades.refunds()
            if refund["state"] == "SUCCESS"
            for place in [refund["number"]]
        }
    )
    theirs: Counter[tuple[str, int]] = Counter((payment, amount) for (payment, _), amount in there.items())
    ours = Counter((row.payment, row.amount) for row in stage.eye.execute(_GIVEN_BACK).fetchall())
    findings.refunds_off += sum(amount * times for (_, amount), times in ((theirs - ours) + (ours - theirs)).items())


def fingerprint(stage: Stage) -> str:
    """Of every step and of every row about money: two runs of one seed have the same."""
    digest = sha256(stage.digest.digest())
    for table, columns in _DUMP.items():
        rows: list[Any] = stage.eye.execute(f"select {columns} from {table}").fetchall()
        for row in sorted(map(repr, map(tuple, rows))):
            digest.update(row.encode())
    return digest.hexdigest()
