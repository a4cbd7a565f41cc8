"""P5: a payment begun, from HTTP to the code that may be scanned, with a gateway that answers at once; against pgbench
running what it writes and reads."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.access.sessions import hash_of
from app.cli.stack import free_port
from bench.ground import Ground
from bench.load import closed_loop, request
from bench.lookups import sessions_of_households
from bench.ratio import Ratio, in_turn

CLIENTS = 8
EMPTIED = "bill, bill_line, payment, payment_bill, request_key, entry, posting, notice, received, suspense"


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Closed loop; each session pays the medical premium of one adult, once."""
    tokens = sessions_of_households(ground)
    asked = [order(token, reference) for token, reference in payers(ground, tokens)]
    say(f"P5  {len(asked)} households to pay for")

    def ours() -> float:
        ground.admin(f"truncate {EMPTIED} cascade")
        with far_side(ground) as url, ground.web(GATEWAY_WECHAT_BASE_URL=url) as port:
            seen = closed_loop(port, asked, clients=CLIENTS, seconds=seconds)
        assert set(seen.statuses) == {201}, seen.statuses
        return seen.rate(201)

    def limit() -> float:
        ground.admin(f"truncate {EMPTIED} cascade")
        return ground.pgbench(_SCRIPT, clients=CLIENTS, seconds=seconds)

    mine, bare = in_turn(("ours", ours), ("pgbench, the same rows", limit), unit="/s", runs=runs)
    return [Ratio("P5", f"a payment begun, {CLIENTS} clients, its far side on the same cores", mine, bare, 0.15, 0.22)]


def payers(ground: Ground, tokens: list[str]) -> Iterator[tuple[str, str]]:
    """(token, reference) of sessions that know an adult who pays the ordinary price."""
    adults = {
        row[0]
        for row in ground.sql(
            "select p.id from person p join enrolment e on e.person_id = p.id and e.insurance = 'RES_MEDICAL'"
            " where p.birth_date between '1965-01-01' and '2000-01-01' and p.alive and p.residence = 'hukou'"
            "   and e.status = 'NORMAL' and not e.employee_insured and e.insured_elsewhere in ('none', '')"
            "   and not exists (select from category c where c.person_id = p.id)"
        )
    }
    known = {bytes(row[0]): row[1] for row in ground.sql("select token_hash, known from session")}
    for token in tokens:
        reference = next((each for each, person in known[hash_of(token)].items() if person in adults), None)
        if reference is not None:
            yield token, reference


def order(token: str, reference: str) -> bytes:
    """The request that begins a payment of somebody's medical premium."""
    wish = {"items": [{"person": reference, "insurance": "RES_MEDICAL"}], "kind": "native"}
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": f"bench-{reference}",
        "Content-Type": "application/json",
    }
    return request("POST", "/api/v1/payments", headers, json.dumps(wish).encode())


@contextmanager
def far_side(ground: Ground) -> Iterator[str]:
    """A gateway in a process of its own that answers at once and calls nobody back."""
    port = free_port()
    command = [sys.executable, "-m", "bench.quick_gateway", str(ground.folder / "far"), str(port)]
    process = subprocess.Popen(command)
    try:
        wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_until_open(port: int) -> None:
    """Until somebody listens there."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


_SCRIPT = """\\set h random(1, 1000000000000)
select p.*, h.number from person p join household h on h.id = p.household_id where p.id = 1 + :h::bigint % 10000;
select * from request_key where key = decode(md5((:h::bigint)::text), 'hex');
begin;
insert into bill (household_id, id, person_id, insurance, levy_year, total, personal_due, reason_code, price_until)
  values (:h::bigint, :h::bigint, :h::bigint, 'RES_MEDICAL', 2022, 90000, 32000, 'OK', '2022-01-01 00:00+08');
insert into bill_line values (:h, :h, 1, 'personal', 'resident', 'RES_MEDICAL', 32000, 'R16', ''),
  (:h, :h, 2, 'gov_subsidy', 'finance', 'RES_MEDICAL', 58000, 'R16', '');
insert into payment (household_id, number, gateway, merchant, app, kind, amount, description, started_by, started_at,
  ordered_at, expires_at, next_query_at, check_code, memo)
  values (:h, (:h::bigint)::text, 'wechat', 'm', 'a', 'native', 32000, 'd', 'resident', now(), now(), now(), now(),
  'K3W9X0T2', '{"notice": {"fields": {"village": "v", "names": "n", "items": "i", "amount": "320"}}}');
insert into payment_bill (household_id, number, bill_id) values (:h, (:h::bigint)::text, :h);
insert into request_key (key, body_hash, household_id, number)
  values (decode(md5((:h::bigint)::text), 'hex'), '\\x00', :h, (:h::bigint)::text);
commit;
begin;
update payment set state = 'pending', checkout = '{"code_url": "weixin://wxpay/bizpayurl?pr=0000000000"}'
  where household_id = :h and number = (:h::bigint)::text;
commit;
select * from payment where household_id = :h and number = (:h::bigint)::text;
"""
