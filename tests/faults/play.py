"""One story of a fault, played through the whole running system, and what must be true at the end of every story.

All stories share one running system and one far side; each has households of its own, by which its payments, entries
and the far side's trades are told from the others'.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import text

from app.flows.pay.expire import ask_silent
from app.flows.pay.follow import Phase, follow
from app.flows.pay.start import Payer, Started, Want, start_payment
from app.flows.refund import give_back as refund_pay
from app.observe import Alarm
from app.policy.facts import Insurance
from core.clock import utc_now
from core.http import Answer, Door
from payments.errors import GatewaySilent
from payments.gateways.base import Kind
from payments.gateways.known import connect
from payments.number import household_of
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.refunding import agreed
from tests.system import System, eventually

WRONG_ONCE_PAID = {Phase.CLOSED, Phase.FAILED}
_PEOPLE = count(1)
_KEYS = count(1)


class Impatient(Door):
    """A door whose breaker opens again soon."""

    SHUT_S = 0.4


@dataclass
class Play:
    """A story by one gateway. `gateway` and `kind` are what its payments go by unless said otherwise."""

    system: System
    gateway: str
    kind: Kind
    noon: datetime = NOON
    people: list[int] = field(default_factory=list)
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ours = Door(hosts=frozenset({urlsplit(self.system.url).netloc}), pool=60)
        self.system.outside.clear()
        self.alarm()
        self.turn()

    # The stage

    def alarm(self) -> None:
        """Hear what somebody must look at."""
        heard = Alarm(lambda what, words: self.said.append((what, dict(words))))
        object.__setattr__(self.system.parts, "alert", heard)

    def join(self, name: str, *, read_s: float = 8, **changed: str) -> None:
        """The gateway as a process that has just started has it, with other credentials or less patience."""
        self.joined.add(name)
        settings = self.system.app.extensions["settings"]
        ours = settings.public_url.rstrip("/")
        addresses = {"notify_url": f"{ours}/callbacks/{name}", "return_url": f"{ours}/back/{name}"}
        addresses["account_appid"] = settings.official_account[0]
        door = Impatient(hosts=frozenset({urlsplit(self.system.outside.url).netloc}), read_s=read_s)
        credentials = addresses | dict(settings.gateways[name]) | changed
        self.system.parts.gateways[name] = connect(name, credentials, door, utc_now)  # type: ignore[index]

    def hurry(self, read_s: float = 0.4) -> None:
        """Nobody waits eight seconds for an answer."""
        self.join(self.gateway, read_s=read_s)

    def turn(self, **later: float) -> None:
        """Both business clocks stand so much after the story's noon."""
        self.system.turn(self.noon + timedelta(**later))

    def fault(self, kind: str, number: str | None = None, **words: object) -> None:
        self.system.outside.fault(kind, number, gateway=self.gateway, **words)

    def clear(self) -> None:
        self.system.outside.clear()

    # The resident

    def person(self) -> int:
        """Somebody in a household of their own, enrolled for the medical insurance."""
        place = next(_PEOPLE)

        def write(connection: Any) -> int:
            household = a_household(connection, number=f"{7000 + place}")
            id_number = an_id_number(born=date(1980, 1, 1) + timedelta(days=place), sequence=17)
            return a_person(
                connection, id_number=id_number, household=household, insurances=("RES_MEDICAL",), phone=None
            )

        self.people.append(int(str(self.system.write(write))))
        return self.people[-1]

    def key(self) -> str:
        """A request key nobody has used."""
        return f"fault-story-{next(_KEYS)}"

    def start(
        self, person: int | None = None, *, gateway: str = "", kind: Kind | None = None, key: str = ""
    ) -> Started:
        """A payment of the medical premium."""
        by = kind or (Kind.NATIVE if gateway else self.kind)
        openid = f"o{'A' * 27}" if by is Kind.ACCOUNT else None
        payer = Payer("resident", "self", gateway or self.gateway, by, openid, "127.0.0.1")
        wants = [Want(person or (self.people[-1] if self.people else self.person()), Insurance.RES_MEDICAL)]
        return start_payment(self.system.parts, wants, payer, request_key=key or self.key())

    def again_or_anew(self, person: int, key: str) -> Started:
        """The same request again; where its code cannot be had twice, a new one once the first has ended."""
        try:
            started = self.start(person, key=key)
        except GatewaySilent:
            self.give_up()
            return self.start(person)
        return started if started.checkout else self.start(person)

    def give_up(self) -> None:
        """A minute and two questions later a number that the gateway does not know is over."""
        self.age(seconds=90)
        self.ask()
        self.ask()

    def code(self, started: Started) -> str:
        """What the phone is held over; for a page the browser goes there first."""
        assert started.checkout is not None
        if started.checkout.code_url:
            return started.checkout.code_url
        page, link, called = started.checkout.page, started.checkout.link, started.checkout.jsapi
        if called:
            return called["package"].removeprefix("prepay_id=")
        if link:
            went = self.system.outside.door.send("GET", link, headers={"Referer": f"{self.system.url}/"})
        else:
            assert page is not None
            went = self.system.outside.door.send(
                "POST",
                page.url,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(page.fields).encode(),
            )
        assert went.status == 303, went.body
        return parse_qs(urlsplit(went.headers["location"]).query)["code"][0]

    def pay(self, started: Started, code: str = "") -> Answer:
        """The phone confirms."""
        return self.system.outside.pay(code or self.code(started))

    def look(self, code: str) -> None:
        """The phone shows what is behind a code, and nobody confirms."""
        self.system.outside.phone(code)

    def paid(self) -> Started:
        """A payment from its start to its end with nothing going wrong."""
        started = self.start(self.person())
        assert self.pay(started).status == 200
        self.wait(started.number, Phase.PAID)
        return started

    def phase(self, number: str | None) -> Phase:
        return follow(self.system.parts, str(number)).phase

    def wait(self, number: str | None, phase: Phase, seconds: float = 8) -> None:
        eventually(lambda: self.phase(number) is phase, seconds)

    # The worker

    def ask(self) -> None:
        """The worker asks about every payment of the story, as if its question were due."""
        self._write("update payment set next_query_at = now() where next_query_at < '3000-01-01' and {mine}")
        ask_silent(self.system.parts)

    def age(self, **by: float) -> None:
        """So much time has passed on the system clock since the story's payments were started."""
        self._write("update payment set started_at = started_at - :by where {mine}", by=timedelta(**by))

    def give_back(self, number: str | None, *, until: str = "paid") -> str:
        """Everybody agrees to a refund, and the worker pays it; its number."""
        asked = agreed(self.system.parts, str(number))
        self.pay_back(asked.number, until=until)
        return asked.number

    def pay_back(self, number: str, *, until: str = "paid") -> None:
        """The worker's turns at a refund, each question due at once."""

        def turn() -> bool:
            self._write("update refund set next_query_at = now() where next_query_at < '3000-01-01' and {mine}")
            refund_pay.pay_due(self.system.parts)
            return bool(self.system.one("select state from refund where number = :n", n=number).state == until)

        eventually(turn, 8)

    def replay(self, number: str | None) -> int:
        """The first believed callback about a number arrives once more, byte for byte; the status of our answer."""
        kept = self.system.one(
            "select headers, body from received where number = :n and verdict = 'verified' and event_id <> 'query'"
            " order by received_at limit 1",
            n=number,
        )
        url = f"{self.system.url}/callbacks/{self.gateway}"
        return self.ours.send("POST", url, headers=kept.headers, body=bytes(kept.body)).status

    # The end

    def check(self) -> str:
        """What is true at the end of every story; what became of its payments and refunds, in words."""
        waiting = [one for one in self.system.outside.get("/faults")["faults"] if one["count"] is not None]
        assert waiting == [], "the fault has happened"
        eventually(lambda: self._booked() == self._theirs(), 4)
        assert self._refunds_booked() == self._refunds_there(), "refunds there are refunds booked"
        assert self._strange_entries() == [], "nothing else is booked"
        assert self._one("select coalesce(sum(amount), 0) from posting") == 0
        unowned = "select count(*) from suspense where owner = '' and {mine}"
        assert self._one(unowned) == 0
        never_asked = (
            "select count(*) from payment where state in ('created', 'pending', 'unknown', 'closing')"
            " and next_query_at is null and {mine}"
        )
        assert self._one(never_asked) == 0, "every open payment has a due question"
        assert self._one("select count(*) from received where result like 'failed%' and {mine}") == 0
        phases = self.phases()
        theirs = {trade["number"] for trade in self._trades()}
        assert not [n for n, phase in phases.items() if n in theirs and phase in WRONG_ONCE_PAID]
        told = Counter((what, *(words.get(name) for name in ("gateway", "number", "day"))) for what, words in self.said)
        assert not [what for what, times in told.items() if times > 1], f"one alert of a kind per cause: {told}"
        words = sorted(map(str, phases.values())) + [f"refund {state}" for state in self._refund_states()]
        words += ["money held"] * int(
            str(self._one("select count(*) from suspense where solved_at is null and {mine}"))
        )
        return ", ".join(word if times == 1 else f"{times} × {word}" for word, times in Counter(words).items())

    def leave(self) -> None:
        """What the story left open is no later story's question; doors and keys are as they were."""
        for name in sorted(self.joined):
            self.join(name)
        for table in ("payment", "refund"):
            self.system.write(
                lambda connection, table=table: connection.execute(
                    text(f"update {table} set next_query_at = '3000-01-01' where next_query_at is not null")
                )
            )
        self.clear()

    def phases(self) -> Mapping[str, Phase]:
        """Every payment of the story as the resident sees it, oldest first."""
        found = self._rows("select number from payment where {mine} order by started_at, number")
        return {row.number: self.phase(row.number) for row in found}

    def alerts(self) -> set[str]:
        """The kinds of what was said."""
        return {what for what, _ in self.said}

    def _trades(self) -> Sequence[Mapping[str, Any]]:
        mine = self._households()
        return [t for t in self.system.outside.get("/trades")["trades"] if household_of(t["number"]) in mine]

    def _theirs(self) -> Counter[tuple[str, str, int]]:
        return Counter((t["gateway"], t["reference"], t["amount"]) for t in self._trades())

    def _booked(self) -> Counter[tuple[str, str, int]]:
        """Every receipt: gateway, their reference, what it brought into clearing."""
        found = self._rows(
            "select split_part(cause, ':', 2) as gateway, split_part(cause, ':', 3) as reference,"
            " sum(amount)::bigint as amount from posting"
            " where {mine} and cause like 'receipt:%' and account like 'clearing:%' group by cause"
        )
        return Counter((row.gateway, row.reference, row.amount) for row in found)

    def _refunds_there(self) -> Counter[tuple[str, int]]:
        mine, found = self._households(), self.system.outside.get("/refunds")["refunds"]
        done = [one for one in found if one["state"] == "SUCCESS" and household_of(one["payment"]) in mine]
        return Counter((one["payment"], one["amount"]) for one in done)

    def _refunds_booked(self) -> Counter[tuple[str, int]]:
        found = self._rows(
            "select r.payment, -p.amount as amount from refund r join posting p on p.household_id = r.household_id"
            " and p.cause = 'refund:' || r.number || '\\:paid' and p.account like 'clearing:%' where {mine}",
            table="r.",
        )
        return Counter((row.payment, row.amount) for row in found)

    def _refund_states(self) -> list[str]:
        return [row.state for row in self._rows("select state from refund where {mine} order by applied_at, number")]

    def _strange_entries(self) -> list[str]:
        """Entries that are no receipt of a payment paid, surplus or held, and no step of a refund."""
        found = self._rows(
            "select cause from entry e where {mine} and not exists (select from payment p where p.household_id ="
            " e.household_id and e.cause = 'receipt:' || p.gateway || ':' || p.reference and p.state in ('paid',"
            " 'surplus')) and not exists (select from suspense s where s.household_id = e.household_id and s.cause ="
            " e.cause) and not exists (select from refund r where r.household_id = e.household_id and e.cause in"
            " ('refund:' || r.number || '\\:approved', 'refund:' || r.number || '\\:paid'))",
            table="e.",
        )
        return [row.cause for row in found]

    def _households(self) -> list[int]:
        with self.system.parts.reading() as connection:
            found = connection.execute(
                text("select household_id from person where id = any(:ids)"), {"ids": self.people}
            ).scalars()
            return list(found)

    def _rows(self, statement: str, *, table: str = "", **values: object) -> Sequence[Any]:
        mine = {"mine": self._households()}
        with self.system.parts.reading() as connection:
            statement = statement.format(mine=f"{table}household_id = any(:mine)")
            return connection.execute(text(statement), {**values, **(mine if ":mine" in statement else {})}).all()

    def _one(self, statement: str) -> object:
        return self._rows(statement)[0][0]

    def _write(self, statement: str, **values: object) -> None:
        values["mine"] = self._households()
        statement = statement.format(mine="household_id = any(:mine)")
        self.system.write(lambda connection: connection.execute(text(statement), values))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each act in a thread of its own; what they gave."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(len(acts)) as crowd:
        return [waiting.result() for waiting in [crowd.submit(act) for act in acts]]


def until(moment: float) -> float:
    """Seconds from now to a moment of the monotonic clock."""
    return max(0.0, moment - time.monotonic())
