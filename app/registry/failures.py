"""What can be wrong with a row, in words for the person who made the file; and the failure file, safe to open."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from app.registry.cells import plain
from app.registry.codes import INSURANCE
from app.registry.columns import FIELDS, TITLES
from app.registry.identity import clean_id_number, clean_name
from app.registry.row import Row, Wrong
from core.redact import mask_id, mask_name

REASONS: Mapping[str, str] = {
    "EMPTY": "这一格必须填",
    "ID_AS_NUMBER": "身份证号被当成数字存了，后几位已经丢失。请把身份证号一列设为文本再填",
    "ID_15": "这是15位的老身份证号，请填18位的",
    "ID_LENGTH": "身份证号要18位",
    "ID_SHAPE": "身份证号只能是数字，最后一位可以是X",
    "ID_BIRTH_DATE": "身份证号里的出生日期不对，请看第7到第14位",
    "ID_CHECKSUM": "身份证号有一位不对，请对照身份证",
    "ID_TYPE_UNKNOWN": "目前只收居民身份证，证件类型写 01",
    "NAME_TOO_LONG": "姓名超过50个字",
    "NAME_INVISIBLE": "姓名里有看不见的字符，请删掉这一格重新打",
    "NAME_NONE": "这不是姓名（是“无”一类的话、表头、数字或错误值），请照身份证填写",
    "NAME_UNREAD": "姓名里有没显示出来的字（?、□、*），请照身份证补上",
    "NAME_SEVERAL": "这一格像是两个人的姓名，请一人一行；一个人的姓名中间不要空格，有点的打·",
    "NAME_MARKS": "姓名里有括号、数字、符号或别的话，请只留身份证上的姓名",
    "NAME_ID_MISMATCH": "这个身份证号登记的是另一个姓名，请核对；改过名的请先到镇便民服务中心更正",
    "NAME_TO_CORRECT": "登记的姓名只差一个字，由两个人凭依据更正（correction ask、correction agree）以后再导入这一行",
    "SEX_UNKNOWN": "性别写男、女，或1、2",
    "SEX_MISMATCH": "性别与身份证号第17位不符",
    "DATE_SHAPE": "日期不对，请写成 1970-05-01 这样",
    "DATE_FUTURE": "日期还没有到",
    "BIRTH_MISMATCH": "出生日期与身份证号里的不符",
    "PARENT_NOT_OLDER": "这不是父母的身份证号：按号码不比本人年长",
    "RESIDENCE_UNKNOWN": "户籍情况写：本区户籍、居住证、随迁子女、外地",
    "ALIVE_UNKNOWN": "生存状态写：健在、死亡，或1、0",
    "DECEASED": "已去世的人不能参保；要终止参保的，变更类型写 END",
    "REGISTERED_DEAD": "系统已登记此人去世；如登记错了，变更类型写 UPDATE",
    "DEAD_TO_ANOTHER": "{bureau}报告此人已去世，两边说法不一，没有改。请先与{bureau}核对，由{bureau}更正",
    "RESTRICTED": "此人的信息已限制处理，这一行没有改动任何登记；别的行照常导入",
    "INSURANCE_UNKNOWN": "险种写：居民养老、居民医保",
    "INSURANCE_OF_ANOTHER": "这是{bureau}的险种，请由{bureau}来报，这里没有收",
    "INSURANCE_NOT_COLLECTED": "本区这一年度不收这个险种，这一行不用报",
    "STATUS_UNKNOWN": "参保状态写：正常、暂停、终止",
    "MONTH_SHAPE": "年月写六位数字，例如 202201",
    "PERIOD_BACKWARDS": "终止年月早于起始年月",
    "CATEGORY_UNKNOWN": "人员类别里有不认识的写法，请照说明里的写",
    "TIER_SHAPE": "上年档次写整数元，例如 300",
    "SCHOOL_UNKNOWN": "就读情况写：无、中小学、大学",
    "SCHOOL_NO_STUDENT": "就读情况写了中小学或大学，在校学生却写了否",
    "YEARS_SHAPE": "医保参保年度写四位年份，几年的用 | 隔开，例如 2020|2021|2023，不晚于要缴的年度；从没参加过写 无",
    "YEARS_OF_MEDICAL": "医保参保年度只写在居民医保的行",
    "VILLAGE_UNKNOWN": "没有这个村居代码",
    "HOUSEHOLD_DATE": "户号变成了日期，请把户号一列设为文本再填",
    "HOUSEHOLD_CUT": "户号被当成数字存了，已经不完整。请把户号一列设为文本再填",
    "TEXT_TOO_LONG": "字数太多",
    "TEXT_INVISIBLE": "有看不见的字符，请删掉这一格重新打",
    "CELL_ERROR": "这一格是错误值，或是没有存下结果的公式。请在 Excel 或 WPS 里改好、保存再传",
    "PHONE_SHAPE": "手机号要11位，1开头",
    "CHANGE_UNKNOWN": "变更类型写：ADD、UPDATE、END",
    "NOT_REGISTERED": "没有这个人这个险种的参保登记，不能终止",
    "YES_NO_UNKNOWN": "这一格写：是、否",
    "ELSEWHERE_UNKNOWN": "异地参保写：市外医保、市内他区医保、异地养老、已领养老金",
    "FAMILY_UNKNOWN": "计生家庭类型写：无、独生子女、两女绝育",
    "COLUMN_COUNT": "这一行的格数比表头多，可能是某一格里有分隔符没有加引号",
    "LINE_BREAK": "文件的第{first}到第{last}行连成了一行：有一格里有换行。是自己打的换行请删掉，不是的请删掉多余的引号",
    "DUP_ROW": "与{where}是同一个人、同一个险种",
}
OF_MANY: Mapping[str, str] = {  # where rows are counted by what is wrong with them: no word of a single one
    "DEAD_TO_ANOTHER": "另一家报告此人已去世，两边说法不一，没有改。请先与那一家核对，由它更正",
    "INSURANCE_OF_ANOTHER": "这是另一家的险种，请由它来报，这里没有收",
    "LINE_BREAK": "几行连成了一行：有一格里有换行。是自己打的换行请删掉，不是的请删掉多余的引号",
    "DUP_ROW": "与另一行是同一个人、同一个险种",
}
BUREAUS = {"RES_PENSION": "人社局", "RES_MEDICAL": "医保局"}
INSURANCE_TITLES = {"RES_PENSION": "居民养老", "RES_MEDICAL": "居民医保"}
HEAD = ("工作表", "行号", "列", "代码", "原因", "险种", "村居代码", "户号", "姓名", "身份证号")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong with one row, as the failure file tells it. Name and number are masked; the row's other
    personal cells are not repeated."""

    table: str
    row: int
    column: str
    code: str
    reason: str
    insurance: str
    village_code: str
    household_no: str
    name: str
    id_number: str


