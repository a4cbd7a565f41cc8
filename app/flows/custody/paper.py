"""A receipt as it is printed and as anybody may check it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from app.access.sessions import Officer
from app.documents.receipt_facts import ReceiptFacts
from app.flows.custody.books import serial_words
from app.flows.custody.void import WHY, NoSuchReceipt
from app.flows.parts import Parts
from app.flows.titles import title_of
from app.registry import find
from core.money import Fen, capital_yuan, plain_yuan
from payments.taking import find as find_money

_BY_OTHERS = {"gov_substitute": "政府代缴", "sponsor": "资助", "gov_subsidy": "财政补助"}
PAGE = 50


def of_serial(parts: Parts, serial: int) -> Row:
    """A receipt of a village that this session may see. NoSuchReceipt."""
    with parts.reading() as connection:
        row = connection.execute(_ONE, {"serial": serial}).one_or_none()
    if row is None:
        raise NoSuchReceipt(str(serial))
    return row


def facts(parts: Parts, serial: int) -> ReceiptFacts:
    """All that stands on it. NoSuchReceipt."""
    row = of_serial(parts, serial)
    with parts.reading() as connection:
        bill, lines = find_money.bill_with_lines(connection, row.household_id, row.bill_id)
        people = find.by_ids(connection, parts.vault, [bill.person_id], years=parts.levy.ever)
    if not people or people[0].restricted_at:
        raise NoSuchReceipt(str(serial))
    person = people[0]
    return ReceiptFacts(
        serial=serial_words(serial),
        code=row.code,
        address=f"{parts.public_url}/check?code={row.code}",
        issued_at=row.issued_at,
        place=f"{row.town}{row.village}",
        name=person.name,
        id_end=person.id_masked[-4:],
        title=title_of(bill),
        standard=_standard(bill),
        amount=row.amount,
        capital=capital_yuan(row.amount),
        others=_others(lines),
        agent=parts.vault.open(row.agent_name, bound_to=f"agent.name:{row.login}"),
        voided=WHY[row.void_why] if row.void_why else "",
        replaces=serial_words(row.replaces) if row.replaces else "",
        help_phone=parts.help_phone,
        issuer=parts.issuer,
        heading=f"{parts.rules.source.district}居民社会保险基金专用收据",
    )


def together(parts: Parts, row: Row) -> Sequence[Row]:
    """The receipts of one taking, and those in whose place they are, or that are in theirs."""
    with parts.reading() as connection:
        return connection.execute(_TOGETHER, {"key": row.key, "serial": row.serial}).all()


def of_agent(parts: Parts, agent: int, page: int) -> Sequence[Row]:
    """His receipts, the newest first."""
    with parts.reading() as connection:
        return connection.execute(_OF_AGENT, {"agent": agent, "most": PAGE, "skip": PAGE * (page - 1)}).all()


def voided(parts: Parts, *, by: Officer, page: int) -> Sequence[Row]:
    """What was voided, the last first; a town its own."""
    asked = {"towns": list(by.towns) if by.role == "town" else None, "most": PAGE, "skip": PAGE * (page - 1)}
    with parts.reading() as connection:
        return connection.execute(_VOIDED, asked).all()


def _standard(bill: Any) -> str:
    return f"{plain_yuan(bill.tier)}元档" if bill.tier else "居民医保个人缴费"


def _others(lines: Sequence[Any]) -> str:
    sums: dict[str, Fen] = {}
    for line in lines:
        if line.payer != "resident" and line.part in _BY_OTHERS:
            sums[line.part] = sums.get(line.part, 0) + line.amount
    return "，".join(f"{_BY_OTHERS[part]} {plain_yuan(amount)} 元" for part, amount in sums.items()) or "无"


_ONE = text(
    "select r.*, a.login, a.name as agent_name, v.name as village, t.name as town from receipt r"
    " join agent a on a.id = r.agent_id join village v on v.code = r.village_code join town t on t.code = v.town_code"
    " where r.serial = :serial"
)
_TOGETHER = text(
    "select serial, amount, state from receipt where serial <> :serial and (key = :key or replaces = :serial"
    " or serial = (select replaces from receipt where serial = :serial)) order by serial"
)
_VOIDED = text(
    "select r.serial, r.amount, r.issued_at, r.voided_at, r.void_why, a.login, v.name as village,"
    " n.serial as replaced_by"
    " from receipt r join agent a on a.id = r.agent_id join village v on v.code = r.village_code"
    " left join receipt n on n.replaces = r.serial where r.state = 'VOIDED' and (cast(:towns as text[]) is null"
    "   or left(r.village_code, 9) = any (cast(:towns as text[])))"
    " order by r.voided_at desc, r.serial desc limit :most offset :skip"
)
_OF_AGENT = text(
    "select serial, amount, state, issued_at, void_why from receipt where agent_id = :agent"
    " order by serial desc limit :most offset :skip"
)
