"""What others paid whole for somebody who is insured in another place, as an office found: it asks for its own way back
to them (decision 0056). Whoever paid himself asks himself."""

from typing import Any

from sqlalchemy import text

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.refund.steps import FOUND_ELSEWHERE, NotRefundable, ask_for_bill
from app.policy.refunds import Why
from payments.errors import NothingToGiveBack


def ask_for_elsewhere(parts: Parts) -> int:
    """How many were asked for. Again asks for nothing twice; what benefits have begun of stays (D34)."""
    with parts.reading() as connection:
        bills = connection.execute(_FOR_NOTHING, {"rule": FOUND_ELSEWHERE}).all()
    asked = 0

    def ask(bill: Any) -> None:
        nonlocal asked
        try:
            with parts.engine.begin() as connection:
                ask_for_bill(parts, connection, bill, Why.ELSEWHERE, by=FOUND_ELSEWHERE)
        except (NothingToGiveBack, NotRefundable):  # somebody asked meanwhile, or it is too late
            return
        asked += 1

    one_by_one(parts, "for_nothing", bills, ask, name=lambda bill: f"bill {bill.id}")
    return asked


_FOR_NOTHING = text(
    "select b.* from paid_elsewhere e join bill b on b.person_id = e.person_id and b.insurance = e.insurance"
    " and b.levy_year = e.levy_year and b.determination is null and b.state = 'settled' and b.personal_due = 0"
    " join person p on p.id = e.person_id and p.restricted_at is null"
    " where e.back_at is null and not exists (select from refund_bill rb join refund r using (household_id, number)"
    "   where rb.household_id = b.household_id and rb.bill_id = b.id and (rb.live or r.applied_by = :rule))"
    " order by b.person_id, b.insurance"
)
