"""`python -m config.advisories`: asks a public database about every locked library; what is known and not waited for is
an error. Where none can be reached that is said, and nothing is claimed."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
DATABASES = ("osv", "pypi")  # by the names pip-audit has for them
PATIENCE_S = 120


def judged(found: Sequence[Mapping[str, Any]], waits: Sequence[Mapping[str, Any]], today: date) -> list[str]:
    """A line for each advisory of `found` (pip-audit's `dependencies`) that does not wait, or waits no longer."""
    until = {wait["id"]: wait["until"] for wait in waits}
    lines = []
    for library in found:
        for one in library.get("vulns", ()):
            names = {one["id"], *one.get("aliases", ())}
            last = max((until[name] for name in names & until.keys()), default=None)
            if last is None or last < today:
                mended = ", ".join(one.get("fix_versions", ())) or "no version yet"
                when = f", waited until {last}" if last else ""
                lines.append(f"{library['name']} {library['version']}: {one['id']}, mended in {mended}{when}")
    return lines


def asked() -> Sequence[Mapping[str, Any]] | None:
    """What pip-audit was told about the locked libraries, by the first database that answers; None if none does."""
    return next(filter(None, map(_asked, DATABASES)), None)


def _asked(database: str) -> Sequence[Mapping[str, Any]] | None:
    files = [word for name in LOCKS for word in ("-r", str(HOME / name))]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner=off"]
    try:
        done = subprocess.run(  # noqa: S603 our own program
            [*command, "-f", "json", "-s", database, *files],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        told = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return told if any("skip_reason" not in each for each in told) else None


def main() -> int:
    """0: asked and nothing new, or nobody could be asked; 1: something is known."""
    found = asked()
    if found is None:
        sys.stdout.write("advisories: no database can be reached from here; nothing was asked\n")
        return 0
    waits = tomllib.loads((HOME / "config" / "advisories.toml").read_text(encoding="utf-8")).get("waits", [])
    lines = judged(found, waits, date.today())  # noqa: DTZ011 the machine's own day is meant
    unasked = sum("skip_reason" in each for each in found)
    sys.stdout.write(f"advisories: {len(found) - unasked} libraries asked about, {len(lines)} to mend\n")
    sys.stdout.write("".join(f"  {line}\n" for line in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
