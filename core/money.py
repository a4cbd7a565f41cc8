"""Whole fen inside, yuan only as text at the edges. Never float, never Decimal."""

import re

Fen = int

_YUAN = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?")


def fen(text: str) -> Fen:
    """'400.50' → 40050. Accepts at most two decimals, no sign, no blanks, no exponent; else ValueError."""
    found = _YUAN.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if not found:
        raise ValueError(f"not an amount in yuan: {text!r}")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def yuan(amount: Fen) -> str:
    """40050 → '400.50', always two decimals; a leading minus for a negative amount."""
    _whole(amount)
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def plain_yuan(amount: Fen) -> str:
    """What people read: 32000 → '320', 21334 → '213.34'."""
    return yuan(amount).removesuffix(".00")


def share_half_up(amount: Fen, numerator: int, denominator: int) -> Fen:
    """amount × numerator ÷ denominator, rounded half up to the fen (D22)."""
    for number in (amount, numerator, denominator):
        _whole(number)
    return (2 * amount * numerator + denominator) // (2 * denominator)


def _whole(amount: object) -> None:
    if type(amount) is not int:
        raise TypeError(f"money is whole fen, not {type(amount).__name__}")
