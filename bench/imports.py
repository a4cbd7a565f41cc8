"""P6: a bureau's file of so many rows, one in a hundred bad, against a raw COPY of what it leaves in the same tables.

Ours is the command an operator runs, in a process of its own: reading, every check, encryption, indexes, the failure
file. The limit copies the very rows it left, ready-made, into the emptied tables."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from app.cli.parts import joined
from app.flows.register.district import put_places
from app.registry.register import ENROLMENT, PERSON
from app.registry.sample import write_sample
from app.registry.synthetic import MOST_VILLAGES, TOWNS, villages
from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, figure
from config.settings import CHECKOUT
from core.db import connect

TABLES = {
    "household": "id, village_code, number",
    "person": PERSON,
    "enrolment": ENROLMENT,
    "category": "person_id, insurance, code",
}
BAD_PERCENT = 1
PIECE = 1024 * 1024


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """CSV against COPY, at most twice each in turn; then XLSX once. Memory is the import process's peak."""
    places(ground)
    found = []
    for form, goal, stretch, most in (("csv", 2.0, 1.5, 200), ("xlsx", 2.6, 1.5, 500)):
        file = ground.folder / f"roster-{rows}.{form}"
        side, bad = write_sample(file, rows, bad_percent=BAD_PERCENT)
        ours, limit, peaks = [], [], []
        for _ in range(min(runs, 2) if form == "csv" else 1):
            empty(ground)
            seconds, peak = ours(ground, file, side, bad, rows)
            ours.append(seconds)
            peaks.append(peak)
            _dump(ground)
            empty(ground)
            limit.append(_copy(ground))
        title = f"import of {rows:,} rows as {form.upper()}, {bad:,} bad, against raw COPY of the rest"
        mine, bare = figure(f"ours ({form})", "s", ours), figure("raw COPY", "s", limit)
        found.append(Ratio("P6", title, mine, bare, goal, stretch, at_least=False))
        say(f"P6  {form}: peak memory {max(peaks):.0f} MB (goal ≤ {most})")
        file.unlink()
    return found


def places(ground: Ground) -> None:
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=1))
    put_places(parts, TOWNS, [(place.code, place.name) for place in villages(MOST_VILLAGES)])
    parts.engine.dispose()


def empty(ground: Ground) -> None:
    ground.admin("truncate household, person, enrolment, category, import_batch cascade")
    ground.admin("checkpoint")


def ours(ground: Ground, file: Path, side: Path, bad: int, rows: int) -> tuple[float, float]:
    """(seconds, peak MB) of the command; its failure file must be the one that was foreseen."""
    failures = ground.folder / "failures.csv"
    began = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "app", "registry", "import", str(file)),
            *("--good-rows", "--failures", str(failures)),
        ],
        cwd=CHECKOUT,
        env={**os.environ, **ground.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    kept = ground.sql("select rows_in, added + changed + same, refused from import_batch")
    assert kept == [(rows, rows - bad, bad)], kept
    assert failures.read_text("utf-8-sig") == side.read_text("utf-8-sig"), "another failure file than foreseen"
    return seconds, usage.ru_maxrss / 1024


def _dump(ground: Ground) -> None:
    with psycopg.connect(ground.server.owner_url(DATABASE)) as connection:  # past row level security, as COPY must
        for table, columns in TABLES.items():
            with (
                (ground.folder / f"{table}.copy").open("wb") as out,
                connection.cursor().copy(f"copy {table} ({columns}) to stdout (format binary)") as copy,
            ):
                for piece in copy:
                    out.write(piece)


def _copy(ground: Ground) -> float:
    began = time.perf_counter()
    with psycopg.connect(ground.server.owner_url(DATABASE)) as connection:  # past row level security, as COPY must
        for table, columns in TABLES.items():
            with (
                (ground.folder / f"{table}.copy").open("rb") as file,
                connection.cursor().copy(f"copy {table} ({columns}) from stdin (format binary)") as copy,
            ):
                while piece := file.read(PIECE):
                    copy.write(piece)
    return time.perf_counter() - began
