"""One sentence of a person waits at each office that has to answer it: who decides whether he lives may change."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import build_index, drop_index

revision = "0097"
down_revision = "0096"
STEP = "expand"

_BEFORE = "uq__matter__unanswered"
_INDEX = "uq__matter__unanswered_of"
_ON = "matter (person_id, kind, office) where state in ('open', 'taken', 'reopened')"


def beforehand(engine: Engine) -> None:
    """Beside those who go on saying something."""
    build_index(engine, _INDEX, _ON, unique=True)
    drop_index(engine, _BEFORE)


def upgrade() -> None:
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if to_regclass('{_INDEX}') is null then create unique index {_INDEX} on {_ON}; end if;"
        f" if to_regclass('{_BEFORE}') is not null then drop index {_BEFORE}; end if; end $$"
    )
