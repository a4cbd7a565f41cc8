"""A roster as it hangs on a wall: as many sheets of A4 or A3 as it needs, names in large type, the price table beside
them, the poster's code, telephone and days on each. Drawn from what is given; the same gives the same bytes."""

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import Any

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from reportlab.lib.pagesizes import A3, A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from app.documents.hanging import Poster, grouped
from app.documents.page import GREEN, GREY, INK, PALE, dated, letters_wide, unknown, wrapped, write

SIZES = {"a4": A4, "a3": A3}
_HEAD, _FOOT = 78 * mm, 34 * mm


def draw(poster: Poster, *, size: str) -> bytes:
    """The file. `size`: a4 or a3."""
    return draw_all([poster], size=size, title=f"{poster.place}{poster.title}")


def draw_all(posters: Iterable[Poster], *, size: str, title: str) -> bytes:
    """Several in one file, one after the other; each begins on a sheet of its own and counts its own sheets."""
    into = BytesIO()
    canvas = Canvas(into, pagesize=SIZES[size], invariant=1)
    canvas.setTitle(title)
    for poster in posters:
        canvas.setAuthor(poster.issuer)
        dated(canvas, poster.at)
        _Sheets(canvas, poster, SIZES[size], 1.0 if size == "a4" else 1.35).draw()
    canvas.save()
    return into.getvalue()


class _Sheets:
    def __init__(self, canvas: Canvas, poster: Poster, paper: tuple[float, float], scale: float) -> None:
        self._canvas, self._poster, self._scale = canvas, poster, scale
        self._wide, self._high = paper
        self._code = _modules(poster.address)

    def draw(self) -> None:
        lists = [*self._poster.lists] or [("", self._poster.names)]
        if self._poster.added or self._poster.removed:
            lists = [("新加上的：", self._poster.added), ("去掉的：", self._poster.removed)]
        lines = [line for head, names in lists for line in self._lines(head, names)] or [["本村没有人在这份名单上。"]]
        room = max(1, int((self._high - (_HEAD + _FOOT) * self._scale) / self._step))
        sheets = _sheets(lines, room)
        for number, sheet in enumerate(sheets, 1):
            self._head(number, len(sheets))
            self._names(sheet)
            self._foot()
            self._canvas.showPage()

    @property
    def _step(self) -> float:
        return 10 * mm * self._scale

    def _lines(self, head: str, names: Sequence[str]) -> list[list[str]]:
        across = max(1, int((self._wide - 24 * mm) / (34 * mm * self._scale)))
        rows = [list(names[at : at + across]) for at in range(0, len(names), across)]
        return ([[head]] if head and rows else []) + rows

    def _head(self, number: int, of: int) -> None:
        poster, scale = self._poster, self._scale
        left, y, size = 12 * mm, self._high - 18 * mm * scale, int(17 * scale)
        for line in wrapped(f"{poster.place} {poster.title}", self._wide - left - 56 * mm * scale, size):
            self._write(left, y, line, size, GREEN)
            y -= 9 * mm * scale
        side = 38 * mm * scale
        self._square(self._wide - 12 * mm - side, self._high - 10 * mm - side, side)
        self._write(
            self._wide - 12 * mm - side, self._high - 14 * mm - side, f"公示码 {grouped(poster.code)}", int(10 * scale)
        )
        said = [
            f"第{number}张，共{of}张　第{poster.version}版",
            f"张贴日 {_day(poster.posted_on)}，公示到 {_day(poster.until)}24时，到期取下",
            *([poster.said] if poster.said else []),
            *poster.prices,
        ]
        for words in said:
            for line in wrapped(words, self._wide - left - 56 * mm * scale, int(12 * scale)):
                self._write(left, y, line, int(12 * scale))
                y -= 6.5 * mm * scale

    def _names(self, lines: Sequence[Sequence[str]]) -> None:
        y, cell = self._high - _HEAD * self._scale, 34 * mm * self._scale
        for row in lines:
            self._canvas.setStrokeColor(PALE)
            self._canvas.line(12 * mm, y - 2.5 * mm, self._wide - 12 * mm, y - 2.5 * mm)
            for at, name in enumerate(row):
                size = _fitting(name, cell, int(20 * self._scale), alone=len(row) == 1)
                self._write(12 * mm + at * cell, y, name, size, GREEN if name.endswith("：") else INK)
            y -= self._step

    def _foot(self) -> None:
        poster, scale = self._poster, self._scale
        y, size = (_FOOT - 8 * mm) * scale, int(11 * scale)
        said = (
            poster.objecting.format(phone=poster.phone)
            + "姓名只写一部分，是为了保护个人信息；查自己请用自己的手机登录。"
        )
        for line in wrapped(said, self._wide - 24 * mm, size):
            self._write(12 * mm, y, line, size, GREY)
            y -= 6 * mm * scale
        listed = [name for _, names in poster.lists for name in names]
        if unknown("".join((*poster.names, *poster.added, *poster.removed, *listed))):
            self._write(12 * mm, y, "〔U+…〕是电脑里还没有字形的字，以登记的姓名为准。", size, GREY)

    def _square(self, left: float, bottom: float, side: float) -> None:
        cell = side / len(self._code)
        self._canvas.setFillColorRGB(0, 0, 0)
        for down, cells in enumerate(self._code):
            for right, dark in enumerate(cells):
                if dark:
                    self._canvas.rect(
                        left + right * cell, bottom + side - (down + 1) * cell, cell, cell, stroke=0, fill=1
                    )

    def _write(self, x: float, y: float, words: str, size: int, colour: Any = INK) -> None:
        self._canvas.setFillColor(colour)
        write(self._canvas, (x, y), words, size)


def _sheets(lines: Sequence[list[str]], room: int) -> list[list[list[str]]]:
    """So many lines on each; the title of a list stands on every sheet that goes on with it, and last on none."""
    sheets, title = [list[list[str]]()], ""
    for line in lines:
        begins = line[0].endswith("：")
        if len(sheets[-1]) >= room - begins and sheets[-1]:
            sheets.append([] if begins or not title else [[f"{title}（接上一张）："]])
        title = line[0].removesuffix("：") if begins else title
        sheets[-1].append(line)
    return sheets


def _fitting(name: str, cell: float, size: int, *, alone: bool) -> int:
    """A long name is written smaller, never cut."""
    while not alone and size > 8 and letters_wide(name, size) > cell - 3 * mm:
        size -= 1
    return size


def _modules(address: str) -> Any:
    held = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    held.add_data(address)
    return held.get_matrix()


def _day(on: date) -> str:
    return f"{on.month}月{on.day}日"
