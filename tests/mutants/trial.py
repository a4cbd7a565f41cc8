"""One mistake, made in a copy of the tree, and whether a test notices."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.house.tree import ROOT, files
from tests.mutants.catalogue import Mutant

PATIENCE_S = 600
ALL_OTHERS = (
    "-n",
    "2",
    "--dist",
    "loadfile",
    "tests",
    *(f"--ignore=tests/{slow}" for slow in ("browser", "mutants", "house", "vectors")),
)
ALL_PATIENCE_S = 1500
STILLBORN = "stillborn"  # the database does not even read it: no mistake anybody could make


def noticed_by(mutant: Mutant, *, then_all: bool = False) -> str | None:
    """The first test that fails because of it; None if all that were asked still pass. `then_all`: what the tests it
    names let pass is put before all others, too."""
    with _copy() as copy:
        place = copy / mutant.file
        written = place.read_text(encoding="utf-8")
        assert written.count(mutant.old) == 1, f"{mutant.name}: {mutant.file} says it {written.count(mutant.old)} times"
        place.write_text(written.replace(mutant.old, mutant.new), encoding="utf-8")
        found = _failed(mutant, copy, mutant.told, PATIENCE_S)
        return found or (_failed(mutant, copy, ALL_OTHERS, ALL_PATIENCE_S) if then_all else None)


def unread() -> str:
    """What cannot even be read of all tests in a copy without a mistake: it would notice every mistake there is."""
    with _copy() as copy:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *ALL_OTHERS[4:]]
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout[-2000:] + ran.stderr[-2000:]


@contextmanager
def _copy() -> Iterator[Path]:
    """The tree as it stands, in a folder of its own; what is compiled of it too, which holds by the files' times."""
    with tempfile.TemporaryDirectory(prefix="liangxian-mutant-", ignore_cleanup_errors=True) as home:
        copy = Path(home) / "tree"
        for path in files():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, copy / path)
        for folder in {(ROOT / path).parent for path in files()}:
            if (folder / "__pycache__").exists():
                shutil.copytree(folder / "__pycache__", copy / folder.relative_to(ROOT) / "__pycache__")
        Path(home).chmod(0o755)
        yield copy


def _failed(mutant: Mutant, copy: Path, told: Sequence[str], patience_s: int) -> str | None:
    """What of these tests fails. Whoever hangs for ever has noticed; its server ends when its folder is gone."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *told]
    with subprocess.Popen(
        command,
        cwd=copy,
        env={**os.environ, "TMPDIR": str(copy.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            said, trouble = running.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            return "nothing came to its end"
    if running.returncode == 0:
        return None
    if "psycopg.errors.SyntaxError" in said:
        return STILLBORN
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    assert failed, f"{mutant.name}: no test ran\n{said[-2000:]}{trouble[-2000:]}"
    return failed[1]
