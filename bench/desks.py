"""P20: what offices hand in at their desks. A department's list of 20,000 rows, one in thirty-three bad, judged and
taken in; the look at a bureau's file before it counts, beside taking that very file in."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import xlsxwriter

from app.cli.parts import joined
from app.flows.hand_in.keep import keep_made
from app.flows.hand_in.work import Job
from app.flows.helped.check import check
from app.flows.helped.take import take
from app.flows.parts import Parts
from app.flows.register.look_first import look_first
from app.registry.sample import write_sample
from app.registry.synthetic import Invented, people
from bench.ground import DATABASE, Ground
from bench.imports import BAD_PERCENT, empty, ours, places
from bench.ratio import Ratio, figure
from core.clock import BEIJING
from core.db import connect

LISTED, BAD_EVERY, MOST_S = 20_000, 33, 60.0
TIMES = 2.0
_HEAD = ("序号", "姓名", "身份证号", "人员类别", "镇街", "代缴险种(养老/医疗)")


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """`rows` of the bureau's file, once each; then the list, of people who stand in it."""
    del runs
    places(ground)
    file = ground.folder / f"register-{rows}.csv"
    side, bad = write_sample(file, rows, bad_percent=BAD_PERCENT)
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=3))
    parts.clocks.set_to(datetime(2021, 11, 5, 12, tzinfo=BEIJING))
    with _as_the_office_process():
        taken, _ = ours(ground, file, side, bad, rows)
        empty(ground)
        looked = _look(parts, file)
        after, _ = ours(ground, file, side, bad, rows)
        say(f"P20  taken in after it was looked at: {after:.0f} s")
        judged, counted = _list(parts, ground.folder / "list.xlsx", [who for who in people(rows) if who.insurances])
    parts.engine.dispose()
    file.unlink()
    say(f"P20  a department's list of {LISTED:,} rows: judged in {judged:.1f} s, taken in in {counted:.1f} s")
    title = f"a look at a register of {rows:,} rows, in times of taking it in"
    most = figure(f"{MOST_S:.0f} s", "s", [MOST_S])
    helped = Ratio(
        "P20",
        f"a department's list of {LISTED:,} rows",
        figure("ours", "s", [judged + counted]),
        most,
        1.0,
        0.5,
        at_least=False,
    )
    return [
        Ratio(
            "P20",
            title,
            figure("the look", "s", [looked]),
            figure("the import", "s", [taken]),
            TIMES,
            1.2,
            at_least=False,
        ),
        helped,
    ]


@contextmanager
def _as_the_office_process() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def _look(parts: Parts, file: Path) -> float:
    of = SimpleNamespace(by="staff:bench", role="medical")
    with parts.engine.begin() as connection:
        upload = keep_made(parts, connection, file, name=file.name, of=of)
    began = time.perf_counter()
    look_first(parts, Job(0, "register_look", upload, {}, of.by), lambda _rows, _about: None)
    return time.perf_counter() - began


def _list(parts: Parts, file: Path, there: list[Invented]) -> tuple[float, float]:
    """(seconds judged, seconds taken in)."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("名单")
    sheet.write_row(0, 0, _HEAD)
    for at, who in enumerate(there[:LISTED], 1):
        name = f"{who.name}误" if at % BAD_EVERY == 0 else who.name
        sheet.write_row(at, 0, (str(at), name, who.id_number, "低保户", "", "医疗"))
    book.close()
    began = time.perf_counter()
    batch = check(parts, file, department="civil", insurances=("RES_MEDICAL",), year=None, by="staff:bench").batch
    judged = time.perf_counter() - began
    began = time.perf_counter()
    taken = take(parts, batch, by="staff:bench")
    assert taken.good > 0.9 * LISTED and taken.failed >= LISTED // BAD_EVERY, taken
    return judged, time.perf_counter() - began
