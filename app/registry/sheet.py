"""Opens what a bureau sends, CSV or Excel, and gives rows as people see them. Decides encoding, delimiter and size
limits; knows nothing of what the cells mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from app.registry.cells import plain
from app.registry.columns import BadHeader, Header, joined_header, looks_like_header, read_header
from app.registry.lines import SEARCHED, digest_of, look_through, records
from app.registry.workbook import DAY_0, BadFile, Looked, Workbook, day_0_of_xls
from app.registry.workbook import look_through as look_through_workbook

_HEAD = 1 << 16
MOST_MERGED = 5_000  # rows that one merged cell is read down to


@dataclass
class Table:
    """One sheet (or the whole CSV, `name` ''): its header and its rows, numbered as the person sees them."""

    name: str
    header: Header
    rows: Iterator[tuple[int, list[Any]]]


@dataclass(frozen=True)
class Sheet:
    """A sheet as it is, whatever its columns mean. `spread`: (row, place) of a cell that is merged into those above it
    → the row whose value it shows."""

    name: str
    rows: Iterator[tuple[int, list[Any]]]
    spread: Mapping[tuple[int, int], int]


@dataclass
class Source:
    """An opened file. `digest` is the SHA-256 of its bytes, `day_0` the day that its number 0 stands for. `skipped`:
    sheets that carry no enrolment header; `unseen`: sheets that are hidden, and not read; `hidden`: rows that are
    hidden or filtered out, and read all the same (all complete once `tables` has been read to its end)."""

    path: Path
    digest: bytes
    encoding: str | None
    rows_about: int
    sheet: str | None = None
    book: Workbook | None = None
    day_0: date = DAY_0
    skipped: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    hidden: int = 0

    def tables(self) -> Iterator[Table]:
        """Every table of the file, one after the other. BadFile, BadHeader."""
        return self._sheets() if self.encoding is None else self._csv(self.encoding)

    def sheets(self) -> Iterator[Sheet]:
        """Every sheet that is not hidden, whatever its header is; of a CSV the whole. BadFile."""
        with self.path.open("rb") as raw:
            if self.encoding is not None:
                with TextIOWrapper(raw, encoding=self.encoding, newline="") as text:
                    yield Sheet("", records(text), {})
                return
            book = _book(raw)
            for each in book.sheets_metadata:
                if each.visible is SheetVisibleEnum.Visible:
                    sheet, rows = self._opened(book, each.name)
                    yield Sheet(each.name, rows, _spread(sheet))
                else:
                    self.unseen.append(each.name)

    def _csv(self, encoding: str) -> Iterator[Table]:
        with self.path.open("rb") as raw, TextIOWrapper(raw, encoding=encoding, newline="") as text:
            numbered = records(text)
            above: list[list[Any]] = []
            for _, (_, cells) in zip(range(SEARCHED), numbered, strict=False):
                above.append(cells)
                if looks_like_header(cells):
                    break
            found = bool(above) and looks_like_header(above[-1])
            _refuse_people(above[:-1] if found else ())
            yield _table("", above[-1] if found else above[0] if above else [], numbered if found else iter(()))

    def _sheets(self) -> Iterator[Table]:
        with self.path.open("rb") as raw:
            book = _book(raw)
            hidden = {each.name for each in book.sheets_metadata if each.visible is not SheetVisibleEnum.Visible}
            if self.sheet and self.sheet not in book.sheet_names:
                raise BadFile(why=f"没有工作表“{self.sheet}”，只有：{'、'.join(book.sheet_names)}")
            found = False
            for name in [self.sheet] if self.sheet else book.sheet_names:
                if name in hidden and not self.sheet:
                    self.unseen.append(name)
                    continue
                table = self._sheet(book, name)
                if table is None:
                    self.skipped.append(name)
                    continue
                found = True
                yield table
            if not found:
                unseen = f"；隐藏的工作表没有读：{'、'.join(self.unseen)}" if self.unseen else ""
                raise BadFile(why=f"没有一张工作表带有参保登记的表头{unseen}")

    def _sheet(self, book: CalamineWorkbook, name: str) -> Table | None:
        """The sheet if a header stands in its first rows, else None."""
        _, rows = self._opened(book, name)
        above: list[list[Any]] = []
        for _, (_, cells) in zip(range(SEARCHED), rows, strict=False):
            if looks_like_header(cells):
                _refuse_people(above)
                return _table(name, cells, rows)
            above.append(cells)
        return None

    def _opened(self, book: CalamineWorkbook, name: str) -> tuple[CalamineSheet, Iterator[tuple[int, list[Any]]]]:
        looked = self.book.look(name) if self.book and name in self.book.parts else Looked()
        try:
            sheet = book.get_sheet_by_name(name)
        except (CalamineError, OSError) as error:
            raise BadFile(why=f"工作表“{name}”打不开") from error
        first = (sheet.start or (0, 0))[1]  # its rows begin at the first column that is used
        return sheet, self._as_shown(enumerate(sheet.iter_rows(), 1), looked, first)

    def _as_shown(
        self, rows: Iterator[tuple[int, list[Any]]], looked: Looked, first: int
    ) -> Iterator[tuple[int, list[Any]]]:
        """The rows with the errors that cells show, where the reader gives blanks; hidden ones are counted."""
        if not (looked.hidden or looked.marked):
            yield from rows
            return
        for number, cells in rows:
            for place, shown in looked.marked.get(number, {}).items():
                if 0 <= place - first < len(cells):
                    cells[place - first] = shown
            self.hidden += number in looked.hidden and any(cell != "" for cell in cells)
            yield number, cells


def open_file(path: Path, *, sheet: str | None = None) -> Source:
    """Look through the whole file once: hash, kind, encoding. BadFile if it is not text in UTF-8, UTF-16 or GB18030,
    not an Excel file that opens, or would fill the memory."""
    with path.open("rb") as raw:
        head = raw.read(_HEAD)
        raw.seek(0)
        if head.startswith(b"PK\x03\x04"):
            book = look_through_workbook(path)
            return Source(path, digest_of(raw), None, 0, sheet, book, book.day_0)
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            return Source(path, digest_of(raw), None, 0, sheet, day_0=day_0_of_xls(head))
        digest, encoding, lines = look_through(raw)
    return Source(path, digest, encoding, max(lines - 1, 0), sheet)


def _spread(sheet: CalamineSheet) -> dict[tuple[int, int], int]:
    """The cells below the first row of each merged range, by their place in the rows as they are read."""
    first = (sheet.start or (0, 0))[1]
    return {
        (row + 1, left - first): top + 1
        for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
        for row in range(top + 1, min(bottom, top + MOST_MERGED) + 1)
    }


def _table(name: str, cells: Sequence[Any], rows: Iterator[tuple[int, list[Any]]]) -> Table:
    """A table below its header, which may stand on two rows: groups of columns, and the columns below them."""
    try:
        return Table(name, read_header(cells), rows)
    except BadHeader:
        _, below = next(rows, (0, []))
        joined = joined_header(cells, below)
        if joined is None:
            raise
        return Table(name, read_header(joined), rows)


def _refuse_people(above: Sequence[Sequence[Any]]) -> None:
    """Above a header stand titles; somebody with a number there would be passed over in silence."""
    for number, cells in enumerate(above, 1):
        if any(len(text) >= 15 and text[:15].isdecimal() for text in ("".join(plain(cell).split()) for cell in cells)):
            raise BadFile(why=f"第{number}行像是一个人，却在表头上面。请把表头放在第一行")


def _book(raw: BinaryIO) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(raw)
    except PasswordError as error:
        raise BadFile(why="文件设了密码，请去掉密码再传") from error
    except (CalamineError, OSError) as error:
        raise BadFile(why="不是能打开的 Excel 文件") from error
