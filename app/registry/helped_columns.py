"""The columns of a department's list of helped people, whatever it calls them: by their words, by what it said before.
Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.registry.cells import plain

FIELDS: Mapping[str, str] = {  # ours → what people read
    "name": "姓名",
    "id_number": "身份证号",
    "category": "人员类别",
    "grade": "残疾等级/证号",
    "valid_to": "有效期止",
    "town": "镇街",
    "insurance": "代缴险种",
    "remark": "（不用的列）",
}
NEEDED = ("name", "id_number")
UNUSED = "remark"
_NAMES: Mapping[str, Sequence[str]] = {
    "name": ("姓名", "名字", "人员姓名", "对象姓名", "参保人姓名", "救助对象姓名", "残疾人姓名", "老人姓名"),
    "id_number": (
        *("身份证号", "身份证号码", "身份证", "公民身份号码", "公民身份证号", "居民身份证号", "居民身份证号码"),
        *("证件号码", "证件号", "身份号码"),
    ),
    "category": (
        "人员类别",
        "类别",
        "人员类型",
        "对象类别",
        "对象类型",
        "救助类别",
        "保障类别",
        "身份类别",
        "人群类别",
    ),
    "grade": ("残疾等级/证号", "残疾等级", "残疾证号", "残疾人证号", "残疾级别", "等级", "残疾类别等级"),
    "valid_to": ("有效期止", "有效期至", "有效期", "有效期截止", "截止日期", "到期日期"),
    "town": ("镇街", "镇(街)", "镇（街）", "镇街名称", "乡镇", "乡镇街道", "镇街道", "所属镇街", "所在镇街"),
    "insurance": ("代缴险种", "险种", "参保险种", "代缴保险"),
    UNUSED: (
        *("序号", "编号", "认定文号", "文号", "认定日期", "认定时间", "村居", "村(居)", "村（居）", "村", "村居名称"),
        *(
            "代缴标准",
            "资助部门",
            "联系电话",
            "电话",
            "手机号",
            "手机",
            "经办人",
            "备注",
            "说明",
            "性别",
            "年龄",
            "民族",
        ),
        *("出生日期", "家庭住址", "住址", "户主姓名", "与户主关系"),
    ),
}
_KNOWN = {name: field for field, names in _NAMES.items() for name in names}
_TAIL = re.compile(r"[（(].*[)）]$|[*＊:：]+$")


@dataclass(frozen=True)
class Columns:
    """Where our fields stand among a sheet's columns; `unknown`: header words that nobody has pointed at yet."""

    titles: tuple[str, ...]
    places: Mapping[str, int]
    unknown: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """What every list needs and this one has no column for, in words."""
        return [FIELDS[field] for field in NEEDED if field not in self.places]

    def cell(self, cells: Sequence[object], field: str) -> object:
        """The field's cell of a row, '' where there is none."""
        place = self.places.get(field, len(cells))
        return cells[place] if place < len(cells) else ""


def title_of(cell: object) -> str:
    """A header's word without blanks, line breaks and marks."""
    return "".join(plain(cell).split())


def field_of(title: str, said: Mapping[str, str]) -> str | None:
    """Which field a header word means: as the department said, else as most call it; None: nobody knows."""
    return said.get(title) or _KNOWN.get(title) or _KNOWN.get(_TAIL.sub("", title))


def looks_like_header(cells: Sequence[object], said: Mapping[str, str]) -> bool:
    """Does a row name a name and an identity number, or three columns of ours?"""
    fields = {field_of(title_of(cell), said) for cell in cells if plain(cell)} - {None, UNUSED}
    return set(NEEDED) <= fields or len(fields) >= 3


def columns_of(cells: Sequence[object], said: Mapping[str, str]) -> Columns:
    """The first column of a name is taken; a second of the same name is not used."""
    titles = tuple(title_of(cell) for cell in cells)
    places: dict[str, int] = {}
    unknown = []
    for place, title in enumerate(titles):
        field = field_of(title, said)
        if field is None and title:
            unknown.append(title)
        elif field and field != UNUSED:
            places.setdefault(field, place)
    return Columns(titles, places, tuple(dict.fromkeys(unknown)))
