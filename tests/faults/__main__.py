"""python -m tests.faults: every story of struck.py at every gateway, from each of some seeds; a table of what happened.

A process of its own, because it has clocks and chance of its own."""

import argparse
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random

from core.clock import BEIJING
from payments.gateways.known import GATEWAYS
from tests.faults.conftest import FaultTable, as_table
from tests.faults.scene import Scene
from tests.faults.struck import ONCE, SHORT, STRUCK
from tests.simulate.checks import ALWAYS, AT_THE_END
from tests.simulate.oracle import Findings, compare, look
from tests.simulate.people import Household, settle_county
from tests.simulate.stage import Stage

NOON = datetime(2021, 11, 5, 12, tzinfo=BEIJING)
HOUSEHOLDS = 4000


def main(words: list[str]) -> int:
    """0 only if every story came to its end and the money is right after each."""
    asked = _asked(words)
    names = [name for name in STRUCK if not asked.only or name.startswith(tuple(asked.only.split(",")))]
    if asked.short:
        names = [name for name in STRUCK if name.startswith(SHORT)]
    table: FaultTable = {}
    with tempfile.TemporaryDirectory(prefix="liangxian-faults-") as home:
        Path(home).chmod(0o755)  # run by root, the server is another user
        stage = Stage(asked.seed, Path(home), NOON, asked.log.open("w", encoding="utf-8") if asked.log else None)
        try:
            chance = Random(f"{asked.seed}/faults")
            county = iter(settle_county(stage.eye, stage.parts.vault, chance, HOUSEHOLDS, phones=1, waived=0))
            bad = _play(stage, names, asked.gateways.split(","), county, chance, table)
        finally:
            stage.close()
    if asked.table:
        asked.table.parent.mkdir(parents=True, exist_ok=True)
        asked.table.write_text(as_table(table), encoding="utf-8")
    sys.stdout.write(as_table(table))
    return 1 if bad else 0


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names that begin so: F01,F10")
    parser.add_argument("--gateways", default=",".join(GATEWAYS))
    parser.add_argument("--short", action="store_true", help="the few that the tests always run")
    parser.add_argument("--log", type=Path, help="a file for every step")
    parser.add_argument("--table", type=Path, help="where the table goes")
    return parser.parse_args(words)


def _play(
    stage: Stage, names: list[str], gateways: list[str], county: Iterator[Household], chance: Random, table: FaultTable
) -> int:
    bad = 0
    Scene(stage, gateways[0], county, chance).tick("ask")
    for gateway in gateways:  # so that it is known how many gates a callback has
        Scene(stage, gateway, county, chance).paid()
    for name in names:
        for gateway in gateways[:1] if name.startswith(ONCE) else gateways:
            scene = Scene(stage, gateway, county, chance)
            try:
                end = STRUCK[name](scene)
                _judge(stage, scene)
            except AssertionError as wrong:
                traceback.print_exc()
                end, bad = f"WRONG: {wrong}".replace("|", "/").splitlines()[0], bad + 1
                stage.due.clear()
            table[name, gateway] = end
    return bad


def _judge(stage: Stage, scene: Scene) -> None:
    """Whatever was left comes to its end, then the far side's list decides."""
    stage.far.faults.clear()
    for _ in range(3):
        scene.wait(1900)
        scene.tick("ask", "tell_due", "refund", "surplus")
    findings = Findings()
    compare(stage, findings)
    look(stage, findings, ALWAYS | AT_THE_END)
    assert findings.is_clean, findings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
