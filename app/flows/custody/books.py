"""Tax gives a village a range of serials; each book tells what was issued, voided, and is left."""

import re
from collections.abc import Sequence

from sqlalchemy import Row, text

from app.access.sessions import Officer, Visitor
from app.flows.parts import Parts
from core.errors import BadInput, Conflict, NotFound
from payments.cash.tables import BY_YEAR
from payments.refusals import as_errors

MOST = 1000  # receipts in one book
PAGE = 50
_FIGURES = re.compile(r"[0-9]{1,8}")


class NoVillageOfThatCode(NotFound):
    """A village's code that nobody has, or none of his."""

    text = "没有这个村（居），请核对12位代码。"


class BadRange(BadInput):
    """No range of receipts."""

    status = 422
    text = "号码不对：起号、止号写8位以内的数字，止号不小于起号，一本最多1000张。"


class SerialsTaken(Conflict):
    """Another book has some of them."""

    text = "这些号码里有的已经发给别的村（或者这个村的另一本），请核对起号和止号。"


class NoBusiness(NotFound):
    """It is none of his."""

    text = "这一步不归您办。"


class NoCashThisYear(Conflict):
    """A year whose file does not say that cash is taken."""

    text = "这个年度的规则没有写可以收现金。"


def years_with_cash(parts: Parts) -> list[int]:
    """The levy years collected now whose rules take cash at all."""
    return [year for year in parts.levy.years.all if parts.levy.rules(year).campaign.agents_take_cash]


def give_book(parts: Parts, village: str, *, year: int, first: str, last: str, by: Visitor) -> int:
    """A book for a village; its number. BadRange, NoVillageOfThatCode, SerialsTaken, NoCashThisYear, NoBusiness."""
    if year not in years_with_cash(parts):
        raise NoCashThisYear
    if not _FIGURES.fullmatch(first.strip()) or not _FIGURES.fullmatch(last.strip()):
        raise BadRange
    begins, ends = int(first), int(last)
    if not 0 < begins <= ends < begins + MOST:
        raise BadRange
    asked = {
        "session": by.token_hash,
        "village": village.strip(),
        "first": year * BY_YEAR + begins,
        "last": year * BY_YEAR + ends,
        "at": parts.clocks.wall(),
        "now": parts.clocks.now(),
    }
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        return int(connection.execute(_GIVE, asked).scalar_one())


_REFUSED = {"23503": NoVillageOfThatCode, "23P01": SerialsTaken, "23514": BadRange, "LX155": NoBusiness}


def books(parts: Parts, *, by: Officer, page: int) -> tuple[Sequence[Row], int]:
    """Books with what became of their serials, the newest first, and how many pages there are; a town its own."""
    asked = {"towns": list(by.towns) if by.role == "town" else None, "most": PAGE, "skip": PAGE * (page - 1)}
    with parts.reading() as connection:
        count = connection.execute(_COUNT, asked).scalar_one()
        return connection.execute(_BOOKS, asked).all(), max(1, -(-count // PAGE))


def serial_words(serial: int) -> str:
    """居社2022 00012345, as it is printed. Pure."""
    return f"居社{serial // BY_YEAR} {serial % BY_YEAR:08d}"


_GIVE = text("select officer_gives_book(:session, :village, :first, :last, :at, :now)")
_OWN = "(cast(:towns as text[]) is null or left(b.village_code, 9) = any (cast(:towns as text[])))"
_COUNT = text(f"select count(*) from receipt_book b where {_OWN}")
_BOOKS = text(
    "select b.*, v.name as village, t.name as town, b.last - b.next + 1 as left, b.next - b.first as issued,"
    " (select count(*) from receipt r where r.book_id = b.id and r.state = 'VOIDED') as voided,"
    " (select count(*) from receipt r where r.book_id = b.id and r.state = 'REMITTED') as remitted"
    f" from receipt_book b join village v on v.code = b.village_code join town t on t.code = v.town_code where {_OWN}"
    " order by b.id desc limit :most offset :skip"
)
