"""What stands on a special receipt."""

from dataclasses import dataclass
from datetime import datetime

from core.money import Fen


@dataclass(frozen=True)
class ReceiptFacts:
    """`others`: what others pay beside it, in words; `voided`: why it counts no more, empty while it does; `replaces`:
    the torn one in whose place it is; `issued_at` of the business clock."""

    serial: str
    code: str
    address: str
    issued_at: datetime
    place: str
    name: str
    id_end: str
    title: str
    standard: str
    amount: Fen
    capital: str
    others: str
    agent: str
    voided: str
    replaces: str
    help_phone: str
    issuer: str
    heading: str  # 示例区居民社会保险基金专用收据
