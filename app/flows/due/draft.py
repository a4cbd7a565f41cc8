"""What is due → the bill that would be issued for it."""

from app.flows.due.item import Due
from app.flows.parts import Parts
from app.registry.find import Subject
from payments.taking.bills import Draft, DraftLine


def draft_of(parts: Parts, subject: Subject, due: Due) -> Draft:
    """A payable answer as a bill with its lines, frozen when it is issued; its amounts are the other funds' too."""
    quote = due.quote
    assert quote.whole is not None and quote.personal_due is not None and quote.price_until is not None
    return Draft(
        household_id=subject.household_id,
        person_id=subject.id,
        insurance=due.insurance,
        levy_year=due.levy_year,
        tier=quote.tier,
        total=quote.whole,
        personal_due=quote.to_pay,
        reason_code=quote.reason_code,
        price_until=quote.price_until,
        benefit_start=quote.benefit_start,
        lines=[
            DraftLine(line.part, line.payer, line.fund, line.amount, line.clause, line.evidence) for line in quote.lines
        ],
        determination=due.determination,
        years=due.years,
        level=quote.level,
        raised_from=due.raised_from,
    )
