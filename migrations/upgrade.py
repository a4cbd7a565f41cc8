"""Brings a database to the present: versions, then the functions and the small fixed tables if they changed.

The owner's role runs this, never the application's. Each step is one transaction; running it again changes nothing, and
who runs it at the same time waits.
"""

from collections.abc import Iterable
from functools import cache
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
from migrations import functions
from migrations.declared import TABLES, ours
from payments.ledger.chart import accounts
from payments.states import MOVES, REFUND_MOVES

HERE = Path(__file__).parent


def upgrade(owner_url: str, *, years: Iterable[int] = (2022,)) -> None:
    """To the newest schema, functions, chart of accounts (for `years`) and legal moves."""
    engine = connect(owner_url, pool_size=1, statement_timeout_ms=0)
    try:
        with engine.begin() as connection:
            _alone(connection)
            connection.execute(text("set local lock_timeout = '1s'"))
            command.upgrade(_config(connection), "head")
        with engine.begin() as connection:
            _alone(connection)
            _apply_functions(connection)
            _apply_grants(connection)
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


def serves(connection: Connection) -> bool:
    """True if the database stands at the version this code was written for or a later one, and has had its functions:
    those who run the code of before go on while it is upgraded. Whether the guards are exactly these: `guards`."""
    known = text(
        "select coalesce(max(version_num), '') >= :head and exists (select from deployed where name = :name)"
        " from alembic_version"
    )
    return bool(connection.execute(known, {"head": _head(), "name": _deployment()}).scalar_one())


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


@cache
def _head() -> str:
    """The newest version of this code. Versions are numbers of one width, each later than the one before."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py"))


def _alone(connection: Connection) -> None:
    """Until this transaction ends, whoever upgrades the same database waits."""
    connection.execute(text("set local lock_timeout = 0"))
    connection.execute(text("select pg_advisory_xact_lock(hashtext('liangxian upgrade'))"))


def _deployment() -> str:
    """The row of `deployed` that says that these functions were here."""
    return f"functions {_functions_digest()[:32]}"


@cache
def _functions_digest() -> str:
    return sha256("".join(functions.files()).encode()).hexdigest()


def _apply_functions(connection: Connection) -> None:
    found = connection.execute(text("select digest from deployed where name = 'functions'")).scalar_one_or_none()
    if found == _functions_digest():
        return
    for written in functions.files():
        connection.exec_driver_sql(written.replace("%", "%%"))
    connection.execute(
        text("insert into deployed values (:name, :digest) on conflict (name) do update set digest = :digest"),
        [{"name": name, "digest": _functions_digest()} for name in ("functions", _deployment())],
    )


def _apply_grants(connection: Connection) -> None:
    """Every time: a table that came with a version alone has no grants yet."""
    connection.exec_driver_sql(functions.grants().replace("%", "%%"))


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
