"""What every test may ask for: a real PostgreSQL, and an environment a process could start with."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.postgres import Server, ensure_running, stop
from tests.builders import an_environment


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One embedded server for all tests. It dies with them, so it does not wait for the disk."""
    with tempfile.TemporaryDirectory(prefix="liangxian-tests-") as home:
        Path(home).chmod(0o755)  # run by root, the server is another user
        folder = Path(home) / "postgres"
        try:
            yield ensure_running(folder, pg_bin=os.environ.get("PG_BIN"), fsync=False)
        finally:
            stop(folder)


@pytest.fixture
def environment() -> dict[str, str]:
    """A complete environment of a sandbox, with keys of its own."""
    return an_environment()


# The database made by the migrations, and the session on it, stand below this line.
