"""UnionPay's reconciliation file: Base64 of a zlib stream of a ZIP that holds fixed-width texts in GBK.

ZM are normal trades, ZME errors and adjustments. Columns are counted in GBK bytes, one blank after each; amounts are
fen, left-padded with zeros; a signed amount begins with C (towards us) or D (from us). There is no total and no tail:
each line proves itself by amount, fee and settled amount, the file by the ZIP's checksum and the answer's signature.
"""

import base64
import codecs
import logging
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import BinaryIO

from core.clock import BEIJING
from payments.errors import BadStatement
from payments.gateways.base import Movement, StatementLine
from payments.gateways.unionpay.reading import nearest_year

log = logging.getLogger(__name__)

LARGEST_ZIP = 64 * 1024 * 1024
LARGEST_TEXT = 1024 * 1024 * 1024  # of all files in the ZIP, unpacked: 1.7 million lines
MOST_FILES = 20
PIECE = 64 * 1024
_ZM_WIDTHS = (
    *(3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32),
    *(13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98),
)
_ZME_WIDTHS = (3, 11, 11, 6, 10, 19, 12, 4, 2, 2, 6, 10, 4, 12, 13, 13, 15, 15, 1, 12, 2, 135)
_FILE_NAME = re.compile(
    r"INN(?P<stamp>[0-9A-Za-z]{8})(?P<kind>[A-Z]{2,12})_(?P<mer_id>[0-9A-Za-z]{15})(?:\.txt)?", re.ASCII
)
_PLAIN = re.compile(rb"[ -~\x80-\xfe]*")
_NO_FLAGS = ~(0x0006 | 0x0008 | 0x0800)  # levels of packing, a trailing size, names in UTF-8; no encryption, no patches
_MOVEMENTS = {"01": Movement.PAYMENT, "04": Movement.REFUND, "31": Movement.REFUND}
_SIGNS = {"C": 1, "D": -1}
_BY_SIGN = {1: Movement.PAYMENT, -1: Movement.REFUND}


@dataclass(frozen=True)
class Layout:
    """Where the columns of a kind of file lie, by their number in the manual, and how long a line is."""

    kind: str
    columns: Mapping[int, slice]
    length: int
    longer: int  # by how much the last column may be longer: some pages give one byte more

    @classmethod
    def of(cls, kind: str, widths: Sequence[int], longer: int = 0) -> "Layout":
        """From the columns' widths."""
        ends = list(accumulate(width + 1 for width in widths))
        places = enumerate(zip(widths, ends, strict=True), start=1)
        return cls(kind, {n: slice(end - 1 - width, end - 1) for n, (width, end) in places}, ends[-1] - 1, longer)


_LAYOUTS = {"ZM": Layout.of("ZM", _ZM_WIDTHS, longer=1), "ZME": Layout.of("ZME", _ZME_WIDTHS)}


def unpacked_to(content: str, into: BinaryIO) -> None:
    """Write the ZIP inside an answer's fileContent, at most 64 MB of it; BadStatement."""
    stream = zlib.decompressobj()
    try:
        packed, written = memoryview(base64.b64decode("".join(content.split()), validate=True)), 0
        for start in range(0, len(packed), PIECE):
            waiting = bytes(packed[start : start + PIECE])
            while waiting:
                if stream.eof:
                    raise BadStatement("对账文件后面还有东西")
                piece = stream.decompress(waiting, PIECE)
                waiting, written = stream.unconsumed_tail or stream.unused_data, written + len(piece)
                if written > LARGEST_ZIP:
                    raise BadStatement("对账文件解压后太大")
                into.write(piece)
    except (ValueError, zlib.error):
        raise BadStatement("对账文件的编码不对") from None
    if not stream.eof:
        raise BadStatement("对账文件不完整")


def lines_of(file: BinaryIO, day: date, *, mer_id: str) -> Iterator[StatementLine]:
    """The lines of a settlement day's ZIP, normal trades first, numbered through all files; BadStatement.

    Errors and adjustments (ZME) have no number of ours: they come with an empty one and the original's trace as their
    word, so that a person finds them; nothing is left out."""
    row = 0
    try:
        with zipfile.ZipFile(file) as packed:
            for member, layout in _members(packed, day, mer_id):
                with packed.open(member) as text:
                    for at, line in enumerate(_lines(text, layout), start=1):
                        row += 1
                        parted = _parted(line, layout, f"{layout.kind} 第{at}行：")
                        yield (_trade if layout.kind == "ZM" else _adjustment)(parted, row, day, mer_id)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OverflowError, ValueError) as error:
        raise BadStatement(f"对账压缩包损坏：{type(error).__name__}") from None


def _members(packed: zipfile.ZipFile, day: date, mer_id: str) -> list[tuple[zipfile.ZipInfo, Layout]]:
    """The files to read, ZM before ZME. Other kinds of ours (PED, fees) repeat in sums what these say by line: they are
    named in the log. A file we do not know may only be empty: nothing is passed over in silence."""
    infos = packed.infolist()
    if len(infos) > MOST_FILES or len({info.filename for info in infos}) < len(infos):
        raise BadStatement("对账压缩包里文件太多或重名")
    if sum(info.file_size for info in infos) > LARGEST_TEXT:
        raise BadStatement("对账压缩包解压后太大")
    found: list[tuple[zipfile.ZipInfo, Layout]] = []
    for info in infos:
        if info.flag_bits & _NO_FLAGS or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadStatement("对账压缩包的压缩方式不对")
        name = _FILE_NAME.fullmatch(info.filename)
        if name is None:
            if info.file_size:
                raise BadStatement("对账压缩包里有不认识的文件")
            continue
        if name["mer_id"] != mer_id:
            raise BadStatement("对账压缩包里有别的商户的文件")
        if not _is_of(name["stamp"], day):
            raise BadStatement("对账压缩包是另一天的")
        if layout := _LAYOUTS.get(name["kind"]):
            found.append((info, layout))
        else:
            log.warning("unionpay statement %s: a file of another kind, %s, not read", day, name["kind"])
    if not found:
        raise BadStatement("对账压缩包里没有对账文件")
    return sorted(found, key=lambda one: one[1].kind)  # ZM before ZME


