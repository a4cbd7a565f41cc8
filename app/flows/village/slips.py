"""A village on paper: one slip a household, to be cut and handed out. No price, no number, no category is on it:
whoever finds a slip learns a masked name and where to pay. Who shall pay nothing until an office has looked is on none.
What it says of dates is true on the day of printing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from app.flows.due.quote import SELF
from app.flows.parts import Parts
from app.flows.village.people import Standing, Villager, villagers
from app.policy.terms import PolicyYear
from app.policy.words import short_day
from core.errors import Conflict
from core.redact import mask_name

_HEAD = "户主"
_TO_DO = frozenset({Standing.UNPAID, Standing.TIER_OPEN, Standing.FREE})


class NothingToHandOut(Conflict):
    """Slips after the last day on which anything can be paid."""

    text = "今年的缴费已经结束，不用再发纸条了。"


@dataclass(frozen=True)
class Slip:
    """One household's: its number, its head (masked; whoever still has to pay where he is not among them), how many
    people, of those who need not wait for an office."""

    household_number: str
    name: str
    people: int


def slips(
    parts: Parts, village_code: str, *, everybody: bool = False, only: Collection[int] | None = None
) -> list[Slip]:
    """A slip for each household with something left to do, or for all; of these households alone, by their ids, where
    some were chosen; by household number. A household of which everybody waits for an office has none."""
    lines, _ = villagers(parts, village_code, channel=SELF)  # a slip is for one's own phone
    chosen = [line for line in lines if only is None or line.subject.household_id in only]
    chosen.sort(key=lambda line: (line.subject.household_number, line.subject.household_id, line.subject.id))
    found = []
    for _, members in groupby(chosen, key=lambda line: line.subject.household_id):
        own = [line for line in members if line.standing is not Standing.WAITS]
        if own and (everybody or any(line.standing in _TO_DO for line in own)):
            found.append(_slip(own))
    return found


def can_be_handed_out(rules: PolicyYear, today: date) -> bool:
    """Is there a day left on which anything can be paid? Pure."""
    return today <= (rules.dates.pension_out_of_window_end if rules.has_pension else rules.dates.late_end)


def words_of_the_day(rules: PolicyYear, today: date) -> tuple[str, ...]:
    """Who helps on this day, and until when at what price: sentences of a slip. NothingToHandOut. Pure."""
    dates = rules.dates
    self_open, agent_open, agents_end = (
        short_day(dates.self_open),
        short_day(dates.agent_open),
        short_day(dates.concentrated_end),
    )
    price = f"{short_day(dates.normal_price_end)}以前价钱不变。"
    if today < dates.agent_open:
        begins = f"{self_open}开始缴费，" if today < dates.self_open else ""
        return "不会用手机：去银行、办税大厅。", f"{begins}{agent_open}到{agents_end}村里代收，", price
    if today <= dates.concentrated_end:
        return "不会用手机：找代办员，或去银行、办税大厅。", f"{agents_end}以前村里代收，", price
    counters = "不会用手机：去银行、办税大厅。村里代收结束了，"
    if today <= dates.normal_price_end:
        return counters, price
    if rules.has_medical and today <= dates.late_end:
        return counters, "现在交医保，价钱可能不一样，可能还要等一段时间才能报销，", "先扫码看清楚再交。"
    if can_be_handed_out(rules, today):
        over = "医保今年不能交了，" if rules.has_medical else ""
        return counters, over, f"养老{short_day(dates.pension_out_of_window_end)}以前还能交。"
    raise NothingToHandOut


def _slip(own: Sequence[Villager]) -> Slip:
    first = min(own, key=lambda line: line.standing)  # whoever has most left to do
    head = next((line.subject for line in own if line.subject.relation_to_head == _HEAD), first.subject)
    return Slip(head.household_number, mask_name(head.name), len(own))
