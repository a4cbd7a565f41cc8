"""Text files as they are saved by Excel, WPS and others: encoding, delimiter, and records that know which lines they
stand on. A quote that has no partner, or swallows lines, is refused by its line: nobody disappears in a cell."""

import codecs
import csv
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import Any, BinaryIO, TextIO

from app.registry.columns import looks_like_header
from app.registry.workbook import BadFile

SEARCHED = 10  # rows in which the header may stand below a title
_CHUNK = 1 << 20
_DELIMITERS = ",\t;|"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OTHER_KINDS = (
    (b"<", "这是网页或 XML 文件，只是名字像表格。请用 Excel 或 WPS 打开，另存为 Excel 工作簿（.xlsx）再传"),
    (b"mime-version", "这是网页文件。请用 Excel 或 WPS 打开，另存为 Excel 工作簿（.xlsx）再传"),
    (b"%pdf", "这是 PDF，不是表格"),
    (b"rar!", "这是压缩包，请先解开"),
    (b"7z\xbc\xaf", "这是压缩包，请先解开"),
    (b"\x1f\x8b", "这是压缩包，请先解开"),
)


class Torn(list[Any]):
    """The cells of a record that stands on several lines, `first` to `last`, because of a line break in a cell."""

    first: int
    last: int

    @property
    def lines(self) -> int:
        """How many of the file's lines it holds."""
        return self.last - self.first + 1


class _Numbered:
    """The lines of a text, counted as they are taken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> "_Numbered":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        return line


def digest_of(raw: BinaryIO) -> bytes:
    """The SHA-256 of what follows."""
    whole = sha256()
    while chunk := raw.read(_CHUNK):
        whole.update(chunk)
    return whole.digest()


def look_through(raw: BinaryIO) -> tuple[bytes, str, int]:
    """(hash, encoding, lines). UTF-8 is tried first: text in GB18030 is practically never also right UTF-8. BadFile if
    it is no text in UTF-8, UTF-16 or GB18030."""
    head = raw.read(64)
    raw.seek(0)
    _refuse_other_kinds(head)
    digest = digest_of(raw)
    marked = _UTF_16.get(head[:2])
    failed = 1
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        raw.seek(0)
        lines, decoder = 0, codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := raw.read(_CHUNK):
                text = decoder.decode(chunk)
                if "\0" in text:
                    raise BadFile(why="里面有空字符，不是文本文件。请在 Excel 或 WPS 里另存为“CSV UTF-8”再传")
                lines += text.count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            failed = max(failed, lines + error.object[: error.start].count(b"\n") + 1)
        else:
            return digest, "utf-8-sig" if encoding == "utf-8" else encoding, lines + 1
    raise BadFile(why=f"第{failed}行的文字既不是 UTF-8 也不是 GB18030 编码")


def _refuse_other_kinds(head: bytes) -> None:
    start = head
    for mark in (codecs.BOM_UTF8, *_UTF_16):
        start = start.removeprefix(mark)
    start = start.replace(b"\0", b"").lstrip().lower()
    for kind, why in _OTHER_KINDS:
        if start.startswith(kind):
            raise BadFile(why=why)


def records(text: TextIO) -> Iterator[tuple[int, list[Any]]]:
    """Numbered from 1 as in a spreadsheet: a quoted line break does not start a new row, an empty line is a row.
    BadFile names the line of a quote that does not close, closes too early, or has swallowed lines."""
    head = [line for _, line in zip(range(SEARCHED), text, strict=False)]
    if head:
        head[0] = head[0].removeprefix("\ufeff")
    delimiter = _delimiter(head)
    lines = _Numbered(chain(head, text))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = done = 0
    try:
        for number, cells in enumerate(reader, 1):
            if lines.count > done + 1:
                yield number, _torn(cells, delimiter, (done + 1, lines.count))
            else:
                yield number, cells
            done = lines.count
    except csv.Error as error:
        where = f"第{done + 1}行" if lines.count <= done + 1 else f"第{done + 1}到第{lines.count}行"
        raise BadFile(why=f'{where}的引号不成对，或一格太长。请删掉第{done + 1}行里多出来的引号（"）再传') from error


def _torn(cells: list[str], delimiter: str, where: tuple[int, int]) -> Torn:
    torn = Torn(cells)
    torn.first, torn.last = where
    if any(delimiter in cell and ("\n" in cell or "\r" in cell) for cell in cells):
        raise BadFile(
            why=f'第{torn.first}行有一个多余的引号（"），把第{torn.first}到第{torn.last}行连成了一格。请删掉这个引号再传'
        )
    return torn


def _delimiter(head: list[str]) -> str:
    """What parts the cells of the header, which may stand below a title; else what the first line has most of."""
    for delimiter in _DELIMITERS:
        try:
            if any(looks_like_header(cells) for cells in csv.reader(head, delimiter=delimiter)):
                return delimiter
        except csv.Error:
            continue
    return max(_DELIMITERS, key="".join(head).count) if head else ","
