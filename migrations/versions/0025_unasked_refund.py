"""Refunds made by hand at a gateway, with the receipt they gave back of; receipts of POS terminals by their number."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

KNOWN = """
insert into unasked_refund (household_id, cause, gateway, number, reference, receipt, amount)
  select distinct on (e.household_id, e.cause) e.household_id, e.cause, split_part(e.cause, ':', 2),
         coalesce(r.refund_number, ''), coalesce(r.refund_reference, ''),
         'receipt:' || r.gateway || ':' || nullif(r.reference, ''), p.amount
    from entry e
    join posting p on p.household_id = e.household_id and p.cause = e.cause and p.amount > 0
    left join statement_row r on r.movement = 'refund' and r.gateway = split_part(e.cause, ':', 2)
     and coalesce(nullif(r.refund_reference, ''), r.refund_number) = split_part(e.cause, ':', 3)
   where e.cause like 'refund:%:unasked'
"""


def upgrade() -> None:
    op.create_table(
        "unasked_refund",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck__unasked_refund__amount")),
        sa.ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__unasked_refund__entry"
        ),
        sa.PrimaryKeyConstraint("household_id", "cause", name=op.f("pk__unasked_refund")),
    )
    op.get_bind().exec_driver_sql(KNOWN.replace("%", "%%"))
    op.create_index(
        "ix__entry__pos", "entry", ["cause"], postgresql_where=sa.text("starts_with(cause, 'receipt:ccb_pos:')")
    )
