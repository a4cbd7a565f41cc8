"""Everything that must hold of the book, looked at in one moment of it; what the worker finds wakes somebody."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.reconcile.certify import wrong_papers
from core.db import may_take
from migrations.guards import missing_guards
from payments.truths.invariants import INVARIANTS, SAMPLE, Finding, look
from payments.truths.touched import horizon, touched

GUARDS = "GUARDS", "账本的保护都在：触发器、函数、权限"
PAPERS = "INV-80", "日结证明是签过名的那一份"
NUMBERS = (*INVARIANTS, GUARDS[0], PAPERS[0])
# Whole channels; what was closed, kept or drawn up; every word of the police.
HOURLY = frozenset({"INV-03", "INV-13", "INV-82", "INV-123", "INV-130", "INV-136", "INV-137", "INV-143", "INV-146"})
LOOK_WITHIN_S = 600
OFTEN = tuple(number for number in NUMBERS if number not in HOURLY)
WHOLE_HOLDS = timedelta(hours=2)  # after which everything is looked at again, whatever the hourly look did


def check_book(parts: Parts, numbers: Sequence[str] = NUMBERS) -> list[Finding]:
    """What breaks each truth of these numbers, all in one snapshot."""
    return _look(parts, numbers, since=None)[0]


def watch_book(parts: Parts, numbers: Sequence[str] = NUMBERS) -> int:
    """The worker's look at everything: keep what was found, and wake somebody for each truth that is broken; how many
    are."""
    found, seen = _look(parts, numbers, since=None)
    return _tell(parts, found, seen)


def watch_new(parts: Parts, numbers: Sequence[str] = OFTEN) -> int:
    """The same of what is new: what is true household by household is asked of those of whom something was written
    since the last look at everything, all else of everything. What such a look at everything found stays as a figure
    until another finds it mended. Where there was none for two hours, this is one."""
    since = _last_whole(parts, numbers)
    found, seen = _look(parts, numbers, since=since)
    return _tell(parts, found, seen if since is None else None)


def _look(parts: Parts, numbers: Sequence[str], *, since: int | None) -> tuple[list[Finding], int]:
    """What was found, and the first transaction that was not seen."""
    wanted = [invariant for invariant in INVARIANTS.values() if invariant.number in numbers]
    snapshot = parts.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        may_take(connection, LOOK_WITHIN_S)
        for setting in _SETTINGS:
            connection.execute(text(f"set local {setting}"))
        seen = horizon(connection)
        some = None if since is None else touched(connection, since)
        found = look(connection, wanted, wall=parts.clocks.wall(), today=parts.clocks.today(), some=some)
        if GUARDS[0] in numbers:
            gone = missing_guards(connection)
            found.append(Finding(*GUARDS, len(gone), list(gone[:SAMPLE])))
        if PAPERS[0] in numbers:
            wrong = wrong_papers(parts, connection)
            found.append(Finding(*PAPERS, len(wrong), list(wrong[:SAMPLE])))
    return found, seen


def _last_whole(parts: Parts, numbers: Sequence[str]) -> int | None:
    """From which transaction on rows are new to all truths of households among `numbers`; None if one of them was never
    asked of everything, or too long ago, or in another life of the database, whose transactions were counted anew."""
    wanted = [number for number in numbers if number in INVARIANTS and INVARIANTS[number].by_household]
    with parts.engine.connect() as connection:
        told = connection.execute(
            text("select horizon, whole_at from book_check where number = any(:wanted)"), {"wanted": wanted}
        ).all()
        now = horizon(connection)
    oldest = parts.clocks.wall() - WHOLE_HOLDS
    if len(told) < len(wanted) or any(row.whole_at is None or row.whole_at < oldest for row in told):
        return None
    since = min((row.horizon for row in told), default=now)
    return since if since <= now else None


def _tell(parts: Parts, found: Sequence[Finding], seen: int | None) -> int:
    """Keep the figures, wake somebody; `seen` if everything was looked at."""
    whole = {one.number for one in found if seen is not None or not _by_household(one.number)}
    with parts.engine.begin() as connection:
        connection.execute(
            text(
                "insert into book_check (number, rows, sample, checked_at, whole_at, horizon) values"
                " (:number, :rows, :sample, :at, :whole_at, :horizon) on conflict (number) do update set rows ="
                " case when :whole then excluded.rows else greatest(book_check.rows, excluded.rows) end, sample ="
                " case when :whole or excluded.rows >= book_check.rows then excluded.sample else book_check.sample end,"
                " checked_at = excluded.checked_at, whole_at = coalesce(excluded.whole_at,"
                " book_check.whole_at), horizon = coalesce(excluded.horizon, book_check.horizon)"
            ),
            [
                {"number": one.number, "rows": one.rows, "sample": one.sample, "at": parts.clocks.wall()}
                | {"whole": one.number in whole, "horizon": seen}
                | {"whole_at": None if seen is None else parts.clocks.wall()}
                for one in found
            ],
        )
    broken = [one for one in found if one.rows]
    for one in broken:
        parts.alert("book_broken", invariant=one.number, rows=one.rows, first=one.sample[0])
    return len(broken)


def _by_household(number: str) -> bool:
    return number in INVARIANTS and INVARIANTS[number].by_household


_SETTINGS = ("work_mem = '64MB'", "jit = off")  # compiling costs more than it wins here
