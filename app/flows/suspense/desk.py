"""What the offices have to do about money in doubt: the list by day, and one with what was done and proposed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.titles import title_of
from app.registry import find
from core.money import Fen
from core.redact import mask_name
from payments.gateways.known import GATEWAYS
from payments.suspense import solve
from payments.suspense.solve import ROLES, Key, Proposal
from payments.taking import find as find_money

DOUBTS: Mapping[str, str] = {
    "surplus": "多付待退",
    "unknown_number": "单号不认识",
    "other_channel": "渠道不对",
    "other_merchant": "商户不对",
    "currency": "不是人民币",
    "amount": "金额不对",
    "bank": "银行来款不明",
    "unconfirmed": "对账单上有、我们没收到通知",
    "unknown_person": "不知道是谁交的",
    "no_open_bill": "没有正好对上的缴费单",
}
SOLUTIONS: Mapping[str, str] = {"applied": "已用来缴费", "given_back": "已退回", "never_there": "没有这笔钱，已冲回"}
SOURCES: Mapping[str, str] = {
    "list": "渠道对账单",
    "bank": "银行到账文件",
    "treasury": "国库入库文件",
    "bureau": "部门确认文件",
}
STEPS: Mapping[str, str] = {
    "taken": "有人负责",
    "kept": "先放着",
    "proposed": "提出用来缴费",
    "withdrawn": "提出的人撤回",
    "applied": "同意，已入账",
    "given_back": "同意退回",
    "never_there": "更正后的账单里没有这笔钱，已冲回",
    "there_again": "渠道其实没有退，钱还在，重新待查",
}


@dataclass(frozen=True)
class Doubt:
    """One of them. `late`: nobody took it in time, or its last day is over."""

    key: Key
    doubt: str
    title: str  # of the channel
    number: str
    amount: Fen | None
    owner: str
    owned: bool
    due_on: date
    late: bool
    came_at: datetime
    proposed_by: str | None
    solution: str | None
    solved_by: str | None


@dataclass(frozen=True)
class Proposed:
    """One bill that somebody proposes to settle. The name is masked."""

    bill: int
    name: str
    title: str
    amount: Fen


def doubts(parts: Parts, *, solved: bool = False) -> list[Doubt]:
    """What waits, the earliest day first; or what was solved, the latest first."""
    with parts.reading() as connection:
        rows = solve.listed(connection, solved=solved)
    return [_doubt(parts, row) for row in rows]


def proposal(found: Doubt, proposed: Sequence[Proposed]) -> Proposal:
    """What somebody who agrees has seen of it."""
    return Proposal(frozenset(each.bill for each in proposed), found.amount)


def proposed_pledge(parts: Parts, key: Key) -> Any | None:
    """The sponsor's pledge that it is proposed to be given to, or was: id, number, shown. None: to none."""
    with parts.reading() as connection:
        return connection.execute(_PLEDGE, {"household": key.household_id, "cause": key.cause}).one_or_none()


_PLEDGE = text(
    "select g.id, g.number, p.shown from suspense s join pledge g on g.id = s.pledge"
    " join pledge_terms t on t.pledge_id = g.id join sponsor p on p.id = t.sponsor_id"
    " where s.household_id = :household and s.cause = :cause"
)


def said(parts: Parts, key: Key) -> Sequence[Any]:
    """What the channel's list or the file said of it (payments.suspense.said). NoSuchSuspense."""
    with parts.reading() as connection:
        return solve.said(connection, solve.find(connection, key))


def doubt(parts: Parts, key: Key) -> tuple[Doubt, Sequence[Any], list[Proposed]]:
    """One, what was done about it, and the bills that are proposed. NoSuchSuspense."""
    with parts.reading() as connection:
        row = solve.find(connection, key)
        steps = solve.steps_of(connection, key)
        bills = [find_money.bill_with_lines(connection, row.bills_household, bill)[0] for bill in row.bills or ()]
        ids = sorted({bill.person_id for bill in bills})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    proposed = [
        Proposed(
            bill.id,
            mask_name(people[bill.person_id].name),
            title_of(bill),
            bill.personal_due,
        )
        for bill in bills
    ]
    return _doubt(parts, row), steps, proposed


def _doubt(parts: Parts, row: Any) -> Doubt:
    today = parts.clocks.today()
    owned = row.owner not in ROLES
    return Doubt(
        key=Key(row.household_id, row.cause),
        doubt=DOUBTS.get(row.doubt, row.doubt),
        title=GATEWAYS[row.gateway].facts.title if row.gateway in GATEWAYS else "银行",
        number=row.number,
        amount=row.amount,
        owner=row.owner,
        owned=owned,
        due_on=row.due_on,
        late=row.solved_at is None and (row.due_on < today or (not owned and row.owned_on < today)),
        came_at=row.created_at,
        proposed_by=row.proposed_by,
        solution=SOLUTIONS[row.solution] if row.solution else None,
        solved_by=row.solved_by,
    )
