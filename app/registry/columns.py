"""The columns of the bureaus' enrolment file: their names in Chinese and English, and how a header is read. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from core.errors import BadInput


@dataclass(frozen=True)
class Column:
    """One column. `names` in Chinese, the first one is shown; `code` is the English name; `why` explains it."""

    code: str
    names: tuple[str, ...]
    required: bool
    why: str
    example: str = ""


COLUMNS = (
    Column("source_person_no", ("人员编号",), False, "局里系统的人员编号，最多30个字", "R0000001"),
    Column("id_type", ("证件类型",), False, "目前只收居民身份证，写 01；空着就当 01", "01"),
    Column("id_number", ("身份证号", "身份证号码", "证件号码", "公民身份号码"), True, "18位；这一列要先设为文本再填"),
    Column("name", ("姓名",), True, "与身份证上一字不差", "张示例"),
    Column("sex", ("性别",), False, "男、女，或 1、2；要与身份证号一致", "男"),
    Column("birth_date", ("出生日期",), False, "1990-08-15 这样写；要与身份证号一致", "1990-08-15"),
    Column("residence", ("户籍情况",), True, "本区户籍、居住证、随迁子女、外地", "本区户籍"),
    Column("alive_status", ("生存状态",), True, "健在、死亡，或 1、0", "健在"),
    Column("insurance", ("险种",), True, "居民养老、居民医保", "居民医保"),
    Column("insured_status", ("参保状态",), True, "正常、暂停、终止", "正常"),
    Column("pay_from", ("起始年月", "费款所属期起"), False, "六位数字的年月", "202201"),
    Column("pay_to", ("终止年月", "费款所属期止"), False, "六位数字的年月，不早于起始年月", "202212"),
    Column("categories", ("人员类别",), False, "特殊人群身份，几种的用 | 或、隔开；没有就空着", "低保|二级残疾"),
    Column("last_tier", ("上年档次",), False, "上年养老缴费档次，整数元", "300"),
    Column("village_code", ("村居代码",), True, "12位村（居）代码", "370404103901"),
    Column("household_no", ("户号",), True, "村里的户号，最多20个字", "0001"),
    Column("relation_to_head", ("与户主关系",), False, "最多20个字", "户主"),
    Column("mobile", ("手机号", "手机号码", "联系电话"), False, "11位手机号；空着就不改已有的", "13900000000"),
    Column("change_type", ("变更类型",), False, "ADD 新增、UPDATE 变更、END 终止；空着就是有则改、无则加", "ADD"),
    Column("student", ("在校学生",), False, "是、否；空着就不改已有的", "否"),
    Column("is_migrant", ("外出", "是否外出"), False, "是、否；空着就不改已有的", "否"),
    Column("employee_insured", ("职工参保",), False, "是否已参加同一险种的职工保险：是、否；空着就是否", "否"),
    Column("insured_elsewhere", ("异地参保",), False, "市外医保、市内他区医保、异地养老、已领养老金；没有就空着"),
    Column("family_type", ("计生家庭类型",), False, "无、独生子女、两女绝育；空着就不改已有的", "无"),
    Column("spouse_birth", ("配偶出生日期",), False, "1970-05-01 这样写；空着就不改已有的"),
    Column(
        *("residence_permit_valid_to", ("居住证有效期止", "居住证有效期至"), False),
        *("到期那天，2024-12-31 这样写；随迁子女写父母的；空着就不改已有的", "2024-12-31"),
    ),
    Column(
        "parent_id_number",
        ("父母身份证号", "家长身份证号"),
        False,
        "随迁子女要写：持居住证的父亲或母亲的身份证号；空着就不改已有的",
    ),
    Column("school", ("就读情况",), False, "无、中小学、大学；空着就不改已有的", "无"),
    Column(
        *("medical_years", ("医保参保年度", "历年参保年度"), False),
        *(
            "只写在居民医保的行：参加过居民医保的年度，几年的用 | 或、隔开，从没参加过写 无；空着就不改已有的",
            "2020|2021|2023",
        ),
    ),
)
FIELDS = tuple(column.code for column in COLUMNS)
_ID_PLACE = FIELDS.index("id_number")
TITLES = {column.code: column.names[0] for column in COLUMNS}

IGNORED = {
    *("序号", "备注", "说明", "民族", "户籍地区", "户籍地址", "居住地区", "居住地址", "居住证号"),
    *("批次号", "行号", "发送时间", "校验和", "变更原因", "remark", "note", "ethnic_group", "household_area"),
    *("household_address", "live_area", "live_address", "residence_permit_no"),
    *("batch_no", "row_no", "sent_at", "checksum", "reason", "镇街", "镇街名称", "村居", "村居名称"),
}

_ALSO = {  # what the same columns are called in other systems' files
    **dict.fromkeys(("居民身份证号", "居民身份证号码", "公民身份证号码", "身份证", "身份号码", "证件号"), "id_number"),
    **dict.fromkeys(("参保人姓名", "人员姓名", "参保人"), "name"),
    **dict.fromkeys(("手机", "移动电话", "联系手机", "联系方式", "电话", "电话号码"), "mobile"),
    **dict.fromkeys(("出生年月日", "生日"), "birth_date"),
    **dict.fromkeys(("村代码", "村（居）代码", "村(居)代码", "村居编码"), "village_code"),
    **dict.fromkeys(("户编号", "家庭编号", "户编码"), "household_no"),
    **dict.fromkeys(("与户主的关系", "户主关系"), "relation_to_head"),
}
_KNOWN = _ALSO | {name: column.code for column in COLUMNS for name in (column.code, *column.names)}
_TAIL = re.compile(r"[（(].*[)）]$|[*＊:：]+$")


class BadHeader(BadInput):
    """A header that lacks a required column, repeats one, or has one nobody knows."""

    status = 422
    text = "表头不对。{what}"


class Header:
    """Where every field stands: `places` in the order of FIELDS, `width` for a field the file does not have."""

    def __init__(self, width: int, places: Sequence[int]) -> None:
        self.width = width
        self._cells = itemgetter(*places)

    def pick(self, cells: list[Any]) -> tuple[Any, ...]:
        """The cells in the order of FIELDS, '' for what is not there; `cells` is brought to one more than `width`."""
        if len(cells) != self.width:
            del cells[self.width :]
            cells.extend([""] * (self.width - len(cells)))
        cells.append("")
        return self._cells(cells)


def looks_like_header(cells: Sequence[Any]) -> bool:
    """Does this row name at least an identity number or a name, and three known columns?"""
    known = {_KNOWN.get(_plain(cell)) for cell in cells} - {None}
    return len(known) >= 3 and bool(known & {"id_number", "name"})


def joined_header(cells: Sequence[Any], below: Sequence[Any]) -> list[Any] | None:
    """A header of two rows as one: where the lower one names a column, that; else the upper. None if the lower one is
    no header but a person."""
    named = [_plain(cell) for cell in below]
    if not any(name in _KNOWN for name in named) or any(
        not (name in _KNOWN or name in IGNORED) for name in named if name
    ):
        return None
    both = zip_longest(cells, below, fillvalue="")
    return [lower if _plain(lower) else upper for upper, lower in both]


def read_header(cells: Sequence[Any]) -> Header:
    """Map the header's cells to fields. BadHeader names every column that is unknown, doubled or missing."""
    titles = [_plain(cell) for cell in cells]
    while titles and not titles[-1]:
        titles.pop()
    places: dict[str, int] = {}
    unknown, doubled = [], []
    for place, title in enumerate(titles):
        code = _KNOWN.get(title)
        if code is None:
            if title not in IGNORED:
                unknown.append(title or f"第{place + 1}列空白")
        elif code in places:
            doubled.append(TITLES[code])
        else:
            places[code] = place
    missing = [column.names[0] for column in COLUMNS if column.required and column.code not in places]
    wrong = [("缺少：", missing), ("不认识：", unknown), ("重复：", doubled)]
    if any(names for _, names in wrong):
        raise BadHeader(what="；".join(head + "、".join(names)[:200] for head, names in wrong if names) + "。")
    return Header(len(titles), [places.get(field, len(titles)) for field in FIELDS])


SUMS = ("合计", "总计", "小计", "共计", "累计", "总数", "总人数", "本页小计", "本页合计")


def named_as_nobody(cells: Sequence[Any], picked: Sequence[Any]) -> str:
    """What a row that is nobody is called: a sum without an identity number, the header once more; '' for any other."""
    if looks_like_header(cells):
        return "又一行表头"
    words = {_plain(cell).rstrip("：:") for cell in cells}
    return next((word for word in SUMS if word in words), "") if not _plain(picked[_ID_PLACE]) else ""


def _plain(cell: Any) -> str:
    text = "".join(str(cell).replace("\ufeff", "").split()).lower()
    return text if text in _KNOWN else _TAIL.sub("", text)
