"""A phone unused for long is asked whose it is; who pays for me can be let go; a misspelt name is corrected by two."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    # Nobody knows when the accounts of before were used last: since they are there at least, so the old ones are asked.
    op.add_column("resident_account", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("update resident_account set used_at = since")
    op.alter_column("resident_account", "used_at", nullable=False, server_default=sa.text("now()"))
    op.alter_column("resident_account", "phone_index", nullable=True)
    op.alter_column("resident_account", "phone", nullable=True)
    op.add_column("session", sa.Column("unsure_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk__session__unsure_id"), "session", "resident_account", ["unsure_id"], ["id"])
    op.create_table(
        "barred",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["resident_account.id"], name=op.f("fk__barred__account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__barred__person_id")),
        sa.PrimaryKeyConstraint("account_id", "person_id", name=op.f("pk__barred")),
    )
    op.create_index(op.f("ix__barred__person_id"), "barred", ["person_id"])
    op.create_table(
        "name_correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("former", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('asked', 'done', 'refused')", name=op.f("ck__name_correction__state")),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_by is null) and (decided_by is null) = (decided_at is null)",
            name=op.f("ck__name_correction__decided"),
        ),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck__name_correction__two_people")),
        sa.CheckConstraint("length(reason) >= 4 and length(proof) >= 4", name=op.f("ck__name_correction__reason")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__name_correction__person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__name_correction")),
    )
    op.create_index(
        "uq__name_correction__open",
        "name_correction",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
