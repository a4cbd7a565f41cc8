"""A levy year as paper for whoever signs it: app.policy.told drawn on A4, nothing added and nothing left out."""

from datetime import datetime

from reportlab.lib.units import mm

from app.documents.page import GREEN, GREY, Page
from app.policy.told import Document
from app.policy.words import phrases

_DASH = {0x2013: "-"}  # 60–69: the fonts here have no such dash


def draw(document: Document, *, issuer: str, at: datetime) -> bytes:
    """The document as PDF; `issuer` prints it at a moment of the business clock."""
    page = Page(document.title, author=issuer, at=at, foot=document.title)
    page.head(document.title)
    if document.note:
        page.line(document.note, colour=GREY)
    for table in document.tables:
        page.keep(28)
        page.y -= 4 * mm
        page.line(table.title, size=12, step=3, colour=GREEN)
        if table.rows:
            page.grid(table.columns, [[cell.translate(_DASH) for cell in row] for row in table.rows])
        else:
            page.y -= 3 * mm
            page.line(phrases("told")["nothing"], step=8)
    page.keep(20)
    page.y -= 6 * mm
    page.line(document.sign, size=11)
    return page.finish()
