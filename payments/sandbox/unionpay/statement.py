"""UnionPay's reconciliation file, made from the list of trades: fixed-width GBK in a ZIP, normal trades and errors.

Widths count GBK bytes and one blank stands after each column; the merchant's short name is Chinese.
"""

import base64
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time

from payments.sandbox.shelf import Document
from payments.sandbox.trades import Trades
from payments.sandbox.unionpay.words import trace_no

DAY_BEGINS = time(23)
_ZM = (
    *(3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2),
    *(6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98),
)
_ZME = (3, 11, 11, 6, 10, 19, 12, 4, 2, 2, 6, 10, 4, 12, 13, 13, 15, 15, 1, 12, 2, 135)
_ORG, _ACCOUNT, _NAME = "00049992", "621626*********0018", "某区税务局"

Spoil = Callable[[bytes], bytes]


def zip_of(
    trades: Trades, gateway: str, day: date, *, mer_id: str, adjusted: Document | None = None, spoil: Spoil = bytes
) -> bytes:
    """The ZIP of a settlement day; `adjusted`: a trade the error file puts right; `spoil` is done to ZM's bytes."""
    moved = [
        (one["success_time"], _payment(one, mer_id)) for one in trades.paid_on(gateway, day, day_begins=DAY_BEGINS)
    ]
    for trade, refund in trades.refunds_on(gateway, day, day_begins=DAY_BEGINS):
        if refund["state"] == "SUCCESS":
            moved.append((refund["asked_at"], _refund(trade, refund, mer_id)))
    normal = b"".join(line for _, line in sorted(moved, key=lambda one: one[0]))
    errors = _adjustment(adjusted, day, mer_id) if adjusted else b""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for kind, content in (("ZM", spoil(normal)), ("ZME", errors)):
            name = zipfile.ZipInfo(f"INN{day:%y%m%d}88{kind}_{mer_id}", (2021, 11, 1, 0, 0, 0))
            packed.writestr(name, content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def content_of(packed: bytes) -> str:
    """fileContent: Base64 of a zlib stream."""
    return base64.b64encode(zlib.compress(packed)).decode("ascii")


def fee(amount: int) -> int:
    """What is kept of an amount, in fen."""
    return amount * 6 // 1000


def with_other_total(text: bytes) -> bytes:
    """The first line's settled amount, one fen more: the line disagrees with itself."""
    place = sum(width + 1 for width in _ZM[:16])
    settled = int(text[place + 1 : place + 13]) + 1
    return text[: place + 1] + b"%012d" % settled + text[place + 13 :]


def _payment(trade: Document, mer_id: str) -> bytes:
    amount = trade["amount"]
    kind = "07" if trade["content"]["txnSubType"] == "07" else "01"
    return _line(
        _ZM,
        _common(trade, trade["success_time"], mer_id)
        | {
            1: "S22",
            12: trade["number"][:32],
            16: _signed(-fee(amount)),
            17: _signed(amount - fee(amount)),
            20: "01",
            21: kind,
            22: trade["content"]["bizType"],
            33: _signed(amount - fee(amount)),
        },
    )


def _refund(trade: Document, refund: Document, mer_id: str) -> bytes:
    amount, paid_at = refund["amount"], datetime.fromisoformat(trade["success_time"])
    return _line(
        _ZM,
        _common(refund, refund["asked_at"], mer_id)
        | {
            1: "S30",
            12: refund["number"][:32],
            14: trace_no(trade["reference"]),
            15: f"{paid_at:%m%d%H%M%S}",
            16: _signed(fee(amount)),
            17: _signed(fee(amount) - amount),
            20: "04",
            21: "00",
            22: "000000",
            27: trade["reference"],
            33: _signed(fee(amount) - amount),
            41: trade["number"][:32],
        },
    )


def _common(what: Document, at: str, mer_id: str) -> dict[int, str]:
    moment = datetime.fromisoformat(at)
    return {
        2: _ORG,
        3: _ORG,
        4: trace_no(what["reference"]),
        5: f"{moment:%m%d%H%M%S}",
        6: _ACCOUNT,
        7: f"{what['amount']:012d}",
        8: "9399",
        9: "08",
        10: what["reference"],
        13: "01",
        18: "0001",
        28: mer_id,
        31: _NAME,
    }


def _adjustment(trade: Document, day: date, mer_id: str) -> bytes:
    amount, paid_at = trade["amount"], datetime.fromisoformat(trade["success_time"])
    return _line(
        _ZME,
        {
            1: "E22",
            2: _ORG,
            3: _ORG,
            4: trace_no(trade["reference"]),
            5: f"{paid_at:%m%d%H%M%S}",
            6: _ACCOUNT,
            7: f"{amount:012d}",
            8: "9399",
            9: "08",
            10: "01",
            11: trace_no(trade["reference"]),
            12: f"{paid_at:%m%d%H%M%S}",
            13: f"{day:%m%d}",
            14: f"{amount:012d}",
            15: _signed(-fee(amount)),
            16: _signed(amount - fee(amount)),
            18: mer_id,
        },
    )


def _signed(amount: int) -> str:
    return f"{'D' if amount < 0 else 'C'}{abs(amount):012d}"


def _line(widths: Sequence[int], columns: Mapping[int, str]) -> bytes:
    cells = [columns.get(n, "").encode("gbk").ljust(width) for n, width in enumerate(widths, start=1)]
    return b" ".join(cells) + b"\r\n"
