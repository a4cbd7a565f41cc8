"""A4 paper with Chinese text: fonts that are carried in the file, a pen that moves down, tables, codes. The same calls
give the same bytes. No letter is ever left to the reader's fonts, and none is left out."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from core.clock import beijing

# The first that has a letter draws it; together they have every letter of GB 18030-2022, level 2 (fonts/README.md).
FONTS = ("NotoSansSC-Regular", "LettersWide", "LettersRare")
FOLDER = Path(__file__).parent / "fonts"
_FAR = re.compile("<([0-9A-F]{5,6})>")
MARGIN, WIDTH = 16 * mm, A4[0] - 32 * mm
_SMALL, _STEP, _PAD, _SLACK = (
    9,
    4.2 * mm,
    1 * mm,
    0.2 * mm,
)  # a grid: letters, the way to the next line, what stays free
INK, GREEN, GREY, PALE = HexColor("#1c1f1d"), HexColor("#075e38"), HexColor("#5b6360"), HexColor("#eef1ef")


class Page:
    """One page of A4; `finish` gives the file."""

    def __init__(self, title: str, *, author: str, at: datetime, foot: str = "") -> None:
        """`author` issues it, at a moment of the business clock; the file says so too. `foot`: below each page, before
        its number; without one pages are not numbered."""
        self._into = BytesIO()
        self.canvas = Canvas(self._into, pagesize=A4, invariant=1, initialFontName=_loaded(FONTS[0]).fontName)
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self.canvas.setCreator(author)
        self.canvas.setSubject(title)
        dated(self.canvas, at)
        self.y = A4[1] - MARGIN
        self._foot = foot

    def finish(self) -> bytes:
        """The file."""
        self._end_page()
        self.canvas.save()
        return self._into.getvalue()

    def head(self, words: str) -> None:
        """The title in the middle."""
        self.canvas.setFillColor(GREEN)
        self._write(A4[0] / 2 - letters_wide(words, 17) / 2, self.y - 4 * mm, words, 17)
        self.y -= 14 * mm

    def line(self, words: str, *, size: int = 10, step: int = 6, colour: Any = None, x: int = 0) -> None:
        """A line of text, as many as it needs; `step` in millimetres to the next."""
        for part in wrapped(words, WIDTH - x * mm, size):
            self._room()
            self.canvas.setFillColor(colour or INK)
            self._write(MARGIN + x * mm, self.y, part, size)
            self.y -= step * mm

    def row(self, cells: Sequence[str], ends: Sequence[int], *, head: bool = False) -> None:
        """A line of a table: the first cell from the left, the others against their right ends in millimetres. A first
        cell that is too long goes on below, whole."""
        self._room()
        if head:
            self.canvas.setFillColor(PALE)
            self.canvas.rect(MARGIN, self.y - 1.6 * mm, WIDTH, 6 * mm, stroke=0, fill=1)
        self.canvas.setFillColor(INK)
        first, *below = wrapped(cells[0], ends[0] * mm - letters_wide(cells[1], 10) - 3 * mm, 10)
        self._write(MARGIN + 1 * mm, self.y, first, 10)
        for cell, end in zip(cells[1:], ends, strict=True):
            self._write(MARGIN + end * mm - letters_wide(cell, 10), self.y, cell, 10)
        self.y -= 6 * mm
        for words in below:
            self.line(words, x=1)

    def grid(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table whose cells go on below as far as they need; the head again on each page. No row is cut in two."""
        widths = _shares([head, *rows])
        self._grid_row(head, widths, filled=True)
        for row in rows:
            if self.y - _height(row, widths) < MARGIN:
                self._end_page()
                self._grid_row(head, widths, filled=True)
            self._grid_row(row, widths)
        self.y -= 4 * mm

    def _grid_row(self, cells: Sequence[str], widths: Sequence[float], *, filled: bool = False) -> None:
        height = _height(cells, widths)
        if filled:
            self.canvas.setFillColor(PALE)
            self.canvas.rect(MARGIN, self.y - height, WIDTH, height, stroke=0, fill=1)
        self.canvas.setFillColor(INK)
        x = MARGIN
        for cell, width in zip(cells, widths, strict=True):
            for down, part in enumerate(wrapped(cell, width - 2 * _PAD, _SMALL)):
                self._write(x + _PAD, self.y - (down + 1) * _STEP, part, _SMALL)
            x += width
        self.y -= height
        self.canvas.setStrokeColor(PALE)
        self.canvas.line(MARGIN, self.y, MARGIN + WIDTH, self.y)

    def keep(self, height: float) -> None:
        """The next page unless so many millimetres are left."""
        if self.y - height * mm < MARGIN:
            self._end_page()

    def fact(self, name: str, words: str) -> None:
        """A name and what it is, in two columns."""
        self._room()
        self.canvas.setFillColor(GREY)
        self._write(MARGIN, self.y, name, 11)
        self.canvas.setFillColor(INK)
        self._write(MARGIN + 36 * mm, self.y, words, 12)
        self.y -= 8 * mm

    def rule(self) -> None:
        """A thin line across."""
        self.canvas.setStrokeColor(GREY)
        self.canvas.line(MARGIN, self.y + 2.5 * mm, MARGIN + WIDTH, self.y + 2.5 * mm)
        self.y -= 2 * mm

    def code(self, words: str, *, size: int = 34) -> None:
        """A code to scan at the right edge, its top at the pen; `size` in millimetres, quiet zone included."""
        held = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
        held.add_data(words)
        modules = held.get_matrix()
        side = size * mm / len(modules)
        left, top = MARGIN + WIDTH - size * mm, self.y
        self.canvas.setFillColor(HexColor("#000000"))
        for down, cells in enumerate(modules):
            for right, dark in enumerate(cells):
                if dark:
                    self.canvas.rect(left + right * side, top - (down + 1) * side, side, side, stroke=0, fill=1)

    def _room(self) -> None:
        """The next page, if this one is full."""
        if self.y < MARGIN / 2:
            self._end_page()

    def _end_page(self) -> None:
        if self._foot:
            self.canvas.setFillColor(GREY)
            number = self.canvas.getPageNumber()
            self._write(MARGIN, MARGIN / 2, f"{self._foot}　第{number}页", 8)
        self.canvas.showPage()
        self.y = A4[1] - MARGIN

    def _write(self, x: float, y: float, words: str, size: int) -> None:
        write(self.canvas, (x, y), words, size)


