"""A gateway's word → kept, settled, booked, the notice written. Callback, query and statement all end here."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from sqlalchemy import Engine

from app.flows.parts import Clocks, Parts
from app.flows.refund.give_back import take_refund
from app.observe import ROUTINE
from core.clock import business_day
from core.errors import TryLater
from core.redact import scrub
from payments.errors import ForgedCallback, SignatureProbe, UnknownGateway
from payments.gateways.base import Acknowledgement, Outcome, Word
from payments.taking.settle import Message, collect, keep_refused

MOST_TOGETHER = 64
DOUBTS = frozenset({"suspense", "doubt", "surplus"})


class NotBooked(TryLater):
    """A verified message that could not be applied; it is kept, and the gateway is told to repeat it."""

    text = "正在核对。"


@dataclass
class _Waiting:
    message: Message
    woken: threading.Event = field(default_factory=threading.Event)
    finished: bool = False
    word: str = ""
    trouble: BaseException | None = None


class Collector:
    """Books messages, those that wait at the same moment in one transaction: one flush of the disk serves all.

    Nobody waits for company: a message that finds nobody booking starts at once and books for all that wait; when it
    is done, the first of those that arrived meanwhile books for the rest."""

    def __init__(self, engine: Engine, clocks: Clocks) -> None:
        self._engine = engine
        self._clocks = clocks
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._booking = False

    def take(self, message: Message) -> str:
        """Its word, after commit. Any error of the database is raised to everybody whose message was in that turn."""
        mine = _Waiting(message)
        with self._lock:
            self._waiting.append(mine)
            leads, self._booking = not self._booking, True
        if not leads:
            mine.woken.wait()
        if not mine.finished:  # woken to lead the next turn
            self._lead(mine)
        if mine.trouble is not None:
            raise mine.trouble
        return mine.word

    def _lead(self, mine: _Waiting) -> None:
        """Book for all that wait, `mine` first among them; then wake them, and whoever leads next."""
        with self._lock:
            turn = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        try:
            self._book(turn)
        except BaseException as trouble:  # noqa: BLE001 raised again in every thread whose message it was
            for waiting in turn:
                waiting.trouble = trouble
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._booking = following is not None
        for waiting in turn:
            waiting.finished = True
            waiting.woken.set()
        if following is not None:
            following.woken.set()

    def _book(self, turn: list[_Waiting]) -> None:
        now = self._clocks.now()
        # One statement is one transaction: nothing is sent to begin or to end it. It is a function of the owner's,
        # which sees what it needs.
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            words = collect(
                connection,
                [waiting.message for waiting in turn],
                now=now,
                booked_on=business_day(now),
                wall=self._clocks.wall(),
            )
        for waiting, word in zip(turn, words, strict=True):
            waiting.word = word


def take_callback(
    parts: Parts, collector: Collector, gateway_name: str, headers: Mapping[str, str], body: bytes
) -> Acknowledgement:
    """Believe a callback or not, book it, and answer in the gateway's words, after commit.

    UnknownGateway for a channel that is not configured; NotBooked if it could not be applied: it will come again."""
    gateway = parts.gateways.get(gateway_name)
    if gateway is None:
        raise UnknownGateway(gateway_name)
    try:
        callback = gateway.read_callback(headers, body, now=parts.clocks.wall())
    except ForgedCallback as forged:
        if isinstance(forged, SignatureProbe):
            ROUTINE.labels("signature_probe").inc()
        else:
            refuse(parts, Message(gateway_name, "", _kept(headers), body, None), str(forged))
        return gateway.rejected()
    if callback.refund is not None:
        take_refund(parts, callback.refund, message=(callback.event_id, _kept(headers), body))
        if callback.outcome is None:
            return gateway.accepted()
    message = Message(gateway_name, callback.event_id, _kept(headers), body, callback.outcome)
    word = collector.take(message)
    if word.startswith("failed"):
        parts.alert("callback_not_booked", gateway=gateway_name, word=word)
        raise NotBooked(word)
    _look_out(parts, message, word)
    return gateway.accepted()


def take_word(parts: Parts, outcome: Outcome) -> str:
    """Book what a query or a statement said. NotBooked if it could not be applied: it will be asked again."""
    message = Message(outcome.gateway, "query", {}, outcome.their_word.encode(), outcome)
    word = Collector(parts.engine, parts.clocks).take(message)
    if word.startswith("failed"):
        raise NotBooked(word)
    _look_out(parts, message, word)
    return word


def take_words(parts: Parts, outcomes: Sequence[Outcome]) -> list[str]:
    """Book many words of a statement, in turns of MOST_TOGETHER; one word each, `failed:…` for what was kept only."""
    words: list[str] = []
    for begin in range(0, len(outcomes), MOST_TOGETHER):
        turn = outcomes[begin : begin + MOST_TOGETHER]
        messages = [Message(one.gateway, "statement", {}, one.their_word.encode(), one) for one in turn]
        now = parts.clocks.now()
        with parts.engine.begin() as connection:
            said = collect(connection, messages, now=now, booked_on=business_day(now), wall=parts.clocks.wall())
        for message, word in zip(messages, said, strict=True):
            _look_out(parts, message, word)
        words += said
    return words


def refuse(parts: Parts, message: Message, verdict: str) -> None:
    """Keep the beginning of what we did not believe, as evidence; a flood is only counted."""
    parts.alert("callback_refused", gateway=message.gateway, verdict=verdict)
    if REFUSED_KEPT.may(parts.clocks.wall().timestamp()):
        whole = sha256(message.body).digest()
        with parts.engine.begin() as connection:
            kept = keep_refused(connection, _without_people(message), whole=whole, verdict=verdict)
        if not kept:
            parts.alert("refused_not_kept", gateway=message.gateway)


def _without_people(message: Message) -> Message:
    """Anybody may send us anybody's number; as evidence the words around it will do (INV-30)."""
    headers = {name: scrub(value)[:EVIDENCE] for name, value in message.headers.items()}
    return replace(message, headers=headers, body=scrub(message.body.decode(errors="replace")).encode()[:EVIDENCE])


class Allowance:
    """At most `per_second` on average, with a store of `burst`: forgeries are kept, a flood of them is not (A25)."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._at = 0.0
        self._lock = threading.Lock()

    def may(self, now: float) -> bool:
        """Take one from the store, if there is one; `now` in seconds."""
        with self._lock:
            self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


EVIDENCE = 2048  # bytes of a message that nobody believed
REFUSED_KEPT = Allowance(per_second=5, burst=100)
_EVIDENCE = ("wechatpay-", "content-type", "request-id", "user-agent")


def _look_out(parts: Parts, message: Message, word: str) -> None:
    """Money that arrived and fits nothing wakes somebody (decision 8); so does a word we do not know. A payer whose
    voucher paid a part does not: the gateway pays the rest, for which nobody needs a contract (F49)."""
    outcome = message.outcome
    if outcome is None:
        return
    if word in DOUBTS:
        parts.alert("money_in_doubt", gateway=message.gateway, number=outcome.number, word=word)
    if outcome.word is Word.UNKNOWN:
        parts.alert("gateway_word_unknown", gateway=message.gateway, number=outcome.number, word=outcome.their_word)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are evidence; cookies and addresses are not."""
    return {name: value for name, value in headers.items() if name.lower().startswith(_EVIDENCE)}
