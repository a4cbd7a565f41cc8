"""A department's list as it comes, in its own layout: titles above the header, a header of two rows, merged cells,
sums, several sheets. Gives rows; what they mean is `helped_row`'s."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from app.registry.cells import plain
from app.registry.columns import SUMS
from app.registry.helped_columns import NEEDED, Columns, columns_of, field_of, looks_like_header, title_of
from app.registry.lines import SEARCHED
from app.registry.sheet import Sheet, Source, open_file
from app.registry.workbook import BadFile

_SPREAD = (
    "category",
    "grade",
    "valid_to",
    "town",
    "insurance",
)  # one merged cell may speak for many; a person does not


@dataclass(frozen=True)
class Line:
    """A row that is somebody: where it stands, its cells as read, and the sheet's columns."""

    sheet: str
    number: int
    cells: list[Any]
    columns: Columns

    @property
    def place(self) -> str:
        """As the department finds it."""
        return f"{f'“{self.sheet}”' if self.sheet else ''}第{self.number}行"


class HelpedList:
    """An opened list. `skipped`: sheets without anybody; `ignored`: rows that are nobody, by name; both are complete
    once `lines` was read to its end, as are the source's `unseen` and `hidden`."""

    def __init__(self, path: Path, said: Mapping[str, str]) -> None:
        self.source: Source = open_file(path)
        self.skipped: list[str] = []
        self.ignored: list[str] = []
        self._said = said

    def lines(self) -> Iterator[Line]:
        """Everybody, sheet by sheet. BadFile where no sheet has a header."""
        found = False
        for sheet in self.source.sheets():
            begun = _begin(sheet, self._said)
            if begun is None:
                self.skipped.append(sheet.name)
                continue
            found = True
            columns, rows = begun
            yield from self._people(sheet, columns, rows)
        if not found:
            raise BadFile(why="没有一张工作表里找得到人：表头（姓名、身份证号……）要在前十行里")

    def _people(self, sheet: Sheet, columns: Columns, rows: Iterator[tuple[int, list[Any]]]) -> Iterator[Line]:
        shown: dict[int, Any] = {}  # place → the value of the merged cell it stands in, as far as read
        tops = {(top, place) for (_, place), top in sheet.spread.items()}
        spread = {columns.places[field] for field in _SPREAD if field in columns.places}
        for number, cells in rows:
            if not any(plain(cell) for cell in cells):
                continue
            for place in spread:
                if (number, place) in tops:
                    shown[place] = cells[place]
                elif (number, place) in sheet.spread and place < len(cells):
                    cells[place] = shown.get(place, "")
            if nobody := "" if columns.missing else _nobody(cells, columns, self._said):
                where = f"“{sheet.name}”" if sheet.name else ""
                self.ignored.append(f"{where}第{number}行（{nobody}）")
                continue
            yield Line(sheet.name, number, cells, columns)


def _begin(sheet: Sheet, said: Mapping[str, str]) -> tuple[Columns, Iterator[tuple[int, list[Any]]]] | None:
    """The columns below whose header people begin, and the rows from there: a row that names ours, else the row above
    the first one with a number."""
    above: list[list[Any]] = []
    rows = iter(sheet.rows)
    for _, (number, cells) in zip(range(SEARCHED), rows, strict=False):
        if looks_like_header(cells, said):
            return _header(cells, rows, said)
        if _has_person(cells):
            header = next((row for row in reversed(above) if sum(1 for cell in row if plain(cell)) > 1), None)
            return None if header is None else (columns_of(header, said), chain([(number, cells)], rows))
        above.append(cells)
    return None


def _header(
    cells: list[Any], rows: Iterator[tuple[int, list[Any]]], said: Mapping[str, str]
) -> tuple[Columns, Iterator[tuple[int, list[Any]]]]:
    """One row, or two: groups of columns, and the columns below them."""
    first = next(rows, None)
    if first is None:
        return columns_of(cells, said), iter(())
    number, below = first
    named = [field_of(title_of(cell), said) for cell in below if plain(cell)]
    complete = set(NEEDED) <= columns_of(cells, said).places.keys()
    if _has_person(below) or not any(named) or (complete and not all(named)):
        return columns_of(cells, said), chain([(number, below)], rows)
    width = max(len(cells), len(below))
    upper, lower = (row + [""] * (width - len(row)) for row in (cells, below))
    return columns_of([low if plain(low) else up for up, low in zip(upper, lower, strict=True)], said), rows


def _has_person(cells: Sequence[Any]) -> bool:
    """Does something like an identity number stand in it? A spreadsheet may have made a number of it."""
    for cell in cells:
        text = "".join(plain(cell).split()).lstrip("'")
        if (len(text) >= 15 and text[:15].isdecimal()) or (isinstance(cell, float) and cell >= 10**14):
            return True
    return False


def _nobody(cells: Sequence[Any], columns: Columns, said: Mapping[str, str]) -> str:
    if looks_like_header(cells, said):
        return "又一行表头"
    if plain(columns.cell(cells, "id_number")):
        return ""
    words = {"".join(plain(cell).split()).rstrip("：:") for cell in cells} - {""}
    if found := next((word for word in SUMS if any(each.startswith(word) for each in words)), ""):
        return found
    return "" if plain(columns.cell(cells, "name")) else "没有姓名和身份证号"
