"""Which version of the code this is: its number from pyproject.toml, the commit from a file a deployment writes."""

import re
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]


def _version() -> str:
    found = re.search(
        r'^version = "([0-9]+\.[0-9]+\.[0-9]+)"$', (_CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert found is not None, "pyproject.toml says a version"
    return found[1]


def _commit() -> str:
    """`COMMIT` beside pyproject.toml, where a deployment wrote it; empty if nobody did, or if it is no commit."""
    try:
        said = (_CHECKOUT / "COMMIT").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return said if re.fullmatch(r"[0-9a-f]{7,40}", said) else ""


VERSION = _version()
COMMIT = _commit()  # read once: a file that changes under a running process is of the next one


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers, to be compared; of what is none, the least."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[0-9]+(\.[0-9]+)*", version) else ()
