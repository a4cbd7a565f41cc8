"""Every no can be told from every other, by machines and by people, and stands in docs/errors.md."""

import re
from collections import Counter

import pytest

from core.errors import AppError, BadInput, Conflict, NotFound, Refused, TryLater
from tests.house.errors_page import PAGE, errors, page

ALL = errors()
KINDS = (BadInput, Refused, NotFound, Conflict, TryLater)
NO_KIND = {"AppError", "TooLong", "Unforeseen"}  # the root, what is too long to be read, what nobody foresaw


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.house.errors_page writes it anew"


@pytest.mark.parametrize("what", ["code", "text"])
def test_no_two_errors_share_a_code_or_a_sentence(what: str) -> None:
    assert [said for said, count in Counter(getattr(kind, what) for kind in ALL).items() if count > 1] == []


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_error_has_a_kind_a_code_and_a_chinese_sentence(kind: type[AppError]) -> None:
    words = re.sub(r"\{[a-z_]+\}", "", kind.text)

    assert issubclass(kind, KINDS) or kind.__name__ in NO_KIND
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", kind.code)
    assert 400 <= kind.status < 600
    assert re.search(r"[\u4e00-\u9fff]{3}", words)
    assert re.search(r"[A-Za-z]", words) is None, "a villager reads no English and no codes"
    assert words.endswith("。") or "{" in kind.text[-12:]


def test_the_program_has_more_errors_than_the_floor() -> None:
    assert {"NO_SUCH_PERSON", "GATEWAY_SILENT", "CHANNEL_SILENT", "OUTSIDE_SILENT", "BUSY"} <= {k.code for k in ALL}
