"""An upgrade while others run the version before: who serves, who may what, and two at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from psycopg import Connection

from config.postgres import Server, create_database, drop_database
from core.db import connect
from migrations.guards import missing_guards
from migrations.standing import head, serves
from migrations.upgrade import _config, upgrade

BEFORE = "liangxian_upgraded"


@pytest.fixture(scope="module")
def there(server: Server) -> Iterator[Connection]:
    """A database of now, open to its superuser."""
    drop_database(server, BEFORE)
    create_database(server, BEFORE)
    upgrade(server.owner_url(BEFORE))
    with psycopg.connect(server.admin_url().replace("/postgres?", f"/{BEFORE}?"), autocommit=True) as admin:
        yield admin
    drop_database(server, BEFORE)


def serving(server: Server) -> bool:
    engine = connect(server.app_url(BEFORE), pool_size=1)
    with engine.connect() as connection:
        found = serves(connection)
    engine.dispose()
    return found


def test_the_code_of_before_serves_on_a_later_schema_and_the_code_of_later_not_yet(
    server: Server, there: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D3: at least what this code needs; a roll-back of the code serves too."""
    assert serving(server)
    there.execute("update alembic_version set version_num = '9000'")
    there.execute("update deployed set digest = 'of later' where name = 'functions'")
    assert serving(server), "another one upgraded: this code goes on"

    there.execute("update alembic_version set version_num = '0033'")
    assert not serving(server)
    there.execute("update alembic_version set version_num = %s", [head()])
    there.execute("update deployed set name = 'x' || name where starts_with(name, 'functions ')")
    assert not serving(server), "the functions of this code were never here"
    there.execute("update deployed set name = substr(name, 2) where starts_with(name, 'x')")
    assert serving(server)


def test_a_table_that_comes_with_a_version_alone_has_its_grants(server: Server, there: Connection) -> None:
    """F3: grants are given at every upgrade, not only when a function changed."""
    there.execute("create table fresh (id int)")
    there.execute("alter table fresh owner to liangxian_owner")
    there.execute("revoke insert on act from liangxian_app")
    there.execute("grant update on staff to liangxian_app")

    upgrade(server.owner_url(BEFORE))

    may = "select has_table_privilege('liangxian_app', %s, %s)"
    asked = [("fresh", "select"), ("act", "insert"), ("staff", "update")]
    assert [there.execute(may, each).fetchone() for each in asked] == [(True,), (True,), (False,)]
    there.execute("drop table fresh")


def test_from_the_version_before_comes_the_same_as_from_nothing(server: Server, there: Connection) -> None:
    """F3: every grant and every guard of a database that stood at the last version but one."""
    older = "liangxian_older"
    drop_database(server, older)
    create_database(server, older)
    owner = connect(server.owner_url(older), pool_size=1)
    with owner.begin() as connection:
        command.upgrade(_config(connection), "head-1")
    owner.dispose()

    upgrade(server.owner_url(older))

    grants = (
        "select table_name, grantee, privilege_type from information_schema.table_privileges"
        " where grantee in ('liangxian_app', 'liangxian_office') and table_schema = 'public' order by 1, 2, 3"
    )
    with psycopg.connect(server.admin_url().replace("/postgres?", f"/{older}?"), autocommit=True) as admin:
        assert admin.execute(grants).fetchall() == there.execute(grants).fetchall()
    owner = connect(server.owner_url(older), pool_size=1)
    with owner.connect() as connection:
        assert missing_guards(connection) == []
    owner.dispose()
    drop_database(server, older)


def test_two_upgrades_at_once_wait_for_each_other(server: Server) -> None:
    """F7."""
    name = "liangxian_twice"
    drop_database(server, name)
    create_database(server, name)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: upgrade(server.owner_url(name)), range(3)))

    drop_database(server, name)
