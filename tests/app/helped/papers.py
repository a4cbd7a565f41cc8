"""A department's list in the hand of a test: section 3.4's columns, one argument to spoil."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from app.flows.helped import live
from app.flows.helped.check import check
from app.flows.helped.take import take
from tests.app.registry.files import an_xlsx
from tests.builders import an_id_number

HEAD = (
    *("序号", "姓名", "身份证号", "人员类别", "残疾等级/证号", "认定文号", "认定日期", "有效期止", "镇街", "村居"),
    *("代缴险种(养老/医疗)", "代缴标准(100/320/160)", "资助部门", "联系电话", "经办人", "备注"),
)


def a_line(sequence: int = 7, **spoilt: object) -> list[object]:
    """Somebody on subsistence allowance, born on 14 March 1986, for the medical insurance."""
    cells: dict[str, object] = dict.fromkeys(HEAD, "") | {
        "序号": sequence,
        "姓名": "张示例",
        "身份证号": an_id_number(sequence=sequence),
        "人员类别": "低保户",
        "镇街": "榴园镇",
        "代缴险种(养老/医疗)": "医疗",
    }
    names = {"name": "姓名", "number": "身份证号", "word": "人员类别", "grade": "残疾等级/证号", "until": "有效期止"}
    names |= {"town": "镇街", "insurance": "代缴险种(养老/医疗)"}
    return list((cells | {names[name]: value for name, value in spoilt.items()}).values())


def a_list(path: Path, *lines: Sequence[object], head: Sequence[str] = HEAD) -> Path:
    """A workbook with a title, the unit's name and a blank row above the header, and a sum below."""
    title = [["2022年度城乡居民两险代缴人员名单"], ["填报单位：示例单位", "", "", "2021年11月"], []]
    return an_xlsx(path, {"名单": [*title, head, *lines, ["合计", len(lines)]]})


def born(years: int, sequence: int = 7) -> str:
    """The number of somebody so old at the end of 2021."""
    return an_id_number(born=date(2021 - years, 3, 14), sequence=sequence)


def lists_of_nobody(office, folder: Path) -> None:
    """Two lists with somebody whom the register does not know: one that is closed, and one that was only judged."""
    closed, judged = (
        check(office, a_list(folder / f"{sequence}.xlsx", a_line(sequence)), department="civil", by="staff:civil").batch
        for sequence in (97, 99)
    )
    assert closed < judged and take(office, closed, by="staff:civil").failed == 1
    told = live.Told("self", "phone")
    live.ended(office, closed, 1, state="RESOLVED", why="另报", said=told, hand=live.Hand(by="staff:civil"))
    live.closed(office, closed, hand=live.Hand(by="staff:civil"))
