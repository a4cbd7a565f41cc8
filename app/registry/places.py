"""Reads the district's towns and villages (镇街、村居) as a bureau lists them: one row a village, CSV or .xlsx."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, load_workbook

from app.registry.cells import plain
from app.registry.lines import look_through, records
from app.registry.workbook import BadFile
from app.registry.workbook import look_through as look_through_workbook

COLUMNS = ("镇街代码", "镇街名称", "村居代码", "村居名称")
_SHOWN = 20
_LONGEST = 40


@dataclass(frozen=True)
class Places:
    """`towns`: code of 9 digits → name; `villages`: (code of 12 digits, name), in the town its code begins with."""

    towns: dict[str, str]
    villages: list[tuple[str, str]]


def read_places(path: Path) -> Places:
    """The whole file or nothing. BadFile names every row that is wrong, twenty at most, and what is wrong with it."""
    rows = iter(_rows(path))
    where = _header(next(rows, (0, []))[1])
    towns: dict[str, str] = {}
    villages: dict[str, str] = {}
    wrong: list[str] = []
    for number, cells in rows:
        row = [plain(cells[place]) if place < len(cells) else "" for place in where]
        if not any(row):
            continue
        trouble = _trouble(row, towns, villages)
        if trouble:
            wrong.append(f"第{number}行：{trouble}")
        else:
            towns[row[0]], villages[row[2]] = row[1], row[3]
    if wrong:
        more = f"；还有{len(wrong) - _SHOWN}行" if len(wrong) > _SHOWN else ""
        raise BadFile(why="；".join(wrong[:_SHOWN]) + more)
    if not villages:
        raise BadFile(why="表头下面一行也没有")
    return Places(towns, list(villages.items()))


def _rows(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    with path.open("rb") as raw:
        if raw.read(2) != b"PK":
            raw.seek(0)
            _, encoding, _ = look_through(raw)
            raw.seek(0)
            with TextIOWrapper(raw, encoding=encoding, newline="") as text:
                yield from records(text)
            return
    look_through_workbook(path)
    try:
        yield from enumerate(load_workbook(str(path)).get_sheet_by_index(0).to_python(), 1)
    except (CalamineError, OSError) as error:
        raise BadFile(why="第一张工作表打不开") from error


def _header(cells: Sequence[Any]) -> list[int]:
    found = [plain(cell) for cell in cells]
    if missing := [name for name in COLUMNS if found.count(name) != 1]:
        raise BadFile(why=f"第1行要有表头{'、'.join(COLUMNS)}，缺少或重复：{'、'.join(missing)}")
    return [found.index(name) for name in COLUMNS]


def _trouble(row: Sequence[str], towns: dict[str, str], villages: dict[str, str]) -> str:
    town, town_name, village, name = row
    if not re.fullmatch(r"[0-9]{9}", town):
        return "镇街代码不是9位数字（单元格要设为文本）"
    if not re.fullmatch(r"[0-9]{12}", village) or not village.startswith(town):
        return "村居代码不是以镇街代码开头的12位数字（单元格要设为文本）"
    if not (0 < len(town_name) <= _LONGEST and 0 < len(name) <= _LONGEST):
        return f"镇街名称、村居名称都要填，最多{_LONGEST}个字"
    if towns.get(town, town_name) != town_name:
        return f"镇街{town}在上面叫“{towns[town]}”，这里叫“{town_name}”"
    if village in villages:
        return f"村居代码{village}上面已经有了"
    return ""
