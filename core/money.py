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


def capital_yuan(amount: Fen) -> str:
    """What receipts and certificates say beside the figure: 21334 → 贰佰壹拾叁元叁角肆分 (financial numerals). Less
    than 10,000,000,000 yuan, not negative; else ValueError."""
    _whole(amount)
    if not 0 <= amount < 10**12:
        raise ValueError(f"not an amount to write out: {amount}")
    whole, (jiao, fen_left) = amount // 100, divmod(amount % 100, 10)
    words = f"{_numeral(whole)}元" if whole or not amount else ""
    if not amount % 100:
        return f"{words}整"
    words += f"{_DIGITS[jiao]}角" if jiao else "零" if whole else ""
    return words + (f"{_DIGITS[fen_left]}分" if fen_left else "")


def share_half_up(amount: Fen, numerator: int, denominator: int) -> Fen:
    """amount × numerator ÷ denominator, rounded half up to the fen (D22)."""
    for number in (amount, numerator, denominator):
        _whole(number)
    return (2 * amount * numerator + denominator) // (2 * denominator)


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


def _numeral(number: int) -> str:
    """Four digits at a time; one 零 for every gap, however wide."""
    words = ""
    for group in reversed(range(len(_GROUPS))):
        four = number // 10000**group % 10000
        if words and 0 < four < 1000:
            words += "零"
        inside = ""
        for place in reversed(range(4)):
            digit = four // 10**place % 10
            if digit:
                inside += _DIGITS[digit] + _PLACES[place]
            elif inside and four % 10**place:
                inside += "" if inside.endswith("零") else "零"
        words += inside + (_GROUPS[group] if four else "")
    return words or "零"


def _whole(amount: object) -> None:
    if type(amount) is not int:
        raise TypeError(f"money is whole fen, not {type(amount).__name__}")
