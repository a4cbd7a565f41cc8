"""A browser that somebody came in with before is known by a sealed cookie. It lets nobody in, but who fails elsewhere
in his name does not bar him here. Pure but for chance."""

import secrets

from app.access.references import opened, written
from core.vault import Vault

MOST = 8  # people of one browser; the latest stay
_BOUND = "device"
_LONGEST = 600


def remembered(vault: Vault, device: str, subject: str) -> str:
    """The cookie of this browser now that `subject` (agent:<login>, staff:<login>, phone:<number>) came in with it."""
    name, people = _read(vault, device)
    here = _digest(vault, subject)
    people = [*(each for each in people if each != here), here][-MOST:]
    return written(vault.seal(" ".join((name or secrets.token_hex(16), *people)), bound_to=_BOUND))


def known(vault: Vault, device: str, subject: str) -> str:
    """The name of the browser if this subject came in with it before, else empty; so for anything forged."""
    name, people = _read(vault, device)
    return name if _digest(vault, subject) in people else ""


def _read(vault: Vault, device: str) -> tuple[str, list[str]]:
    held = opened(vault, device, most=_LONGEST, bound_to=_BOUND) if device else None
    name, *people = held.split(" ") if held else ("",)
    return name, people


def _digest(vault: Vault, subject: str) -> str:
    return vault.index(subject, purpose="device").hex()[:24]
