"""A PostgreSQL of Debian's whose log goes to a pgBackRest repository, set up from the files of deploy/, and the
keeper's program beside its configuration: as on a production machine, in a folder of the test's own."""

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.postgres import Server, create_database, ensure_running, stop
from config.settings import CHECKOUT

BIN = Path("/usr/lib/postgresql/15/bin")
DEPLOY = CHECKOUT / "deploy"
DATABASE = "liangxian"
MISSING = [
    str(path)
    for path in (BIN / "postgres", BIN / "pg_amcheck", Path("/usr/bin/pgbackrest"), Path("/usr/bin/python3"))
    if not path.exists()
]
WHY_NOT = f"needs Debian's postgresql-15 and pgbackrest: {', '.join(MISSING)} is not here"


@dataclass
class Ground:
    """The machine: `home` holds the server's folder, the repository and the configuration."""

    home: Path
    archive_timeout: int
    server: Server = field(init=False)

    @property
    def folder(self) -> Path:
        return self.home / "postgres"

    @property
    def user(self) -> str:
        """Who runs the server and its backups: nobody may as root."""
        return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    @property
    def keeper(self) -> str:
        """As BACKUP_KEEPER says it."""
        become = "/usr/sbin/runuser -u postgres -- " if os.geteuid() == 0 else ""
        return f"{become}{self.home}/keeper/keeper.py"

    def set_up(self) -> None:
        """Configuration from deploy/, a cluster with checksums that archives, its stanza, our database."""
        for name in ("conf.d", "repository", "log", "spool", "lock", "keeper"):
            (self.home / name).mkdir()
        self._configure()
        shutil.copy(DEPLOY / "pgbackrest" / "keeper.py", self.home / "keeper")
        self.server = ensure_running(self.folder, pg_bin=str(BIN))
        stop(self.folder)
        fragment = (DEPLOY / "postgresql" / "50-archive.conf").read_text()
        fragment = fragment.replace("/usr/bin/pgbackrest --stanza=liangxian", " ".join(self.pgbackrest()))
        fragment = re.sub(r"archive_timeout = \d+", f"archive_timeout = {self.archive_timeout}", fragment)
        with (self.server.data / "postgresql.conf").open("a") as written:
            written.write(f"\n{fragment}")
        self.start()
        self.run(*self.pgbackrest(), "stanza-create")
        create_database(self.server, DATABASE)

    def _configure(self) -> None:
        data = self.folder / "data"
        sockets = self.sockets()
        words = (DEPLOY / "pgbackrest" / "pgbackrest.conf").read_text()
        for name, value in {
            "repo1-path": self.home / "repository",
            "spool-path": self.home / "spool",
            "log-path": self.home / "log",
            "pg1-path": data,
            "pg1-socket-path": sockets,
        }.items():
            words = re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", words)
        here = f"lock-path={self.home}/lock\narchive-timeout=10\n"  # seconds until what cannot be archived is given up
        words = words.replace("[liangxian]", f"{here}[liangxian]")
        (self.home / "pgbackrest.conf").write_text(words)
        self.passphrase(secrets.token_urlsafe(48))
        told = (DEPLOY / "pgbackrest" / "keeper.conf").read_text()
        for name, value in {
            "pgbackrest_config": self.home / "pgbackrest.conf",
            "pgbackrest_include": self.home / "conf.d",
            "drill_home": self.home / "drill",
            "drill_sockets": self.home / "s",
            "app_user": pwd.getpwuid(os.geteuid()).pw_name,
        }.items():
            told = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", told)
        (self.home / "keeper" / "keeper.conf").write_text(told)
        self._own()

    def sockets(self) -> Path:
        """Where the embedded server listens: known before it is there."""
        from config.postgres import _socket_path  # noqa: PLC0415
        from config.postgres_place import place_of  # noqa: PLC0415

        return _socket_path(place_of(self.folder))

    def passphrase(self, words: str) -> None:
        """Write the repository's passphrase down, in a file of its own."""
        file = self.home / "conf.d" / "passphrases.conf"
        file.write_text(f"[global]\nrepo1-cipher-pass={words}\n")
        self._own()

    def tell(self, name: str, value: str) -> None:
        """Change a line of keeper.conf."""
        file = self.home / "keeper" / "keeper.conf"
        file.write_text(re.sub(rf"(?m)^{name} =.*$", f"{name} = {value}", file.read_text()))

    def _own(self) -> None:
        if os.geteuid() == 0:
            for path in [self.home, *self.home.rglob("*")]:
                with suppress(FileNotFoundError):
                    shutil.chown(path, "postgres")

    def pgbackrest(self) -> list[str]:
        """The tool as this machine's operator calls it."""
        return [
            "/usr/bin/pgbackrest",
            f"--config={self.home}/pgbackrest.conf",
            f"--config-include-path={self.home}/conf.d",
            "--stanza=liangxian",
        ]

    def keep(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The keeper's program, asked."""
        return self.run(f"{self.home}/keeper/keeper.py", *words, check=check)

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """As the server's user."""
        become = ["/usr/sbin/runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        return subprocess.run([*become, *words], cwd="/", check=check, capture_output=True, text=True, errors="replace")

    def start(self) -> None:
        """The server, until it answers."""
        self.server = ensure_running(self.folder, pg_bin=str(BIN))

    def psql(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Rows, as the superuser."""
        url = self.server.admin_url().replace("/postgres?", f"/{database}?")
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def lose(self) -> None:
        """The whole server killed as by a power cut, and its disk gone."""
        pid = int((self.server.data / "postmaster.pid").read_text().split()[0])
        family = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
        for each in (pid, *map(int, family.stdout.split())):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.02)
        shutil.rmtree(self.server.data)

    def restore(self, *how: str) -> None:
        """As docs/runbooks/R9-restore.md tells the operator: into the empty place of the lost one, then started."""
        self.server.data.mkdir(mode=0o700)
        self._own()
        self.run(*self.pgbackrest(), *how, "restore")
        self.start()
        while self.psql("select pg_is_in_recovery()")[0][0]:
            time.sleep(0.05)


@contextmanager
def ground(*, archive_timeout: int = 60) -> Iterator[Ground]:
    """The machine, set up; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"liangxian-restores-{os.getpid()}-") as home:
        Path(home).chmod(0o755)
        made = Ground(Path(home), archive_timeout)
        try:
            made.set_up()
            yield made
        finally:
            made.keep("forget", "drill", check=False)
            stop(made.folder)
