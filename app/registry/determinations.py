"""The life of a determination as one table. The database holds the same table and refuses any other move.

A bureau's word on a case that the rules alone cannot decide (R28, R48–R50, D25): before it there is no bill. One kind
is about no bill: in which former years somebody was enrolled. It says how long he waits, and nothing else. An
application that was withdrawn is as if it had never been made: whoever reads what a person has reads none."""

from enum import StrEnum


class Kind(StrEnum):
    """What is to be determined."""

    POLICY_BACKPAY = "policy_backpay"
    INTERRUPTED_BACKPAY = "interrupted_backpay"
    NEWBORN = "newborn"
    LATE_WAIVER = "late_waiver"
    ENROLMENT_HISTORY = "enrolment_history"  # in which former years somebody had the medical insurance


class State(StrEnum):
    """Where it stands."""

    APPLIED = "applied"
    CHECKING = "checking"  # with the bureau
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by who applied, before anybody had it in hand


MOVES: dict[State, frozenset[State]] = {
    State.APPLIED: frozenset({State.CHECKING, State.WITHDRAWN}),
    State.CHECKING: frozenset({State.APPROVED, State.REJECTED}),
    State.APPROVED: frozenset(),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
OPEN = frozenset({State.APPLIED, State.CHECKING})
BACKPAY = frozenset({Kind.POLICY_BACKPAY, Kind.INTERRUPTED_BACKPAY})
MEDICAL_ONLY = frozenset({Kind.NEWBORN, Kind.LATE_WAIVER, Kind.ENROLMENT_HISTORY})
WORDS = {
    Kind.POLICY_BACKPAY: "政策性补缴",
    Kind.INTERRUPTED_BACKPAY: "中断补缴",
    Kind.NEWBORN: "新生儿缴费",
    Kind.LATE_WAIVER: "逾期代缴核实",
    Kind.ENROLMENT_HISTORY: "参保年度核对",
    State.APPLIED: "已申请",
    State.CHECKING: "核实中",
    State.APPROVED: "通过",
    State.REJECTED: "没有通过",
    State.WITHDRAWN: "已撤回",
}
