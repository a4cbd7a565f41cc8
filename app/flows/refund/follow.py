"""A refund's number → where it stands and every step with its date, in plain words. Reads; decides nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from app.flows.due.item import item_key
from app.flows.parts import Parts
from app.flows.titles import title_of, within_words
from app.policy.facts import Insurance
from app.policy.refunds import ANSWERED_WITHIN
from app.registry import find
from app.registry.find import Subject
from core.clock import business_day
from core.money import Fen
from payments.errors import NoSuchRefund
from payments.gateways.known import GATEWAYS
from payments.number import REFUND
from payments.refunds import find as find_refunds
from payments.states import UNDECIDED, RefundState
from payments.taking import find as find_money

_NUMBER = re.compile(REFUND + r"[0-9A-Z]{24}")
BUREAUS = {Insurance.RES_PENSION: "人社局", Insurance.RES_MEDICAL: "医保局"}
WORDS: Mapping[RefundState, str] = {  # for staff
    RefundState.APPLIED: "待受理",
    RefundState.ACCEPTED: "待复核",
    RefundState.REVIEWED: "待审批",
    RefundState.REJECTED: "没有同意",
    RefundState.APPROVED: "已同意，待退",
    RefundState.PAYING: "退款中",
    RefundState.PAID: "已退",
    RefundState.ABNORMAL: "对方账户收不了，要人工处理",
    RefundState.FAILED: "没有退成，要人工处理",
}
STANDS: Mapping[RefundState, str] = {  # for the payer
    RefundState.APPLIED: "申请收到了，等税务受理。",
    RefundState.ACCEPTED: "税务已受理，正在由{bureaus}核对。",
    RefundState.REVIEWED: "{bureaus}已核对，等税务审批。",
    RefundState.REJECTED: "没有同意退。原因：{reason}",
    RefundState.APPROVED: "已同意，马上退。",
    RefundState.PAYING: "正在退回{way}，请等一等。",
    RefundState.PAID: "钱已退回{way}。",
    RefundState.ABNORMAL: "原来付款的账户收不了钱，工作人员会给您打电话，问一个能收钱的银行账户。",
    RefundState.FAILED: "暂时没有退成，工作人员正在处理，钱没有丢。",
}
BY_OTHERS: Mapping[RefundState, str] = {  # of what others paid whole (decision 0056)
    RefundState.APPLIED: "正在核对要不要撤回，等税务受理。这一项是别人替付的，您没有付过钱。",
    RefundState.REJECTED: "没有撤回，参保照旧。原因：{reason}",
    RefundState.PAID: "已经撤回。这一项是别人替付的，您没有付过钱，没有钱要退。",
}
STEPS: Mapping[str, str] = {
    "applied": "申请退费",
    "accepted": "税务受理",
    "reviewed": "{bureau}核对",
    "approved": "同意退费",
    "rejected": "没有同意",
    "paying": "交给{title}退款",
    "paid": "钱已退回",
    "abnormal": "原来的账户收不了钱",
    "failed": "没有退成，转人工处理",
    "transfer_asked": "改用银行转账",
    "transfer_refused": "转账回单不对，重新办",
    "withdrawn": "申请人撤回",
}
STEPS_BY_OTHERS = {"applied": "申请撤回", "approved": "同意撤回", "rejected": "没有同意", "paid": "替付的钱已冲回"}
TAKEN_BACK = "申请撤回了，钱没有动。还要退的，可以再申请。"
HELD = "多付的钱，不用您申请，等工作人员同意后退回。"


@dataclass(frozen=True)
class Step:
    """One step: in words, by whom (for staff only), when (business clock), and why."""

    text: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Item:
    """One bill that goes back, with the key of its item. `name` in clear: mask it. Amounts in fen."""

    person_id: int
    name: str
    village: str
    insurance: Insurance
    key: str
    title: str
    amount: Fen
    within: Sequence[str] = ()  # what of the amount went into other funds


@dataclass(frozen=True)
class RefundFollowed:
    """A refund as it stands. `last4`: of the account a transfer went to."""

    number: str
    state: RefundState
    words: str
    amount: Fen
    reason: str
    why: str
    payment: str
    title: str  # of the way it came
    held: bool  # it never was a premium
    last4: str | None
    owner: str
    their_word: str
    applied_by: str
    applied_at: datetime
    answer_by: date  # the last day for an answer
    steps: Sequence[Step]
    items: Sequence[Item]

    @property
    def taken_back(self) -> bool:
        """Who asked took it back himself."""
        return self.steps[-1].text == STEPS["withdrawn"]

    @property
    def by_others(self) -> bool:
        """Others paid it whole: they have back what they gave, and nobody gets money."""
        return self.amount == 0

    @property
    def is_asked(self) -> bool:
        """The premium itself is asked back and nobody has agreed: it still stands. What never was a premium is not."""
        return self.state in UNDECIDED and not self.held

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in (RefundState.PAID, RefundState.REJECTED)


def follow(parts: Parts, number: str) -> RefundFollowed:
    """The refund of a number with its steps and items. NoSuchRefund. Who may see it is the door's question."""
    if not _NUMBER.fullmatch(number):
        raise NoSuchRefund
    with parts.reading() as connection:
        row = find_refunds.find(connection, number)
        steps = find_refunds.steps_of(connection, number)
        transfer = find_refunds.transfer_of(connection, number)
        bills = find_refunds.bills_of(connection, number) or find_money.bills_of(
            connection, row.household_id, row.payment
        )
        ids = sorted({bill.person_id for bill in bills})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.years)}
    return _followed(row, steps, transfer, [_item(parts, row, bill, people[bill.person_id]) for bill in bills])


