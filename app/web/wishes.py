"""What a page asks for, read from its fields: `item=<reference>:<insurance>@<year>`, `tier.<reference>@<year>=<fen>`;
of a back-payment `item=<reference>:<insurance>@<year>:<determination>` and `tier.<reference>@<year>:<determination>`.
The year may be left out while only one is collected."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from app.flows.pay.start import Want
from app.flows.refund.follow import RefundFollowed, follow
from app.policy.facts import Insurance
from app.web.door.access import here, person_behind, visitor
from app.web.door.parts import parts
from core.errors import BadInput, NotFound
from core.money import Fen
from payments.errors import NoSuchRefund

_TIER = "tier."
MOST_ITEMS = 48


class BadWish(BadInput):
    """A tier or an item that no page of ours offers."""

    status = 422
    text = "选的内容不对，请返回重新选。"


class UnknownPerson(NotFound):
    """A reference this session does not know."""

    text = "没有找到这个人，请重新查询。"


def tiers(fields: MultiDict[str, Any]) -> dict[int, dict[tuple[int, int | None], Fen]]:
    """The pension tiers chosen, by person id, then levy year and determination (None: the year's own). BadWish for an
    amount that is no whole number."""
    chosen: dict[int, dict[tuple[int, int | None], Fen]] = {}
    for _, person, item, tier in _tiers(fields):
        chosen.setdefault(person, {})[item] = tier
    return chosen


def tier_fields(fields: MultiDict[str, Any]) -> dict[str, str]:
    """The same as fields, to be handed on to the next page."""
    return {f"{_TIER}{named}": str(tier) for named, _, _, tier in _tiers(fields)}


def carried(fields: MultiDict[str, Any]) -> dict[str, str]:
    """The same through a page that needs no session yet: what this session does not know is left behind."""
    if visitor() is None:
        return {}
    return {
        name: value
        for name, value in fields.items()
        if name.startswith(_TIER) and value.isdecimal() and _known(name.removeprefix(_TIER))
    }


def _known(item: str) -> bool:
    return person_behind(_parts_of(item)[0]) is not None


def wants(fields: MultiDict[str, Any], *, only: str | None = None) -> list[Want]:
    """The items chosen, with their tiers; `only` stands for a single item by its own button."""
    chosen = tiers(fields)
    items = [only] if only else list(dict.fromkeys(fields.getlist("item")))
    if len(items) > MOST_ITEMS:
        raise BadWish
    return [_want(item, chosen) for item in items]


class Item(NamedTuple):
    """One levy item of somebody: the insurance, for which year, and the determination of a back-payment."""

    insurance: Insurance
    levy_year: int
    determination: int | None


def item_named(key: str) -> Item | None:
    """The item of a key as `due.quote.item_key` makes it. YearUnsaid."""
    insurance, year, number = _parts_of(key)
    if insurance not in Insurance.__members__ or not _said(year) or not _said(number):
        return None
    return Item(Insurance(insurance), *_year_and_number(year, number))


def _want(item: str, chosen: Mapping[int, Mapping[tuple[int, int | None], Fen]]) -> Want:
    named, _, key = item.partition(":")
    found = item_named(key)
    if found is None:
        raise BadWish
    person, of_year = known(named), (found.levy_year, found.determination)
    tier = chosen.get(person, {}).get(of_year) if found.insurance is Insurance.RES_PENSION else None
    return Want(person, found.insurance, tier, found.determination, found.levy_year)


def known(named: str) -> int:
    """The person behind a reference. UnknownPerson."""
    person = person_behind(named)
    if person is None:
        raise UnknownPerson
    return person


def _tiers(fields: MultiDict[str, Any]) -> Iterator[tuple[str, int, tuple[int, int | None], Fen]]:
    for field, value in fields.items():
        if field.startswith(_TIER) and value:
            named, year, number = _parts_of(field.removeprefix(_TIER))
            if not _is_number(value) or not _said(year) or not _said(number):
                raise BadWish
            yield field.removeprefix(_TIER), known(named), _year_and_number(year, number), int(value)


def _parts_of(words: str) -> tuple[str, str | None, str | None]:
    """`a@2022:17` as its three parts; None for what is not said."""
    rest, colon, number = words.partition(":")
    named, at, year = rest.partition("@")
    return named, year if at else None, number if colon else None


def _said(words: str | None) -> bool:
    return words is None or _is_number(words)


def _year_and_number(year: str | None, number: str | None) -> tuple[int, int | None]:
    return int(year) if year else parts().levy.only, int(number) if number else None


def _is_number(words: str) -> bool:
    return words.isascii() and words.isdecimal() and len(words) <= 9


def own_refund(number: str) -> RefundFollowed:
    """A refund this session may see: it concerns only people known here. NoSuchRefund."""
    found = follow(parts(), number)
    people = {item.person_id for item in found.items}
    if not people or not people <= set(here().known.values()):
        raise NoSuchRefund(number)
    return found
