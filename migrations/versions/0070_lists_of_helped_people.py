"""Lists of helped people: a department's file, its rows, how it writes, the categories its lists gave; and accounts of
departments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0070"
down_revision = "0069"
STEP = "expand"

_ROLES = "role in ('tax_clerk', 'tax_lead', 'hrss', 'medical', 'town', 'auditor', 'department')"


def upgrade() -> None:
    _accounts()
    _lists()
    _categories()


def _accounts() -> None:
    op.add_column(
        "staff", sa.Column("departments", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.drop_constraint(op.f("ck__staff__role"), "staff")
    _check("role", _ROLES)
    _check("departments", "(role = 'department') = (departments <> '{}')")


def _check(name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck__staff__{name}"), "staff", condition, postgresql_not_valid=True)


def _lists() -> None:
    op.create_table(
        "special_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        sa.Column("insurances", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("titles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="VALIDATED", nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(ended_by is null) = (ended_at is null) and (ended_by is not null) = (state in ('CLOSED', 'DROPPED'))",
            name=op.f("ck__special_batch__ended"),
        ),
        sa.CheckConstraint(
            "(taken_by is null) = (taken_at is null)"
            " and (taken_by is not null) = (state in ('IMPORTED', 'PARTLY_IMPORTED', 'CLOSED'))",
            name=op.f("ck__special_batch__taken"),
        ),
        sa.CheckConstraint(
            "insurances <> '{}' and insurances <@ '{RES_PENSION,RES_MEDICAL}'",
            name=op.f("ck__special_batch__insurances"),
        ),
        sa.CheckConstraint(
            "state in ('VALIDATED', 'IMPORTED', 'PARTLY_IMPORTED', 'CLOSED', 'DROPPED')",
            name=op.f("ck__special_batch__state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__special_batch")),
    )
    op.create_index("ix__special_batch__department", "special_batch", ["department", "id"], unique=False)
    op.create_index(
        "uq__special_batch__taken",
        "special_batch",
        ["department", "levy_year", "digest"],
        unique=True,
        postgresql_where=sa.text("taken_by is not null"),
    )
    op.create_table(
        "special_row",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("cells", sa.LargeBinary(), nullable=True),
        sa.Column("id_index", sa.LargeBinary(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("town", sa.Text(), nullable=True),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("words", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("fed_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_by", sa.Text(), nullable=True),
        sa.Column("told_how", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at is not null) = (state in ('RESOLVED', 'GIVEN_UP'))"
            " and (ended_at is null) = (ended_by is null)"
            " and (ended_at is null) = (ended_why is null) and length(btrim(ended_why)) >= 2",
            name=op.f("ck__special_row__ended"),
        ),
        sa.CheckConstraint(
            "(fed_back_at is not null) = (state not in ('OK', 'FAILED'))", name=op.f("ck__special_row__fed_back")
        ),
        sa.CheckConstraint("(state = 'OK') = (code is null)", name=op.f("ck__special_row__code")),
        sa.CheckConstraint(
            "(told_at is null) = (told_how is null) and (told_at is null) = (told_by is null)"
            " and (state <> 'PERSON_TOLD' or told_at is not null)"
            " and told_how in ('phone', 'visit', 'sms', 'letter', 'office')",
            name=op.f("ck__special_row__told"),
        ),
        sa.CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name=op.f("ck__special_row__insurance")),
        sa.CheckConstraint(
            "state <> 'OK' or person_id is not null and codes <> '{}'", name=op.f("ck__special_row__ok")
        ),
        sa.CheckConstraint(
            "state in ('OK', 'FAILED', 'FED_BACK', 'PERSON_TOLD', 'RESOLVED', 'GIVEN_UP')",
            name=op.f("ck__special_row__state"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["special_batch.id"], name=op.f("fk__special_row__batch_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__special_row__person_id")),
        sa.ForeignKeyConstraint(["town"], ["town.code"], name=op.f("fk__special_row__town")),
        sa.PrimaryKeyConstraint("batch_id", "no", name=op.f("pk__special_row")),
    )
    op.create_index("ix__special_row__id_index", "special_row", ["id_index"], unique=False)
    op.create_index(
        "ix__special_row__open",
        "special_row",
        ["fed_back_at"],
        unique=False,
        postgresql_where=sa.text("state in ('FED_BACK', 'PERSON_TOLD')"),
    )
    op.create_index("ix__special_row__person", "special_row", ["person_id", "insurance"], unique=False)


def _categories() -> None:
    op.create_table(
        "special_layout",
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("words", JSONB(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("department", name=op.f("pk__special_layout")),
    )
    op.create_table(
        "helped_category",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name=op.f("ck__helped_category__insurance")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__helped_category__person_id")),
        sa.PrimaryKeyConstraint("person_id", "levy_year", "insurance", "code", name=op.f("pk__helped_category")),
        sa.UniqueConstraint("batch_id", "no", "code", name="uq__helped_category__row"),
    )
