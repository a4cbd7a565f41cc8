"""The version before: the code that runs in production when this one arrives. At a release this becomes the commit of
the last one."""

import io
import subprocess
import tarfile
from pathlib import Path

from config.settings import CHECKOUT

BEFORE = "f680a72"


class NotThere(Exception):
    """The commit is not in this repository; a clone of the whole history has it."""


def has_history() -> bool:
    """Whether this is a clone with its whole history: of a copy of the files, or a shallow clone, no former version can
    be had."""
    asked = ["git", "rev-parse", "--is-shallow-repository"]
    told = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return told.stdout.strip() == "false"


def unpacked(folder: Path, commit: str = BEFORE) -> Path:
    """Its files in a new folder below `folder`, run with this checkout's programs. NotThere."""
    command = ["git", "archive", "--format=tar", commit]
    packed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False)
    if packed.returncode:
        raise NotThere(f"{commit}: {packed.stderr.decode(errors='replace').strip()}; fetch the whole history")
    target = folder / f"before-{commit}"
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(target, filter="data")
    return target
