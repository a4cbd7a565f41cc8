"""Numbers that go out: 26 letters and digits that carry the household, so that a callback finds its shard, and fifty
random bits, so that nobody guesses the next one (A40).

    YC 211105 0000C8Q7 K3W9X0T2MB
    ── ────── ──────── ──────────
       day    household random

YC is a payment, YT (退) a refund."""

import secrets
from datetime import date

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to misread
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
_HOUSEHOLD = slice(8, 16)
LENGTH = 26
PAYMENT, REFUND = "YC", "YT"


def new_number(household_id: int, day: date, *, kind: str = PAYMENT) -> str:
    """A payment's or a refund's number for a household (0 ≤ id < 2⁴⁰), made on a Beijing day."""
    assert 0 <= household_id < 1 << 40 and kind in (PAYMENT, REFUND)
    return f"{kind}{day:%y%m%d}{_letters(household_id, 8)}{_letters(secrets.randbits(50), 10)}"


def household_of(number: str) -> int:
    """The household a number carries; 0 for a number that cannot be ours."""
    part = number[_HOUSEHOLD]
    if (
        len(number) != LENGTH
        or not number.startswith((PAYMENT, REFUND))
        or not all(letter in _VALUE for letter in part)
    ):
        return 0
    value = 0
    for letter in part:
        value = value * 32 + _VALUE[letter]
    return value


def new_check_code() -> str:
    """Eight letters and digits by which anybody can verify a notice on our page (decision 16)."""
    return _letters(secrets.randbits(40), 8)


def new_id() -> int:
    """A positive random 62-bit key: no counter is shared on the payment path."""
    return secrets.randbits(62)


def _letters(value: int, length: int) -> str:
    return "".join(ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(length)))
