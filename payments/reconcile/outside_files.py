"""Files of bank, treasury, bureaus and POS terminals as text → rows. docs/reconcile.md has every column.

Strict: a heading, a cell or a control total that is not as documented refuses the file and names the row and field."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from io import StringIO
from types import MappingProxyType
from typing import Any

from core.clock import BEIJING
from core.errors import BadInput
from core.money import Fen, fen
from payments.ledger.chart import CHANNELS, INSURANCES

MOST_ROWS, LARGEST = 200_000, 20 * 1024 * 1024
TOTAL = ("合计", "TOTAL")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?", re.ASCII)
_TRACE_DIGITS = 6


class BadOutsideFile(BadInput):
    """A file that is not as documented; the sentence names row and field."""

    text = "文件第{row}行“{field}”不对：{problem}。整个文件都没有导入。"


class Unfit(ValueError):
    """A cell whose fault has words of its own."""


@dataclass(frozen=True)
class OutsideFile:
    """A file that was read whole: its rows by field, their control total in fen, SHA-256 of what came."""

    kind: str
    rows: Sequence[Mapping[str, Any]]
    total: Fen
    digest: bytes


@dataclass(frozen=True)
class Column:
    """One column: its field, its headings, how a cell is read, whether it may be missing or empty."""

    field: str
    headings: tuple[str, ...]
    read: Callable[[str], Any]
    needed: bool = True


def read(
    kind: str,
    content: bytes,
    departments: Mapping[str, str] = MappingProxyType({}),
    funds: Mapping[str, str] = MappingProxyType({}),
) -> OutsideFile:
    """A file of one of KINDS, whole or not at all; `departments` are those that pay, `funds` those that are collected
    with a premium, code → name. BadOutsideFile."""
    layout, rows = _layout(kind, departments, funds), _lines(content)
    places = _places(layout, rows[0])
    made = [_row(layout, places, number, cells) for number, cells in enumerate(rows[1:-1], 2)]
    _control(rows[-1], len(rows), made)
    _once(made)
    return OutsideFile(kind, made, sum(row["amount"] for row in made), sha256(content).digest())


def template(kind: str) -> bytes:
    """An empty file of one of KINDS, to be filled in: its heads and the line of the sum."""
    heads = ",".join(column.headings[0] for column in KINDS[kind])
    return f"\ufeff{heads}\r\n{TOTAL[0]},0,0.00\r\n".encode()


def _layout(kind: str, departments: Mapping[str, str], funds: Mapping[str, str]) -> list[Column]:
    """A treasury's file names the district's departments as its people do; it and a bureau's have a 险种 for each fund.
    A card pays for an insurance, whatever is in it."""
    ours = {"part": _part(departments)} if kind == "treasury" else {}
    if kind != "pos":
        ours["insurance"] = _word({**INSURANCES, **funds})
    return [replace(each, read=ours.get(each.field, each.read)) for each in KINDS[kind]]


def _lines(content: bytes) -> list[list[str]]:
    if len(content) > LARGEST:
        raise _bad(1, "文件", "太大")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            words = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _bad(1, "文件", "既不是UTF-8也不是GBK")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(StringIO(words), strict=True) if any(row)]
    except csv.Error as error:
        raise _bad(1, "文件", "不是CSV") from error
    if not rows:
        raise _bad(1, "文件", "是空的，也没有合计行")
    if len(rows) < 2 or len(rows) - 2 > MOST_ROWS:
        raise _bad(len(rows), "文件", "没有合计行，或者行数太多")
    return rows


def _places(layout: Sequence[Column], headings: Sequence[str]) -> dict[str, int]:
    known = {heading: column.field for column in layout for heading in column.headings}
    strange = [heading for heading in headings if heading not in known]
    if strange or len(set(headings)) != len(headings):
        raise _bad(1, "、".join(strange) or "表头", "不认识这个列名，或者列名重复")
    places = {known[heading]: place for place, heading in enumerate(headings)}
    for column in layout:
        if column.needed and column.field not in places:
            raise _bad(1, column.headings[0], "缺少这一列")
    return places


def _row(layout: Sequence[Column], places: Mapping[str, int], number: int, cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) != len(places):
        raise _bad(number, "列数", f"应有{len(places)}列，实有{len(cells)}列")
    made: dict[str, Any] = {"row": number}
    for column in layout:
        cell = cells[places[column.field]] if column.field in places else ""
        if not cell and column.needed:
            raise _bad(number, column.headings[0], "是空的")
        try:
            made[column.field] = column.read(cell) if cell else None
        except Unfit as error:
            raise _bad(number, column.headings[0], str(error)) from error
        except ValueError as error:
            raise _bad(number, column.headings[0], "写法不对") from error
    return made


def _control(cells: Sequence[str], number: int, made: Sequence[Mapping[str, Any]]) -> None:
    """The last line says how many rows there are and what they add up to."""
    if len(cells) < 3 or cells[0] not in TOTAL:
        raise _bad(number, "合计", "最后一行要写：合计,笔数,总金额")
    if cells[1] != str(len(made)):
        raise _bad(number, "笔数", f"写的是{cells[1]}，实有{len(made)}")
    try:
        total = _signed(cells[2])
    except ValueError as error:
        raise _bad(number, "总金额", "写法不对") from error
    if total != sum(row["amount"] for row in made):
        raise _bad(number, "总金额", "与各行相加不等")


def _once(made: Sequence[Mapping[str, Any]]) -> None:
    seen: set[object] = set()
    for row in made:
        key = (row.get("terminal"), row["serial"])
        if key in seen:
            raise _bad(row["row"], "编号", "在文件里出现了两次")
        seen.add(key)


def _bad(row: int, field: str, problem: str) -> BadOutsideFile:
    return BadOutsideFile(f"row {row}", row=row, field=field, problem=problem)


def _yuan(cell: str) -> Fen:
    """'1919.94' or '1,919.94', in rows and in the control total alike; ValueError."""
    if "," in cell and not _THOUSANDS.fullmatch(cell):
        raise ValueError(cell)
    return fen(cell.replace(",", ""))


def _money(cell: str) -> Fen:
    amount = _yuan(cell)
    if amount == 0:
        raise ValueError("nothing")
    return amount


def _signed(cell: str) -> Fen:
    """An amount, or with a minus what went back."""
    return -_yuan(cell[1:]) if cell.startswith("-") else _yuan(cell)


def _booked(cell: str) -> Fen:
    """What the treasury booked: less than nothing on a day on which more went back than came."""
    return _signed(cell) if cell.startswith("-") else _money(cell)


def _plain(pattern: str) -> Callable[[str], str]:
    def take(cell: str) -> str:
        if not re.fullmatch(pattern, cell):
            raise ValueError(pattern)
        return cell

    return take


def _word(table: Mapping[str, str], also: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A code of ours, its Chinese name, or what others call it `also`."""
    codes = {name: code for code, name in table.items()} | {code: code for code in table} | dict(also or {})

    def take(cell: str) -> str:
        if cell not in codes:
            raise ValueError(cell)
        return codes[cell]

    return take


