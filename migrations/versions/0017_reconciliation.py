"""What became of every line of a statement, the differences by name, and files of bank, treasury and bureaus."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "closing_request",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("exceptions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk__closing_request")),
    )
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("books", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("ours", sa.BigInteger(), nullable=True),
        sa.Column("theirs", sa.BigInteger(), nullable=True),
        sa.Column("our_day", sa.Date(), nullable=True),
        sa.Column("lacks", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alerted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("remedy", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("cleared_by", sa.Text(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'open') = (cleared_by is null)", name=op.f("ck__discrepancy__cleared_by")),
        sa.CheckConstraint(
            "books in ('channel', 'deposit', 'treasury', 'bureau')", name=op.f("ck__discrepancy__books")
        ),
        sa.CheckConstraint(
            "kind in ('MISSING_IN_BANK', 'MISSING_IN_LEDGER', 'AMOUNT_DIFF', 'DATE_DIFF', 'DUPLICATE',"
            " 'UNKNOWN_PERSON')",
            name=op.f("ck__discrepancy__kind"),
        ),
        sa.CheckConstraint("owner <> ''", name=op.f("ck__discrepancy__owned")),
        sa.CheckConstraint(
            "state <> 'cleared' or remedy <> 'book' or confirmed_by is not null", name=op.f("ck__discrepancy__money")
        ),
        sa.CheckConstraint("state = 'open' or reason <> ''", name=op.f("ck__discrepancy__reason")),
        sa.CheckConstraint("state in ('open', 'proposed', 'cleared')", name=op.f("ck__discrepancy__state")),
        sa.CheckConstraint("cleared_by <> confirmed_by", name=op.f("ck__discrepancy__two_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__discrepancy")),
    )
    op.create_index(
        "ix__discrepancy__open", "discrepancy", ["day"], unique=False, postgresql_where=sa.text("state <> 'cleared'")
    )
    op.create_index(
        "uq__discrepancy__facts",
        "discrepancy",
        ["books", "channel", "day", "kind", "what", "subject", "ours", "theirs", "our_day"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "outside_file",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "digest", name=op.f("pk__outside_file")),
    )
    op.create_table(
        "outside_row",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("levy_year", sa.Integer(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("part", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('bank', 'treasury', 'bureau')", name=op.f("ck__outside_row__kind")),
        sa.PrimaryKeyConstraint("kind", "serial", name=op.f("pk__outside_row")),
    )
    op.create_index("ix__outside_row__day", "outside_row", ["kind", "day"], unique=False)
    op.create_table(
        "statement_match",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("ours", sa.BigInteger(), nullable=True),
        sa.Column("our_day", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "verdict in ('matched', 'MISSING_IN_BANK', 'MISSING_IN_LEDGER', 'AMOUNT_DIFF', 'DATE_DIFF', 'DUPLICATE',"
            " 'UNKNOWN_PERSON')",
            name=op.f("ck__statement_match__verdict"),
        ),
        sa.PrimaryKeyConstraint("gateway", "day", "row", name=op.f("pk__statement_match")),
    )
    op.create_index(
        "ix__statement_match__open",
        "statement_match",
        ["gateway", "day"],
        unique=False,
        postgresql_where=sa.text("verdict <> 'matched'"),
    )
    op.add_column("statement", sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("statement", sa.Column("deposit", sa.Text(), nullable=True))
