"""The district's own years with a gap, as nationally: a month more for every missed year after the first."""

from pathlib import Path

from app.policy.year import YEARS
from tests.config.test_district import OTHER

_GAP = """
[medical.gap]
months_each = 1
free_years = 1
buys = true
in_window = false

[medical.lines]
"""


def gap_district(folder: Path) -> str:
    """The path of a district's file (DISTRICT) whose years 2022 and 2023 ask for the record of enrolment."""
    for year in (2022, 2023):
        written = (YEARS / f"{year}.toml").read_text(encoding="utf-8")
        (folder / f"{year}.toml").write_text(written.replace("\n[medical.lines]\n", _GAP), encoding="utf-8")
    file = folder / "gap.toml"
    named = OTHER.format(years=folder).replace("示例县", "峄城区").replace("样板市", "枣庄市")
    file.write_text(named, encoding="utf-8")
    return str(file)
