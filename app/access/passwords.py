"""Passwords of agents: argon2id in, yes or no out. An unknown login costs as much time as a wrong password (A61)."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's smallest advised memory
_NOBODY = _HASHER.hash("nobody has this password")
SHORTEST, LONGEST = 10, 128


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
