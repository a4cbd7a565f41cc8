"""Codes that are out for somebody's items, not paid and not ended: whoever makes another should know. Reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, text

from app.flows.due.item import item_key
from app.flows.parts import Parts
from app.policy.facts import Insurance
from payments.gateways.known import GATEWAYS
from payments.states import LIVE


@dataclass(frozen=True)
class CodeOut:
    """One item that a code of another holds: its person and key (as `Due.key`), where it is paid, until when by the
    business clock. `own`: it lies on the phone of one of the people it is for; `by_agent`: another
    agent shows it; `at_counter`: a clerk at a counter does."""

    person_id: int
    key: str
    number: str
    title: str
    expires_at: datetime
    own: bool
    by_agent: bool
    at_counter: bool


def codes_out(parts: Parts, people: Collection[int], *, but: str) -> list[CodeOut]:
    """What codes of anybody `but` one (account:<id>, agent:<id>, staff:<login>) hold of these people."""
    wanted = {"people": sorted(people), "but": but, "live": sorted(LIVE)}
    with parts.reading() as connection:
        rows = connection.execute(_OUT, wanted).all()
    return [
        CodeOut(
            row.person_id,
            item_key(Insurance(row.insurance), row.levy_year, row.determination, rise=row.raised_from is not None),
            row.number,
            GATEWAYS[row.gateway].facts.title,
            row.expires_at,
            row.own,
            row.by_agent,
            row.at_counter,
        )
        for row in rows
    ]


_OUT = text(
    "select b.person_id, b.insurance, b.levy_year, b.determination, b.raised_from, p.number, p.gateway, p.expires_at,"
    "  exists (select from payment_bill other join bill o on o.household_id = other.household_id"
    "    and o.id = other.bill_id join resident_person a on a.person_id = o.person_id and a.own"
    "    where other.household_id = p.household_id and other.number = p.number"
    "      and 'account:' || a.account_id = p.started_by) as own,"
    "  p.started_by like 'agent:%' as by_agent, p.started_by like 'staff:%' as at_counter"
    " from bill b join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id and pb.live"
    " join payment p on p.household_id = pb.household_id and p.number = pb.number"
    " where b.person_id in :people and p.state in :live and p.started_by <> :but"
    " order by b.person_id, b.insurance, b.determination nulls first"
).bindparams(bindparam("people", expanding=True), bindparam("live", expanding=True))
