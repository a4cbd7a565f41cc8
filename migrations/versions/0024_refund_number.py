"""Every number a refund was ever sent under, and refunds on their lists found by day."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

KNOWN = """
insert into refund_number (household_id, sent_as, number, ordered_at)
  select household_id, number, number, ordered_at from refund
  union select household_id, sent_as, number, ordered_at from refund;
update refund_number n
   set reference = r.refund_reference, booked = e.cause, done_at = e.happened_at
  from refund r left join entry e on e.household_id = r.household_id
   and e.cause in ('refund:' || r.number || ':paid', 'refund:' || r.number || ':twice')
 where n.household_id = r.household_id and n.sent_as = r.sent_as;
-- What was compared by other rules, or before the list that is there now, is compared anew.
update statement s set matched_at = null
 where matched_at < fetched_at or exists (
   select from discrepancy d where d.books = 'channel' and d.channel = s.gateway and d.day = s.day
      and d.what = 'refund' and d.state <> 'cleared');
drop function if exists by_hand(text, text, text);
drop function if exists refund_by_hand(text, date, int, date);
drop function if exists unhealed(text, date);
"""


def upgrade() -> None:
    op.create_table(
        "refund_number",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_as", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("booked", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(booked is null) = (done_at is null)", name=op.f("ck__refund_number__booked")),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_number__refund"
        ),
        sa.ForeignKeyConstraint(
            ["household_id", "booked"], ["entry.household_id", "entry.cause"], name="fk__refund_number__entry"
        ),
        sa.PrimaryKeyConstraint("household_id", "sent_as", name=op.f("pk__refund_number")),
    )
    op.create_index("ix__refund_number__done_at", "refund_number", ["done_at"])
    op.create_index(
        "ix__statement_row__refund",
        "statement_row",
        ["gateway", "day"],
        postgresql_where=sa.text("movement = 'refund'"),
    )
    op.get_bind().exec_driver_sql(KNOWN)
