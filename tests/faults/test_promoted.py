"""A standby takes over, and the former primary comes back thinking that nothing happened (F19, F21): what was booked is
there, what comes is booked at the new one, and the old one is not written to."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from config.postgres import Server, create_database, ensure_running, stop
from config.postgres_place import find_binaries, place_of, runnable
from core import elected
from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS
from tests.migrations.test_side_by_side import Both, Visitor
from tests.system import eventually, system

NAME = "liangxian_pair"


class Pair(Server):
    """Two servers under one address, the standby named second."""

    def __init__(self, first: Server, second: Server) -> None:
        super().__init__(first.data, first.sockets)
        object.__setattr__(self, "second", second)

    def _url(self, role: str, database: str) -> str:
        both = quote(f"{self.sockets},{self.second.sockets}", safe="")  # type: ignore[attr-defined]
        return f"postgresql://{role}@/{database}?host={both}&port=5432,5432&target_session_attrs=read-write"


@pytest.fixture
def pair(reachable: Path) -> Iterator[tuple[Server, Server, Pair]]:
    """A primary, its streaming standby, and both under one address."""
    one, two = reachable / "one", reachable / "two"
    pg_bin = os.environ.get("PG_BIN")
    try:
        first = ensure_running(one, pg_bin=pg_bin, fsync=False)
        create_database(first, NAME)
        upgrade(first.owner_url(NAME), departments=DEPARTMENTS)
        place = place_of(two)
        if place.user:
            os.chown(place.folder, place.user.pw_uid, -1)
        program = runnable(find_binaries(pg_bin), place) / "pg_basebackup"
        where = ("-h", first.sockets, "-p", "5432", "-U", "postgres")
        copied = place.run(program, *where, "-D", place.data, "-R", "-X", "stream", "-c", "fast")
        assert copied.returncode == 0, copied.stdout
        second = ensure_running(two, pg_bin=pg_bin, fsync=False)
        yield first, second, Pair(first, second)
    finally:
        stop(two)
        stop(one)


def entries(server: Server) -> int:
    with psycopg.connect(server.admin_url().replace("/postgres?", f"/{NAME}?")) as admin:
        return int(admin.execute("select count(*) from entry").fetchone()[0])


def test_who_was_replaced_is_not_written_to_when_he_comes_back(
    pair: tuple[Server, Server, Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, both = pair
    monkeypatch.setattr(elected, "FRESH_S", 0.2)
    with system(both, NAME, tmp_path / "outside") as ours:
        visitor, people = Visitor(ours.url), Both(ours, ours.url)
        visitor.comes(ours.url)

        def pays() -> None:
            started = visitor.begins(ours.url, *people.somebody(), "wechat")
            ours.outside.pay(started["code_url"])
            path = f"{ours.url}/api/v1/payments/{started['number']}"
            eventually(lambda: visitor.call("GET", path)["state"] == "paid", 20)

        pays()
        eventually(lambda: entries(second) == 1, 20)
        stop(first.data.parent)
        with psycopg.connect(second.admin_url(), autocommit=True) as admin:
            assert admin.execute("select pg_promote()").fetchone() == (True,)
        time.sleep(0.3)
        ours.parts.engine.dispose()
        ours.office.engine.dispose()
        pays()
        assert entries(second) == 2

        ensure_running(first.data.parent, pg_bin=os.environ.get("PG_BIN"), fsync=False)
        with psycopg.connect(first.admin_url()) as old:
            assert old.execute("select pg_is_in_recovery()").fetchone() == (False,), "it thinks that it is the one"
        for engine in (ours.parts.engine, ours.office.engine):
            engine.dispose()  # as a process that has just started, whose address names the old one first
        elected._KNOWN.clear()
        pays()
        assert (entries(first), entries(second)) == (1, 3)

        stop(second.data.parent)
        time.sleep(0.3)
        ours.parts.engine.dispose()
        ours.office.engine.dispose()
        with pytest.raises(psycopg.OperationalError):
            elected.elected_url(both.app_url(NAME))  # this process has seen the later one
        ensure_running(second.data.parent, pg_bin=os.environ.get("PG_BIN"), fsync=False)
        time.sleep(0.3)
        pays()
        assert (entries(first), entries(second)) == (1, 4)
