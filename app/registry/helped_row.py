"""One row of a department's list, as far as its own cells say. Pure: what only the register knows is judged later."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.registry.cells import Bad, day, plain
from app.registry.codes import CATEGORIES
from app.registry.codes import INSURANCE as _INSURANCE
from app.registry.helped_list import Line
from app.registry.lines import Torn
from app.registry.row import identity_of, name_of
from app.registry.workbook import DAY_0

BOTH = ("RES_PENSION", "RES_MEDICAL")
_GRADES = {**dict(zip("一二三四", "1234", strict=True)), **{digit: digit for digit in "1234"}}
_GRADE = re.compile(r"([一二三四1-4])级?")
_CERTIFICATE = re.compile(
    r"[0-9]{17}[0-9X][1-7]([1-4])(?:B[0-9])?", re.IGNORECASE
)  # of a disability: its kind, its grade
_DISABLED = ("残疾", "残疾人", "重度残疾", "重度残疾人", "重残", "一二级残疾", "持证残疾人", "残疾人员")
_ALSO = {
    **dict.fromkeys(("低保户", "城市低保", "农村低保", "城乡低保", "低保人员", "城镇低保", "最低生活保障"), "DIBAO"),
    **dict.fromkeys(("特困供养", "特困供养人员", "特困户", "分散特困", "集中特困", "分散供养", "集中供养"), "TEKUN"),
    **dict.fromkeys(("五保供养", "五保人员", "农村五保"), "WUBAO"),
    **dict.fromkeys(("脱贫户", "脱贫人口", "脱贫享受政策", "脱贫享受政策户", "建档立卡", "建档立卡户"), "POVERTY"),
    **dict.fromkeys(("监测户", "三类户", "防止返贫监测对象"), "MONITORED"),
    **dict.fromkeys(("散居孤儿", "社会散居孤儿", "集中供养孤儿"), "ORPHAN"),
    **dict.fromkeys(("事实孤儿", "事实无人抚养"), "DFUC"),
    **dict.fromkeys(("低保边缘户", "边缘户", "低边"), "DIBAO_EDGE"),
}
_INSURANCES = {
    **{word: (code,) for word, code in _INSURANCE.items()},
    **dict.fromkeys(("养老保险", "基本养老", "城乡养老", "居民基本养老"), ("RES_PENSION",)),
    **dict.fromkeys(("医疗保险", "基本医疗", "城乡医保", "居民基本医疗"), ("RES_MEDICAL",)),
    **dict.fromkeys(("两险", "养老医疗", "医疗养老", "养老和医疗", "医疗和养老", "养老及医疗", "都缴"), BOTH),
}
_DIGIT, _NUMBER = re.compile(r"[0-9]"), 7  # so many digits may be somebody's number
_SEPARATORS = re.compile(r"[|｜、,，;；/\s+]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a list is read: today, what day 0 of its numbers is, the year's own groups (code → words), what the
    department's words mean (word → codes joined by |; '' for a row that says nothing), the insurances of rows that name
    none."""

    today: date
    insurances: tuple[str, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    day_0: date = DAY_0


@dataclass(slots=True)
class HelpedRow:
    """One person and insurance of a list. `code`: why it fails, None as long as it does not; `said`: the words of its
    sentence."""

    place: str
    cells: list[str]
    id_number: str | None
    name: str
    insurance: str
    codes: tuple[str, ...] = ()
    town: str = ""
    code: str | None = None
    said: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    person_id: int | None = None
    town_code: str | None = None


def read_line(line: Line, how: Reading) -> Iterator[HelpedRow]:
    """A row for each insurance that the line names."""
    shown = [_shown(cell) for cell in line.cells[: len(line.columns.titles)]]
    wrong = Bad("LINE_BREAK", first=line.cells.first, last=line.cells.last) if isinstance(line.cells, Torn) else None
    asked = _Asked(line, how, wrong)
    number = asked.of("id_number", lambda cell: identity_of(cell, today=how.today))
    name = asked.of("name", name_of)
    codes = asked.of("category", lambda cell: categories_of(plain(cell), plain(asked.cell("grade")), how)) or ()
    insurances = asked.of("insurance", lambda cell: _insurances(plain(cell)) or how.insurances) or how.insurances
    valid_to = asked.of("valid_to", lambda cell: _last_day(cell, how.day_0))
    if asked.wrong is None and valid_to is not None and valid_to < how.today:
        asked.wrong = Bad("EXPIRED", until=f"{valid_to:%Y-%m-%d}")
    for insurance in insurances:
        row = HelpedRow(line.place, shown, number, name or "", insurance, codes, title(asked.cell("town")))
        if asked.wrong is not None:
            row.code, row.said = asked.wrong.code, {name: str(word) for name, word in asked.wrong.words.items()}
        yield row


def categories_of(word: str, grade: str, how: Reading) -> tuple[str, ...]:
    """The codes of what is written, sorted, each once. Bad: CATEGORY_UNKNOWN, with the word that nobody knows."""
    parts = [part for part in _SEPARATORS.split(word) if part] or [""]
    found: set[str] = set()
    for part in parts:
        found |= _codes(part, grade, how)
    return tuple(sorted(found))


def title(cell: Any) -> str:
    """A cell's word without blanks."""
    return "".join(plain(cell).split())


class _Asked:
    """The fields of a line, and the first thing that is wrong with one of them."""

    def __init__(self, line: Line, how: Reading, wrong: Bad | None) -> None:
        self._line, self.wrong = line, wrong

    def cell(self, name: str) -> Any:
        return self._line.columns.cell(self._line.cells, name)

    def of(self, name: str, read: Any) -> Any:
        try:
            return read(self.cell(name))
        except Bad as bad:
            self.wrong = self.wrong or bad
            return None


def _codes(part: str, grade: str, how: Reading) -> set[str]:
    if part in how.words:
        return {code if code != "DIS" else f"DIS{_grade(grade)}" for code in how.words[part].split("|") if code}
    own = {written.lower(): code for code, words in how.groups.items() for written in (code, words)}
    known: Mapping[str, str | None] = {**CATEGORIES, **_ALSO, **own}
    if found := known.get(part.lower()):
        return {found}
    if part in _DISABLED or (not part and _GRADE.fullmatch(grade)):
        return {f"DIS{_grade(grade)}"}
    if (bare := re.sub(r"[（(].*[)）]$", "", part)) != part:
        return _codes(bare, grade or part.removeprefix(bare).strip("（()）"), how)
    raise Bad("CATEGORY_UNKNOWN", word=_told(part) or "（空白）")


def _told(word: str) -> str:
    """As it may stand in clear where a list is shown: no number of somebody's, whose column was taken for this one."""
    return _DIGIT.sub("*", word) if len(_DIGIT.findall(word)) >= _NUMBER else word


def _grade(text: str) -> str:
    """Of a disability: as it is written, or the last digit of the certificate's number."""
    bare = "".join(text.split()).upper()
    certificate = _CERTIFICATE.search(bare)
    found = certificate or _GRADE.search(bare)
    if found is None:
        raise Bad("CATEGORY_UNKNOWN", word="残疾（没有写等级）")
    return found[1] if certificate else _GRADES[found[1]]


def _insurances(text: str) -> tuple[str, ...]:
    parts = [part.lower() for part in _SEPARATORS.split(text) if part]
    if any(part not in _INSURANCES for part in parts):
        raise Bad("INSURANCE_UNKNOWN")
    return tuple(dict.fromkeys(code for part in parts for code in _INSURANCES[part]))


def _last_day(cell: Any, day_0: date) -> date | None:
    if title(cell) in ("长期", "永久", "无", "长期有效"):
        return None
    return day(cell, today=date.max, day_0=day_0)


def _shown(cell: Any) -> str:
    if isinstance(cell, datetime) and (cell.hour or cell.minute):
        return f"{cell:%Y-%m-%d %H:%M}"
    return plain(cell)
