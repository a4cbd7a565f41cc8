"""Bills of departments: what they owe in people's place, line by line, and what came for it; a line of the bank's or
the treasury's file may name one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Engine

from migrations.slowly import build_index

revision = "0078"
down_revision = "0077"
STEP = "expand"

_INDEX = "ix__posting__substitutes"
_ON = "posting (household_id, item) where item is not null and starts_with(account, 'receivable:gov_substitute:')"


def beforehand(engine: Engine) -> None:
    """What departments owe is found without reading the book from end to end."""
    build_index(engine, _INDEX, _ON)


def upgrade() -> None:
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if to_regclass('{_INDEX}') is null then create index {_INDEX} on {_ON}; end if; end $$"
    )
    op.add_column("outside_row", sa.Column("demand", sa.Text(), server_default="", nullable=False))
    _demand()
    op.create_table(
        "demand_line",
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck__demand_line__amount")),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk__demand_line__demand_id")),
        sa.PrimaryKeyConstraint("demand_id", "no", name=op.f("pk__demand_line")),
        sa.UniqueConstraint("household_id", "cause", "line", name="uq__demand_line__posting"),
    )
    op.create_table(
        "demand_payment",
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck__demand_payment__amount")),
        sa.CheckConstraint(
            "way in ('paid', 'passed') and kind in ('bank', 'treasury')", name=op.f("ck__demand_payment__way")
        ),
        sa.CheckConstraint("way = 'paid' or kind = 'treasury'", name=op.f("ck__demand_payment__passed")),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"], name=op.f("fk__demand_payment__demand_id")),
        sa.PrimaryKeyConstraint("demand_id", "kind", "serial", "way", name=op.f("pk__demand_payment")),
    )
    op.create_index("ix__demand_payment__serial", "demand_payment", ["kind", "serial"], unique=False)


def _demand() -> None:
    op.create_table(
        "demand",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0 and paid between 0 and amount", name=op.f("ck__demand__amounts")),
        sa.CheckConstraint(
            "state = case paid when 0 then 'OPEN' when amount then 'PAID' else 'PARTLY_PAID' end",
            name=op.f("ck__demand__state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__demand")),
        sa.UniqueConstraint("number", name=op.f("uq__demand__number")),
    )
    op.create_index("ix__demand__whose", "demand", ["department", "levy_year", "fund"], unique=False)
