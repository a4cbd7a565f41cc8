"""What every test may ask for: a real PostgreSQL, and an environment a process could start with."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from config.postgres import Server, create_database, ensure_running, stop
from core.db import connect
from core.vault import Vault
from migrations.declared import TABLES
from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS, a_vault, an_environment
from tests.one_at_a_time import look_out, seconds
from tests.system import System, system

DATABASE = "liangxian_test"
HOME = "liangxian-tests-"
SLOW = ("tests/simulate/", "tests/restore/")
SMALL = 256 * 1024  # bytes of a table: it takes a twentieth of the time to delete what is in it, and leaves it as large
FIXED = {"account", "determination_move", "payment_move", "refund_move", "trail_key"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rounds N`: how many kills the fault tests try at least. `--fault-table FILE`: where to write what became of
    each fault at each gateway."""
    parser.addoption("--rounds", default="1")
    parser.addoption("--fault-table", default=None)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: in a quarter of their time tests wait for clocks, locks and far sides."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few tests that take minutes come first: begun last, one would run while all others are done."""
    items.sort(key=lambda item: next((at for at, slow in enumerate(SLOW) if slow in item.nodeid), len(SLOW)))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One embedded server for all tests. It dies with them, so it does not wait for the disk."""
    _sweep()
    with tempfile.TemporaryDirectory(prefix=f"{HOME}{os.getpid()}-") as home:
        Path(home).chmod(0o755)  # run by root, the server is another user
        folder = Path(home) / "postgres"
        try:
            yield ensure_running(folder, pg_bin=os.environ.get("PG_BIN"), fsync=False)
        finally:
            stop(folder)


@pytest.fixture(scope="session", autouse=True)
def _guard_of_connections() -> None:
    look_out()


@pytest.fixture(autouse=True)
def _one_connection_at_a_time() -> Iterator[None]:
    """F2: no thread of ours takes a second connection of a pool while it has one in hand."""
    seconds.clear()
    yield
    assert seconds == []


def _sweep() -> None:
    """F7: a test run that was killed left its server; whoever runs next ends it."""
    for home in Path(tempfile.gettempdir()).glob(f"{HOME}*-*"):
        owner = home.name.removeprefix(HOME).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            stop(home / "postgres")
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def environment() -> dict[str, str]:
    """A complete environment of a sandbox, with keys of its own."""
    return an_environment()


@pytest.fixture(scope="session")
def database(server: Server) -> Server:
    """The test database, made by the migrations."""
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), departments=DEPARTMENTS)
    return server


@contextmanager
def emptied(database: Server) -> Iterator[Engine]:
    """The office commands' role, which may what the application may and brings people in, on an empty database;
    everything written is gone afterwards."""
    engine = connect(database.office_url(DATABASE))
    yield engine
    engine.dispose()
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("set lock_timeout = '30s'")  # a test that leaves a connection open says so
        empty(admin)


def empty(admin: psycopg.Connection) -> None:
    """As the upgrade leaves it."""
    admin.execute("set session_replication_role = replica")  # the book lets nobody empty it, us included
    tables = admin.execute(_FILLED, [[*(set(TABLES.tables) - FIXED), "procrastinate_jobs"]]).fetchall()
    names = ", ".join(name for name, _ in tables)
    if max(size for _, size in tables) > SMALL:
        admin.execute(f"truncate {names}")
    else:
        with admin.transaction():
            admin.execute(f"lock table {names} in access exclusive mode")  # as a truncate: whoever is left says so
            admin.execute("; ".join(f"delete from {name}" for name, _ in tables))
    admin.execute("insert into levy_year (year, opened_by) values (2022, 'upgrade')")


_FILLED = """
with recursive filled as (
  select oid from pg_class where relnamespace = 'public'::regnamespace and relname = any (%s)
  union select c.conrelid from pg_constraint c join filled on c.confrelid = filled.oid where c.contype = 'f')
select oid::regclass::text, pg_relation_size(oid) from filled order by oid = 'register_change'::regclass, 1
"""  # with those that stand on them; the trail last, for it notes what is taken away


@pytest.fixture
def engine(database: Server) -> Iterator[Engine]:
    """An engine of one test's own."""
    with emptied(database) as engine:
        yield engine


@pytest.fixture
def vault() -> Vault:
    """A vault with keys of its own."""
    return a_vault()


@pytest.fixture(scope="module")
def also() -> Mapping[str, str]:
    """What a file's system has of its own: its district, say."""
    return {}


@pytest.fixture
def running(engine: Engine, database: Server, tmp_path: Path) -> Iterator[System]:
    """The whole system over real HTTP, on an empty database."""
    with system(database, DATABASE, tmp_path / "outside") as up:
        yield up
