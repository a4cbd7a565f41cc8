"""Reads a table of a data file strictly: every key taken once, of the right kind, none left over, each error named."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Self, cast

from core.errors import BadInput


class BadPolicyYear(BadInput):
    """A policy year's file that is incomplete, contradicts itself, or whose examples do not come true."""

    text = "这一年的缴费标准文件有错，不能启用，请联系管理员。"


class Page:
    """One table with its place in the file, so that an error names the key. BadPolicyYear on anything unexpected."""

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self._values = dict(values)
        self.place = place

    def has(self, key: str) -> bool:
        """Whether an optional key is there."""
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys not yet taken, in the file's order: for a table whose keys are the file's own."""
        return tuple(self._values)

    def text(self, key: str, *, empty: bool = False) -> str:
        """A text; not empty unless allowed."""
        value = cast(str, self._take(key, str))
        if not value and not empty:
            raise self.wrong(key, "is empty")
        return value

    def whole(self, key: str, *, least: int = 0, most: int | None = None) -> int:
        """A whole number within bounds; amounts are fen."""
        value = cast(int, self._take(key, int))
        if value < least or (most is not None and value > most):
            raise self.wrong(key, f"out of bounds: {value}")
        return value

    def flag(self, key: str) -> bool:
        """true or false."""
        return cast(bool, self._take(key, bool))

    def day(self, key: str) -> date:
        """A date without a time."""
        return cast(date, self._take(key, date))

    def moment(self, key: str) -> datetime:
        """A date with a time and its zone."""
        value = cast(datetime, self._take(key, datetime))
        if value.tzinfo is None:
            raise self.wrong(key, "has no time zone")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of different texts."""
        values = cast(list[object], self._take(key, list))
        if any(type(value) is not str for value in values) or len(set(map(str, values))) != len(values):
            raise self.wrong(key, "must be a list of different texts")
        return tuple(map(str, values))

    def wholes(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers, at least one."""
        values = cast(list[object], self._take(key, list))
        if not values or any(type(value) is not int for value in values):
            raise self.wrong(key, "must be one or more whole numbers")
        return tuple(cast(list[int], values))

    def page(self, key: str) -> Self:
        """A table inside this one."""
        return type(self)(cast(dict[str, object], self._take(key, dict)), f"{self.place}.{key}")

    def pages(self, key: str) -> list[Self]:
        """A list of tables, at least one."""
        values = cast(list[object], self._take(key, list))
        if not values or any(type(value) is not dict for value in values):
            raise self.wrong(key, "must be one or more tables")
        return [
            type(self)(cast(dict[str, object], value), f"{self.place}.{key}[{at}]") for at, value in enumerate(values)
        ]

    def over(self, base: Self) -> Self:
        """This table, with what it does not name taken from `base`."""
        return type(self)({**base._values, **self._values}, self.place)

    def done(self) -> None:
        """Nothing may be left over: a misspelt key must not be passed over in silence."""
        if self._values:
            raise self.wrong(min(self._values), "is not a key of this table")

    def wrong(self, key: str, why: str) -> BadPolicyYear:
        """An error that names the key's place in the file."""
        return BadPolicyYear(f"{self.place}.{key}: {why}")

    def _take(self, key: str, kind: type) -> object:
        if key not in self._values:
            raise self.wrong(key, "is missing")
        value = self._values.pop(key)
        if type(value) is not kind:
            raise self.wrong(key, f"must be {kind.__name__}, not {type(value).__name__}")
        return value
