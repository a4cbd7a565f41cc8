"""A database and processes of their own for the measurements, removed afterwards."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.cli.stack import Stack, free_port
from config.local import own_lines, sandbox_keys
from config.postgres import Server, create_database, drop_database, ensure_running
from config.postgres_place import find_binaries
from config.settings import CHECKOUT, Settings
from payments.sandbox.keys import SandboxKeys, load_keys

DATABASE = "liangxian_bench"


@dataclass
class Ground:
    """Where it is measured: the server, the environment of the processes, the far side's keys."""

    server: Server
    environ: dict[str, str]
    port: int
    keys: SandboxKeys
    folder: Path
    pg_bin: str | None

    def sql(self, statement: str, values: object = None) -> list[tuple[object, ...]]:
        """Run something as the owner of the tables."""
        with psycopg.connect(self.server.owner_url(DATABASE), autocommit=True) as connection:
            done = connection.execute(statement, values)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def admin(self, statement: str, values: object = None) -> None:
        """Run something past the book's guards: for emptying and filling tables between runs only."""
        url = self.server.admin_url().replace("/postgres?", f"/{DATABASE}?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement, values)  # type: ignore[arg-type]

    def settings(self) -> Settings:
        """The settings the measured processes start with."""
        return Settings.from_environment(self.environ)

    def pgbench(self, script: str, *, clients: int, seconds: int) -> float:
        """Transactions per second of a script, prepared, as the application's role."""
        file = self.folder / "script.sql"
        file.write_text(script)
        program = find_binaries(self.pg_bin) / "pgbench"
        sockets = self.server.app_url(DATABASE).split("host=")[1].split("&")[0].replace("%2F", "/")
        done = subprocess.run(
            [
                *(str(program), "-n", "-M", "prepared", "-f", str(file), "-D", "i=0"),
                *("-c", str(clients), "-j", "2", "-T", str(seconds)),
                *("-h", sockets, "-p", "5432", "-U", "liangxian_app", DATABASE),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PGOPTIONS": "-c liangxian.places=*"},  # untold is nothing (decision 0023)
        )
        assert done.returncode == 0, done.stderr[-2000:]
        line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
        return float(line.split()[2])

    @contextmanager
    def web(self, application: str = "wsgi:app", *, worker: bool = False, **more: str) -> Iterator[int]:
        """A web process with the settings' workers and threads, beside it the background process; its port."""
        stack = Stack(
            {**os.environ, **self.environ, **more}, self.port, 0, self.folder / "far", application=application
        )
        stack.start_web()
        if worker:
            stack.start_worker()
        try:
            stack.wait_for(f"http://127.0.0.1:{self.port}/livez", "web")
            yield self.port
        finally:
            stack.stop()


@contextmanager
def ground(pg_bin: str | None, postgres_folder: Path) -> Iterator[Ground]:
    """A fresh database on the usual server (fsync on), keys of a far side, and a free port."""
    folder = CHECKOUT / ".local" / "bench"
    server = ensure_running(postgres_folder, pg_bin=pg_bin)
    drop_database(server, DATABASE)
    create_database(server, DATABASE)
    port = free_port()
    environ = (
        own_lines()
        | {
            "DATABASE_URL": server.app_url(DATABASE),
            "DATABASE_OFFICE_URL": server.office_url(DATABASE),
            "DATABASE_OWNER_URL": server.owner_url(DATABASE),
            "PORT": str(port),
            "SMS_PROVIDER": "console",
            "LOG_LEVEL": "WARNING",
        }
        | dict(sandbox_keys(folder / "far", base_url="http://127.0.0.1:9"))
    )
    migrate = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "wsgi",
        "db",
        "upgrade",
    ]  # its memory is none of what is measured
    subprocess.run(migrate, cwd=CHECKOUT, env={**os.environ, **environ}, check=True, stdout=subprocess.DEVNULL)
    try:
        yield Ground(server, environ, port, load_keys(folder / "far"), folder, pg_bin)
    finally:
        drop_database(server, DATABASE)
