"""WeChat Pay's trade bill, type ALL: unpacked, read line by line and added up, or refused with the line's number.

UTF-8 with a BOM, CRLF, a plain header; each cell of a row begins with a backtick and nothing is quoted, so that a name
may hold commas, quotes and bare line feeds. Columns go by their names. Amounts are yuan with at most two decimals, fees
with at most five. A refund stands on the day it was asked for and is never updated later: only the refund interface
says what became of it.
Manual: 微信支付 下载交易账单 (4013071254), 交易账单格式 (2024-11-25).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import BinaryIO

from core.clock import BEIJING
from payments.errors import BadStatement
from payments.gateways.base import Movement, StatementLine
from payments.gateways.blocks import Block, one_by_one
from payments.gateways.wechat.lines import Bill, decoded, each_line, wrong
from payments.gateways.wechat.ordinary import Ordinary

_BOM = "\ufeff"
# REVOKED: a trade by the payer's code at a counter, taken back; never one of ours, but on a shared account.
_MOVEMENTS = {"SUCCESS": Movement.PAYMENT, "REFUND": Movement.REFUND, "REVOKED": Movement.REFUND}
_DECIMALS = {  # the columns that are added up, and how many decimals they may have
    "应结订单金额": 2,
    "退款金额": 2,
    "充值券退款金额": 2,
    "手续费": 5,
    "订单金额": 2,
    "申请退款金额": 2,
}
_COLUMNS = {
    *("交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类"),
    *("微信退款单号", "商户退款单号", "退款状态"),
    *_DECIMALS,
}
_COUNT = "总交易单数"
_TOTALS = {  # the summary's names of the same columns
    "应结订单总金额": "应结订单金额",
    "退款总金额": "退款金额",
    "充值券退款总金额": "充值券退款金额",
    "手续费总金额": "手续费",
    "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}
_YUAN = re.compile(r"(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,5}))?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_REFERENCE = re.compile(r"[0-9A-Za-z]{1,32}")
_WORD = re.compile(r"[0-9A-Za-z_]{1,32}")

# What older files call the columns, of details and of the summary. They have one amount of the order and one of the
# refund where newer ones have two each.
_OLD_NAMES: Mapping[str, tuple[str, ...]] = {
    "应结订单金额": ("总金额",),
    "订单金额": ("总金额",),
    "申请退款金额": ("退款金额",),
    "充值券退款金额": ("代金券或立减优惠退款金额", "企业红包退款金额"),
    "应结订单总金额": ("总交易额",),
    "退款总金额": ("总退款金额",),
    "充值券退款总金额": ("总代金券或立减优惠退款金额", "总企业红包退款金额"),
    "订单总金额": ("总交易额",),
    "申请退款总金额": ("总退款金额",),
}

Cells = dict[str, str]


def read_blocks(file: BinaryIO, day: date, *, mchid: str) -> Iterator[StatementLine | Block]:
    """The lines of a bill, ordinary payments many at a time; totals are compared at its end. BadStatement names the
    line."""
    bill = Bill(file)
    columns = _columns(bill.line() or "")
    sums = dict.fromkeys(_DECIMALS, 0)
    ordinary = Ordinary.of(columns, day, mchid, sums)
    while lines := bill.details():
        text = decoded(lines)
        block, odd = ordinary.read(text, bill.rows) if ordinary and text else (None, each_line(lines, bill.rows))
        if block is not None:
            yield block
        for row, text in odd:
            cells = _cells(text, columns, row)
            for name, decimals in _DECIMALS.items():
                sums[name] += _thousandths(cells, name, decimals, row)
            if (line := _line(cells, row, day, mchid)) is not None:
                yield line
    _check_totals(bill, sums, bill.row - 1)


def read_lines(file: BinaryIO, day: date, *, mchid: str) -> Iterator[StatementLine]:
    """The same, one by one."""
    return one_by_one(read_blocks(file, day, mchid=mchid))


def _line(cells: Cells, row: int, day: date, mchid: str) -> StatementLine | None:
    """One movement; None for what was revoked before any money moved."""
    if cells["商户号"] != mchid:
        raise wrong(row, "“商户号”不是本商户")
    if cells["货币种类"] != "CNY":
        raise wrong(row, "“货币种类”不是人民币")
    movement = _MOVEMENTS.get(cells["交易状态"])
    if movement is None:
        raise wrong(row, "“交易状态”不认识")
    happened_at = _moment(cells, row)
    if happened_at.date() != day:
        raise wrong(row, "“交易时间”不是对账单这一天")
    is_refund, is_revoked = movement is Movement.REFUND, cells["交易状态"] == "REVOKED"
    amount = _thousandths(cells, "申请退款金额" if is_refund else "订单金额", 2, row)
    if is_revoked and amount == 0:
        return None
    if amount <= 0:
        raise wrong(row, "金额不大于零")
    return StatementLine(
        row=row,
        movement=movement,
        number=_matching(cells, "商户订单号", _NUMBER, row),
        reference=_matching(cells, "微信订单号", _REFERENCE, row),
        amount=amount // 1000,
        fee=_thousandths(cells, "手续费", 5, row),
        happened_at=happened_at,
        refund_number=_matching(cells, "商户退款单号", _NUMBER, row) if is_refund and not is_revoked else "",
        refund_reference=_matching(cells, "微信退款单号", _REFERENCE, row) if is_refund and not is_revoked else "",
        their_word=_matching(cells, "退款状态" if is_refund and not is_revoked else "交易状态", _WORD, row),
        app=app if _WORD.fullmatch(app := cells.get("公众账号ID", "")) else "",
    )


def _check_totals(bill: Bill, sums: dict[str, int], count: int) -> None:
    text = bill.line()
    if text is None:
        raise BadStatement("对账单没有合计行，内容不完整")
    names = text.split(",")
    if names[0] != _COUNT or len(set(names)) != len(names) or _lacking(names, _TOTALS):
        raise wrong(bill.row, "既不是明细行，也不是合计的表头")
    text = bill.line() or ""
    row = count + 3  # whether it is there or not
    cells = _cells(text, names, row)
    if cells[_COUNT] != str(count):
        raise wrong(row, "“总交易单数”与明细的行数不一致")
    for name, column in _TOTALS.items():
        if _thousandths(cells, name, _DECIMALS[column], row) != sums[column]:
            raise wrong(row, f"“{name}”与明细相加的结果不一致")
    if bill.line() is not None:
        raise wrong(row + 1, "合计行后面还有内容")


def _columns(header: str) -> list[str]:
    names = header.removeprefix(_BOM).split(",")
    if len(set(names)) != len(names):
        raise wrong(1, "表头有重复的列")
    if missing := _lacking(names, _COLUMNS):
        raise wrong(1, f"表头缺少“{min(missing)}”")
    return names


def _lacking(names: Sequence[str], wanted: Iterable[str]) -> list[str]:
    return [name for name in wanted if not {name, *_OLD_NAMES.get(name, ())} & {*names}]


def _cells(text: str, columns: list[str], row: int) -> Cells:
    """Cut at ",`": the one mark that no cell is documented to hold."""
    cells = text.removeprefix("`").split(",`")
    if not text.startswith("`") or len(cells) != len(columns):
        raise wrong(row, f"应有{len(columns)}列，实有{len(cells)}列")
    found = dict(zip(columns, cells, strict=True))
    for name, older in _OLD_NAMES.items():
        for old in older:
            if old in found:
                found.setdefault(name, found[old])
    return found


def _thousandths(cells: Cells, name: str, decimals: int, row: int) -> int:
    """An amount in yuan, in thousandths of a fen; only what may have five decimals may be negative."""
    found = _YUAN.fullmatch(cells[name])
    if found is None or len(found[3] or "") > decimals or (found[1] and decimals == 2):
        raise wrong(row, f"“{name}”不是金额")
    amount = int(found[2]) * 100_000 + int((found[3] or "").ljust(5, "0"))
    return -amount if found[1] else amount


def _moment(cells: Cells, row: int) -> datetime:
    text = cells["交易时间"]
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:  # a 13th month
        pass
    raise wrong(row, "“交易时间”不是时间")


def _matching(cells: Cells, name: str, pattern: re.Pattern[str], row: int) -> str:
    if not pattern.fullmatch(cells[name]):
        raise wrong(row, f"“{name}”的写法不对")
    return cells[name]
