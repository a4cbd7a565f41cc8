"""Accounts of residents: a proved phone, a WeChat user, the people paid for, the consents, the codes under way."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "resident_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(cycle=False), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("openid_index", sa.LargeBinary(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__resident_account")),
        sa.UniqueConstraint("phone_index", name=op.f("uq__resident_account__phone_index")),
        sa.UniqueConstraint("openid_index", name=op.f("uq__resident_account__openid_index")),
    )
    op.create_table(
        "resident_person",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "person_id", name=op.f("pk__resident_person")),
        sa.ForeignKeyConstraint(["account_id"], ["resident_account.id"], name=op.f("fk__resident_person__account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__resident_person__person_id")),
    )
    op.create_index(op.f("ix__resident_person__person_id"), "resident_person", ["person_id"])
    op.create_table(
        "consent",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", name=op.f("pk__consent")),
        sa.ForeignKeyConstraint(["account_id"], ["resident_account.id"], name=op.f("fk__consent__account_id")),
    )
    op.create_table(
        "login_code",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk__login_code")),
    )
    op.add_column("session", sa.Column("account_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk__session__account_id"), "session", "resident_account", ["account_id"], ["id"])
    op.create_index(op.f("ix__session__account_id"), "session", ["account_id"])
    op.drop_constraint(op.f("ck__session__one_person"), "session", type_="check")
    op.create_check_constraint(
        op.f("ck__session__one_person"), "session", "num_nonnulls(agent_id, staff_id, account_id) <= 1"
    )
