"""The server killed at a moment chance picks, under load, its disk gone; restored; served again. Afterwards the far
sides' own lists say whether a fen was lost: what the last seconds held comes back by callbacks that were not answered,
by questions, and by the lists of the day."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from sqlalchemy import text

from app.flows.pay.expire import ask_silent
from app.flows.pay.start import Payer, Want, start_payment
from app.flows.reconcile.compare import reconcile_due
from app.flows.reconcile.fetch_statement import fetch_due
from app.flows.refund.steps import ask_for_surplus
from app.flows.restore.back_up import back_up
from app.flows.restore.reopen import reopen
from app.flows.tell.send import tell_due
from app.flows.watch.book import check_book
from app.policy.facts import Insurance
from core.db import connect
from payments.gateways.base import Kind
from payments.number import household_of
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.restore.ground import DATABASE, Ground
from tests.simulate.oracle import _BOOKED
from tests.system import System

GATEWAYS = ("wechat", "alipay", "unionpay")
OF_TIME = frozenset({"INV-12", "INV-17", "INV-19", "INV-39"})  # the clock was turned by a day: nobody had that day
LOADS = 4


@dataclass
class Report:
    """What became of it. Fen, payments, seconds."""

    seed: int
    how: str
    trades: int = 0  # paid at the far sides
    before: int = 0  # of those, booked when the server was killed
    forgotten: int = 0  # of those, gone with the last seconds of the log
    lost_s: float = 0  # from the last commit that came back to the kill
    restore_s: float = 0
    by_word: Counter[str] = field(default_factory=Counter)  # what came back by which way
    held: int = 0  # for an order's number nobody knows: suspense with an owner
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    numbers_again: int = 0  # households' numbers given out twice
    broken: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.invented or self.numbers_again or self.broken)

    def told(self) -> dict[str, object]:
        return {**asdict(self), "by_word": dict(self.by_word), "clean": self.is_clean}


class Disaster:
    """One machine, its system, and the hand that kills it."""

    def __init__(self, ground: Ground, running: System, seed: int, *, seconds: float = 0) -> None:
        """`seconds`: the longest the load goes on after its first half."""
        self.ground, self.running, self.chance, self.seconds = ground, running, Random(seed), seconds
        self.codes: list[str] = []
        self.sequence = count(1)
        self.households: list[int] = []
        self.lock = threading.Lock()

    def play(self, payments: int, how: str) -> Report:
        """The whole story; `how` as the keeper takes it: `latest`, or `backup` (the log is lost too)."""
        report = Report(self.chance.randrange(10**6), how)
        for _ in range(payments // 4):
            self.pay()
        self.settle()
        back_up(self.running.parts, full=True)
        killed_at = self.kill_under_load(payments)
        theirs = self.trades()
        report.trades, report.before = len(theirs), self.booked_before
        began = time.monotonic()
        self.running.parts.engine.dispose()
        self.running.office.engine.dispose()
        self.ground.restore(*({"backup": ["--type=immediate", "--target-action=promote"]}.get(how, [])))
        report.restore_s = round(time.monotonic() - began, 1)
        assert [one.rows for one in check_book(self.running.parts, ["INV-104"])] == [1], "nobody reopened it yet"
        owner = connect(self.ground.server.owner_url(DATABASE), pool_size=1)
        last = reopen(self.running.parts, owner, by="operator:test").lost_since
        owner.dispose()
        report.lost_s = round((killed_at - last).total_seconds(), 1)
        report.forgotten = report.before - self.booked()
        self.go_on(report)
        self.judge(report)
        return report

    def pay(self) -> str:
        """A household of its own begins a payment and pays it; the number."""
        place = next(self.sequence)
        gateway = GATEWAYS[place % 3]

        def bring_in(connection):
            household = a_household(connection, number=f"{place:05d}")
            number = an_id_number(born=NOON.date().replace(year=1980 + place // 900), sequence=place % 900 + 1)
            return household, a_person(connection, id_number=number, household=household, phone=None)

        household, person = self.running.write(bring_in)
        with self.lock:
            self.households.append(household)
        payer = Payer("resident", "self", gateway, Kind.NATIVE)
        started = start_payment(
            self.running.parts, [Want(person, Insurance.RES_MEDICAL)], payer, request_key=f"load-{place:05d}"
        )
        if place % 6 == 5:
            self.codes.append(started.checkout.code_url)  # this one is slow to pay
        else:
            self.running.outside.pay(started.checkout.code_url)
        return started.number

    def kill_under_load(self, payments: int) -> datetime:
        """Payments one after the other by several hands, and in the middle of them the end; its moment."""
        stopped = threading.Event()

        def pay_on() -> None:
            for _ in range(payments):
                if stopped.is_set():
                    return
                with suppress(Exception):  # the server dies under it
                    self.pay()
                time.sleep(self.seconds / payments)

        with ThreadPoolExecutor(LOADS) as hands:
            for _ in range(LOADS):
                hands.submit(pay_on)
            least = len(self.trades()) + payments // 2
            while len(self.trades()) < least:
                time.sleep(0.01)
            time.sleep(self.chance.uniform(0, self.seconds or 1))
            self.booked_before = self.booked()
            killed_at = datetime.now(UTC)
            self.ground.lose()
            for code in self.codes:  # some pay while nobody is there
                self.running.outside.pay(code)
            stopped.set()
        return killed_at

    def trades(self) -> dict[tuple[str, str], int]:
        """What the far sides say was paid."""
        world = self.running.outside.world
        return {(one["gateway"], one["reference"]): one["amount"] for one in world.trades.paid()}

    def booked(self) -> int:
        return self.ground.psql("select count(*) from entry where starts_with(cause, 'receipt:')", DATABASE)[0][0]

    def settle(self) -> None:
        """Until every trade is booked."""
        until = time.monotonic() + 60
        while self.booked() < len(self.trades()):
            assert time.monotonic() < until, "callbacks do not come"
            self.running.ask_now()
            ask_silent(self.running.parts)
            time.sleep(0.2)

    def go_on(self, report: Report) -> None:
        """Served again: new payments, callbacks repeated, the worker's questions; then the morning and its lists."""
        parts, before = self.running.parts, set(self.households)
        fresh = [household_of(self.pay()) for _ in range(6)]
        report.numbers_again = sum(household in before for household in fresh)
        for _ in range(3):
            time.sleep(0.5)
            self.running.ask_now()
            ask_silent(parts)
            ask_for_surplus(parts)
        report.by_word["callbacks and questions"] = self.booked() - (report.before - report.forgotten) - len(fresh)
        told = self.booked()
        self.running.turn(parts.clocks.now() + timedelta(days=1))
        for _ in range(3):
            self.running.ask_now()
            ask_silent(parts)
            fetch_due(parts)
            reconcile_due(parts)
        report.by_word["lists"] = self.booked() - told
        tell_due(parts)

    def judge(self, report: Report) -> None:
        """By the far sides' lists, and by the book's own truths."""
        theirs = self.trades()
        booked: Counter[tuple[str, str]] = Counter()
        with self.running.parts.reading() as connection:
            for row in connection.execute(text(_BOOKED)):
                booked[row.gateway, row.reference] += row.amount
                report.doubled += row.amount * (row.households > 1)
            report.held = connection.execute(
                text("select count(*) from suspense where doubt = 'unknown_number' and owner <> ''")
            ).scalar_one()
        for key in theirs.keys() | booked.keys():
            more = booked[key] - theirs.get(key, 0)
            report.invented += more if key not in theirs else 0
            report.doubled += max(0, more) if key in theirs else 0
            report.lost += max(0, -more)
        report.broken = [
            f"{one.number} {one.sample[0]}"
            for one in check_book(self.running.parts)
            if one.rows and one.number not in OF_TIME
        ]
