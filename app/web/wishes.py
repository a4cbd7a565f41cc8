"""What a page asks for, read from its fields: `item=<reference>:<insurance>`, `tier.<reference>=<fen>`; of a
back-payment `item=<reference>:<insurance>:<determination>`, `tier.<reference>:<determination>=<fen>`."""

from collections.abc import Iterator, Mapping
from typing import Any

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
MOST_ITEMS = 24


class BadWish(BadInput):
    """A tier or an item that no page of ours offers."""

    status = 422
    text = "选的内容不对，请返回重新选。"


class UnknownPerson(NotFound):
    """A reference this session does not know."""

    text = "没有找到这个人，请重新查询。"


def tiers(fields: MultiDict[str, Any]) -> dict[int, dict[int | None, Fen]]:
    """The pension tiers chosen, by person id and determination (None: of the year). BadWish for an amount that is no
    whole number."""
    chosen: dict[int, dict[int | None, Fen]] = {}
    for _, person, determination, tier in _tiers(fields):
        chosen.setdefault(person, {})[determination] = tier
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
        if name.startswith(_TIER) and value.isdecimal() and person_behind(_split(name)[0]) is not None
    }


def wants(fields: MultiDict[str, Any], *, only: str | None = None) -> list[Want]:
    """The items chosen, with their tiers; `only` stands for a single item by its own button."""
    chosen = tiers(fields)
    items = [only] if only else list(dict.fromkeys(fields.getlist("item")))
    if len(items) > MOST_ITEMS:
        raise BadWish
    return [_want(item, chosen) for item in items]


def item_named(key: str) -> tuple[Insurance, int | None] | None:
    """Insurance and determination of an item's key: RES_PENSION, or of a back-payment RES_PENSION:17."""
    insurance, colon, number = key.partition(":")
    if insurance not in Insurance.__members__ or (colon and not _is_number(number)):
        return None
    return Insurance(insurance), int(number) if number else None


def _want(item: str, chosen: Mapping[int, Mapping[int | None, Fen]]) -> Want:
    named, _, key = item.partition(":")
    found = item_named(key)
    if found is None:
        raise BadWish
    insurance, determination = found
    person = known(named)
    tier = chosen.get(person, {}).get(determination) if insurance is Insurance.RES_PENSION else None
    return Want(person, insurance, tier, determination)


def known(named: str) -> int:
    """The person behind a reference. UnknownPerson."""
    person = person_behind(named)
    if person is None:
        raise UnknownPerson
    return person


def _tiers(fields: MultiDict[str, Any]) -> Iterator[tuple[str, int, int | None, Fen]]:
    for field, value in fields.items():
        if field.startswith(_TIER) and value:
            named, number = _split(field)
            if not _is_number(value) or (number and not _is_number(number)):
                raise BadWish
            yield field.removeprefix(_TIER), known(named), int(number) if number else None, int(value)


def _split(field: str) -> tuple[str, str]:
    """A tier's field as the reference and the determination's number, which the year's own has not."""
    named, _, number = field.removeprefix(_TIER).partition(":")
    return named, number


def _is_number(words: str) -> bool:
    return words.isascii() and words.isdecimal() and len(words) <= 9


def own_refund(number: str) -> RefundFollowed:
    """A refund this session may see: it concerns only people known here. NoSuchRefund."""
    found = follow(parts(), number)
    people = {item.person_id for item in found.items}
    if not people or not people <= set(here().known.values()):
        raise NoSuchRefund(number)
    return found
