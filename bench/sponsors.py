"""P18: fifty settlements at once, of each of which a single pledge pays a part, against the same without a sponsor.

Both run the very SQL of a callback under pgbench. A share is reserved before, as a start does; settling uses it."""

from collections.abc import Callable

from bench.callbacks import Payments, limit
from bench.ground import Ground
from bench.ratio import Ratio, in_turn

CLIENTS, SHARE = 50, 10000
_PLEDGE = (
    "insert into pledge (id, number, insurance, levy_year, budget, state, taken) overriding system value"
    " values (1, 'ZZ1', 'RES_MEDICAL', 2022, 1000000000000, 'agreed', 1000000000000)"
    " on conflict (id) do update set spoken = 0",
    "insert into account (code, kind, name) values ('sponsor:1', 'liability', 'x') on conflict do nothing",
)
_SHARES = (
    "insert into bill_line select h, h, 3, 'sponsor', 'sponsor:1', 'RES_MEDICAL', {share}, 'R20', ''"
    " from unnest(%s::bigint[]) h",
    "update bill set total = total + {share} where id = any (%s::bigint[])",
    "insert into pledge_share select h, h, 1, {share}, 'reserved' from unnest(%s::bigint[]) h",
    "update pledge set spoken = spoken + {share} * cardinality(%s::bigint[])",
)


class Sponsored(Payments):
    """The same payments, with a share of one pledge reserved for each."""

    def make(self, how_many: int) -> list[tuple[int, str]]:
        """As there."""
        made = super().make(how_many)
        for statement in _PLEDGE:
            self.ground.admin(statement)
        for statement in _SHARES:
            self.ground.admin(statement.format(share=SHARE), ([household for household, _ in made],))
        return made


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """The ratio of both rates; and that the pledge never went below zero and lost no fen."""
    plain, sponsored = Payments(ground), Sponsored(ground)

    def measure() -> float:
        rate = limit(ground, sponsored, seconds, clients=CLIENTS)
        [(spoken, used, booked)] = ground.sql(
            "select (select spoken from pledge), (select coalesce(sum(amount), 0) from pledge_share"
            " where state = 'used'), (select coalesce(sum(amount), 0) from posting where account = 'sponsor:1')"
        )
        assert used == booked and 0 < int(str(used)) <= int(str(spoken)), (spoken, used, booked)
        return rate

    ours, bare = in_turn(
        ("one pledge pays a part of each", measure),
        ("no sponsor", lambda: limit(ground, plain, seconds, clients=CLIENTS)),
        unit="/s",
        runs=runs,
    )
    say(f"P18  {CLIENTS} settlements at once on one pledge: used is booked, and never more than was reserved")
    return [Ratio("P18", f"settlements at once on one pledge, {CLIENTS} clients", ours, bare, 0.8, 0.95)]
