"""The outside world on a loopback port, and a merchant's door that receives its callbacks."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from types import CodeType
from urllib.parse import quote, urlsplit

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.serving import make_server

from core.clock import utc_now
from core.http import Answer, Door
from payments.gateways.alerting import Alert, unheard
from payments.gateways.base import Gateway
from payments.gateways.known import connect
from payments.sandbox import SandboxConfig, create_sandbox
from payments.sandbox.alipay import keys as alipay_keys
from payments.sandbox.alipay.keys import AlipayKeys
from payments.sandbox.far import Delivery, Event, FarSide
from payments.sandbox.keys import SandboxKeys, make_keys
from payments.sandbox.unionpay import keys as unionpay_keys
from payments.sandbox.unionpay.keys import UnionPayKeys
from payments.sandbox.world import World

NOBODY = "http://127.0.0.1:9/callbacks/wechat"  # a port that refuses at once: callbacks go astray and hold nobody up


class _Compiled(BytecodeCache):
    """The code of pages: of each once in a process, however many applications show it."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._held.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._held[bucket.key] = bucket.checksum, bucket.code


COMPILED = _Compiled()


@dataclass(frozen=True)
class Outside:
    """A running sandbox: its address, both sides' keys, and a way to pull its strings. `world` is its inside, where it
    runs in this process: what it would say can be had without its saying it."""

    url: str
    keys: SandboxKeys
    door: Door
    alipay_keys: AlipayKeys | None = None
    unionpay_keys: UnionPayKeys | None = None
    world: World | None = field(default=None, compare=False, repr=False)

    def get(self, path: str, **headers: str) -> dict:
        return json.loads(self.door.send("GET", self.url + path, headers=headers).body)

    def post(self, path: str, wanted: dict, **headers: str) -> dict:
        return json.loads(self.raw_post(path, wanted, **headers).body)

    def raw_post(self, path: str, wanted: dict, **headers: str) -> Answer:
        headers = {"Content-Type": "application/json", **{name.replace("_", "-"): v for name, v in headers.items()}}
        return self.door.send("POST", self.url + path, headers=headers, body=json.dumps(wanted).encode())

    def fault(self, kind: str, number: str | None = None, **words: object) -> None:
        said = self.raw_post("/faults", {"kind": kind, **({"number": number} if number else {}), **words})
        assert said.status < 300, said.body

    def clear(self) -> None:
        self.door.send("DELETE", f"{self.url}/faults", headers={})

    def pay(self, code: str, openid: str = "") -> Answer:
        return self.raw_post("/phone/pay", {"code_url": code, "openid": openid})

    def phone(self, code: str) -> str:
        return self.door.send("GET", f"{self.url}/phone?code={quote(code)}", headers={}).body.decode()

    def paid(self, number: str) -> list[dict]:
        return [trade for trade in self.get("/trades")["trades"] if trade["number"] == number]

    def callback_statuses(self, number: str, count: int, seconds: float = 5) -> list[int]:
        """What came back for the first `count` deliveries; the last is written down just after it was answered."""
        until = time.monotonic() + seconds
        while True:
            lines = self.get("/callbacks")["callbacks"]
            statuses = [line["status"] for line in lines if line["number"] == number]
            if len(statuses) >= count or time.monotonic() > until:
                return statuses
            time.sleep(0.02)

    def far(self, name: str) -> FarSide:
        """One gateway's other side."""
        assert self.world is not None
        return self.world.far[name]

    def pay_untold(self, code: str) -> dict:
        """A phone pays, and the merchant is not told: the paid trade, for whoever wants to tell it otherwise."""
        assert self.world is not None
        found = self.world.behind(code)
        trade = self.world.far[found["gateway"]].pay(found, "")
        self.world.trades.acknowledge(trade, None)  # nor told after a restart
        return trade

    def telling(self, trade: dict, spoil: str = "") -> Delivery:
        """The callback of a paid trade as the gateway would send it now."""
        delivery = self.far(trade["gateway"]).delivery(Event(trade["event_id"], trade), spoil)
        assert delivery is not None
        return delivery

    def gateway(self, name: str, notify_url: str = NOBODY, **changed: object) -> Gateway:
        """A registered gateway's adapter, connected to this sandbox; `read_s` and credentials by name are `changed`."""
        return {"wechat": self.wechat, "alipay": self.alipay, "unionpay": self.unionpay}[name](notify_url, **changed)

    def wechat(self, notify_url: str = NOBODY, *, read_s: float = 8, alert: Alert = unheard, **changed: object):
        credentials = self.keys.wechat_credentials(base_url=self.url, notify_url=notify_url) | changed
        door = Door(hosts=frozenset({urlsplit(self.url).netloc}), read_s=read_s)
        return connect("wechat", credentials, door, utc_now, alert=alert)

    def alipay(self, notify_url: str = NOBODY, *, read_s: float = 8, alert: Alert = unheard, **changed: object):
        """`certificates=True` for certificate mode. Nobody listens at port 9: a refusal costs no time."""
        credentials = self.alipay_keys.credentials(
            base_url=self.url,
            notify_url=notify_url,
            return_url="https://pay.invalid/back/alipay",
            certificates=bool(changed.pop("certificates", False)),
        )
        door = Door(hosts=frozenset({urlsplit(self.url).netloc}), read_s=read_s)
        return connect("alipay", credentials | changed, door, utc_now, alert=alert)

    def unionpay(self, notify_url: str = NOBODY, *, read_s: float = 8, alert: Alert = unheard, **changed: object):
        addresses = {"notify_url": notify_url, "return_url": "https://pay.invalid/back/unionpay"}
        assert self.unionpay_keys is not None
        credentials = self.unionpay_keys.credentials(base_url=self.url, **addresses) | changed
        door = Door(hosts=frozenset({urlsplit(self.url).netloc}), read_s=read_s)
        return connect("unionpay", credentials, door, utc_now, alert=alert)


