"""Rows packed for PostgreSQL's binary COPY (manual, "COPY", Binary Format): big-endian, each value after its length."""

import struct
from datetime import date
from functools import lru_cache

HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TAIL = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
_DAY_0 = date(2000, 1, 1).toordinal()
_LENGTH = struct.Struct("!i")
_ARRAY, _BOUNDS = struct.Struct("!iii"), struct.Struct("!ii")  # dimensions, nulls?, type; length, first index
_SMALLINT = 21  # its oid


def packed_bytes(value: bytes) -> bytes:
    """A bytea that is not null."""
    return _LENGTH.pack(len(value)) + value


@lru_cache(maxsize=4096)
def packed_text(value: str) -> bytes:
    """A text that is not null; recurring words are packed once."""
    return packed_bytes(value.encode())


def packed_new_text(value: str) -> bytes:
    """A text that hardly recurs."""
    return packed_bytes(value.encode())


def packed_long(value: int | None) -> bytes:
    """A bigint or null."""
    return NULL if value is None else b"\0\0\0\x08" + value.to_bytes(8, "big", signed=True)


def packed_date(value: date | None) -> bytes:
    """A date or null."""
    return NULL if value is None else b"\0\0\0\x04" + day_number(value).to_bytes(4, "big", signed=True)


def packed_years(value: tuple[int, ...] | None) -> bytes:
    """A smallint[] or null."""
    if value is None:
        return NULL
    head = _ARRAY.pack(bool(value), 0, _SMALLINT) + (_BOUNDS.pack(len(value), 1) if value else b"")
    return packed_bytes(head + b"".join(b"\0\0\0\x02" + year.to_bytes(2, "big") for year in value))


def day_number(value: date) -> int:
    """Days since 2000-01-01, as PostgreSQL stores a date."""
    return value.toordinal() - _DAY_0
