"""Sponsors, their pledges, the money of each and what it is spoken for."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
STEP = "expand"

_CHECKS = {
    "sponsor": {"kind": "kind in ('village', 'employer', 'person', 'other')", "shown": "shown <> ''"},
    "pledge": {
        "state": "state in ('proposed', 'agreed', 'ended', 'dropped')",
        "budget": "budget > 0",
        "counted": "taken >= 0 and spoken >= 0 and back >= 0",
        "covered": "spoken <= budget and spoken + back <= taken",
    },
    "pledge_terms": {
        "rule": "(mode = 'ALL' and value = 0) or (mode = 'PCT' and value between 1 and 10000)"
        " or (mode = 'FIX' and value > 0)",
        "days": "from_day <= until_day",
        "ages": "from_age <= to_age and from_age >= 0",
        "whom": "named = (num_nonnulls(village_code, category, from_age, to_age) = 0)"
        " and num_nonnulls(from_age, to_age) <> 1",
        "two_people": "agreed_by <> entered_by",
        "agreed": "(agreed_by is null) = (agreed_at is null)",
        "ended": "(ended_by is null) = (ended_at is null) and (ended_by is null) = (ended_why is null)",
    },
    "pledge_person": {},
    "pledge_money": {"amount": "amount > 0"},
    "pledge_share": {"amount": "amount > 0", "state": "state in ('reserved', 'released', 'used', 'given_back')"},
    "pledge_payment": {},
}


def upgrade() -> None:
    _table(
        "sponsor",
        ["id"],
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        *_texts("kind", "shown"),
        *_bytes("name", "contact", "phone"),
        *_texts("entered_by"),
        _moment("entered_at"),
    )
    _table(
        "pledge",
        ["id"],
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True, cycle=False), nullable=False),
        *_texts("number", "insurance"),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        _big("budget"),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("taken", "spoken", "back")
        ),
        sa.UniqueConstraint("number", name=op.f("uq__pledge__number")),
    )
    _table(
        "pledge_terms",
        ["pledge_id"],
        _big("pledge_id"),
        _big("sponsor_id"),
        *_texts("mode"),
        _big("value"),
        sa.Column("covers_late", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("from_day", "until_day")),
        sa.Column("named", sa.Boolean(), nullable=False),
        *_texts("town", "village_code", "category", nullable=True),
        *(sa.Column(name, sa.SmallInteger(), nullable=True) for name in ("from_age", "to_age")),
        *_texts("entered_by"),
        _moment("entered_at"),
        *_texts("agreed_by", nullable=True),
        _moment("agreed_at", nullable=True),
        *_texts("ended_by", nullable=True),
        _moment("ended_at", nullable=True),
        *_texts("ended_why", nullable=True),
        _pledge("pledge_terms"),
        _key("pledge_terms", "sponsor_id", "sponsor"),
    )
    _table(
        "pledge_person",
        ["pledge_id", "person_id"],
        _big("pledge_id"),
        _big("person_id"),
        _pledge("pledge_person"),
        _key("pledge_person", "person_id", "person"),
    )
    _table(
        "pledge_money",
        ["household_id", "cause"],
        _big("household_id"),
        *_texts("cause"),
        _big("pledge_id"),
        _big("amount"),
        _moment("at"),
        _pledge("pledge_money"),
        sa.ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__pledge_money__entry"
        ),
    )
    _table(
        "pledge_share",
        ["household_id", "bill_id", "pledge_id"],
        _big("household_id"),
        _big("bill_id"),
        _big("pledge_id"),
        _big("amount"),
        *_texts("state"),
        _pledge("pledge_share"),
        sa.ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__pledge_share__bill"
        ),
    )
    _table(
        "pledge_payment",
        ["household_id", "number"],
        _big("household_id"),
        *_texts("number"),
        _big("pledge_id"),
        _pledge("pledge_payment"),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["payment.household_id", "payment.number"], name="fk__pledge_payment__payment"
        ),
    )
    op.create_index("ix__pledge__agreed", "pledge", ["levy_year"], postgresql_where=sa.text("state = 'agreed'"))
    op.create_index("ix__pledge_terms__sponsor_id", "pledge_terms", ["sponsor_id"])
    op.create_index("ix__pledge_person__person_id", "pledge_person", ["person_id"])
    for table in ("pledge_money", "pledge_share", "pledge_payment"):
        op.create_index(f"ix__{table}__pledge_id", table, ["pledge_id"])
    op.add_column("refund", sa.Column("pledge", sa.BigInteger(), nullable=True))
    op.add_column("suspense", sa.Column("pledge", sa.BigInteger(), nullable=True))


def _table(name: str, key: list[str], *columns: sa.schema.SchemaItem) -> None:
    checks = [sa.CheckConstraint(rule, name=op.f(f"ck__{name}__{each}")) for each, rule in _CHECKS[name].items()]
    op.create_table(name, *columns, *checks, sa.PrimaryKeyConstraint(*key, name=op.f(f"pk__{name}")))


def _big(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _bytes(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _pledge(table: str) -> sa.ForeignKeyConstraint:
    return _key(table, "pledge_id", "pledge")


def _key(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk__{table}__{column}"))
