"""P4: what a household owes, by the API with a real quote, against an endpoint that only answers JSON."""

from collections.abc import Callable

from bench.ground import Ground
from bench.load import closed_loop, request
from bench.ratio import Ratio, in_turn

CLIENTS = 16
HOUSEHOLDS = 2000


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Closed loop, the same server settings for both."""
    tokens = _households(ground)

    def ours() -> float:
        with ground.web() as port:
            requests = [
                request("GET", "/api/v1/due", {"Authorization": f"Bearer {tokens[n % len(tokens)]}"})
                for n in range(4000 * seconds)
            ]
            closed_loop(port, requests, clients=CLIENTS, seconds=1)
            seen = closed_loop(port, requests, clients=CLIENTS, seconds=seconds)
        assert set(seen.statuses) == {200}, seen.statuses
        return seen.rate()

    def bare() -> float:
        with ground.web("bench.bare:app") as port:
            requests = [request("GET", "/due", {})] * (12000 * seconds)
            closed_loop(port, requests, clients=CLIENTS, seconds=1)
            return closed_loop(port, requests, clients=CLIENTS, seconds=seconds).rate()

    mine, limit = in_turn(("ours", ours), ("bare Flask JSON", bare), unit="/s", runs=runs)
    return [Ratio("P4", f"amount due of a household of three, {CLIENTS} clients", mine, limit, 0.45, 0.6)]
