"""What a gateway's reader makes of a stored callback: for the command line and for vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.errors import ForgedCallback
from payments.gateways.base import Callback, Reader


@dataclass(frozen=True)
class Verdict:
    """What became of a stored callback: accepted, or the check that refused it."""

    accepted: bool
    why: str
    callback: Callback | None = None


def judge(reader: Reader, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Verdict:
    """Whether a stored callback would have been believed at `now`, and if not, why: for the command line."""
    try:
        return Verdict(True, "", reader.read_callback(headers, body, now=now))
    except ForgedCallback as error:
        return Verdict(False, str(error))
