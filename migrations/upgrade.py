"""Brings a database to the present: versions, then the functions and the small fixed tables if they changed.

The owner's role runs this, never the application's, while others work with the database (docs/upgrading.md). Each
version is one transaction, and so is each unit of the functions: killed anywhere, the database says truly where it
stands, and running it again goes on from there. Who runs it at the same time waits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.registry.determinations import MOVES as DETERMINATION_MOVES
from core.db import connect
from migrations import functions
from migrations.declared import TABLES, ours
from migrations.patience import alone, patiently
from migrations.standing import deployment
from payments.ledger.chart import Funds, accounts, no_funds
from payments.states import MOVES, REFUND_MOVES

HERE = Path(__file__).parent
UNDERWAY = "underway"  # what is said of the functions while they are neither those of before nor these


@dataclass(frozen=True)
class Version:
    """One version of the schema. `step`: `expand` leaves everything to the code of before, `contract` takes away what
    no running code needs any more; empty before the rule (0048). `after`: the code that must run everywhere first."""

    number: str
    title: str
    step: str
    after: str
    module: ModuleType


def upgrade(
    owner_url: str,
    *,
    years: Iterable[int] = (2022,),
    departments: Mapping[str, str] = MappingProxyType({}),
    funds: Funds = no_funds,
    say: Callable[[str], None] = lambda _done: None,
) -> None:
    """To the newest schema, functions, chart of accounts and legal moves; `say` hears the number of each version that
    is done. `years` are those that a new database collects for, `departments` those that pay in the district, code →
    name, `funds` what is collected with a year's premiums; the accounts of one that is gone stay. StillHeld."""
    engine = connect(owner_url, pool_size=1, statement_timeout_ms=0)
    try:
        with alone(owner_url):
            _bring_versions(engine, say)
            _bring_functions(engine)
            patiently(engine, lambda connection: _bring_the_rest(connection, years, departments, funds))
    finally:
        engine.dispose()


def pending(connection: Connection) -> Sequence[Version]:
    """The versions that are not done yet, the next first."""
    there = _stands_at(connection)
    return [version for version in versions() if version.number > there]


def functions_changed(connection: Connection) -> bool:
    """Whether the functions are not those of this code."""
    return _stands_at(connection) == "" or _applied(connection) != functions.digest()


@cache
def versions() -> Sequence[Version]:
    """All, the first first."""
    found = []
    for script in _scripts().walk_revisions():
        module = script.module
        step, after = getattr(module, "STEP", ""), getattr(module, "AFTER", "")
        found.append(Version(script.revision, script.doc, step, after, module))
    return found[::-1]


def new_version(owner_url: str, message: str) -> None:
    """Writes the next version file from the difference between declared tables and the database."""
    engine = connect(owner_url, pool_size=1)
    with engine.begin() as connection:
        config = _config(connection)
        count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
        command.revision(config, message, autogenerate=True, rev_id=f"{count + 1:04d}")
    engine.dispose()


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
def _scripts() -> ScriptDirectory:
    """The files of all versions, read once."""
    return ScriptDirectory(str(HERE))


def _bring_versions(engine: Engine, say: Callable[[str], None]) -> None:
    """One by one; of a database in which nothing is yet nobody waits for anything, so all at once."""
    with engine.connect() as connection:
        there, waiting = _stands_at(connection), pending(connection)
    if not there:
        with engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    for version in waiting if there else ():
        if beforehand := getattr(version.module, "beforehand", None):
            beforehand(engine)
        patiently(engine, lambda connection, version=version: _bring_one(connection, version))
        say(version.number)


def _bring_one(connection: Connection, version: Version) -> None:
    """As `alembic upgrade` does it, which would read every version anew for each."""
    context = MigrationContext.configure(connection)
    with Operations.context(context):
        version.module.upgrade()
    context.stamp(_scripts(), version.number)


def _stands_at(connection: Connection) -> str:
    """The version that the database says; empty for one in which nothing is."""
    if not connection.execute(text("select to_regclass('alembic_version') is not null")).scalar_one():
        return ""
    return str(connection.execute(text("select coalesce(max(version_num), '') from alembic_version")).scalar_one())


def _bring_the_rest(connection: Connection, years: Iterable[int], departments: Mapping[str, str], funds: Funds) -> None:
    """Grants every time: a table that came with a version alone has none yet."""
    connection.exec_driver_sql(functions.grants().replace("%", "%%"))
    _fill_fixed_tables(connection, years, departments, funds)


def _applied(connection: Connection) -> str | None:
    found = connection.execute(text("select digest from deployed where name = 'functions'")).scalar_one_or_none()
    return None if found is None else str(found)


def _bring_functions(engine: Engine) -> None:
    """Unit by unit, so that no try needs more locks than the triggers of one table. Who is called comes before who
    calls: between two units the callers of before meet what the running code of before meets anyway."""
    with engine.connect() as connection:
        if _applied(connection) == functions.digest():
            return
    patiently(engine, lambda connection: _say_deployed(connection, {"functions": UNDERWAY}))
    for unit in functions.units():
        patiently(engine, lambda connection, sql=unit: connection.exec_driver_sql(sql.replace("%", "%%")))
    done = dict.fromkeys(("functions", deployment()), functions.digest())
    patiently(engine, lambda connection: _say_deployed(connection, done))


def _say_deployed(connection: Connection, said: Mapping[str, str]) -> None:
    connection.execute(
        text(
            "insert into deployed values (:name, :digest) on conflict (name) do update set digest = :digest, at = now()"
        ),
        [{"name": name, "digest": digest} for name, digest in said.items()],
    )


def _fill_fixed_tables(
    connection: Connection, years: Iterable[int], departments: Mapping[str, str], funds: Funds
) -> None:
    connection.execute(
        text(
            "insert into levy_year (year, opened_by) select cast(:year as smallint), 'upgrade'"
            " where not exists (select from levy_year where year <> all (:years))"
            " on conflict (year) do nothing"
        ),
        [{"year": year, "years": list(years)} for year in years],
    )
    known = connection.execute(text("select year from levy_year")).scalars()
    connection.execute(
        text("insert into account values (:code, :kind, :name) on conflict (code) do update set name = :name"),
        [vars(line) for line in accounts(known, departments, funds)],
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
