"""What makes a secret too weak to guard money or personal data."""

import re

SHORTEST = 32  # bytes of key material
WELL_KNOWN = re.compile(
    "test0nlyapiv3key_32bytes_long__!|secret|change-?_?me|password|passw0rd|default|example|sandbox|testing|test"
    "|dummy|sample|insecure|production|prod|admin|root|letmein|qwerty|liangxian|dev|key|"
    "0123456789abcdef|0123456789|1234567890|abcdefghijklmnopqrstuvwxyz"
)
PARTING = re.compile(r"[\s_.:,!+=/-]+")


def weakness(value: str | bytes, *, least: int = SHORTEST) -> str:
    """Why this secret is refused, in words that do not show it; empty when it will do."""
    raw = value.encode() if isinstance(value, str) else value
    if not raw.strip():
        return "is empty"
    if len(raw) < least:
        return f"is shorter than {least} bytes"
    return guessable(raw)


def guessable(value: str | bytes) -> str:
    """Like `weakness`, of any length: well-known words, few different characters, or one piece repeated.
    Of a short one half may be alike: a bank gives out six digits."""
    raw = value.encode() if isinstance(value, str) else value
    if len(set(raw)) < min(8, (len(raw) + 1) // 2) or _repeats(raw):
        return "repeats itself"
    text = raw.decode("latin-1").lower()
    if len(PARTING.sub("", WELL_KNOWN.sub("", text))) < len(text) / 2:
        return "is well known"
    return ""


def _repeats(raw: bytes) -> bool:
    return any(raw[width:] == raw[:-width] for width in range(1, len(raw) // 2 + 1))
