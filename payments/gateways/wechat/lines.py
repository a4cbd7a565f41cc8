"""The file of a trade bill: unpacked a piece at a time, kept with its SHA-1, cut into lines that know their numbers."""

import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from payments.errors import BadStatement

LARGEST_UNPACKED = 2 * 1024**3
_LONGEST_LINE = 64 * 1024
_PIECE = 64 * 1024
_GZIP = b"\x1f\x8b"
_NO_DETAIL = re.compile(rb"\r\n(?!`)(?!\Z)")  # an end of a line that another kind of line follows


class Proof:
    """A file that keeps what is written to it and meanwhile takes the SHA-1 of what is packed in it."""

    def __init__(self, into: BinaryIO) -> None:
        self._into = into
        self._unpacker = Unpacker()
        self._sha1 = hashlib.sha1(usedforsecurity=False)  # their choice; TLS proves who it comes from

    def write(self, piece: bytes) -> int:
        """As a file's; BadStatement."""
        for unpacked in self._unpacker.feed(piece):
            self._sha1.update(unpacked)
        return self._into.write(piece)

    def digest(self) -> str:
        """In lower-case hex, of the whole; BadStatement if it is not whole."""
        self._unpacker.finish()
        return self._sha1.hexdigest()


class Unpacker:
    """gzip, or plain if it was never packed, piece by piece and never more than a piece at a time in memory."""

    def __init__(self) -> None:
        self._begin = b""
        self._inflate: zlib._Decompress | None = None
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a further piece holds; BadStatement."""
        if len(self._begin) < len(_GZIP):
            piece = self._begin + piece
            self._begin = piece[: len(_GZIP)]
            if len(piece) < len(_GZIP):
                return
            if self._begin == _GZIP:
                self._inflate = zlib.decompressobj(wbits=31)
        for unpacked in self._unpacked(piece):
            self._size += len(unpacked)
            if self._size > LARGEST_UNPACKED:
                raise BadStatement("对账单解压后太大")
            yield unpacked

    def finish(self) -> None:
        """BadStatement unless the end was seen."""
        if self._inflate is not None and not self._inflate.eof:
            raise BadStatement("对账单压缩包不完整")

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            yield piece
            return
        while piece:
            if self._inflate.eof:
                raise BadStatement("对账单压缩包后面还有别的内容")
            try:
                yield self._inflate.decompress(piece, _PIECE)
            except zlib.error:
                raise BadStatement("对账单压缩包损坏") from None
            piece = self._inflate.unconsumed_tail or self._inflate.unused_data


class Bill:
    """The file's lines without their ends: one, or all details that are in memory. `row`: of the last one given;
    `rows`: of the last details."""

    def __init__(self, file: BinaryIO) -> None:
        self._pieces = _pieces(file)
        self._held = b""
        self.row = 0
        self.rows = range(0)

    def line(self) -> str | None:
        """The next line; None at the end."""
        if not self._fill():
            return None
        raw, _, self._held = self._held.partition(b"\r\n")
        self.row += 1
        return text_of(raw, self.row)

    def details(self) -> bytes:
        """Whole lines with their ends, each of which begins as a detail does; none if the next one does not."""
        if not self._fill() or not self._held.startswith(b"`"):
            return b""
        end = self._held.rindex(b"\r\n") + 2
        if other := _NO_DETAIL.search(self._held, 0, end):
            end = other.end()
        lines, self._held = self._held[:end], self._held[end:]
        self.rows = range(self.row + 1, self.row + 1 + lines.count(b"\r\n"))
        self.row = self.rows[-1]
        return lines

    def _fill(self) -> bool:
        """Is there a whole line? False at the end."""
        while b"\r\n" not in self._held:
            if len(self._held) > _LONGEST_LINE:
                raise wrong(self.row + 1, "太长")
            piece = next(self._pieces, None)
            if piece is None and self._held:
                raise wrong(self.row + 1, "没有写完，内容不完整")
            if piece is None:
                return False
            self._held += piece
        return True


def decoded(lines: bytes) -> str | None:
    """None if one of them is no UTF-8: then each is looked at alone."""
    try:
        return lines.decode("utf-8")
    except UnicodeDecodeError:
        return None


def each_line(lines: bytes, rows: range) -> Iterator[tuple[int, str]]:
    """Whole lines with their numbers, without their ends; BadStatement for the first that is no UTF-8."""
    for row, raw in zip(rows, lines.split(b"\r\n"), strict=False):  # behind the last end there is nothing
        yield row, text_of(raw, row)


def text_of(raw: bytes, row: int) -> str:
    """A line as text; BadStatement."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise wrong(row, "有不能辨认的字符") from None


def wrong(row: int, what: str) -> BadStatement:
    """What is wrong with which line."""
    return BadStatement(f"第{row}行：{what}")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    unpacker = Unpacker()
    while piece := file.read(_PIECE):
        yield from unpacker.feed(piece)
    unpacker.finish()
