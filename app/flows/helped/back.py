"""The failed rows of a list as a file in the department's own columns, with what became of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.access import disclosures
from app.access.sessions import Officer
from app.documents.spreadsheet import as_xlsx
from app.flows.helped.lists import batch, cells_of, why
from app.flows.helped.live import ENDS, HOW, WHOM
from app.flows.offices.people import allow_reading
from app.flows.parts import Parts
from core.clock import beijing

TITLES = (
    "代缴险种（核对）",
    "导入状态",
    "失败代码",
    "失败原因",
    "反馈时间",
    "告知本人时间",
    "告知了谁",
    "告知方式",
    "处理结果",
)
INSURANCES = {"RES_PENSION": "养老", "RES_MEDICAL": "医疗"}
STATES = {
    "FAILED": "没有通过",
    "FED_BACK": "等告知",
    "PERSON_TOLD": "已告知，等结果",
    **ENDS,
}


def failures_file(parts: Parts, number: int, *, mark: str) -> bytes:
    """An .xlsx; `mark` says who took it and when. NoSuchList."""
    held = batch(parts, number)
    with parts.reading() as connection:
        rows = connection.execute(_ROWS, {"id": number}).all()
    lines = [_line(parts, row, len(held.titles)) for row in rows]
    return as_xlsx(f"名单{number}没有办成的", [*held.titles, *TITLES], lines, mark=mark)


def file_for(parts: Parts, officer: Officer, number: int) -> bytes:
    """The same for somebody at his page; it holds full numbers, so it is written down. NoSuchList, TooOften."""
    allow_reading(parts, officer)
    made = failures_file(parts, number, mark=f"{officer.login} 于 {beijing(parts.clocks.now()):%Y-%m-%d %H:%M} 导出")
    with parts.engine.begin() as connection:
        noted = {"session": officer.session, "reason": f"名单{number}没有办成的行", "at": parts.clocks.wall()}
        disclosures.note(connection, place=f"helped:{number}", **noted)
    return made


def _line(parts: Parts, row: Any, width: int) -> Sequence[str]:
    cells = cells_of(parts, row)[:width]
    ended = f"{ENDS[row.state]}：{row.ended_why}" if row.state in ENDS else ""
    return [
        *cells,
        *([""] * (width - len(cells))),
        INSURANCES[row.insurance],
        STATES[row.state],
        row.code,
        why(row),
        _moment(row.fed_back_at),
        f"{row.told_on:%Y-%m-%d}" if row.told_on else _moment(row.told_at),
        WHOM[row.told_whom or "self"] if row.told_at else "",
        HOW.get(row.told_how or "", ""),
        ended,
    ]


def _moment(at: datetime | None) -> str:
    return f"{beijing(at):%Y-%m-%d %H:%M}" if at else ""


_ROWS = text("select * from special_row where batch_id = :id and code is not null order by no")
