"""Every line of a file is told of: taken, refused, or ignored by its name. What a spreadsheet did to it is undone or
said."""

import csv
import io
import zipfile
from pathlib import Path
from random import Random

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.register.district import put_places
from app.registry.columns import TITLES, BadHeader
from app.registry.find import by_id_number, by_ids
from app.registry.row import Collects, Judge
from app.registry.sheet import open_file
from app.registry.synthetic import TOWNS
from app.registry.workbook import BadFile, look_through
from app.registry.years import Years
from payments.truths.invariants import INVARIANTS
from tests.app.registry.files import NEEDED, VILLAGE, a_csv, a_row, an_xlsx, one, taken_in
from tests.app.registry.test_rows import judged
from tests.builders import NOON, an_id_number

HEADER = [TITLES[field] for field in NEEDED]


def a_line(sequence: int, note: str | None = None, **spoilt: object) -> list[str]:
    row = a_row(sequence, **spoilt)
    return [str(row[field]) for field in NEEDED] + ([note] if note is not None else [])


def a_text(path: Path, *lines: str, encoding: str = "utf-8-sig", end: str = "\r\n") -> Path:
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def joined(cells: list[str], delimiter: str = ",") -> str:
    return delimiter.join(cells)


def person(parts: Parts, sequence: int):
    with parts.engine.connect() as connection:
        found = by_id_number(connection, parts.vault, an_id_number(sequence=sequence))
        return by_ids(connection, parts.vault, [found[0]], years=Years(2022))[0] if found else None


def broken(parts: Parts, number: str) -> list[str]:
    with parts.engine.connect() as connection:
        return [row.what for row in connection.execute(text(INVARIANTS[number].sql))]


@pytest.mark.parametrize(
    "quoted",
    [
        {3: '"待核实'},
        {3: '"待核实', 9: '"已核实'},
        {3: '"待核实', 9: '已核实"'},
        {3: '"待核实', 4: '已核实"'},
        {12: '"待核实'},
    ],
)
@pytest.mark.parametrize("good_rows", [False, True])
def test_a_stray_quote_is_refused_by_its_line(
    parts: Parts, tmp_path: Path, quoted: dict[int, str], good_rows: bool
) -> None:
    """R1: three of twelve were taken, nobody was told of the others, the exit status was 0."""
    lines = [joined(a_line(2 * at + 1, quoted.get(at + 1, ""))) for at in range(12)]

    with pytest.raises(BadFile) as refused:
        taken_in(parts, a_text(tmp_path / "a.csv", joined([*HEADER, "备注"]), *lines), good_rows=good_rows)

    assert f"第{min(quoted) + 1}行" in refused.value.sentence() and "引号" in refused.value.sentence()
    assert one(parts, "select count(*) from person") == one(parts, "select count(*) from import_batch") == 0


def test_a_quote_that_swallows_the_beginning_of_the_next_line_is_refused(parts: Parts, tmp_path: Path) -> None:
    """R1: the swallowing cell may be any, and close on the next line."""
    first, second = a_line(1), a_line(3)
    lines = [joined(first).replace(first[1], f'"{first[1]}'), joined(second).replace(second[1], f'{second[1]}"')]

    with pytest.raises(BadFile) as refused:
        taken_in(parts, a_text(tmp_path / "a.csv", joined(HEADER), *lines, joined(a_line(5))), good_rows=True)

    assert "第2到第3行" in refused.value.sentence()


def test_a_line_break_in_a_cell_nobody_reads_is_looked_at(parts: Parts, tmp_path: Path) -> None:
    """R1: each line of a torn row is counted as refused; its neighbours come in."""
    lines = [joined(a_line(1, "")), joined(a_line(3, '"第一行')), '孙示丁"', joined(a_line(5, ""))]

    result, failures = taken_in(parts, a_text(tmp_path / "a.csv", joined([*HEADER, "备注"]), *lines), good_rows=True)

    assert (result.rows_in, result.added, result.refused) == (4, 2, 2)
    assert [(failure.row, failure.code) for failure in failures] == [(3, "LINE_BREAK")]
    assert "第3到第4行" in failures[0].reason and person(parts, 3) is None


