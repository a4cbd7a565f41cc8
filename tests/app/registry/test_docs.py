"""docs/import.md tells the people who make the file everything that the code asks of them."""

import csv
import io
import re
from pathlib import Path

from app.flows.parts import Parts
from app.registry.codes import CATEGORIES
from app.registry.columns import COLUMNS
from app.registry.failures import REASONS
from tests.app.registry.files import taken_in

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


LINES = [cells(line) for line in PAGE.splitlines() if line.startswith("|")]


def test_every_column_is_explained() -> None:
    told = [line for line in LINES if len(line) == 5 and line[1].startswith("`")]

    assert told == [
        ["、".join(column.names), f"`{column.code}`", "是" if column.required else "", column.why, column.example]
        for column in COLUMNS
    ]


def test_every_failure_is_explained_with_what_to_do() -> None:
    told = {line[0].strip("`"): line for line in LINES if len(line) == 3 and line[0].startswith("`")}

    assert set(told) == set(REASONS)
    for code, reason in REASONS.items():
        assert told[code][1] == reason.format(where="第几行", bureau="另一家", first="几", last="几") and told[code][2]


def test_every_category_is_listed() -> None:
    assert {code for code in CATEGORIES.values() if code and f"`{code}`" not in PAGE} == set()


def test_the_example_comes_in_as_it_stands(parts: Parts, tmp_path: Path) -> None:
    example = PAGE.split("```csv\n")[1].split("```")[0]
    path = tmp_path / "example.csv"
    path.write_text(example, encoding="utf-8")

    result, failures = taken_in(parts, path)

    assert failures == [] and result.added == len(list(csv.reader(io.StringIO(example)))) - 1
