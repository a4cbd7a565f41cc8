"""One seed from its beginning to its judgement."""

import resource
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy.orm import configure_mappers

from core.clock import BEIJING
from tests.simulate.by_year import judge_years
from tests.simulate.checks import ALWAYS
from tests.simulate.far import OF_CALLBACKS
from tests.simulate.gates import What
from tests.simulate.oracle import Findings, fingerprint, judge, look, unbooked
from tests.simulate.prices import judge_offices
from tests.simulate.ready import make
from tests.simulate.season import Season
from tests.simulate.seeded import Clock, draw_from, set_clocks
from tests.simulate.stage import Stage
from tests.simulate.two_years import TwoYears

START = datetime(2021, 11, 5, 8, tzinfo=BEIJING)


@dataclass(frozen=True)
class Report:
    """What became of a seed. Money in fen."""

    seed: int
    payments: int
    paid: int
    received: int
    deliveries: int
    faulty: int
    spoilt: int
    refunds: int
    kills: int
    crashes: int
    findings: Findings
    steps: int
    fingerprint: str
    seconds: float
    cpu_seconds: float
    states: Mapping[str, int]
    struck: Mapping[str, int]
    faults: Mapping[str, int]
    alerts: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        """With everything in it."""
        return asdict(self)


def simulate(
    seed: int, payments: int, log: TextIO | None = None, *, two_years: bool = False, ready: Path | None = None
) -> Report:
    """Play a seed in a folder of its own; `two_years`: one in which a second levy year opens; `ready`: its database's
    files. This process gets clocks and chance of the seed, for good."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="liangxian-season-") as home:
        Path(home).chmod(0o755)  # run by root, the server is another user
        configure_mappers()  # once, and not in each process
        stage = Stage(seed, Path(home), START, log, ready)
        try:
            season, findings = (TwoYears if two_years else Season)(stage, payments), Findings()
            season.play()
            season.end()
            findings.unbooked_after_grace = unbooked(stage)
            look(stage, findings, ALWAYS, "after two minutes: ")
            season.settle()
            judge(stage, findings)
            judge_offices(season, findings)
            if stage.fell:
                findings.broken["nobody dies of himself"] = f"{len(stage.fell)}: {stage.fell[0]}"
            if isinstance(season, TwoYears):
                judge_years(season, findings)
            return _report(stage, findings, began)
        finally:
            stage.close()


def make_ready(folder: Path) -> None:
    """As a season makes its own. This process gets its clocks and chance, for good."""
    draw_from("ready")
    set_clocks(Clock(START))
    make(folder)


def _report(stage: Stage, findings: Findings, began: float) -> Report:
    trades, happened = stage.far.world.trades, stage.far.faults.happened
    states = {
        f"{table} {row.state}": row.times
        for table in ("payment", "refund", "statement", "bill")
        for row in stage.eye.execute(f"select state, count(*) as times from {table} group by 1 order by 1").fetchall()
    }
    of_callbacks = sum(times for kind, times in happened.items() if _is_of_callbacks(kind))
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Report(
        seed=stage.seed,
        payments=sum(times for state, times in states.items() if state.startswith("payment ")),
        paid=len(trades.paid()),
        received=sum(trade["amount"] for trade in trades.paid()),
        deliveries=stage.far.post.made["deliveries"],
        faulty=of_callbacks + stage.far.post.made["unanswered"],
        spoilt=sum(happened.values()) - of_callbacks,
        refunds=sum(refund["state"] == "SUCCESS" for _, refund in trades.refunds()),
        kills=sum(times for place, times in stage.struck.items() if place.startswith(What.PROCESS)),
        crashes=sum(times for place, times in stage.struck.items() if place.startswith(What.SERVER)),
        findings=findings,
        steps=stage.steps,
        fingerprint=fingerprint(stage),
        seconds=round(time.monotonic() - began, 1),
        cpu_seconds=round(sum(one.ru_utime + one.ru_stime for one in used), 1),
        states=states,
        struck=dict(stage.struck),
        faults=dict(happened),
        alerts=dict(stage.alerts),
    )


def _is_of_callbacks(kind: str) -> bool:
    return kind in OF_CALLBACKS or kind.startswith("callback ")
