"""Brings a database to the present: versions, then the functions and the small fixed tables if they changed.

The owner's role runs this, never the application's. Each step is one transaction; running it again changes nothing.
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.registry.determinations import MOVES as DETERMINATION_MOVES
from core.db import connect
from migrations.declared import TABLES, ours
from payments.ledger.chart import accounts
from payments.states import MOVES, REFUND_MOVES

HERE = Path(__file__).parent


def upgrade(owner_url: str, *, years: Iterable[int] = (2022,)) -> None:
    """To the newest schema, functions, chart of accounts (for `years`) and legal moves."""
    engine = connect(owner_url, pool_size=1, statement_timeout_ms=0)
    try:
        with engine.begin() as connection:
            connection.execute(text("set local lock_timeout = '1s'"))
            command.upgrade(_config(connection), "head")
        with engine.begin() as connection:
            _apply_functions(connection)
            _fill_fixed_tables(connection, years)
    finally:
        engine.dispose()


def new_version(owner_url: str, message: str) -> None:
    """Writes the next version file from the difference between declared tables and the database."""
    engine = connect(owner_url, pool_size=1)
    with engine.begin() as connection:
        config = _config(connection)
        count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
        command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")
    engine.dispose()


def is_current(connection: Connection) -> bool:
    """True if the database stands at the newest version and carries these very functions."""
    head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    at = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    digest = connection.execute(text("select digest from deployed where name = 'functions'")).scalar_one_or_none()
    return at == head and digest == _functions_digest()


def differences(connection: Connection) -> list[object]:
    """What the declared tables and the migrated database disagree on; empty when all is well."""
    context = MigrationContext.configure(connection, opts={"compare_server_default": True, "include_object": ours})
    return list(compare_metadata(context, TABLES))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _functions_digest() -> str:
    return sha256(b"".join(path.read_bytes() for path in sorted((HERE / "functions").glob("*.sql")))).hexdigest()


def _apply_functions(connection: Connection) -> None:
    found = connection.execute(text("select digest from deployed where name = 'functions'")).scalar_one_or_none()
    if found == _functions_digest():
        return
    for path in sorted((HERE / "functions").glob("*.sql")):
        connection.exec_driver_sql(path.read_text().replace("%", "%%"))
    connection.execute(
        text("insert into deployed values ('functions', :digest) on conflict (name) do update set digest = :digest"),
        {"digest": _functions_digest()},
    )


def _fill_fixed_tables(connection: Connection, years: Iterable[int]) -> None:
    connection.execute(
        text("insert into account values (:code, :kind, :name) on conflict (code) do update set name = :name"),
        [vars(line) for line in accounts(years)],
    )
    for table, moves in (
        ("payment_move", MOVES),
        ("refund_move", REFUND_MOVES),
        ("determination_move", DETERMINATION_MOVES),
    ):
        connection.execute(text(f"delete from {table}"))
        connection.execute(
            text(f"insert into {table} values (:old, :new)"),
            [{"old": old, "new": new} for old, allowed in moves.items() for new in allowed],
        )
