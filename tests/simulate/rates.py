"""How hostile one season is, and what goes wrong in it. Rates are drawn for each seed: some are calm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from payments.gateways.base import Kind

WAYS = (  # gateway, kind
    ("wechat", Kind.NATIVE),
    ("wechat", Kind.JSAPI),
    ("wechat", Kind.H5),
    ("wechat", Kind.ACCOUNT),
    ("alipay", Kind.NATIVE),
    ("alipay", Kind.WEB),
    ("unionpay", Kind.NATIVE),
    ("unionpay", Kind.WEB),
)
STARTS = (date(2021, 11, 5), date(2021, 11, 29), date(2021, 12, 17), date(2021, 12, 29))  # the last passes New Year


@dataclass(frozen=True)
class Rates:
    """Shares of all payments, but for `early` and the last ones: seconds, seconds, and numbers per payment."""

    mishaps: float
    abandoned: float
    closed: float
    changed: float
    twice: float
    late: float
    given_back: float
    moved: float  # a bureau moves somebody into another household
    strangers: float  # who knows a name and a number holds a code
    crossed: float  # the same wish again while the gateway answers
    by_hand: float  # given back on the gateway's own page
    determined: float  # a bureau's word about who has paid
    slow: float  # of refunds: longer than a day
    early: float  # of days: closed at night, before any list is there
    gap_s: float
    tick_s: int
    kills: float
    crashes: float
    ways: tuple[int, ...]  # weights, in the order of WAYS
    first_day: date


def drawn(chance: Random) -> Rates:
    """One season's."""
    return Rates(
        mishaps=chance.uniform(0.3, 0.6),
        abandoned=chance.uniform(0.02, 0.08),
        closed=chance.uniform(0.01, 0.04),
        changed=chance.uniform(0.02, 0.08),
        twice=chance.uniform(0.01, 0.04),
        late=chance.uniform(0.01, 0.03),
        given_back=chance.uniform(0.02, 0.08),
        moved=chance.uniform(0.02, 0.1),
        strangers=chance.uniform(0.02, 0.08),
        crossed=chance.uniform(0.02, 0.08),
        by_hand=chance.uniform(0, 0.01),
        determined=chance.uniform(0.01, 0.04),
        slow=chance.uniform(0, 0.2),
        early=chance.uniform(0, 0.5),
        gap_s=chance.uniform(2, 8),
        tick_s=chance.choice((20, 30, 45)),
        kills=chance.uniform(0.006, 0.012),
        crashes=chance.uniform(0.0003, 0.0007),
        ways=tuple(chance.randint(1, 5) for _ in WAYS),
        first_day=chance.choice(STARTS),
    )


Words = Mapping[str, object]
_NONE: Callable[[Random], Words] = lambda _chance: {}  # noqa: E731
_EVERYBODY = ("wechat", "alipay", "unionpay")
_NEW_CODES = {"wechat": "NEVER_HEARD_OF", "alipay": "ACQ.NEVER_HEARD_OF", "unionpay": "7Z"}


@dataclass(frozen=True)
class Mishap:
    """A fault of payments/sandbox/faults.py: `on` what, whose, how often beside the others."""

    kind: str
    on: str | None = None
    weight: int = 1
    words: Callable[[Random], Words] = _NONE
    gateways: tuple[str, ...] = _EVERYBODY

    def fault(self, chance: Random, gateway: str, number: str | None) -> dict[str, object]:
        """As the sandbox takes it."""
        named: dict[str, object] = {"kind": self.kind, "gateway": gateway, **self.words(chance)}
        return named | ({"on": self.on} if self.on else {}) | ({"number": number} if number else {})


def _spoils(on: str) -> tuple[Mishap, ...]:
    """What an answer may look like."""
    return (
        Mishap("silent", on, 2, lambda _c: {"seconds": 12}),
        Mishap("error", on, 2, lambda c: {"status": c.choice((500, 502, 503))}),
        Mishap("html", on),
        Mishap("truncated", on),
        Mishap("unsigned", on),
        Mishap("answer_wrong_signature", on),
        Mishap("answer_signtest", on, 1, _NONE, ("wechat",)),
        Mishap("duplicate_node", on, 1, _NONE, ("alipay",)),
        Mishap("plain_text", on, 1, _NONE, ("unionpay",)),
        Mishap("delay", on, 1, lambda c: {"seconds": c.randint(1, 6)}),
    )


AT_START = (*_spoils("create"), Mishap("callback_early", weight=4))
WHEN_TOLD = (
    Mishap("callback_duplicate", weight=4, words=lambda c: {"times": c.randint(2, 5)}),
    Mishap("callback_drop", weight=6, words=lambda c: {"count": c.choice((1, 1, 2, 4, None))}),
    Mishap("callback_wrong_signature", weight=3, words=lambda c: {"count": c.choice((1, 1, 2))}),
    Mishap("callback_signtest", weight=2),
    Mishap("other_merchant", weight=2),
    Mishap("merchant_certificate", "callback", 2, _NONE, ("unionpay",)),
    Mishap("reorder", weight=1),
    Mishap("delay", "callback", 6, lambda c: {"seconds": c.choice((5, 40, 300, 1800, 7200, 20000))}),
    Mishap("close_paid", weight=2),
    Mishap("other_amount", weight=1),
    Mishap("coupon", weight=1, words=lambda c: {"off": c.randint(1, 500)}),
)
WHEN_ASKED = tuple(
    Mishap(
        one.kind, one.on, one.weight, lambda c, one=one: {**one.words(c), "count": c.choice((1, 2, 3))}, one.gateways
    )
    for one in _spoils("query")
)
WHEN_CLOSED = _spoils("close")
WHEN_GIVEN_BACK = (
    *_spoils("refund"),
    *_spoils("refund_query"),
    Mishap("not_enough", "refund", 2),
    Mishap("refund_fails", weight=2),
    Mishap("refund_abnormal", weight=1),
    Mishap("callback_drop", weight=2, words=lambda c: {"count": c.choice((1, 3))}),
)
IN_THE_MORNING = (
    Mishap("statement_not_ready", weight=3, words=lambda c: {"count": c.randint(1, 3)}),
    Mishap("statement_truncated"),
    Mishap("statement_junk"),
    Mishap("statement_total"),
    Mishap("statement_hash"),
    Mishap("statement_expired", gateways=("wechat", "alipay")),
)


def chosen(chance: Random, mishaps: tuple[Mishap, ...], gateway: str) -> Mishap:
    """One of those that this gateway can have."""
    mine = [one for one in mishaps if gateway in one.gateways]
    return chance.choices(mine, [one.weight for one in mine])[0]
