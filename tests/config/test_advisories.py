"""A known weakness fails the check until it is mended, unless somebody said why and until when it waits."""

from datetime import date

from config.advisories import judged

TODAY = date(2026, 11, 29)
KNOWN = {
    "name": "flask",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}],
}
CLEAN = {"name": "qrcode", "version": "8.0", "vulns": []}


def test_what_is_known_is_told_with_the_version_that_mends_it() -> None:
    assert judged([KNOWN, CLEAN], [], TODAY) == ["flask 1.0: PYSEC-1, mended in 1.1"]


def test_it_may_wait_until_its_day_by_any_of_its_names() -> None:
    waits = [{"id": "CVE-2026-1", "until": TODAY}, {"id": "PYSEC-2", "until": date(2027, 1, 1)}]

    assert judged([KNOWN], waits, TODAY) == []
    assert judged([KNOWN], waits, date(2026, 11, 30)) == ["flask 1.0: PYSEC-1, mended in 1.1, waited until 2026-11-29"]


def test_what_was_not_asked_is_not_called_clean() -> None:
    assert judged([{"name": "own", "skip_reason": "not found"}], [], TODAY) == []
