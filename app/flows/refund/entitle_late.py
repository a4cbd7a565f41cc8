"""Somebody paid and is recognised later as one the government pays for, wholly or in part: the difference asks for its
own way back. Losing a category takes nothing (D20): only a lower price of the same item, the year's premium, is looked
for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from app.flows.due.draft import draft_of
from app.flows.due.quote import SELF, amount_due
from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.refund.steps import ask_for_bill
from app.policy.days import born_by
from app.policy.facts import Insurance
from app.policy.refunds import Why, refusal
from app.policy.terms import PolicyYear
from app.registry import find
from app.registry.determinations import Kind, State
from app.registry.entitled import maybe_entitled
from app.registry.find import Subject
from app.registry.years import Years
from core.money import Fen
from payments.errors import NothingToGiveBack
from payments.taking.bills import Draft, hold

RULE = "rule:late_entitlement"
TOGETHER = 500


def ask_for_entitled(parts: Parts, people: Sequence[int] | None = None) -> int:
    """Quote again the paid bills of these persons (None: of everybody), as of when they paid and with today's facts;
    where less was due, ask for the difference once. Of a year that has ended too: a bureau's word may come after its
    end. How many were asked for."""
    asked, rows = 0, list[Any]()
    with parts.reading() as connection:
        years = _years(parts, connection)
        for year in years.all:
            rows += maybe_entitled(
                connection,
                levy_year=year,
                newest=year == years.newest,
                ages=_ages(parts.levy.rules(year)),
                asked_by=RULE,
                people=people,
            )

    def look(paid: tuple[Any, Subject]) -> None:
        nonlocal asked
        bill, subject = paid
        asked += cheaper(parts, bill, subject) is not None and _ask(parts, bill)

    one_by_one(parts, "entitled", _with_subjects(parts, rows), look, name=lambda paid: f"bill {paid[0].id}")
    return asked


def would_ask(parts: Parts, connection: Connection, people: Sequence[int]) -> int:
    """How many paid bills of these persons would ask for a difference, as the caller's transaction has the register."""
    years, found = _years(parts, connection), 0
    for year in years.all:
        rows = maybe_entitled(
            connection,
            levy_year=year,
            newest=year == years.newest,
            ages=_ages(parts.levy.rules(year)),
            asked_by=RULE,
            people=people,
        )
        for start in range(0, len(rows), TOGETHER):
            chunk = rows[start : start + TOGETHER]
            ids = sorted({bill.person_id for bill in chunk})
            subjects = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=years)}
            found += sum(cheaper(parts, bill, subjects[bill.person_id]) is not None for bill in chunk)
    return found


def cheaper(parts: Parts, bill: Any, subject: Subject) -> Draft | None:
    """What the bill would have been by today's facts, if the person had less to pay; None if not, or too late."""
    insurance, subject = Insurance(bill.insurance), subject.in_year(bill.levy_year)
    unpaid, chosen = _unpaid(subject, insurance), {"tier": bill.tier, "level": bill.level}
    due = amount_due(parts, unpaid, insurance, at=bill.settled_at, channel=SELF, **chosen)
    if not due.payable or due.quote.to_pay >= bill.personal_due:
        return None
    late = refusal(
        parts.levy.rules(bill.levy_year),
        Why.LATE_ENTITLEMENT,
        insurance,
        on=parts.clocks.today(),
        benefit_start=bill.benefit_start,
    )
    return None if late and not _bureau_said_so(subject, insurance) else draft_of(parts, subject, due)


def _ask(parts: Parts, bill: Any) -> bool:
    """Its person is met first and looked at once more: what he is entitled by may have been taken back meanwhile."""
    try:
        with parts.engine.begin() as connection:
            hold(connection, bill.person_id)
            subjects = find.by_ids(connection, parts.vault, [bill.person_id], years=_years(parts, connection))
            draft = cheaper(parts, bill, subjects[0]) if subjects else None
            if draft is None:
                return False
            ask_for_bill(parts, connection, bill, Why.LATE_ENTITLEMENT, by=RULE, replacement=draft)
    except NothingToGiveBack:  # somebody asked meanwhile, or it came by no way that leads back
        return False
    return True


def _bureau_said_so(subject: Subject, insurance: Insurance) -> bool:
    """A late waiver or a newborn that the bureau determined (D25, D28): then the full price never was due, whatever has
    begun."""
    said = subject.standing[insurance].determinations
    return any(said[kind]["state"] == State.APPROVED for kind in (Kind.LATE_WAIVER, Kind.NEWBORN) if kind in said)


def _unpaid(subject: Subject, insurance: Insurance) -> Subject:
    """The same person before the bill was paid. A sponsor pays what he paid of it, or less: what he gives goes to
    nobody in cash (D22)."""
    standing = {**subject.standing, insurance: replace(subject.standing[insurance], bill=None)}
    gave = tuple(each._replace(room=0) for each in subject.pledges if each.own)
    return replace(subject, standing=standing, pledges=gave)


def _ages(rules: PolicyYear) -> list[tuple[date, Fen]]:
    """(born by this day, pays this much) for each age that the government pays for; of another fund nothing: whoever
    pays one is looked at."""
    medical, reference = rules.has_medical, rules.dates.age_reference
    if medical is None:
        return []
    prices = [medical.base, *(price for price in medical.prices if price.who.levels)]
    helps = [(ground, min(ground.leaves(price.personal) for price in prices)) for ground in medical.grounds]
    helps += [(ground, 0) for fund in medical.funds for ground in fund.grounds]
    return [
        (born_by(reference, ground.who.from_age), rest)
        for ground, rest in helps
        if ground.who.aged and ground.who.from_age is not None
    ]


def _with_subjects(parts: Parts, rows: Sequence[Any]) -> Iterator[tuple[Any, Subject]]:
    for start in range(0, len(rows), TOGETHER):
        chunk = rows[start : start + TOGETHER]
        ids = sorted({bill.person_id for bill in chunk})
        with parts.reading() as connection:
            found = find.by_ids(connection, parts.vault, ids, years=_years(parts, connection))
        people = {each.id: each for each in found}
        yield from ((bill, people[bill.person_id]) for bill in chunk)


def _years(parts: Parts, connection: Connection) -> Years:
    """Asked where the register is: no list of a year that began a moment ago says anything of the one before."""
    parts.levy.hear(connection)
    return parts.levy.ever
