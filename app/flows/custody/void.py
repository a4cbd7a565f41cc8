"""A receipt that is torn, wrong, or whose money went back at once: undone on the same day by who issued it."""

import secrets
from collections.abc import Mapping

from sqlalchemy import Connection, text

from app.access.sessions import Visitor
from app.flows.custody.take import Asked, take_in
from app.flows.parts import Parts
from app.flows.pay.start import want_of
from app.flows.tell.announce import tell_voided
from app.registry import find
from core.errors import BadInput, Conflict, NotFound
from payments.refusals import as_errors
from payments.taking import find as find_money
from payments.taking.bills import meet

MANY = 3  # in a day: somebody looks
WHY: Mapping[str, str] = {"torn": "纸坏了，换一张", "wrong": "开错了人或项目", "returned": "没有收，钱当场还给他了"}


class NoSuchReceipt(NotFound):
    """None of that serial, or none of his."""

    text = "没有这张收据，或者不是您开的。"


class NotVoidable(Conflict):
    """Its day is over, its money is at the bank, or something hangs on it."""

    text = "这张收据不能作废：不是今天开的，或者钱已经存了，或者他已经申请退费。要退的，请走退费。"


class NoWhy(BadInput):
    """Without a reason."""

    text = "请选为什么作废。"


def void(parts: Parts, serial: int, why: str, *, by: Visitor) -> list[int]:
    """It counts no more, and its payer is told; of a torn one the item has another in the same act, whose serial
    is returned. NoWhy, NoSuchReceipt, NotVoidable; for a torn one also what `take` says."""
    if why not in WHY:
        raise NoWhy
    with parts.engine.begin() as connection:
        row = connection.execute(_FIND, {"serial": serial}).one_or_none()
        if row is None:
            raise NoSuchReceipt
        if not row.here:
            raise NotVoidable
        bill, _ = find_money.bill_with_lines(connection, row.household_id, row.bill_id)
        meet(connection, [bill.person_id])
        _undo(parts, connection, serial, why, by)
        if why != "torn":
            found: list[int] = []
            for subject in find.by_ids(connection, parts.vault, [bill.person_id], years=parts.levy.ever):
                if not subject.restricted_at:
                    tell_voided(parts, connection, subject, bill, row)
        else:
            asked = Asked([want_of(bill)], row.amount, f"torn:{serial}:{secrets.token_hex(8)}", serial)
            found = take_in(parts, connection, asked, by=by)
        many = connection.execute(_MANY, {"agent": row.agent_id, "now": parts.clocks.now()}).one()
    if many.voids >= MANY:
        parts.alert("receipts_voided", agent=many.login, town=many.town, voids=many.voids)
    return found


def _undo(parts: Parts, connection: Connection, serial: int, why: str, by: Visitor) -> None:
    asked = {"session": by.token_hash, "serial": serial, "why": why}
    asked |= {"at": parts.clocks.wall(), "now": parts.clocks.now()}
    with as_errors({"LX155": NoSuchReceipt, "LX160": NotVoidable}):
        connection.execute(_VOID, asked)


_FIND = text(  # of a household that moved away since, the bill is another village's
    "select r.serial, r.household_id, r.bill_id, r.agent_id, r.amount, exists (select from bill b"
    " where b.household_id = r.household_id and b.id = r.bill_id) as here from receipt r where r.serial = :serial"
)
_VOID = text("select agent_voids_receipt(:session, :serial, :why, :at, :now)")
_MANY = text(
    "select count(*) as voids, min(a.login) as login, min(left(r.village_code, 9)) as town"
    " from receipt r join agent a on a.id = r.agent_id"
    " where r.agent_id = :agent and r.voided_at > :now - interval '1 day'"
)
