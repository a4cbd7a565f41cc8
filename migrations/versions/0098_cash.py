"""Cash in villages: receipt books, receipts, the town's switch, batches taken to the bank and their slips."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql

from migrations.slowly import build_index

revision = "0098"
down_revision = "0097"
STEP = "expand"

_BY_YEAR = 100_000_000
_INDEX = "ix__posting__cash"
_ON = "posting (account) where starts_with(account, 'cash:agent:')"


def beforehand(engine: Engine) -> None:
    """What an agent holds is found without reading the book from end to end."""
    build_index(engine, _INDEX, _ON)


def upgrade() -> None:
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if to_regclass('{_INDEX}') is null then create index {_INDEX} on {_ON}; end if; end $$"
    )
    _books()
    op.create_table(
        "cash_switch",
        _counted(),
        _village("cash_switch"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cash_switch")),
    )
    op.create_index("ix__cash_switch__village_code", "cash_switch", ["village_code", "day"])
    op.create_table(
        "cash_batch",
        _counted(),
        _agent("cash_batch"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        _moment("oldest"),
        sa.Column("arrived", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("at"),
        sa.CheckConstraint(
            "count > 0 and total > 0 and arrived between 0 and total", name=op.f("ck__cash_batch__amounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cash_batch")),
    )
    op.create_index("ix__cash_batch__agent_id", "cash_batch", ["agent_id"])
    op.create_table(
        "cash_slip",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("slip", sa.Text(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        _moment("at"),
        sa.Column("struck_by", sa.Text(), nullable=True),
        _moment("struck_at", nullable=True),
        sa.CheckConstraint("slip ~ '^[0-9A-Z-]{4,40}$'", name=op.f("ck__cash_slip__slip")),
        sa.CheckConstraint("(struck_by is null) = (struck_at is null)", name=op.f("ck__cash_slip__struck")),
        sa.ForeignKeyConstraint(["batch_id"], ["cash_batch.id"], name=op.f("fk__cash_slip__batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cash_slip")),
    )
    op.create_index("ix__cash_slip__slip", "cash_slip", ["slip"])
    stands = sa.text("struck_at is null")
    op.create_index("uq__cash_slip__batch_id", "cash_slip", ["batch_id", "slip"], unique=True, postgresql_where=stands)
    _receipts()


def _books() -> None:
    op.create_table(
        "receipt_book",
        _counted(),
        _village("receipt_book"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first", "last", "next")),
        sa.Column("by", sa.Text(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("first <= last and last - first < 1000", name=op.f("ck__receipt_book__size")),
        sa.CheckConstraint(
            f"first / {_BY_YEAR} = last / {_BY_YEAR} and first % {_BY_YEAR} > 0",
            name=op.f("ck__receipt_book__one_year"),
        ),
        sa.CheckConstraint("next between first and last + 1", name=op.f("ck__receipt_book__next")),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(first, last, '[]')"), "&&"), name="ex__receipt_book__serials", using="gist"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__receipt_book")),
    )
    op.create_index("ix__receipt_book__village_code", "receipt_book", ["village_code"])


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.BigInteger(), nullable=False),
        _village("receipt"),
        _agent("receipt"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("household_id", "bill_id", "amount")),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("roster_id", sa.BigInteger(), nullable=True),
        sa.Column("roster_no", sa.Integer(), nullable=True),
        _moment("issued_at"),
        sa.Column("replaces", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="ISSUED", nullable=False),
        sa.Column("void_why", sa.Text(), nullable=True),
        _moment("voided_at", nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck__receipt__amount")),
        sa.CheckConstraint("state in ('ISSUED', 'VOIDED', 'REMITTED')", name=op.f("ck__receipt__state")),
        sa.CheckConstraint("(state = 'REMITTED') = (batch_id is not null)", name=op.f("ck__receipt__batch")),
        sa.CheckConstraint(
            "(state = 'VOIDED') = (void_why is not null) and (void_why is null) = (voided_at is null)"
            " and void_why in ('torn', 'wrong', 'returned')",
            name=op.f("ck__receipt__voided"),
        ),
        sa.ForeignKeyConstraint(["book_id"], ["receipt_book.id"], name=op.f("fk__receipt__book_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["cash_batch.id"], name=op.f("fk__receipt__batch_id")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk__receipt")),
    )
    op.create_index("ix__receipt__agent_id", "receipt", ["agent_id", "state"])
    for column in ("village_code", "bill_id", "key", "batch_id"):
        op.create_index(f"ix__receipt__{column}", "receipt", [column])
    op.create_index("uq__receipt__code", "receipt", ["code"], unique=True)


def _counted() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True, cycle=False), nullable=False)


def _village(table: str) -> sa.Column:
    key = sa.ForeignKey("village.code", name=op.f(f"fk__{table}__village_code"))
    return sa.Column("village_code", sa.Text(), key, nullable=False)


def _agent(table: str) -> sa.Column:
    return sa.Column(
        "agent_id", sa.BigInteger(), sa.ForeignKey("agent.id", name=op.f(f"fk__{table}__agent_id")), nullable=False
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
