"""F7: what a copied checkout and a killed test run leave behind is seen by the next."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from config.postgres import ensure_running, running
from tests.conftest import HOME, _sweep
from tests.house.tree import ROOT

PYTHON = """#!/bin/sh
case "$1" in
  -V) echo "Python 3.11.99" ;;
  -m) test "$2" != venv || { mkdir -p .venv/bin && cp "$0" .venv/bin/python; } ;;
esac
"""


def set_up(checkout: Path) -> str:
    """`make setup` with an interpreter that installs nothing; what the stamp says afterwards."""
    environ = {"PATH": f"{checkout}/tools:{os.defpath}"}
    subprocess.run(["make", "-s", "setup"], cwd=checkout, env=environ, check=True, timeout=60)
    return (checkout / ".venv" / "place").read_text().strip()


def a_checkout(folder: Path) -> Path:
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.txt", "requirements-dev.txt", ".env"):
        (folder / name).write_text("")
    (folder / "tools" / "python3.11").write_text(PYTHON)
    (folder / "tools" / "python3.11").chmod(0o755)
    return folder


def test_a_copied_checkout_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    first = a_checkout(tmp_path / "first")
    assert set_up(first) == f"{first} Python 3.11.99"
    (first / ".venv" / "installed-there").write_text("")
    second = Path(shutil.copytree(first, tmp_path / "second"))

    assert set_up(second) == f"{second} Python 3.11.99" and not (second / ".venv" / "installed-there").exists()
    assert set_up(first) and (first / ".venv" / "installed-there").exists(), "the first one's stays"


def test_another_python_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    checkout = a_checkout(tmp_path / "first")
    set_up(checkout)
    (checkout / ".venv" / "installed-there").write_text("")
    newer = PYTHON.replace("3.11.99", "3.11.100")
    for python in (checkout / "tools" / "python3.11", checkout / ".venv" / "bin" / "python"):
        python.write_text(newer)

    assert set_up(checkout) == f"{checkout} Python 3.11.100" and not (checkout / ".venv" / "installed-there").exists()


def test_the_server_of_a_killed_test_run_is_ended_and_nobody_elses(server) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = Path(tempfile.mkdtemp(prefix=f"{HOME}{gone.pid}-"))
    left.chmod(0o755)
    ensure_running(left / "postgres", pg_bin=os.environ.get("PG_BIN"), fsync=False)

    _sweep()

    assert not left.exists() and running(server.data.parent) is not None
