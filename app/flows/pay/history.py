"""What an account has paid over the years, a page at a time. Of others it shows what this account paid, whether it
still holds them or not, and nothing that somebody else did: the payer sees item, amount and state, never another's
history."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from app.access.sessions import Visitor
from app.flows.parts import Parts
from app.flows.pay.follow import Followed, look
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
