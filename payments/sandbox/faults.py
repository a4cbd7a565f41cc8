"""Faults on demand: what the outside world does wrong, when asked to, for one number or for all, so many times.

kind                       what happens                                              fields besides number, count
delay                      the answer or callback comes `seconds` later              on, seconds
error                      not executed; answered with status and code               on, status, code
silent                     executed; no answer within `seconds`                      on, seconds
html                       executed; 200 with a page instead of JSON                 on
unsigned                   executed; 200 without any signature                       on
answer_signtest            executed; answer with a SIGNTEST signature                on
truncated                  executed; half of the answer's body, signed as it is      on
callback_duplicate         the callback comes `times` times at once                  times
callback_drop              one delivery is lost (the next retry comes)
callback_wrong_signature   one delivery carries a signature of something else
callback_signtest          a delivery with a SIGNTEST signature comes first
callback_early             paid, and the callback delivered, before create answers
late_success               the phone can still pay although the order is closed
other_trade                a query is answered, well signed, with another trade      instead
other_amount               the trade says `total` instead of the order's             total
coupon                     the payer pays `off` fen less                             off
`on` is create, query or close (delay: also callback; error: also sms or message, for every receiver); without it, any.
"""

from threading import Lock
from typing import Any

KINDS = frozenset(
    {
        *("delay", "error", "silent", "html", "unsigned", "answer_signtest", "truncated"),
        *("callback_duplicate", "callback_drop", "callback_wrong_signature", "callback_signtest", "callback_early"),
        *("late_success", "other_trade", "other_amount", "coupon"),
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

    def take(self, kind: str, number: str, on: str | None = None) -> Fault | None:
        """Use up one fault of that kind for this number, if one waits."""
        with self._lock:
            for fault in self._waiting:
                if (
                    fault["kind"] == kind
                    and fault.get("number") in (None, number)
                    and (on is None or fault.get("on") in (None, on))
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
