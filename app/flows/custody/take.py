"""An agent takes cash for what he ticked: at the price of this moment, which nobody types, with a receipt for each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, text

from app.access.sessions import Visitor
from app.flows.custody.hand import limits
from app.flows.due.draft import draft_of
from app.flows.due.item import Due
from app.flows.due.quote import subjects
from app.flows.parts import Parts
from app.flows.pay.meet import Met, meet
from app.flows.pay.start import NothingChosen, NotPayable, OnNoRoster, Want, dues_of
from app.flows.tell.announce import tell_cash
from app.registry.subject import Subject
from core.errors import Conflict
from core.money import Fen
from payments.errors import KeyReused, PaymentUnderWay, PledgeSpent
from payments.number import new_check_code
from payments.refusals import as_errors
from payments.taking.bills import issue

CHANNEL = "agent_cash"


class CodeIsOut(Conflict):
    """Somebody holds a code for it."""

    text = "这里面有一项还有没付完的付款码。先把那个码取消，或者等它过期，再收现金；他正在付的，就不要收了。"


class CashMoved(Conflict):
    """The price, or what is paid, is another by now."""

    text = "刚才有变动：钱数变了，或者有一项已经交了。一分钱也没有记，请返回看清楚再收。"


class NoCashNow(Conflict):
    """It is off, or he holds too much, or too long."""

    text = "现在不能收现金：这个村今天没有开，或者您手里的现金太多、太久。请看“我的现金”；出码不受影响。"


class NoReceiptLeft(Conflict):
    """The village's book is used up."""

    text = "这个村的专用收据用完了，不能收现金。请找税务局发一本；出码不受影响。"


class FreeItem(Conflict):
    """Nothing is due: nothing is taken."""

    text = "有一项不用交钱，不能收现金。请返回，按“告诉他了，办好它”。"


@dataclass(frozen=True)
class Asked:
    """What he asks for: the items, and the sum that he read out, in fen; `key` once for each wish."""

    wants: Sequence[Want]
    total: Fen
    key: str
    replaces: int | None = None  # the torn receipt in whose place these are


def read_back(parts: Parts, wants: Sequence[Want]) -> list[tuple[Subject, Due]]:
    """The items with their prices of this moment, to be read out. NotPayable, FreeItem, NothingChosen."""
    if not wants:
        raise NothingChosen
    people = {each.id: each for each in subjects(parts, sorted({want.person_id for want in wants}))}
    found = list(dues_of(parts, wants, people, at=parts.clocks.now(), channel=CHANNEL))
    for _, due in found:
        _payable(due)
    return found


def take(parts: Parts, asked: Asked, *, by: Visitor) -> list[int]:
    """Bills, entries and receipts in one transaction; the serials. The same key again gives the same. NotPayable,
    CodeIsOut, CashMoved, NoCashNow, NoReceiptLeft, OnNoRoster, FreeItem, KeyReused."""
    with parts.engine.begin() as connection:
        return take_in(parts, connection, asked, by=by)


def take_in(parts: Parts, connection: Connection, asked: Asked, *, by: Visitor) -> list[int]:
    """As `take`, in the caller's transaction."""
    if not asked.wants:
        raise NothingChosen
    key, body = _digests(asked, by)
    met = meet(parts, connection, [want.person_id for want in asked.wants], key=key, years=parts.levy.years)
    if met.used is not None:
        if met.used[0] != body:
            raise KeyReused
        return list(connection.execute(_BEFORE, {"key": key}).scalars())
    made = _taken(parts, connection, asked, met, (key, body, by.token_hash))
    return [row.serial for row in made]


def _taken(
    parts: Parts, connection: Connection, asked: Asked, met: Met, hashes: tuple[bytes, bytes, bytes]
) -> Sequence[Row]:
    household, now = met.household(), parts.clocks.now()
    items = []
    for subject, due in dues_of(parts, asked.wants, met.people, at=now, channel=CHANNEL):
        _payable(due)
        try:
            items.append((subject, due, issue(connection, draft_of(parts, subject, due))))
        except PaymentUnderWay as held:
            raise CodeIsOut(str(held)) from held
    bills = [bill.id for _, _, bill in items]
    if connection.execute(_OUT, {"household": household, "bills": bills}).scalar_one():
        raise CodeIsOut
    key, body, session = hashes
    said = {
        "session": session,
        "household": household,
        "bills": bills,
        "total": asked.total,
        "codes": [new_check_code() for _ in bills],
        "key": key,
        "body": body,
        "replaces": asked.replaces,
        "rules": json.dumps(_rules(parts, [due for _, due, _ in items])),
        "at": parts.clocks.wall(),
        "now": now,
    }
    with as_errors(_REFUSED):
        made = connection.execute(_TAKE, said).all()
    if not made:
        raise CashMoved  # another of this very key was first: asked again, it is told
    of_bill = {row.bill_id: row for row in made}
    for subject, due, bill in items:
        tell_cash(parts, connection, (subject, due, bill), of_bill[bill.id].serial, asked.replaces)
    return made


def _payable(due: Due) -> None:
    if not due.payable:
        raise NotPayable(due)
    if not due.quote.to_pay:
        raise FreeItem


def _rules(parts: Parts, dues: Sequence[Due]) -> dict[str, Any]:
    """The ceiling and the clock, and which years are collected by roster. NoCashNow in a year that takes no cash."""
    its = limits(parts)
    if its is None or any(not parts.levy.rules(due.levy_year).campaign.agents_take_cash for due in dues):
        raise NoCashNow
    listed = {due.levy_year for due in dues if parts.levy.rules(due.levy_year).campaign.agents_by_roster}
    hours = int(its.red.total_seconds() // 3600)
    return {"ceiling": its.ceiling, "red_hours": hours, "by_roster": sorted(listed)}


def _digests(asked: Asked, by: Visitor) -> tuple[bytes, bytes]:
    """(of the agent and his key, of the wish)."""
    wish = [asked.total, asked.replaces, sorted(repr(want) for want in asked.wants)]
    who = by.agent.id if by.agent is not None else 0
    return sha256(f"cash\0{who}\0{asked.key}".encode()).digest(), sha256(json.dumps(wish).encode()).digest()


_REFUSED: dict[str, type[Exception]] = {
    "LX124": CashMoved,  # offices began to disagree at this moment
    "LX130": PledgeSpent,
    "LX154": OnNoRoster,
    "LX155": NoCashNow,
    "LX156": NoCashNow,
    "LX157": NoReceiptLeft,
    "LX161": CashMoved,
}
_TAKE = text(
    "select * from agent_takes_cash(:session, :household, :bills, :total, :codes, :key, :body, :replaces,"
    " cast(:rules as jsonb), :at, :now)"
)
_BEFORE = text("select serial from receipt where key = :key order by serial")
_OUT = text(
    "select exists (select from payment_bill where household_id = :household and bill_id = any (:bills) and live)"
)
