"""Agreeing to a proposal names what was seen; payments whose money was solved as unconfirmed have ended."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute("drop function if exists suspense_apply(bigint, text, text, timestamptz, date)")
    op.execute(
        "update payment p set state = 'closed' from suspense s where s.household_id = p.household_id"
        " and s.number = p.number and s.gateway = p.gateway and s.doubt = 'unconfirmed' and s.solved_at is not null"
        " and p.state in ('created', 'pending', 'unknown', 'closing')"
    )
