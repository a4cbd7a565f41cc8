"""Whoever stands under a birth certificate comes to stand under his identity number, by two people."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0085"
STEP = "expand"

_CHECKS = {
    "state": "state in ('offered', 'asked', 'done', 'refused', 'withdrawn')",
    "sex": "sex in (1, 2)",
    "asked": "(asked_by is null) = (asked_at is null) and (asked_by is null) = (proof is null)",
    "hands": "state not in ('asked', 'done', 'withdrawn') or asked_by is not null",
    "proof": "length(btrim(proof)) >= 4",
    "decided": "(state in ('offered', 'asked')) = (decided_by is null) and (decided_by is null) = (decided_at is null)",
    "two_people": "state <> 'done' or decided_by <> asked_by",
    "why": "state <> 'refused' or coalesce(btrim(why), '') <> ''",
    "kept": "(state = 'done') = (kept_id is not null)",
    "another": "other_id <> person_id",
}


def upgrade() -> None:
    op.create_table(
        "joining",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("number", "index", "name")),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "opened_by")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("proof", "asked_by", "why", "decided_by")),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("asked_at", "decided_at")),
        sa.Column("kept_id", sa.BigInteger(), nullable=True),
        *(sa.CheckConstraint(said, name=op.f(f"ck__joining__{name}")) for name, said in _CHECKS.items()),
        *(
            sa.ForeignKeyConstraint([name], ["person.id"], name=op.f(f"fk__joining__{name}"))
            for name in ("person_id", "other_id", "kept_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__joining")),
    )
    op.create_index("ix__joining__other_id", "joining", ["other_id"])
    op.create_index(
        "uq__joining__open",
        "joining",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state in ('offered', 'asked')"),
    )
