"""What one resident does: chooses, scans, pays, waits, gives up, comes back, changes the channel, pays twice."""

from typing import TYPE_CHECKING

from app.flows.pay.start import Payer, Started, Want
from app.policy.facts import Insurance
from payments.gateways.base import Kind
from payments.sandbox.trades import Declined
from tests.simulate.rates import AT_START, WAYS, WHEN_ASKED, WHEN_CLOSED, WHEN_TOLD, Mishap, chosen
from tests.simulate.stage import KILLED
from tests.simulate.system import Reply

if TYPE_CHECKING:
    from tests.simulate.season import Season

TIERS = (300_00, 500_00, 1000_00, 5000_00)
TRIES = 4
_AGAIN = frozenset({KILLED, "!OperationalError", "!InterfaceError", "!InternalError", "!GATEWAY_SILENT"})


class Resident:
    """One who comes to pay, and whatever follows from it."""

    def __init__(self, season: "Season", place: int) -> None:
        self.season, self.place = season, place
        self.chance, self.rates, self.stage = season.chance, season.rates, season.stage
        self.household = season.household(place + (self.chance.randrange(4) if self.chance.random() < 0.2 else 0))
        self.wants = self._wants()
        stranger = self.chance.random() < self.rates.strangers
        self.account = f"account:{self.household.id + stranger}"
        self.tries = self.keys = 0

    def come(self) -> None:
        """Chooses a way and starts."""
        self._choose()
        self._start()

    def _wants(self) -> list[Want]:
        wants = []
        for person, has_pension in self.chance.sample(self.household.people, self.chance.choice((1, 1, 1, 2, 3))):
            wants.append(Want(person, Insurance.RES_MEDICAL))
            if has_pension and self.chance.random() < 0.25:
                wants.append(Want(person, Insurance.RES_PENSION, self.chance.choice(TIERS)))
        return wants

    def _choose(self) -> None:
        self.gateway, self.kind = self.chance.choices(WAYS, self.rates.ways)[0]
        self.keys += 1
        self.key = f"resident-{self.place}-{self.keys}"

    def _start(self) -> None:
        """The same key again is the same wish; after a silence somebody presses the button once more."""
        if self.kind is not Kind.WEB and self._goes_wrong():
            self._mishap(AT_START, None)
        openid = f"o{self.household.id:027d}" if self.kind in (Kind.JSAPI, Kind.ACCOUNT) else None
        payer = Payer(self.account, "self", self.gateway, self.kind, openid, "127.0.0.1")
        if self.kind is not Kind.WEB and not self.season.is_over and self.chance.random() < self.rates.crossed:
            self.stage.crossing = lambda: self._press_again(payer)
        told = f"{self.key} {self.gateway} {self.kind} {len(self.wants)}"
        reply = self._ask(payer, told)
        self.stage.crossing = None
        self.tries += 1
        if isinstance(reply.data, Started):
            self._started(reply.data)
        elif self.tries < TRIES and reply.word in _AGAIN:
            self._later(2, 40, self._start)
        elif self.tries < TRIES and reply.word in ("!GATEWAY_REFUSED", "!PAYMENT_UNDER_WAY"):
            self._later(60, 900, self.come)
        elif self.tries < TRIES and reply.word == "!DIFFERENT_HOUSEHOLDS":
            self.wants = [want for want in self.wants if want.person_id == self.wants[0].person_id]
            self.come()

    def _ask(self, payer: Payer, told: str) -> Reply:
        return self.season.begin(self.wants, payer, self.key, told)

    def _press_again(self, payer: Payer) -> None:
        """While the gateway still answers the first time; another process of the web takes it."""
        self.stage.call("beside", "start", self.wants, payer, self.key, told=f"{self.key} once more")

    def _started(self, started: Started) -> None:
        if started.number is None or started.checkout is None:
            return
        self.season.numbers.setdefault(self.gateway, []).append(started.number)
        if self._goes_wrong():
            self._mishap(WHEN_TOLD, started.number)
            if self.chance.random() < 0.3:
                self._mishap(WHEN_ASKED, started.number)
        dice = self.chance.random()
        for share, act in (
            (self.rates.abandoned, lambda _started: None),
            (self.rates.closed, self._close_soon),
            (self.rates.changed, self._change),
            (self.rates.twice, self._pay_twice),
            (self.rates.late, self._pay_late),
        ):
            if dice < share:
                return act(started)
            dice -= share
        soon = self.chance.random() < 0.85
        self._later(*((3, 20) if soon else (20, 600)), lambda: self._pay(started))

    def _pay(self, started: Started) -> None:
        code = self._code(started)
        if code is None:
            return self.stage.say(f"phone {started.number} finds no code")
        try:
            trade = self.stage.far.world.pay(code, "")
        except Declined as no:
            self.stage.say(f"phone {started.number} declined {no.code}")
            if self.tries < TRIES and no.code != "ORDERPAID":
                self._later(5, 60, self.come)
            return None
        self.stage.say(f"phone {started.number} paid {trade['amount']} {trade['reference']}")
        if self.chance.random() < 0.1:
            self._later(1, 90, lambda: self.stage.call("web", "follow", started.number))
        if self.chance.random() < self.rates.given_back:
            self._later(300, 90_000, lambda: self._want_back(str(started.number)))
        if self.gateway == "wechat" and self.chance.random() < self.rates.by_hand:
            self._later(600, 90_000, lambda: self.season.staff.give_back_by_hand(trade["number"]))
        if self.chance.random() < self.rates.determined:
            self._later(300, 90_000, lambda: self.season.staff.determine(self.wants[0].person_id))
        return None

    def _want_back(self, number: str) -> None:
        self.season.staff.ask_back(self.gateway, number)

    def _code(self, started: Started) -> str | None:
        checkout = started.checkout
        assert checkout is not None
        if checkout.code_url:
            return checkout.code_url
        if checkout.page:
            return self.stage.far.open_page(checkout.page.url, checkout.page.fields)
        if checkout.link:
            return self.stage.far.open_link(checkout.link)
        return str((checkout.jsapi or {}).get("package", "")).removeprefix("prepay_id=")

    def _close_soon(self, started: Started) -> None:
        """Presses "stop"; sometimes the code is scanned all the same."""
        if self._goes_wrong():
            self._mishap(WHEN_CLOSED, started.number)
        self._later(10, 300, lambda: self.stage.call("web", "close", started.number, self.account))
        if self.chance.random() < 0.5:
            self._later(5, 400, lambda: self._pay(started))

    def _change(self, started: Started) -> None:
        """Another channel for the same items, while the first code is still out; perhaps both are paid, the first even
        after its end."""
        self._later(5, 200, self.come)
        if self.chance.random() < 0.5:
            self._may_be_late(started)
        if self.chance.random() < 0.7:
            self._later(2, 500, lambda: self._pay(started))

    def _pay_twice(self, started: Started) -> None:
        self._later(3, 100, lambda: self._pay(started))
        self._later(3, 200, lambda: self._pay(started))
        if self.chance.random() < 0.5:
            self._later(100, 400, self.come)

    def _pay_late(self, started: Started) -> None:
        """Long after the end, and the far side lets it pass; meanwhile somebody else may have paid."""
        self._may_be_late(started)
        self._later(1000, 6000, lambda: self._pay(started))
        if self.chance.random() < 0.4:
            self._later(900, 5000, self.come)

    def _may_be_late(self, started: Started) -> None:
        self.stage.far.faults.add({"kind": "late_success", "gateway": self.gateway, "number": started.number})

    def _goes_wrong(self) -> bool:
        return not self.season.is_over and self.chance.random() < self.rates.mishaps

    def _mishap(self, mishaps: tuple[Mishap, ...], number: str | None) -> None:
        self.stage.far.faults.add(chosen(self.chance, mishaps, self.gateway).fault(self.chance, self.gateway, number))

    def _later(self, least: int, most: int, act: object) -> None:
        self.season.later(self.chance.uniform(least, most), act)  # type: ignore[arg-type]
