"""The medical bureau's word on a child that was applied for: in hand, then registered under its certificate with the
newborn's price where a year has one, or refused; and told to who applied."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, select, text

from app.access.sessions import Officer
from app.flows.newborn.apply import NoSuchNewborn, opened
from app.flows.newborn.desk import same_child
from app.flows.parts import Parts
from app.flows.register.announce import Word, tell
from app.flows.register.determine import AlreadyDecided, OwnDetermination
from app.flows.register.offers import newborn_prices
from app.policy.answer import Eligible
from app.policy.facts import Insurance
from app.registry import find
from app.registry.find import Subject
from app.registry.newborns import OPEN, RESIDENT_ID, Newborn, Stand
from core.errors import BadInput, Conflict
from core.redact import scrub
from payments.refusals import as_errors

TITLE = "新生儿参保登记"
_SHORTEST, _LONGEST = 2, 200


class NotRegisteredWhy(BadInput):
    """A no without a reason."""

    text = "不登记要写原因，申请的人会看到，最多两百个字。"


class NotBegun(Conflict):
    """Nobody has it in hand, or nobody says that he compared it with the certificate."""

    text = "先点“开始核实”，看出生医学证明的照片，逐项对过勾上，再登记。"


class StandsAlready(Conflict):
    """Somebody came to stand under the certificate meanwhile."""

    text = "这张出生医学证明已经有人登记了，请看是不是同一个孩子。"


def check(parts: Parts, number: int, *, by: Officer) -> None:
    """An officer has it in hand. NoSuchNewborn, AlreadyDecided, OwnDetermination."""
    with parts.engine.begin() as connection:
        _open_one(connection, number)
        _call(parts, connection, "check_newborn(:session, :id, :on, :at)", by, id=number)


def register(parts: Parts, number: int, *, by: Officer, compared: bool) -> int:
    """The child's person id, once it is in hand and `compared` with the certificate. NoSuchNewborn, AlreadyDecided,
    OwnDetermination, NotBegun, StandsAlready."""
    with parts.engine.begin() as connection:
        held = _open_one(connection, number)
        if held.requested_by == by.by:
            raise OwnDetermination
        if held.state == Stand.APPLIED or not compared:
            raise NotBegun
        child = int(connection.execute(_FRESH).scalar_one())
        certificate, name = opened(parts, held, "certificate"), opened(parts, held, "name")
        sealed = {
            "number": parts.vault.seal(certificate, bound_to=f"person.id_number:{child}"),
            "name": parts.vault.seal(name, bound_to=f"person.name:{child}"),
            "certificate": parts.vault.seal(certificate, bound_to=f"birth_certificate.number:{child}"),
        }
        years = [rules.year for rules in parts.levy.open if held.birth_date <= rules.dates.benefit_to]
        now = parts.clocks.now()  # one moment for all of it
        with as_errors({"23505": StandsAlready}):
            if not _call(parts, connection, _REGISTER, by, id=number, child=child, years=years, on=now, **sealed):
                raise AlreadyDecided(str(number))
        _offer(parts, connection, held, name, by=by, on=now)
        for year in _newborn_in(parts, connection, child):
            _call(parts, connection, _DETERMINE, by, id=number, year=year, on=now)
        _tell(parts, connection, held, name, yes=True)
    return child


def refuse(parts: Parts, number: int, reason: str, *, by: Officer) -> None:
    """NoSuchNewborn, AlreadyDecided, OwnDetermination, NotRegisteredWhy."""
    why = " ".join(reason.split())
    if not _SHORTEST <= len(why) <= _LONGEST or scrub(why) != why:
        raise NotRegisteredWhy
    with parts.engine.begin() as connection:
        held = _open_one(connection, number)
        if not _call(parts, connection, "reject_newborn(:session, :id, :reason, :on, :at)", by, id=number, reason=why):
            raise AlreadyDecided(str(number))
        _tell(parts, connection, held, opened(parts, held, "name"), yes=False, reason=why)


_TABLE = Newborn.__table__
_FRESH = text("select nextval(pg_get_serial_sequence('person', 'id'))")
_DETERMINE = "determine_newborn(:session, :id, :year, :on, :at)"
_JOINING = text("select nextval(pg_get_serial_sequence('joining', 'id'))")
_OFFER = "newborn_offers(:session, :id, :joining, :other, :number, :name, :on, :at)"
_REGISTER = "register_newborn(:session, :id, :child, :number, :name, :certificate, cast(:years as int[]), :on, :at)"


def _open_one(connection: Connection, number: int) -> Row:
    held = connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one_or_none()
    if held is None:
        raise NoSuchNewborn(str(number))
    if held.state not in OPEN:
        raise AlreadyDecided(str(number))
    return held


def _call(parts: Parts, connection: Connection, step: str, by: Officer, **said: object) -> bool:
    """One step in the name of the officer whose live session it is; the database looks at his office too."""
    asked = {"session": by.session, "on": parts.clocks.now(), "at": parts.clocks.wall()}
    with as_errors({"LX117": NoSuchNewborn, "LX118": OwnDetermination}):
        return bool(connection.execute(text(f"select {step}"), asked | said).scalar_one())


def _offer(parts: Parts, connection: Connection, held: Row, name: str, *, by: Officer, on: datetime) -> None:
    """Whoever came with his number before the child came with its certificate may be the same: a bureau looks."""
    for other in same_child(parts, connection, held, name):
        if other.id_type != RESIDENT_ID:
            continue
        key = int(connection.execute(_JOINING).scalar_one())
        number = parts.vault.open(other.id_number, bound_to=f"person.id_number:{other.id}")
        sealed = {
            "number": parts.vault.seal(number, bound_to=f"joining.number:{key}"),
            "name": parts.vault.seal(name, bound_to=f"joining.name:{key}"),
        }
        _call(parts, connection, _OFFER, by, id=held.id, joining=key, other=other.id, on=on, **sealed)


def _newborn_in(parts: Parts, connection: Connection, child: int) -> Sequence[int]:
    """The years that have a newborn's price for him: the window's may be the same, and ends sooner."""
    subject = _subject(parts, connection, child)
    years = [year for year in parts.levy.years.all if year in subject.years]
    return [year for year in years if _costs_no_more(parts, subject.in_year(year))]


def _costs_no_more(parts: Parts, subject: Subject) -> bool:
    if not subject.standing[Insurance.RES_MEDICAL].registered:
        return False
    prices = newborn_prices(parts, subject)
    return prices is not None and (prices[1].eligible is not Eligible.YES or prices[0].to_pay <= prices[1].to_pay)


def _subject(parts: Parts, connection: Connection, person: int) -> Subject:
    return find.by_ids(connection, parts.vault, [person], years=parts.levy.years)[0]


def _tell(parts: Parts, connection: Connection, held: Row, name: str, *, yes: bool, reason: str = "") -> None:
    parent = _subject(parts, connection, held.parent_id)
    word = Word(f"N{held.id}", yes, name, TITLE, reason, held.requested_by)
    tell(parts, connection, parent, word)
