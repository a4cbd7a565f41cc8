"""A4 paper with Chinese text: one font, a pen that moves down, tables, codes. The same calls give the same bytes."""

from collections.abc import Iterator, Sequence
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
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT, RARE = "NotoSansSC", "STSong-Light"  # carried in the file; every reader's own, for what ours lacks
FILE = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
MARGIN, WIDTH = 16 * mm, A4[0] - 32 * mm
INK, GREEN, GREY, PALE = HexColor("#1c1f1d"), HexColor("#075e38"), HexColor("#5b6360"), HexColor("#eef1ef")


class Page:
    """One page of A4; `finish` gives the file."""

    def __init__(self, title: str) -> None:
        if FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(FONT, str(FILE)))
            pdfmetrics.registerFont(UnicodeCIDFont(RARE))
        self._into = BytesIO()
        self.canvas = Canvas(self._into, pagesize=A4, invariant=1)
        self.canvas.setTitle(title)
        self.y = A4[1] - MARGIN

    def finish(self) -> bytes:
        """The file."""
        self.canvas.showPage()
        self.canvas.save()
        return self._into.getvalue()

    def head(self, words: str) -> None:
        """The title in the middle."""
        self.canvas.setFillColor(GREEN)
        self._write(A4[0] / 2 - _width(words, 17) / 2, self.y - 4 * mm, words, 17)
        self.y -= 14 * mm

    def line(self, words: str, *, size: int = 9, step: int = 5, colour: Any = None, x: int = 0) -> None:
        """One line of text; `step` in millimetres to the next."""
        self.canvas.setFillColor(colour or INK)
        self._write(MARGIN + x * mm, self.y, words, size)
        self.y -= step * mm

    def row(self, cells: Sequence[str], ends: Sequence[int], *, head: bool = False) -> None:
        """A line of a table: the first cell from the left, the others against their right ends in millimetres."""
        if head:
            self.canvas.setFillColor(PALE)
            self.canvas.rect(MARGIN, self.y - 1.4 * mm, WIDTH, 5 * mm, stroke=0, fill=1)
        self.canvas.setFillColor(INK)
        self._write(MARGIN + 1 * mm, self.y, cells[0], 9)
        for cell, end in zip(cells[1:], ends, strict=True):
            self._write(MARGIN + end * mm - _width(cell, 9), self.y, cell, 9)
        self.y -= 5 * mm

    def fact(self, name: str, words: str) -> None:
        """A name and what it is, in two columns."""
        self.canvas.setFillColor(GREY)
        self._write(MARGIN, self.y, name, 10)
        self.canvas.setFillColor(INK)
        self._write(MARGIN + 34 * mm, self.y, words, 11)
        self.y -= 7 * mm

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

    def _write(self, x: float, y: float, words: str, size: int) -> None:
        for font, piece in _pieces(words):
            self.canvas.setFont(font, size)
            self.canvas.drawString(x, y, piece)
            x += pdfmetrics.stringWidth(piece, font, size)


def _pieces(words: str) -> Iterator[tuple[str, str]]:
    """The words by the font that has their letters: names are written with more signs than our font knows."""
    known = pdfmetrics.getFont(FONT).face.charToGlyph
    for has, letters in groupby(words, lambda letter: ord(letter) in known):
        yield (FONT if has else RARE), "".join(letters)


def _width(words: str, size: int) -> float:
    return sum(pdfmetrics.stringWidth(piece, font, size) for font, piece in _pieces(words))
