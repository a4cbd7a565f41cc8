"""Rosters of villages, their versions, and who signed and handed them over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0087"
down_revision = "0086"
STEP = "expand"

_STAGES = (
    "'GENERATED', 'SENT_BACK', 'TAX_REVIEWED', 'HRSS_REVIEWED', 'MEDICAL_REVIEWED', 'ISSUED_TO_TOWN', 'WITH_AGENT',"
    " 'POSTED', 'AMENDING', 'REPORTED', 'TAX_CONFIRMED', 'EFFECTIVE'"
)
_REVIEWS = "what in ('TAX_REVIEWED', 'HRSS_REVIEWED', 'MEDICAL_REVIEWED')"


def upgrade() -> None:
    op.create_table(
        "roster",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True, cycle=False), nullable=False),
        *_texts("village_code", "insurance"),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        sa.Column("medical", sa.Boolean(), nullable=False),
        *_texts("state"),
        *_whole("no"),
        sa.Column("effective_no", sa.Integer(), nullable=True),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"state in ({_STAGES})", name=op.f("ck__roster__state")),
        sa.CheckConstraint("effective_no <= no", name=op.f("ck__roster__effective")),
        sa.CheckConstraint(
            "agent_id is not null or state not in ('WITH_AGENT', 'POSTED')", name=op.f("ck__roster__agent")
        ),
        sa.ForeignKeyConstraint(["village_code"], ["village.code"], name=op.f("fk__roster__village_code")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk__roster__agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__roster")),
        sa.UniqueConstraint("levy_year", "insurance", "village_code", name="uq__roster__of"),
    )
    op.create_index("ix__roster__village_code", "roster", ["village_code"])
    op.create_table(
        "roster_version",
        *_key(),
        *_whole("people", "registered"),
        sa.Column("left_out", JSONB(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_texts("code", "drawn_by"),
        _moment("drawn_at"),
        sa.Column("job", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["roster_id"], ["roster.id"], name=op.f("fk__roster_version__roster_id")),
        sa.PrimaryKeyConstraint("roster_id", "no", name=op.f("pk__roster_version")),
        sa.UniqueConstraint("code", name=op.f("uq__roster_version__code")),
    )
    op.create_table(
        "roster_row",
        *_key(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *_texts("masked"),
        sa.PrimaryKeyConstraint("roster_id", "no", "person_id", name=op.f("pk__roster_row")),
    )
    op.create_table(
        "roster_odd",
        *_key(),
        *_texts("kind"),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("roster_id", "no", "kind", "person_id", name=op.f("pk__roster_odd")),
    )
    op.create_table(
        "roster_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        *_key(),
        *_texts("what", "by"),
        _moment("at"),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("people", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("agent_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"what in ({_STAGES})", name=op.f("ck__roster_step__what")),
        sa.ForeignKeyConstraint(
            ["roster_id", "no"],
            ["roster_version.roster_id", "roster_version.no"],
            name=op.f("fk__roster_step__roster_id_no"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk__roster_step__agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__roster_step")),
    )
    op.create_index("ix__roster_step__roster_id", "roster_step", ["roster_id", "no"])
    for name, columns in (("review", ["roster_id", "no", "what"]), ("hand", ["roster_id", "no", "by"])):
        op.create_index(
            f"uq__roster_step__{name}", "roster_step", columns, unique=True, postgresql_where=sa.text(_REVIEWS)
        )


def _key() -> list[sa.Column]:
    return [sa.Column("roster_id", sa.BigInteger(), nullable=False), *_whole("no")]


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)
