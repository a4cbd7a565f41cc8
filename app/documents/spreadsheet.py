"""Tables that leave as files, safe to open: every cell is text, and none of it is ever a formula (A76)."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

import xlsxwriter

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_xlsx(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, mark: str) -> bytes:
    """One sheet, cells typed as text; `mark` (who took it, when) stands at its foot and under every printed page."""
    into = BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(title[:31])
    sheet.set_footer(f"&L{mark.replace('&', '&&')}&R&P/&N")
    sheet.freeze_panes(1, 0)
    bold, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
    for column, name in enumerate(head):
        sheet.write_string(0, column, name, bold)
    for down, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            sheet.write_string(down, column, cell, text)
    sheet.write_string(len(rows) + 2, 0, mark, text)
    for column, name in enumerate(head):
        widest = max([len(name), *(len(row[column]) for row in rows)])
        sheet.set_column(column, column, min(40, 2 * widest + 2))
    book.close()
    return into.getvalue()


def as_csv(head: Sequence[str], rows: Sequence[Sequence[str]], *, mark: str) -> bytes:
    """UTF-8 with its mark, every cell quoted; what a spreadsheet would take for a formula begins with an apostrophe."""
    into = StringIO()
    lines = csv.writer(into, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (head, *rows, (mark,)):
        lines.writerow([_harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + into.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
