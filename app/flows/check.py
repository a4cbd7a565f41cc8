"""A check code from a notice → what was paid, so that anybody can tell a true notice from a false one (decision 16)."""

import re
from dataclasses import dataclass
from datetime import date

from app.access.tally import CODES, count
from app.flows.parts import Parts
from core.clock import business_day
from core.errors import NotFound
from payments.find import by_check_code

_MISREAD = str.maketrans("OILU", "011V")  # letters our codes never use, as people write them down
_CODE = re.compile(r"[0-9A-Z]{8}")


class NoSuchCode(NotFound):
    """A code that belongs to no payment that was made."""

    text = "没有查到这个核对码。请对照通知再看一遍；还是查不到，请不要相信那条通知，打电话问一问。"


@dataclass(frozen=True)
class Checked:
    """What the notice said, in its own masked words. No amount: the page is open to everybody."""

    village: str
    names: str
    items: str
    paid_on: date


def check(parts: Parts, code: str, *, network: str) -> Checked:
    """The payment a code belongs to. NoSuchCode; TooOften for a flood of guesses from one address."""
    wanted = "".join(code.split()).upper().translate(_MISREAD)
    with parts.engine.connect() as connection:
        try:
            count(connection, parts.vault, (f"code:{network}",), CODES, parts.clocks.wall())
        finally:
            connection.commit()  # a refused guess counts too
        row = by_check_code(connection, wanted) if _CODE.fullmatch(wanted) else None
    if row is None:
        raise NoSuchCode
    fields = row.memo["notice"]["fields"]
    return Checked(fields["village"], fields["names"], fields["items"], business_day(row.paid_at))
