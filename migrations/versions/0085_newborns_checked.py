"""What 0084 asks of new people is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import build_index, validate

revision = "0085"
down_revision = "0084"
STEP = "expand"

_INDEX = "ix__person__birth_cert"
_ON = "person (birth_date) where id_type = 'BIRTH_CERT'"


def beforehand(engine: Engine) -> None:
    """Who stands under a certificate is found among all people."""
    build_index(engine, _INDEX, _ON)
    validate(engine, "person", "ck__person__id_type")


def upgrade() -> None:
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if to_regclass('{_INDEX}') is null then create index {_INDEX} on {_ON}; end if; end $$"
    )
    op.execute("alter table person validate constraint ck__person__id_type")  # as 0059
