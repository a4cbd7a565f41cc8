"""Asks the queries of invariants.sql, which find no row while all is well."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection

SAMPLE = 20
PIECE = 600_000  # postings looked at together
SOME = 20_000  # households looked at by name together
EVERYBODY = (0, 1 << 62)
_RANGE = "between %(low)s and %(high)s"
_HEAD = re.compile(r"^-- (INV-\d{2,3}) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Invariant:
    """One truth: its number in docs/proof.md, a title for the clerk, and the query for what breaks it."""

    number: str
    title: str
    sql: str

    @property
    def by_household(self) -> bool:
        """Does it stand on the sums of some households?"""
        return any(re.search(rf"\b(?:from|join) {name}\b", self.sql) for name in SUMS)


@dataclass
class Finding:
    """What a look at one truth found: how many rows break it, and the first of them by name."""

    number: str
    title: str
    rows: int = 0
    sample: list[str] = field(default_factory=list)


def _read() -> tuple[str, Mapping[str, Invariant]]:
    written = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    sums, *pieces = _HEAD.split(written.partition("-- SUMS\n")[2])
    found = [Invariant(*(piece.strip() for piece in pieces[at : at + 3])) for at in range(0, len(pieces), 3)]
    return sums.strip(), {invariant.number: invariant for invariant in found}


_SUMS, INVARIANTS = _read()
SUMS = tuple(re.findall(r"^(?:\), )?(\w+) as (?:materialized )?\(", _SUMS, re.MULTILINE))


def look(
    connection: Connection,
    wanted: Sequence[Invariant],
    *,
    wall: datetime,
    today: date,
    among: Sequence[tuple[int, int]] | None = None,
    some: Sequence[int] | None = None,
) -> list[Finding]:
    """Ask for the rows that break each of `wanted`, in its order; `wall` is the system clock, `today` the
    Beijing date of the business clock. What is true household by household is asked of
    the ranges `among`, or of `some` by name, or of everybody."""
    found = {one.number: Finding(one.number, one.title) for one in wanted}
    in_pieces = [one for one in wanted if one.by_household]
    shares = _by_name(some) if some is not None else _by_range(among if among is not None else pieces(connection))
    for share in shares if in_pieces else ():
        _ask(connection, in_pieces, found, {"wall": wall, "today": today, **share})
    for one in wanted:
        if not one.by_household:
            _ask(connection, [one], found, {"wall": wall, "today": today})
    return list(found.values())


def pieces(connection: Connection) -> Iterator[tuple[int, int]]:
    """Ranges of households by which a book is looked at, so that the sums of one fit into memory. The first and the
    last are open: an entry may lie under a household that has no bill."""
    first, last, postings = connection.exec_driver_sql(
        "select coalesce(min(household_id), 0), coalesce(max(household_id), 0),"
        " (select greatest(reltuples, 0)::bigint from pg_class where oid = 'posting'::regclass) from bill"
    ).one()
    width = -(-(last - first + 1) // (postings // PIECE + 1))
    cuts = range(first + width, last + 1, width)
    lows, highs = (min(EVERYBODY[0], first), *cuts), (*(cut - 1 for cut in cuts), EVERYBODY[1])
    yield from zip(lows, highs, strict=True)


def _by_range(ranges: Iterable[tuple[int, int]]) -> Iterator[Mapping[str, object]]:
    yield from ({"low": low, "high": high} for low, high in ranges)


def _by_name(some: Sequence[int]) -> Iterator[Mapping[str, object]]:
    """Once at least: a truth may say something of no household, too."""
    yield from ({"some": list(some[at : at + SOME])} for at in range(0, max(1, len(some)), SOME))


def _ask(
    connection: Connection, asked: Sequence[Invariant], found: Mapping[str, Finding], values: Mapping[str, object]
) -> None:
    each = (
        f"(select '{one.number}' as number, what, count(*) over () as rows from ({one.sql}) broken limit {SAMPLE})"
        for one in asked
    )
    together = "\nunion all\n".join(each)
    sums = f"with {_SUMS}\n" if asked[0].by_household else ""
    counted: dict[str, int] = {}
    query = sums + together
    if "some" in values:
        query = query.replace(_RANGE, "= any(%(some)s::bigint[])")
    for row in connection.exec_driver_sql(query, dict(values)):
        finding = found[row.number]
        counted[row.number] = row.rows
        finding.sample.extend([row.what] * (len(finding.sample) < SAMPLE))
    for number, rows in counted.items():
        found[number].rows += rows
