"""Ordinary payments of a trade bill, read by the hundred: a district's day is nearly nothing else.

Odd on purpose. One regular expression, made of the bill's own header, fits a whole line or not at all, and one search
goes over as many lines as are in memory. What it fits is a part of what `statement` takes cell by cell, and means the
same (a test compares the two); every other line comes back as it stands, to be read cell by cell or refused by its
number. Cell by cell a line costs 18 µs, so 3."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from payments.gateways.blocks import Block

Sums = dict[str, int]
_WHOLE = "[1-9][0-9]{0,9}"
_ZERO = r"0(?:\.00?)?"
_CELLS = {  # what is read of an ordinary payment, and how it is written; no number is longer than its column
    "公众账号ID": "(?P<app>[0-9A-Za-z_]{1,32})",
    "微信订单号": "(?P<reference>[0-9A-Za-z]{1,32})",
    "商户订单号": r"(?P<number>[0-9A-Za-z_\-|*@]{1,64})",
    "交易状态": "SUCCESS",
    "货币种类": "CNY",
    "应结订单金额": rf"(?P<settled>(?:0|{_WHOLE})(?:\.[0-9]{{1,2}})?)",
    "退款金额": _ZERO,
    "充值券退款金额": _ZERO,
    "手续费": rf"(?P<fee>-?(?:0|{_WHOLE})(?:\.[0-9]{{1,5}})?)",
    "订单金额": rf"(?P<amount>{_WHOLE}(?:\.[0-9]{{1,2}})?)",
    "申请退款金额": _ZERO,
}
_TIME = "(?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])"
_UNREAD = "[^`\r]*"
_ODD = "(?P<odd>`[^\r]*(?:\r(?!\n)[^\r]*)*)"


class Ordinary:
    """Knows an ordinary line of one bill; `sums` gets what they come to by column, in thousandths of a fen."""

    @classmethod
    def of(cls, columns: Sequence[str], day: date, mchid: str, sums: Sums) -> "Ordinary | None":
        """None for an older bill, which calls its columns otherwise."""
        return cls(columns, day, mchid, sums) if {*_CELLS, "商户号", "交易时间"} <= {*columns} else None

    def __init__(self, columns: Sequence[str], day: date, mchid: str, sums: Sums) -> None:
        cells = {**_CELLS, "商户号": re.escape(mchid), "交易时间": f"{day:%Y-%m-%d} {_TIME}"}
        line = ",".join(f"`{cells.get(name, _UNREAD)}" for name in columns)
        self._lines = re.compile(f"(?:{line}|{_ODD})\r\n")
        self._places = {name: place - 1 for name, place in self._lines.groupindex.items()}
        self._head, self._sums = f"{day:%Y-%m-%d}T", sums

    def read(self, lines: str, rows: range) -> tuple[Block | None, list[tuple[int, str]]]:
        """The ordinary ones of whole lines that all begin as details do, and the others with their numbers."""
        found = self._lines.findall(lines)  # takes every line, by one of its two ways
        place = self._places["odd"]
        odd = [(row, cells[place]) for row, cells in zip(rows, found, strict=True) if cells[place]]
        plain: Sequence[int] = rows
        if odd:
            plain = [row for row, cells in zip(rows, found, strict=True) if not cells[place]]
            found = [cells for cells in found if not cells[place]]
        return (self._block(plain, list(zip(*found, strict=True))) if found else None), odd

    def _block(self, rows: Sequence[int], columns: Sequence[tuple[str, ...]]) -> Block:
        of = {name: columns[place] for name, place in self._places.items()}
        worth = _worth(of["settled"], of["fee"], of["amount"])
        fees = [worth[text] for text in of["fee"]]
        self._sums["应结订单金额"] += sum(worth[text] for text in of["settled"])
        self._sums["手续费"] += sum(fees)
        amounts = [worth[text] // 1000 for text in of["amount"]]
        self._sums["订单金额"] += sum(amounts) * 1000
        moments = [f"{self._head}{time}+08:00" for time in of["time"]]
        return Block(rows, of["number"], of["reference"], amounts, fees, moments, of["app"], "SUCCESS")


def _worth(*columns: Iterable[str]) -> Mapping[str, int]:
    """What each amount in these columns comes to: a day has few different ones."""
    return {text: _thousandths(text) for text in set().union(*columns)}


def _thousandths(text: str) -> int:
    whole, _, rest = text.removeprefix("-").partition(".")
    amount = int(whole) * 100_000 + int(rest.ljust(5, "0"))
    return -amount if text.startswith("-") else amount
