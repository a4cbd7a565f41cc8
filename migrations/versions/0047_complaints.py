"""Payers' complaints at a gateway: the case, what happened to it, and what we say there."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.create_table(
        "complaint",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=True),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("named", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("their_word", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("waiting", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wants_back", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("refund", sa.Text(), nullable=True),
        sa.Column("seen", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stage in ('open', 'platform', 'done', 'withdrawn', 'unknown')", name=op.f("ck__complaint__stage")
        ),
        sa.CheckConstraint("(payment is null) = (household_id is null)", name=op.f("ck__complaint__household")),
        sa.CheckConstraint("came_at < answer_by and answer_by <= end_by", name=op.f("ck__complaint__clock")),
        sa.PrimaryKeyConstraint("gateway", "number", name=op.f("pk__complaint")),
    )
    op.create_index(op.f("ix__complaint__open"), "complaint", ["end_by"], postgresql_where=sa.text("ended_at is null"))
    op.create_index(op.f("ix__complaint__payment"), "complaint", ["payment"])
    op.create_table(
        "complaint_line",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["gateway", "number"], ["complaint.gateway", "complaint.number"], name="fk__complaint_line__complaint"
        ),
        sa.PrimaryKeyConstraint("gateway", "number", "key", name=op.f("pk__complaint_line")),
    )
    op.create_table(
        "complaint_reply",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("media", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("their_word", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('answer', 'finish', 'agree', 'refuse')", name=op.f("ck__complaint_reply__kind")),
        sa.CheckConstraint(
            "state in ('pending', 'unknown', 'sent', 'confirmed', 'refused')", name=op.f("ck__complaint_reply__state")
        ),
        sa.CheckConstraint(
            "(next_try_at is not null) = (state in ('pending', 'unknown'))", name=op.f("ck__complaint_reply__due")
        ),
        sa.ForeignKeyConstraint(
            ["gateway", "number"], ["complaint.gateway", "complaint.number"], name="fk__complaint_reply__complaint"
        ),
        sa.PrimaryKeyConstraint("gateway", "number", "cause", name=op.f("pk__complaint_reply")),
    )
    op.create_index(
        op.f("ix__complaint_reply__next_try_at"),
        "complaint_reply",
        ["next_try_at"],
        postgresql_where=sa.text("next_try_at is not null"),
    )
    op.create_table(
        "complaint_poll",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("listed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk__complaint_poll")),
    )
    op.create_table(
        "complaint_hint",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "number", name=op.f("pk__complaint_hint")),
    )
