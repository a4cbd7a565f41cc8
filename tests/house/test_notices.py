"""A kind of notice, its template and the place that writes it share one word."""

import re
from string import Template

from notifications.send import AT_ONCE
from tests.house.tree import ROOT, files, words

TEMPLATES = {path.stem: path for path in (ROOT / "notifications" / "templates").glob("*.txt")}
FIELDS = {"village", "names", "items", "amount", "check_code", "paid_at", "reason", "until", "help_phone", "serial"} | {
    "voided"
}


def kinds_written() -> tuple[set[str], int]:
    """(the kinds that code and functions write, how many places write notices)."""
    kinds, places = set(), 0
    for path in files():
        if path.suffix not in {".py", ".sql"} or path.parts[0] in {"tests", "bench"}:
            continue
        for call in re.finditer(r"(?:perform|select|and|if|:=) enqueue_notice\(([^)]*)", words(path)):
            places += 1
            kind = call[1].split(",")[2].strip().strip("'")
            kinds |= _values(words(path), kind) if kind == "word" else {kind}
    return kinds, places


def _values(text: str, name: str) -> set[str]:
    """What a variable of collect() may be where the notice is written."""
    found = re.search(rf"if {name} in \(([^)]*)\) then", text)
    assert found
    return {value.strip().strip("'") for value in found[1].split(",")}


def test_every_kind_that_is_written_has_a_template_and_every_template_a_kind() -> None:
    kinds, places = kinds_written()
    calls = sum(
        words(path).count("enqueue_notice(") - words(path).count("function enqueue_notice(")
        for path in files()
        if path.suffix in {".py", ".sql"} and path.parts[0] not in {"tests", "bench"}
    )

    assert places == calls, "a place writes notices in a way this test does not read"
    assert kinds | AT_ONCE == set(TEMPLATES) and not kinds & AT_ONCE


def test_a_template_asks_for_fields_that_a_notice_has() -> None:
    for path in (path for kind, path in TEMPLATES.items() if kind not in AT_ONCE):
        asked = set(Template(path.read_text(encoding="utf-8")).get_identifiers())
        assert asked <= FIELDS, path.name
        assert {"village", "names", "items"} <= asked, path.name


def test_a_message_carries_no_link_and_fits_two_text_messages() -> None:
    for path in TEMPLATES.values():
        text = path.read_text(encoding="utf-8").strip()
        assert "http" not in text and "\n" not in text, path.name
        assert "【" not in text and len(text) < 115, path.name
