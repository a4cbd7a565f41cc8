"""P15: the last evening. So many payments a second, and around each the looking up, following and paying of a resident;
everything on this machine: the crowd, the far side, the web, the worker, the database."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from bench.callbacks import signed
from bench.crowd import Crowd, Planned, Then
from bench.ground import Ground
from bench.load import Seen, percentile, request
from bench.lookups import sessions_of_households
from bench.orders import far_side, order, payers
from bench.ratio import Ratio, figure
from payments.number import household_of

EVENING = 18  # payments a second: ten times the district's peak
WARM_S = 5  # of the evening before it counts: a system does not begin on its last evening
LENGTH = 20  # the evening lasts so many times --seconds: half an hour with --seconds 90
ASKED = (12, 18, 26, 36, 50, 70)  # what it can, found out by asking for more, each so long
ASKED_S = 8
KEEPS = 0.97  # of what it is asked for: less, and that was too much
TOO_MANY = 5  # times the most that it books
TOO_MANY_S = 15
TOLD_MS = 100  # who is refused learns it
CONNECTIONS = 400
PEOPLE_A_PAYER = 6  # of the synthetic district: not everybody pays the ordinary price
BROWSED = (  # around each payment, before it or after; with the order, its following and the callback twenty requests
    *(("due", "/api/v1/due"),) * 9,
    *(("page", "/"), ("history", "/api/v1/payments")) * 2,
    ("policy", "/api/v1/policy"),
)
FOLLOWED = (1.0, 2.0, 4.0, 7.0)  # seconds after the order at which its screen asks
PAID_AFTER, REPEATED_AFTER = 3.0, 15.0  # the callback; the same again if nobody took it
GATEWAYS = frozenset({"callback", "repeat"})
TAKEN = {200, 201, 204}


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """The evening, then what it can at most, then five times that, once each: a night has no median, so `runs` is not
    used."""
    length = LENGTH * seconds
    wanted = EVENING * (WARM_S + length) + sum(ASKED) * ASKED_S + TOO_MANY * max(ASKED) * TOO_MANY_S // 2
    tokens = sessions_of_households(ground, people=PEOPLE_A_PAYER * wanted, households=3 * wanted, members=(1, 5))
    with far_side(ground) as url, ground.web(worker=True, GATEWAY_WECHAT_BASE_URL=url) as port:
        night = Night(ground, port, payers(ground, tokens), say)
        night.phase("warm", EVENING, WARM_S)
        evening = night.phase("evening", EVENING, length)
        ours = figure("booked", "payments", [evening.booked])
        limit = figure("asked for", "payments", [EVENING * length])
        title = f"deadline night: {EVENING}/s among twenty requests each"
        return [Ratio("P15", title, ours, limit, 0.999, 1.0), night.burst()]


class Phase(NamedTuple):
    """Payments that were booked in the end, and those of them that were while it lasted."""

    booked: int
    in_time: int


class Night:
    """One after the other on the same processes, each payer once."""

    def __init__(
        self, ground: Ground, port: int, visitors: Iterator[tuple[str, str]], say: Callable[[str], None]
    ) -> None:
        self._ground, self._port, self._visitors, self._say = ground, port, visitors, say

    def phase(self, name: str, rate: int, length: int) -> Phase:
        """So many payments a second, so long."""
        mine = list(islice(self._visitors, rate * length))
        assert len(mine) == rate * length, f"{len(mine)} payers for {rate * length} payments"
        before, taken_at = _booked(self._ground), list[float]()
        crowd = Crowd(self._port, connections=CONNECTIONS, apart=GATEWAYS)
        seen = crowd.run(plan(mine, rate), _noted(then(self._ground), taken_at))
        booked = _booked(self._ground) - before
        _judged(name, booked, seen, self._say)
        return Phase(booked, sum(moment <= length + PAID_AFTER for moment in taken_at))

    def burst(self) -> Ratio:
        """What is booked a second while five times too many come, against the most that is booked when no more come
        than are booked."""
        most = 0.0
        for rate in ASKED:
            in_time = self.phase(f"{rate}/s", rate, ASKED_S).in_time
            most = max(most, in_time / ASKED_S)
            if in_time < KEEPS * rate * ASKED_S:
                break
        crowded = self.phase("too many", round(TOO_MANY * most), TOO_MANY_S)
        ours = figure(f"while {TOO_MANY} times as many come", "/s", [crowded.in_time / TOO_MANY_S])
        return Ratio("P15", "payments booked a second", ours, figure("the most", "/s", [most]), 0.9, 0.95)


def _noted(after: Then, taken_at: list[float]) -> Then:
    """The same, and the moments at which a callback was taken."""

    def noted(done: Planned, now: float, status: int, body: bytes) -> Iterable[Planned]:
        if done.kind in GATEWAYS and status == 204:
            taken_at.append(now)
        return after(done, now, status, body)

    return noted


def plan(visitors: Iterable[tuple[str, str]], rate: int, *, times: int = 1) -> Iterator[Planned]:
    """Each visitor's browsing, so many times, lies in his slot of the second, and so does the order; many visits make
    one stream."""
    browsed = BROWSED * times
    for place, (token, reference) in enumerate(visitors):
        yield Planned(place / rate, "order", order(token, reference), token)
        for turn, (kind, path) in enumerate(browsed, start=1):
            moment = (place + turn / (len(browsed) + 1)) / rate
            yield Planned(moment, kind, _get(path, token))


def then(ground: Ground) -> Then:
    """What follows from an answer: an order is paid and its screen asks, a callback nobody took comes again."""

    def after(done: Planned, now: float, status: int, body: bytes) -> Iterator[Planned]:
        if done.kind == "order" and status == 201:
            number = json.loads(body)["number"]
            for later in FOLLOWED:
                yield Planned(now + later, "follow", _get(f"/api/v1/payments/{number}", done.whose))
            callback = signed(ground, [(household_of(number), number)])[0]
            yield Planned(now + PAID_AFTER, "callback", callback)
        if done.kind in GATEWAYS and status != 204:
            yield Planned(now + REPEATED_AFTER, "repeat", done.raw)

    return after


def _get(path: str, token: str) -> bytes:
    return request("GET", path, {"Authorization": f"Bearer {token}"})


def _booked(ground: Ground) -> int:
    """Payments that have their entry."""
    paid = "select count(*) from payment p join entry e on e.cause = 'receipt:wechat:' || p.reference"
    return int(str(ground.sql(f"{paid} where p.state = 'paid'")[0][0]))


def _judged(name: str, booked: int, seen: Mapping[str, Seen], say: Callable[[str], None]) -> None:
    """Whatever the load, a callback that was taken is booked."""
    for kind, each in sorted(seen.items()):
        refused = {status: count for status, count in each.statuses.items() if status not in TAKEN}
        half, most = (1000 * each.percentile(share) for share in (0.5, 0.99))
        say(
            f"P15 {name:<8} {kind:<9} {len(each.took):>7}   p50 {half:>7.1f} ms   p99 {most:>8.1f} ms   {refused or ''}"
        )
    requests = sum(len(each.took) for each in seen.values())
    errors = requests - sum(each.statuses.get(status, 0) for each in seen.values() for status in TAKEN)
    say(f"P15 {name:<8} errors {errors / requests:.2%} of {requests} (goal ≤ 0.10%; callbacks' p99 ≤ 500 ms)")
    if told := [seconds for each in seen.values() for seconds in each.refused]:
        half, most = (1000 * percentile(told, share) for share in (0.5, 0.99))
        say(f"P15 {name:<8} refused after p50 {half:.0f} ms, p99 {most:.0f} ms (goal ≤ {TOLD_MS})")
    taken = sum(seen[kind].statuses.get(204, 0) for kind in GATEWAYS if kind in seen)
    assert booked >= taken, f"{taken} callbacks taken, {booked} payments booked"
