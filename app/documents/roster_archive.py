"""A village's roster of a year as one paper for the file: what was drawn, who did each step, how it hung, what was
objected to and answered, what was changed, and what hung after the season. The same gives the same bytes."""

from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader

from app.documents.filed import Archive, Photo
from app.documents.page import GREY, MARGIN, WIDTH, Page, letters_wide

PHOTO_HIGH = 110 * mm
_SIZE = 11  # letters of a name


def draw(archive: Archive) -> bytes:
    """The pages as PDF."""
    page = Page(archive.title, author=archive.issuer, at=archive.at, foot=archive.foot)
    page.head(archive.title)
    for name, words in archive.facts:
        page.fact(name, words)
    page.rule()
    for table in archive.tables:
        page.keep(28)
        page.y -= 4 * mm
        page.line(table.title, size=12, step=4)
        if table.rows:
            page.grid(table.head, table.rows)
        else:
            page.line(table.none, colour=GREY, step=9)
    for each in archive.photos:
        _photo(page, each)
    for listed in archive.lists:
        page.keep(24)
        page.line(listed.title, size=12, step=8)
        for line in _lines(listed.names) or ["没有人。"]:
            page.line(line, size=_SIZE, step=6)
        page.y -= 4 * mm
    return page.finish()


def _lines(names: Sequence[str]) -> list[str]:
    """As many names as fit, side by side, none in two."""
    lines = list[str]()
    for name in names:
        longer = f"{lines[-1]}　{name}" if lines else name
        if lines and letters_wide(longer, _SIZE) <= WIDTH:
            lines[-1] = longer
        else:
            lines.append(name)
    return lines


def _photo(page: Page, photo: Photo) -> None:
    held = ImageReader(BytesIO(photo.picture))
    wide, high = held.getSize()
    scale = min(WIDTH / wide, PHOTO_HIGH / high)
    page.keep(high * scale / mm + 16)
    page.y -= 4 * mm
    page.line(photo.words, size=11, step=4)
    page.y -= high * scale
    page.canvas.drawImage(held, MARGIN, page.y, wide * scale, high * scale)
    page.y -= 8 * mm
