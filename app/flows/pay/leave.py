"""Somebody pays another way, or not at all: his live payment is ended at its gateway, or left to its end.

What is left holds its bills no more; its gateway is asked until the end, and money that comes twice goes back."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from app.flows.pay.expire import close_at_gateway
from core.errors import Refused
from payments.states import LIVE, State
from payments.taking import find as find_money
from payments.taking.start import move


class CodeOfAnother(Refused):
    """A payment of the person himself or of his agent is ended by those alone."""

    text = "这个付款码是他本人、代办员或者服务大厅出的，只有他们能取消。"


@dataclass(frozen=True)
class _Say:
    """What somebody has to say about a payment: it is his own wish; he is one of its people, or serves them; is he who
    started it one of these; and does no account hold one of them for himself (children, old people)?"""

    same: bool
    own: bool
    kept: bool
    nobodys: bool


def give_way(parts: Parts, row: Any, *, by: str) -> bool:
    """`by` (account:<id>, agent:<id>, staff:<login>) wants no more of this payment: True once it holds no bill of it.

    Ended at its gateway, or paid as we learn only now. Where nobody can end it, it is left: by who started it, and by
    anybody where no account is the person's own, while the gateway says that no money has moved; by the person himself
    or his agent whatever their gateway says of another account's. CodeOfAnother."""
    with parts.reading() as connection:
        say = _say(connection, row, by)
    if not say.same and not say.own and say.kept:
        raise CodeOfAnother(row.number)
    gateway = parts.gateways.get(row.gateway)
    if gateway is not None and close_at_gateway(parts, gateway, row):
        return True
    with parts.engine.begin() as connection:
        now = find_money.payment(connection, row.number)
        assert now is not None
        if now.state not in LIVE:
            return True
        unpaid = now.state == State.PENDING  # the gateway has just said that it can be paid
        if not ((say.own and not say.same) or ((say.same or say.nobodys) and unpaid)):
            return False
        return leave(connection, row)


def leave(connection: Connection, row: Any) -> bool:
    """It holds its bills no more; False if it has ended meanwhile."""
    return move(connection, row.household_id, row.number, State.LEFT) is not None


def _say(connection: Connection, row: Any, by: str) -> _Say:
    found = connection.execute(_OWNERS, {"household": row.household_id, "number": row.number})
    own = {f"account:{account}" for account in found.scalars()}
    return _Say(row.started_by == by, _is_own(by, own), _is_own(row.started_by, own), not own)


def _is_own(who: str, own: set[str]) -> bool:
    return who in own or who.startswith(("agent:", "staff:"))


_OWNERS = text(
    "select distinct a.account_id from payment_bill pb join bill b on b.household_id = pb.household_id"
    " and b.id = pb.bill_id join resident_person a on a.person_id = b.person_id and a.own"
    " where pb.household_id = :household and pb.number = :number"
)
