"""What a year's file marks as assumed: read from its comments, so that a person knows what he signs. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TABLE = re.compile(r"\[(\[?)([\w.]+)\]\]?")
_KEY = re.compile(r"(\w+)\s*=")
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_MARK = re.compile(r"\bassumed\b")


@dataclass(frozen=True)
class Assumed:
    """One marked place: `dates.late_end`, `pension.subsidy_bands[4]`, or empty for the whole file. `written`: what
    stands there, key → its text in the file; empty of the whole file. `why`: what the comment says beside the mark."""

    place: str
    written: Mapping[str, str]
    why: str


def read_assumed(text: str) -> tuple[Assumed, ...]:
    """Every comment with the word assumed, in the file's order. A mark beside a table's name is on all of its keys."""
    found = []
    lines = text.splitlines()
    for at, (place, line) in enumerate(zip(_places(lines), lines, strict=True)):
        before, comment = _apart(line)
        if not _MARK.search(comment):
            continue
        why = comment.removeprefix("assumed").lstrip(" :")
        if key := _KEY.match(before):
            written = {key[1]: before[key.end() :].strip()}
            found.append(Assumed(f"{place}.{key[1]}".strip("."), written, why))
        else:
            written = dict(_keys(lines[at + 1 :])) if _TABLE.match(before) else {}
            found.append(Assumed(place, written, why))
    return tuple(found)


def _places(lines: list[str]) -> Iterator[str]:
    """The table that each line stands in."""
    place, seen = "", dict[str, int]()
    for line in lines:
        if table := _TABLE.match(line):
            place = table[2]
            if table[1]:
                seen[place] = seen.get(place, -1) + 1
                place = f"{place}[{seen[place]}]"
        yield place


def _apart(line: str) -> tuple[str, str]:
    """What stands before a comment, and the comment; a # between quotes begins none."""
    hidden = _STRINGS.sub(lambda found: "_" * len(found[0]), line)
    end = hidden.find("#")
    return (line, "") if end < 0 else (line[:end].rstrip(), line[end + 1 :].strip())


def _keys(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        before, _ = _apart(line)
        if _TABLE.match(before):
            return
        if key := _KEY.match(before):
            yield key[1], before[key.end() :].strip()
