"""One strict reader for JSON from outside: a name twice, a number that is none, or bytes that are not UTF-8 are no."""

import json
from collections.abc import Sequence


def json_object(body: bytes) -> dict[str, object]:
    """The object in `body`; ValueError for duplicate names, NaN, bad UTF-8, nesting without end, or no object."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_each_name_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _each_name_once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
