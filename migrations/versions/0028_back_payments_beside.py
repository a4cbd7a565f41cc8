"""A back-payment is an item beside the year's premium: its bill names its determination and has its own years."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_STANDING = "state not in ('withdrawn', 'refunded')"


def upgrade() -> None:
    op.add_column("bill", sa.Column("determination", sa.BigInteger(), nullable=True))
    op.add_column("bill", sa.Column("years", sa.ARRAY(sa.SmallInteger()), nullable=True))
    # Every bill of a back-payment was issued for one that was approved: the one of its amount, else the latest.
    op.execute("alter table bill disable trigger user")
    op.execute(
        "update bill b set determination = d.id, years = d.years from bill same cross join lateral ("
        "   select d.id, d.years from determination d where d.person_id = same.person_id"
        "      and d.insurance = same.insurance and d.levy_year = same.levy_year and d.state = 'approved'"
        "      and d.kind in ('policy_backpay', 'interrupted_backpay')"
        "    order by coalesce(d.amount = same.total, false) desc, d.id desc limit 1) d"
        " where same.reason_code = 'BACKPAY_APPROVED' and (same.household_id, same.id) = (b.household_id, b.id)"
    )
    op.execute("alter table bill enable trigger user")
    op.create_check_constraint(op.f("ck__bill__years"), "bill", "determination is not null or years is null")
    op.drop_index("uq__bill__levy_item", table_name="bill")
    op.create_index(
        "uq__bill__levy_item",
        "bill",
        ["person_id", "insurance", "levy_year", sa.text("coalesce(determination, 0)")],
        unique=True,
        postgresql_where=sa.text(_STANDING),
    )
