"""Fetching a day's bill: a signed question for an address, then a plain GET of a zip within its 30 seconds.

Nothing signs or hashes the zip: the address comes out of a verified answer and must be theirs, and `statement`
recomputes the totals.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import BinaryIO
from urllib.parse import urlsplit

from core.errors import TryLater
from core.http import OutsideSilent
from payments.errors import GatewayBusy, GatewayRefused, GatewaySilent, NoStatement, StatementNotReady
from payments.gateways.alipay.asking import AlipayLine, statement_wanted
from payments.gateways.alipay.meaning import failure, sub_code, succeeded, text_of

BILL_HOST = "dwbillcenter.alipay.com"
LARGEST_BILL = 64 * 1024 * 1024
TRIES = 2  # an address that ended before we came is asked for once more

_ADDRESS = re.compile(r"https?://[!-~]{1,2040}")
# Both spellings of each. Before the bill is made they call the day itself wrong ("never today").
_NO_TRADES = "NO_BILL_DATA"
_TROUBLES: Mapping[str, type[TryLater]] = {
    "BILL_NOT_EXIST": NoStatement,
    "INVAILID_ARGUMENTS": StatementNotReady,
    "INVALID_ARGUMENTS": StatementNotReady,
    "SYSTEM_RATE_LIMIT": GatewayBusy,
    "USER_RATE_LIMIT": GatewayBusy,
}
_ZIP = b"PK"


def fetch_bill(line: AlipayLine, day: date, into: BinaryIO) -> bool:
    """The zip of a Beijing day, into `into`; False if they say there were no trades.

    NoStatement is "there is none", also of a day that is not made yet. StatementNotReady, GatewayBusy, GatewaySilent,
    GatewayRefused."""
    for _ in range(TRIES):
        stated = line.ask(statement_wanted(day))
        if not succeeded(stated):
            code = sub_code(stated)
            if code == _NO_TRADES:
                return False
            if code in _TROUBLES:
                raise _TROUBLES[code](code)
            no = failure(stated)
            raise no if isinstance(no, GatewayRefused) else GatewaySilent(str(no))
        address = believed_address(text_of(stated, "bill_download_url", _ADDRESS), line.base_url)
        if _fetched(line, address, into):
            return True
    raise GatewaySilent("the bill's address gave no zip")


def believed_address(address: str, base_url: str) -> str:
    """The address: only their host's by https, or (the sandbox) the very one we ask. GatewaySilent."""
    parts, ours = urlsplit(address), urlsplit(base_url)
    if (parts.scheme, parts.netloc) in {("https", BILL_HOST), (ours.scheme, ours.netloc)}:
        return address
    raise GatewaySilent("a bill at an address that is not theirs")


def _fetched(line: AlipayLine, address: str, into: BinaryIO) -> bool:
    zipped = _ZipOnly(into)
    try:
        answer = line.door.fetch(address, zipped, headers={"User-Agent": "liangxian"}, most=LARGEST_BILL)  # type: ignore[arg-type]
    except OutsideSilent as error:
        raise GatewaySilent(str(error)) from error
    return answer.status == 200 and zipped.begun


class _ZipOnly:
    """Lets a zip through to the file, and nothing of a page that says the address has ended."""

    def __init__(self, into: BinaryIO) -> None:
        self._into, self._first = into, b""
        self.begun = False

    def write(self, piece: bytes) -> int:
        if self.begun:
            return self._into.write(piece)
        if len(self._first) < len(_ZIP):
            self._first += piece
            if self._first.startswith(_ZIP):
                self.begun = True
                self._into.write(self._first)
        return len(piece)
