"""The district with a year that has two levels of the medical insurance, and a pension of any amount between two."""

from pathlib import Path

from tests.config.test_district import OTHER

YEARS = Path(__file__).parent / "journeys" / "levels"


def level_district(folder: Path) -> str:
    """The path of a district's file (DISTRICT) with that year."""
    file = folder / "levels.toml"
    named = OTHER.format(years=YEARS).replace("示例县", "峄城区").replace("样板市", "枣庄市")
    file.write_text(named, encoding="utf-8")
    return str(file)
