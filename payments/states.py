"""The lives of a payment and of a refund as tables. The database holds the same tables and refuses any other move
(INV-08)."""

from enum import StrEnum


class State(StrEnum):
    """Where one attempt at a gateway stands."""

    CREATED = "created"  # written down; the gateway may or may not have heard of it
    PENDING = "pending"  # the gateway waits for the payer
    UNKNOWN = "unknown"  # the gateway was silent or unclear; only a query decides
    CLOSING = "closing"  # we asked the gateway to close and wait for its confirmed end
    LEFT = "left"  # somebody who may pays another way: it holds no bill any more, and is asked about until its end
    PAID = "paid"  # money arrived and settled its bills
    SURPLUS = "surplus"  # money arrived and fits no open bill; it is held for refund
    CLOSED = "closed"  # the gateway confirmed that nobody can pay it any more
    FAILED = "failed"  # the gateway refused to take it on


S = State
MOVES: dict[State, frozenset[State]] = {
    S.CREATED: frozenset({S.PENDING, S.UNKNOWN, S.CLOSING, S.LEFT, S.PAID, S.SURPLUS, S.CLOSED, S.FAILED}),
    S.PENDING: frozenset({S.UNKNOWN, S.CLOSING, S.LEFT, S.PAID, S.SURPLUS, S.CLOSED}),
    S.UNKNOWN: frozenset({S.PENDING, S.CLOSING, S.LEFT, S.PAID, S.SURPLUS, S.CLOSED, S.FAILED}),
    S.CLOSING: frozenset({S.PENDING, S.UNKNOWN, S.LEFT, S.PAID, S.SURPLUS, S.CLOSED}),  # pending: it could not be ended
    S.LEFT: frozenset({S.PAID, S.SURPLUS, S.CLOSED}),
    S.CLOSED: frozenset({S.PAID, S.SURPLUS}),  # a late success is never dropped (decision 8)
    S.FAILED: frozenset({S.PAID, S.SURPLUS}),
    S.PAID: frozenset(),
    S.SURPLUS: frozenset(),
}
LIVE = frozenset({S.CREATED, S.PENDING, S.UNKNOWN, S.CLOSING})  # these hold their bills
ASKED = LIVE | {S.LEFT}  # money may still come of these: their gateway is asked


class RefundState(StrEnum):
    """Where a refund stands."""

    APPLIED = "applied"  # asked for; what it gives back is reserved
    ACCEPTED = "accepted"  # tax took it on
    REVIEWED = "reviewed"  # every bureau whose premium goes back has looked at it
    REJECTED = "rejected"  # somebody said no, or who asked took it back; nothing is reserved any more
    APPROVED = "approved"  # another person said yes; booked as owed to the payer
    PAYING = "paying"  # the gateway is being asked, or has accepted, or was silent
    PAID = "paid"  # the money went back: by the gateway's word, or by a bank transfer with proof
    ABNORMAL = "abnormal"  # the payer's account refused it: a person must find another way
    FAILED = "failed"  # a definite no, or no way back the way it came: a person must go on


R = RefundState
REFUND_MOVES: dict[RefundState, frozenset[RefundState]] = {
    R.APPLIED: frozenset({R.ACCEPTED, R.APPROVED, R.REJECTED}),  # approved at once: only what never was a premium
    R.ACCEPTED: frozenset({R.REVIEWED, R.REJECTED}),
    R.REVIEWED: frozenset({R.APPROVED, R.REJECTED}),
    R.REJECTED: frozenset(),
    R.APPROVED: frozenset({R.PAYING, R.FAILED, R.PAID}),  # failed: too old, or it came by none; paid: of no money
    R.PAYING: frozenset({R.PAID, R.ABNORMAL, R.FAILED}),
    R.ABNORMAL: frozenset({R.PAID, R.FAILED}),
    R.FAILED: frozenset(
        {R.PAYING, R.PAID}
    ),  # again under a new number; or by transfer; or the gateway changes its mind
    R.PAID: frozenset(),
}
UNDECIDED = frozenset({R.APPLIED, R.ACCEPTED, R.REVIEWED})
STUCK = frozenset({R.ABNORMAL, R.FAILED})  # only a person goes on
