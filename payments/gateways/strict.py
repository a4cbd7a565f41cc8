"""Strict readers for JSON and forms from outside: a name twice, a number that is none, or bad bytes are no."""

import json
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

_FORM = re.compile(rb"[!-:<-~]+")  # printable, no blank, and no ';', which separates nothing here
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MOST_FIELDS = 100


def json_object(body: bytes) -> dict[str, object]:
    """The object in `body`; ValueError for duplicate names, NaN, bad UTF-8, nesting without end, or no object."""
    try:
        found = _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def each_name_once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Members of an object as a dict; ValueError for a name twice. For `object_pairs_hook`."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def no_number(word: str) -> object:
    """ValueError for NaN and its like. For `parse_constant`."""
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=each_name_once, parse_constant=no_number)  # made once: it costs


def form_fields(body: bytes) -> dict[str, bytes]:
    """The fields of a urlencoded form, decoded once, as bytes of whatever charset they claim to be in.

    ValueError for a name twice, a pair without its one '=', a name like 'a[]', a bare '%', ';' or byte beyond ASCII."""
    if not _FORM.fullmatch(body) or _PERCENT.search(body):
        raise ValueError("not a clean form")
    pairs = body.split(b"&")
    if len(pairs) > _MOST_FIELDS:
        raise ValueError("too many fields")
    found: dict[str, bytes] = {}
    for pair in pairs:
        spelled, equals, value = pair.partition(b"=")
        name = _unquoted(spelled).decode("utf-8")
        if not equals or b"=" in value or not _NAME.fullmatch(name):
            raise ValueError("a field is malformed")
        if name in found:
            raise ValueError("a name appears twice")
        found[name] = _unquoted(value)
    return found


def _unquoted(piece: bytes) -> bytes:
    return unquote_to_bytes(piece.replace(b"+", b" "))
