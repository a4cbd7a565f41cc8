"""Messages that we begin: a reminder to a household with something left to do, the word to those who pay nothing, the
certificate that is ready. One a household and week, to one phone of the household, within its budget (N9)."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from app.flows.due.quote import SELF
from app.flows.parts import Parts
from app.flows.titles import collected_words, title_of
from app.flows.village.people import Standing, Villager, household, standings, villagers
from app.policy.facts import Insurance
from app.policy.words import item_words, short_day
from app.registry import find
from app.registry.find import Subject
from app.registry.matters import silenced
from core.errors import Conflict
from core.redact import mask_name
from notifications import subscriptions
from payments import proofs

_HEAD = "户主"


class SeasonOver(Conflict):
    """A reminder after the last day at the normal price: it would tell people of a day that is past."""

    text = "集中缴费已经结束，不再催办。"


@dataclass(frozen=True)
class Told:
    """How many households were told what; `again`: had this week's message already."""

    remind: int = 0
    waived: int = 0
    again: int = 0


def remind(
    parts: Parts,
    village_codes: Sequence[str],
    *,
    dry: bool = False,
    progress: Callable[[str, Told], None] | None = None,
) -> Told:
    """Write this week's messages for these villages; `dry` only counts. SeasonOver."""
    if parts.clocks.now() >= parts.rules.dates.normal_until:
        raise SeasonOver
    total = Told()
    for code in village_codes:
        told = _village(parts, code, dry=dry)
        total = Told(total.remind + told.remind, total.waived + told.waived, total.again + told.again)
        if progress:
            progress(code, told)
    return total


def tell_certified(parts: Parts, connection: Connection, day: date, fund: str) -> int:
    """Whoever asked to be told that his certificate is ready, and paid into this fund on this day; how many. Nobody
    while what the treasury booked is not what we did, or another fund of his waits: there is no certificate then."""
    return sum(_tell_certified(parts, connection, day, fund, year) for year in parts.levy.ever.all)


def _tell_certified(parts: Parts, connection: Connection, day: date, fund: str, year: int) -> int:
    written = 0
    booked = [
        each
        for each in (*Insurance, *parts.levy.rules(year).funds)
        if proofs.treasury_booking(connection, fund=each, levy_year=year, day=day) is not None
    ]
    if fund not in booked:
        return written
    paid = {"day": day, "fund": fund, "year": year, "booked": booked}
    for row in connection.execute(_WAITING, paid).all():
        openid = parts.vault.open(row.payer, bound_to=f"payment.payer:{row.number}")
        if not subscriptions.take(connection, parts.vault, openid, "certified"):
            continue  # three items and one consent: the first is told (B16)
        person = find.by_ids(connection, parts.vault, [row.person_id], years=parts.levy.years)[0]
        fields = _fields(parts, [person], title_of(row))
        sealed = parts.vault.seal(openid, bound_to=f"notice.openid:bill:{row.id}")
        wanted = _notice(parts, person.household_id, f"bill:{row.id}:certified", fields)
        wanted |= {"openid": b64encode(sealed).decode()}
        if connection.execute(_WRITE_CERTIFIED, wanted).scalar_one():
            written += 1
        else:
            subscriptions.agree(connection, parts.vault, openid, ["certified"])  # it was told before
    return written


def left_to_tell(parts: Parts, household_id: int) -> tuple[str, dict[str, str]] | None:
    """What this household would be told at this moment: kind and fields; None where nothing is left, or the season is
    over."""
    people = household(parts, household_id)
    return _told_now(parts, _not_silenced(parts, standings(parts, people, channel=SELF)))


def left_to_tell_in(parts: Parts, village_code: str) -> dict[int, tuple[str, dict[str, str]]]:
    """The same of every household of a village that has something left, by its id."""
    return {home: told for home, own in _households(parts, village_code) if (told := _told_now(parts, own)) is not None}


def _village(parts: Parts, code: str, *, dry: bool) -> Told:
    counts, homes = {"remind": 0, "waived": 0, "again": 0}, _households(parts, code)
    with parts.engine.begin() as connection:
        for home, own in homes:
            message = _message(parts, own)
            if message is not None:
                cause = f"household:{home}:{message[0]}-{_week(parts)}"
                written = dry or _tell(parts, connection, cause, message, own)
                counts[message[0] if written else "again"] += 1
    return Told(**counts)


def _households(parts: Parts, code: str) -> list[tuple[int, list[Villager]]]:
    """Who is told pays by his own phone, after the agents' weeks too."""
    lines, _ = villagers(parts, code, channel=SELF)
    lines = _not_silenced(parts, lines)
    lines.sort(key=lambda line: (line.subject.household_id, line.subject.id))
    return [(home, list(own)) for home, own in groupby(lines, key=lambda line: line.subject.household_id)]


