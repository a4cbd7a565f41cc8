"""Everything that must hold of the book, looked at in one moment of it; what the worker finds wakes somebody."""

from collections.abc import Sequence

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.reconcile.certify import wrong_papers
from core.db import may_take
from migrations.guards import missing_guards
from payments.truths.invariants import INVARIANTS, SAMPLE, Finding, look, pieces

GUARDS = "GUARDS", "账本的保护都在：触发器、函数、权限"
PAPERS = "INV-80", "日结证明是签过名的那一份"
NUMBERS = (*INVARIANTS, GUARDS[0], PAPERS[0])
HASHED = frozenset({"INV-13", "INV-82"})  # what was closed or kept is hashed anew once an hour
LOOK_WITHIN_S = 600
OFTEN = tuple(number for number in NUMBERS if number not in HASHED)


def check_book(parts: Parts, numbers: Sequence[str] = NUMBERS, *, turn: int | None = None) -> list[Finding]:
    """What breaks each truth of these numbers, all in one snapshot; `turn` picks one piece of a large book."""
    wanted = [invariant for invariant in INVARIANTS.values() if invariant.number in numbers]
    snapshot = parts.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        may_take(connection, LOOK_WITHIN_S)
        for setting in _SETTINGS:
            connection.execute(text(f"set local {setting}"))
        among = list(pieces(connection))
        if turn is not None:
            among = [among[turn % len(among)]]
        found = look(connection, wanted, wall=parts.clocks.wall(), today=parts.clocks.today(), among=among)
        if GUARDS[0] in numbers:
            gone = missing_guards(connection)
            found.append(Finding(*GUARDS, len(gone), list(gone[:SAMPLE])))
        if PAPERS[0] in numbers:
            wrong = wrong_papers(parts, connection)
            found.append(Finding(*PAPERS, len(wrong), list(wrong[:SAMPLE])))
    return found


def watch_book(parts: Parts, numbers: Sequence[str] = OFTEN, *, turn: int | None = None) -> int:
    """The worker's round: look, keep what was found, and wake somebody for each truth that is broken; how many are.

    What a piece showed (`turn`) stays as a figure until a look at the whole finds it mended."""
    found = check_book(parts, numbers, turn=turn)
    rows = "excluded.rows" if turn is None else "greatest(book_check.rows, excluded.rows)"
    with parts.engine.begin() as connection:
        connection.execute(
            text(
                "insert into book_check values (:number, :rows, :sample, :at) on conflict (number) do update"
                f" set rows = {rows}, sample = excluded.sample, checked_at = excluded.checked_at"
            ),
            [
                {"number": one.number, "rows": one.rows, "sample": one.sample, "at": parts.clocks.wall()}
                for one in found
            ],
        )
    broken = [one for one in found if one.rows]
    for one in broken:
        parts.alert("book_broken", invariant=one.number, rows=one.rows, first=one.sample[0])
    return len(broken)


_SETTINGS = ("work_mem = '64MB'", "jit = off")  # compiling costs more than it wins here
