"""P13: one genuine callback of each channel believed and read, against a bare RSA verification of `cryptography`; and
what an order costs us (our own thread's time, the far side's not), against its one RSA signature."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from werkzeug.serving import make_server

from app.joining import gateway_of
from bench.ground import Ground
from bench.ratio import Ratio, in_turn
from config.local import sandbox_keys
from config.settings import Settings
from core.clock import business_day, utc_now
from payments.gateways.base import Gateway, Kind, Order
from payments.gateways.known import GATEWAYS
from payments.number import new_number
from payments.sandbox import SandboxConfig, create_sandbox
from payments.sandbox.far import Delivery, Event
from payments.sandbox.world import World

GOALS = {"wechat": (1.8, 1.6), "alipay": (2.2, 1.8), "unionpay": (3.0, 2.2)}
ORDERS = 40
_WORLD = "liangxian.sandbox"


def run(ground: Ground, *, runs: int, seconds: int, say: Callable[[str], None]) -> list[Ratio]:
    """Every registered channel, one after the other."""
    key = rsa.generate_private_key(65537, 2048)
    found = []
    with _outside(ground) as (world, settings):
        for name in GATEWAYS:
            gateway = gateway_of(settings, name)
            told = _callback(world, gateway)
            ours = in_turn(
                (f"{name}: verified and read", lambda g=gateway, t=told: _timed(_reader(g, t), seconds / 4)),
                ("bare RSA verify", lambda n=name: _timed(_verify(key, hashed=n == "unionpay"), seconds / 4)),
                unit="µs",
                runs=runs,
            )
            title = f"a {name} callback believed and read, against one RSA verification"
            found.append(Ratio("P13", title, *ours, *GOALS[name], at_least=False))
            say(_order_cost(gateway, key))
    return found


@contextmanager
def _outside(ground: Ground) -> Iterator[tuple[World, Settings]]:
    """A far side in this process, and the settings of a merchant who talks to it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = create_sandbox(SandboxConfig(ground.folder / "far"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    lines = sandbox_keys(ground.folder / "far", base_url=url)
    try:
        yield app.extensions[_WORLD], Settings.from_environment(ground.environ | dict(lines))
    finally:
        server.shutdown()
        thread.join()
        app.extensions[_WORLD].stop()


def _callback(world: World, gateway: Gateway) -> Delivery:
    """A paid order's callback as its far side would send it."""
    code = gateway.start(_order()).code_url
    assert code is not None
    trade = world.far[gateway.name].pay(world.behind(code), "")
    delivery = world.far[gateway.name].delivery(Event(trade["event_id"], trade))
    assert delivery is not None
    return delivery


def _order() -> Order:
    now = utc_now().replace(microsecond=0)
    number = new_number(7, business_day(now))
    return Order(number, now, Kind.NATIVE, 32000, "峄城区2022年度城乡居民保险费", now + timedelta(minutes=5))


def _order_cost(gateway: Gateway, key: rsa.RSAPrivateKey) -> str:
    sign = _timed(lambda: key.sign(b"x" * 600, PKCS1v15(), SHA256()), 0.5)
    orders = [_order() for _ in range(ORDERS)]
    began = time.thread_time()
    for order in orders:
        gateway.start(order)
    cost = (time.thread_time() - began) / ORDERS * 1e6
    return (
        f"{gateway.name}: an order costs {cost:.0f} µs of our thread, {cost / sign:.1f} × its signature ({sign:.0f} µs)"
    )


def _reader(gateway: Gateway, told: Delivery) -> Callable[[], object]:
    now, headers = utc_now(), dict(told.headers)
    return lambda: gateway.read_callback(headers, told.body, now=now)


def _verify(key: rsa.RSAPrivateKey, *, hashed: bool = False) -> Callable[[], object]:
    """`hashed`: what is signed is the digest of the text, as UnionPay does."""
    text, public = b"x" * 1000, key.public_key()
    said = sha256(text).hexdigest().encode() if hashed else text
    signature = key.sign(said, PKCS1v15(), SHA256())
    if hashed:
        return lambda: public.verify(signature, sha256(text).hexdigest().encode(), PKCS1v15(), SHA256())
    return lambda: public.verify(signature, text, PKCS1v15(), SHA256())


def _timed(act: Callable[[], object], seconds: float) -> float:
    """Microseconds each, over about `seconds`."""
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(20):
            act()
        count += 20
    return took / count * 1e6
