"""The functions, guards and grants of the database: files of SQL that stand with the code that calls them, applied in
this order, unit by unit. Each can be applied again; a function is made before another's body is checked against it, and
before anything that already serves calls it: while an upgrade runs, so does all else."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

TRIGGER = re.compile(r"create (?:constraint )?trigger (\w+)\s.*?\bon (\w+)\b", re.DOTALL)  # (its name, its table)
_ROOT = Path(__file__).parents[1]
ORDER = (
    "core/sealed.sql",
    "payments/ledger/ledger.sql",
    "payments/pledges/pledge.sql",
    "payments/taking/payment.sql",
    "payments/taking/pause.sql",
    "app/registry/determination.sql",
    "app/registry/permit.sql",
    "app/registry/register.sql",
    "app/registry/facts.sql",
    "payments/taking/begin.sql",
    "app/flows/pay/meet.sql",
    "payments/taking/take_outcome.sql",
    "notifications/notice.sql",
    "payments/taking/collect.sql",
    "payments/refunds/refund.sql",
    "payments/refunds/number.sql",
    "payments/refunds/steps.sql",
    "payments/refunds/paid.sql",
    "payments/refunds/tell.sql",
    "payments/suspense/suspense.sql",
    "payments/withdraw.sql",
    "payments/complaints/complaint.sql",
    "payments/reconcile/lines.sql",
    "payments/reconcile/refunds.sql",
    "payments/reconcile/compare.sql",
    "payments/reconcile/unasked.sql",
    "payments/reconcile/discrepancy.sql",
    "payments/demands/demand.sql",
    "payments/cash/cash.sql",
    "payments/reconcile/outside.sql",
    "payments/ledger/seal.sql",
    "payments/reconcile/pos.sql",
    "app/access/access.sql",
    "app/access/glass.sql",
    "app/registry/bureau.sql",
    "app/registry/newborn.sql",
    "app/access/phone.sql",
    "app/access/office.sql",
    "app/access/agents.sql",
    "app/flows/cases/matter.sql",
    "app/flows/cases/elsewhere.sql",
    "app/flows/conflicts/conflict.sql",
    "app/registry/joining.sql",
    "app/registry/year.sql",
    "app/flows/helped/helped.sql",
    "app/flows/helped/bills.sql",
    "app/flows/sponsor/sponsor.sql",
    "app/access/erasure.sql",
    "app/access/trail.sql",
    "app/access/retention.sql",
    "app/access/scope.sql",
    "app/flows/roster/roster.sql",
    "app/flows/roster/post.sql",
    "app/flows/roster/draw.sql",
    "app/flows/roster/collect.sql",
    "app/flows/roster/closing.sql",
    "app/flows/custody/custody.sql",
    "migrations/grants.sql",
)


def files() -> Sequence[str]:
    """What each says, in their order."""
    return [(_ROOT / name).read_text(encoding="utf-8") for name in ORDER]


def units() -> Iterator[str]:
    """What is applied together, in order: each file up to an empty line that stands in no body; but the grants, which
    are taken away before they are given, as one."""
    for written in files()[:-1]:
        unit, bodies = list[str](), 0
        for line in (*written.splitlines(), ""):
            bodies += line.count("$$")
            if line or bodies % 2:
                unit.append(line)
            elif any(not said.startswith("--") for said in unit):
                yield "\n".join(unit)
                unit = []
    yield grants()


@cache
def digest() -> str:
    """What they hash to together, as this process found them."""
    return sha256("".join(files()).encode()).hexdigest()


def grants() -> str:
    """What the last one says: who may do what."""
    return files()[-1]
