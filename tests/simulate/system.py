"""A process of the simulated system: our own application, forked from the director, told one command at a time.

Roles: `web` is where residents and clerks come in, `callbacks` is another web process, `worker` runs the queue's tasks.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

from apiflask import APIFlask
from procrastinate import App
from sqlalchemy.exc import SQLAlchemyError

from app.flows.cases.say import say
from app.flows.due.quote import all_due, subjects
from app.flows.newborn.apply import Child
from app.flows.newborn.apply import apply as apply_for_child
from app.flows.pay.follow import close_payment, follow
from app.flows.pay.start import Payer, Want, start_payment
from app.flows.reconcile.close_day import ask_to_close, close_day, confirm_close
from app.flows.refund import give_back, steps
from app.flows.refund.wish import ask, refundable
from app.flows.register import determine
from app.flows.register.apply import apply
from app.flows.register.open_year import close_year, open_year
from app.flows.sponsor.pay_in import Wish, pay_in
from app.jobs import jobs
from app.policy.facts import Insurance
from app.registry.determinations import BACKPAY, Kind
from core.errors import AppError
from payments.ledger.seal import HasExceptions
from tests.simulate.gates import Gates, Strike
from tests.simulate.seeded import draw_from

SPARED = frozenset(
    {"rescue", "sweep", "watch_keys", "watch_last_day", "watch_clock", "watch_book", "watch_whole_book", "tell"}
)  # tasks that move no money, or have no time of their own


@dataclass(frozen=True)
class Reply:
    """What came of a command: `word` for the log, `data` for whoever asked; the gates it passed, the alerts it gave."""

    word: str
    data: Any = None
    gates: int = 0
    alerts: Sequence[str] = field(default_factory=list)


@dataclass
class System:
    """The application as one process has it."""

    app: APIFlask
    gates: Gates
    url: str
    alerts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = self.app.extensions["joined"].parts
        self.tasks = tasks(jobs(self.parts, self.url))
        self.app.config["WTF_CSRF_ENABLED"] = False  # a form of a page is sent without having been read
        object.__setattr__(self.parts, "alert", lambda what, **_words: self.alerts.append(what))
        self.gates.hang(self.parts.engine)
        self.gates.hang_doors()

    def serve(self, pipe: Pipe, role: str, born: str) -> None:
        """Until the director hangs up. `born` tells this process's chance and its connections from another's."""
        draw_from(born)
        logging.disable()  # what goes wrong here is wanted; the reply tells it
        os.environ["PGAPPNAME"] = role  # whose connections they are, for who waits until none is left
        if role == "office":
            self.gates.hang(self.app.extensions["joined"].office.engine)
        while True:
            try:
                verb, words, strike = pipe.recv()
            except EOFError:
                os._exit(0)
            pipe.send(self.obey(verb, words, strike))

    def obey(self, verb: str, words: Sequence[Any], strike: Strike | None) -> Reply:
        """One command, with whatever strikes it on the way."""
        self.gates.arm(strike)
        self.alerts.clear()
        try:
            word, data = getattr(self, verb)(*words)
        except AppError as refused:
            word, data = f"!{refused.code}", None
        except SQLAlchemyError as lost:
            word, data = f"!{type(lost).__name__}", None
        passed = self.gates.passed
        self.gates.arm(None)
        return Reply(word, data, passed, sorted(self.alerts))

    # What an office does: at its terminal, and at its pages

    def command(self, words: Sequence[str], typed: str = "") -> tuple[str, Any]:
        """`flask …` as it is typed, and what it says; exit status other than 0 begins with "!"."""
        done = self.app.test_cli_runner().invoke(args=list(words), input=typed or None, catch_exceptions=False)
        said = done.output.strip()
        return "!" * bool(done.exit_code) + said.rpartition("\n")[2][:120], said

    def page(self, token: str, path: str, form: Mapping[str, str]) -> tuple[str, Any]:
        """A form sent by somebody whose session it is."""
        client = self.app.test_client()
        client.set_cookie("session", token)
        answer = client.post(path, data=dict(form))
        return str(answer.status_code), (answer.status_code, answer.text)

    def pay_in(self, pledge: int, amount: int, gateway: str, key: str, by: str) -> tuple[str, Any]:
        """A code for a sponsor's money, as the page of the pledge gives it."""
        started = pay_in(self.parts, Wish(pledge, amount, gateway, key), by=by)
        return f"{started.state} {started.number} {started.amount}", started

    def say(self, person: int, by: str) -> tuple[str, Any]:
        """Somebody says that he paid in another place."""
        number = say(self.parts, "PAID_ELSEWHERE_MEDICAL", "在昆山交过了", person_id=person, village=None, by=by)
        return f"matter {number}", number

    def apply_for_child(self, parent: int, said: Sequence[str], by: str) -> tuple[str, Any]:
        """Certificate, name, day and sex of somebody's child, with a photo."""
        [subject] = subjects(self.parts, [parent])
        certificate, name, born, sex = said
        number = apply_for_child(self.parts, subject, Child(certificate, name, born, sex, b"\x89PNG"), by=by)
        return f"newborn {number}", number

    def offered_back(self, person: int, year: int, by: str) -> tuple[str, Any]:
        """What of his medical premium could go back, as the counter's page shows it."""
        [subject] = subjects(self.parts, [person])
        found = refundable(self.parts, subject, Insurance.RES_MEDICAL, year, actor=by)
        amount = found.amount if found is not None and not found.number else None
        return f"{amount} could go back", amount

    def ask_at_counter(self, person: int, year: int, amount: int, by: str, key: str) -> tuple[str, Any]:
        """Whoever stands there wants it."""
        [subject] = subjects(self.parts, [person])
        more = {"expected": amount, "levy_year": year, "actor": by, "request_key": key}
        asked = ask(self.parts, subject, Insurance.RES_MEDICAL, "wrong_amount", **more)
        return f"{asked.number} {asked.amount}", asked.number

    # What residents and clerks do

    def start(self, wants: Sequence[Want], payer: Payer, key: str) -> tuple[str, Any]:
        started = start_payment(self.parts, wants, payer, request_key=key)
        return f"{started.state} {started.number or '-'} {started.amount}", started

    def close(self, number: str, by: str) -> tuple[str, Any]:
        close_payment(self.parts, number, by=by)
        return self.follow(number)

    def follow(self, number: str) -> tuple[str, Any]:
        phase = follow(self.parts, number).phase
        return str(phase), phase

    def look(self, people: Sequence[int], tier: int) -> tuple[str, Any]:
        """What the page of these people offers, with one tier chosen for all: (person, insurance, year, fen)."""
        tiers = {(year, None): tier for year in self.parts.levy.ever.all}
        shown = [
            (person.id, due.insurance, due.levy_year, due.quote.personal_due)
            for person in subjects(self.parts, people)
            for due in all_due(self.parts, person, at=self.parts.clocks.now(), tiers=tiers)
            if due.payable
        ]
        return f"{len(shown)} items", shown

    def open_year(self, year: int, by: str) -> tuple[str, Any]:
        """A command of the office's, in a process of its own."""
        return str(open_year(self.app.extensions["joined"].office, year, by=by)), None

    def close_year(self, year: int, by: str) -> tuple[str, Any]:
        return str(close_year(self.app.extensions["joined"].office, year, by=by)), None

    def ask_back(self, payment: str, by: str, bills: Sequence[int] | None = None) -> tuple[str, Any]:
        asked = steps.apply(self.parts, payment, by=by, bills=bills)
        return f"{asked.number} {asked.amount}", asked.number

    def accept(self, number: str, by: str) -> tuple[str, Any]:
        steps.accept(self.parts, number, by=by)
        return "accepted", None

    def review(self, number: str, insurance: str, by: str) -> tuple[str, Any]:
        steps.review(self.parts, number, Insurance(insurance), by=by)
        return "reviewed", None

    def decide(self, number: str, approved: bool, by: str) -> tuple[str, Any]:
        steps.decide(self.parts, number, approved=approved, by=by, reason="" if approved else "材料不全")
        return "approved" if approved else "rejected", None

    def again(self, number: str, by: str) -> tuple[str, Any]:
        give_back.again(self.parts, number, by=by)
        return "again", None

    def transfer(self, number: str, by: str, other: str) -> tuple[str, Any]:
        """One writes down the slip of a bank transfer, another has seen it."""
        given = give_back.Account("insured", "张示例", "6222020200012345678", "农商行", f"回单{number[-6:]}")
        give_back.ask_transfer(self.parts, number, given, by=by)
        give_back.decide_transfer(self.parts, number, agreed=True, by=other)
        return "transferred", None

    def went_by_hand(self, number: str, by: str) -> tuple[str, Any]:
        give_back.went_by_hand(self.parts, number, by=by)
        return "went by hand", None

    def determine(self, person: int, kind: str, by: str, other: str, year: int | None = None) -> tuple[str, Any]:
        """A bureau says something of somebody's medical insurance, whatever he has paid."""
        office = self.app.extensions["joined"].office
        number = apply(self.parts, person, Insurance.RES_MEDICAL, Kind(kind), by=by, levy_year=year)
        determine.check(office, number)
        years = (2019, 2020) if kind in BACKPAY else ()
        ruling = determine.Ruling(approved=True, amount=40000 if years else None, years=years)
        determine.decide(office, number, ruling, by=other)
        return kind, None

    def close_day(self, day: date, by: str, other: str) -> tuple[str, Any]:
        """Closed if its books agree; else asked for with what is open, and another person agrees."""
        try:
            return str(close_day(self.parts, day, by=by)), None
        except HasExceptions:
            ask_to_close(self.parts, day, by=by)
            return f"with exceptions {confirm_close(self.parts, day, by=other)}", None

    # What arrives

    def deliver(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, Any]:
        answer = self.app.test_client().post(path, data=body, headers=dict(headers))
        return str(answer.status_code), (answer.status_code, answer.data)

    # What the worker does

    def task(self, name: str) -> tuple[str, Any]:
        self.tasks[name](timestamp=0)
        return "ran", None

    def turn(self, moment: datetime) -> tuple[str, Any]:
        return str(self.parts.clocks.set_to(moment)), None


def tasks(queue: App) -> dict[str, Any]:
    """Every task of the clock that is about money or tells people of it, by name."""
    return {name: task for name, task in queue.tasks.items() if name not in SPARED and name.isidentifier()}
