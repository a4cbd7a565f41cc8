"""A list of people who shall have accounts, as some spreadsheet → its rows, below whatever stands above its header."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.registry.cells import plain
from app.registry.sheet import open_file
from app.registry.workbook import BadFile

APART = re.compile(r"[、,，;；\s]+")  # between several of a kind in one cell
_SEARCHED, _MOST = 10, 2000
_SHORTEST, _LONGEST = 2, 30


def rows_of(
    path: Path, titles: Mapping[str, Sequence[str]], needed: Sequence[str], *, said: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells, field → words, of each row that is somebody; `said`: the needed columns in words. BadFile."""
    found = False
    for sheet in open_file(path).sheets():
        places: dict[str, int] = {}
        for at, (number, cells) in enumerate(sheet.rows):
            words = [plain(cell) for cell in cells]
            if not places:
                places = _header(words, titles, needed)
                found = found or bool(places)
                if not places and at >= _SEARCHED:
                    break
                continue
            row = dict.fromkeys(titles, "")
            row |= {field: words[place].strip() if place < len(words) else "" for field, place in places.items()}
            if any(row.values()):
                if number > _MOST:
                    raise BadFile(why=f"一份名单最多{_MOST}行，请分成几份")
                yield number, row
    if not found:
        raise BadFile(why=f"没有找到表头：前十行里要有{said}")


def is_name(name: str) -> bool:
    """Could it be somebody's?"""
    return _SHORTEST <= len(name) <= _LONGEST and not any(letter.isdigit() for letter in name)


def _header(words: Sequence[str], titles: Mapping[str, Sequence[str]], needed: Sequence[str]) -> dict[str, int]:
    places = {
        field: place
        for field, known in titles.items()
        for place, word in reversed(list(enumerate(words)))
        if "".join(word.split()) in known
    }
    return places if set(needed) <= places.keys() else {}
