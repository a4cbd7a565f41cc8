"""P11: what ten times as many people and payments cost a callback and a look-up."""

import statistics
from collections.abc import Callable
from itertools import count

from bench.book import fill
from bench.callbacks import Payments, over_http
from bench.ground import Ground
from bench.load import closed_loop, request
from bench.lookups import CLIENTS, sessions_of_households
from bench.ratio import Figure, Ratio, figure

FIRST = 10_000_000  # households of the filling, beyond the district's own and the callbacks'
SECONDS = 3
_PEOPLE = (
    "insert into person (household_id, id_number, id_index, name, birth_date, sex, digest)"
    " select (select min(id) from household), 'x', sha256(convert_to('p' || n, 'UTF8')), 'x', '1980-01-01', 1, ''"
    " from generate_series(%(at)s::bigint, %(until)s::bigint) n"
)


def run(ground: Ground, *, runs: int, rows: int, say: Callable[[str], None]) -> list[Ratio]:
    """At a tenth of `rows`, then at `rows`: people nobody looks up and payments nobody asks about any more."""
    tokens, payments = sessions_of_households(ground), Payments(ground, households=count(2_000_000))
    seen = []
    for until, at in ((rows // 10, 0), (rows, rows // 10)):
        ground.admin(_PEOPLE, {"at": FIRST + at, "until": FIRST + until - 1})
        fill(ground, until - at, first=FIRST + at)
        say(f"P11 {until:,} people and payments")
        seen.append(_measured(ground, payments, tokens, runs))
    (small_rate, small_wait), (large_rate, large_wait) = seen
    title = f"{rows // 10:,} → {rows:,} people and payments"
    return [
        Ratio("P11", f"callbacks, {title}", large_rate, small_rate, 0.75, 0.85),
        Ratio("P11", f"look-up p99, {title}", large_wait, small_wait, 3, 2, at_least=False),
    ]


def _measured(ground: Ground, payments: Payments, tokens: list[str], runs: int) -> tuple[Figure, Figure]:
    """Callbacks a second, and the 99th percentile of look-ups in milliseconds."""
    rates, waits = [], []
    with ground.web() as port:
        over_http(ground, payments, port, 1, 800, emptied=False)  # warm
        for _ in range(runs):
            told = over_http(ground, payments, port, SECONDS, 3500, emptied=False)
            assert set(told.statuses) == {204}, told.statuses
            rates.append(told.rate(204))
            looks = [
                request("GET", "/api/v1/due", {"Authorization": f"Bearer {tokens[n % len(tokens)]}"})
                for n in range(1000 * SECONDS)
            ]
            looked = closed_loop(port, looks, clients=CLIENTS, seconds=SECONDS)
            assert set(looked.statuses) == {200}, looked.statuses
            waits.append(looked.percentile(0.99) * 1000)
    assert statistics.median(rates) > 0
    return figure("callbacks", "/s", rates), figure("look-up p99", "ms", waits)
