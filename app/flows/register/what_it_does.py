"""What a register file does to what is due: who is touched is reckoned twice, as the register would be and as it is."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, text

from app.flows.due.replay import side_of
from app.flows.parts import Parts
from app.flows.refund.entitle_late import would_ask
from app.policy.answer import Reason
from app.policy.facts import Category, Insurance
from app.registry.bulk import some_people
from payments.states import LIVE

Owing = tuple[bool, int] | None  # may be charged, fen to pay; None: has paid
Stand = tuple[Owing, Owing]  # of the pension, of the medical insurance
BOTH = (Insurance.RES_PENSION, Insurance.RES_MEDICAL)
NOBODY: Stand = ((False, 0), (False, 0))


def standing(parts: Parts, connection: Connection, people: Collection[int]) -> Mapping[int, Stand]:
    """What each of these persons owes of the newest year, as the transaction of `connection` has the register."""
    rules = parts.levy.newest
    all_rules = [rules, *(parts.levy.rules(year) for year in parts.levy.ever.all)]
    groups = frozenset(Category).union(*(each.groups for each in all_rules))
    at, known = parts.clocks.now(), dict[tuple[Insurance, bytes], Owing]()

    def owing(insurance: Insurance, line: bytes) -> Owing:
        key = insurance, line
        if _is_nobodys(line):
            return False, 0
        if key not in known:
            side = side_of(rules, groups, insurance, line, at=at)
            known[key] = None if side.reason is Reason.ALREADY_PAID else (side.eligible, side.personal)
        return known[key]

    connection.execute(text("select 1"))
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    lines = some_people(raw, people, (rules.year,))
    return {int(key): (owing(BOTH[0], pension), owing(BOTH[1], medical)) for key, pension, medical in lines}


def _is_nobodys(line: bytes) -> bool:
    """Not enrolled, nothing paid, no bureau's word: nothing is due, without asking the rules. Half of a register whose
    file is one bureau's."""
    _, _, status, _, _, paid, word, _ = line.split(b"\t")
    return not status and not paid and not word


def compared(before: Mapping[int, Stand], after: Mapping[int, Stand]) -> dict[str, dict[str, int]]:
    """By insurance: how many owe `more`, `less` or `nothing` any more, can be charged now (`joined`) or no more
    (`left`). Whose money is here already is not counted. Pure."""
    counted: dict[Insurance, Counter[str]] = {insurance: Counter() for insurance in BOTH}
    for person, stands in after.items():
        for insurance, now, then in zip(BOTH, stands, before.get(person, NOBODY), strict=True):
            if word := _moved(then, now):
                counted[insurance][word] += 1
    return {str(insurance): dict(words) for insurance, words in counted.items()}


def _moved(then: Owing, now: Owing) -> str:
    if then is None or now is None or then == now:
        return ""
    if then[0] != now[0]:
        return "joined" if now[0] else "left"
    if not now[0]:
        return ""
    return "more" if now[1] > then[1] else "less" if now[1] else "nothing"


def money_of(parts: Parts, connection: Connection, people: Collection[int]) -> dict[str, int]:
    """How many of these persons pay at this moment, and how many of their paid bills would ask for a difference."""
    asked = {"people": list(people), "live": list(LIVE)}
    return {
        "paying": connection.execute(_PAYING, asked).scalar_one(),
        "refunds": would_ask(parts, connection, list(people)),
    }


_PAYING = text(
    "select count(distinct b.person_id) from bill b"
    " join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    " join payment p on p.household_id = pb.household_id and p.number = pb.number"
    " where b.person_id = any (:people) and p.state = any (:live)"
)
