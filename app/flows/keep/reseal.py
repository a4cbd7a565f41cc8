"""Everything sealed is sealed anew under the key that seals now: some hundred rows a transaction, in the order of their
keys, so that nobody waits longer than for those. How far it came is written with them: stopped or killed it goes on
there, and two at once take turns. The owner's role does it; what else is in a row stays as it is."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, text
from sqlalchemy.exc import OperationalError

from app.access.models import Reseal
from app.flows.keep.sealed import PLACES, Place
from app.flows.parts import Parts
from core.vault import Sealed

BUSY = frozenset({"55P03", "40P01", "57014"})  # a lock that was not given in time, a deadlock, a statement too long
BUSY_S = 1


@dataclass(frozen=True)
class Progress:
    """How far a table came. `pace`: rows a second; `left_s`: None while nobody can say."""

    table: str
    rows: int
    done: int
    unopened: int
    pace: float
    ended_at: datetime | None

    @property
    def left_s(self) -> int | None:
        """Seconds it still takes at this pace."""
        left = max(0, self.rows - self.done)
        return int(left / self.pace) if self.pace and not self.ended_at else None


def reseal(
    parts: Parts,
    owner: Engine,
    *,
    batch: int,
    pause_s: float = 0,
    stopped: Callable[[], bool] = lambda: False,
    told: Callable[[Progress], None] = lambda _progress: None,
) -> bool:
    """All tables, `batch` rows at a time; True once nothing is left to do. Who holds a row is waited for. What no key
    of ours opens stays as it is, is counted and wakes somebody."""
    for place in PLACES:
        while not stopped():
            try:
                with owner.begin() as connection:
                    progress = _a_batch(parts, connection, place, batch)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in BUSY:
                    raise
                time.sleep(BUSY_S)
                continue
            told(progress)
            if progress.ended_at:
                break
            time.sleep(pause_s)
    held = {each.table: each for each in progress_of(parts)}
    broken = {table: each.unopened for table, each in held.items() if each.unopened}
    if broken:
        parts.alert("seal_unopened", **broken)
    return not stopped()


def progress_of(parts: Parts) -> Sequence[Progress]:
    """How far each table came with the key that seals now; empty if nobody began."""
    with parts.reading() as connection:
        rows = connection.execute(select(Reseal.__table__).where(Reseal.head == parts.vault.head)).all()
    known = {row.of: _progress(row) for row in rows}
    return [known[place.table] for place in PLACES if place.table in known]


def needed(parts: Parts) -> Mapping[tuple[int, int], int]:
    """(suite, key number) → how many values are sealed with it, of all that are in the database."""
    found: Counter[tuple[int, int]] = Counter()
    with parts.reading() as connection:
        for place in PLACES:
            for name in place.bound:
                value = _read(name)
                counted = text(
                    f"select get_byte({value}, 0) as suite, get_byte({value}, 1) as key, count(*) as rows"
                    f" from {place.table} where {value} is not null group by 1, 2"
                )
                for row in connection.execute(counted):
                    found[row.suite, row.key] += row.rows
    return found


def _a_batch(parts: Parts, connection: Connection, place: Place, most: int) -> Progress:
    """The next rows of a table, and how far it came."""
    held = _begun(parts, connection, place)
    if held.ended_at is not None and not _left(parts, connection, place):
        return _progress(held)
    after = None if held.ended_at is not None else held.after  # written since it ended: from the beginning
    rows = _rows(parts, connection, place, after, most)
    changed = list(_anew(parts, place, rows))
    if changed:
        cause = f"reseal:{parts.vault.head.hex()}"
        connection.execute(text("select set_config('liangxian.cause', :cause, true)"), {"cause": cause})
        _write(connection, place, changed)
    moved = text(
        "update reseal set after = cast(:after as text[]), done = done + :done, unopened = :unopened,"
        " moved_at = :now, ended_at = cast(:ended as timestamptz), rows = greatest(rows, done + :done)"
        " where head = :head and of = :of returning *"
    )
    now, over = parts.clocks.wall(), len(rows) < most
    return _progress(
        connection.execute(
            moved,
            {
                "after": None if over else rows[-1].key,
                "done": len(changed),
                "unopened": (0 if after is None else held.unopened) + len(rows) - len(changed),
                "now": now,
                "ended": now if over else None,
                "head": parts.vault.head,
                "of": place.table,
            },
        ).one()
    )


def _begun(parts: Parts, connection: Connection, place: Place) -> Row:
    """The row of a table's progress, held: of two at once one waits here."""
    values = {"head": parts.vault.head, "of": place.table}
    found = text("select * from reseal where head = :head and of = :of for update")
    row = connection.execute(found, values).one_or_none()
    if row is None:
        begin = text(
            "insert into reseal (head, of, rows, began_at, moved_at) values (:head, :of, :rows, :now, :now)"
            " on conflict do nothing"
        )
        rows = _left(parts, connection, place)
        connection.execute(begin, values | {"rows": rows, "now": parts.clocks.wall()})
        row = connection.execute(found, values).one()
    return row