def pledge_in(words: str) -> str:
    """The number of a pledge that the words of a payer hold; empty for none. Nothing else of them is kept."""
    found = _PLEDGE.search(words.upper())
    return found.group() if found else ""


def _part(departments: Mapping[str, str]) -> Callable[[str], str]:
    """`premium`, or `<part>:<payer>` of a subsidy; a name we have words for, or codes as they are."""
    known = _PARTS | {f"{name}{_SUBSTITUTE}": f"gov_substitute:{code}" for code, name in departments.items()}

    def take(cell: str) -> str:
        if cell.endswith(_SUBSTITUTE) and cell not in known:
            raise Unfit("本区的付款单位里没有它")
        return known.get(cell) or _plain(r"premium|[a-z_]{1,30}:[a-z_]{1,30}")(cell)

    return take


def _trace(cell: str) -> str:
    """A terminal's number of a trade: six digits, or whatever has letters in it. Fewer digits are a number that a
    spreadsheet took the zeros from, and another number: nobody guesses how many."""
    if cell.isdigit() and len(cell) < _TRACE_DIGITS:
        raise Unfit(f"只有{len(cell)}位，前面的0被表格软件去掉了；请把这一列设成“文本”，从终端重新导出")
    return _plain(r"[0-9A-Za-z]{1,20}")(cell)


