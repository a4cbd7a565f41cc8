"""Single cells of the enrolment file, as people and spreadsheets write them → values. Pure. Each reader raises Bad."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from app.registry.codes import CATEGORIES, ELSEWHERE
from app.registry.identity import invisible, untyped
from app.registry.letters import UNSEEN, WIDE
from app.registry.workbook import DAY_0

_REMEMBERED = 50_000
_DATE = re.compile(r"([12][0-9]{3})[-./年]([0-9]{1,2})[-./月]([0-9]{1,2})日?(?:[ T]0?0:00(?::00(?:\.0{1,6})?)?)?")
_COMPACT = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})")
_MONTH = re.compile(r"([12][0-9]{3})[-./年]?([0-9]{1,2})月?")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_SEPARATORS = re.compile(r"[|｜、,，;；/\s]+")
_SHOWN_ERROR = re.compile(r"#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|公式|#+)", re.IGNORECASE)
_BECAME_A_DATE = re.compile(
    r"[0-9]{4}[-/.年][0-9]{1,2}[-/.月]([0-9]{1,2}日?)?.*|[0-9]{1,2}月([0-9]{1,2}日)?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
    r"|[0-9]{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(-[0-9]{2,4})?"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-[0-9]{1,4}",
    re.IGNORECASE,
)
_CUT = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_YEAR = re.compile(r"20[0-9]{2}", re.ASCII)
_WHOLE = 10**15  # a spreadsheet keeps fifteen digits
_TYPED = WIDE | UNSEEN
LONGEST_TEXT, LONGEST_PERSON_NO = 20, 30


class Bad(Exception):
    """A cell that cannot be right; `code` is the failure's."""

    def __init__(self, code: str, **words: object) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


class Memo(dict[Any, Any]):
    """Cell → value, remembered: a column of few words is read once per word. Forgets all when it grows too large."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: Any) -> Any:
        value = self._read(cell)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[cell] = value
        return value


def plain(cell: Any) -> str:
    """A cell as text: full-width made plain, blanks off the ends, what nobody sees out, a whole number without its
    '.0', a number typed as '0001 or ="0001" without that."""
    if isinstance(cell, str):
        if cell.isascii():
            return untyped(cell) if cell[:1] in ("'", "=") else cell.strip()
        return untyped(unicodedata.normalize("NFC", cell.translate(_TYPED)))
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.date().isoformat() if isinstance(cell, datetime) else str(cell)


def words(table: Mapping[str, Any], code: str) -> Memo:
    """A column whose cells are words of a table; `code` is the failure for any other."""

    def read(cell: Any) -> Any:
        text = "".join(plain(cell).split()).lower()
        if text not in table:
            raise Bad(code if text else "EMPTY")
        return table[text]

    return Memo(read)


def shows_error(cell: Any) -> bool:
    """Does it hold what a spreadsheet shows in place of a result?"""
    return isinstance(cell, str) and cell[:1] == "#" and _SHOWN_ERROR.fullmatch(cell.strip()) is not None


def day(cell: Any, *, today: date, day_0: date = DAY_0) -> date | None:
    """A date in any of the usual writings, or as Excel's day number; None if blank. `day_0` is that number's 0.
    DATE_SHAPE, DATE_FUTURE."""
    if isinstance(cell, date):
        found = cell.date() if isinstance(cell, datetime) else cell
    else:
        text = plain(cell)
        if not text:
            return None
        found = _day_of(text, day_0)
    if found > today:
        raise Bad("DATE_FUTURE")
    return found


def _day_of(text: str, day_0: date) -> date:
    shape = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if shape:
            return date(int(shape[1]), int(shape[2]), int(shape[3]))
    except ValueError:
        raise Bad("DATE_SHAPE") from None
    if text.isascii() and text.isdecimal() and 3_000 < int(text[:6]) < 60_000 and len(text) <= 5:
        return day_0 + timedelta(days=int(text))
    raise Bad("DATE_SHAPE")


def id_type(cell: Any) -> str:
    """Blank or 01 (also 1, which a spreadsheet makes of 01)."""
    if plain(cell) not in ("", "01", "1", "居民身份证"):
        raise Bad("ID_TYPE_UNKNOWN")
    return "01"


