"""Strict readers for what comes from outside, JSON objects and forms: a name twice, a number that is none, or bytes
that are not UTF-8 are no."""

import json
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

_ENCODED = re.compile(rb"(?:[^%&=;#\x00-\x20\x7f-\xff]|%[0-9A-Fa-f]{2})*")


def json_object(body: bytes) -> dict[str, object]:
    """The object in `body`; ValueError for duplicate names, NaN, bad UTF-8, nesting without end, or no object."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_each_name_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of an application/x-www-form-urlencoded body, values as sent (line ends and empty ones kept).

    ValueError for a name twice or without one, a bare name, a byte that should be encoded, or bad UTF-8."""
    found: dict[str, str] = {}
    for pair in body.split(b"&") if body else ():
        name, equals, value = pair.partition(b"=")
        if not name or not equals or not (_ENCODED.fullmatch(name) and _ENCODED.fullmatch(value)):
            raise ValueError("not a clean form")
        called, said = (unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8") for part in (name, value))
        if called in found:
            raise ValueError("a name appears twice")
        found[called] = said
    return found


def _each_name_once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name appears twice")
        found[name] = value
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not JSON")
