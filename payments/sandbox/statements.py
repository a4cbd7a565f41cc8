"""What may be wrong with a statement, on demand, whichever gateway's: the file's own hash or signature fits it."""

from collections.abc import Callable

from payments.sandbox.faults import Faults

_JUNK = b"\xff\xfe\x00"  # neither UTF-8 nor GBK
_SPOILS = ("statement_total", "statement_junk", "statement_truncated")


def take_spoils(faults: Faults, gateway: str) -> tuple[str, ...]:
    """Use up the faults that wait for this gateway's next statement; their kinds."""
    return tuple(kind for kind in _SPOILS if faults.take(kind, "", on="statement", gateway=gateway))


def spoilt(content: bytes, spoils: tuple[str, ...], *, with_other_total: Callable[[bytes], bytes]) -> bytes:
    """The file with these things wrong with it; `with_other_total` knows where its summary stands."""
    if "statement_total" in spoils:
        content = with_other_total(content)
    if "statement_junk" in spoils:
        place = len(content) * 2 // 3
        content = content[:place] + _JUNK + content[place:]
    if "statement_truncated" in spoils:
        content = content[: max(1, len(content) // 2 - 7)]  # never at the end of a line
    return content
