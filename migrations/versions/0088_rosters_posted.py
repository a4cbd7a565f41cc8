"""Rosters that hang in their villages, what is objected to, and what is changed."""

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
STEP = "expand"

_OBJECTION = {
    "state": "state in ('RAISED', 'ACCEPTED', 'REFUSED')",
    "answered": "(state = 'RAISED') = (answered_by is null)",
    "answered_at": "(answered_by is null) = (answered_at is null)",
    "told": "told_at is null or answered_at is not null",
    "two_people": "answered_by <> by",
}


def upgrade() -> None:
    op.create_table(
        "roster_posting",
        *_key(),
        sa.Column("agent_id", sa.BigInteger(), nullable=False),
        *(_moment(name) for name in ("posted_at", "starts_at", "ends_at")),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "starts_at > posted_at and ends_at = starts_at + interval '72 hours'",
            name=op.f("ck__roster_posting__three_days"),
        ),
        _version("roster_posting"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk__roster_posting__agent_id")),
        sa.PrimaryKeyConstraint("roster_id", "no", name=op.f("pk__roster_posting")),
    )
    op.create_table(
        "roster_change",
        *_key(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *_texts("what", "why", "masked"),
        sa.CheckConstraint("what in ('added', 'removed')", name=op.f("ck__roster_change__what")),
        sa.PrimaryKeyConstraint("roster_id", "no", "person_id", name=op.f("pk__roster_change")),
    )
    op.create_table(
        "roster_objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        *_key(),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        *_texts("by"),
        _moment("at"),
        *_texts("owner"),
        sa.Column("due_on", sa.Date(), nullable=False),
        _moment("kept_from"),
        *_texts("state"),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        _moment("answered_at", nullable=True),
        sa.Column("told_by", sa.Text(), nullable=True),
        _moment("told_at", nullable=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck__roster_objection__{name}")) for name, rule in _OBJECTION.items()),
        _version("roster_objection"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__roster_objection")),
    )
    op.create_index("ix__roster_objection__roster_id", "roster_objection", ["roster_id"])
    op.create_index(
        "ix__roster_objection__owner", "roster_objection", ["owner"], postgresql_where=sa.text("told_at is null")
    )


def _version(table: str) -> sa.ForeignKeyConstraint:
    columns = ["roster_version.roster_id", "roster_version.no"]
    return sa.ForeignKeyConstraint(["roster_id", "no"], columns, name=op.f(f"fk__{table}__roster_id_no"))


def _key() -> list[sa.Column]:
    return [
        sa.Column("roster_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
    ]


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
