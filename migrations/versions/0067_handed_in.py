"""What an office hands in: files, kept sealed piece by piece, and the long work it asks for on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0067"
down_revision = "0066"
STEP = "expand"


def upgrade() -> None:
    _upload()
    op.create_table(
        "office_job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=True),
        sa.Column("about", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("turns", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_about", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state in ('waiting', 'doing', 'done', 'failed')", name=op.f("ck__office_job__state")),
        sa.CheckConstraint(
            "(state = 'waiting') = (began_at is null) and (state in ('done', 'failed')) = (ended_at is not null)",
            name=op.f("ck__office_job__moments"),
        ),
        sa.CheckConstraint(
            "(state = 'done') = (outcome is not null) and (state = 'failed') = (problem <> '')",
            name=op.f("ck__office_job__end"),
        ),
        sa.CheckConstraint("starts_with(by, 'staff:')", name=op.f("ck__office_job__by")),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk__office_job__upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__office_job")),
    )
    op.create_index(
        "uq__office_job__open",
        "office_job",
        ["kind", sa.text("coalesce(upload_id, 0)"), "about"],
        unique=True,
        postgresql_where=sa.text("state in ('waiting', 'doing')"),
    )
    op.create_index("ix__office_job__upload_id", "office_job", ["upload_id"])


def _upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(gone_at is null) = (gone_by is null)", name=op.f("ck__upload__gone")),
        sa.CheckConstraint("starts_with(by, 'staff:')", name=op.f("ck__upload__by")),
        sa.CheckConstraint("size > 0 and length(digest) = 32", name=op.f("ck__upload__whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__upload")),
    )
    op.create_index("ix__upload__digest", "upload", ["digest"])
    op.create_table(
        "upload_piece",
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk__upload_piece__upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "no", name=op.f("pk__upload_piece")),
    )
