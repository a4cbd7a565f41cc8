"""Opens what a bureau sends, CSV or Excel, and gives rows as people see them. Decides encoding, delimiter and size
limits; knows nothing of what the cells mean."""

import codecs
import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from app.registry.columns import Header, looks_like_header, read_header
from core.errors import BadInput

MOST_UNPACKED = 1024**3
MOST_RATIO = 200  # a sheet of repeated words packs about 1:30
_CHUNK = 1 << 20
_SEARCHED = 10  # rows in which the header may stand below a title


class BadFile(BadInput):
    """A file that cannot be read as what it says it is."""

    status = 422
    text = "文件读不出来：{why}。"


@dataclass
class Table:
    """One sheet (or the whole CSV, `name` ''): its header and its rows, numbered as the person sees them."""

    name: str
    header: Header
    rows: Iterator[tuple[int, list[Any]]]


@dataclass
class Source:
    """An opened file. `digest` is the SHA-256 of its bytes, `skipped` the sheets that carry no enrolment header
    (complete once `tables` has been read to its end)."""

    path: Path
    digest: bytes
    encoding: str | None
    rows_about: int
    sheet: str | None = None
    skipped: list[str] = field(default_factory=list)

    def tables(self) -> Iterator[Table]:
        """Every table of the file, one after the other. BadFile, BadHeader."""
        return self._sheets() if self.encoding is None else self._csv(self.encoding)

    def _csv(self, encoding: str) -> Iterator[Table]:
        with self.path.open("rb") as raw, TextIOWrapper(raw, encoding=encoding, newline="") as text:
            numbered = _records(text)
            above = [next(numbered, (0, []))]
            while not looks_like_header(above[-1][1]) and len(above) < _SEARCHED and above[-1][0]:
                above.append(next(numbered, (0, [])))
            header = above[-1][1] if looks_like_header(above[-1][1]) else above[0][1]
            yield Table("", read_header(header), numbered)

    def _sheets(self) -> Iterator[Table]:
        with self.path.open("rb") as raw:
            book = _book(raw)
            names = [self.sheet] if self.sheet else book.sheet_names
            if self.sheet and self.sheet not in book.sheet_names:
                raise BadFile(why=f"没有工作表“{self.sheet}”，只有：{'、'.join(book.sheet_names)}")
            found = False
            for name in names:
                table = _sheet(book, name)
                if table is None:
                    self.skipped.append(name)
                    continue
                found = True
                yield table
            if not found:
                raise BadFile(why="没有一张工作表带有参保登记的表头")


def open_file(path: Path, *, sheet: str | None = None) -> Source:
    """Look through the whole file once: hash, kind, encoding. BadFile if it is not text in UTF-8 or GB18030, not an
    Excel file that opens, or unpacks to more than a gigabyte."""
    with path.open("rb") as raw:
        head = raw.read(8)
        raw.seek(0)
        if head.startswith(b"PK\x03\x04"):
            _refuse_bomb(path)
            return Source(path, _digest(raw), None, 0, sheet)
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            return Source(path, _digest(raw), None, 0, sheet)
        digest, encoding, lines = _look_through(raw)
    return Source(path, digest, encoding, max(lines - 1, 0), sheet)


def _digest(raw: BinaryIO) -> bytes:
    whole = sha256()
    while chunk := raw.read(_CHUNK):
        whole.update(chunk)
    return whole.digest()


def _look_through(raw: BinaryIO) -> tuple[bytes, str, int]:
    """(hash, encoding, lines). UTF-8 is tried first: text in GB18030 is practically never also right UTF-8."""
    digest = _digest(raw)
    failed = 1
    for encoding in ("utf-8", "gb18030"):
        raw.seek(0)
        lines, decoder = 0, codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := raw.read(_CHUNK):
                if "\0" in decoder.decode(chunk):
                    raise BadFile(why="里面有空字符，不是文本文件")
                lines += chunk.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            failed = max(failed, lines + error.object[: error.start].count(b"\n") + 1)
        else:
            return digest, "utf-8-sig" if encoding == "utf-8" else encoding, lines + 1
    raise BadFile(why=f"第{failed}行的文字既不是 UTF-8 也不是 GB18030 编码")


def _records(text: TextIOWrapper) -> Iterator[tuple[int, list[Any]]]:
    """Numbered from 1 as in a spreadsheet: a quoted line break does not start a new row, an empty line is a row."""
    first = text.readline()
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(chain([first.removeprefix("\ufeff")], text), delimiter=delimiter)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as error:
        raise BadFile(why=f"第{number + 1}行的引号或长度不对") from error


def _book(raw: BinaryIO) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(raw)
    except PasswordError as error:
        raise BadFile(why="文件设了密码，请去掉密码再传") from error
    except (CalamineError, OSError) as error:
        raise BadFile(why="不是能打开的 Excel 文件") from error


def _sheet(book: CalamineWorkbook, name: str) -> Table | None:
    """The sheet if a header stands in its first rows, else None."""
    try:
        sheet = book.get_sheet_by_name(name)
    except (CalamineError, OSError) as error:
        raise BadFile(why=f"工作表“{name}”打不开") from error
    rows = enumerate(sheet.iter_rows(), 1)
    for _, cells in zip(range(_SEARCHED), (cells for _, cells in rows), strict=False):
        if looks_like_header(cells):
            return Table(name, read_header(cells), rows)
    return None


def _refuse_bomb(path: Path) -> None:
    """Judge an XLSX by its directory before anything is unpacked (A77)."""
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile as error:
        raise BadFile(why="压缩包坏了，不是能打开的 Excel 文件") from error
    if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(path.stat().st_size, 1 << 16):
        raise BadFile(why="解开后太大，请分成几个文件")
