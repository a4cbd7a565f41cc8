"""The PostgreSQL of the default run and of the tests: found, started once, reached over a private unix socket.

    folder/            ours; lock, log
    folder/data/       the cluster, mode 0700, owned by whoever runs the server

A live server is one that answers a connection: a killed process may linger as a zombie and look alive.
"""

import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.postgres_place import NotStarted, Place, digest, find_binaries, place_of, runnable, version
from config.settings import environment

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / ".local" / "postgres"
SOCKET_HOME = Path("/tmp")  # noqa: S108 short, and the same for every process whatever TMPDIR says; see _socket_path
OWNER, OFFICE, APP, ADMIN = "liangxian_owner", "liangxian_office", "liangxian_app", "postgres"
PATIENCE = 60.0  # seconds until a server that does not answer is given up


@dataclass(frozen=True)
class Server:
    """A running embedded server. `data` is the cluster's folder, `sockets` the private socket's."""

    data: Path
    sockets: Path

    def owner_url(self, database: str) -> str:
        """For migrations: the role that owns the databases and every table."""
        return self._url(OWNER, database)

    def app_url(self, database: str) -> str:
        """For the running system: a role that owns nothing."""
        return self._url(APP, database)

    def office_url(self, database: str) -> str:
        """For the commands that make accounts and take files in."""
        return self._url(OFFICE, database)

    def admin_url(self) -> str:
        """For creating and dropping databases only."""
        return self._url(ADMIN, "postgres")

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}&port=5432"


def ensure_running(folder: Path, *, pg_bin: str | None, fsync: bool = True) -> Server:
    """The folder's server, created and started if need be. `fsync=False` is for throw-away tests. NotStarted."""
    place = place_of(folder)
    with _locked(place.folder):
        server = Server(place.data, _socket_folder(place))
        if not _answers(server):
            binaries = runnable(find_binaries(pg_bin), place)
            _create_cluster(place, binaries, fsync=fsync)
            _start(place, binaries, server, fsync=fsync)
        _create_roles(server)
    return server


def running(folder: Path) -> Server | None:
    """The folder's server if it answers; starts nothing."""
    place = place_of(folder)
    if not _socket_path(place).exists():
        return None
    server = Server(place.data, _socket_folder(place))
    return server if _answers(server) else None


def stop(folder: Path) -> bool:
    """Fast shutdown of the folder's own server; False if none was running."""
    place = place_of(folder)
    with _locked(place.folder):
        if not _socket_path(place).exists():
            return False
        server = Server(place.data, _socket_folder(place))
        was_running = _shut_down(server)
        with suppress(OSError):  # a killed server leaves its socket there, for the next start to clear
            server.sockets.rmdir()
    return was_running


def create_database(server: Server, name: str, *, template: str = "template0") -> None:
    """A database owned by the owner role and open to ours only; nothing happens if it exists. One process at a time."""
    with _locked(server.data.parent), psycopg.connect(server.admin_url(), autocommit=True) as connection:
        with suppress(psycopg.errors.DuplicateDatabase):
            words = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            connection.execute(words.format(*map(sql.Identifier, (name, OWNER, template))))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        words = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}")
        connection.execute(words.format(*map(sql.Identifier, (name, APP, OFFICE))))


def drop_database(server: Server, name: str) -> None:
    """Remove a database and end its connections; nothing happens if there is none."""
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time starts or stops the folder's server."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _socket_path(place: Place) -> Path:
    """Short, because a socket's path is at most 107 bytes; made of the data folder's digest."""
    return SOCKET_HOME / f"liangxian-{digest(place.folder.resolve())}"


def _socket_folder(place: Place) -> Path:
    """The socket's folder, made and closed to others. NotStarted."""
    sockets = _socket_path(place)
    try:
        sockets.mkdir(mode=0o700)
        os.chown(sockets, place.uid, -1)
    except FileExistsError:
        found = sockets.lstat()  # somebody else may have made it first, to listen there in our name
        if not sockets.is_dir() or sockets.is_symlink() or found.st_uid != place.uid or found.st_mode & 0o077:
            raise NotStarted(f"{sockets} is not a private folder of ours") from None
    return sockets


