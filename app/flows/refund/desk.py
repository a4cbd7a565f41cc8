"""What the offices have to do about refunds: which wait for whom, how long, and one with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.access.roles import ROLES, Role
from app.flows.due.explain import explain, explain_raised
from app.flows.parts import Parts
from app.flows.refund.follow import BUREAUS, WORDS, RefundFollowed, follow
from app.flows.titles import title_of
from app.policy.facts import Elsewhere, Insurance
from app.policy.sheet import Reader, Sheet
from app.registry import find
from app.registry.codes import CATEGORIES
from app.registry.find import Subject
from core.clock import business_day
from core.money import Fen
from core.redact import mask_name
from payments.gateways.known import GATEWAYS
from payments.number import household_of
from payments.refunds import find as find_refunds
from payments.refunds.kept import stands
from payments.states import STUCK, RefundState
from payments.taking import find as find_money

NOBODYS = "refund_desk"  # the owner of what nobody has taken yet
OPEN = tuple(state for state in RefundState if state not in (RefundState.PAID, RefundState.REJECTED))
DONE = (RefundState.PAID, RefundState.REJECTED)
LATEST = 200  # of what ended; an older one is found by its number


@dataclass(frozen=True)
class Work:
    """One refund in the list. `days` since it was asked for, by the business clock; `missing`: whose bureau has not
    looked yet."""

    number: str
    state: RefundState
    amount: Fen
    reason: str
    held: bool
    owner: str
    applied_by: str
    applied_at: datetime
    days: int
    missing: frozenset[Insurance]
    by_transfer: bool = False  # a second person has yet to see its slip

    @property
    def stands(self) -> str:
        """What is missing, and who does it."""
        return waits_as(self.state, held=self.held, missing=self.missing)

    @property
    def by_others(self) -> bool:
        """Others paid it whole: nobody gets money (decision 0056)."""
        return self.amount == 0

    @property
    def stuck(self) -> bool:
        """Nothing goes on by itself: its owner finds a way."""
        return self.state in STUCK


@dataclass(frozen=True)
class Paid:
    """One payment that brought money for the same item; `stands`: what became of it."""

    number: str
    title: str
    amount: Fen
    stands: str
    paid_at: datetime


@dataclass(frozen=True)
class Standing:
    """One item as the register has its person today, for the year of the item, and why its bill is of that amount. The
    name is masked."""

    name: str
    title: str
    register: Sequence[str]
    sheet: Sheet


@dataclass(frozen=True)
class Case:
    """One refund with what speaks for it: every payment that brought money for the same items."""

    refund: RefundFollowed
    missing: frozenset[Insurance]
    evidence: Sequence[Paid]
    standing: Sequence[Standing]
    transfer: Any | None
    by_hand: bool  # the list says that somebody gave as much back by hand
    spent: bool  # any other way would give back more than came in

    @property
    def stands(self) -> str:
        """What is missing, and who does it."""
        if self.refund.taken_back:
            return "已撤回"
        if self.refund.state in STUCK and self.transfer is not None and self.transfer.state == "asked":
            return f"待核对回单：{ROLES[Role.TAX_LEAD]}"
        return waits_as(self.refund.state, held=self.refund.held, missing=self.missing)


def waits_as(state: RefundState, *, held: bool, missing: frozenset[Insurance]) -> str:
    """Where a refund is, for the offices: while it waits for people, what they do and who they are. Pure."""
    if state is RefundState.REVIEWED or (held and state is RefundState.APPLIED):
        return f"待同意：{ROLES[Role.TAX_LEAD]}"
    if state is RefundState.APPLIED:
        return f"待受理：{ROLES[Role.TAX_CLERK]}"
    if state is RefundState.ACCEPTED:
        return f"待复核：{'、'.join(BUREAUS[each] for each in sorted(missing))}"
    return WORDS[state]


def work(parts: Parts, *, done: bool = False) -> list[Work]:
    """All that is under way, oldest first; or (`done`) what ended, what was asked for last first."""
    today = parts.clocks.today()
    with parts.reading() as connection:
        states, latest = (DONE, LATEST) if done else (OPEN, None)
        rows = find_refunds.listed(connection, states=states, latest=latest)
        missing = find_refunds.missing_reviews(connection, [row.number for row in rows])
    return [
        Work(
            number=row.number,
            state=RefundState(row.state),
            amount=row.amount,
            reason=row.reason,
            held=row.held is not None,
            owner=row.owner,
            applied_by=row.applied_by,
            applied_at=row.applied_at,
            days=(today - business_day(row.applied_at)).days,
            missing=_insurances(missing, row.number),
            by_transfer=row.by_transfer,
        )
        for row in rows
    ]


def case(parts: Parts, number: str) -> Case:
    """One refund for somebody who has to decide. NoSuchRefund."""
    found = follow(parts, number)
    with parts.reading() as connection:
        missing = find_refunds.missing_reviews(connection, [number])
        bills = find_refunds.bills_of(connection, number) or find_money.bills_of(
            connection, household_of(number), found.payment
        )
        evidence = [
            Paid(row.number, GATEWAYS[row.gateway].facts.title, row.amount, stands(connection, row), row.paid_at)
            for row in find_refunds.paid_for(connection, bills)
        ]
        transfer = find_refunds.transfer_of(connection, number)
        hand = find_refunds.by_hand(connection, number)
    return Case(
        found,
        _insurances(missing, number),
        evidence,
        [] if found.held or found.is_over else _standing(parts, bills),
        transfer,
        by_hand=hand.owed >= found.amount,
        spent=hand.left < 0,
    )


def registered(subject: Subject, insurance: Insurance, groups: Mapping[str, str]) -> list[str]:
    """What the register says today that decides whether this insurance is to be paid here, in words; `groups`: the
    year's own, code → words. Pure."""
    own, words = subject.standing[insurance], {**_CATEGORY, **groups}
    return [
        "在世" if subject.alive else "系统显示已去世",
        "在这里登记参保" if own.registered else "没有在这里登记参保",
        f"参加了单位的{_SCHEMES[insurance]}" if own.employee_insured else f"没有参加单位的{_SCHEMES[insurance]}",
        *(_ELSEWHERE[Elsewhere(each)] for each in sorted(own.insured_elsewhere)),
        *([f"身份：{'、'.join(words.get(each, each) for each in sorted(own.categories))}"] if own.categories else []),
    ]


