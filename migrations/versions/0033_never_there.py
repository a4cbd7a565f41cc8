"""What their list said and says no more: a refund by hand that was booked back, money that is there again."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

# Compared anew: days of refunds by hand, whose line may be gone; of what could not be booked back out of suspense.
ANEW = """
update statement s set matched_at = null
 where state <> 'waiting' and (exists (
   select from unasked_refund u join entry e using (household_id, cause)
    where u.gateway = s.gateway and (e.happened_at at time zone 'Asia/Shanghai')::date = s.day)
  or exists (
   select from discrepancy d where d.books = 'channel' and d.channel = s.gateway and d.day = s.day
      and d.note = 'vanished' and d.state = 'open'))
"""


def upgrade() -> None:
    op.add_column("unasked_refund", sa.Column("booked_back", sa.Text(), nullable=True))
    op.drop_constraint(op.f("ck__suspense_step__word"), "suspense_step")
    op.create_check_constraint(
        op.f("ck__suspense_step__word"),
        "suspense_step",
        "word in ('taken', 'kept', 'proposed', 'applied', 'given_back', 'there_again', 'never_there')",
    )
    op.drop_constraint(op.f("ck__suspense__solutions"), "suspense")
    op.create_check_constraint(
        op.f("ck__suspense__solutions"), "suspense", "solution in ('applied', 'given_back', 'never_there')"
    )
    op.execute(ANEW)