def month(cell: Any) -> str:
    """yyyymm, or '' if blank."""
    if isinstance(cell, date):
        return f"{cell:%Y%m}"
    text = plain(cell)
    shape = _MONTH.fullmatch(text)
    if not text:
        return ""
    if not shape or not 1 <= int(shape[2]) <= 12:
        raise Bad("MONTH_SHAPE")
    return f"{shape[1]}{int(shape[2]):02d}"


def categories(cell: Any, groups: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
    """The codes, sorted, each once; () if blank. `groups`: those of the file's levy year, code → words."""
    own = {written.lower(): code for code, word in groups.items() for written in (code, word)}
    return _several(cell, {**CATEGORIES, **own}, "CATEGORY_UNKNOWN")


def elsewhere(cell: Any) -> str:
    """Codes joined by |, or 'none'."""
    return "|".join(_several(cell, ELSEWHERE, "ELSEWHERE_UNKNOWN")) or "none"


def _several(cell: Any, table: Mapping[str, str | None], code: str) -> tuple[str, ...]:
    parts = [part for part in _SEPARATORS.split(plain(cell).lower()) if part]
    if any(part not in table for part in parts):
        raise Bad(code)
    return tuple(sorted({found for part in parts if (found := table[part])}))


def years(cell: Any, *, last: int) -> tuple[int, ...] | None:
    """Levy years, sorted, each once; () for 无, None if blank. YEARS_SHAPE, for one after `last` too."""
    parts = [part.removesuffix("年") for part in _SEPARATORS.split(plain(cell)) if part]
    if parts == ["无"]:
        return ()
    if any(not _YEAR.fullmatch(part) or int(part) > last for part in parts):
        raise Bad("YEARS_SHAPE")
    return tuple(sorted({int(part) for part in parts})) or None


def tier(cell: Any) -> int | None:
    """Whole yuan → fen; None if blank."""
    text = plain(cell).removesuffix("元")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text)):
        raise Bad("TIER_SHAPE")
    return int(text) * 100


def person_no(cell: Any) -> str:
    """The bureau's own number of a person, '' if blank."""
    return short_text(cell, longest=LONGEST_PERSON_NO) or ""


def household(cell: Any) -> str:
    """A household number of a village, as it was written. HOUSEHOLD_DATE for what a spreadsheet has made a date of,
    HOUSEHOLD_CUT for a number it has shortened."""
    if isinstance(cell, float) and (not cell.is_integer() or abs(cell) >= _WHOLE):
        raise Bad("HOUSEHOLD_CUT")
    if not isinstance(cell, str | int | float):
        raise Bad("HOUSEHOLD_DATE")
    number = short_text(cell) or _refuse("EMPTY")
    if _BECAME_A_DATE.fullmatch(number):
        raise Bad("HOUSEHOLD_DATE")
    return _refuse("HOUSEHOLD_CUT") if _CUT.fullmatch(number) else number


def number_key(number: str) -> str:
    """What tells a household number from another: a spreadsheet takes the zeros before it away. As the index
    of household."""
    return number.lstrip("0") if number.isascii() and number.isdigit() else number


def short_text(cell: Any, *, longest: int = LONGEST_TEXT) -> str | None:
    """Free text of one line, or None if blank. TEXT_TOO_LONG, TEXT_INVISIBLE."""
    text = plain(cell)
    if len(text) > longest:
        raise Bad("TEXT_TOO_LONG")
    if invisible(text):
        raise Bad("TEXT_INVISIBLE")
    if shows_error(text):
        raise Bad("CELL_ERROR")
    return text or None


def mobile(cell: Any) -> str | None:
    """Eleven digits; blanks, dashes and a leading 86 are taken off. None if blank."""
    if not cell or (isinstance(cell, str) and _PLAIN_MOBILE.fullmatch(cell)):
        return cell or None
    text = "".join(plain(cell).replace("-", "").split())
    if not text:
        return None
    shape = _MOBILE.fullmatch(text) if text.isascii() else None
    return shape[1] if shape else _refuse("PHONE_SHAPE")


def _refuse(code: str) -> str:
    raise Bad(code)
