"""P7: a gateway's statement of a day against as many payments of our book: read, kept, matched, every line's result
stored; against a bare COPY of the same file into an unlogged table.

Memory: the peak of the process that reads, one of its own, and the largest of PostgreSQL's."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import psycopg
from sqlalchemy import Engine

from bench.ground import DATABASE, Ground
from bench.ratio import Ratio, figure
from config.settings import CHECKOUT
from core.clock import BEIJING, beijing_midnight, utc_now
from core.db import connect
from payments.reconcile import compare
from payments.reconcile.compare import BusinessDay

DAY = date(2021, 11, 5)
MCHID, GATEWAY = "1900000001", "wechat"
GOAL, STRETCH = 3.5, 2.5  # of the matching alone
WHOLE, WHOLE_STRETCH = 6.0, 4.0
MOST_MEMORY, MOST_READING = 500, 64
COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,"
    "费率,订单金额,申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """`rows` payments of one day in the book; then its statement and the bare COPY in turn."""
    file = ground.folder / f"statement-{rows}.csv"
    _write(file, rows)
    _book(ground, rows)
    engine = connect(ground.server.app_url(DATABASE), pool_size=2, statement_timeout_ms=0)
    limit, kept, matched, peaks, memory = [], [], [], [], {}
    try:
        for _ in range(runs):
            limit.append(_copy(ground, file))
            with _largest_server() as largest:
                memory = _keep(ground, file)
                matched.append(_match(engine, rows))
            kept.append(memory["seconds"])
            peaks.append(largest[0])
    finally:
        engine.dispose()
    say(
        f"P7  {rows:,} lines: read and kept {statistics.median(kept):.1f} s, matched and stored"
        f" {statistics.median(matched):.1f} s; peak memory: reader {memory['resident']:.0f} MB, of it for the list"
        f" {memory['added']:.0f} MB (goal ≤ {MOST_READING}), PostgreSQL {max(peaks)} MB (goal ≤ {MOST_MEMORY})"
    )
    bare = figure("raw COPY, unlogged", "s", limit)
    whole = figure("read, kept, matched", "s", [sum(both) for both in zip(kept, matched, strict=True)])
    only = figure("matched, every line stored", "s", matched)
    title = f"{rows:,} statement lines against {rows:,} payments"
    return [
        Ratio(
            "P7", f"{title}: all of it, against raw COPY of the file", whole, bare, WHOLE, WHOLE_STRETCH, at_least=False
        ),
        Ratio("P7m", f"{title}: the matching alone, against raw COPY", only, bare, GOAL, STRETCH, at_least=False),
    ]


def _keep(ground: Ground, path: Path) -> dict[str, float]:
    """What the reader says of itself."""
    url = ground.server.app_url(DATABASE)
    command = [sys.executable, "-m", "bench.keep_statement", url, str(path), DAY.isoformat(), MCHID]
    return json.loads(subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout)


def _match(engine: Engine, rows: int) -> float:
    """Seconds to match and name differences; every line must match."""
    begins = beijing_midnight(DAY)
    of = BusinessDay(GATEWAY, DAY, begins, begins + timedelta(days=1))
    began = time.perf_counter()
    with engine.begin() as connection:
        compare.book_fees(connection, of, now=utc_now(), booked_on=DAY)
        assert compare.match(connection, of) == 0
        assert compare.name_differences(connection, of, now=utc_now()) == 0
    took = time.perf_counter() - began
    with engine.connect() as connection:
        stored = connection.exec_driver_sql(
            "select count(*) from statement_match where verdict = 'matched'"
        ).scalar_one()
    assert stored == rows
    return took


def _copy(ground: Ground, path: Path) -> float:
    """Seconds to COPY the very lines, as text, into an unlogged table without an index."""
    names = ", ".join(f"c{place} text" for place in range(COLUMNS.count(",") + 1))
    ground.sql("drop table if exists bench_raw")
    ground.sql(f"create unlogged table bench_raw ({names})")
    began = time.perf_counter()
    whole = path.read_bytes().rpartition(TOTALS.encode())[0]
    with (
        psycopg.connect(ground.server.owner_url(DATABASE)) as connection,
        connection.cursor().copy("copy bench_raw from stdin (format csv, header)") as copy,
    ):
        for piece in _pieces(whole):
            copy.write(piece)
    return time.perf_counter() - began


def _pieces(content: bytes) -> Iterator[bytes]:
    for begin in range(0, len(content), 1 << 20):
        yield content[begin : begin + (1 << 20)]


def _write(path: Path, rows: int) -> None:
    """The statement as WeChat Pay would give it: one line a payment of 320 yuan, a fee of 1.92."""
    moment = datetime(2021, 11, 5, tzinfo=BEIJING)
    with path.open("w", encoding="utf-8", newline="\r\n") as out:
        out.write(f"\ufeff{COLUMNS}\n")
        for household in range(1, rows + 1):
            at = moment + timedelta(seconds=household * 86_399 // rows)
            cells = (
                *(f"{at:%Y-%m-%d %H:%M:%S}", "wx8888888888888888", MCHID, "0", "", _reference(household)),
                *(_number(household), "oUpF8uMuAJO", "NATIVE", "SUCCESS", "OTHERS", "CNY", "320.00", "0.00", "0", "0"),
                *("0.00", "0.00", "", "", "居民两险", "", "1.92000", "0.60%", "320.00", "0.00", ""),
            )
            out.write(",".join(f"`{cell}" for cell in cells) + "\n")
        fee = 192 * rows
        sums = (
            rows,
            f"{320 * rows}.00",
            "0.00",
            "0.00",
            f"{fee // 100}.{fee % 100:02d}000",
            f"{320 * rows}.00",
            "0.00",
        )
        out.write(f"{TOTALS}\n" + ",".join(f"`{cell}" for cell in sums) + "\n")


def _reference(household: int) -> str:
    return f"42000{household:020d}"


def _number(household: int) -> str:
    return f"YC211105{household:08d}ABCDEFGHJK"


def _book(ground: Ground, rows: int) -> None:
    """Their entries, three postings each, written past the guards: only their being there is of interest."""
    ground.admin("truncate entry, posting, statement, statement_row, statement_piece, statement_match cascade")
    ground.admin(
        "insert into entry (household_id, cause, booked_on, happened_at, transaction)"
        " select h, 'receipt:wechat:42000' || lpad(h::text, 20, '0'), '2021-11-05',"
        " '2021-11-05 00:00+08'::timestamptz + make_interval(secs => h * 86399.0 / %s), 1"
        " from generate_series(1, %s) h",
        (rows, rows),
    )
    ground.admin(
        "insert into posting (household_id, cause, line, account, amount, item)"
        " select household_id, cause, line, account, amount, household_id from entry, (values"
        " (1, 'clearing:wechat', 32000), (2, 'receivable:gov_subsidy:finance:RES_MEDICAL', 58000),"
        " (3, 'fund:RES_MEDICAL:2022', -90000)) v (line, account, amount)"
    )
    ground.sql("vacuum analyze entry")
    ground.sql("vacuum analyze posting")


@contextmanager
def _largest_server() -> Iterator[list[int]]:
    """The most memory of its own that one process of PostgreSQL held meanwhile, in MB."""
    seen, done = [0], Event()

    def watch() -> None:
        while not done.wait(0.2):
            seen[0] = max(seen[0], *(_own_memory(path) for path in Path("/proc").glob("[0-9]*/status")))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _own_memory(path: Path) -> int:
    try:
        words = path.read_text()
    except OSError:  # it has ended
        return 0
    if not words.startswith("Name:\tpostgres\n"):
        return 0
    return next((int(line.split()[1]) // 1024 for line in words.splitlines() if line.startswith("RssAnon:")), 0)
