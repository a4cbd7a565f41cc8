"""Passwords of agents and offices: argon2id in, yes or no out. An unknown login costs as much time as a wrong password
(A61). What anybody would try first is none."""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's smallest advised memory
_NOBODY = _HASHER.hash("nobody has this password")
SHORTEST, LONGEST = 10, 128
FEWEST = 5  # different letters
LEFT = 6  # letters that are neither the login, nor the name, nor the place
SERVICE = ("liangxian", "shebao", "yibao", "shuiwu", "两险", "社保", "医保", "税务")
_COMMON = Path(__file__).with_name("common_passwords.txt")


def hash_password(password: str) -> str:
    """What is stored: argon2id with its parameters and salt."""
    return _HASHER.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Does the password belong to the stored hash? None (nobody of that login) is always no, after the same work."""
    try:
        _HASHER.verify(stored or _NOBODY, password)
    except VerificationError:
        return False
    return stored is not None


def is_common(password: str) -> bool:
    """Is it one that everybody tries, a few letters again and again, or a run of them? Pure but for the kept list."""
    plain = password.casefold()
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return plain in _common() or len(set(plain)) < FEWEST or len(steps) == 1


def is_own(password: str, own: Iterable[str]) -> bool:
    """Is it little more than his login, his name, the place's (`own`), or words of the service? Pure."""
    plain = left = password.casefold()
    for word in sorted({word.strip().casefold() for word in (*own, *SERVICE)}, key=len, reverse=True):
        if len(word) > 2 or (word and not word.isascii()):
            left = left.replace(word, "")
    letters = "".join(letter for letter in left if letter.isalpha())
    return left != plain and (len(left) < LEFT or not letters or is_common(left))


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
