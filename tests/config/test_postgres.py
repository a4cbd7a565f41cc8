"""The embedded server: started once, kept, stopped, and its roles."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from config.postgres import (
    NotStarted,
    create_database,
    drop_database,
    ensure_running,
    find_binaries,
    running,
    stop,
)

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder():
    """A folder of its own for a server that is stopped afterwards, reachable for the server's user; not among pytest's,
    which another run of pytest locks again."""
    with tempfile.TemporaryDirectory(prefix="liangxian-tests-") as home:
        Path(home).chmod(0o755)
        yield Path(home) / "postgres"
        stop(Path(home) / "postgres")


def ask(url, question):
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()[0]


def postmaster(server):
    return int((server.data / "postmaster.pid").read_text().split()[0])


def test_starting_twice_uses_the_same_server(folder):
    first = ensure_running(folder, pg_bin=None)
    pid = postmaster(first)
    assert ensure_running(folder, pg_bin=None) == first
    assert postmaster(first) == pid
    assert running(folder) == first


def test_many_that_start_at_once_get_one_server(folder):
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: ensure_running(folder, pg_bin=None, fsync=False), range(4)))
    assert len(set(servers)) == 1
    assert ask(servers[0].admin_url(), "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'liangxian_%'") == 3


def test_a_killed_server_comes_back_with_every_row(folder):
    server = ensure_running(folder, pg_bin=None)
    create_database(server, "kept")
    with psycopg.connect(server.owner_url("kept"), autocommit=True) as connection:
        connection.execute("CREATE TABLE line (number int)")
        for number in range(50):
            connection.execute("INSERT INTO line VALUES (%s)", [number])
    os.kill(postmaster(server), signal.SIGKILL)
    again = ensure_running(folder, pg_bin=None)
    assert ask(again.owner_url("kept"), "SELECT count(*) FROM line") == 50


def test_a_stopped_server_is_gone_and_starts_again(folder):
    server = ensure_running(folder, pg_bin=None)
    assert stop(folder) is True
    assert running(folder) is None
    assert not server.sockets.exists()
    with pytest.raises(psycopg.OperationalError):
        ask(server.admin_url(), "SELECT 1")
    assert stop(folder) is False
    assert ask(ensure_running(folder, pg_bin=None).admin_url(), "SELECT 1") == 1


def test_a_folder_with_a_very_long_path_works(folder):
    deep = folder.joinpath(*["很长的目录名字" * 4] * 3)
    try:
        server = ensure_running(deep, pg_bin=None, fsync=False)
        assert len(os.fsencode(server.sockets)) < 80
        assert ask(server.app_url("postgres"), "SELECT 1") == 1
    finally:
        stop(deep)


def test_nobody_else_can_reach_the_data_or_the_socket(folder):
    server = ensure_running(folder, pg_bin=None, fsync=False)
    for private in (server.data, server.sockets):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert ask(server.admin_url(), "SHOW listen_addresses") == ""


def test_the_server_waits_for_the_disk_and_checks_its_pages(folder):
    server = ensure_running(folder, pg_bin=None)
    shown = [ask(server.admin_url(), f"SHOW {name}") for name in ("fsync", "data_checksums", "max_connections")]
    assert shown == ["on", "on", "200"]
    assert ask(server.admin_url(), "SHOW server_encoding") == "UTF8"


def test_an_initdb_cut_short_is_begun_anew(folder):
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("17\n")
    assert ask(ensure_running(folder, pg_bin=None, fsync=False).admin_url(), "SELECT 1") == 1
    assert not (folder / "data.new").exists()


def test_a_cluster_of_another_version_is_named_not_touched(folder):
    server = ensure_running(folder, pg_bin=None, fsync=False)
    stop(folder)
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(NotStarted, match="of PostgreSQL 9"):
        ensure_running(folder, pg_bin=None)


def test_a_socket_folder_that_is_not_ours_is_refused(folder):
    server = ensure_running(folder, pg_bin=None, fsync=False)
    stop(folder)
    server.sockets.mkdir()
    server.sockets.chmod(0o777)
    try:
        with pytest.raises(NotStarted, match="private"):
            ensure_running(folder, pg_bin=None)
    finally:
        server.sockets.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_as_root_the_server_is_another_user_and_no_folder_above_is_changed(folder):
    above = {path: path.stat().st_mode for path in folder.absolute().parents}
    server = ensure_running(folder, pg_bin=None, fsync=False)
    assert server.data.stat().st_uid != 0
    assert os.stat(f"/proc/{postmaster(server)}").st_uid != 0
    assert {path: path.stat().st_mode for path in above} == above


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a folder that the server's user cannot reach")
def test_as_root_a_closed_checkout_stays_closed_and_the_data_moves(folder):
    folder.parent.chmod(0o700)
    server = ensure_running(folder, pg_bin=None, fsync=False)
    moved = server.data.parent
    try:
        assert moved.parent == Path("/var/lib/liangxian")
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert ensure_running(folder, pg_bin=None, fsync=False) == server
    finally:
        stop(folder)
        folder.parent.chmod(0o755)
        shutil.rmtree(moved)


def test_the_app_owns_nothing_and_the_owner_owns_its_database(server):
    create_database(server, "owned")
    create_database(server, "owned")  # a second time changes nothing
    try:
        with (
            psycopg.connect(server.app_url("owned")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE TABLE mine (number int)")
        with psycopg.connect(server.owner_url("owned")) as connection:
            connection.execute("CREATE EXTENSION pgcrypto")
            connection.execute("CREATE TABLE ours (number int)")
        engine = create_engine(server.app_url("owned"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == "liangxian_app"
        engine.dispose()
    finally:
        drop_database(server, "owned")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.owner_url("owned"))


def test_the_binaries_named_come_first_and_wrong_ones_are_refused(tmp_path):
    found = find_binaries()
    assert find_binaries(str(found)) == found
    with pytest.raises(NotStarted):
        find_binaries(str(tmp_path))


def test_the_callers_own_postgres_variables_do_not_reach_the_server(folder, monkeypatch):
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere.invalid"}.items():
        monkeypatch.setenv(name, value)
    assert ask(ensure_running(folder, pg_bin=None, fsync=False).admin_url(), "SELECT 1") == 1


def test_the_command_starts_tells_and_stops(folder):
    def command(verb):
        run = subprocess.run(
            [sys.executable, "-m", "config.postgres", verb, folder],
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
        )
        return run.returncode, run.stdout.split(":")[0].strip()

    assert command("status") == (3, "not running")
    assert command("start") == (0, "running")
    assert command("status") == (0, "running")
    assert command("stop") == (0, "stopped")
    assert command("stop") == (0, "was not running")
    assert command("dance")[0] == 2


def test_many_processes_may_make_the_same_database_at_once(server):
    """D12: who starts at the same moment waits; none dies of "tuple concurrently updated"."""
    program = "import sys; from config.postgres import *; from pathlib import Path\n"
    program += "server = ensure_running(Path(sys.argv[1]), pg_bin=None, fsync=False)\n"
    program += "[create_database(server, 'at_once') for _ in range(20)]"

    started = [
        subprocess.Popen([sys.executable, "-c", program, str(server.data.parent)], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 4
