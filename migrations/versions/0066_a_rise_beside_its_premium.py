"""The difference to a higher tier stands beside the year's premium: the index of levy items tells them apart. What 0065
asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Connection, Engine, text

from migrations.patience import patiently
from migrations.slowly import build_index, validate

revision = "0066"
down_revision = "0065"
STEP = "expand"

_CHECK = "ck__bill__raised_from"
_INDEX, _FRESH = "uq__bill__levy_item", "uq__bill__levy_item__new"
_ITEM = (
    "bill (person_id, insurance, levy_year, coalesce(determination, 0), (raised_from is not null))"
    " where state not in ('withdrawn', 'refunded')"
)


def beforehand(engine: Engine) -> None:
    """The index that lets more pass is built beside the one that stands, which goes in the moment in which the new one
    takes its name."""
    validate(engine, "bill", _CHECK)
    build_index(engine, _FRESH, _ITEM, unique=True)
    patiently(engine, _swap)


def _swap(connection: Connection) -> None:
    connection.execute(text(f"drop index {_INDEX}"))
    connection.execute(text(f"alter index {_FRESH} rename to {_INDEX}"))


def upgrade() -> None:
    op.execute(f"alter table bill validate constraint {_CHECK}")  # as 0063
    op.execute(  # a database in which nothing is yet has nothing done beforehand
        f"do $$ begin if pg_get_indexdef('{_INDEX}'::regclass) !~ 'raised_from' then"
        f" drop index {_INDEX}; create unique index {_INDEX} on {_ITEM}; end if; end $$"
    )
