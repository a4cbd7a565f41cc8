"""Everything that must hold of the book, looked at in one moment of it; what the worker finds wakes somebody."""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter_ns

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from migrations.guards import missing_guards
from payments.invariants import INVARIANTS, Finding, look

GUARDS = "GUARDS", "账本的保护都在：触发器、函数、权限"


def check_book(
    parts: Parts, numbers: Sequence[str] = (), *, told: Callable[[Finding], None] = lambda _: None
) -> list[Finding]:
    """Each truth (or those of these numbers), all in one snapshot; `told` hears of each as it is looked at."""
    found = []
    snapshot = parts.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        connection.execute(text("set local statement_timeout = '10min'"))
        connection.execute(text("set local work_mem = '256MB'"))  # whole tables are hashed against each other
        connection.execute(text("set local jit = off"))  # compiling costs more than these queries win by it
        for finding in _findings(connection, parts, numbers):
            told(finding)
            found.append(finding)
    return found


def watch_book(parts: Parts) -> int:
    """The worker's round: look, keep what was found, and wake somebody for each truth that is broken; how many are."""
    found = check_book(parts)
    with parts.engine.begin() as connection:
        connection.execute(
            text(
                "insert into book_check values (:number, :rows, :sample, :took_ms, :at) on conflict (number) do update"
                " set rows = excluded.rows, sample = excluded.sample, took_ms = excluded.took_ms,"
                " checked_at = excluded.checked_at"
            ),
            [
                {
                    "number": one.number,
                    "rows": one.rows,
                    "sample": list(one.sample),
                    "took_ms": one.took_ms,
                    "at": parts.clocks.wall(),
                }
                for one in found
            ],
        )
    broken = [one for one in found if one.rows]
    for one in broken:
        parts.alert("book_broken", invariant=one.number, rows=one.rows, first=one.sample[0])
    return len(broken)


def _findings(connection: Connection, parts: Parts, numbers: Sequence[str]) -> Iterator[Finding]:
    for invariant in INVARIANTS.values():
        if not numbers or invariant.number in numbers:
            yield look(connection, invariant, wall=parts.clocks.wall())
    if not numbers or GUARDS[0] in numbers:
        began = perf_counter_ns()
        gone = missing_guards(connection)
        yield Finding(*GUARDS, len(gone), gone[:20], (perf_counter_ns() - began) // 1_000_000)
