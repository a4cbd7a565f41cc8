"""The amounts that a year charges and pays, and those that the words of its rules name: the two must agree. Pure."""

import re
from collections.abc import Iterator

from app.policy.clauses import used
from app.policy.prices import Ground, Medical
from app.policy.terms import PolicyYear
from app.policy.tiers import Pension
from core.money import Fen, fen

_NUMBER = r"[0-9]+(?:\.[0-9]{1,2})?"
_AMOUNTS = re.compile(rf"(?<![0-9.])({_NUMBER}(?:(?:、|和|或|至|到|-|—){_NUMBER})*)元")


def amounts_in(words: str) -> list[Fen]:
    """'100、300元，320元' → 100_00, 300_00, 320_00."""
    return [fen(number) for group in _AMOUNTS.findall(words) for number in re.findall(_NUMBER, group)]


def contradicting(rules: PolicyYear) -> Iterator[tuple[str, Fen]]:
    """(clause, amount) that its words name and no figure has: of the insurance whose lines cite it, else of both."""
    rooms = [room for room in (rules.has_medical, rules.has_pension) if room]
    for number, clause in rules.clauses.items():
        citing = [room for room in rooms if number in used([room])] or rooms
        figures = {figure for room in citing for figure in _figures(room)}
        for amount in dict.fromkeys(amounts_in(clause.words)):
            if amount not in figures:
                yield number, amount


def unworded(rules: PolicyYear) -> Iterator[tuple[str, Fen]]:
    """(place, amount) of what people pay themselves that no cited clause names, where those clauses name amounts."""
    for room in (rules.has_medical, rules.has_pension):
        if room is None:
            continue
        named = {amount for number in used([room]) for amount in amounts_in(rules.clauses[number].words)}
        asked = [
            (place, amount) for place, amount in _asked(room) if amount and not named & {amount, *_paid(room, amount)}
        ]
        # Tiers that are told as a span ("200至3000元") are not named one by one.
        if named and not (isinstance(room, Pension) and 2 * len(asked) > len(room.tiers)):
            yield from asked


def _paid(room: Medical | Pension, amount: Fen) -> Iterator[Fen]:
    """The same with the other funds in it: '500元，其中长期护理保险30元'."""
    if isinstance(room, Medical) and room.funds:
        yield amount + sum(fund.amount for fund in room.funds)


def _asked(room: Medical | Pension) -> Iterator[tuple[str, Fen]]:
    if isinstance(room, Pension):
        yield from ((f"pension.tiers {amount}", amount) for amount in room.tiers)
        return
    yield "medical.personal", room.base.personal
    yield from ((f"medical.prices[{at}].personal", price.personal) for at, price in enumerate(room.prices))


def _figures(room: Medical | Pension) -> Iterator[Fen]:
    if isinstance(room, Medical):
        prices = (room.base, *room.prices)
        for price in prices:
            yield from (price.total, price.personal, price.subsidy, *_paid(room, price.personal))
            yield from (amount for ground in room.grounds for amount in _help(ground, price.personal))
        for fund in room.funds:
            yield fund.amount
            yield from (amount for ground in fund.grounds for amount in _help(ground, fund.amount))
        return
    for tier in room.tiers.values():
        yield from (tier.amount, tier.subsidy, tier.amount + tier.subsidy)
    for band in room.bands:
        yield from (band.low, band.high or 0, (band.high or 0) + 1, band.subsidy)  # "below 2000" is up to 1999.99
    for ground in room.grounds:
        yield from _help(ground, room.default_tier or 0)
    yield from room.between or ()
    yield from (room.aid.most if room.aid else 0, room.backpay.tier or 0, room.backpay.most or 0)
    yield from (extra.amount for extra in room.extras)
    yield from (room.default_tier or 0, room.bonus.amount if room.bonus else 0)


def _help(ground: Ground, personal: Fen) -> Iterator[Fen]:
    """What each payer pays, also where nothing of it is left for him, and what stays with the person."""
    yield from (amount for _, amount in ground.paid(personal))
    yield from (step.fixed or step.leaves or 0 for step in ground.steps)
    yield ground.leaves(personal)
