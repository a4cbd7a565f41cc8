"""Reading a day's bill: a zip of two GBK files, of which the detail is read line by line and its totals recomputed.

Constant memory. Manual: alipay.data.dataservice.bill.downloadurl.query. Every departure from the documented form names
its line. Other systems may share the account: what nobody can read of a line that is none of ours is counted, named in
the log and left out, and the totals tell whether money was left out with it.
"""

import logging
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import IO, BinaryIO

from core.clock import BEIJING
from core.money import Fen, fen, yuan
from payments.errors import BadStatement
from payments.gateways.base import Movement, StatementLine

log = logging.getLogger(__name__)

LARGEST_MEMBER = 512 * 1024 * 1024
LONGEST_LINE = 16 * 1024
LARGEST_DIRECTORY = 4096
HARMLESS_FLAGS = 0x80E  # how well it is packed, sizes behind the content, names in UTF-8
MOST_PER_PACKED_BYTE = 200  # such lists pack to a tenth; a bomb to a thousandth

MOVEMENTS = {"交易": Movement.PAYMENT, "退款": Movement.REFUND}
NEEDED = ("支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额", "商家实收", "商家优惠")
NEEDED += ("退款批次号/请求号", "服务费")

_TITLE = "#支付宝业务明细查询"
_LIST = re.compile(r"#-+业务明细列表-+")
_LIST_END = re.compile(r"#-+业务明细列表结束-+")
_PERIOD = re.compile(
    r"#起始日期：\[(\d{4}年\d\d月\d\d日 \d\d:\d\d:\d\d)\]\s*终止日期：\[(\d{4}年\d\d月\d\d日 \d\d:\d\d:\d\d)\]"
)
_TOTALS = (
    (Movement.PAYMENT, re.compile(r"#交易合计：(\d+)笔，商家实收共(-?[0-9.]+)元，?商家优惠共(-?[0-9.]+)元")),
    (Movement.REFUND, re.compile(r"#退款合计：(\d+)笔，商家实收退款共(-?[0-9.]+)元，?商家优惠退款共(-?[0-9.]+)元")),
)
_FREE_TEXTS = ("商品名称", "券名称", "备注")
_OURS = re.compile(r"\bY[CT][0-9]{6}[0-9A-Z]{18}\b", re.ASCII)  # a payment's number, or a refund's
_EXPORTED = re.compile(r"#导出时间：\[[^\]]*\]")
_BRACKETED = re.compile(r"[（(][^（()）]*[)）]|\s")
_REFERENCE = re.compile(r"[0-9]{16,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_DIRECTORY_END = struct.Struct("<4s4H2LH")


@dataclass
class _Sum:
    """What one kind of movement comes to."""

    count: int = 0
    received: Fen = 0
    discount: Fen = 0

    def add(self, received: Fen, discount: Fen) -> None:
        """One more movement."""
        self.count, self.received, self.discount = self.count + 1, self.received + received, self.discount + discount


@dataclass
class _Detail:
    """The detail file while it is read: the last line's number, and the sums so far."""

    file: IO[bytes]
    row: int = 0
    left_out: int = 0
    sums: dict[Movement, _Sum] = field(default_factory=lambda: {movement: _Sum() for movement in Movement})

    def line(self) -> str:
        """The next line without its end; BadStatement at the end of the file or for bytes that are no GBK."""
        self.row += 1
        raw = self.file.readline(LONGEST_LINE + 1)
        if not raw.endswith(b"\n"):
            raise self.bad("一行太长" if len(raw) > LONGEST_LINE else "文件不完整")
        try:
            return raw.decode("gb18030").rstrip("\r\n")
        except UnicodeDecodeError:
            raise self.bad("有不是汉字编码的字节") from None

    def bad(self, why: str) -> BadStatement:
        """What is wrong, and where."""
        return BadStatement(f"第{self.row}行：{why}")


def read_bill(file: BinaryIO, day: date, *, seller_id: str) -> Iterator[StatementLine]:
    """The movements of a zip as `fetch_bill` wrote it; `row` counts the lines of the detail file. BadStatement.

    amount is the order's amount. fee is what they keep of a payment or give back on a refund, whichever sign
    the file writes it with."""
    with _detail_file(_small_directory(file), day, seller_id) as held:
        try:
            yield from _lines(_Detail(held), day, seller_id)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BadStatement(f"压缩包坏了：{type(error).__name__}") from error


def _small_directory(file: BinaryIO) -> BinaryIO:
    """The file, if its directory is one of few members: it is read into memory as a whole."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _DIRECTORY_END.size - 0xFFFF))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _DIRECTORY_END.size:
        raise BadStatement("不是压缩包")
    _, _, _, _, members, size, _, _ = _DIRECTORY_END.unpack_from(tail, at)
    if members != 2 or size > LARGEST_DIRECTORY:
        raise BadStatement("压缩包里的文件不是应有的两个")
    file.seek(0)
    return file


def _detail_file(file: BinaryIO, day: date, seller_id: str) -> IO[bytes]:
    """The detail, unpacked as it is read; whatever the library finds wrong with the zip is BadStatement."""
    try:
        archive = zipfile.ZipFile(file)
        return archive.open(_detail_of(archive, day, seller_id))
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError, struct.error) as error:
        raise BadStatement(f"压缩包坏了：{type(error).__name__}") from error


def _detail_of(archive: zipfile.ZipFile, day: date, seller_id: str) -> zipfile.ZipInfo:
    """The detail's member, if the two members are exactly those of this merchant and day, and honestly packed."""
    stem = f"{seller_id}0156_{day:%Y%m%d}_业务明细"
    names = {_name_of(member).replace("（", "(").replace("）", ")"): member for member in archive.infolist()}
    if set(names) != {f"{stem}.csv", f"{stem}(汇总).csv"} or len(archive.infolist()) != 2:
        raise BadStatement("压缩包里的文件不是这个商户这一天的明细和汇总")
    for member in names.values():
        if member.flag_bits & ~HARMLESS_FLAGS or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise BadStatement("压缩包加了密或用了别的压缩方法")
        if member.file_size > min(LARGEST_MEMBER, MOST_PER_PACKED_BYTE * max(member.compress_size, 1)):
            raise BadStatement("压缩包里的文件大得不合理")
    return names[f"{stem}.csv"]


def _name_of(member: zipfile.ZipInfo) -> str:
    """Their names are GBK without saying so; `zipfile` then reads them as code page 437."""
    if member.flag_bits & 0x800:
        return member.orig_filename
    try:
        return member.orig_filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        raise BadStatement("压缩包里的文件名不是汉字编码") from None


def _lines(detail: _Detail, day: date, seller_id: str) -> Iterator[StatementLine]:
    _check_head(detail, day, seller_id)
    columns = _columns(detail)
    while not (text := detail.line()).startswith("#"):
        try:
            yield _movement(detail, _cells(detail, text, columns), day)
        except BadStatement:
            if _OURS.search(text) or text.count(",") + 1 < len(columns):
                raise
            _leave_out(detail, text, columns, day)
    if detail.left_out:
        log.warning("alipay bill of %s: %s lines of other systems left out", day, detail.left_out)
    if not _LIST_END.fullmatch(text.strip()):
        raise detail.bad("明细之间有别的内容")
    for movement, form in _TOTALS:
        _check_total(detail, movement, form)
    if not _EXPORTED.fullmatch(detail.line().strip()):
        raise detail.bad("应当是导出时间")
    if detail.file.read(1):
        detail.row += 1
        raise detail.bad("末尾还有别的内容")


def _check_head(detail: _Detail, day: date, seller_id: str) -> None:
    if detail.line().strip() != _TITLE:
        raise detail.bad("不是业务明细")
    if detail.line().strip() != f"#账号：[{seller_id}0156]":
        raise detail.bad("不是我们的账号")
    period = _PERIOD.fullmatch(detail.line().strip())
    first = f"{day:%Y年%m月%d日} 00:00:00"
    ends = {f"{day + timedelta(days=1):%Y年%m月%d日} 00:00:00", f"{day:%Y年%m月%d日} 23:59:59"}
    if period is None or period[1] != first or period[2] not in ends:
        raise detail.bad("不是这一天")
    if not _LIST.fullmatch(detail.line().strip()):
        raise detail.bad("应当是明细列表的开头")


def _columns(detail: _Detail) -> list[str]:
    """The header's names without blanks and brackets: '订单金额（元）' is written in several ways over the years."""
    names = [_BRACKETED.sub("", name) for name in detail.line().split(",")]
    missing = [name for name in NEEDED if name not in names]
    if missing or len(set(names)) != len(names):
        raise detail.bad(f"表头缺少{'、'.join(missing)}" if missing else "表头有重复的列")
    return names


def _cells(detail: _Detail, text: str, columns: list[str]) -> dict[str, str]:
    """Cells end in a TAB so that spreadsheets leave them alone. Nothing is quoted: a comma in a name shifts a row."""
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != len(columns):
        raise detail.bad(f"有{len(cells)}列，应当是{len(columns)}列")
    return dict(zip(columns, cells, strict=True))


def _leave_out(detail: _Detail, text: str, columns: list[str], day: date) -> None:
    """Count a line of another system's. Commas in one of its free texts give it more cells than the header has; it
    belongs to the totals all the same, by the reading that puts dates and amounts where they stand."""
    detail.left_out += 1
    cells = text.split(",")
    end = len(cells) - len(columns) + 1
    for place in (at for at, name in enumerate(columns) if name in _FREE_TEXTS):
        joined = [*cells[:place], ",".join(cells[place : place + end]), *cells[place + end :]]
        with suppress(BadStatement):
            _movement(detail, dict(zip(columns, (cell.strip() for cell in joined), strict=True)), day)
            return


def _movement(detail: _Detail, cells: Mapping[str, str], day: date) -> StatementLine:
    movement = MOVEMENTS.get(cells["业务类型"])
    if movement is None:
        raise detail.bad("业务类型不认识")
    if not _REFERENCE.fullmatch(cells["支付宝交易号"]):
        raise detail.bad("支付宝交易号不对")
    sign = -1 if movement is Movement.REFUND else 1  # a refund's amounts are negative
    amount = sign * _signed(detail, cells["订单金额"])
    received, discount = (_signed(detail, cells[name]) for name in ("商家实收", "商家优惠"))
    if amount < 0 or sign * received < 0:
        raise detail.bad("金额的正负与业务类型不符")
    line = StatementLine(
        row=detail.row,
        movement=movement,
        number=cells["商户订单号"],
        reference=cells["支付宝交易号"],
        amount=amount,
        fee=sign * abs(_signed(detail, cells["服务费"])) * 1000,
        happened_at=_moment(detail, cells["完成时间"], day),
        refund_number=cells["退款批次号/请求号"] if movement is Movement.REFUND else "",
        their_word=cells["业务类型"],
    )
    detail.sums[movement].add(received, discount)
    return line


def _check_total(detail: _Detail, movement: Movement, form: re.Pattern[str]) -> None:
    found, counted = form.fullmatch(detail.line().strip()), detail.sums[movement]
    if found is None:
        raise detail.bad("应当是合计")
    if int(found[1]) != counted.count:
        raise detail.bad(f"合计写的是{found[1]}笔，明细有{counted.count}笔")
    for text, sum_ in ((found[2], counted.received), (found[3], counted.discount)):
        if abs(_signed(detail, text)) != abs(sum_):  # refunds are totalled with a minus or without
            raise detail.bad(f"合计写的是{text}元，明细加起来是{yuan(sum_)}元")


def _signed(detail: _Detail, text: str) -> Fen:
    """'-12.30' → -1230; BadStatement, whose text leaves out what stood there."""
    try:
        return -fen(text[1:]) if text.startswith("-") else fen(text)
    except ValueError:
        raise detail.bad("金额不对") from None


def _moment(detail: _Detail, text: str, day: date) -> datetime:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=BEIJING) if _MOMENT.fullmatch(text) else None
    except ValueError:  # a 13th month
        moment = None
    if moment is None or moment.date() != day:
        raise detail.bad("完成时间不对，或不是这一天")
    return moment
