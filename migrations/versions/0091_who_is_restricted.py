"""Who was erased is found without looking at everybody."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import build_index

revision = "0091"
down_revision = "0090"
STEP = "expand"

_INDEX = "ix__person__restricted"
_ON = "person (id) include (restricted_at) where restricted_at is not null"


def beforehand(engine: Engine) -> None:
    """Lists that hang leave them out, of any village."""
    build_index(engine, _INDEX, _ON)


def upgrade() -> None:
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if to_regclass('{_INDEX}') is null then create index {_INDEX} on {_ON}; end if; end $$"
    )
