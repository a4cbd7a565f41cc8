"""The life of a payment as one table. The database holds the same table and refuses any other move (INV-08)."""

from enum import StrEnum


class State(StrEnum):
    """Where one attempt at a gateway stands."""

    CREATED = "created"  # written down; the gateway may or may not have heard of it
    PENDING = "pending"  # the gateway waits for the payer
    UNKNOWN = "unknown"  # the gateway was silent or unclear; only a query decides
    CLOSING = "closing"  # we asked the gateway to close and wait for its confirmed end
    PAID = "paid"  # money arrived and settled its bills
    SURPLUS = "surplus"  # money arrived and fits no open bill; it is held for refund
    CLOSED = "closed"  # the gateway confirmed that nobody can pay it any more
    FAILED = "failed"  # the gateway refused to take it on


S = State
MOVES: dict[State, frozenset[State]] = {
    S.CREATED: frozenset({S.PENDING, S.UNKNOWN, S.CLOSING, S.PAID, S.SURPLUS, S.CLOSED, S.FAILED}),
    S.PENDING: frozenset({S.UNKNOWN, S.CLOSING, S.PAID, S.SURPLUS, S.CLOSED}),
    S.UNKNOWN: frozenset({S.PENDING, S.CLOSING, S.PAID, S.SURPLUS, S.CLOSED, S.FAILED}),
    S.CLOSING: frozenset({S.UNKNOWN, S.PAID, S.SURPLUS, S.CLOSED}),
    S.CLOSED: frozenset({S.PAID, S.SURPLUS}),  # a late success is never dropped (decision 8)
    S.FAILED: frozenset({S.PAID, S.SURPLUS}),
    S.PAID: frozenset(),
    S.SURPLUS: frozenset(),
}
LIVE = frozenset({S.CREATED, S.PENDING, S.UNKNOWN, S.CLOSING})
