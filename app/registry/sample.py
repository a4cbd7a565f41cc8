"""Enrolment files to fill in, and for trying and measuring: a synthetic district's rows, some of them wrong in every
known way, and the failure file that must come of it. Deterministic."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import xlsxwriter

from app.registry.columns import FIELDS, TITLES
from app.registry.failures import INSURANCE_TITLES, REASONS, Failure, FailureFile
from app.registry.identity import check_digit
from app.registry.synthetic import header, people
from core.redact import mask_id, mask_name

Cells = dict[str, str]
Spoil = Callable[[Cells], Cells]
SHEET = "参保登记"
_EXTRA = "extra"  # a cell beyond the header's last


@dataclass(frozen=True)
class Kind:
    """One way for a row to be wrong: the field and code that must be reported, and how to spoil a right row. `again`
    kinds spoil a copy of the last good row."""

    field: str
    code: str
    spoil: Spoil
    again: bool = False


def _set(**cells: str) -> Spoil:
    return lambda row: row | cells


def _id(change: Callable[[str], str]) -> Spoil:
    return lambda row: row | {"id_number": change(row["id_number"])}


def _with_birth(number: str, birth: str) -> str:
    head = number[:6] + birth + number[14:17]
    return head + check_digit(head)


def _other_digit(number: str) -> str:
    return number[:17] + ("1" if number[17] != "1" else "2")


def _other_sex(row: Cells) -> Cells:
    return row | {"sex": "男" if row["sex"] == "女" else "女"}


KINDS = (
    Kind("id_number", "ID_AS_NUMBER", _id(lambda number: f"{number[0]}.{number[1:6]}E+17")),
    Kind("id_number", "ID_15", _id(lambda number: number[:6] + number[8:17])),
    Kind("id_number", "ID_LENGTH", _id(lambda number: number[:17])),
    Kind("id_number", "ID_SHAPE", _id(lambda number: number[:9] + "O" + number[10:])),
    Kind("id_number", "ID_BIRTH_DATE", _id(lambda number: _with_birth(number, "20300101"))),
    Kind("id_number", "ID_BIRTH_DATE", _id(lambda number: _with_birth(number, "19900230"))),
    Kind("id_number", "ID_CHECKSUM", _id(_other_digit)),
    Kind("id_number", "EMPTY", _set(id_number=" ")),
    Kind("id_type", "ID_TYPE_UNKNOWN", _set(id_type="护照")),
    Kind("name", "EMPTY", _set(name="")),
    Kind("name", "NAME_TOO_LONG", lambda row: row | {"name": row["name"] + "长" * 50}),
    Kind("name", "NAME_INVISIBLE", lambda row: row | {"name": row["name"][0] + "\u202e" + row["name"][1:]}),
    Kind("name", "NAME_NONE", _set(name="无")),
    Kind("name", "NAME_UNREAD", _set(name="张□例")),
    Kind("name", "NAME_SEVERAL", _set(name="张示例/李示例")),
    Kind("name", "NAME_MARKS", _set(name="张示例(已故)")),
    Kind("sex", "SEX_UNKNOWN", _set(sex="不详")),
    Kind("sex", "SEX_MISMATCH", _other_sex),
    Kind("birth_date", "DATE_SHAPE", _set(birth_date="七〇年五月")),
    Kind("birth_date", "DATE_FUTURE", _set(birth_date="2099-01-01")),
    Kind("birth_date", "BIRTH_MISMATCH", _set(birth_date="1931-02-03")),
    Kind("residence", "RESIDENCE_UNKNOWN", _set(residence="火星")),
    Kind("alive_status", "ALIVE_UNKNOWN", _set(alive_status="失踪")),
    Kind("alive_status", "DECEASED", _set(alive_status="死亡")),
    Kind("insurance", "INSURANCE_UNKNOWN", _set(insurance="车险")),
    Kind("insured_status", "STATUS_UNKNOWN", _set(insured_status="?")),
    Kind("pay_from", "MONTH_SHAPE", _set(pay_from="202213")),
    Kind("pay_to", "PERIOD_BACKWARDS", _set(pay_to="202112")),
    Kind("categories", "CATEGORY_UNKNOWN", _set(categories="低保|富户")),
    Kind("last_tier", "TIER_SHAPE", _set(last_tier="300.50")),
    Kind("village_code", "VILLAGE_UNKNOWN", _set(village_code="370404103999")),
    Kind("household_no", "EMPTY", _set(household_no="")),
    Kind("household_no", "HOUSEHOLD_DATE", _set(household_no="3月2日")),
    Kind("household_no", "HOUSEHOLD_CUT", _set(household_no="1.2E+11")),
    Kind("relation_to_head", "CELL_ERROR", _set(relation_to_head="#REF!")),
    Kind("relation_to_head", "TEXT_TOO_LONG", _set(relation_to_head="表" * 21)),
    Kind("relation_to_head", "TEXT_INVISIBLE", _set(relation_to_head="户\x07主")),
    Kind("mobile", "PHONE_SHAPE", _set(mobile="0632-7711000")),
    Kind("change_type", "CHANGE_UNKNOWN", _set(change_type="DELETE")),
    Kind("change_type", "NOT_REGISTERED", _set(change_type="END")),
    Kind("student", "YES_NO_UNKNOWN", _set(student="=1+1")),
    Kind("insured_elsewhere", "ELSEWHERE_UNKNOWN", _set(insured_elsewhere="是")),
    Kind("family_type", "FAMILY_UNKNOWN", _set(family_type="多子女")),
    Kind("residence_permit_valid_to", "DATE_SHAPE", _set(residence_permit_valid_to="长期")),
    Kind("parent_id_number", "PARENT_NOT_OLDER", lambda row: row | {"parent_id_number": row["id_number"]}),
    Kind("school", "SCHOOL_UNKNOWN", _set(school="夜校")),
    Kind("school", "SCHOOL_NO_STUDENT", _set(school="中小学", student="否")),
    Kind("medical_years", "YEARS_SHAPE", _set(medical_years="2020|去年")),
    Kind("medical_years", "YEARS_OF_MEDICAL", _set(medical_years="2020", insurance="居民养老")),
    Kind("", "COLUMN_COUNT", lambda row: row | {_EXTRA: "多出来的"}),
    Kind("id_number", "DUP_ROW", lambda row: row, again=True),
    Kind(
        "name",
        "NAME_TO_CORRECT",
        lambda row: row | {"name": f"{row['name']}误", "insurance": "居民养老", "change_type": "UPDATE"},
        again=True,
    ),
    Kind("name", "NAME_ID_MISMATCH", lambda row: row | {"name": "冒名人", "insurance": "居民养老"}, again=True),
)


def write_sample(path: Path, rows: int, *, bad_percent: float = 0, seed: int = 2021) -> tuple[Path, int]:
    """A file of so many rows of the medical bureau, .csv or .xlsx by its name, and beside it `NAME.expected.csv`: the
    failure file that an import must write. (That file, the number of bad rows)."""
    excel = path.suffix.lower() == ".xlsx"
    side, bad = path.with_suffix(".expected.csv"), 0
    writer = _excel if excel else _csv
    with FailureFile(side) as expected:

        def lines() -> Iterator[list[str]]:
            nonlocal bad
            yield header()
            for cells, failure in _rows(rows, bad_percent, seed, SHEET if excel else ""):
                if failure:
                    bad += 1
                    expected.add(failure)
                yield [cells[field] for field in FIELDS] + [cells[extra] for extra in (_EXTRA,) if extra in cells]

        writer(path, lines())
    return side, bad


def write_template(path: Path) -> None:
    """An empty file to fill in, .csv or .xlsx by its name: its head, and in Excel every cell text, so that no number
    of 18 digits loses its end."""
    if path.suffix.lower() != ".xlsx":
        path.write_text(",".join(header()) + "\r\n", encoding="utf-8-sig", newline="")
        return
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet(SHEET)
        sheet.set_column(0, len(FIELDS) - 1, 16, book.add_format({"num_format": 49}))  # text
        sheet.write_row(0, 0, header(), book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)


def _rows(rows: int, bad_percent: float, seed: int, table: str) -> Iterator[tuple[Cells, Failure | None]]:
    dice = Random(seed + 1)  # noqa: S311 nothing here is a secret
    last: tuple[int, Cells] | None = None
    next_kind = 0
    for number, person in enumerate(people(rows, seed=seed), 2):
        cells = person.row("RES_MEDICAL")
        if dice.random() * 100 >= bad_percent:
            last = number, cells
            yield _oddly(cells, dice), None
            continue
        kind = KINDS[next_kind % len(KINDS)]
        if kind.again and last is None:
            kind = KINDS[0]
        next_kind += 1
        where = f"{f'“{table}”' if table else ''}第{last[0]}行" if last else ""
        spoilt = kind.spoil(last[1] if kind.again and last else cells)
        last = None if kind.again else last
        yield spoilt, _expected((table, number), kind, spoilt, where)


def _expected(at: tuple[str, int], kind: Kind, row: Mapping[str, str], where: str) -> Failure:
    id_number = row["id_number"].strip()
    return Failure(
        *at,
        column=TITLES.get(kind.field, ""),
        code=kind.code,
        reason=REASONS[kind.code].format(where=where),
        insurance=row["insurance"] if row["insurance"] in INSURANCE_TITLES.values() else "",
        village_code=row["village_code"],
        household_no=row["household_no"],
        name=mask_name(row["name"][:20]),
        id_number=mask_id(id_number) if len(id_number) >= 15 else "*" * len(id_number),
    )


def _oddly(row: Cells, dice: Random) -> Cells:
    """Now and then a right row is written as people write: it must come in all the same."""
    if dice.random() >= 0.02:
        return row
    year, month, day = row["birth_date"].split("-")
    return row | dice.choice(
        (
            {"id_number": row["id_number"].lower() + " "},
            {"id_number": "".join(chr(ord(letter) + 0xFEE0) for letter in row["id_number"])},
            {"birth_date": f"{year}.{int(month)}.{int(day)}"},
            {"birth_date": f"{year}/{int(month)}/{int(day)}"},
            {"birth_date": f"{year}年{int(month)}月{int(day)}日"},
            {"birth_date": f"{year}{month}{day}"},
            {"name": f" {row['name']}\u3000"},
            {"change_type": "新增", "relation_to_head": row["relation_to_head"] + " "},
        )
    )


def _csv(path: Path, lines: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


def _excel(path: Path, lines: Iterator[list[str]]) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(SHEET)
        for row, cells in enumerate(lines):
            for place, cell in enumerate(cells):
                if cell:
                    sheet.write_string(row, place, cell)
