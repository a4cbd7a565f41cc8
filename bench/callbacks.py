"""P1–P3: a callback, from HTTP to the committed entry, notice and job.

The limit runs the very SQL of payments/taking/settle.py under pgbench, over the same prepared payments. The plain
version (bench/plain.py) does the same work the way a user of an ORM would write it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from bench.ground import Ground
from bench.load import Seen, closed_loop, open_loop, request
from bench.ratio import Ratio, in_turn
from payments.number import new_number
from payments.sandbox.signing import seal_resource
from payments.sandbox.wechat.voice import Voice

CLIENTS = 16
PAID_AT = "2021-11-05T12:02:00+08:00"
PATH = "/callbacks/wechat"
EMPTIED = (
    "bill, bill_line, payment, payment_bill, entry, posting, notice, received, suspense,"
    " procrastinate_jobs, procrastinate_events"
)


@dataclass
class Payments:
    """Prepared payments, each used once. `next` counts through them."""

    ground: Ground
    numbers: list[str] = field(default_factory=list)
    households: count = field(default_factory=lambda: count(1))

    def make(self, how_many: int) -> list[tuple[int, str]]:
        """Open bills with their lines and a pending payment each: (household, number)."""
        made = [
            (household, new_number(household, datetime(2021, 11, 5, tzinfo=UTC).date()))
            for household, _ in zip(self.households, range(how_many), strict=False)
        ]
        ids, numbers = [one[0] for one in made], [one[1] for one in made]
        for statement in _MAKE:
            self.ground.admin(
                statement.format(mchid=self.ground.keys.mchid, appid=self.ground.keys.appid), (ids, numbers)
            )
        return made

    def empty(self) -> None:
        """Away with everything, so that every run starts from the same size."""
        self.ground.admin(f"truncate {EMPTIED} cascade")
        self.ground.sql("vacuum")


_MAKE = (
    "insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code,"
    " price_until)"
    " select h, h, h, 'RES_MEDICAL', 2022, 90000, 32000, 'OK', '2022-01-01 00:00+08'"
    " from unnest(%s::bigint[], %s::text[]) as m (h, n)",
    "insert into bill_line select h, h, l, p, w, 'RES_MEDICAL', a, 'R16', ''"
    " from unnest(%s::bigint[], %s::text[]) as m (h, n),"
    " (values (1, 'personal', 'resident', 32000), (2, 'gov_subsidy', 'finance', 58000)) as v (l, p, w, a)",
    "insert into payment (household_id, number, gateway, merchant, app, kind, amount, description, state, started_by,"
    " started_at, ordered_at, expires_at, next_query_at, check_code, memo)"
    " select h, n, 'wechat', '{mchid}', '{appid}', 'native', 32000, '峄城区2022年度城乡居民保险费', 'pending',"
    " 'resident', now(), '2021-11-05 12:00+08', '2021-11-05 12:15+08', now() + interval '1 hour', right(n, 8),"
    " jsonb_build_object('notice',"
    " jsonb_build_object('fields', jsonb_build_object('village', '榴园镇示例村', 'names', '张*例',"
    " 'items', '2022年居民医保', 'amount', '320', 'check_code', right(n, 8)), 'openid', null, 'phone', null))"
    " from unnest(%s::bigint[], %s::text[]) as m (h, n)",
    "insert into payment_bill select h, n, h from unnest(%s::bigint[], %s::text[]) as m (h, n)",
)


def signed(ground: Ground, made: list[tuple[int, str]]) -> list[bytes]:
    """One callback request for each, as the far side would send it now."""
    voice = Voice(ground.keys)
    requests = []
    for household, number in made:
        trade = {
            "mchid": ground.keys.mchid,
            "appid": ground.keys.appid,
            "out_trade_no": number,
            "transaction_id": f"42000{household:020d}",
            "trade_type": "NATIVE",
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "bank_type": "OTHERS",
            "success_time": PAID_AT,
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {"total": 32000, "payer_total": 32000, "currency": "CNY", "payer_currency": "CNY"},
        }
        clear = json.dumps(trade, ensure_ascii=False).encode()
        body = json.dumps(
            {
                "id": f"EV-{household:033d}",
                "create_time": PAID_AT,
                "event_type": "TRANSACTION.SUCCESS",
                "resource_type": "encrypt-resource",
                "summary": "支付成功",
                "resource": {"original_type": "transaction"}
                | seal_resource(ground.keys.api_v3_key, clear, "transaction"),
            },
            ensure_ascii=False,
        ).encode()
        headers = voice.signed(body, by_public_key=True) | {"Content-Type": "application/json"}
        requests.append(request("POST", PATH, headers, body))
    return requests


def limit(ground: Ground, payments: Payments, seconds: int, *, clients: int = CLIENTS) -> float:
    """pgbench running `select collect(…)` with the arguments of a callback, one transaction each."""
    payments.empty()
    made = payments.make(6000 * seconds)
    ground.sql("create unlogged table if not exists bench_call (n bigint primary key, household bigint, number text)")
    ground.sql("truncate bench_call")
    ground.sql(
        "insert into bench_call select row_number() over (), h, n from unnest(%s::bigint[], %s::text[]) as m (h, n)",
        ([one[0] for one in made], [one[1] for one in made]),
    )
    ground.sql("grant select on bench_call to liangxian_app")
    ground.sql("analyze")
    outcome = json.dumps(
        {
            "merchant": ground.keys.mchid,
            "app": ground.keys.appid,
            "amount": 32000,
            "currency": "CNY",
            "happened_at": PAID_AT,
        }
    )
    headers = json.dumps(dict.fromkeys(("Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial"), "x" * 40))
    script = (
        f"\\set n :client_id + 1 + :i * {clients}\n\\set i :i + 1\n"
        "select collect(array[n], array[household], array['wechat'], array[number],"
        f" array[jsonb_set('{outcome}', '{{reference}}', to_jsonb('42000' || household))], array['EV-1'],"
        f" array['{headers}'::jsonb], array[convert_to(repeat('x', 1000), 'UTF8')],"
        " '2021-11-05 12:03+08', '2021-11-05', now()) from bench_call where n = :n;\n"
    )
    return ground.pgbench(script, clients=clients, seconds=seconds)


def over_http(
    ground: Ground, payments: Payments, port: int, seconds: float, per_second: int, *, emptied: bool = True
) -> Seen:
    """Callbacks as fast as they are answered; on empty tables, or on what stands there."""
    if emptied:
        payments.empty()
    requests = signed(ground, payments.make(int(per_second * seconds)))
    if emptied:
        ground.sql("analyze")
    return closed_loop(port, requests, clients=CLIENTS, seconds=seconds)


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """P1 and P2 with runs of `seconds`; P3's latencies are said."""
    payments = Payments(ground)

    def ours(application: str, most: int) -> Callable[[], float]:
        """`most`: a second, more than it can book."""

        def measure() -> float:
            with ground.web(application) as port:
                over_http(ground, payments, port, 1, 400)  # warm
                seen = over_http(ground, payments, port, seconds, most)
            _must_be_clean(ground, seen)
            return seen.rate(204)

        return measure

    title = f"callback → committed entry, notice and job, over HTTP, {CLIENTS} clients"
    first, bare = in_turn(
        ("ours", ours("wsgi:app", 3000)),
        ("pgbench, our own SQL", lambda: limit(ground, payments, seconds)),
        unit="/s",
        runs=runs,
    )
    found = [Ratio("P1", title, first, bare, 0.30, 0.55)]
    second, plain = in_turn(
        ("ours", ours("wsgi:app", 3000)),
        ("the same work on a plain ORM", ours("bench.plain:app", 1000)),
        unit="/s",
        runs=runs,
    )
    found.append(Ratio("P2", title, second, plain, 4, 8))
    with ground.web() as port:
        over_http(ground, payments, port, 1, 800)
        for rate, goal in ((500, 15), (1000, 60)):
            payments.empty()
            requests = signed(ground, payments.make(rate * 4))
            seen = open_loop(port, requests, clients=64, per_second=rate)
            _must_be_clean(ground, seen)
            fast, slow = (seen.percentile(share) * 1000 for share in (0.5, 0.99))
            say(f"P3  at {rate}/s: p50 {fast:.1f} ms, p99 {slow:.1f} ms (goal ≤ {goal})")
    return found


def _must_be_clean(ground: Ground, seen: Seen) -> None:
    """A figure of wrong work is no figure: every answer a 204, every 204 an entry, a notice and a place in a job."""
    assert set(seen.statuses) == {204}, seen.statuses
    booked = ground.sql(
        "select (select count(*) from entry), (select count(*) from notice),"
        " (select coalesce(sum(jsonb_array_length(args->'notices')), 0) from procrastinate_jobs)"
    )[0]
    assert all(int(str(number)) == seen.statuses[204] for number in booked), (booked, seen.statuses)
