"""The reader of P7 in a process of its own: `python -m bench.keep_statement URL FILE DAY MCHID` keeps a gateway's file
and prints its seconds and its memory, of all and of what the list added to what was there before it, in MB."""

import json
import sys
import time
from datetime import date
from pathlib import Path

from core.clock import utc_now
from core.db import connect
from payments.gateways.wechat.statement import read_blocks
from payments.reconcile.statements import keep


def main(url: str, path: Path, day: date, mchid: str) -> None:
    """Read and keep it, in one transaction."""
    engine = connect(url, pool_size=1, statement_timeout_ms=0)
    with engine.begin() as connection:  # what connecting costs is no cost of the list
        before, began = _resident("VmRSS"), time.perf_counter()
        with path.open("rb") as file:
            keep(connection, "wechat", day, file, read_blocks(file, day, mchid=mchid), wall=utc_now())
    seconds, most = time.perf_counter() - began, _resident("VmHWM")
    engine.dispose()
    print(json.dumps({"seconds": seconds, "resident": most, "added": most - before}))


def _resident(word: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{word}:"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3]), sys.argv[4])
