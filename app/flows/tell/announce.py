"""The notice that a settlement will write: masked words and sealed addresses, prepared before anybody pays."""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, text

from app.flows.due.item import Due
from app.flows.parts import Parts
from app.flows.titles import titles_together
from app.registry.find import Subject
from core.money import Fen, plain_yuan
from core.redact import mask_name
from payments.cash.tables import BY_YEAR
from payments.taking.bills import IssuedBill


def notice_for(
    parts: Parts,
    subject_of: str,
    items: Sequence[tuple[Subject, Due, IssuedBill]],
    check_code: str | None,
    openid: str | None,
) -> dict[str, Any]:
    """The notice that a settlement will write, with masked words only and sealed addresses (decision 16)."""
    people = list({subject.id: subject for subject, _, _ in items}.values())
    fields: dict[str, Any] = {
        "village": f"{people[0].town}{people[0].village}",
        "names": "、".join(mask_name(person.name) for person in people),
        "items": titles_together([due for _, due, _ in items]),
    }
    if check_code:
        fields |= {"amount": plain_yuan(sum(bill.personal_due for _, _, bill in items)), "check_code": check_code}
    phone = next((person for person in people if person.phone_sealed), None)
    clear = parts.vault.open(phone.phone_sealed, bound_to=f"person.phone:{phone.id}") if phone else None
    return {
        "fields": fields,
        "openid": _sealed(parts, openid, f"notice.openid:{subject_of}"),
        "phone": _sealed(parts, clear, f"notice.phone:{subject_of}"),
    }


def _sealed(parts: Parts, value: str | None, bound_to: str) -> str | None:
    return b64encode(parts.vault.seal(value, bound_to=bound_to)).decode() if value else None


def tell_settled(parts: Parts, connection: Connection, subject: Subject, due: Due, bill: IssuedBill) -> None:
    """A notice for a bill that needed no gateway; a waived person's message never tells an amount."""
    cause = f"bill:{bill.id}:settled"
    notice = notice_for(parts, f"bill:{bill.id}", [(subject, due, bill)], None, None)
    _write(parts, connection, _SETTLED, (bill.household_id, cause), notice)


def tell_cash(
    parts: Parts,
    connection: Connection,
    item: tuple[Subject, Due, IssuedBill],
    serial: int,
    replaces: int | None = None,
) -> None:
    """What an agent took in cash, for the payer to hold against his paper: it asks nothing, and says whom to ring up if
    it is not so. In the place of a torn paper it names both, and that nothing is to be paid again."""
    _, _, bill = item
    notice = notice_for(parts, f"cash:{serial}", [item], None, None)
    notice["fields"] |= _on_paper(parts, serial, bill.personal_due)
    if replaces is not None:
        notice["fields"] |= {"voided": _printed(replaces)}
    written = _CASH if replaces is None else _ANEW
    _write(parts, connection, written, (bill.household_id, f"cash:{serial}:taken"), notice)


def tell_voided(parts: Parts, connection: Connection, subject: Subject, bill: Any, receipt: Any) -> None:
    """A receipt that counts no more and has none in its place: who still holds the paper, or never had his money back,
    hears whom to ring up. `bill`: what it was for; `receipt`: its serial and amount."""
    cause = f"cash:{receipt.serial}"
    notice = notice_for(parts, cause, [(subject, bill, bill)], None, None)
    notice["fields"] |= _on_paper(parts, receipt.serial, receipt.amount)
    _write(parts, connection, _VOIDED, (receipt.household_id, f"{cause}:voided"), notice)


def _on_paper(parts: Parts, serial: int, amount: Fen) -> dict[str, str]:
    return {"amount": plain_yuan(amount), "serial": _printed(serial), "help_phone": parts.help_phone}


def _printed(serial: int) -> str:
    return f"{serial % BY_YEAR:08d}"


def _write(
    parts: Parts, connection: Connection, written: TextClause, named: tuple[int, str], notice: dict[str, Any]
) -> None:
    """`named`: its household and cause."""
    household, cause = named
    new = connection.execute(
        written,
        {
            "household": household,
            "cause": cause,
            "fields": json.dumps(notice["fields"]),
            "phone": notice["phone"],
            "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
        },
    ).scalar_one()
    if new:
        connection.execute(
            text("select defer_telling(array[cast(:household as bigint)], array[:cause])"),
            {"household": household, "cause": cause},
        )


_SETTLED = text(
    "select enqueue_notice(:household, :cause, 'settled', cast(:fields as jsonb), null,"
    " decode(:phone, 'base64'), :next_try_at)"
)
_CASH = text(
    "select enqueue_notice(:household, :cause, 'cash', cast(:fields as jsonb), null,"
    " decode(:phone, 'base64'), :next_try_at)"
)
_ANEW = text(
    "select enqueue_notice(:household, :cause, 'cash_anew', cast(:fields as jsonb), null,"
    " decode(:phone, 'base64'), :next_try_at)"
)
_VOIDED = text(
    "select enqueue_notice(:household, :cause, 'cash_voided', cast(:fields as jsonb), null,"
    " decode(:phone, 'base64'), :next_try_at)"
)
