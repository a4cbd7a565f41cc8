"""P10: everything that must hold, asked of a book of so many payments. P11: what ten times the book costs a callback
and a look into it."""

import time
from collections.abc import Callable
from pathlib import Path

from app.cli.parts import joined
from app.flows.watch.book import watch_book, watch_new
from bench.callbacks import EMPTIED
from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, figure
from core.db import connect

PIECE = 250_000
FILL = Path(__file__).with_name("fill.sql")
GOAL_S = 5.0
NEW = 5_000


def fill(ground: Ground, rows: int, *, first: int = 1) -> None:
    """So many paid payments, each of a household of its own, from household `first` on. Past the guards."""
    for at in range(first, first + rows, PIECE):
        until = min(first + rows, at + PIECE) - 1
        for statement in FILL.read_text(encoding="utf-8").split(";\n"):
            values = {"at": at, "until": until, "mchid": ground.keys.mchid, "appid": ground.keys.appid}
            ground.admin(statement, values)
    ground.sql("vacuum analyze")


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """P10 over `rows` payments."""
    ground.admin(f"truncate {EMPTIED} cascade")
    began = time.perf_counter()
    fill(ground, rows)
    say(f"a book of {rows:,} payments, made in {time.perf_counter() - began:.0f} s")
    parts, took = joined(ground.settings(), connect(ground.server.app_url(DATABASE), pool_size=4)), []
    began = time.perf_counter()
    assert watch_book(parts) == 0
    say(f"P10 the hour's look at everything: {time.perf_counter() - began:.1f} s")
    for turn in range(runs):
        fill(ground, NEW, first=rows + 1 + turn * NEW)
        began = time.perf_counter()
        assert watch_new(parts) == 0
        took.append(time.perf_counter() - began)
    parts.engine.dispose()
    mine, goal = figure("a minute's round of all truths", "s", took), figure("the goal", "s", [GOAL_S])
    title = f"every truth over {rows:,} payments, {NEW:,} of them new in each round"
    return [Ratio("P10", title, mine, goal, 1.0, 0.4, at_least=False)]