SPOIL = (
    "",
    '"',
    '""',
    "\n",
    "\r\n",
    ",",
    ",,,",
    "合计",
    "\t",
    ";",
    "'",
    "x",
    "\ufeff",
    " ",
    "\u200b",
    "0",
    "#N/A",
    "姓名",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), strikes=st.integers(0, 8))
def test_taken_and_refused_and_ignored_are_all_lines(parts: Parts, tmp_path: Path, seed: int, strikes: int) -> None:
    """R1: of a file that is read at all, whatever was done to it, each line is in one of the three numbers."""
    dice = Random(seed)
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow([*HEADER, "备注"])
    for at in range(12):
        lines.writerow(a_line(2 * at + 1, dice.choice(("", "好", "两\n行", "有“引号”"))))
    head, _, body = written.getvalue().partition("\r\n")
    for _ in range(strikes):
        at = dice.randrange(len(body))
        body = body[:at] + dice.choice(SPOIL) + body[at + dice.randrange(3) :]
    path = tmp_path / "a.csv"
    path.write_bytes(f"{head}\r\n{body}".encode("utf-8-sig"))

    try:
        result, failures = taken_in(parts, path, good_rows=True)
    except BadFile as refused:
        assert "行" in refused.sentence()
        return

    blank = sum(not line.translate(NOTHING).strip() for line in physical(body))
    told, written_lines = result.rows_in + len(result.ignored), len(physical(body))
    assert written_lines - blank <= told <= written_lines  # an empty line may be part of a cell
    assert result.rows_in == result.added + result.changed + result.same + result.refused
    assert {failure.row for failure in failures} or not result.refused


NOTHING = dict.fromkeys(map(ord, ",\u200b\ufeff'\""))  # a line of these has no cell with anything in it


def physical(body: str) -> list[str]:
    return list(io.StringIO(body, newline=""))


NO_NAMES = (
    *(
        "#N/A",
        "#REF!",
        "#NAME?",
        "#VALUE!",
        "0",
        "1",
        "0.0",
        "２０２２",
        "无",
        "没有",
        "不详",
        "待定",
        "姓名",
        "身份证号",
        "合计",
        "户主",
    ),
    *("王?", "？示例", "□示例", "王■", "\ufffd示例", "囗示例", "王*", "张×", "锟斤拷", "_示例", "——"),
    *(
        "张示例（已故）",
        "张示例(户主)",
        "张示例已故",
        "张示例【去世】",
        "张示例1",
        "测试1",
        "王a",
        "x",
        "test",
        "null",
        "N/A",
        "-",
        "·",
        "王·",
        "王··李",
    ),
    *(
        "李示例/王示例",
        "张示例;李示例",
        "张示例、李示例",
        "张示例 李示例",
        "李四 王五",
        "张示例\n李示例",
        "张示例&李示例",
        "张示例之子",
        "Ã§Ã¡",
    ),
)
NAMES = {
    **{
        name: name
        for name in (
            "张〇",
            "王𬱖",
            "䶮示例",
            "㛃示例",
            "𠅤示例",
            "𰀀示",
            "龑赟",
            "欧阳示例",
            "次仁多吉",
            "吴用",
            "张无忌",
            "王亡",
        )
    },
    **{
        name: name
        for name in (
            "阿依古丽·示例",
            "阿卜杜热伊木江·买买提图尔荪托合提喀迪尔阿吉",
            "尼玛",
            "空海",
            "毛次子",
            "单于示例",
        )
    },
    **{
        "张 示例": "张示例",
        "欧阳 示例": "欧阳示例",
        "阿依古丽 ·示例": "阿依古丽·示例",
        "'张示例": "张示例",
        '="张示例"': "张示例",
    },
    **{
        "⾼⽂示": "高文示",
        "⽅示例": "方示例",
        "\uf9dc示例": "隆示例",
        "⻢示例": "马示例",
        "⻰示例": "龙示例",
        "⻘示例": "青示例",
    },
    **{f"买买提{dot}示例": "买买提·示例" for dot in "·•‧∙⋅・･.．。｡﹒˙●◦"},
}


@pytest.mark.parametrize("written", NO_NAMES)
def test_what_is_no_name_is_refused(written: str) -> None:
    """R2: error values, digits, words for nothing, headers, letters that were lost, notes, two people in a cell."""
    assert [field for field, _ in judged(a_row(name=written))] == ["name"]


