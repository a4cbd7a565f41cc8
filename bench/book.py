"""P10: everything that must hold, asked of a book of so many payments. P11: what ten times the book costs a callback
and a look into it."""

import time
from collections.abc import Callable
from pathlib import Path

from app.cli.parts import joined
from app.flows.watch.book import check_book
from bench.callbacks import EMPTIED
from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, figure
from core.db import connect

PIECE = 250_000
FILL = Path(__file__).with_name("fill.sql")
GOAL_S = 5.0


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
    for _ in range(runs):
        began = time.perf_counter()
        found = check_book(parts)
        took.append(time.perf_counter() - began)
        assert [(one.number, one.sample) for one in found if one.rows] == []
    parts.engine.dispose()
    mine, goal = figure("a round of all truths", "s", took), figure("the goal", "s", [GOAL_S])
    return [Ratio("P10", f"every truth over {rows:,} payments", mine, goal, 1.0, 0.4, at_least=False)]
