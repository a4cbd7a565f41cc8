"""What a page asks for, read from its fields: `item=<reference>:<insurance>`, `tier.<reference>=<fen>`."""

from collections.abc import Iterator
from typing import Any

from werkzeug.datastructures import MultiDict

from app.flows.pay import Want
from app.policy.facts import Insurance
from app.web.access import person_behind, visitor
from core.errors import BadInput, NotFound
from core.money import Fen

_TIER = "tier."
MOST_ITEMS = 24


class BadWish(BadInput):
    """A tier or an item that no page of ours offers."""

    status = 422
    text = "选的内容不对，请返回重新选。"


class UnknownPerson(NotFound):
    """A reference this session does not know."""

    text = "没有找到这个人，请重新查询。"


def tiers(fields: MultiDict[str, Any]) -> dict[int, Fen]:
    """The pension tiers chosen: person id → fen. BadWish for an amount that is no whole number."""
    return {person: tier for _, person, tier in _tiers(fields)}


def tier_fields(fields: MultiDict[str, Any]) -> dict[str, str]:
    """The same as fields, to be handed on to the next page."""
    return {f"{_TIER}{named}": str(tier) for named, _, tier in _tiers(fields)}


def carried(fields: MultiDict[str, Any]) -> dict[str, str]:
    """The same through a page that needs no session yet: what this session does not know is left behind."""
    if visitor() is None:
        return {}
    return {
        name: value
        for name, value in fields.items()
        if name.startswith(_TIER) and value.isdecimal() and person_behind(name.removeprefix(_TIER)) is not None
    }


def wants(fields: MultiDict[str, Any], *, only: str | None = None) -> list[Want]:
    """The items chosen, with their tiers; `only` stands for a single item by its own button."""
    chosen = tiers(fields)
    items = [only] if only else list(dict.fromkeys(fields.getlist("item")))
    if len(items) > MOST_ITEMS:
        raise BadWish
    return [_want(item, chosen) for item in items]


def _want(item: str, chosen: dict[int, Fen]) -> Want:
    named, _, insurance = item.rpartition(":")
    if insurance not in Insurance.__members__:
        raise BadWish
    person = known(named)
    pension = insurance == Insurance.RES_PENSION
    return Want(person, Insurance(insurance), chosen.get(person) if pension else None)


def known(named: str) -> int:
    """The person behind a reference. UnknownPerson."""
    person = person_behind(named)
    if person is None:
        raise UnknownPerson
    return person


def _tiers(fields: MultiDict[str, Any]) -> Iterator[tuple[str, int, Fen]]:
    for field, value in fields.items():
        if field.startswith(_TIER) and value:
            named = field.removeprefix(_TIER)
            if not (value.isascii() and value.isdecimal() and len(value) <= 9):
                raise BadWish
            yield named, known(named), int(value)
