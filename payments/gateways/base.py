"""What every gateway can do, in our words. A gateway knows protocol and keys; it knows no table and no book."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

from core.money import Fen
from payments.errors import TooLateToStart

if TYPE_CHECKING:
    from payments.gateways.blocks import Block

SHORTEST_LIFE = timedelta(minutes=2)


class Unproven(Exception):
    """A message that does not prove itself; says which check failed, for the log."""


class Word(StrEnum):
    """What a gateway says about one payment."""

    PAID = "paid"  # money arrived (also when part of it was refunded since)
    OPEN = "open"  # known there, not paid, could still be
    CLOSED = "closed"  # nobody can pay it any more
    ABSENT = "absent"  # the gateway does not know the number
    UNDECIDED = "undecided"  # they do not know yet themselves: ask again, decide nothing
    UNKNOWN = "unknown"  # a word we do not know: alert, ask again, decide nothing


class RefundWord(StrEnum):
    """What a gateway says about one refund. Only DONE means that the payer has, or will have, the money."""

    DONE = "done"
    PROCESSING = "processing"  # accepted, not there yet: ask again
    FAILED = "failed"  # over, and the money did not move: a new refund needs a new number
    ABNORMAL = "abnormal"  # the payer's account refused it: the money is still ours, a person must look
    ABSENT = "absent"  # not received: the same number and amount may be sent again
    UNKNOWN = "unknown"  # a word we do not know: alert, ask again, decide nothing


class Kind(StrEnum):
    """How the payer meets the gateway."""

    JSAPI = "jsapi"  # wx.requestPayment in the mini-program
    NATIVE = "native"  # a QR code, on a screen or on paper, whichever gateway's
    WEB = "web"  # the payer's own browser goes to the gateway's page, by a form we signed
    H5 = "h5"  # the same by an address that lives for minutes; the app takes over from there
    ACCOUNT = "account"  # a page inside the gateway's own app calls up its dialogue, for a user of our account there


@dataclass(frozen=True)
class Trade:
    """An attempt we ask about: our number and the business moment it was ordered at (UnionPay knows it by both)."""

    number: str  # [0-9A-Za-z]{6,32}
    ordered_at: datetime  # aware, business clock, whole seconds


@dataclass(frozen=True)
class Order(Trade):
    """What we ask a gateway to take. `number` is ours and is its identity there: same number, same content."""

    kind: Kind
    amount: Fen
    description: str  # shown to the payer; no personal data
    expires_at: datetime  # aware, business clock
    openid: str | None = None  # JSAPI and ACCOUNT only: the payer, as a user of the very app the order is under
    network: str | None = None  # the address the order is placed from, where known; H5 needs it

    def check_time(self) -> None:
        """TooLateToStart for an order that lives so short that a gateway would lengthen its life."""
        if self.expires_at - self.ordered_at < SHORTEST_LIFE:
            raise TooLateToStart(self.number)


@dataclass(frozen=True)
class Page:
    """Where the payer's browser goes: a form to send by POST, its fields signed by us."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Checkout:
    """Where the payer goes: a text to put into a QR code, parameters for a dialogue inside the app, or a page."""

    code_url: str | None = None
    jsapi: Mapping[str, str] | None = None
    page: Page | None = None
    link: str | None = None  # a page to go to by GET, while it lives (`Facts.link_lives`)


@dataclass(frozen=True)
class Outcome:
    """A gateway's word about one payment, from a callback, a query or a statement alike."""

    gateway: str
    number: str
    word: Word
    merchant: str = ""
    app: str = ""
    reference: str = ""  # the gateway's own number for the money that moved
    amount: Fen | None = None  # the order's total, not what a coupon left
    payer_amount: Fen | None = None
    currency: str = ""
    happened_at: datetime | None = None  # aware; the gateway's success time
    payer: str = ""  # openid or account, as they name it
    their_word: str = ""  # the raw state, for the log


@dataclass(frozen=True)
class RefundOrder(Trade):
    """What we ask a gateway to give back. `number` is ours; repeated with the same content it refunds once."""

    payment: str  # our number of the payment
    reference: str  # theirs
    paid: Fen  # what the payment was in all
    amount: Fen  # what goes back now
    reason: str  # shown to the payer; no personal data


@dataclass(frozen=True)
class RefundOutcome:
    """A gateway's word about one refund, from an answer, a callback, a query or a statement alike."""

    gateway: str
    number: str
    word: RefundWord
    merchant: str = ""
    payment: str = ""  # our number of the payment, where they say it
    reference: str = ""  # the gateway's own number of the refund
    amount: Fen | None = None
    happened_at: datetime | None = None
    their_word: str = ""


@dataclass(frozen=True)
class Callback:
    """A verified callback. With neither outcome it is not about money: acknowledged, nothing changes."""

    event_id: str
    event_type: str
    outcome: Outcome | None = None
    refund: RefundOutcome | None = None


