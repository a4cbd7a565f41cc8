"""What a superuser changes is missed: a closed day's digest says more, the register has a trail, kept rows a count."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    # Days closed before keep their digest; those after say who closed them, and whose bills and refunds they are.
    op.add_column("sealed_day", sa.Column("version", sa.SmallInteger(), server_default="1", nullable=False))
    op.alter_column("sealed_day", "version", server_default="2")
    op.create_table(
        "register_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("columns", ARRAY(sa.Text()), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__register_change")),
    )
    op.create_index(op.f("ix__register_change__key"), "register_change", ["of", "key"])
    op.create_index(op.f("ix__register_change__cause"), "register_change", ["cause"])
    op.create_table(
        "trail_key",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck__trail_key__one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__trail_key")),
    )
    op.execute(
        "insert into trail_key (key) values (sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid()), 'UTF8')))"
    )
    op.create_table(
        "kept_day",
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("of", "day", name=op.f("pk__kept_day")),
    )
