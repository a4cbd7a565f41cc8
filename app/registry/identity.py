"""Identity numbers (GB 11643) and names as people and spreadsheets write them: cleaned, then judged. Pure."""

import re
import unicodedata
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Letters that older tables of GB 18030 put into the private area and newer ones into the common one (A82).
_MOVED = {
    **{0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9},
    **{0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE863: 0x4DAE},
}
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･.．", "·")) | _MOVED
_INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn"}
LONGEST_NAME = 50
EARLIEST_YEAR = 1850


def clean_id_number(text: str) -> str:
    """Full-width digits made plain, blanks out, X upper-case. Judge the result with `id_number_problem`."""
    return "".join(text.translate(WIDE).split()).upper()


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
    """NFC, one form of the middle dot, no blanks between Chinese characters. Invisible characters stay for
    `name_problem` to refuse."""
    name = unicodedata.normalize("NFC", text).strip().translate(_DOTS)
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
    if not name:
        return "NAME_EMPTY"
    if len(name) > LONGEST_NAME:
        return "NAME_TOO_LONG"
    return "NAME_INVISIBLE" if invisible(name) else None


def invisible(text: str) -> bool:
    """Does it carry zero-width, direction, control, private-use or unassigned characters? Planes 2 and 3 hold nothing
    but ideographs, some younger than Python's table of them."""
    return not text.isprintable() and any(
        unicodedata.category(letter) in _INVISIBLE and not 0x20000 <= ord(letter) < 0x3FFFE for letter in text
    )
