"""Every table we declare, in one place for Alembic and for the comparison with a database."""

from app.access import erasures, handed_in
from app.access import models as access
from app.registry import (
    closings,
    conflicts,
    corrections,
    door_notes,
    elsewhere,
    matters,
    newborns,
    police,
    rosters,
    sponsors,
)
from app.registry import helped_tables as helped
from app.registry import models as registry
from app.registry import year_tables as years
from core.db import Table
from notifications import models as notices
from payments import proofs
from payments.cash import tables as cash
from payments.complaints import tables as complaints
from payments.demands import tables as demands
from payments.ledger import models as ledger
from payments.ledger import seal_tables as seals
from payments.pledges import tables as pledges
from payments.reconcile import statement_tables as statements
from payments.reconcile import tables as reconciliation
from payments.refunds import tables as refunds
from payments.taking import tables as payments
from payments.truths import tables as checks

# Importing them declares their tables.
ROOMS = (
    registry,
    matters,
    newborns,
    corrections,
    door_notes,
    elsewhere,
    police,
    conflicts,
    rosters,
    closings,
    years,
    helped,
    access,
    erasures,
    handed_in,
    ledger,
    seals,
    payments,
    refunds,
    pledges,
    cash,
    sponsors,
    statements,
    reconciliation,
    demands,
    checks,
    proofs,
    complaints,
    notices,
)
TABLES = Table.metadata


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    """Tables of the job queue, of Alembic, of the upgrade itself and beside those an import fills are not declared."""
    return not (kind == "table" and (name or "").startswith(("procrastinate_", "alembic_", "deployed", "new_")))