def with_keys(folder: Path) -> Path:
    """The folder, with the keys of both sides that it has none of yet: they take seconds to make, so most far sides of
    a test run have the same ones. Whoever plays a stranger makes his own."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in Path(_keys().name).iterdir():
        if not (folder / file.name).exists():
            shutil.copy(file, folder)
    return folder


@cache
def _keys() -> tempfile.TemporaryDirectory[str]:
    """Made once in a process, and gone with it."""
    home = tempfile.TemporaryDirectory(prefix="liangxian-keys-")
    for make in (make_keys, alipay_keys.make, unionpay_keys.make):
        make(Path(home.name))
    return home


@contextmanager
def outside(folder: Path, **changed: object) -> Iterator[Outside]:
    """A sandbox over real HTTP on a free loopback port."""
    with_keys(folder)
    app = create_sandbox(SandboxConfig(folder, **changed))
    app.jinja_env.bytecode_cache = COMPILED
    world = app.extensions["liangxian.sandbox"]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    netloc = f"127.0.0.1:{server.server_port}"
    try:
        yield Outside(
            f"http://{netloc}",
            world.keys,
            Door(hosts=frozenset({netloc})),
            world.far["alipay"].keys,
            world.far["unionpay"].keys,
            world,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        world.stop()


@dataclass
class Received:
    """Callbacks as they arrived: headers and raw bytes. `answer` decides the status of the n-th (from 0)."""

    url: str = ""
    answer: Callable[[int], int] = lambda n: 204
    body: bytes = b""
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)

    def wait(self, count: int, seconds: float = 5) -> list[tuple[dict[str, str], bytes]]:
        """The first `count` callbacks, or a failure after `seconds`."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.came) >= count, seconds), f"{len(self.came)} came"
            return list(self.came)


@contextmanager
def receiver() -> Iterator[Received]:
    """A tiny merchant that keeps every callback it gets."""
    received = Received()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with received.changed:
                status = received.answer(len(received.came))
                received.came.append((dict(self.headers.items()), body))
                received.changed.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", str(len(received.body)))
            self.end_headers()
            self.wfile.write(received.body)

        def log_message(self, format: str, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_port}/callbacks/wechat"
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
