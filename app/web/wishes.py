"""What a page asks for, read from its fields: `item=<reference>:<insurance>@<year>`, `tier.<reference>@<year>=<fen>`;
of a back-payment `item=<reference>:<insurance>@<year>:<determination>` and `tier.<reference>@<year>:<determination>`;
`level.<reference>@<year>=<level>` of the medical insurance; of a pension that is paid and raised
`item=<reference>:RES_PENSION@<year>:rise` and `rise.<reference>@<year>=<fen>`. What is typed is
`yuan.<reference>@<year>`, in place of a tier. The year may be left out while only one is collected."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import normalize

from werkzeug.datastructures import MultiDict

from app.access.serving import serves
from app.flows.due.item import RISE
from app.flows.due.quote import subjects
from app.flows.pay.start import Want
from app.flows.refund.follow import RefundFollowed, follow
from app.policy.facts import Insurance
from app.web.door.access import here, person_behind, visitor
from app.web.door.parts import parts
from core.errors import BadInput, NotFound
from core.money import Fen, fen
from payments.errors import NoSuchRefund

_TIER, _LEVEL, _RISE, _YUAN = "tier.", "level.", "rise.", "yuan."
_CHOICES = (_TIER, _LEVEL, _RISE)
MOST_ITEMS = 48
MOST_LETTERS = 20  # of what is typed as an amount


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
    for _, person, item, tier in _chosen(fields, _TIER):
        chosen.setdefault(person, {})[item] = tier
    return chosen


def levels(fields: MultiDict[str, Any]) -> dict[int, dict[int, int]]:
    """The levels of the medical insurance chosen, by person id, then levy year. BadWish for one that is no number."""
    chosen: dict[int, dict[int, int]] = {}
    for _, person, (year, _), level in _chosen(fields, _LEVEL):
        chosen.setdefault(person, {})[year] = level
    return chosen


def rises(fields: MultiDict[str, Any]) -> dict[int, dict[int, Fen]]:
    """The tiers to which a pension that is paid shall be raised, by person id, then levy year. BadWish for one that is
    no number."""
    chosen: dict[int, dict[int, Fen]] = {}
    for _, person, (year, _), tier in _chosen(fields, _RISE):
        chosen.setdefault(person, {})[year] = tier
    return chosen


def choices(fields: MultiDict[str, Any]) -> dict[int, dict[str, Any]]:
    """All that was chosen, by person id, as `due.quote.all_due` takes it."""
    found: dict[int, dict[str, Any]] = {}
    for kind, chosen in (("tiers", tiers(fields)), ("levels", levels(fields)), ("rises", rises(fields))):
        for person, own in chosen.items():
            found.setdefault(person, {})[kind] = own
    return found


def typed_amounts(fields: MultiDict[str, Any]) -> dict[str, str]:
    """What somebody typed as his pension that is no amount, as fields with what he typed."""
    return {
        field: value.strip()[:MOST_LETTERS]
        for field, value in fields.items()
        if field.startswith(_YUAN) and value.strip() and typed_fen(value) is None
    }


def unread(fields: MultiDict[str, Any]) -> dict[int, dict[tuple[int, int | None], str]]:
    """The same by person id, then levy year and determination, for the page that says what is wrong."""
    typed: dict[int, dict[tuple[int, int | None], str]] = {}
    for field, value in typed_amounts(fields).items():
        _, person, item, _ = _named(field.removeprefix(_YUAN), 0)
        typed.setdefault(person, {})[item] = value
    return typed


def typed_fen(typed: str) -> Fen | None:
    """Yuan as somebody types them (1200, １２００, 1,200元), in fen; None for what is no amount."""
    plain = normalize("NFKC", typed).replace(",", "").replace("，", "").strip().removesuffix("元").strip()
    try:
        found = fen(plain)
    except ValueError:
        return None
    return found if 0 < found < 10**9 else None


def tier_fields(fields: MultiDict[str, Any]) -> dict[str, str]:
    """All that was chosen, tiers, levels and rises, as fields to be handed on to the next page."""
    return {f"{kind}{named}": str(value) for kind in _CHOICES for named, _, _, value in _chosen(fields, kind)}


def carried(fields: MultiDict[str, Any]) -> dict[str, str]:
    """The same through a page that needs no session yet: what this session does not know is left behind."""
    if visitor() is None:
        return {}
    return {
        name: value
        for name, value in fields.items()
        if name.startswith(_CHOICES) and value.isdecimal() and _known(name.partition(".")[2])
    }


def _known(item: str) -> bool:
    return person_behind(_parts_of(item)[0]) is not None


def wants(fields: MultiDict[str, Any], *, only: str | None = None) -> list[Want]:
    """The items chosen, with their tiers and levels; `only` stands for a single item by its own button."""
    chosen = _Chosen(tiers(fields), levels(fields), rises(fields))
    items = [only] if only else list(dict.fromkeys(fields.getlist("item")))
    if len(items) > MOST_ITEMS:
        raise BadWish
    return [_want(item, chosen) for item in items]


class _Chosen(NamedTuple):
    """All that was chosen, by person id."""

    tiers: Mapping[int, Mapping[tuple[int, int | None], Fen]]
    levels: Mapping[int, Mapping[int, int]]
    rises: Mapping[int, Mapping[int, Fen]]


class Item(NamedTuple):
    """One levy item of somebody: the insurance, for which year, and the determination of a back-payment, or is it the
    rise of a pension that is paid."""

    insurance: Insurance
    levy_year: int
    determination: int | None
    rise: bool = False


def item_named(key: str) -> Item | None:
    """The item of a key as `due.item.item_key` makes it. YearUnsaid."""
    insurance, year, number = _parts_of(key)
    if number == RISE:
        rises = insurance == Insurance.RES_PENSION and _said(year)
        return Item(Insurance.RES_PENSION, *_year_and_number(year, None), True) if rises else None
    if insurance not in Insurance.__members__ or not _said(year) or not _said(number):
        return None
    return Item(Insurance(insurance), *_year_and_number(year, number))


def _want(item: str, chosen: _Chosen) -> Want:
    named, _, key = item.partition(":")
    found = item_named(key)
    if found is None:
        raise BadWish
    person = known(named)
    level = level_of(found, person, chosen.levels)
    tier = tier_of(found, chosen.tiers.get(person, {}), chosen.rises.get(person, {}))
    return Want(person, found.insurance, tier, found.determination, found.levy_year, level, found.rise)


def tier_of(item: Item, own: Mapping[tuple[int, int | None], Fen], raised: Mapping[int, Fen]) -> Fen | None:
    """The tier that somebody chose for an item; None for whatever has none."""
    if item.insurance is not Insurance.RES_PENSION:
        return None
    return raised.get(item.levy_year) if item.rise else own.get((item.levy_year, item.determination))


def level_of(item: Item, person: int, at: Mapping[int, Mapping[int, int]]) -> int | None:
    """The level that was chosen for an item; None for whatever has none."""
    own = item.insurance is Insurance.RES_MEDICAL and item.determination is None
    return at.get(person, {}).get(item.levy_year) if own else None


def known(named: str) -> int:
    """The person behind a reference. UnknownPerson."""
    person = person_behind(named)
    if person is None:
        raise UnknownPerson
    return person


def _chosen(fields: MultiDict[str, Any], kind: str) -> Iterator[tuple[str, int, tuple[int, int | None], int]]:
    for field, value in fields.items():
        if field.startswith(kind) and value:
            if not _is_number(value):
                raise BadWish
            found = _named(field.removeprefix(kind), int(value))
            if kind != _TIER and found[2][1] is not None:
                raise BadWish  # only a tier is chosen for a back-payment
            yield found
        elif kind == _TIER and field.startswith(_YUAN) and (amount := typed_fen(value)) is not None:
            yield _named(field.removeprefix(_YUAN), amount)


def _named(item: str, value: int) -> tuple[str, int, tuple[int, int | None], int]:
    named, year, number = _parts_of(item)
    if not _said(year) or not _said(number):
        raise BadWish
    return item, known(named), _year_and_number(year, number), value


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
    """A refund this session may see: it concerns only people known here, or served at this table. NoSuchRefund."""
    found, its = follow(parts(), number), serves(here())
    people = {item.person_id for item in found.items}
    if its is not None:
        mine = all(its(each.village_code) for each in subjects(parts(), sorted(people)))
    else:
        mine = people <= set(here().known.values())
    if not people or not mine:
        raise NoSuchRefund(number)
    return found
