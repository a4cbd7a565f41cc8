"""Tables that leave as files, safe to open: numbers are numbers, every other cell is text, and none of it is ever a
formula but our sums (A76)."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

Cell = str | int
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_xlsx(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], *, mark: str) -> bytes:
    """One sheet to sort, filter and add up: columns of whole numbers have their sum below, of the rows that a filter
    shows. `mark` (who took it, when) stands at its foot and under every printed page."""
    import xlsxwriter  # noqa: PLC0415 few processes write a sheet

    into = BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(title[:31])
    sheet.set_footer(f"&L{mark.replace('&', '&&')}&R&P/&N")
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
    bold, text = book.add_format({"bold": True, "num_format": "@"}), book.add_format({"num_format": "@"})
    number, total = book.add_format({"num_format": "#,##0"}), book.add_format({"bold": True, "num_format": "#,##0"})
    for column, name in enumerate(head):
        sheet.write_string(0, column, name, bold)
    for down, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(down, column, cell, number)
            else:
                sheet.write_string(down, column, cell, text)
    sums = _sums(rows)
    if sums:
        sheet.write_string(len(rows) + 1, 0, "合计", bold)
    for column, summed in sums.items():
        place = xlsxwriter.utility.xl_col_to_name(column)
        sheet.write_formula(len(rows) + 1, column, f"=SUBTOTAL(109,{place}2:{place}{len(rows) + 1})", total, summed)
    sheet.write_string(len(rows) + 3, 0, mark, text)
    for column, name in enumerate(head):
        widest = max([len(name), *(len(str(row[column])) for row in rows)])
        sheet.set_column(column, column, min(40, 2 * widest + 4))
    book.close()
    return into.getvalue()


def as_csv(head: Sequence[str], rows: Sequence[Sequence[Cell]], *, mark: str) -> bytes:
    """UTF-8 with its mark, text quoted; what a spreadsheet would take for a formula begins with an apostrophe."""
    into = StringIO()
    lines = csv.writer(into, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in (head, *rows, (mark,)):
        lines.writerow([cell if isinstance(cell, int) else _harmless(cell) for cell in row])
    return b"\xef\xbb\xbf" + into.getvalue().encode()


def _sums(rows: Sequence[Sequence[Cell]]) -> dict[int, int]:
    """Of each column that has nothing but numbers."""
    columns = [[cell for cell in column if isinstance(cell, int)] for column in zip(*rows, strict=True)]
    return {place: sum(numbers) for place, numbers in enumerate(columns) if len(numbers) == len(rows)}


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
