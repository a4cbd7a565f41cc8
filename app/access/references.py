"""How a page names a person to an agent without a number that could be counted up, and carries what he sought without
a name in an address: sealed for this one session."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from core.vault import Sealed, Vault

_LONGEST = 100
_MOST_WORDS = 300  # sealed, of thirty letters


def refer(vault: Vault, session: str, person_id: int) -> str:
    """An opaque reference that only this session can bring back; another one each time."""
    return _written(vault.seal(str(person_id), bound_to=f"reference:{session}"))


def mark(vault: Vault, session: str, person_id: int) -> str:
    """The same each time within this session, for a script to find a line again; nothing can be asked with it."""
    return vault.index(f"{session}:{person_id}", purpose="mark").hex()[:24]


def referred(vault: Vault, session: str, reference: str) -> int | None:
    """The person id behind a reference of this session; None for anything else."""
    opened = _opened(vault, reference, most=_LONGEST, bound_to=f"reference:{session}")
    return int(opened) if opened else None


def hide(vault: Vault, session: str, words: str) -> str:
    """What was sought, for an address of this session."""
    return _written(vault.seal(words, bound_to=f"sought:{session}"))


def hidden(vault: Vault, session: str, named: str) -> str | None:
    """What was sought in this session; None for anything else."""
    return _opened(vault, named, most=_MOST_WORDS, bound_to=f"sought:{session}")


def _written(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def _opened(vault: Vault, written: str, *, most: int, bound_to: str) -> str | None:
    if len(written) > most or not written.isascii():
        return None
    try:
        return vault.open(urlsafe_b64decode(written + "=" * (-len(written) % 4)), bound_to=bound_to)
    except (Error, Sealed, ValueError):
        return None
