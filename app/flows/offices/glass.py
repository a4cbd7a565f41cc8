"""Break-glass (A52): somebody must see what his role does not show him, now, and can say why. He asks, somebody else
opens it for an hour, either ends it; he sees all and changes nothing, each request of his is kept for the auditor, and
somebody is woken. Full numbers need a reason each, as always."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.offices.people import good_reason
from app.flows.parts import Parts
from app.registry import find
from core.errors import Conflict, Refused
from core.redact import mask_name

MOST = 50


class OneGlassAtATime(Conflict):
    """He asked already, and it is not over."""

    text = "您已经申请过一次，还没有结束。请先结束那一次。"


class NotYourGlass(Refused):
    """Opened by who asked for it, over, asked for too long ago, or not there."""

    text = "这一次申请您不能打开或者结束：自己申请的要别人打开，过了一小时的、结束了的都不算。"


@dataclass(frozen=True)
class Seen:
    """One request that was made in it; `whose` masked, or empty."""

    endpoint: str
    words: str
    whose: str
    network: str
    at: datetime


def ask(parts: Parts, officer: Officer, *, reason: str) -> int:
    """Its number; nothing is open yet. BadReadingReason, OneGlassAtATime."""
    why = good_reason(reason)
    with parts.engine.begin() as connection:
        asked = {"session": officer.session, "reason": why, "at": parts.clocks.wall()}
        number = connection.execute(text("select glass_ask(:session, :reason, :at)"), asked).scalar_one()
    if number is None:
        raise OneGlassAtATime
    return int(number)


def open_it(parts: Parts, officer: Officer, number: int) -> None:
    """For an hour, for who asked; somebody is woken. NotYourGlass."""
    if (glass := one(parts, number)) is None or glass.asked_by == officer.by:
        raise NotYourGlass(str(number))
    if not _moved(parts, "glass_open", officer, number, parts.clocks.wall()):
        raise NotYourGlass(str(number))
    _say_open(parts, one(parts, number))


def end(parts: Parts, officer: Officer, number: int) -> None:
    """At once. NotYourGlass."""
    if not _moved(parts, "glass_end", officer, number, parts.clocks.wall()):
        raise NotYourGlass(str(number))
    parts.alert("glass_ended", number=number, by=officer.by)


def end_over(parts: Parts) -> int:
    """Those whose hour is over; how many. They showed nothing from its last second on. What is open is said again: who
    opened it may have died before he said it, and the same words within an hour are one alert."""
    with parts.engine.begin() as connection:
        rows = connection.execute(text("select * from glass_over(:at)"), {"at": parts.clocks.wall()}).all()
        opened = connection.execute(text("select * from glass where ended_at is null and opened_at is not null")).all()
    for row in opened:
        _say_open(parts, row)
    for row in rows:
        if row.opened_at is not None:
            parts.alert("glass_ended", number=row.id, by=row.ended_by)
    return len(rows)


def note(parts: Parts, officer: Officer, *, endpoint: str, words: str, person: int | None, network: str) -> None:
    """One request, before it is answered."""
    if officer.role is not Role.GLASS:
        return
    with parts.engine.begin() as connection:
        connection.execute(
            text("select glass_note(:session, :endpoint, :words, :person, :network, :at)"),
            {
                "session": officer.session,
                "endpoint": endpoint,
                "words": words[:200],
                "person": person,
                "network": network,
                "at": parts.clocks.wall(),
            },
        )


def listed(parts: Parts) -> Sequence[Row]:
    """The latest first, each with how many requests were made in it (`acts`)."""
    query = text(
        "select g.*, (select count(*) from glass_act a where a.glass = g.id) as acts from glass g"
        " order by g.id desc limit :most"
    )
    with parts.reading() as connection:
        return connection.execute(query, {"most": MOST}).all()


def one(parts: Parts, number: int) -> Row | None:
    """One of them, or None."""
    with parts.reading() as connection:
        return connection.execute(text("select * from glass where id = :id"), {"id": number}).one_or_none()


def seen(parts: Parts, number: int) -> Sequence[Seen]:
    """Every request made in it, the first first: all of an hour, or many would hide one."""
    query = text("select * from glass_act where glass = :id order by id")
    with parts.reading() as connection:
        rows = connection.execute(query, {"id": number}).all()
        ids = sorted({row.person_id for row in rows if row.person_id})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.years)}
    return [
        Seen(
            row.endpoint,
            row.words,
            mask_name(people[row.person_id].name) if row.person_id in people else "",
            row.network,
            row.at,
        )
        for row in rows
    ]


def _say_open(parts: Parts, glass: Row | None) -> None:
    assert glass is not None and glass.until is not None, "it was just opened"
    until = glass.until.isoformat(timespec="minutes")
    parts.alert("glass_broken", number=glass.id, by=glass.asked_by, opened_by=glass.opened_by, until=until)


def _moved(parts: Parts, step: str, officer: Officer, number: int, now: datetime) -> bool:
    asked = {"session": officer.session, "number": number, "at": now}
    with parts.engine.begin() as connection:
        return bool(connection.execute(text(f"select {step}(:session, :number, :at)"), asked).scalar_one())
