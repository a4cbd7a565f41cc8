"""F28, F30: an upgrade beside people who work: it waits for a lock less than a second at a time, and killed at any
statement it leaves a database that says truly where it stands, from which it goes on."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from sqlalchemy import event
from sqlalchemy.engine import Engine

from config.postgres import Server, create_database, drop_database
from core.db import connect
from migrations import functions, patience, slowly
from migrations.guards import missing_guards
from migrations.patience import StillHeld, patiently, somebody_upgrades
from migrations.standing import head
from migrations.upgrade import UNDERWAY, _config, pending, upgrade
from tests.migrations.test_steps import RULED

LOOKS = 5  # statements by which an upgrade asks where the database stands
HERE, NOW, BEFORE = "liangxian_patient", "liangxian_now", "liangxian_ruled"


@pytest.fixture(scope="module")
def now(server: Server) -> Iterator[str]:
    """The name of a database of now, of which each test has a copy."""
    drop_database(server, NOW)
    create_database(server, NOW)
    upgrade(server.owner_url(NOW))
    yield NOW
    drop_database(server, NOW)


@pytest.fixture
def there(server: Server, now: str) -> Iterator[psycopg.Connection]:
    """A database of now, open to its superuser, whose functions are taken for others."""
    drop_database(server, HERE)
    create_database(server, HERE, template=now)
    with psycopg.connect(server.admin_url().replace("/postgres?", f"/{HERE}?"), autocommit=True) as admin:
        admin.execute("update deployed set digest = 'of before' where name = 'functions'")
        yield admin
    drop_database(server, HERE)


def digest(admin: psycopg.Connection) -> str:
    return str(admin.execute("select digest from deployed where name = 'functions'").fetchone()[0])


def test_nobody_waits_a_second_for_an_upgrade_that_waits_for_somebody(
    server: Server, there: psycopg.Connection
) -> None:
    """F28: somebody has a payment in hand for three seconds; who comes meanwhile queues behind the upgrade, briefly."""
    waits: list[float] = []
    ended = threading.Event()

    def pays() -> None:
        with psycopg.connect(server.app_url(HERE), autocommit=True) as visitor:
            while not ended.is_set():
                began = time.monotonic()
                visitor.execute("select count(*) from payment")
                waits.append(time.monotonic() - began)
                time.sleep(0.01)

    visitor = threading.Thread(target=pays)
    upgrading = threading.Thread(target=upgrade, args=(server.owner_url(HERE),))
    with psycopg.connect(server.app_url(HERE)) as holder:
        holder.execute("lock table payment in row exclusive mode")
        visitor.start()
        upgrading.start()
        time.sleep(3)
        assert digest(there) == UNDERWAY and upgrading.is_alive()
        holder.rollback()
    upgrading.join(20)
    ended.set()
    visitor.join()

    assert digest(there) == functions.digest()
    assert len(waits) > 20 and 0.02 < max(waits) < 1.3, f"somebody waited {max(waits):.2f} s"


def test_an_upgrade_that_is_never_let_through_gives_up_and_has_done_nothing(
    server: Server, there: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "GIVE_UP_S", 0.1)
    owner = connect(server.owner_url(HERE), pool_size=1)
    with psycopg.connect(server.app_url(HERE)) as holder:
        holder.execute("lock table payment in row exclusive mode")
        with pytest.raises(StillHeld):
            patiently(owner, lambda c: c.exec_driver_sql("create table never (); lock table payment"), give_up_s=0)
    with owner.connect() as connection:
        assert not somebody_upgrades(connection)
    owner.dispose()
    assert there.execute("select to_regclass('never')").fetchone() == (None,)


def test_for_an_hour_the_code_of_before_does_not_miss_its_own_functions(
    server: Server, there: psycopg.Connection
) -> None:
    """Afterwards it does: a process was forgotten, or somebody only said so."""
    there.execute(
        "create or replace function refund_moves() returns trigger language plpgsql as $$begin return new; end$$"
    )
    engine = connect(server.app_url(HERE), pool_size=1)
    looks = {
        "now()": [],
        "now() - interval '61 minutes'": ["function refund_moves"],
        "now() + interval '1 day'": ["function refund_moves"],
    }
    for moment, missed in looks.items():
        there.execute(f"update deployed set at = {moment} where name = 'functions'")
        with engine.connect() as old:
            assert missing_guards(old) == missed
    there.execute("update deployed set at = now(), digest = %s where name = 'functions'", [functions.digest()])
    with engine.connect() as old:
        assert missing_guards(old) == ["function refund_moves"], "ours are said to be there"
    engine.dispose()


@pytest.fixture(scope="module")
def ruled(server: Server) -> Iterator[None]:
    """A database as the last version before the rule left it."""
    for name in (HERE, BEFORE):
        drop_database(server, name)
    create_database(server, BEFORE)
    owner = connect(server.owner_url(BEFORE), pool_size=1)
    with owner.begin() as connection:
        command.upgrade(_config(connection), RULED)
    owner.dispose()
    yield
    drop_database(server, BEFORE)


def struck(url: str, at: int) -> bool:
    """An upgrade in a process of its own that is killed before its statement number `at`; whether it was."""
    child = os.fork()
    if child == 0:
        count = iter(range(1, at + 1))

        def kill(*_: object) -> None:
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", kill)
        try:
            upgrade(url)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.usefixtures("ruled")
def test_killed_at_every_statement_it_goes_on_from_where_the_database_says(server: Server) -> None:
    """F30. Every statement of the versions, every hundredth of the functions and what comes after: what follows on a
    kill is the next try, which comes one statement further. How a try looks where it stands is the same each time: it
    is killed there once."""
    url, at, kills, stood = server.owner_url(HERE), 1, 0, RULED
    steps = {RULED, *(version.number for version in _after(server))}
    create_database(server, HERE, template=BEFORE)
    while struck(url, at):
        with psycopg.connect(url) as owner:
            stands = owner.execute("select version_num from alembic_version").fetchone()[0]
            column = owner.execute(
                "select count(*) from pg_attribute where attrelid = 'deployed'::regclass and attname = 'at'"
            ).fetchone()[0]
        assert stands in steps and stands >= stood and bool(column) is (stands > RULED), "the version is the truth"
        kills, at, stood = kills + 1, at + 100 if stands == head() else at + 1 if stands == stood else LOOKS, stands
    assert stood == head() and kills > 6 * len(steps)
    connection = connect(url, pool_size=1)
    with connection.connect() as owned:
        assert (list(pending(owned)), missing_guards(owned)) == ([], [])
    connection.dispose()
    drop_database(server, HERE)


def _after(server: Server) -> list[object]:
    owner = connect(server.owner_url(BEFORE), pool_size=1)
    with owner.connect() as connection:
        found = list(pending(connection))
    owner.dispose()
    return found


def test_what_is_done_beforehand_can_be_killed_and_done_again(
    server: Server, there: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slowly, "BATCH", 3)
    there.execute("create table slow as select n as id, n % 2 as twice, null::int as x from generate_series(1, 10) n")
    there.execute("alter table slow owner to liangxian_owner")
    owner = connect(server.owner_url(HERE), pool_size=1)
    with pytest.raises(psycopg.errors.UniqueViolation):
        there.execute("create unique index concurrently slow_id on slow (twice)")
    assert there.execute("select indisvalid from pg_index where indexrelid = 'slow_id'::regclass").fetchone() == (
        False,
    )
    filled = "update slow set x = id where id in (select id from slow where x is null order by id limit :batch)"

    for again in (10, 0):
        slowly.build_index(owner, "slow_id", "slow (id)", unique=True)
        assert slowly.in_batches(owner, filled) == again
    there.execute("alter table slow add constraint ck__slow check (x = id) not valid")
    slowly.validate(owner, "slow", "ck__slow")
    owner.dispose()

    assert there.execute("select indisvalid from pg_index where indexrelid = 'slow_id'::regclass").fetchone() == (True,)
    assert there.execute("select convalidated from pg_constraint where conname = 'ck__slow'").fetchone() == (True,)
    assert there.execute("select count(*) from slow where x = id").fetchone() == (10,)


def test_a_unit_of_the_functions_holds_one_table_and_leaves_no_guard_out() -> None:
    units = list(functions.units())

    assert re.sub(r"\s|--.*", "", "".join(units)) == re.sub(r"\s|--.*", "", "".join(functions.files()))
    for unit in units:
        made = set(functions.TRIGGER.findall(unit)) | set(re.findall(r"create policy (\w+) on (\w+)", unit))
        gone = set(re.findall(r"drop (?:trigger|policy) if exists (\w+) on (\w+)", unit))
        assert made <= gone and len({table for _, table in made | gone}) <= 1, unit
        assert unit.count("$$") % 2 == 0
