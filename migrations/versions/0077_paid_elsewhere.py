"""Who paid in another place for a levy year, found by a paper."""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
STEP = "expand"

_CHECKS = {
    "code": "insurance = 'RES_MEDICAL' and code in ('medical_outside_zz', 'medical_inside_zz')"
    " or insurance = 'RES_PENSION' and code = 'pension_elsewhere'",
    "proof": "length(btrim(proof)) >= 4",
    "asked": "(asked_by is null) = (asked_at is null)",
    "back": "num_nonnulls(back_by, back_at, back_why) in (0, 3) and length(btrim(back_why)) >= 4",
}


def upgrade() -> None:
    op.create_table(
        "paid_elsewhere",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("insurance", "code")),
        sa.Column("matter_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("proof", "by")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again_on", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("back_by", sa.Text(), nullable=True),
        sa.Column("back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("back_why", sa.Text(), nullable=True),
        *(sa.CheckConstraint(said, name=op.f(f"ck__paid_elsewhere__{name}")) for name, said in _CHECKS.items()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__paid_elsewhere__person_id")),
        sa.ForeignKeyConstraint(["matter_id"], ["matter.id"], name=op.f("fk__paid_elsewhere__matter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__paid_elsewhere")),
    )
    op.create_index(
        "uq__paid_elsewhere__stands",
        "paid_elsewhere",
        ["person_id", "levy_year", "insurance"],
        unique=True,
        postgresql_where=sa.text("back_at is null"),
    )
    op.create_index("ix__paid_elsewhere__matter_id", "paid_elsewhere", ["matter_id"])
