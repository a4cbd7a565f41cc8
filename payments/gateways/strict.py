"""Strict readers for JSON and forms from outside: a name twice, a number that is none, or bad bytes are no."""

import json
import re
from binascii import a2b_qp
from collections.abc import Sequence
from itertools import chain

_FORM = re.compile(rb"[!-:<-~]+")  # printable, no blank, and no ';', which separates nothing here
_PAIR = re.compile(rb"(?:^|(?<=&))([A-Za-z][A-Za-z0-9_.\-]{0,63})=([^=&]*)(?=&|$)")
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(rb"[%+]").search
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
    pairs = _PAIR.findall(body)
    if sum(map(len, chain.from_iterable(pairs))) + 2 * len(pairs) != len(body) + 1:
        raise ValueError("a field is malformed")
    if len(pairs) > _MOST_FIELDS:
        raise ValueError("too many fields")
    found = {str(name, "ascii"): _unquoted(value) if _ESCAPED(value) else value for name, value in pairs}
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _unquoted(piece: bytes) -> bytes:
    """Percent escapes as the bytes they stand for. They differ from quoted-printable's in their sign only, and there is
    no '=' and no line end in `piece`: so the library's decoder in C does it, ten times as fast as its URL functions."""
    return a2b_qp(piece.replace(b"+", b" ").replace(b"%", b"="))
