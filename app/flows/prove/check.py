"""The code of a notice or a paper → what is true of it, so that anybody can tell a true one from a false or an altered
one (decision 16)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from app.access.tally import CODES, count_at, forgive
from app.documents.item import years_of
from app.flows.parts import Parts
from app.flows.prove.papers import Proof, is_code, proof
from app.flows.refused import kept_though_refused
from app.flows.titles import title_of
from app.policy.words import level_words, within
from app.registry import find
from core.clock import business_day
from core.errors import NotFound
from core.money import Fen
from core.redact import mask_name
from payments import proofs
from payments.refunds.kept import Fate, fate, kept, receipt_of_payment
from payments.taking.find import bills_of, by_check_code

_MISREAD = str.maketrans("OILU", "011V")  # letters our codes never use, as people write them down
_CODE = re.compile(r"[0-9A-Z]{8}")


class NoSuchCode(NotFound):
    """A code that belongs to no payment that was made and to no paper."""

    text = "没有查到这个码。请对照着再看一遍；还是查不到，请不要相信那条通知或那张凭证，打电话问一问。"


FATES: Mapping[Fate, str] = {
    Fate.PAID: "已缴费",
    Fate.PARTLY_BACK: "已缴费，后来退了一部分",
    Fate.BACK: "已退费，不能当缴费凭证",
    Fate.SURPLUS: "这一笔是多付的，会退回",
    Fate.SURPLUS_BACK: "这一笔是多付的，已退回",
    Fate.SURPLUS_USED: "这一笔是多付的，后来用来交了别的费，不再退回",
}


@dataclass(frozen=True)
class Checked:
    """What the notice said, in its own masked words, and what is true of it today. No amount: the page is open to
    everybody."""

    village: str
    names: str
    items: str
    paid_on: date
    fate: Fate
    voided: bool = False  # a receipt of cash that counts no more
    receipt: str = ""  # of cash: its serial

    @property
    def words(self) -> str:
        """What has become of the money."""
        return "收据已作废，不能当缴费凭证" if self.voided else FATES[self.fate]


@dataclass(frozen=True)
class PaperItem:
    """One line of a paper: the name masked, the amount in fen."""

    name: str
    title: str
    years: str
    tier: Fen | None  # where people call it one
    amount: Fen
    within: Sequence[str] = ()  # what of it went into other funds


@dataclass(frozen=True)
class CheckedPaper:
    """What a paper of ours says, to be held against the one in the hand. `stands`: no refund has undone it. `same`: is
    the file that was brought the one we gave out; None if none was brought."""

    title: str
    code: str
    issuer: str
    village: str
    items: Sequence[PaperItem]
    amount: Fen
    capital: str
    paid_at: datetime
    issued_on: date
    stands: bool
    same: bool | None


def check(parts: Parts, code: str, *, network: str, file: bytes | None = None) -> Checked | CheckedPaper:
    """What a code belongs to. `file`: the paper itself, byte for byte, if somebody has it. NoSuchCode; TooOften for a
    flood of guesses from one address."""
    wanted = "".join(code.replace("-", " ").split()).upper().translate(_MISREAD)
    with parts.engine.connect() as connection:
        now = parts.clocks.wall()
        with kept_though_refused(connection):
            counted = count_at(connection, parts.vault, "code", network=network, now=now, limits=CODES)
    found = _paper(parts, wanted, file) if is_code(wanted) else _notice(parts, wanted)
    with parts.engine.begin() as connection:
        forgive(connection, counted)
    return found


def _notice(parts: Parts, code: str) -> Checked:
    with parts.reading() as connection:
        row = by_check_code(connection, code) if _CODE.fullmatch(code) else None
        if row is None:
            return _receipt(parts, connection, code)
        bills = bills_of(connection, row.household_id, row.number)
        found = fate(row, len(bills), kept(connection, row.household_id, receipt_of_payment(row)))
    fields = row.memo["notice"]["fields"]
    return Checked(fields["village"], fields["names"], fields["items"], business_day(row.paid_at), found)


def _receipt(parts: Parts, connection: Connection, code: str) -> Checked:
    """What a special receipt of cash was for: masked as a notice is."""
    row = connection.execute(_RECEIPT, {"code": code}).one_or_none()
    people = find.by_ids(connection, parts.vault, [row.person_id], years=parts.levy.ever) if row else []
    if row is None or not people or people[0].restricted_at:
        raise NoSuchCode
    gone, title = row.bill_state == "refunded", title_of(row)
    found = Checked(row.place, mask_name(people[0].name), title, business_day(row.issued_at), _FATE[gone])
    return replace(found, voided=row.receipt_state == "VOIDED", receipt=str(row.serial))


_FATE = {False: Fate.PAID, True: Fate.BACK}
_RECEIPT = text(
    "select b.*, b.state as bill_state, r.state as receipt_state, r.serial, r.issued_at,"
    " t.name || v.name as place from receipt r join bill b on b.household_id = r.household_id and b.id = r.bill_id"
    " join village v on v.code = r.village_code join town t on t.code = v.town_code where r.code = :code"
)


def _paper(parts: Parts, code: str, file: bytes | None) -> CheckedPaper:
    try:
        found = proof(parts, code)
    except NotFound as nothing:
        raise NoSuchCode from nothing
    same = None
    if file is not None:
        with parts.reading() as connection:
            same = proofs.by_digest(connection, code, sha256(file).digest())
    return _told(found, same)


def _levy_item(item: Mapping[str, Any]) -> str:
    level, raised = item.get("level"), item.get("raised_from")  # papers written before there were any do not say
    if raised:
        return f"{item['levy_item']}（{item['title']}）"
    return f"{item['levy_item']}（{level_words(level)}）" if level else item["levy_item"]


def _told(found: Proof, same: bool | None) -> CheckedPaper:
    facts = found.facts
    return CheckedPaper(
        title=found.title,
        code=proofs.grouped(found.code),
        issuer=facts["issuer"],
        village=facts["village"],
        items=[
            PaperItem(
                mask_name(item["name"]),
                _levy_item(item),
                "、".join(map(str, years_of(item))) or "补缴",
                None if item.get("raised_from") else item["tier"],
                item["amount"],
                within({fund["name"]: fund["amount"] for fund in item.get("funds", ())}, item["amount"]),
            )
            for item in facts["items"]
        ],
        amount=facts["amount"],
        capital=facts["capital"],
        paid_at=datetime.fromisoformat(facts["paid_at"]),
        issued_on=found.issued_on,
        stands=found.stands,
        same=same,
    )
