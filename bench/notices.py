"""P8: waiting notices handed to a provider that answers in fifty milliseconds, against connections ÷ delay."""

import dataclasses
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from app.cli.parts import joined
from app.cli.stack import free_port
from app.flows.tell.send import tell_due
from bench.ground import DATABASE, Ground
from bench.ratio import Figure, Ratio, figure
from bench.slow_provider import DELAY_S
from core.db import connect
from core.http import Door
from notifications.channels import Account
from notifications.channels.sms import JsonSms

CONNECTIONS = 16
_FIELDS = '{"village":"v","names":"n","items":"i","amount":"1","check_code":"C"}'


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Each run sends what the limit would send in `seconds`."""
    port, most = free_port(), int(CONNECTIONS / DELAY_S)
    provider = subprocess.Popen([sys.executable, "-m", "bench.slow_provider", str(port)])
    try:
        rates = [_rate(ground, port, most * seconds) for _ in range(runs)]
    finally:
        provider.terminate()
        provider.wait()
    say(f"P8  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB (goal ≤ 100)")
    limit = Figure(f"{CONNECTIONS} connections ÷ {DELAY_S * 1000:.0f} ms", "/s", most, most, most)
    return [Ratio("P8", "notices to a provider that takes 50 ms", figure("ours", "/s", rates), limit, 0.92, 0.95)]


def _rate(ground: Ground, port: int, how_many: int) -> float:
    held = joined(ground.settings(), connect(ground.server.app_url(DATABASE), pool_size=CONNECTIONS))
    door = Door(hosts=frozenset({f"127.0.0.1:{port}"}), pool=CONNECTIONS)
    sms = {"sms": JsonSms(door, Account("http", f"http://127.0.0.1:{port}", "key"))}
    parts = dataclasses.replace(held, channels=sms, senders=CONNECTIONS)
    ground.admin("truncate notice")
    sealed = [parts.vault.seal("13800000000", bound_to=f"notice.phone:payment:{n}") for n in range(how_many)]
    with parts.engine.begin() as connection:
        for n, phone in enumerate(sealed):
            connection.exec_driver_sql(
                "select enqueue_notice(%s, %s, 'paid', %s::jsonb, null, %s, now())",
                (n, f"payment:{n}:paid", _FIELDS, phone),
            )
    began, sent = time.perf_counter(), 0
    while found := tell_due(parts):
        sent += found
    spent = time.perf_counter() - began
    parts.engine.dispose()
    assert sent == how_many, (sent, how_many)
    return sent / spent
