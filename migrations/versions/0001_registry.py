"""Towns, villages, households, persons, enrolments, categories, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "business_clock",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("offset_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck__business_clock__one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__business_clock")),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rows_in = added + changed + same + refused", name=op.f("ck__import_batch__adds_up")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__import_batch")),
        sa.UniqueConstraint("kind", "file_hash", name=op.f("uq__import_batch__kind_file_hash")),
    )
    op.create_table(
        "town",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk__town")),
    )
    op.create_table(
        "village",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("town_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["town_code"], ["town.code"], name=op.f("fk__village__town_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk__village")),
    )
    op.create_index(op.f("ix__village__town_code"), "village", ["town_code"], unique=False)
    op.create_table(
        "household",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("village_code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["village_code"], ["village.code"], name=op.f("fk__household__village_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__household")),
        sa.UniqueConstraint("village_code", "number", name=op.f("uq__household__village_code_number")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("id_type", sa.Text(), server_default="01", nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("id_index", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        sa.Column("residence", sa.Text(), server_default="hukou", nullable=False),
        sa.Column("alive", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("student", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_migrant", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("relation_to_head", sa.Text(), server_default="", nullable=False),
        sa.Column("family_type", sa.Text(), server_default="none", nullable=False),
        sa.Column("spouse_birth", sa.Date(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "family_type in ('none', 'only_child', 'two_daughters')", name=op.f("ck__person__family_type")
        ),
        sa.CheckConstraint(
            "residence in ('hukou', 'permit', 'permit_child', 'nonlocal')", name=op.f("ck__person__residence")
        ),
        sa.CheckConstraint("sex in (1, 2)", name=op.f("ck__person__sex")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk__person__household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__person")),
        sa.UniqueConstraint("id_index", name=op.f("uq__person__id_index")),
    )
    op.create_index("ix__person__household_id", "person", ["household_id"], unique=False)
    op.create_table(
        "category",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__category__person_id")),
        sa.PrimaryKeyConstraint("person_id", "insurance", "code", name=op.f("pk__category")),
    )
    op.create_table(
        "enrolment",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("source_person_no", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="NORMAL", nullable=False),
        sa.Column("pay_from", sa.Text(), server_default="", nullable=False),
        sa.Column("pay_to", sa.Text(), server_default="", nullable=False),
        sa.Column("last_tier", sa.BigInteger(), nullable=True),
        sa.Column("employee_insured", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("insured_elsewhere", sa.Text(), server_default="none", nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name=op.f("ck__enrolment__insurance")),
        sa.CheckConstraint("status in ('NORMAL', 'PAUSED', 'ENDED')", name=op.f("ck__enrolment__status")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__enrolment__person_id")),
        sa.PrimaryKeyConstraint("person_id", "insurance", name=op.f("pk__enrolment")),
    )
    op.create_table(
        "deployed",  # what was applied by name: the functions' digest
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False),
    )
