"""Masks what may not be read by others. Used by the log filter, pages, notices and the inbox."""

import re

_COMPOUND_SURNAMES = frozenset(
    "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐宇文长孙司徒夏侯端木独孤南宫轩辕钟离闻人太史公冶申屠"[at : at + 2]
    for at in range(0, 46, 2)
)
_GAP = "[ \u00a0\u3000-]?"  # people write numbers in groups
_BIRTH = f"(?:19|20)?[0-9]{{2}}{_GAP}(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12][0-9]|3[01])"
_ID = re.compile(
    rf"(?<![0-9])(?:[1-9][0-9]{{16}}[0-9Xx]|[1-9][0-9]{{5}}{_GAP}{_BIRTH}{_GAP}[0-9]{{3}}[0-9Xx]?)(?![0-9])"
)  # of 18 digits, or of 15 as before 1999
_PHONE = re.compile(
    rf"(?<![0-9])(?:(?:00)?86)?1[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}(?![0-9])"
)  # with or without the country's code

_CERTIFICATE = re.compile(r"(?<![0-9A-Za-z])[A-Za-z][0-9]{9}(?![0-9A-Za-z])")  # of a birth: a letter and nine digits

RESTRICTED = "已限制处理"  # in place of the name of somebody whose data was erased
_WIDE_DIGITS = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("Ｘ"): "X", ord("ｘ"): "x"}


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小四 → 欧阳*四, 阿依古丽·买买提 → 阿***提, 张 → * (section 5.4);
    that he is restricted is no name."""
    if name == RESTRICTED:
        return name
    if "·" in name:
        return f"{name[0]}***{name[-1]}"
    if len(name) <= 1:
        return "*" * len(name)  # of one letter nothing may be shown
    surname = name[:2] if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else name[0]
    return f"{surname}*" if len(name) == len(surname) + 1 else f"{surname}*{name[-1]}"


def mask_id(number: str) -> str:
    """First four and last four of an identity number: 3704**********1234; of a birth certificate's the letter and the
    last three: T******678. For the holder's own eyes and clerks'."""
    if _CERTIFICATE.fullmatch(number):
        return f"{number[0]}{'*' * 6}{number[-3:]}"
    return f"{number[:4]}{'*' * 10}{number[-4:]}"


def mask_phone(number: str) -> str:
    """138****1234."""
    return f"{number[:3]}****{number[-4:]}"


def scrub(text: str) -> str:
    """Any text with identity numbers and mobile numbers taken out: the last net before a log line."""
    if not text.isascii():
        text = text.translate(_WIDE_DIGITS)  # a number typed on a Chinese keyboard is the same number
    return _CERTIFICATE.sub("<id>", _PHONE.sub("<phone>", _ID.sub("<id>", text)))