@pytest.mark.parametrize("number", [0, 0.0, 1, 12.5, True])
def test_a_number_typed_as_a_name_is_refused(number: object) -> None:
    """R2: 0 became 0·0."""
    assert [field for field, _ in judged(a_row(name=number))] == ["name"]


@pytest.mark.parametrize("written", NAMES)
def test_a_real_name_is_taken_in_its_one_form(written: str) -> None:
    """R2, R3: rare letters, the zero that is a letter, long names; radicals and dots are folded."""
    row = judged(a_row(name=written))

    assert getattr(row, "name", row) == NAMES[written]


def test_an_error_in_a_cell_comes_back_and_is_no_blank(parts: Parts, tmp_path: Path) -> None:
    """R2, R9: a category whose formula failed, or was saved without its result, would have been read as none."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [*HEADER, "人员类别"])
        for at, (formula, value) in enumerate((("=VLOOKUP(1,A:B,2)", "#N/A"), ('=""', "x"), ("=A1", "")), 1):
            sheet.write_row(at, 0, a_line(2 * at + 1))
            sheet.write_formula(at, 8, formula, None, value)
    packed = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    sheet = packed["xl/worksheets/sheet1.xml"].replace(b"<v>x</v>", b"").replace(b"</f><v>0</v>", b"</f>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as again:
        for name, content in packed.items():
            again.writestr(name, sheet if name.endswith("sheet1.xml") else content)

    _, failures = taken_in(parts, path)

    told = [(failure.row, failure.column, failure.code) for failure in failures]
    assert (2, "人员类别", "CELL_ERROR") in told and len(told) >= 2 and {code for _, _, code in told} == {"CELL_ERROR"}


def test_a_household_number_that_lost_its_zeros_is_the_same_household(parts: Parts, tmp_path: Path) -> None:
    """R4: 0001 saved again as 1 was a second household, and the man was moved; another 户 of the village is not his."""
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1), a_row(3), a_row(5, household_no="0010")))
    before = [person(parts, at).household_id for at in (1, 3, 5)]

    result, _ = taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, household_no="1"), a_row(7, household_no="010")))

    assert result.taken and [person(parts, at).household_id for at in (1, 3, 5, 7)] == [*before, before[2]]
    assert one(parts, "select count(*) from household") == 2
    assert person(parts, 1).household_number == "0001" and broken(parts, "INV-24") == []


def test_new_people_of_one_file_with_and_without_zeros_are_one_household(parts: Parts, tmp_path: Path) -> None:
    """R4: and a number with a letter, or of another village, is its own."""
    other = one(parts, f"select min(code) from village where code <> '{VILLAGE}'")
    rows = [a_row(1, household_no="7"), a_row(3, household_no="007"), a_row(5, household_no="007A")]

    taken_in(parts, a_csv(tmp_path / "a.csv", *rows, a_row(7, household_no="7", village_code=other)))

    assert person(parts, 1).household_id == person(parts, 3).household_id
    assert len({person(parts, at).household_id for at in (1, 5, 7)}) == 3


def test_who_was_moved_by_lost_zeros_before_goes_home_with_the_full_number(parts: Parts, tmp_path: Path) -> None:
    """R4: registers in which both stand already; the truth names them until then."""
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1), a_row(3)))
    with parts.engine.begin() as connection:
        connection.execute(text(f"insert into household (village_code, number) values ('{VILLAGE}', '1')"))
        connection.execute(
            text("update person set household_id = (select id from household where number = '1') where id = :id"),
            {"id": person(parts, 1).id},
        )
    assert broken(parts, "INV-24") == [f"{VILLAGE} 1"]

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, is_migrant="是"), a_row(3, household_no="1", student="否")))

    assert person(parts, 1).household_number == person(parts, 3).household_number == "0001"
    assert broken(parts, "INV-24") == []


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(
            (date, "HOUSEHOLD_DATE")
            for date in ("3月2日", "2022-03-02", "2022/3/2", "2-Mar", "Mar-02", "1:05", "2022年3月")
        ),
        *((cut, "HOUSEHOLD_CUT") for cut in ("1.23E+15", 1.5, 1e16)),
        *((date, "HOUSEHOLD_DATE") for date in (NOON, NOON.date(), NOON.time())),
    ],
)
def test_a_household_number_that_became_something_else_comes_back(written: object, code: str) -> None:
    """R4: 3-2 becomes the second of March."""
    assert judged(a_row(household_no=written)) == [("household_no", code)]


def test_ordinary_household_numbers_are_taken() -> None:
    """R4: what is refused is a date, not a dash."""
    for written in ("3-2", "0001", "一组12号", "12-305", "A7", 7, 7.0, "3-2-1", "东1", "'0001", '="0001"'):
        row = judged(a_row(household_no=written))
        assert not isinstance(row, list), written


def test_hidden_sheets_are_named_and_hidden_rows_counted(parts: Parts, tmp_path: Path) -> None:
    """R5: last year's hidden sheet was enrolled; the rows of a filter were read and nobody was told."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, sequence in (("2022年", 1), ("旧表", 3), ("更旧", 5)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEADER)
            sheet.write_row(1, 0, a_line(sequence))
        shown = book.get_worksheet_by_name("2022年")
        shown.write_row(2, 0, a_line(7))
        shown.set_row(2, None, None, {"hidden": True})
        book.get_worksheet_by_name("旧表").hide()
        book.get_worksheet_by_name("更旧").very_hidden()

    result, _ = taken_in(parts, path)
    asked, _ = taken_in(parts, path, sheet="旧表", again=True)

    assert (result.added, result.unseen, result.hidden) == (2, ("旧表", "更旧"), 1)
    assert asked.added == 1 and person(parts, 3) and person(parts, 5) is None


