"""What an account has paid over the years, a page at a time. Of others it shows what this account paid, whether it
still holds them or not, and nothing that somebody else did: the payer sees item, amount and state, never another's
history. And what of persons' items went into other funds."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from app.access.sessions import Visitor
from app.flows.due.item import item_key
from app.flows.parts import Parts
from app.flows.pay.follow import Followed, look
from app.flows.titles import within_words
from app.policy.facts import Insurance
from app.registry.find import Subject
from core.errors import BadInput
from payments.number import household_of

PAGE = 10


class BadCursor(BadInput):
    """A place to go on from that we never gave."""

    text = "页码不对，请从第一页看起。"


@dataclass(frozen=True)
class History:
    """A page of payments, the newest first; `after` is where the next page begins, or empty."""

    payments: Sequence[Followed]
    after: str


def history(parts: Parts, visitor: Visitor, *, after: str = "", most: int = PAGE) -> History:
    """Payments that brought money, of the account's own person or started by the account. BadCursor."""
    until, number = _place(after)
    wanted = {"account": visitor.account_id, "by": f"account:{visitor.account_id}", "until": until, "number": number}
    with parts.reading() as connection:
        rows = connection.execute(_PAGE, wanted | {"most": most + 1}).all()
        found = [look(parts, connection, row.number) for row in rows[:most]]
    more = len(rows) > most
    return History(found, _cursor(rows[most - 1].paid_at, rows[most - 1].number) if more else "")


_PAGE = text(
    "with mine as materialized (select pb.household_id, pb.number from resident_person a"
    "     join bill b on b.person_id = a.person_id"
    "     join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    "     where a.account_id = :account and a.own"
    "     union select household_id, number from payment where started_by = :by)"
    " select p.number, p.paid_at from mine join payment p using (household_id, number)"
    " where p.state in ('paid', 'surplus') and p.paid_at is not null"
    "   and (p.paid_at, p.number) < (coalesce(cast(:until as timestamptz), 'infinity'), :number)"
    " order by p.paid_at desc, p.number desc limit :most"
)


def into_others(parts: Parts, people: Sequence[Subject]) -> Mapping[tuple[int, str], Sequence[str]]:
    """What of the items that these persons paid went into other funds, in words, by person and key of the item."""
    with parts.reading() as connection:
        bills = connection.execute(_MEDICAL, {"people": [person.id for person in people]}).all()
    return {
        (bill.person_id, item_key(Insurance(bill.insurance), bill.levy_year, None)): within_words(
            parts.levy.rules(bill.levy_year), bill.funds, bill.personal_due
        )
        for bill in bills
    }


_MEDICAL = text(  # another fund is collected with no other premium
    "select person_id, insurance, levy_year, personal_due, paid_into_others(household_id, id) as funds from bill"
    " where person_id = any (:people) and insurance = 'RES_MEDICAL' and determination is null and state = 'settled'"
    "   and personal_due > 0"
)


def _cursor(moment: datetime, number: str) -> str:
    return urlsafe_b64encode(f"{moment.astimezone(UTC).isoformat()} {number}".encode()).decode().rstrip("=")


def _place(after: str) -> tuple[datetime | None, str]:
    if not after:
        return None, ""
    try:
        moment, _, number = urlsafe_b64decode(after[:200] + "=" * (-len(after) % 4)).decode().partition(" ")
        until = datetime.fromisoformat(moment).astimezone(UTC)
    except (Error, ValueError, OverflowError) as odd:
        raise BadCursor from odd
    if not household_of(number) or not number.isalnum() or not moment.endswith("+00:00"):
        raise BadCursor
    return until, number