def _create_cluster(place: Place, binaries: Path, *, fsync: bool) -> None:
    """initdb beside the final place, then one rename: a cluster is there whole or not at all."""
    if place.data.exists():
        held, programs = (place.data / "PG_VERSION").read_text().strip(), version(binaries, place)
        if held != programs:
            raise NotStarted(f"{place.data} is of PostgreSQL {held}, the programs are {programs}: set PG_BIN")
        return
    fresh = place.folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    os.chown(fresh, place.uid, -1)
    options = ["--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust", f"--username={ADMIN}", "--data-checksums"]
    made = place.run(binaries / "initdb", *options, *([] if fsync else ["--no-sync"]), "-D", fresh)
    if made.returncode:
        raise NotStarted(f"initdb failed:\n{made.stdout}")
    fresh.rename(place.data)


def _start(place: Place, binaries: Path, server: Server, *, fsync: bool) -> None:
    """Start until it answers. The shell stays as the server's parent and buries it at once if it is killed."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(server.sockets),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "timezone": "UTC",
        "fsync": "on" if fsync else "off",
        # An error's words may hold what was sent, and the row: we log its code, the server logs what it is itself.
        "log_min_messages": "log",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    deadline = time.monotonic() + PATIENCE
    with (place.folder / "log").open("a") as log:
        while not _answers(server):
            if time.monotonic() > deadline:
                raise NotStarted(f"the server does not answer; the last lines of {log.name}:\n{_tail(log.name)}")
            if not _listens(server):
                keeper = ("sh", "-c", '("$@"; :) &', "sh", binaries / "postgres", "-D", place.data, *options)
                place.run(*keeper, stdout=log.fileno(), stderr=log.fileno(), start_new_session=True)
                _wait_until(lambda: _listens(server), seconds=1.0)
            time.sleep(0.02)


def _shut_down(server: Server) -> bool:
    pid_file = server.data / "postmaster.pid"
    if not (pid_file.exists() and _listens(server)):
        return False
    # Something listens on the private socket, so the pid beside the data is the live server's and not reused.
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
    _wait_until(lambda: not pid_file.exists(), seconds=PATIENCE)
    if pid_file.exists():
        raise NotStarted(f"the server in {server.data} does not stop")
    return True


def _wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)


def _listens(server: Server) -> bool:
    """Is there a process behind the socket, perhaps still recovering?"""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(server.sockets / ".s.PGSQL.5432")) == 0


def _answers(server: Server) -> bool:
    """Does a real connection get a real answer?"""
    try:
        with psycopg.connect(server.admin_url(), connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _create_roles(server: Server) -> None:
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        for role in (OWNER, APP, OFFICE):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [OFFICE, APP]).fetchone() != (True,):
            connection.execute(sql.SQL("GRANT {} TO {}").format(*map(sql.Identifier, (APP, OFFICE))))


def _tail(log: str) -> str:
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-10:])


def _main(words: list[str]) -> int:
    """`python -m config.postgres start|stop|status [folder]`."""
    verb, folder = words[0] if words else "", Path(words[1]) if len(words) > 1 else DEFAULT_FOLDER
    if verb not in ("start", "stop", "status") or len(words) > 2:
        sys.stderr.write("python -m config.postgres start|stop|status [folder]\n")
        return 2
    try:
        if verb == "start":
            server = ensure_running(folder, pg_bin=environment().get("PG_BIN"))
            sys.stdout.write(f"running: {server.admin_url()}\n")
        elif verb == "stop":
            sys.stdout.write("stopped\n" if stop(folder) else "was not running\n")
        else:
            server = running(folder)
            sys.stdout.write(f"running: {server.admin_url()}\n" if server else "not running\n")
            return 0 if server else 3
    except NotStarted as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
