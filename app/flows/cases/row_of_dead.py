"""The row of a bureau's file by which it becomes true in the register that somebody died: what was told to the office
in a sentence gets there by its own door, and by no other."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import text

from app.access import disclosures
from app.access.roles import REVIEWS
from app.access.sessions import Officer
from app.documents.spreadsheet import as_xlsx
from app.flows.cases.desk import case
from app.flows.parts import Parts
from app.registry import codes, find
from app.registry.columns import TITLES
from core.errors import Conflict
from core.redact import mask_name

KIND = "DIED"


class NoRowOfDead(Conflict):
    """Nobody is told dead here, or this bureau does not register him, or he is dead in the register."""

    text = "这一件没有登记文件可做：说的不是去世，或者这个人不在您局的登记里，或者登记上已经是去世。"


def offers_row(parts: Parts, who: Officer, kind: str, person_id: int | None) -> bool:
    """Is there a row of this bureau that says he lives?"""
    return kind == KIND and person_id is not None and _row(parts, who, person_id) is not None


def row_of_dead(parts: Parts, who: Officer, matter: int, *, allow: Callable[[], None]) -> tuple[str, bytes]:
    """The file's name and the file, XLSX, with the full number: the reading is noted, once `allow` has let it.
    NoSuchMatter, NoRowOfDead, what `allow` raises."""
    found = case(parts, who, matter)
    row = _row(parts, who, found.person_id) if found.kind == KIND and found.person_id else None
    if row is None:
        raise NoRowOfDead(str(matter))
    allow()
    why = f"有人报去世，第{matter}件，做登记文件"
    with parts.engine.begin() as connection:
        disclosures.note(connection, session=who.session, reason=why, at=parts.clocks.wall(), person_id=row.id)
        number, _ = find.numbers_of(connection, parts.vault, row.id)
    name = parts.vault.open(row.name, bound_to=f"person.name:{row.id}")
    cells = _cells(row, number, name)
    head = [TITLES[field] for field in cells]
    return f"去世登记-{mask_name(name)}-{matter}.xlsx", as_xlsx("登记", head, [list(cells.values())], mark="")


def _row(parts: Parts, who: Officer, person_id: int) -> Any:
    with parts.reading() as connection:
        return connection.execute(_OF, {"person": person_id, "insurance": REVIEWS.get(who.role)}).one_or_none()


def _cells(row: Any, number: str, name: str) -> dict[str, str]:
    """By field; what is not written stays as it is in the register. Pure."""
    return {
        "source_person_no": row.source_person_no,
        "id_number": number,
        "name": name,
        "residence": _shown(codes.RESIDENCE, row.residence),
        "alive_status": _shown(codes.ALIVE, False),
        "insurance": _shown(codes.INSURANCE, row.insurance),
        "insured_status": _shown(codes.STATUS, "ENDED"),
        "village_code": row.village_code,
        "household_no": row.number,
        "change_type": _shown(codes.CHANGE, "UPDATE"),
    }


def _shown(words: Mapping[str, object], code: object) -> str:
    """The first word for it that is not a code of another system."""
    return next(word for word, means in words.items() if means == code and not word.isascii())


_OF = text(
    "select p.id, p.name, p.residence, e.insurance, e.source_person_no, h.village_code, h.number from person p"
    " join enrolment e on e.person_id = p.id and e.insurance = :insurance and not e.said_dead"
    " join household h on h.id = p.household_id"
    " where p.id = :person and p.restricted_at is null and p.alive"
)
