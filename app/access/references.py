"""How a page names a person to an agent without a number that could be counted up: sealed for this one session."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from core.vault import Sealed, Vault

_LONGEST = 100


def refer(vault: Vault, session: str, person_id: int) -> str:
    """An opaque reference that only this session can bring back; another one each time."""
    sealed = vault.seal(str(person_id), bound_to=f"reference:{session}")
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def mark(vault: Vault, session: str, person_id: int) -> str:
    """The same each time within this session, for a script to find a line again; nothing can be asked with it."""
    return vault.index(f"{session}:{person_id}", purpose="mark").hex()[:24]


def referred(vault: Vault, session: str, reference: str) -> int | None:
    """The person id behind a reference of this session; None for anything else."""
    if len(reference) > _LONGEST or not reference.isascii():
        return None
    try:
        sealed = urlsafe_b64decode(reference + "=" * (-len(reference) % 4))
        return int(vault.open(sealed, bound_to=f"reference:{session}"))
    except (Error, Sealed, ValueError):
        return None
