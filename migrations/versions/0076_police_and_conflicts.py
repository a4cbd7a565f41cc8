"""What the police say of people, beside the register; and where offices contradict each other about somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
STEP = "expand"

_WORD = {
    "code": "code in ('DIED', 'CANCELLED', 'MOVED_OUT', 'MOVED_IN', 'EXEMPT')",
    "stands": "stands in ('counts', 'overruled')",
}
_CONFLICT = {
    "kind": "kind in ('ALIVE', 'RESIDENCE', 'AGE', 'NAME', 'BUREAUS', 'TWICE')",
    "insurances": "insurances <> '{}' and insurances <@ '{RES_PENSION,RES_MEDICAL}'",
    "owner": "owner in ('hrss', 'medical')",
    "state": "state in ('open', 'solved', 'agreed')",
    "decided": "(state = 'open') = (decided_at is null) and (state = 'open') = (decided_by is null)",
    "solved": "(state = 'solved') = (word is not null) and (state = 'solved') = (why is not null)"
    " and length(btrim(why)) >= 4",
}
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "police_word",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("stands", sa.Text(), server_default="counts", nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.CheckConstraint(said, name=op.f(f"ck__police_word__{name}")) for name, said in _WORD.items()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__police_word__person_id")),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["import_batch.id"],
            name=op.f("fk__police_word__batch_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("person_id", "code", name=op.f("pk__police_word")),
    )
    op.create_index("ix__police_word__batch_id", "police_word", ["batch_id"])
    op.create_index(
        "ix__police_word__dead",
        "police_word",
        ["person_id"],
        postgresql_where=sa.text("code = 'DIED' and stands = 'counts'"),
    )
    _conflicts()


def _conflicts() -> None:
    op.create_table(
        "conflict",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "about")),
        sa.Column("insurances", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("other_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("word", "why")),
        *(sa.CheckConstraint(said, name=op.f(f"ck__conflict__{name}")) for name, said in _CONFLICT.items()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__conflict__person_id")),
        sa.ForeignKeyConstraint(["other_id"], ["person.id"], name=op.f("fk__conflict__other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__conflict")),
    )
    op.create_index("ix__conflict__open", "conflict", ["person_id"], postgresql_where=_OPEN)
    op.create_index("ix__conflict__queue", "conflict", ["owner", "due_on"], postgresql_where=_OPEN)
    op.create_index(
        "uq__conflict__once",
        "conflict",
        ["person_id", "kind", "about"],
        unique=True,
        postgresql_where=sa.text("state <> 'agreed'"),
    )