def _not_silenced(parts: Parts, lines: Sequence[Villager]) -> list[Villager]:
    """Nobody is reminded of somebody of whom an office has yet to answer what was said, or to decide what is true."""
    with parts.reading() as connection:
        silent = silenced(connection, [line.subject.id for line in lines])
    return [line for line in lines if line.subject.id not in silent and not line.subject.conflicts]


def _told_now(parts: Parts, own: Sequence[Villager]) -> tuple[str, dict[str, str]] | None:
    if parts.clocks.now() >= parts.rules.dates.normal_until:
        return None
    message = _message(parts, sorted(own, key=lambda line: line.subject.id))
    return (message[0], _fields(parts, *message[1:])) if message else None


_Message = tuple[str, list[Subject], str]  # kind, about whom, which items
_TO_PAY = (Standing.UNPAID, Standing.TIER_OPEN)


def _message(parts: Parts, own: Sequence[Villager]) -> _Message | None:
    """One a household: to pay if there is anything to pay, else that nothing is; None where all is done."""
    to_do = [line.subject for line in own if line.year_open and line.standing in _TO_PAY]
    free = [line.subject for line in own if line.standing is Standing.FREE]
    if to_do:
        return "remind", to_do, f"{parts.rules.year}年{collected_words(parts.rules)}"
    spared = Insurance.RES_MEDICAL if parts.rules.has_medical else Insurance.RES_PENSION
    return ("waived", free, item_words(spared, parts.rules.year, None)) if free else None


def _tell(parts: Parts, connection: Connection, cause: str, message: _Message, own: Sequence[Villager]) -> bool:
    """False if this week's was written before."""
    kind, people, items = message
    heads_first = sorted((line.subject for line in own), key=lambda each: each.relation_to_head != _HEAD)
    phone = next((each for each in heads_first if each.phone_sealed), None)
    wanted = _notice(parts, people[0].household_id, cause, _fields(parts, people, items)) | {"phone": None}
    if phone is not None:
        clear = parts.vault.open(phone.phone_sealed, bound_to=f"person.phone:{phone.id}")
        sealed = parts.vault.seal(clear, bound_to=f"notice.phone:{cause.rsplit(':', 1)[0]}")
        wanted["phone"] = b64encode(sealed).decode()
    return bool(connection.execute(_WRITE[kind], wanted).scalar_one())


def _notice(parts: Parts, household: int, cause: str, fields: dict[str, str]) -> dict[str, Any]:
    told = json.dumps(fields, ensure_ascii=False)
    return {"household": household, "cause": cause, "fields": told, "at": parts.clocks.wall()}


def _fields(parts: Parts, people: Sequence[Subject], items: str) -> dict[str, str]:
    until = parts.rules.dates.normal_price_end
    names = [mask_name(person.name) for person in people]
    shown = "、".join(names[:4]) + (f"等{len(names)}人" if len(names) > 4 else "")
    return {
        "village": f"{people[0].town}{people[0].village}",
        "names": shown,
        "items": items,
        "until": short_day(until),
        "help_phone": parts.help_phone,
    }


def _week(parts: Parts) -> str:
    year, week, _ = parts.clocks.today().isocalendar()
    return f"{year}w{week:02d}"


_WRITE = {
    "remind": text(
        "select enqueue_notice(:household, :cause, 'remind', cast(:fields as jsonb), null,"
        " decode(:phone, 'base64'), :at)"
    ),
    "waived": text(
        "select enqueue_notice(:household, :cause, 'waived', cast(:fields as jsonb), null,"
        " decode(:phone, 'base64'), :at)"
    ),
}
_WRITE_CERTIFIED = text(
    "select enqueue_notice(:household, :cause, 'certified', cast(:fields as jsonb), decode(:openid, 'base64'),"
    " null, :at)"
)
_WAITING = text(
    "select b.id, b.person_id, b.insurance, b.levy_year, b.determination, b.years, b.level, b.tier, b.raised_from,"
    " p.number, p.payer"
    " from entry e"
    " join payment p on p.household_id = e.household_id and 'receipt:' || p.gateway || ':' || p.reference = e.cause"
    " join payment_bill pb on pb.household_id = p.household_id and pb.number = p.number"
    " join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"
    " join person who on who.id = b.person_id and who.restricted_at is null"
    " where e.booked_on = :day and b.levy_year = :year and b.state = 'settled' and p.payer <> ''"
    "   and exists (select from bill_line l where l.household_id = b.household_id and l.bill_id = b.id"
    "                  and l.payer = 'resident' and l.fund = :fund)"
    "   and not exists (select from bill_line l where l.household_id = b.household_id and l.bill_id = b.id"
    "                      and l.payer = 'resident' and l.fund <> all (:booked))"
)
