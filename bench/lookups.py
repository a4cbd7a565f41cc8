"""P4: what a household owes, by the API with a real quote, against an endpoint that only answers JSON."""

from collections.abc import Callable
from datetime import datetime

from app.access import accounts, sessions
from app.cli.parts import joined
from app.cli.people import ensure_district
from bench.ground import DATABASE, Ground
from bench.load import closed_loop, request
from bench.ratio import Ratio, in_turn
from core.clock import BEIJING
from core.db import connect

CLIENTS = 16
PEOPLE = 12_000
HOUSEHOLDS = 2000


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Closed loop, the same server settings for both."""
    tokens = sessions_of_households(ground)

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


def sessions_of_households(
    ground: Ground, *, people: int = PEOPLE, households: int = HOUSEHOLDS, members: tuple[int, int] = (3, 3)
) -> list[str]:
    """People of the synthetic district, and a session for each household of that size: an account of its own that
    knows its members."""
    parts = joined(ground.settings(), connect(ground.server.office_url(DATABASE), pool_size=2))
    parts.clocks.set_to(datetime(2021, 11, 5, 12, 5, tzinfo=BEIJING))
    ensure_district(parts, people=people, password_file=ground.folder / "agent.txt")
    rows = ground.sql(
        "select array_agg(id) from person group by household_id having count(*) between %s and %s"
        " order by household_id limit %s",
        (*members, households),
    )
    tokens = []
    with parts.engine.begin() as connection:
        for (together,) in rows:
            token = sessions.new_token()
            now = parts.clocks.wall()
            account, _ = accounts.of_phone(connection, parts.vault, f"139{len(tokens):08}", now=now)
            sessions.write(connection, token, now=now, account_id=account)
            visitor = sessions.find_by_hash(connection, sessions.hash_of(token), now=now)
            assert visitor is not None
            for member in together:
                sessions.know(connection, visitor, member)
            tokens.append(token)
    parts.engine.dispose()
    return tokens
