"""What is left of a pledge that ended asks for its way back: receipt by receipt, the latest first, the way each came.
From there on it is a refund like any other, with its four hands (app/flows/refund)."""

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.refund.steps import Asked
from app.flows.sponsor.desk import money_in, pledge_within
from app.flows.sponsor.enter import Hand, NoSuchPledge, PledgeMoved
from app.policy.refunds import WORDS, Why
from core.clock import business_day
from core.errors import Conflict
from payments.errors import NothingToGiveBack
from payments.number import REFUND, new_number
from payments.refusals import as_errors


class StillReserved(Conflict):
    """Somebody is just paying a bill of which it pays a part."""

    text = "还有人正在付款，占着这笔资助款，现在不能退。等他付完或者付款码过期（一般一刻钟内）再来。"


def give_back(parts: Parts, pledge: int, *, hand: Hand) -> list[Asked]:
    """Ask for everything that is left. PledgeMoved while it has not been ended, StillReserved, NothingToGiveBack,
    NoSuchPledge."""
    now, asked = parts.clocks.now(), list[Asked]()
    rows = money_in(parts, pledge)
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        found = pledge_within(connection, pledge, today=business_day(now))
        if found.row.state != "ended":
            raise PledgeMoved(found.row.number)
        if found.reserved:
            raise StillReserved
        left = found.left
        for row in rows:
            amount = min(left, row.amount - row.back)
            if amount <= 0:
                continue
            number = new_number(row.household_id, business_day(now), kind=REFUND)
            values = {
                "session": hand.session,
                "by": hand.by,
                "pledge": pledge,
                "household": row.household_id,
                "receipt": row.cause,
                "number": number,
                "amount": amount,
                "why": Why.SPONSOR_LEFT,
                "reason": WORDS[Why.SPONSOR_LEFT],
                "at": parts.clocks.wall(),
                "now": now,
            }
            connection.execute(_RETURN if hand.session is None else _OFFICER_RETURNS, values)
            asked.append(Asked(number, amount))
            left -= amount
    if not asked:
        raise NothingToGiveBack(found.row.number)
    return asked


_REFUSED = {"LX080": NoSuchPledge, "LX131": PledgeMoved, "LX009": NothingToGiveBack}
_RETURN = text("select pledge_return(:pledge, :household, :receipt, :number, :amount, :why, :reason, :by, :now)")
_OFFICER_RETURNS = text(
    "select officer_returns_pledge(:session, :pledge, :household, :receipt, :number, :amount, :why, :reason, :at, :now)"
)
