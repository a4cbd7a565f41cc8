"""The police's file as it comes, row by row: who it is, what they say of him, since which day; and what is wrong with
the others. The same reader as a department's list; its remarks are read by nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.flows.parts import Parts
from app.registry.cells import Bad, day, plain
from app.registry.failures import REASONS, Failure
from app.registry.helped_list import HelpedList, Line
from app.registry.identity import clean_id_number, clean_name
from app.registry.lines import Torn
from app.registry.police import WORDS, Code
from app.registry.row import id_number_of, name_of
from app.registry.workbook import BadFile
from core.redact import mask_id, mask_name, scrub

TOGETHER, LONGEST = 2_000, 12
CODE, DAY = "category", "valid_to"  # the reader's columns whose merged cells speak for many rows
COLUMNS = {
    **dict.fromkeys(("事项", "类别", "类型", "变动类型", "变更类型", "业务类型", "人员状态", "状态", "情况"), CODE),
    **dict.fromkeys(("日期", "死亡日期", "死亡时间", "注销日期", "注销时间", "迁出日期", "迁出时间"), DAY),
    **dict.fromkeys(("迁入日期", "迁入时间", "变动日期", "变更日期", "办理日期", "业务日期", "时间"), DAY),
}
_NAMED = {"id_number": "身份证号", "name": "姓名", CODE: "事项", DAY: "日期", "": ""}
OWN = {
    "CODE_UNKNOWN": "不认识这种写法，请改成：死亡、户口注销、迁出、迁入、免缴老人",
    "EMPTY": "这一格空着，请补上",
    "DATE_SHAPE": "不是日期，请写成 1970-05-01 这样",
    "DATE_FUTURE": "这一天还没有到，请核对日期",
    "NAME_ID_MISMATCH": "这个身份证号登记的是另一个姓名，没有收；已经转给主管局核对，不用改",
    "SAID_TWICE": "与{where}是同一个人、同一件事，只收了那一行，这一行不用改",
}


@dataclass(frozen=True)
class Named:
    """A row whose number the register has under another name."""

    person_id: int
    name: str


@dataclass
class Read:
    """Some thousand rows: how many; (person, code) → the day; what is wrong with others; whose name is another one; how
    many are in no register of ours, and of nobody's business here."""

    rows: int = 0
    words: dict[tuple[int, Code], date | None] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    unknown: int = 0


class PoliceFile:
    """An opened file. `code`: what all its rows say, where it has no column for that. What `held` skipped, ignored and
    did not see is complete once it was read to its end."""

    def __init__(self, parts: Parts, path: Path, *, code: Code | None) -> None:
        self._parts, self._code = parts, code
        self.held = HelpedList(path, COLUMNS)
        self._seen: dict[tuple[int, Code], str] = {}

    def read(self, connection: Connection) -> Iterator[Read]:
        """Piece by piece. BadFile."""
        lines = self._lines()
        while chunk := list(islice(lines, TOGETHER)):
            yield self._read(connection, chunk)

    def _lines(self) -> Iterator[Line]:
        for line in self.held.lines():
            if missing := line.columns.missing:
                raise BadFile(why=f"找不到这些列：{'、'.join(missing)}")
            if self._code is None and CODE not in line.columns.places:
                raise BadFile(why="没有“事项”一列。一份名单全是一件事的，请在上传时选好是哪一件")
            yield line

    def _read(self, connection: Connection, chunk: Sequence[Line]) -> Read:
        read = Read(len(chunk))
        whole = [(line, found) for line in chunk if (found := self._cells(read, line)) is not None]
        known = self._known(connection, [number for _, (number, _, _, _) in whole])
        for line, (number, name, code, on) in whole:
            held = known.get(number)
            if held is None:
                read.unknown += 1
            elif held[1] != name:
                read.named.append(Named(held[0], name))
                read.failures.append(_failure(line, "name", "NAME_ID_MISMATCH"))
            elif (first := self._seen.setdefault((held[0], code), line.place)) != line.place:
                read.failures.append(_failure(line, CODE, "SAID_TWICE", where=first))
            else:
                read.words[held[0], code] = on
        return read

    def _cells(self, read: Read, line: Line) -> tuple[str, str, Code, date | None] | None:
        """Number, name, what, since when; None with what is wrong told."""
        today, where = self._parts.clocks.today(), ""
        try:
            if isinstance(line.cells, Torn):
                raise Bad("LINE_BREAK", first=line.cells.first, last=line.cells.last)
            where = "id_number"
            number = id_number_of(line.columns.cell(line.cells, where), today=today)
            where = "name"
            name = name_of(line.columns.cell(line.cells, where))
            where = CODE
            code = self._code_of(line)
            where = DAY
            on = day(line.columns.cell(line.cells, where), today=today, day_0=self.held.source.day_0)
        except Bad as bad:
            read.failures.append(_failure(line, where, bad.code, **bad.words))
            return None
        return number, name, code, on

    def _code_of(self, line: Line) -> Code:
        written = "".join(plain(line.columns.cell(line.cells, CODE)).split())
        found = WORDS.get(written) or (self._code if not written else None)
        if found is None:
            raise Bad("CODE_UNKNOWN" if written else "EMPTY")
        return found

    def _known(self, connection: Connection, numbers: Sequence[str]) -> dict[str, tuple[int, str]]:
        vault = self._parts.vault
        by_index = {vault.index(number, purpose="id_number"): number for number in numbers}
        return {
            by_index[bytes(row.id_index)]: (row.id, clean_name(vault.open(row.name, bound_to=f"person.name:{row.id}")))
            for row in connection.execute(_KNOWN, {"indexes": list(by_index)})
        }


def _failure(line: Line, field: str, code: str, /, **words: Any) -> Failure:
    """Masked, as a register's refused rows are."""
    name, number = (plain(line.columns.cell(line.cells, each)) for each in ("name", "id_number"))
    clean = clean_id_number(number)
    shown = mask_id(clean) if len(clean) >= 15 else "*" * len(clean)
    reason = (REASONS | OWN)[code].format(**words)
    named = mask_name(clean_name(name)[:20])
    column = _NAMED[field] + _written(line, field)
    return Failure(line.sheet, line.number, column, code, reason, "", "", "", named, shown)


def _written(line: Line, field: str) -> str:
    """What stands there of a matter or a day, which says nothing of a person by itself; nothing of a cell that might:
    columns get shifted."""
    said = "".join(plain(line.columns.cell(line.cells, field)).split()) if field in (CODE, DAY) else ""
    name = "".join(plain(line.columns.cell(line.cells, "name")).split())
    return f"（写的是“{said}”）" if 0 < len(said) <= LONGEST and scrub(said) == said != name else ""


_KNOWN = text("select id, id_index, name from person where id_index = any (:indexes) and restricted_at is null")