def _is_of(stamp: str, day: date) -> bool:
    """Is this stamp (YYMMDD and two more) near the day? It is asked for without its year, so that the file of another
    year would be possible. A stamp of another form says nothing."""
    try:
        named = datetime.strptime(stamp[:6], "%y%m%d").replace(tzinfo=BEIJING).date()
    except ValueError:
        return True
    return abs(named - day) <= timedelta(days=1)


def _lines(text: BinaryIO | zipfile.ZipExtFile, layout: Layout) -> Iterator[bytes]:
    """Lines without their ends, none longer than it may be."""
    while line := text.readline(layout.length + layout.longer + 3):
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def _parted(line: bytes, layout: Layout, place: str) -> "_Row":
    if not 0 <= len(line) - layout.length <= layout.longer:
        raise BadStatement(f"{place}长度是{len(line)}字节，应为{layout.length}")
    columns = {number: line[part] for number, part in layout.columns.items()}
    columns[max(columns)] = line[layout.columns[max(columns)].start :]
    if any(line[part.stop : part.stop + 1] not in (b" ", b"") for part in list(layout.columns.values())[:-1]):
        raise BadStatement(f"{place}各列没有对齐")
    for number, column in columns.items():
        if not _PLAIN.fullmatch(column) or not _is_gbk(column):
            raise BadStatement(f"{place}第{number}列有认不出的字")
    return _Row(columns, place)


def _is_gbk(column: bytes) -> bool:
    """A text cut at the column's width may end with half a character."""
    try:
        codecs.getincrementaldecoder("gbk")().decode(column)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Row:
    """One line's columns by number, and what to say about it when it is wrong."""

    columns: Mapping[int, bytes]
    place: str

    def matching(self, number: int, pattern: str) -> str:
        """A column without its padding; BadStatement unless it has the form."""
        value = self.columns[number].decode("ascii", "replace").strip(" ")
        if not re.fullmatch(pattern, value):
            raise BadStatement(f"{self.place}第{number}列不对")
        return value

    def signed(self, number: int) -> int:
        """X+n12: fen, positive towards us. An empty one is none."""
        value = self.matching(number, "(?:[CD][0-9]{12})?")
        return _SIGNS[value[0]] * int(value[1:]) if value else 0

    def direction(self, amount: int, fee: int, settled: int, discount: int = 0) -> int:
        """Which way the money went (1 or -1), proven by amount, fee and what is settled; BadStatement.

        What a discount of UnionPay's leaves may be settled instead of the amount."""
        for sign in (1, -1):
            if settled in {sign * (amount - off) + fee for off in (0, abs(discount))}:
                return sign
        raise BadStatement(f"{self.place}金额、手续费和清算金额对不上")


def _trade(row: _Row, number: int, day: date, mer_id: str) -> StatementLine:
    row.matching(28, re.escape(mer_id))
    kind = row.matching(20, "[0-9]{2}")
    amount, fee = int(row.matching(7, "[0-9]{12}")), row.signed(16)
    sign = row.direction(amount, fee, row.signed(17), row.signed(36))
    movement = _MOVEMENTS.get(kind, _BY_SIGN[sign])
    if amount and movement is not _BY_SIGN[sign]:
        raise BadStatement(f"{row.place}资金方向与交易类型不符")
    own, theirs = row.matching(12, "[0-9A-Za-z]{0,32}"), row.matching(10, "[0-9A-Za-z]{20,21}")
    is_refund = movement is Movement.REFUND
    return StatementLine(
        row=number,
        movement=movement,
        number=row.matching(41, "[0-9A-Za-z]{0,32}") if is_refund else own,
        reference=row.matching(27, "(?:[0-9A-Za-z]{20,21})?") if is_refund else theirs,
        amount=amount,
        fee=-fee * 1000,
        happened_at=_moment(row, day),
        refund_number=own if is_refund else "",
        refund_reference=theirs if is_refund else "",
        their_word=f"{kind}{row.matching(21, '[0-9]{2}')}",
    )


def _adjustment(row: _Row, number: int, day: date, mer_id: str) -> StatementLine:
    row.matching(18, re.escape(mer_id))
    amount, fee = int(row.matching(7, "[0-9]{12}")), row.signed(15)
    sign = row.direction(amount, fee, row.signed(16))
    original = "/".join(
        (row.matching(11, "[0-9]{0,6}"), row.matching(12, "[0-9]{0,10}"), row.matching(13, "[0-9]{0,4}"))
    )
    return StatementLine(
        row=number,
        movement=_BY_SIGN[sign],
        number="",
        reference="",
        amount=amount,
        fee=-fee * 1000,
        happened_at=_moment(row, day),
        their_word=f"ZME {row.matching(1, '[0-9A-Z]{3}')} {original}",
    )


def _moment(row: _Row, day: date) -> datetime:
    """Column 5 has no year: the one that brings it closest to the settlement day."""
    moment = nearest_year(row.matching(5, "[0-9]{10}"), datetime.combine(day, time(11), BEIJING))
    if moment is None:
        raise BadStatement(f"{row.place}第5列不是时间")
    return moment