def test_a_day_number_is_read_by_its_workbooks_own_calendar(parts: Parts, tmp_path: Path) -> None:
    """R6: four years off in a workbook that counts from 1904."""
    for sequence, since_1904, number in ((1, True, 24227), (3, False, 25689)):
        path = tmp_path / f"{number}.xlsx"
        with xlsxwriter.Workbook(str(path), {"date_1904": since_1904}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, [*HEADER, "配偶出生日期"])
            sheet.write_row(1, 0, [*a_line(sequence), number])
        _, failures = taken_in(parts, path)
        assert failures == [] and person(parts, sequence).spouse_birth.isoformat() == "1970-05-01"


def a_sheet(path: Path, cells: str) -> Path:
    an_xlsx(path, {"a": [["x"]]})
    packed = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    xml = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as again:
        for name, content in packed.items():
            again.writestr(name, xml if name.endswith("sheet1.xml") else content)
    return path


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c r="XFD1"><v>1</v></c></row><row r="900000"><c r="A900000"><v>1</v></c></row>',
        "<row>" + "<c><v>1</v></c>" * 16_000 + '</row><row r="60000"><c><v>1</v></c></row>',
        "<x:row r='1'><x:c r='AAA1'><x:v>1</x:v></x:c></x:row><x:row r='1000000'></x:row>",
        '<row r="1">' + " " * (12 << 20) + "</row>",
    ],
)
def test_a_sheet_whose_cells_lie_far_apart_is_refused_before_it_is_laid_out(
    parts: Parts, tmp_path: Path, cells: str
) -> None:
    """R7: 1,480 bytes ended the process, another sheet took 4.5 GB."""
    path = a_sheet(tmp_path / "a.xlsx", cells)

    with pytest.raises(BadFile) as refused:
        taken_in(parts, path)

    assert "工作表“a”" in refused.value.sentence()


def test_what_is_packed_and_no_workbook_is_refused_in_words(tmp_path: Path) -> None:
    """R7: an open document may repeat a cell a billion times."""
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as packed:
        packed.writestr("content.xml", "<a/>")

    with pytest.raises(BadFile) as refused:
        look_through(tmp_path / "a.ods")

    assert "另存为 .xlsx" in refused.value.sentence()