class _Carried(TTFont):
    """Names its letters to the reader in UTF-16, beyond the first plane too, where reportlab writes the bare number: so
    a name can be found and copied."""

    def addObjects(self, doc: Any) -> None:
        super().addObjects(doc)
        for name, stream in doc.idToObject.items():
            if name.startswith("toUnicodeCMap:"):
                stream.content = _FAR.sub(
                    lambda found: f"<{chr(int(found[1], 16)).encode('utf-16-be').hex().upper()}>", stream.content
                )


def dated(canvas: Canvas, at: datetime) -> None:
    """The file says when it was made."""
    made = canvas._doc._timeStamp  # an invariant file is dated 2000 else, and nothing public says when
    made.YMDhms, made.dhh, made.dmm = beijing(at).timetuple()[:6], 8, 0


def write(canvas: Canvas, at: tuple[float, float], words: str, size: int) -> None:
    """One line, each letter in the font that has it."""
    x, y = at
    for font, piece in _pieces(words):
        canvas.setFont(font, size)
        canvas.drawString(x, y, piece)
        x += pdfmetrics.stringWidth(piece, font, size)


def wrapped(words: str, width: float, size: int) -> list[str]:
    """The lines of a text that is so wide at most."""
    lines = [""]
    for letter in words:
        if lines[-1] and letters_wide(lines[-1] + letter, size) > width:
            lines.append("")
        lines[-1] += letter
    return lines


def letters_wide(words: str, size: int) -> float:
    """How wide a line is."""
    return sum(pdfmetrics.stringWidth(piece, font, size) for font, piece in _pieces(words))


def unknown(words: str) -> list[str]:
    """The letters that no font here has."""
    return [letter for letter in words if _font(letter) is None]


def _pieces(words: str) -> Iterator[tuple[str, str]]:
    """The words by the font that has their letters. What none has is told by its number: a gap in a name is a lie."""
    for font, letters in groupby(words, _font):
        yield font or FONTS[0], "".join(letter if font else f"〔U+{ord(letter):X}〕" for letter in letters)


@lru_cache(maxsize=65_536)
def _font(letter: str) -> str | None:
    return next((font for font in FONTS if ord(letter) in _loaded(font).face.charToGlyph), None)


@cache
def _loaded(font: str) -> Any:
    """Most papers need the first one only: the others are read when a letter asks for them."""
    pdfmetrics.registerFont(_Carried(font, str(FOLDER / f"{font}.ttf")))
    return pdfmetrics.getFont(font)


def _shares(rows: Sequence[Sequence[str]]) -> list[float]:
    """How wide each column is: as wide as its longest cell, and the long ones share what is left."""
    wanted = [
        max(letters_wide(cell, _SMALL) for cell in cells) + 2 * _PAD + _SLACK for cells in zip(*rows, strict=True)
    ]
    left, widths = WIDTH, dict[int, float]()
    for at in sorted(range(len(wanted)), key=wanted.__getitem__):
        widths[at] = min(wanted[at], left / (len(wanted) - len(widths)))
        left -= widths[at]
    return [widths[at] for at in range(len(wanted))]


def _height(cells: Sequence[str], widths: Sequence[float]) -> float:
    lines = max(len(wrapped(cell, width - 2 * _PAD, _SMALL)) for cell, width in zip(cells, widths, strict=True))
    return lines * _STEP + 1.6 * mm
