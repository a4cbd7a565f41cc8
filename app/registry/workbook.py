"""Looks through an Excel workbook (.xlsx) before anybody unpacks it into memory: how large its sheets are, which rows
are hidden, which cells show an error or a formula without its result. Reads the packed XML a piece at a time."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from core.errors import BadInput

MOST_UNPACKED = 1024**3
MOST_RATIO = 200  # a sheet of repeated words packs about 1:30
MOST_CELLS = 24_000_000  # rows times columns, as they lie in memory: about 0.8 GB
MOST_MARKED = 200_000
DAY_0, DAY_0_1904 = date(1899, 12, 30), date(1904, 1, 1)
_CHUNK = 1 << 20
_LONGEST_ROW = 8 << 20
_SMALL = 8 << 20
_XLS_1904 = b"\x22\x00\x02\x00\x01\x00\x0e\x00\x02\x00"  # DATEMODE 1, then PRECISION, as Excel and WPS write them
_ROW = re.compile(rb"<row\b([^>]*)>")  # letter by letter from its beginning: a little faster
_ROW_OF_A_SPACE = re.compile(rb"<\w+:row\b([^>]*)>")
_NUMBER = re.compile(rb'\br=["\']([0-9]{1,9})["\']')
_HIDDEN = re.compile(rb'\bhidden=["\'](?:1|true)["\']')
_FAR = re.compile(rb'r="([A-Z]{2,3})[0-9]{1,7}"')
_FAR_SINGLE = re.compile(rb"r='([A-Z]{2,3})[0-9]{1,7}'")
_MARKED = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*(?:<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*)?"
    rb"(?:<(?:\w+:)?v\s*/>\s*|<(?:\w+:)?v>([^<]*)</(?:\w+:)?v>\s*)?</(?:\w+:)?c>"
)
_PLACE = re.compile(rb'\br=["\']([A-Z]{1,3})[0-9]{1,7}["\']')
NO_RESULT = "#公式"  # what a cell is read as whose formula was saved without its result


class BadFile(BadInput):
    """A file that cannot be read as what it says it is."""

    status = 422
    text = "文件读不出来：{why}。"


@dataclass
class Looked:
    """What a sheet's XML says besides its values: hidden rows by number; row → place → the error that a cell shows."""

    hidden: set[int] = field(default_factory=set)
    marked: dict[int, dict[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Workbook:
    """Where each sheet lies in the packed file, and the day that number 0 stands for."""

    path: Path
    parts: dict[str, str]
    day_0: date

    def look(self, sheet: str) -> Looked:
        """Through one sheet. BadFile if its cells, laid out from the first to the farthest, would fill the memory."""
        looked = Looked()
        with _opened(self.path) as packed, packed.open(self.parts[sheet]) as xml:
            rows = columns = 0
            for head, cells in _rows(iter(lambda: xml.read(_CHUNK), b""), sheet):
                said = _NUMBER.search(head)
                rows = int(said[1]) if said else rows + 1
                columns = max(columns, cells.count(b"<c") + cells.count(b":c"))
                far = _FAR.findall(cells) + (_FAR_SINGLE.findall(cells) if b"'" in cells else [])
                columns = max([columns, *map(_column, far)])
                if rows * columns > MOST_CELLS:
                    raise BadFile(
                        why=f"工作表“{sheet}”太大：有内容的格子离得太远，请删掉数据以外的行和列，或分成几个文件"
                    )
                if _HIDDEN.search(head):
                    looked.hidden.add(rows)
                if b"<f" in cells or b":f" in cells or b'"e"' in cells or b"'e'" in cells:
                    _mark(cells, looked.marked.setdefault(rows, {}))
                if len(looked.marked) > MOST_MARKED:
                    raise BadFile(why=f"工作表“{sheet}”里的公式太多，请选择性粘贴为数值再传")
        return looked


def look_through(path: Path) -> Workbook:
    """Judge an XLSX by its directory before anything is unpacked (A77), and find its sheets. BadFile."""
    with _opened(path) as packed:
        unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(path.stat().st_size, 1 << 16):
            raise BadFile(why="解开后太大，请分成几个文件")
        if "xl/workbook.xml" not in packed.namelist():
            raise BadFile(why="不是 Excel 工作簿（.xlsx）。请用 Excel 或 WPS 打开，另存为 .xlsx 再传")
        book, links = (_xml(packed, name) for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        parts = {}
        for sheet in (each for each in book.iter() if each.tag.endswith("}sheet")):
            key = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
            target = targets.get(key, "")
            part = target[1:] if target.startswith("/") else f"xl/{target}"
            if part in packed.namelist():
                parts[sheet.get("name", "")] = part
        since_1904 = any(
            each.tag.endswith("}workbookPr") and each.get("date1904") in ("1", "true") for each in book.iter()
        )
    return Workbook(path, parts, DAY_0_1904 if since_1904 else DAY_0)


def day_0_of_xls(head: bytes) -> date:
    """The same of an old workbook, by the record near its beginning."""
    return DAY_0_1904 if _XLS_1904 in head else DAY_0


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise BadFile(why="压缩包坏了，不是能打开的 Excel 文件") from error


def _xml(packed: zipfile.ZipFile, name: str) -> ElementTree.Element:
    try:
        with packed.open(name) as part:
            text = part.read(_SMALL + 1)
        if len(text) > _SMALL or b"<!" in text:
            raise BadFile(why="不是能打开的 Excel 文件")
        return ElementTree.fromstring(text)  # noqa: S314 no document type, so no entities
    except (KeyError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise BadFile(why="不是能打开的 Excel 文件") from error


def _rows(pieces: Iterator[bytes], sheet: str) -> Iterator[tuple[bytes, bytes]]:
    """(attributes of a row, its cells), from whatever pieces the XML comes in."""
    held = b""
    try:
        for piece in pieces:
            held += piece
            starts = _starts(held)
            for start, following in pairwise(starts):
                yield start[1], held[start.end() : following.start()]
            if starts:
                held = held[starts[-1].start() :]
            if len(held) > _LONGEST_ROW + _CHUNK:
                raise BadFile(why=f"工作表“{sheet}”里有一行长得不正常")
    except zipfile.BadZipFile as error:
        raise BadFile(why=f"工作表“{sheet}”打不开") from error
    for last in _starts(held):
        yield last[1], held[last.end() :]


def _starts(held: bytes) -> list[re.Match[bytes]]:
    starts = list(_ROW.finditer(held))
    if b":row" in held:
        starts = sorted([*starts, *_ROW_OF_A_SPACE.finditer(held)], key=re.Match.start)
    return starts


def _mark(cells: bytes, marked: dict[int, str]) -> None:
    place = -1
    for cell in _MARKED.finditer(cells):
        at = _PLACE.search(cell[1])
        place = _column(at[1]) - 1 if at else place + 1
        shows_error = b't="e"' in cell[1] or b"t='e'" in cell[1]
        is_text = b't="str"' in cell[1]
        if shows_error:
            marked[place] = (cell[2] or b"#N/A").decode("utf-8", "replace")
        elif not cell[2] and not is_text and (b"<f" in cell[0] or b":f" in cell[0]):
            marked[place] = NO_RESULT


def _column(letters: bytes) -> int:
    """A is 1, XFD is 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