def test_a_file_that_others_have_overtaken_says_so_and_has_a_way_on(parts: Parts, tmp_path: Path) -> None:
    """R8: A, B, A: nothing was changed, and nothing was said; the neighbour in both files is the same."""
    neighbour = a_row(3)
    a = a_csv(tmp_path / "a.csv", a_row(1, last_tier="300"), neighbour)
    taken_in(parts, a)
    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, last_tier="500"), neighbour))

    told, _ = taken_in(parts, a)
    stood = person(parts, 1).standing["RES_MEDICAL"].last_tier
    taken, _ = taken_in(parts, a, again=True)
    last, _ = taken_in(parts, a)

    assert (told.taken, told.stale, told.same, told.before is not None, stood) == (False, 1, 1, True, 50000)
    assert (taken.taken, taken.changed, taken.same) == (True, 1, 1)
    assert person(parts, 1).standing["RES_MEDICAL"].last_tier == 30000
    assert (last.taken, last.stale, last.same) == (False, 0, 2) and broken(parts, "INV-81") == []


def test_the_same_file_brings_what_was_refused_before(parts: Parts, tmp_path: Path) -> None:
    """R8: a village that was not known yet; after --good-rows its people could not be brought by the same file."""
    new = f"{VILLAGE[:9]}999"
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3, village_code=new))
    first, _ = taken_in(parts, path, good_rows=True)
    still, _ = taken_in(parts, path, good_rows=True)
    put_places(parts, TOWNS, [(new, "新村")])

    second, failures = taken_in(parts, path)

    assert (first.added, first.refused, still.taken, still.refused) == (1, 1, False, 1)
    assert (second.taken, second.added, second.same, failures) == (True, 1, 1, [])
    assert one(parts, "select count(*) from import_batch") == 2 and person(parts, 3) is not None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("title", [(), ("示例区2022年度居民医保参保登记表",), ("标题,有逗号,很多,很多", "")])
def test_text_is_read_below_a_title_in_whatever_encoding(
    parts: Parts, tmp_path: Path, encoding: str, title: tuple[str, ...]
) -> None:
    """R9: Excel's “Unicode 文本”; a title without a tab above columns parted by tabs."""
    lines = (*title, joined(HEADER, "\t"), joined(a_line(1), "\t"))

    result, failures = taken_in(parts, a_text(tmp_path / "a.txt", *lines, encoding=encoding))

    assert (result.added, failures) == (1, [])


def test_numbers_kept_as_text_by_a_sign_are_read(parts: Parts, tmp_path: Path) -> None:
    """R9, R11: ' and =\"…\" before a number, other systems' headers, and letters that nobody sees inside."""
    number = an_id_number(sequence=1)
    header = [*HEADER, "联系电话"]
    header[1] = "身份证号码"
    lines = []
    for at, write in enumerate(("'{}", '="{}"', '"=""{}"""', "\u202d{}\u202c", "\ufeff{}", "{}\u200b")):
        line = [*a_line(2 * at + 1), write.format("13900000001")]
        line[1] = write.format(line[1])
        lines.append(joined(line))

    result, failures = taken_in(parts, a_text(tmp_path / "a.csv", joined(header), *lines))

    assert (result.added, failures) == (6, []) and number == an_id_number(sequence=1)
    assert person(parts, 1).phone_sealed


