"""The second factor of agents and staff: six digits that change every thirty seconds (RFC 6238), and recovery codes for
the day the telephone is gone. Pure but for chance; what is kept of it is sealed or a keyed digest."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp

STEP_S = 30
RECOVERY_CODES = 8
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another
_CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Issued:
    """Shown once: the letters to type, the address for a QR code, the recovery codes."""

    secret: str
    address: str
    recovery: tuple[str, ...]


def issue(login: str) -> Issued:
    """A new secret (160 bits) and new recovery codes (59 bits each)."""
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret, name=login, issuer="两险通").provisioning_uri()
    return Issued(secret, address, tuple(_recovery_code() for _ in range(RECOVERY_CODES)))


def step_of(secret: str, typed: str, *, now: datetime) -> int | None:
    """The step whose code this is: this one, or its neighbour, as clocks differ; None for any other code."""
    code = clean(typed)
    if not _CODE.fullmatch(code):
        return None
    current = int(now.timestamp()) // STEP_S
    near = (current, current - 1, current + 1)
    return next((step for step in near if secrets.compare_digest(code_at(secret, step), code)), None)


def code_at(secret: str, step: int) -> str:
    """The six digits of a step."""
    return pyotp.TOTP(secret, interval=STEP_S).at(step * STEP_S)


def clean(typed: str) -> str:
    """As typed from a screen or a sheet: blanks and dashes out, small letters."""
    return re.sub(r"[\s-]", "", typed).lower()


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[place : place + 4] for place in (0, 4, 8))
