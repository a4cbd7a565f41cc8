"""flask bench run [NAME]: figures as ratios to limits measured in the same run, on the screen and as JSON."""

import importlib
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.cli.parts import settings

bench = AppGroup("bench", help="Measurements, as ratios.")
BENCHES = (
    "callbacks",
    "sponsors",
    "gateways",
    "lookups",
    "orders",
    "night",
    "notices",
    "imports",
    "replay",
    "book",
    "growth",
    "reconcile",
    "rosters",
    "desks",
    "rivals",
)
ROWS = (
    "imports",
    "replay",
    "book",
    "growth",
    "reconcile",
    "rosters",
    "desks",
)  # measured by rows, the others by seconds


@bench.command("run")
@click.argument("name", required=False, type=click.Choice(BENCHES))
@click.option("--runs", default=3, show_default=True, help="Runs of each side; the median counts.")
@click.option("--seconds", default=3, show_default=True, help="Length of a run.")
@click.option("--rows", default=400_000, show_default=True, help="Rows of the import, people of the replay.")
def run(name: str | None, runs: int, seconds: int, rows: int) -> None:
    """Measure NAME, or all. Nothing else should run on the machine."""
    from bench.ground import ground  # noqa: PLC0415 the product does not stand on its measurements
    from bench.ratio import write  # noqa: PLC0415

    held = settings()
    found, notes = [], {"at": datetime.now(UTC).isoformat(), "said": []}
    for each in (name,) if name else BENCHES:
        click.echo(f"— {each} …")
        began = time.monotonic()
        with ground(held.pg_bin, held.postgres_folder) as place:
            measure = importlib.import_module(f"bench.{each}").run
            more = {"rows": rows} if each in ROWS else {"seconds": seconds}
            for ratio in measure(place, runs=runs, say=lambda line: _say(notes, line), **more):
                found.append(ratio)
                click.echo(ratio.line())
        click.echo(f"  ({time.monotonic() - began:.0f} s)")
    out = Path("out") / "bench.json"
    write(out, found, notes)
    click.echo(f"written to {out}")


def _say(notes: dict, line: str) -> None:
    notes["said"].append(line)
    click.echo(line)