@pytest.mark.parametrize("content", ["<html><table></table></html>", '<?xml version="1.0"?><Workbook/>', "%PDF-1.7"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_only_calls_itself_a_table_is_refused_with_what_to_do(tmp_path: Path, content: str, encoding: str) -> None:
    """R9: a page saved as .xls."""
    path = tmp_path / "a.xls"
    path.write_bytes(content.encode(encoding))

    with pytest.raises(BadFile) as refused:
        open_file(path)

    assert "另存为" in refused.value.sentence() or "PDF" in refused.value.sentence()


def test_a_sum_and_a_header_in_the_middle_are_nobody_by_name(parts: Parts, tmp_path: Path) -> None:
    """R9: 合计 made the whole file come back."""
    header = ["序号", *HEADER]
    lines = [["1", *a_line(1)], header, ["2", *a_line(3)], ["合计", "2人", *[""] * 7]]

    result, failures = taken_in(parts, a_text(tmp_path / "a.csv", joined(header), *map(joined, lines)))

    assert (result.added, result.rows_in, failures) == (2, 2, [])
    assert result.ignored == ("第3行（又一行表头）", "第5行（合计）")


def test_a_header_of_two_rows_is_read_as_one(parts: Parts, tmp_path: Path) -> None:
    """R9: groups above, columns below."""
    upper = [*HEADER[:4], "参保信息", "", *HEADER[6:]]
    lower = ["", "", "", "", *HEADER[4:6], "", ""]

    result, failures = taken_in(parts, an_xlsx(tmp_path / "a.xlsx", {"a": [["标题"], upper, lower, a_line(1)]}))

    assert (result.added, failures) == (1, [])


def test_somebody_above_the_header_is_not_passed_over(tmp_path: Path, parts: Parts) -> None:
    """R1: what stands above is a title, never a person."""
    with pytest.raises(BadFile) as refused:
        taken_in(parts, a_text(tmp_path / "a.csv", joined(a_line(1)), joined(HEADER), joined(a_line(3))))

    assert "第1行" in refused.value.sentence()


def test_a_judge_knows_no_calendar_but_the_files(parts: Parts) -> None:
    """R6: without a file it is the ordinary one."""
    assert (
        judged(a_row(spouse_birth=25689), Judge({VILLAGE}, Collects(2022), today=NOON.date())).spouse_birth.isoformat()
        == "1970-05-01"
    )  # type: ignore[union-attr]


def test_who_was_taken_with_a_radical_is_found_by_the_ordinary_letter(parts: Parts, tmp_path: Path) -> None:
    """R3: rows of before; the bureau's next file, with the ordinary letter, names the same man."""
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1, name="马示例"), a_row(3)))
    key = person(parts, 1).id
    with parts.engine.begin() as connection:
        sealed = parts.vault.seal("⻢示例", bound_to=f"person.name:{key}")
        connection.execute(text("update person set name = :name where id = :id"), {"name": sealed, "id": key})
        assert by_id_number(connection, parts.vault, an_id_number(sequence=1)) == (key, "马示例")

    result, failures = taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, name="马示例", is_migrant="是"), a_row(3)))

    assert (result.changed, result.same, failures) == (1, 1, [])


def test_who_stands_above_a_header_far_below_is_not_passed_over(parts: Parts, tmp_path: Path) -> None:
    """Row of the review: with the header on the eleventh line ten people above it were in no number."""
    people = [joined(a_line(2 * at + 1)) for at in range(10)]

    with pytest.raises(BadHeader):
        taken_in(parts, a_text(tmp_path / "a.csv", *people, joined(HEADER), joined(a_line(31))))

    assert one(parts, "select count(*) from person") == 0


@pytest.mark.parametrize(("kind", "written"), [("csv", "'{}"), ("csv", '="{}"'), ("csv", "{}"), ("xlsx", "'{}")])
def test_who_stands_above_the_header_is_seen_however_his_number_is_written(
    parts: Parts, tmp_path: Path, kind: str, written: str
) -> None:
    """Row of the review: with an apostrophe before it, as a formula, or as a number, it was taken for a title."""
    above = a_line(1, id_number=written.format(an_id_number(sequence=1)))
    rows = [above, HEADER, a_line(3)]
    if kind == "xlsx":
        path = an_xlsx(tmp_path / "a.xlsx", {"甲": rows})
    else:
        with (path := tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    with pytest.raises(BadFile) as refused:
        taken_in(parts, path)

    assert "第1行" in refused.value.sentence()


def test_a_number_cell_above_the_header_is_no_title(parts: Parts, tmp_path: Path) -> None:
    rows = [[*a_line(1)[:1], 370499198603140000.0], HEADER, a_line(3)]

    with pytest.raises(BadFile):
        taken_in(parts, an_xlsx(tmp_path / "a.xlsx", {"甲": rows}))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_who_stands_beside_the_table_is_refused_by_his_row(parts: Parts, tmp_path: Path, kind: str) -> None:
    """Row of the review: a row pasted to the right of the last column was called an empty line."""
    rows = [HEADER, a_line(1), [""] * len(HEADER) + a_line(3), [""] * (len(HEADER) + 3), a_line(5)]
    if kind == "xlsx":
        path = an_xlsx(tmp_path / "a.xlsx", {"甲": rows})
    else:
        path = a_text(tmp_path / "a.csv", *map(joined, rows))

    fared, failures = taken_in(parts, path, good_rows=True)

    assert [(failure.row, failure.code) for failure in failures] == [(3, "COLUMN_COUNT")]
    assert (fared.rows_in, fared.added, fared.refused) == (3, 2, 1)
