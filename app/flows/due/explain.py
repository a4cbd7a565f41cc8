"""A person, an insurance and a moment → the why-this-amount sheet; of a settled item, its bill's own frozen lines."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from app.flows.due.facts import facts_of
from app.flows.due.item import Due
from app.flows.due.quote import SELF, amount_due
from app.flows.due.record import answer, asked_of
from app.flows.due.rise import due_of_rise, raised
from app.flows.parts import Parts
from app.policy.answer import Eligible, FundDue, Line, Part, Quote, Reason
from app.policy.facts import Insurance
from app.policy.lines import chinese_day
from app.policy.sheet import Reader, Sheet, for_resident, for_staff, record
from app.policy.terms import PolicyYear
from app.policy.words import phrases
from app.registry.find import Subject
from core.clock import business_day
from core.money import Fen
from payments.taking.find import bill_with_lines


def explain(
    parts: Parts,
    subject: Subject,
    insurance: Insurance,
    *,
    at: datetime,
    reader: Reader = Reader.RESIDENT,
    channel: str = SELF,
    tier: Fen | None = None,
    level: int | None = None,
    determination: int | None = None,
    rise: bool = False,
) -> Sheet:
    """The sheet of one person's insurance in the subject's year, of a back-payment, or of a pension that is raised
    (`rise`), at a moment of the business clock; `tier` in fen, for the pension, `level` for the medical insurance.
    NoSuchItem."""
    rules = parts.levy.rules(subject.levy_year)
    if rise:
        return _of_rise(parts, subject, at=at, reader=reader, channel=channel, tier=tier)
    chosen = {"tier": tier, "level": level}
    due = amount_due(parts, subject, insurance, at=at, channel=channel, determination=determination, **chosen)
    own = subject.standing[insurance]
    backpay = next((each for each in own.backpays if each["id"] == determination), None)
    facts = facts_of(subject, insurance, backpay)
    bill = own.bill if backpay is None else backpay["bill"]
    asked = asked_of(subject) if insurance is Insurance.RES_MEDICAL and backpay is None else None
    quoted = _settled(parts, rules, insurance, bill) if due.settled and bill is not None else due.quote
    if reader is Reader.RESIDENT:
        sheet = for_resident(quoted, facts, rules, answer=due.text, settled=due.settled)
    else:
        sheet = for_staff(quoted, facts, rules, departments=parts.departments, answer=due.text, settled=due.settled)
    if due.settled and bill is not None:
        return replace(sheet, record=_sooner(parts, subject, bill)) if asked else sheet
    said = record(due.on_phone or due.quote, facts, rules)  # an agent can tell him why, whatever he may collect
    # Once for a levy year; a desk can ask again.
    return replace(sheet, record=(*said, answer(asked)) if asked else said, may_ask=bool(said) and not asked)


def explain_raised(
    parts: Parts, subject: Subject, bill: Mapping[str, Any], *, at: datetime, reader: Reader = Reader.RESIDENT
) -> Sheet:
    """The sheet of a difference that was paid, from its own bill (as `Standing.rise`) in the subject's year, whatever
    became of it and of its premium since."""
    due = raised(parts.levy.rules(subject.levy_year), bill, business_day(at))
    return _rise_sheet(parts, subject, due, bill, reader)


def _of_rise(parts: Parts, subject: Subject, *, at: datetime, reader: Reader, channel: str, tier: Fen | None) -> Sheet:
    due = due_of_rise(parts, subject, at=at, channel=channel, tier=tier)
    bill = subject.standing[Insurance.RES_PENSION].rise if due.settled else None
    return _rise_sheet(parts, subject, due, bill, reader)


def _rise_sheet(parts: Parts, subject: Subject, due: Due, bill: Mapping[str, Any] | None, reader: Reader) -> Sheet:
    rules, pension = parts.levy.rules(subject.levy_year), Insurance.RES_PENSION
    facts = facts_of(subject, pension)
    quoted = due.quote if bill is None else _settled(parts, rules, pension, bill)
    said = {"answer": due.text, "settled": due.settled}
    if reader is Reader.RESIDENT:
        sheet = for_resident(quoted, facts, rules, **said)
    else:
        sheet = for_staff(quoted, facts, rules, departments=parts.departments, **said)
    title = "title_settled" if due.settled else "title" if due.payable else "title_asked"
    return replace(sheet, title=phrases("sheet")[title].format(item=due.title), change=None)


def _sooner(parts: Parts, subject: Subject, bill: Mapping[str, Any]) -> tuple[str, ...]:
    """What the bureau said of the record after the bill was paid: the wait from that day, reckoned anew."""
    medical = Insurance.RES_MEDICAL
    unpaid = {**subject.standing, medical: replace(subject.standing[medical], bill=None)}
    at = datetime.fromisoformat(bill["settled_at"])
    due = amount_due(parts, replace(subject, standing=unpaid), medical, at=at, level=bill["level"])
    start = due.quote.benefit_start
    booked = bill["benefit_start"] and date.fromisoformat(bill["benefit_start"])
    if not (start and booked and start < booked):
        return ()
    return (f"交费以后，医保局认定了您往年的参保年度。按认定的算，{chinese_day(start)}起就可以报销。",)


def _settled(parts: Parts, rules: PolicyYear, insurance: Insurance, held: Mapping[str, Any]) -> Quote:
    """What was booked, whatever the rules would say today."""
    with parts.reading() as connection:
        bill, rows = bill_with_lines(connection, held["household_id"], held["id"])
    lines = tuple(Line(Part(row.part), row.payer, row.fund, row.amount, row.clause, row.evidence) for row in rows)
    others = [line for line in lines if line.fund != insurance]
    funds = [line for line in others if line.part is Part.PERSONAL]
    return Quote(
        insurance=insurance,
        day=business_day(bill.settled_at),
        eligible=Eligible.YES,
        reason_code=Reason(bill.reason_code),
        tier=bill.tier,
        level=bill.level,
        total=bill.total - sum(line.amount for line in others),
        personal_due=bill.personal_due - sum(line.amount for line in funds),
        account_credit=sum(line.amount for line in lines) if insurance is Insurance.RES_PENSION else None,
        benefit_start=bill.benefit_start,
        lines=lines,
        funds=tuple(FundDue(line.fund, rules.funds.get(line.fund, line.fund), line.amount) for line in funds),
    )
