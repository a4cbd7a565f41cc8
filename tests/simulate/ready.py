"""A database with everything of ours and nobody's rows: made once, and each season of a run begins with a copy."""

import subprocess
from pathlib import Path

import psycopg

from config.postgres import create_database, ensure_running, stop
from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS

DATABASE = "liangxian_season"
_SETTINGS = {"autovacuum": "off", "checkpoint_timeout": "1d", "max_wal_size": "16GB"}  # nothing by the real clock


def make(folder: Path) -> None:
    """Made and stopped."""
    server = ensure_running(folder / "postgres", pg_bin=None)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        for name, value in _SETTINGS.items():
            admin.execute(f"alter system set {name} = '{value}'")
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), departments=DEPARTMENTS)
    stop(folder / "postgres")


def put(folder: Path, made: Path | None) -> None:
    """Into a season's folder: a copy of what was made, or made there."""
    if made is None:
        make(folder)
    else:
        subprocess.run(["cp", "-a", made / "postgres", folder / "postgres"], check=True)
