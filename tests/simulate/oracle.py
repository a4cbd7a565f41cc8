"""What must be true when a season is over, judged by the far side's own list of trades and refunds, and by the book's
own rules. The far side's list is the oracle: a handler that drops money breaks no rule of the book (reliability)."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from core.clock import business_day
from payments.truths.invariants import INVARIANTS
from payments.truths.invariants import look as watch
from tests.simulate.checks import ALWAYS, AT_THE_END
from tests.simulate.stage import Stage

OF_PEOPLE = ("INV-19",)  # how soon people work through what waits for them is not simulated
_BOOKED = """
select split_part(cause, ':', 2) as gateway, split_part(cause, ':', 3) as reference, cause,
       sum(amount)::bigint as amount, count(distinct household_id) as households
  from posting where cause like 'receipt:%' and account like 'clearing:%' group by cause"""
_GIVEN_BACK = """
select r.payment, -p.amount as amount from refund r join posting p on p.household_id = r.household_id
   and p.cause = 'refund:' || r.number || ':paid' and p.account like 'clearing:%'
union all
select 'by hand', -amount from posting where cause like 'refund:wechat:%:unasked' and account = 'clearing:wechat'"""
_DUMP = {
    "entry": "household_id, cause, booked_on, happened_at",
    "posting": "household_id, cause, line, account, amount, item",
    "bill": "household_id, id, person_id, insurance, tier, total, personal_due, state, settled_by, settled_at",
    "payment": "household_id, number, gateway, kind, amount, state, reference, started_at, expires_at, paid_at",
    "refund": "household_id, number, receipt, amount, state, sent_as, decided_by, paid_at, refund_reference, queries",
    "suspense": "household_id, cause, doubt, owner, gateway, number, amount, solved_at",
    "notice": "household_id, cause, kind, rank",
    "received": "household_id, id, gateway, event_id, number, verdict, result",
    "helped_category": "person_id, levy_year, code, batch_id, no",
    "special_row": "batch_id, no, state, code",
    "police_word": "person_id, code, day, stands",
    "conflict": "person_id, kind, state, decided_at, word",
    "paid_elsewhere": "person_id, levy_year, back_at",
    "pledge": "number, state, taken, spoken, back",
    "pledge_share": "pledge_id, amount, state",
    "newborn": "requested_by, state, person_id",
    "joining": "person_id, other_id, state, kept_id",
    "demand": "number, amount, paid, state",
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
    compare(stage, findings)
    look(stage, findings, ALWAYS | AT_THE_END)


def compare(stage: Stage, findings: Findings) -> None:
    """Our receipts and refunds with the far side's lists, fen by fen."""
    _compare_receipts(stage, findings)
    _compare_refunds(stage, findings)


def look(stage: Stage, findings: Findings, checks: dict[str, str], when: str = "") -> None:
    """Every check that has rows, with the first."""
    for name, statement in checks.items():
        if rows := stage.eye.execute(statement).fetchall():
            findings.broken[f"{when}{name}"] = f"{len(rows)}: {rows[0]}"
    wanted = [truth for number, truth in INVARIANTS.items() if number not in OF_PEOPLE]
    with stage.parts.reading() as connection:
        for found in watch(connection, wanted, wall=stage.clock.now(), today=business_day(stage.clock.now())):
            if found.rows:
                findings.broken[f"{when}{found.number} {found.title}"] = f"{found.rows}: {found.sample[0]}"
    stage.parts.engine.dispose()  # processes are forked from this one: it keeps no connection


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
    theirs: Counter[tuple[str, int]] = Counter(
        ("by hand" if number.startswith("HAND") else payment, amount) for (payment, number), amount in there.items()
    )
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
