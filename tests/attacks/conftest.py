"""The system under attack: one for a whole file, a household of its own for every attack, and what must not change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from app.flows.pay import collect
from app.flows.pay.collect import Allowance
from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.flows.refund import give_back
from app.policy.facts import Insurance
from config.postgres import Server
from payments.gateways.base import Checkout, Gateway
from payments.sandbox.far import Event
from tests.builders import a_household, a_person, an_id_number
from tests.conftest import DATABASE, emptied
from tests.system import System, system
from tests.wires import WIRES, Posted, Wire

_sequence = count(1)
COUNTED = ("entry", "posting", "suspense", "notice", "procrastinate_jobs", "refund")


@pytest.fixture(scope="module")
def besieged(database: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system over real HTTP."""
    with emptied(database), system(database, DATABASE, tmp_path_factory.mktemp("far")) as up:
        yield up


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory):
    """The folder of another sandbox's keys: an attacker's, or another environment's."""
    return tmp_path_factory.mktemp("elsewhere")


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Owed:
    """A payment of 320 yuan that somebody has begun: its number, the code to pay it by, and for whom it is."""

    number: str
    code: str
    id_number: str


@dataclass
class Target:
    """One gateway's callback route, and what can be seen from behind it."""

    system: System
    name: str
    wire: Wire
    kind: Kind
    alerts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    seen: datetime = datetime(2021, 1, 1, tzinfo=UTC)

    @property
    def gateway(self) -> Gateway:
        return self.system.parts.gateways[self.name]

    def owing(
        self,
        *,
        gateway: str | None = None,
        amount_of: Insurance = Insurance.RES_MEDICAL,
        kind: Kind | None = None,
    ) -> Owed:
        """Somebody of a new household begins to pay; at another gateway by a code."""
        kind = kind or (Kind.NATIVE if gateway else self.kind)
        place = next(_sequence)
        id_number = an_id_number(sequence=place)
        person = self.system.write(
            lambda connection: a_person(
                connection, id_number=id_number, household=a_household(connection, number=f"{place:04d}")
            )
        )
        openid = f"o{'A' * 27}" if kind is Kind.ACCOUNT else None
        payer = Payer("resident", "self", gateway or self.name, kind, openid, "127.0.0.1")
        started = start_payment(self.system.parts, [Want(person, amount_of)], payer, request_key=f"attack-{place}")
        return Owed(started.number, self.code_behind(started.checkout), id_number)

    def code_behind(self, checkout: Checkout) -> str:
        """What the payer's phone finds; to WeChat's page his browser goes out of ours."""
        if checkout.link is None:
            return checkout.code_url or checkout.jsapi["package"].removeprefix("prepay_id=")
        went = self.system.outside.door.send("GET", checkout.link, headers={"Referer": f"{self.system.url}/"})
        return went.headers["location"].partition("code=")[2]

    def genuine(self, owed: Owed, spoil: str = "") -> Posted:
        """It is paid on the phone, and this is what the gateway would tell us."""
        delivery = self.system.outside.telling(self.system.outside.pay_untold(owed.code), spoil)
        return Posted(delivery.headers, delivery.body)

    def given_back(self, owed: Owed, number: str) -> Posted:
        """An agreed refund is sent there and done, and this is what the gateway would tell us."""
        world = self.system.outside.world
        world.knobs.notify_factor = 1000  # it settles when we say so
        try:
            give_back.pay_due(self.system.parts)
        finally:
            world.knobs.notify_factor = 0.01
        trade, done = world.trades.settle_refund(self.name, owed.number, number)
        world.trades.acknowledge(trade, done)
        delivery = world.far[self.name].delivery(Event(done["event_id"], trade, done))
        return Posted(delivery.headers, delivery.body)

    def send(self, posted: Posted, *, to: str | None = None, query: str = "", **headers: str) -> Answered:
        """To this gateway's route, or another's."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/callbacks/{self.name if to is None else to}{query}"
        return self.ask("POST", path, [*{**posted.headers, **more}.items()], posted.body)

    def ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answered:
        """Any request, word for word; a header may come twice."""
        connection = HTTPConnection(self.system.url.removeprefix("http://"), timeout=10)
        try:
            has_host = any(name.lower() == "host" for name, _ in headers)
            connection.putrequest(method, path, skip_host=has_host, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode())
            if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            said = connection.getresponse()
            return Answered(said.status, said.read())
        finally:
            connection.close()

    def state(self, owed: Owed) -> str:
        return str(self.system.one("select state from payment where number = :n", n=owed.number)[0])

    def kept(self) -> list[Any]:
        """The rows of `received` that are new since the last look."""
        with self.system.parts.engine.connect() as connection:
            rows = connection.execute(
                text("select * from received where received_at > :seen order by received_at"), {"seen": self.seen}
            ).all()
        self.seen = max([self.seen, *(row.received_at for row in rows)])
        return list(rows)

    def book(self) -> dict[str, Any]:
        """Everything that money or a message could have changed."""
        counts = ", ".join(f"(select count(*) from {table}) as {table}" for table in COUNTED)
        with self.system.parts.engine.connect() as connection:
            found: dict[str, Any] = dict(connection.execute(text(f"select {counts}")).one()._mapping)
            found["payment"] = connection.execute(text("select number, state from payment order by number")).all()
            found["bill"] = connection.execute(text("select id, state from bill order by id")).all()
        return found

    def forged(self, posted: Posted, *, why: str = "", rows: int = 1, to: str | None = None, **headers: str) -> None:
        """Refused in the gateway's words, kept with the check that failed, said aloud; nothing else changed."""
        name = to or self.name
        before, rejected = self.book(), self.system.parts.gateways[name].rejected()
        self.kept(), self.alerts.clear()

        said = self.send(posted, to=to, **headers)

        assert (said.status, said.body) == (401, rejected.body)
        kept = self.kept()
        assert [(row.gateway, row.result, row.number) for row in kept] == [(name, "refused", "")] * rows
        assert all(why in row.verdict and row.verdict for row in kept), [row.verdict for row in kept]
        assert [(what, words["gateway"]) for what, words in self.alerts] == [("callback_refused", name)]
        assert self.book() == before

    def acknowledged(self, posted: Posted, result: str, *, alert: str | None = None, **headers: str) -> None:
        """Believed and answered so that it stops, kept with what became of it, and somebody woken (`alert`) or not."""
        accepted = self.gateway.accepted()
        self.kept(), self.alerts.clear()

        said = self.send(posted, **headers)

        assert (said.status, said.body) == (accepted.status, accepted.body)
        assert [(row.gateway, row.verdict, row.result) for row in self.kept()] == [(self.name, "verified", result)]
        assert [what for what, _ in self.alerts] == ([alert] if alert else [])

    def held(self, owed: Owed) -> list[tuple[str, str, int | None]]:
        """Doubt, owner and amount of what lies in suspense under this number."""
        with self.system.parts.engine.connect() as connection:
            rows = connection.execute(
                text("select doubt, owner, amount from suspense where number = :n order by created_at"),
                {"n": owed.number},
            ).all()
        return [(row.doubt, row.owner, row.amount) for row in rows]

    def entries(self, posted: Posted) -> int:
        """How often the money of this message is booked."""
        said = self.wire.opened(posted)
        [name] = self.wire.NAMES["reference"]
        cause = f"receipt:{self.name}:{said[name]}"
        return int(self.system.one("select count(*) from entry where cause = :c", c=cause)[0])


@pytest.fixture
def target(besieged: System, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """One gateway of the running system, and the kind by which its payments are begun (`wechat:h5`); the store of
    refusals that are kept is full again before every attack."""
    monkeypatch.setattr(collect, "REFUSED_KEPT", Allowance(per_second=5, burst=100))
    gateway, _, kind = name.partition(":")
    wire = WIRES[gateway](besieged.outside.world.config.folder)
    held = Target(besieged, gateway, wire, Kind(kind or Kind.NATIVE))
    before = besieged.parts.alert
    object.__setattr__(besieged.parts, "alert", lambda what, **words: held.alerts.append((what, words)))
    yield held
    object.__setattr__(besieged.parts, "alert", before)
    besieged.outside.clear()