def failures_of_cells(table: str, number: int, picked: Sequence[Any], wrong: Sequence[Wrong]) -> list[Failure]:
    """Failures of a row that could not be read, from its cells."""
    cell = dict(zip(FIELDS, picked, strict=True))
    village, household = plain(cell["village_code"]), plain(cell["household_no"])
    insurance = INSURANCE_TITLES.get(INSURANCE.get(plain(cell["insurance"]).lower(), ""), "")
    known_village = village if village.isdigit() and len(village) == 12 else ""
    name, id_number = mask_name(clean_name(str(cell["name"]))[:20]), _shown_id(cell["id_number"])
    return _failures((table, number), wrong, (insurance, known_village, household[:8], name, id_number))


def failures_of_row(row: Row, wrong: Sequence[Wrong]) -> list[Failure]:
    """Failures of a row that the register refused."""
    masked = mask_name(row.name), mask_id(row.id_number)
    return _failures(
        (row.table, row.number), wrong, (INSURANCE_TITLES[row.insurance], row.village_code, row.household_no, *masked)
    )


def _failures(place: tuple[str, int], wrong: Sequence[Wrong], context: tuple[str, ...]) -> list[Failure]:
    return [
        Failure(*place, TITLES.get(each.field, ""), each.code, REASONS[each.code].format(**each.words), *context)
        for each in wrong
    ]


def _shown_id(cell: Any) -> str:
    number = clean_id_number(plain(cell))
    return mask_id(number) if len(number) >= 15 else "*" * len(number)


def safe_cell(value: str) -> str:
    """A CSV cell that a spreadsheet takes for text: what looks like a formula gets a ' in front (A76)."""
    return f"'{value}" if value.startswith(_DANGEROUS) else value


class FailureFile(AbstractContextManager["FailureFile"]):
    """Writes failures as they come, to CSV (UTF-8 with BOM, for Excel) or XLSX by the name's ending."""

    def __init__(self, path: Path) -> None:
        self._row = 0
        self._book = None
        if path.suffix.lower() == ".xlsx":
            import xlsxwriter  # noqa: PLC0415 most of these files are CSV

            self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
            self._sheet = self._book.add_worksheet("退回")
        else:
            self._file = path.open("w", encoding="utf-8-sig", newline="")
            self._csv = csv.writer(self._file)
        self._write([*HEAD])

    def add(self, failure: Failure) -> None:
        """One more line."""
        self._write([str(value) for value in astuple(failure)])

    def _write(self, values: list[str]) -> None:
        if self._book is None:
            self._csv.writerow([safe_cell(value) for value in values])
            return
        for place, value in enumerate(values):
            self._sheet.write_string(self._row, place, value)
        self._row += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._book is None:
            self._file.close()
        else:
            self._book.close()
