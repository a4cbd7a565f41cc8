"""A stage for one fault at a time: payments of households of their own, a process or the database struck at a gate we
name, and what must be true afterwards. Time is the simulation's (tests/simulate), so nobody waits for it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeVar

from app.flows.pay.start import Payer, Started, Want
from app.policy.facts import Insurance
from core.clock import BEIJING
from payments.gateways.base import Kind
from tests.simulate.gates import What
from tests.simulate.people import Household
from tests.simulate.seeded import SECOND
from tests.simulate.staff import BUREAUS, CLERK, DESK, LEAD
from tests.simulate.stage import Due, Reply, Stage

MOST_GATES = 200
LOST = "!OperationalError"
Subject = TypeVar("Subject")


@dataclass
class Scene:
    """One fault by one gateway on a stage that it shares with others, after each other."""

    stage: Stage
    gateway: str
    county: Iterator[Household]
    chance: Random

    # Residents

    def wish(self) -> "Wish":
        """A household of its own that wants to pay."""
        household = next(self.county)
        people = household.people[: self.chance.choice((1, 1, 2))]
        return Wish([Want(person, Insurance.RES_MEDICAL) for person, _ in people], f"fault-{household.id}")

    def start(self, wish: "Wish | None" = None) -> Started:
        """A payment, begun."""
        wish = wish or self.wish()
        self.wait(2)  # our clock's offset is read anew: each story passes the same gates
        reply = self.begin(wish)
        if reply.word == LOST:
            reply = self.begin(wish)
        assert isinstance(reply.data, Started), reply
        return reply.data

    def begin(self, wish: "Wish") -> Reply:
        """The button pressed, whatever comes of it."""
        payer = Payer("resident", "self", self.gateway, Kind.NATIVE)
        return self.stage.call("web", "start", wish.wants, payer, wish.key, told=f"{wish.key} {self.gateway}")

    def pay(self, started: Started) -> str:
        """The phone confirms; its callback is on the way. The payment's number."""
        assert started.checkout is not None and started.number is not None
        self.stage.far.world.pay(str(started.checkout.code_url), "")
        return started.number

    def paid(self, *, told: bool = True) -> str:
        """A payment from its start to its end, or to the moment before its callback comes."""
        number = self.pay(self.start())
        if told:
            self.repeat()  # a process that has just lost its database says "later" to the first
        return number

    def untold(self) -> str:
        """A paid payment of which nobody tells us."""
        started = self.start()
        self.fault("callback_drop", started.number, count=None)
        number = self.pay(started)
        self.tell()
        return number

    def agreed(self, number: str) -> str:
        """A refund that two people agreed to; its number."""
        refund = str(self._surely("web", "ask_back", number, DESK).data)
        self._surely("web", "accept", refund, CLERK)
        self._surely("web", "review", refund, "RES_MEDICAL", BUREAUS["RES_MEDICAL"])
        self._surely("web", "decide", refund, True, LEAD)
        return refund

    # The far side, the worker, the time

    def fault(self, kind: str, number: str | None, **words: object) -> None:
        self.stage.far.faults.add({"kind": kind, "number": number, "gateway": self.gateway, **words})

    def tell(self) -> None:
        """Every callback that is due by now."""
        post, now = self.stage.far.post, self.stage.clock.micros
        while (due := post.next_due()) is not None and due <= now:
            post.deliver_next()

    def repeat(self) -> None:
        """What is told now, and told again when nobody acknowledged it."""
        self.tell()
        self.wait(self.stage.far.world.far[self.gateway].retry_after_s[0] + 1)

    def wait(self, seconds: float) -> None:
        """So much time passes, and callbacks come in it."""
        end, post, clock = self.stage.clock.micros + int(seconds * SECOND), self.stage.far.post, self.stage.clock
        while (due := post.next_due()) is not None and due <= end:
            clock.turn(max(clock.micros, due))
            post.deliver_next()
        clock.turn(end)

    def tick(self, *tasks: str) -> None:
        """The worker's turn at these tasks."""
        for task in tasks:
            if self.stage.due:
                self.stage.call("worker", "task", task)
            else:
                self._surely("worker", "task", task)

    def _surely(self, role: str, verb: str, *words: object) -> Reply:
        """A process whose connection went down with the database notices it once, and has a new one then."""
        reply = self.stage.call(role, verb, *words)
        return self.stage.call(role, verb, *words) if reply.word == LOST else reply

    def state(self, number: str, table: str = "payment") -> str:
        """Where a payment or a refund stands."""
        row = self.stage.eye.execute(f"select state from {table} where number = %s", (number,)).fetchone()
        assert row is not None
        return str(row.state)

    def morning(self) -> None:
        """Until the moment at which every gateway's list of the day before is there."""
        today = self.stage.clock.now().astimezone(BEIJING)
        ready = today.replace(hour=10, minute=5, second=0, microsecond=0)
        self.wait((ready + timedelta(days=ready <= today) - today).total_seconds())

    def statuses(self) -> Counter[str]:
        """What callbacks have been answered so far."""
        return Counter(self.stage.answered)

    # Strikes

    def strike(self, role: str, at: int, what: What = What.PROCESS) -> None:
        """The role's next command is struck at its n-th gate."""
        self.stage.due.append(Due(role, what, at))

    def at_every_gate(
        self,
        role: str,
        what: What,
        prepare: Callable[[], Subject],
        act: Callable[[Subject], object],
        after: Callable[[Subject], None],
    ) -> str:
        """The act, struck at its first gate, then (with another subject) at its second, until it passes them all."""
        for at in range(1, MOST_GATES):
            subject, due = prepare(), Due(role, what, at)
            self.stage.due.append(due)
            act(subject)
            was_struck = due not in self.stage.due
            self.stage.due.clear()
            after(subject)
            if not was_struck:
                return f"{at - 1} gates"
        raise AssertionError("an act without an end")


@dataclass(frozen=True)
class Wish:
    """What a household wants to pay, and the key that makes its repetition harmless."""

    wants: list[Want]
    key: str
