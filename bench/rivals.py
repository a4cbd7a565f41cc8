"""P12: postings a second against django-hordak and django-ledger, what a Python team would pick: the same entries of
three legs, the same PostgreSQL, as many processes, each entry its own commit."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, in_turn
from config.postgres import create_database, drop_database
from config.settings import CHECKOUT

PROCESSES = 4
RIVALS = ("django-hordak==2.0.0", "django-ledger==0.8.5", "psycopg[binary]==3.3.9")
THEIRS = CHECKOUT / ".tools" / "rivals"
POSTER = Path(__file__).with_name("rival_poster.py")
OTHER = "liangxian_rivals"


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Ours against each. They are installed into an environment of their own at the first run."""
    _install(say)
    sockets = ground.server.app_url(DATABASE).split("host=")[1].split("&")[0].replace("%2F", "/")
    found = []
    for engine, title, goal, stretch in (("hordak", RIVALS[0], 4, 6), ("ledger", RIVALS[1], 40, 60)):
        drop_database(ground.server, OTHER)
        create_database(ground.server, OTHER)
        try:
            _post(THEIRS / "bin" / "python", engine, sockets, OTHER, seconds, "prepare")
            mine, theirs = in_turn(
                ("ours", lambda: _posted(Path(sys.executable), "ours", sockets, DATABASE, seconds)),
                (title, lambda engine=engine: _posted(THEIRS / "bin" / "python", engine, sockets, OTHER, seconds)),
                unit="/s",
                runs=runs,
            )
        finally:
            drop_database(ground.server, OTHER)
        found.append(Ratio("P12", f"entries of three legs, {PROCESSES} processes", mine, theirs, goal, stretch))
    return found


def _install(say: Callable[[str], None]) -> None:
    mark = THEIRS / "installed"
    if mark.exists() and mark.read_text() == "\n".join(RIVALS):
        return
    say(f"installing {', '.join(RIVALS[:2])} into an environment of their own")
    subprocess.run([sys.executable, "-m", "venv", str(THEIRS)], check=True)
    pip = [str(THEIRS / "bin" / "pip"), "--disable-pip-version-check", "-q", "install", "--no-compile"]
    subprocess.run([*pip, *RIVALS], check=True)
    mark.write_text("\n".join(RIVALS))


def _post(python: Path, engine: str, sockets: str, database: str, seconds: int, *more: str) -> str:
    command = [str(python), str(POSTER), engine, sockets, database, str(seconds), *more]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _posted(python: Path, engine: str, sockets: str, database: str, seconds: int) -> float:
    """Entries a second of all processes together."""
    command = [str(python), str(POSTER), engine, sockets, database, str(seconds)]
    posting = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    booked = [int(one.communicate()[0]) for one in posting]
    assert all(one.returncode == 0 for one in posting)
    return sum(booked) / seconds
