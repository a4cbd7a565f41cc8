"""python -m tests.restore: the server killed under load, its disk lost, restored; what the far sides' lists say."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS
from tests.restore.disaster import Disaster
from tests.restore.ground import DATABASE, MISSING, WHY_NOT, ground
from tests.system import system


def main(words: list[str]) -> int:
    """0 only if nothing was lost, doubled, invented, or given out twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.restore", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--payments", type=int, default=80, help="of each of four hands, at most")
    parser.add_argument("--seconds", type=float, default=60, help="the longest the load goes on")
    parser.add_argument("--archive-timeout", type=int, default=60, help="seconds, as archive_timeout")
    parser.add_argument("--how", choices=["latest", "backup"], default="latest", help="backup: the log is lost too")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(words)
    if MISSING:
        sys.stderr.write(f"{WHY_NOT}\n")
        return 2
    with ground(archive_timeout=asked.archive_timeout) as made, tempfile.TemporaryDirectory() as home:
        upgrade(made.server.owner_url(DATABASE), departments=DEPARTMENTS)
        kept = {"BACKUP_KEEPER": made.keeper, "BACKUP_PAPERS": f"{home}/papers"}
        with system(made.server, DATABASE, Path(home) / "outside", **kept) as running:
            report = Disaster(made, running, asked.seed, seconds=asked.seconds).play(asked.payments, asked.how).told()
    said = json.dumps(report, ensure_ascii=False, indent=1)
    sys.stdout.write(f"{said}\n")
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(said, encoding="utf-8")
    return 0 if report["clean"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
