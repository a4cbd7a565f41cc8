"""How a page names a person to an agent without a number that could be counted up, and carries what he sought without
a name in an address: sealed for this one session."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from core.vault import Sealed, Vault

_LONGEST = 100
_MOST_WORDS = 300  # sealed, of thirty letters


def refer(vault: Vault, session: str, person_id: int) -> str:
    """An opaque reference that only this session can bring back; another one each time."""
    return written(vault.seal(str(person_id), bound_to=f"reference:{session}"))


def mark(vault: Vault, session: str, person_id: int) -> str:
    """The same each time within this session, for a script to find a line again; nothing can be asked with it."""
    return vault.index(f"{session}:{person_id}", purpose="mark").hex()[:24]


def referred(vault: Vault, session: str, reference: str) -> int | None:
    """The person id behind a reference of this session; None for anything else."""
    found = opened(vault, reference, most=_LONGEST, bound_to=f"reference:{session}")
    return int(found) if found else None


def hide(vault: Vault, session: str, words: str) -> str:
    """What was sought, for an address of this session."""
    return written(vault.seal(words, bound_to=f"sought:{session}"))


def hidden(vault: Vault, session: str, named: str) -> str | None:
    """What was sought in this session; None for anything else."""
    return opened(vault, named, most=_MOST_WORDS, bound_to=f"sought:{session}")


def written(sealed: bytes) -> str:
    """A sealed value as letters for an address or a cookie."""
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def opened(vault: Vault, letters: str, *, most: int, bound_to: str) -> str | None:
    """The value behind such letters; None for anything else, or more than `most` of them."""
    if len(letters) > most or not letters.isascii():
        return None
    try:
        return vault.open(urlsafe_b64decode(letters + "=" * (-len(letters) % 4)), bound_to=bound_to)
    except (Error, Sealed, ValueError):
        return None