def _moment(cell: str) -> datetime:
    return datetime.strptime(cell, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


_PARTS = {
    "保费": "premium",
    "财政补助": "gov_subsidy:finance",
    "财政补贴": "gov_subsidy:finance",
    "计生补贴": "couple_bonus:finance",
}
_SUBSTITUTE = "代缴"
_PLEDGE = re.compile(r"(?<![0-9A-Z])ZZ[0-9]{10}(?![0-9A-Z])")
_SERIAL = _plain(r"[0-9A-Za-z-]{1,40}")
_INSURANCE = Column("insurance", ("险种", "insurance"), _word(INSURANCES))
_YEAR = Column("levy_year", ("年度", "levy_year"), lambda cell: int(_plain(r"20[0-9]{2}")(cell)))
_AMOUNT = Column("amount", ("金额", "amount"), _money)
_INTO_TREASURY = Column("booked_on", ("入库日期", "入账日期", "确认日期", "booked_on"), date.fromisoformat)
_BOOKED = Column("booked_on", ("入账日期", "入库日期", "确认日期", "booked_on"), date.fromisoformat)
_DEMAND = Column("demand", ("代缴账单号", "demand"), _SERIAL, needed=False)
_ID = ("身份证号", "id_number")
KINDS: Mapping[str, Sequence[Column]] = {
    "bank": (
        Column("serial", ("银行流水号", "serial"), _SERIAL),
        _BOOKED,
        _AMOUNT,
        Column("channel", ("渠道", "channel"), _word(CHANNELS | {"cash": "现金"}, {"银联": "unionpay"}), needed=False),
        Column("day", ("业务日期", "day"), date.fromisoformat, needed=False),
        Column("until", ("业务日期止", "until"), date.fromisoformat, needed=False),
        Column("batch", ("批次号", "batch"), _SERIAL, needed=False),
        Column("slip", ("存款凭条号", "凭条号", "slip"), _SERIAL, needed=False),
        _DEMAND,
        Column("pledge", ("附言", "摘要", "memo"), pledge_in, needed=False),
    ),
    "treasury": (
        Column("serial", ("税票号", "serial"), _SERIAL),
        _INTO_TREASURY,
        Column("day", ("业务日期", "day"), date.fromisoformat),
        _INSURANCE,
        _YEAR,
        Column("part", ("类别", "part"), _part({})),
        Column("amount", ("金额", "amount"), _booked),
        _DEMAND,
    ),
    "bureau": (
        Column("serial", ("记录号", "serial"), _SERIAL),
        _INSURANCE,
        _YEAR,
        Column("id_number", _ID, _plain(r"[0-9]{17}[0-9Xx]|[A-Za-z][0-9]{9}")),
        Column("amount", ("个人缴费", "amount"), _yuan),
        Column("day", ("缴费日期", "day"), date.fromisoformat),
        _BOOKED,
        Column("part", ("动作", "action"), _word({"PAY": "缴费", "REVERSE": "退费"})),
    ),
    "pos": (
        Column("terminal", ("终端号", "terminal"), _plain(r"[0-9A-Za-z]{1,20}")),
        Column("serial", ("流水号", "trace"), _trace),
        Column("village", ("村居", "village"), str, needed=False),
        Column("card", ("卡号后四位", "card"), _plain(r"[0-9]{4}"), needed=False),
        _AMOUNT,
        Column("happened_at", ("时间", "time"), _moment),
        Column("item", ("项目号", "item"), lambda cell: int(_plain(r"[0-9]{1,19}")(cell)), needed=False),
        Column("id_number", _ID, _plain(r"[0-9]{17}[0-9Xx]|[A-Za-z][0-9]{9}"), needed=False),
        Column("insurance", ("险种", "insurance"), _word(INSURANCES), needed=False),
    ),
}
