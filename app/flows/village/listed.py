"""Where the rosters of a village stand by which its agent collects (R38): one sentence while one is not in force."""

from collections.abc import Mapping

from sqlalchemy import text

from app.flows.due.listed import by_roster
from app.flows.due.quote import AGENT, YEARS_OWN
from app.flows.parts import Parts
from app.policy.words import phrases
from app.registry.rosters import WORDS

_NOT_DRAWN = "税务分局还没有出"


def not_in_force(parts: Parts, village: str) -> str | None:
    """Which of the newest year's are not, in whose hand each is, and what people can do; None where all are, or none is
    asked for."""
    rules = parts.rules
    if not by_roster(rules, AGENT):
        return None
    with parts.reading() as connection:
        rows = connection.execute(_STAND, {"village": village, "year": rules.year}).all()
    stands: Mapping[str, str | None] = {row.insurance: None if row.in_force else WORDS[row.state] for row in rows}
    waits: dict[str, list[str]] = {}
    for insurance in YEARS_OWN:
        if rules.offers(insurance) and (where := stands.get(insurance, _NOT_DRAWN)):
            waits.setdefault(where, []).append(phrases("names")[insurance])
    if not waits:
        return None
    said = "；".join(f"{'、'.join(names)}的清册：{where}" for where, names in waits.items())
    return f"{rules.year}年{said}。清册生效以前，村里不能代收；大家可以用自己的手机、银行或办税大厅自己交。"


_STAND = text(
    "select insurance, state, effective_no is not null as in_force from roster"
    " where village_code = :village and levy_year = :year and no > 0"
)
