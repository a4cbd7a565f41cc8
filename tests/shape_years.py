"""The district whose 2022 lets a tier be raised by paying the difference, tells of aid, and takes people from elsewhere
without a permit for the whole price; its 2023 is as ever."""

from pathlib import Path

from app.policy.year import YEARS
from tests.config.test_district import OTHER

_ADDED = {
    "short_cover_days = 90": "short_cover_days = 90\nnonlocals = true",
    "\n[medical.lines]\n": """
[[medical.prices]]
who = { residences = ["nonlocal"] }
total = 900_00
personal = 900_00
subsidy = 0

[medical.lines]
""",
    "\n[[pension.kept]]": "raising_until = 2022-11-30\n\n[[pension.kept]]",
    "\n[pension.bonus]": "\n[pension.aid]\nmost = 5000_00\nopens = 2021-11-01\nlast = 2022-11-30\n\n[pension.bonus]",
}


def shape_district(folder: Path) -> str:
    """The path of a district's file (DISTRICT) with these years."""
    written = (YEARS / "2022.toml").read_text(encoding="utf-8")
    for old, new in _ADDED.items():
        assert old in written
        written = written.replace(old, new, 1)
    (folder / "2022.toml").write_text(written, encoding="utf-8")
    (folder / "2023.toml").write_text((YEARS / "2023.toml").read_text(encoding="utf-8"), encoding="utf-8")
    file = folder / "shapes.toml"
    named = OTHER.format(years=folder).replace("示例县", "峄城区").replace("样板市", "枣庄市")
    file.write_text(named, encoding="utf-8")
    return str(file)