@dataclass(frozen=True)
class Acknowledgement:
    """What to answer so that the gateway stops repeating, or repeats."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Movement(StrEnum):
    """What a statement's line is about."""

    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True)
class StatementLine:
    """One movement a gateway claims for a day. `amount` is positive for both movements."""

    row: int  # of their file, from 1
    movement: Movement
    number: str  # our number of the payment
    reference: str  # theirs of the payment; may be empty on a refund that names only itself
    amount: Fen
    fee: int  # in thousandths of a fen, what they keep (negative: what they give back)
    happened_at: datetime | None  # aware; None where the file gives none
    refund_number: str = ""  # ours of the refund, where the file says it
    refund_reference: str = ""  # theirs
    their_word: str = ""
    app: str = ""  # of ours, that it came under, where the file says it


class Purpose(StrEnum):
    """What a key is for."""

    SIGNS = "signs our requests"
    VERIFIES = "verifies their messages"
    OPENS = "opens their callbacks"
    VOUCHES = "vouches for their certificates"


@dataclass(frozen=True)
class KeyFact:
    """One key the gateway holds, for the operator: what it is for, its public name, its last day if it has one."""

    purpose: Purpose
    name: str  # serial or id; never the key
    expires_at: datetime | None = None
    doubt: str = ""  # what an operator should know of it


@dataclass(frozen=True)
class Facts:
    """What differs between gateways and is no code."""

    title: str  # as people call it: 微信
    kinds: frozenset[Kind]
    poll_after_s: tuple[int, ...]  # when to ask about a payment nobody reported, seconds after its start
    closes: bool  # False: there is no closing; an order ends by its time alone
    unseen_may_be_paid: bool  # True: "absent" there may still be paid until its time is over (a code unscanned)
    lives_at_most: timedelta  # the longest life we give an order, so that changing the channel need not wait long
    refund_within: timedelta  # counted from the payment
    statement_ready: time  # Beijing, on the day after
    says_empty: bool = True  # False: a day without trades and a statement not made yet sound alike
    day_begins: time = time(0)  # their business day begins at this time (UnionPay: 23:00 the evening before)
    page_hosts: tuple[str, ...] = ()  # where the payer's browser may be sent on to, for Kind.WEB and Kind.H5
    link_lives: timedelta = timedelta(0)  # how long a link is handed out; then the same order gives a fresh one
    account_app: str = ""  # the application of ours that orders of Kind.ACCOUNT are under; all others are under `app`
    also_hosts: frozenset[str] = field(default_factory=frozenset)  # beside the base URL's, for downloads


class Reader(Protocol):
    """Who believes callbacks or not."""

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback. Pure: raw bytes, the system clock `now`, keys already held."""
        ...


class Gateway(Reader, Protocol):
    """One channel. Silence and unverifiable answers raise GatewaySilent; forged callbacks raise ForgedCallback."""

    name: str
    merchant: str
    app: str
    facts: Facts

    def start(self, order: Order) -> Checkout:
        """Take an order; repeating the same order is harmless. GatewaySilent, GatewayRefused, AlreadyPaidThere."""
        ...

    def query(self, trade: Trade) -> Outcome:
        """Ask what became of a number. GatewaySilent."""
        ...

    def close(self, trade: Trade) -> None:
        """Ask that nobody can pay it any more; only a query confirms. GatewaySilent, AlreadyPaidThere.

        Where facts.closes is False nothing is sent."""
        ...

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for money back; the same number again is the same refund. GatewaySilent: unknown, ask with query_refund.

        GatewayRefused: definitely not taken (its code in args[0]). GatewayShort: our balance there is too low; later,
        with the same number."""
        ...

    def query_refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask what became of a refund; ABSENT if they do not know it. GatewaySilent."""
        ...

    def accepted(self) -> Acknowledgement:
        """The answer after commit."""
        ...

    def rejected(self) -> Acknowledgement:
        """The answer to a forgery."""
        ...

    def fetch_statement(self, day: date, into: BinaryIO) -> bool:
        """Write their whole file of a business day into `into` as it comes, proven by signature or hash where there is
        one. False: they say there were no trades. StatementNotReady, GatewaySilent, BadStatement."""
        ...

    def read_statement(self, file: BinaryIO, day: date) -> Iterator[StatementLine]:
        """The lines of such a file, one by one, in constant memory; totals are compared at its end. BadStatement names
        the line; whoever stores lines keeps them only if the iterator ended by itself."""
        ...

    def read_blocks(self, file: BinaryIO, day: date) -> "Iterator[StatementLine | Block]":
        """The same, where it can be done with many lines at a time."""
        ...

    def keys(self) -> Sequence[KeyFact]:
        """Every key held, for the operator and the expiry alarm."""
        ...

    def sign_and_verify(self) -> None:
        """Sign a text with our key and verify it with its public half or certificate. BadKey if they do not fit."""
        ...


Clock = Callable[[], datetime]
Credentials = Mapping[str, str | Mapping[str, str]]  # a gateway's settings by their names, lower case
