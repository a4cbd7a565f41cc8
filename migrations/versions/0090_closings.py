"""After the season: who of a village is insured and who is not yet, as it hangs."""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0089"
STEP = "expand"

_MIDNIGHT = " and ".join(f"({name} at time zone 'Asia/Shanghai')::time = '00:00'" for name in ("starts_at", "ends_at"))
_ONCE = {"agreed": ("AGREED", ["no"]), "hung": ("HUNG", ["no", "place"]), "down": ("TAKEN_DOWN", ["place"])}


def upgrade() -> None:
    op.create_table(
        "closing",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True, cycle=False), nullable=False),
        *_texts("village_code", "insurance"),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        *_texts("code"),
        *_moments("starts_at", "ends_at"),
        *_whole("no"),
        sa.Column("agreed_no", sa.Integer(), nullable=True),
        sa.CheckConstraint("agreed_no <= no", name=op.f("ck__closing__agreed")),
        sa.CheckConstraint(f"starts_at < ends_at and {_MIDNIGHT}", name=op.f("ck__closing__days")),
        sa.ForeignKeyConstraint(["village_code"], ["village.code"], name=op.f("fk__closing__village_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__closing")),
        sa.UniqueConstraint("code", name=op.f("uq__closing__code")),
        sa.UniqueConstraint("levy_year", "insurance", "village_code", name="uq__closing__of"),
    )
    op.create_index("ix__closing__village_code", "closing", ["village_code"])
    op.create_table(
        "closing_version",
        *_key(),
        sa.Column("roster_no", sa.Integer(), nullable=True),
        *_whole("done", "owing", "excluded", "beside"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_texts("drawn_by"),
        *_moments("drawn_at"),
        sa.Column("job", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk__closing_version__closing_id")),
        sa.PrimaryKeyConstraint("closing_id", "no", name=op.f("pk__closing_version")),
    )
    op.create_table(
        "closing_row",
        *_key(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *_texts("masked"),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.CheckConstraint("masked !~ '[0-9]'", name=op.f("ck__closing_row__no_digit")),
        sa.PrimaryKeyConstraint("closing_id", "no", "person_id", name=op.f("pk__closing_row")),
    )
    op.create_table(
        "closing_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        *_key(),
        *_texts("what", "by"),
        *_moments("at"),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("what in ('DRAWN', 'AGREED', 'HUNG', 'TAKEN_DOWN')", name=op.f("ck__closing_step__what")),
        sa.CheckConstraint(
            "(place is not null) = (what in ('HUNG', 'TAKEN_DOWN'))", name=op.f("ck__closing_step__place")
        ),
        sa.CheckConstraint("place in ('village', 'hall')", name=op.f("ck__closing_step__places")),
        sa.ForeignKeyConstraint(
            ["closing_id", "no"],
            ["closing_version.closing_id", "closing_version.no"],
            name=op.f("fk__closing_step__closing_id_no"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__closing_step")),
    )
    op.create_index("ix__closing_step__closing_id", "closing_step", ["closing_id", "no"])
    for name, (what, columns) in _ONCE.items():
        op.create_index(
            f"uq__closing_step__{name}",
            "closing_step",
            ["closing_id", *columns],
            unique=True,
            postgresql_where=sa.text(f"what = '{what}'"),
        )


def _key() -> list[sa.Column]:
    return [sa.Column("closing_id", sa.BigInteger(), nullable=False), *_whole("no")]


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]