def _left(parts: Parts, connection: Connection, place: Place) -> int:
    counted = text(f"select count(*) from {place.table} where {_other(place)}")
    return int(connection.execute(counted, {"head": parts.vault.head}).scalar_one())


def _rows(
    parts: Parts, connection: Connection, place: Place, after: Sequence[str] | None, most: int
) -> Sequence[Row[Any]]:
    """The next rows with a value under another key, held: their key as text, the values and what they are bound to."""
    names = ", ".join(place.key)
    past = ", ".join(f"cast(:k{at} as {kind})" for at, kind in enumerate(place.key.values()))
    wanted = ", ".join(
        f"{_read(name)} as v{at}, {bound} as b{at}" for at, (name, bound) in enumerate(place.bound.items())
    )
    query = text(
        f"select array[{', '.join(f'cast({name} as text)' for name in place.key)}] as key, {wanted}"
        f" from {place.table} where ({_other(place)}) {f'and ({names}) > ({past})' if after else ''}"
        f" order by {names} limit :most for no key update"
    )
    values = {f"k{at}": value for at, value in enumerate(after or ())}
    return connection.execute(query, values | {"head": parts.vault.head, "most": most}).all()


def _anew(parts: Parts, place: Place, rows: Sequence[Row[Any]]) -> Iterator[tuple[Sequence[str], list[bytes | None]]]:
    """Each row's key and its values under the key that seals now; none for a row that holds one nobody opens."""
    vault = parts.vault
    for row in rows:
        values: list[bytes | None] = []
        try:
            for at in range(len(place.bound)):
                value, bound_to = getattr(row, f"v{at}"), getattr(row, f"b{at}")
                if value is not None and bytes(value[:2]) != vault.head:
                    value = vault.seal(vault.open(value, bound_to=bound_to), bound_to=bound_to)
                values.append(value)
        except Sealed:
            continue
        yield row.key, values


def _write(connection: Connection, place: Place, changed: Sequence[tuple[Sequence[str], list[bytes | None]]]) -> None:
    keys = ", ".join(f"cast(:k{at} as text[])" for at in range(len(place.key)))
    sealed = ", ".join(f"cast(:v{at} as bytea[])" for at in range(len(place.bound)))
    names = ", ".join((*(f"k{at}" for at in range(len(place.key))), *(f"v{at}" for at in range(len(place.bound)))))
    same = " and ".join(f"t.{name} = cast(n.k{at} as {kind})" for at, (name, kind) in enumerate(place.key.items()))
    update = text(
        f"update {place.table} t set {', '.join(_assigned(place))}"
        f" from unnest({keys}, {sealed}) as n ({names}) where {same}"
    )
    values: dict[str, list[Any]] = {f"k{at}": [key[at] for key, _ in changed] for at in range(len(place.key))}
    values |= {f"v{at}": [row[at] for _, row in changed] for at in range(len(place.bound))}
    connection.execute(update, values)


def _assigned(place: Place) -> Iterator[str]:
    """`column = value` of each column; one of JSON takes all of its values at once."""
    inside: dict[str, str] = {}
    for at, name in enumerate(place.bound):
        column, *path = name.split(".")
        if not path:
            yield f"{column} = n.v{at}"
            continue
        letters = f"to_jsonb(translate(encode(n.v{at}, 'base64'), E'\\n', ''))"
        before = inside.get(column, f"t.{column}")
        inside[column] = (
            f"case when n.v{at} is null then {before} else jsonb_set({before}, '{{{','.join(path)}}}', {letters}) end"
        )
    yield from (f"{column} = {value}" for column, value in inside.items())


def _other(place: Place) -> str:
    """Holds a value under another key than :head."""
    return " or ".join(f"substr({_read(name)}, 1, 2) <> :head" for name in place.bound)


def _read(name: str) -> str:
    """A value's bytes in SQL."""
    column, *path = name.split(".")
    return f"decode({column} #>> '{{{','.join(path)}}}', 'base64')" if path else f"nullif({column}, '')"


def _progress(row: Row[Any]) -> Progress:
    took = (row.moved_at - row.began_at).total_seconds()
    pace = row.done / took if took > 0 else 0.0
    return Progress(row.of, row.rows, row.done, row.unopened, pace, row.ended_at)
