"""Faults on demand: what the outside world does wrong, when asked to, for one number or for all, so many times.

kind                       what happens                                             fields (all: number, count, gateway)
delay                      the answer or callback comes `seconds` later              on, seconds
error                      not executed; answered with status and code               on, status, code
silent                     executed; no answer within `seconds`                      on, seconds
html                       executed; 200 with a page instead of the answer           on
plain_text                 executed; 200 with "Invalid request." (UnionPay)          on
unsigned                   executed; 200 without any signature                       on
merchant_certificate       answer or callback signed by another company (UnionPay)   on
answer_signtest            executed; answer with a SIGNTEST signature (WeChat)       on
answer_wrong_signature     executed; answer with a signature of something else       on
duplicate_node             executed; a forged node behind the signed one (Alipay)    on
truncated                  executed; half of the answer's body, signed as it is      on
callback_duplicate         the callback comes `times` times at once                  times
callback_drop              one delivery is lost (the next retry comes)
callback_wrong_signature   one delivery carries a signature of something else
callback_signtest          a delivery with a SIGNTEST signature comes first (WeChat)
callback_unnamed           a delivery names no certificate (Alipay, certificates)
callback_early             paid, and the callback delivered, before create answers
other_merchant             a delivery of another merchant's, well signed, comes first
reorder                    the payment is told only after a refund of it was told
late_success               the phone can still pay although the order is closed or over
close_paid                 the payer pays in the moment of closing: it answers "paid"
other_trade                a query is answered, well signed, with another trade      instead
trade_code                 a query tells this code as the trade's (UnionPay)        on, code
other_amount               the trade says `total` instead of the order's             total
coupon                     the payer pays `off` fen less                             off
other_openid               the code of a page leads to an openid of another app     on
page_astray                an H5 order is answered with a page of somebody else's
not_enough                 a refund is not taken: the merchant's balance is short
refund_fails               a refund is taken, and fails later
refund_abnormal            a refund is taken, and the payer's account refuses it
picture_refused            a picture for a complaint is not taken
complaint_word             a complaint's state is told as `word`                     word
statement_not_ready        the day's statement is still being made            code (Alipay: BILL_NOT_EXIST)
statement_truncated        the statement stops half-way (its hash or signature fits)
statement_junk             bytes in it that are no text (its hash or signature fits)
statement_total            its summary disagrees with its lines by one fen
statement_hash             it does not fit its hash or signature
statement_adjustment       its error file has a line (UnionPay)
statement_expired          the link to it is of no use any more
text_fails                 taken, and the carrier could not deliver it             code
receipt_late               the carrier answers for it after `seconds`              seconds
receipt_never              the carrier never answers for it, though it arrived
`on` is create, query, close, refund, refund_query, statement, complaints (their list), complaint (one, and what was
said of it), answer, finish or picture (delay, merchant_certificate: also callback; error:
also sms, message, urllink or oauth, for every receiver; delay, error, silent, html, truncated: also sms where `gateway`
is aliyun or tencent, the number a phone; silent: also oauth); without it, any. `gateway` narrows a fault to one far
side. The number of a refund's fault is the refund's or its payment's; a callback's is that of what it tells. Statements
have no number.
"""

from threading import Lock
from typing import Any

KINDS = frozenset(
    {
        *("delay", "error", "silent", "html", "unsigned", "answer_signtest", "truncated"),
        *("answer_wrong_signature", "duplicate_node"),
        *("callback_duplicate", "callback_drop", "callback_wrong_signature", "callback_signtest", "callback_early"),
        "callback_unnamed",
        *("plain_text", "merchant_certificate", "trade_code"),
        *("other_merchant", "reorder"),
        *("late_success", "close_paid", "other_trade", "other_amount", "coupon", "other_openid", "page_astray"),
        *("not_enough", "refund_fails", "refund_abnormal"),
        *("picture_refused", "complaint_word"),
        *("statement_not_ready", "statement_truncated", "statement_junk", "statement_total", "statement_hash"),
        *("statement_expired", "statement_adjustment"),
        *("text_fails", "receipt_late", "receipt_never"),
    }
)
Fault = dict[str, Any]


class Faults:
    """The list of faults still to come; each is used up `count` times (None: until cleared)."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """ValueError for an unknown kind."""
        if fault.get("kind") not in KINDS:
            raise ValueError(f"unknown fault {fault.get('kind')!r}")
        with self._lock:
            self._waiting.append({"count": 1, **fault})

    def take(self, kind: str, *whose: str, on: str | None = None, gateway: str | None = None) -> Fault | None:
        """Use up one fault of that kind for one of these numbers, if one waits."""
        with self._lock:
            for fault in self._waiting:
                if (
                    fault["kind"] == kind
                    and fault.get("number") in (None, *whose)
                    and (on is None or fault.get("on") in (None, on))
                    and fault.get("gateway") in (None, gateway)
                    and fault["count"] != 0
                ):
                    if fault["count"] is not None:
                        fault["count"] -= 1
                    return dict(fault)
        return None

    def waiting(self) -> list[Fault]:
        """What is still to come."""
        with self._lock:
            return [dict(fault) for fault in self._waiting if fault["count"] != 0]

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._waiting.clear()