def follow_all(parts: Parts, people: Sequence[Subject]) -> list[RefundFollowed]:
    """Every refund that concerns only these persons, newest first, in one query."""
    known = {person.id: person for person in people}
    return [
        _followed(
            row,
            [SimpleNamespace(**step | {"at": datetime.fromisoformat(step["at"])}) for step in row.steps],
            SimpleNamespace(**row.transfer) if row.transfer else None,
            [_item(parts, row, SimpleNamespace(**bill), known[bill["person_id"]]) for bill in row.items or ()],
        )
        for row in refunds_of(parts, list(known))
    ]


def refunds_of(parts: Parts, person_ids: Sequence[int]) -> Sequence[Any]:
    """The refunds that concern only these persons, newest first: see `find_refunds.of_people`."""
    with parts.reading() as connection:
        rows = find_refunds.of_people(connection, person_ids)
    return [row for row in rows if set(row.people) <= set(person_ids)]


def _followed(row: Any, steps: Sequence[Any], transfer: Any | None, items: Sequence[Item]) -> RefundFollowed:
    state = RefundState(row.state)
    title = GATEWAYS[row.gateway].facts.title if row.gateway in GATEWAYS else "银行"
    by_transfer = transfer is not None and transfer.state == "agreed"
    bureaus = "、".join(dict.fromkeys(BUREAUS[item.insurance] for item in items))
    stands = STANDS if row.amount else {**STANDS, **BY_OTHERS}
    words = stands[state].format(
        bureaus=bureaus,
        reason=steps[-1].reason if state is RefundState.REJECTED else "",
        way=f"尾号{transfer.last4}的银行账户" if transfer is not None and by_transfer else f"原来付款的{title}账户",
    )
    if steps[-1].word == "withdrawn":
        words = TAKEN_BACK
    return RefundFollowed(
        number=row.number,
        state=state,
        words=HELD if row.held and state is RefundState.APPLIED else words,
        amount=row.amount,
        reason=row.reason,
        why=row.why,
        payment=row.payment,
        title=title,
        held=row.held is not None,
        last4=transfer.last4 if transfer is not None else None,
        owner=row.owner,
        their_word=row.their_word,
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        answer_by=business_day(row.applied_at) + ANSWERED_WITHIN,
        steps=[_step(step, title, STEPS if row.amount else {**STEPS, **STEPS_BY_OTHERS}) for step in steps],
        items=items,
    )


def _step(step: Any, title: str, words: Mapping[str, str]) -> Step:
    bureau = BUREAUS[Insurance(step.insurance)] if step.insurance else ""
    return Step(words[step.word].format(bureau=bureau, title=title), step.by, step.at, step.reason)


def _item(parts: Parts, row: Any, bill: Any, person: Subject) -> Item:
    insurance, rules = Insurance(bill.insurance), parts.levy.rules(bill.levy_year)
    funds = bill.funds if row.held is None else None  # what never was a premium went into no fund
    return Item(
        person_id=person.id,
        name=person.name,
        village=f"{person.town}{person.village}",
        insurance=insurance,
        key=item_key(insurance, bill.levy_year, bill.determination, rise=bill.raised_from is not None),
        title=title_of(bill),
        amount=bill.personal_due,
        within=within_words(rules, funds, bill.personal_due),
    )
