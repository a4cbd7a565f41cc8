"""python -m tests.simulate: seeds as processes of their own, some at a time; a table of what became of each."""

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

COLUMNS = ("seed", "payments", "paid", "deliveries", "faulty", "spoilt", "refunds", "kills", "crashes")


def main(words: list[str]) -> int:
    """0 only if every seed is clean."""
    asked = _asked(words)
    if asked.make_ready:
        return _make_ready(asked.make_ready)
    if asked.one is not None:
        return _one(asked)
    _ready()
    _say(_line([*COLUMNS, "lost", "doubled", "invented", "refunds off", "broken", "seconds", "cpu", "fingerprint"]))
    with ThreadPoolExecutor(asked.lanes) as lanes:
        found = list(lanes.map(lambda seed: _apart(seed, asked), asked.seeds))
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    totals = {name: sum(int(str(one.get(name, 0))) for one in found) for name in COLUMNS[1:]}
    _say(_line(["all", *totals.values()]))
    clean = all(one.get("clean") for one in found)
    _say(
        "every seed is clean"
        if clean
        else "NOT CLEAN: " + ", ".join(str(o["seed"]) for o in found if not o.get("clean"))
    )
    return 0 if clean else 1


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=[1], help="7, or 1-20, or 3,5,8-11")
    parser.add_argument("--payments", type=int, default=300, help="of each seed")
    parser.add_argument("--two-years", action="store_true", help="2023 opens while 2022 can still be paid")
    parser.add_argument("--lanes", type=int, default=1, help="seeds at a time")
    parser.add_argument("--out", type=Path, help="a JSON file with everything that was found")
    parser.add_argument("--log", type=Path, help="a folder for a log of each seed, one line a step")
    parser.add_argument("--replay", action="store_true", help="print the log of a seed as it goes")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ready", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make-ready", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def _seeds(words: str) -> list[int]:
    found = []
    for part in words.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@cache
def _ready() -> Path:
    """A database for every season to begin with a copy of, as long as this process lives."""
    home = tempfile.mkdtemp(prefix="liangxian-ready-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    Path(home).chmod(0o755)  # run by root, the server is another user
    subprocess.run([sys.executable, "-m", "tests.simulate", "--make-ready", home], check=True)
    return Path(home)


def _apart(seed: int, asked: argparse.Namespace) -> dict[str, object]:
    """A seed in a process of its own, in which texts are hashed the same way every time."""
    command = [sys.executable, "-m", "tests.simulate", "--one", str(seed), "--payments", str(asked.payments)]
    command += ["--ready", str(_ready())]
    if asked.two_years:
        command += ["--two-years"]
    if asked.log:
        command += ["--log", str(asked.log)]
    if asked.replay:
        command += ["--replay"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "0"}, stdout=subprocess.PIPE, text=True, check=False
    )
    *log, last = done.stdout.splitlines() or [""]
    if asked.replay:
        _say("\n".join(log))
    if done.returncode:
        _say(f"| {seed} | did not come to its end |")
        return {"seed": seed, "clean": False}
    found: dict[str, object] = json.loads(last)
    off = found["findings"]
    figures = [off[name] for name in ("lost", "doubled", "invented", "refunds_off")] + [len(off["broken"])]
    rest = [found["seconds"], found["cpu_seconds"], str(found["fingerprint"])[:16]]
    _say(_line([*(found[name] for name in COLUMNS), *figures, *rest]))
    for name, row in off["broken"].items():
        _say(f"    seed {seed} {name}: {row}")
    return found


def _make_ready(folder: Path) -> int:
    from tests.simulate.run import make_ready  # noqa: PLC0415 as below

    make_ready(folder)
    return 0


def _one(asked: argparse.Namespace) -> int:
    from tests.simulate.run import simulate  # noqa: PLC0415 only a seed's own process joins the system

    if asked.replay:
        log = sys.stdout
    elif asked.log:
        asked.log.mkdir(parents=True, exist_ok=True)
        log = (asked.log / f"seed-{asked.one}.log").open("w", encoding="utf-8")
    else:
        log = None
    report = simulate(asked.one, asked.payments, log, two_years=asked.two_years, ready=asked.ready)
    _say(json.dumps({**report.as_json(), "clean": report.findings.is_clean}, ensure_ascii=False, default=str))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(cells: list[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
