"""Identity numbers (GB 11643) and names as people and spreadsheets write them: cleaned, then judged. Pure."""

import re
import unicodedata
from datetime import date

from app.registry.letters import ONE_FORM, UNSEEN, WIDE
from app.registry.no_names import NONE, NOTES, SEPARATORS, UNREAD

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"
_CERTIFICATE = re.compile(r"[A-Z][0-9]{9}")  # 出生医学证明编号: a letter and nine digits, no check digit
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn"}
LONGEST_NAME = 50
EARLIEST_YEAR = 1850
_NUMBER = WIDE | UNSEEN
_NAME = WIDE | ONE_FORM
_LATIN = re.compile(r"[A-Za-z]+(?:[ '·-]+[A-Za-z]+)*")
_SHORTEST_LATIN = 5  # letters; below stand x, test, abc


def clean_id_number(text: str) -> str:
    """Full-width digits made plain, blanks and what nobody sees out, X upper-case. Judge the result with
    `id_number_problem`."""
    return "".join(untyped(text.translate(_NUMBER)).split()).upper()


def is_certificate(number: str) -> bool:
    """Is a clean number that of a birth certificate? No identity number is as short."""
    return _CERTIFICATE.fullmatch(number) is not None


def number_problem(number: str, *, today: date) -> str | None:
    """None for what somebody may stand under: a birth certificate's number, or as `id_number_problem` says."""
    return None if is_certificate(number) else id_number_problem(number, today=today)


def untyped(text: str) -> str:
    """Without what a spreadsheet is told to take a number for text by: 'one, or ="one"."""
    text = text.strip()
    if text[:1] in ("'", "’", "‘", "`"):
        return text[1:].strip()
    return text[2:-1].strip() if len(text) > 3 and text.startswith('="') and text.endswith('"') else text


def id_number_problem(number: str, *, today: date) -> str | None:
    """None if the number is well formed, its birth date real and not after `today`, its check digit right; else
    ID_LENGTH, ID_SHAPE, ID_BIRTH_DATE or ID_CHECKSUM."""
    if len(number) != 18:
        return "ID_LENGTH"
    if not (number.isascii() and _SHAPE.fullmatch(number)):
        return "ID_SHAPE"
    born = birth_date_of(number)
    if born is None or born.year < EARLIEST_YEAR or born > today:
        return "ID_BIRTH_DATE"
    return None if number[17] == check_digit(number) else "ID_CHECKSUM"


def check_digit(number: str) -> str:
    """The 18th character that belongs to the first 17 digits."""
    return CHECK[sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False)) % 11]


def birth_date_of(number: str) -> date | None:
    """The birth date inside a number, or None if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> int:
    """1 male, 2 female: the 17th digit is odd for men."""
    return 1 if int(number[16]) % 2 else 2


def clean_name(text: str) -> str:
    """Each letter in its one form (radicals too), one form of the middle dot, no blanks between Chinese characters.
    Invisible characters stay for `name_problem` to refuse."""
    name = unicodedata.normalize("NFC", untyped(text).translate(_NAME)).strip()
    return name if name.isascii() else "".join(name.split())


def is_near(name: str, other: str) -> bool:
    """May one be a slip of the pen for the other: the same first letter, and one letter more, less or another?"""
    if name == other or not name or not other or name[0] != other[0] or abs(len(name) - len(other)) > 1:
        return False
    start = next((at for at, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), None)
    if start is None:
        return True  # one letter more at the end
    return any(name[start + a :] == other[start + b :] for a, b in ((1, 1), (1, 0), (0, 1)))


def name_problem(name: str) -> str | None:
    """None, or NAME_EMPTY, NAME_TOO_LONG, NAME_INVISIBLE (zero-width, direction marks, private use: A82)."""
    if not name or len(name) > LONGEST_NAME:
        return "NAME_TOO_LONG" if name else "NAME_EMPTY"
    return "NAME_INVISIBLE" if invisible(name) else None


def new_name_problem(name: str) -> str | None:
    """The same of a name that is to be written down: also NAME_NONE, NAME_UNREAD, NAME_SEVERAL, NAME_MARKS. Whoever is
    looked for may still bear one that was taken before."""
    if problem := name_problem(name):
        return problem
    if name.startswith("#") or name.casefold() in NONE:
        return "NAME_NONE"
    if set(name) & UNREAD or "锟斤拷" in name:
        return "NAME_UNREAD"
    if not any(map(str.isalpha, name)):
        return "NAME_NONE"
    return "NAME_SEVERAL" if any(len(part) > 1 for part in SEPARATORS.split(name)[1:]) else _letters_problem(name)


def _letters_problem(name: str) -> str | None:
    if name.isascii():
        letters = sum(map(str.isalpha, name))
        return None if _LATIN.fullmatch(name) and letters >= _SHORTEST_LATIN else "NAME_MARKS"
    parts = name.split("·")
    if not all(parts) or not all(map(_is_letter, "".join(parts))) or NOTES.search(name):
        return "NAME_MARKS"
    return None if len(name) > 1 else "NAME_NONE"


def _is_letter(letter: str) -> bool:
    """A Chinese letter, or one of a script that has no table here; none of the Latin ones, which spoilt text is full
    of."""
    if 0x20000 <= ord(letter) < 0x3FFFE or letter == "〇":
        return True
    return ord(letter) > 0x24F and unicodedata.category(letter) in ("Lo", "Lm", "Mn", "Mc", "Ll", "Lu")


def invisible(text: str) -> bool:
    """Does it carry zero-width, direction, control, private-use or unassigned characters? Planes 2 and 3 hold nothing
    but ideographs, some younger than Python's table of them."""
    return not text.isprintable() and any(
        unicodedata.category(letter) in _INVISIBLE and not 0x20000 <= ord(letter) < 0x3FFFE for letter in text
    )
