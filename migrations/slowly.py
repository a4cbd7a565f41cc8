"""What a version does before its own transaction, on a database that is being worked with: an index built beside the
writing, rows filled in batches, a constraint that old rows are looked at for. A version names it in its function
`beforehand(engine)`; each can be killed anywhere and run again."""

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import CursorResult

from migrations.patience import patiently

BATCH = 5_000


def build_index(engine: Engine, name: str, on: str, *, unique: bool = False) -> None:
    """`on` as after the index's name: "bill (person_id) where state = 'open'". One that was left half built is built
    anew."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        valid = connection.execute(
            text("select indisvalid from pg_index where indexrelid = to_regclass(:name)"), {"name": name}
        ).scalar_one_or_none()
        if valid is False:
            connection.execute(text(f"drop index concurrently {name}"))
        if not valid:
            connection.execute(text(f"create {'unique ' if unique else ''}index concurrently {name} on {on}"))


def drop_index(engine: Engine, name: str) -> None:
    """Nobody waits for it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"drop index concurrently if exists {name}"))


def in_batches(engine: Engine, change: str) -> int:
    """`change` is an update that finds what it has not done yet, with `limit :batch` in it; until it finds none. How
    many rows it changed."""
    done = 0

    def once(connection: Connection) -> int:
        found = connection.execute(text(change), {"batch": BATCH})
        assert isinstance(found, CursorResult)
        return found.rowcount

    while turn := patiently(engine, once):
        done += turn
    return done


def validate(engine: Engine, table: str, constraint: str) -> None:
    """Old rows are looked at for a constraint that was added `not valid`; others go on writing."""
    patiently(engine, lambda c: c.execute(text(f"alter table {table} validate constraint {constraint}")))
