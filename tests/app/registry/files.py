"""A bureau's file in the hand of a test: right by default, one argument to spoil."""

import csv
from collections.abc import Sequence
from pathlib import Path

import xlsxwriter
from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.register.import_roster import Imported, import_roster
from app.registry.columns import FIELDS, TITLES
from app.registry.failures import Failure
from tests.builders import an_id_number

VILLAGE = "370404103901"
NEEDED = (
    *("name", "id_number", "residence", "alive_status", "insurance"),
    *("insured_status", "village_code", "household_no"),
)  # the fewest columns a file may have


def a_row(sequence: int = 1, **spoilt: object) -> dict[str, object]:
    """The row of an ordinary adult born on 14 March 1986; an odd sequence is a man's. `field=value` changes a cell."""
    row: dict[str, object] = dict.fromkeys(FIELDS, "")
    return (
        row
        | {
            "source_person_no": f"M{sequence:06d}",
            "id_number": an_id_number(sequence=sequence),
            "name": "张示例",
            "sex": "男" if sequence % 2 else "女",
            "birth_date": "1986-03-14",
            "residence": "本区户籍",
            "alive_status": "1",
            "insurance": "居民医保",
            "insured_status": "正常",
            "village_code": VILLAGE,
            "household_no": "0001",
        }
        | spoilt
    )


def a_csv(path: Path, *rows: dict[str, object], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """A CSV with the Chinese header and these rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([TITLES[field] for field in FIELDS])
        writer.writerows([[row[field] for field in FIELDS] for row in rows])
    return path


def an_xlsx(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook: sheet name → rows of cells as they are typed (text, numbers, dates)."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, cells in enumerate(rows):
                sheet.write_row(at, 0, cells)
    return path


def taken_in(parts: Parts, path: Path, **choices: object) -> tuple[Imported, list[Failure]]:
    """The file imported: how it fared, and every failure."""
    failures: list[Failure] = []
    return import_roster(parts, path, report=failures.append, **choices), failures  # type: ignore[arg-type]


def one(parts: Parts, query: str) -> object:
    """The single value of a query."""
    with parts.engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()
