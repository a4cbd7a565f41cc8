"""One mistake, made in a copy of the tree, and whether a test notices."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.house.tree import ROOT, files
from tests.mutants.catalogue import Mutant

PATIENCE_S = 300


def noticed_by(mutant: Mutant) -> str | None:
    """The first test that fails because of it; None if all that were asked still pass."""
    with tempfile.TemporaryDirectory(prefix="liangxian-mutant-") as home:
        copy = Path(home) / "tree"
        for path in files():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy / path)
        Path(home).chmod(0o755)
        place = copy / mutant.file
        written = place.read_text(encoding="utf-8")
        assert written.count(mutant.old) == 1, f"{mutant.name}: {mutant.file} says it {written.count(mutant.old)} times"
        place.write_text(written.replace(mutant.old, mutant.new), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.told],
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    assert failed, f"{mutant.name}: no test ran\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return failed[1]
