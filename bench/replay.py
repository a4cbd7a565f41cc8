"""P17: the register replayed under two years' rules, against its very query streamed and dropped. P14: one person's
quote, pure, over the golden cases.

Ours is the command a clerk runs, in a process of its own, which starts two more."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg

from app.cli.parts import joined
from app.cli.people import load_district
from app.policy.cases import questions
from app.policy.quote import quote
from app.policy.year import load_year
from app.registry.bulk import Share, people
from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, figure
from config.settings import CHECKOUT
from core.db import connect

CASES = CHECKOUT / "tests" / "app" / "policy" / "policy_cases.csv"
YEAR = 2022
LOOPS = 200
MOST_SECONDS, MOST_MEMORY, MOST_MICROSECONDS = 60, 300, 50
GOAL, STRETCH = 8.0, 5.0  # of 400,000 people; of few, starting three processes is most of it


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """The replay of `rows` people and the bare reading in turn, at most three times. Memory: the largest process."""
    say(f"P14 quote of one person: median {_quote():.1f} µs over the golden cases (goal ≤ {MOST_MICROSECONDS})")
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=4, statement_timeout_ms=0))
    load_district(parts, rows)
    parts.engine.dispose()
    ground.admin("analyze")
    ours, limit, peaks = [], [], []
    for _ in range(min(runs, 2)):
        limit.append(_read(ground, rows))
        seconds, peak = _replay(ground, rows)
        ours.append(seconds)
        peaks.append(peak)
    say(
        f"P17 {rows:,} people × 2 insurances × 2 years: {statistics.median(ours):.1f} s (goal ≤ {MOST_SECONDS} for"
        f" 400,000), peak memory {max(peaks):.0f} MB (goal ≤ {MOST_MEMORY})"
    )
    title = f"replay of {rows:,} people under two years' rules, against reading the same rows"
    mine, bare = figure("ours (command, 2 processes)", "s", ours), figure("the query, dropped", "s", limit)
    return [Ratio("P17", title, mine, bare, GOAL, STRETCH, at_least=False)]


def _quote() -> float:
    """Median over the cases of microseconds for one quote, each asked many times."""
    rules, found = load_year(YEAR), []
    for facts, at, channel, tier, *_ in questions(CASES, rules):
        began = time.perf_counter()
        for _ in range(LOOPS):
            quote(rules, facts, at=at, channel=channel, tier=tier)
        found.append((time.perf_counter() - began) / LOOPS * 1e6)
    return statistics.median(found)


def _read(ground: Ground, rows: int) -> float:
    began = time.perf_counter()
    with psycopg.connect(ground.server.office_url(DATABASE), autocommit=True) as connection:
        read = sum(1 for _ in people(connection, Share(0, 1), (YEAR, YEAR)))
    assert read == rows, read
    return time.perf_counter() - began


def _replay(ground: Ground, rows: int) -> tuple[float, float]:
    """(seconds, peak MB) of the command, start of the processes included."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "app", "policy", "replay"),
            *("--year", str(YEAR), "--against", str(YEAR), "--at", "2021-11-05T12:00"),
        ],
        cwd=CHECKOUT,
        env={**os.environ, **ground.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    assert f"在册 {rows} 人" in said, said
    return seconds, usage.ru_maxrss / 1024