_CATEGORY = {code: word for word, code in reversed(CATEGORIES.items()) if code and not word.isascii()}  # first wins
_SCHEMES = {Insurance.RES_PENSION: "养老保险", Insurance.RES_MEDICAL: "医疗保险"}
_ELSEWHERE = {
    Elsewhere.MEDICAL_OUTSIDE_ZZ: "在市外参加医保",
    Elsewhere.MEDICAL_INSIDE_ZZ: "在市内别处参加医保",
    Elsewhere.PENSION_ELSEWHERE: "在别处参加养老",
    Elsewhere.DRAWING_PENSION: "已在领养老金",
}


def _standing(parts: Parts, bills: Sequence[Any]) -> list[Standing]:
    now = parts.clocks.now()
    with parts.reading() as connection:
        ids = sorted({bill.person_id for bill in bills})
        # A year that is closed gives back too.
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    return [_stands(parts, people[bill.person_id].in_year(bill.levy_year), bill, now) for bill in bills]


def _stands(parts: Parts, subject: Subject, bill: Any, at: datetime) -> Standing:
    """`subject` in the bill's year."""
    insurance = Insurance(bill.insurance)
    if bill.raised_from is None:
        number = bill.determination
        sheet = explain(parts, subject, insurance, at=at, reader=Reader.STAFF, determination=number)
    else:
        paid = {**bill._mapping, "settled_at": bill.settled_at.isoformat()}
        sheet = explain_raised(parts, subject, paid, at=at, reader=Reader.STAFF)
    return Standing(
        mask_name(subject.name),
        title_of(bill),
        registered(subject, insurance, parts.levy.rules(subject.levy_year).groups),
        sheet,
    )


def _insurances(missing: dict[str, set[str]], number: str) -> frozenset[Insurance]:
    return frozenset(Insurance(each) for each in missing.get(number, ()))
