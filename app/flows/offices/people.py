"""Somebody of an office looks for a person: by number, by name in a place, by what was paid. Numbers stay masked until
a reason is given, and the reason is written down with the reading."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from app.access import accounts, acts, disclosures, erasures
from app.access.roles import Role
from app.access.sessions import Officer
from app.access.tally import READINGS, SEARCHES, TooOften, count
from app.flows.due.item import Due
from app.flows.due.quote import dues_of_year
from app.flows.due.record import answer, asked_of, year_by_year
from app.flows.offices.notices import notices_of
from app.flows.parts import Parts
from app.flows.prove.papers import is_code
from app.flows.refused import kept_though_refused
from app.registry import find
from app.registry.find import Subject
from app.registry.identity import clean_id_number, clean_name, is_certificate
from core.clock import beijing
from core.errors import BadInput, NotFound
from core.redact import mask_phone, scrub
from payments import proofs
from payments.number import REFUND, household_of
from payments.refunds import find as find_refunds
from payments.refunds.kept import stands
from payments.taking import find as find_money

MOST = 50
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_CODE = re.compile(r"[0-9A-Z]{8}")
_SHORTEST, _LONGEST = 4, 200


class NothingWanted(BadInput):
    """A search for nothing."""

    text = "请写要找的姓名、户号、身份证号、手机号、支付单号、退款单号，或者通知、凭证上的码。"


class NoPlaceChosen(BadInput):
    """A name without a place: the district has too many people of one name."""

    text = "按姓名或户号找，请先选镇街或村（居）。"


class NobodyFound(NotFound):
    """Nobody this officer may see."""

    text = "没有找到。请核对写的内容，或者换一个村（居）再找。"


class PersonRestricted(NobodyFound):
    """Somebody whose data was erased; what the accounts must keep of him is shown to nobody but the auditor."""

    text = "这个人的信息已于{day}限制处理（{ground}），不再显示。"


class RowEnded(NobodyFound):
    """Two rows of one person became one, and this is the one that ended."""

    text = "这一行已经并到同一个人的另一行，请用身份证号查。"


class BadReadingReason(BadInput):
    """A reason that says nothing, or says too much."""

    text = "请写明为什么要看，4到200个字，里面不要写身份证号和手机号。"


@dataclass(frozen=True)
class Place:
    """A town or a village that an officer may choose; `code` of 9 or 12 digits."""

    code: str
    name: str


@dataclass(frozen=True)
class Hits:
    """Who was found, at most fifty; `more`: how many are not shown."""

    people: Sequence[Subject]
    more: int


@dataclass(frozen=True)
class Dossier:
    """One person on a desk's page: what each levy year asks for, the newest first; the household, what was paid, who
    read the numbers."""

    person: Subject
    phone: str | None  # masked
    dues: Sequence[Due]
    record: Sequence[tuple[str, str]]  # former years with the medical insurance, each with how it is known
    asked: str | None  # what became of the wish to have them looked at
    household: Sequence[Subject]
    payments: Sequence[tuple[Row, str, str]]  # each with where it stands, and who began it
    notices: Sequence[Row]
    readings: Sequence[Row]


def places(parts: Parts, officer: Officer) -> list[Place]:
    """Each of the officer's towns, followed by its villages."""
    with parts.reading() as connection:
        rows = connection.execute(_PLACES, {"towns": sorted(officer.towns), "all": not officer.towns}).all()
    return [Place(row.code, row.name) for row in rows]


def search(parts: Parts, officer: Officer, *, wanted: str, place: str, network: str) -> Hits:
    """Who was found; that it was searched for is noted. NothingWanted, NoPlaceChosen, NobodyFound,
    PersonRestricted; TooOften for a desk that reads a district page by page (A50)."""
    sought = clean_name(wanted)[:60]
    if not sought:
        raise NothingWanted
    wall = parts.clocks.wall()
    with parts.engine.connect() as connection, kept_though_refused(connection):
        count(connection, parts.vault, (f"search:{officer.by}",), SEARCHES, wall)
        acts.note_search(connection, parts.vault, sought, by=officer.by, place=place, at=wall, network=network)
    ids = _numbered(parts, sought, place and _own_place(officer, place))
    if ids is None:
        ids = _named(parts, sought, _own_place(officer, place))
    with parts.reading() as connection:
        people = find.by_ids(connection, parts.vault, ids[:MOST], years=parts.levy.years)
    people = [person for person in people if sees(officer, person)]
    if not people:
        raise NobodyFound
    shown = [person for person in people if not person.restricted_at or officer.role is Role.AUDITOR]
    if not shown:
        with parts.reading() as connection:
            raise _restricted(connection, people[0].id)
    return Hits(shown, max(0, len(ids) - MOST))


def sees(officer: Officer, person: Subject) -> bool:
    """Is the person of one of the officer's towns?"""
    return not officer.towns or person.village_code[:9] in officer.towns


def dossier(parts: Parts, officer: Officer, person_id: int) -> Dossier:
    """NobodyFound for a person of another town (A39), PersonRestricted."""
    with parts.reading() as connection:
        person = _own(parts, connection, officer, person_id)
        phone = find.phone_of(connection, parts.vault, person_id)
        household = find.by_household(connection, parts.vault, person.household_id, years=parts.levy.years)
        paid = connection.execute(_PAYMENTS, {"person": person_id}).all()
        payments = [(each, stands(connection, each), acts.doer(connection, each.started_by)) for each in paid]
        notices = notices_of(connection, person.household_id, person_id)
        readings = disclosures.of_person(connection, person_id)
    now = parts.clocks.now()
    dues = [due for year in parts.levy.ever.all for due in dues_of_year(parts, person.in_year(year), at=now)]
    others = [each for each in household if each.id != person_id]
    asked = asked_of(person)
    return Dossier(
        person,
        mask_phone(phone) if phone else None,
        dues,
        list(year_by_year(person)),
        answer(asked) if asked else None,
        others,
        payments,
        notices,
        readings,
    )


def read_numbers(parts: Parts, officer: Officer, person_id: int, *, reason: str) -> tuple[str, str | None]:
    """Identity number and phone in full, and the reason written down in the same transaction (decision 17).

    BadReadingReason, NobodyFound, TooOften."""
    why = good_reason(reason)
    with parts.reading() as connection:
        if _own(parts, connection, officer, person_id).restricted_at:
            raise _restricted(connection, person_id)
    allow_reading(parts, officer)
    with parts.engine.begin() as connection:
        disclosures.note(connection, session=officer.session, reason=why, at=parts.clocks.wall(), person_id=person_id)
        return find.numbers_of(connection, parts.vault, person_id)


def _own(parts: Parts, connection: Connection, officer: Officer, person_id: int) -> Subject:
    """A person of this officer's places. NobodyFound, PersonRestricted."""
    found = find.by_ids(connection, parts.vault, [person_id], years=parts.levy.ever)
    if not found or not sees(officer, found[0]):
        raise NobodyFound
    if found[0].restricted_at and officer.role is not Role.AUDITOR:
        raise _restricted(connection, person_id)
    return found[0]


def _restricted(connection: Connection, person_id: int) -> NobodyFound:
    if (held := erasures.of_person(connection, person_id)) is None:
        return RowEnded()
    return PersonRestricted(day=f"{beijing(held.agreed_at):%Y-%m-%d}", ground=erasures.GROUNDS[held.ground])


def good_reason(reason: str) -> str:
    """What may stand in the trail. BadReadingReason."""
    why = " ".join(reason.split())
    if not _SHORTEST <= len(why) <= _LONGEST or not why.isprintable() or scrub(why) != why:
        raise BadReadingReason(fields={"reason": BadReadingReason.text})
    return why


def allow_reading(parts: Parts, officer: Officer) -> None:
    """Counts one more reading in full. TooOften, and somebody is told."""
    with parts.engine.connect() as connection, kept_though_refused(connection):
        try:
            count(connection, parts.vault, (f"reading:{officer.by}",), READINGS, parts.clocks.wall())
        except TooOften:
            parts.alert("many_readings", by=officer.by)
            raise


def _numbered(parts: Parts, sought: str, place: str) -> list[int] | None:
    """The persons behind a number or a code; None if it has the shape of neither. Of a phone: whom its account pays
    for, and, in a place that was chosen, whose registered phone it is."""
    number = clean_id_number(sought)
    with parts.reading() as connection:
        if _ID.fullmatch(number) or is_certificate(number):
            found = find.by_id_number(connection, parts.vault, number)
            gone = None if found else find.restricted(connection, parts.vault, number)
            return [found[0]] if found else [gone] if gone else []
        if household_of(number):
            return _people_of(connection, number)
        if _PHONE.fullmatch(number):
            return _with_phone(parts, connection, number, place)
        if is_code(number):
            paper = proofs.by_code(connection, number)
            return _people_of_bills(connection, paper.household_id, paper.bills) if paper else []
        if _CODE.fullmatch(number) and not number.isdigit():
            payment = find_money.by_check_code(connection, number)
            return _people_of(connection, payment.number) if payment else []
    return None


def _named(parts: Parts, sought: str, place: str) -> list[int]:
    with parts.reading() as connection:
        return [
            person
            for person, name, household in find.names_in(connection, parts.vault, place)
            if sought in name or sought == household
        ]


def _own_place(officer: Officer, place: str) -> str:
    """NoPlaceChosen without one; NobodyFound for somebody else's."""
    if not (place.isascii() and place.isdigit() and len(place) in (9, 12)):
        raise NoPlaceChosen
    if officer.towns and place[:9] not in officer.towns:
        raise NobodyFound
    return place


def _people_of(connection: Connection, number: str) -> list[int]:
    held = number.startswith(REFUND)
    bills = find_refunds.bills_of(connection, number) if held else []
    if held and not bills:  # of money that paid no bill, the payment's
        number = find_refunds.payment_of(connection, number)
    bills = bills or find_money.bills_of(connection, household_of(number), number)
    return sorted({bill.person_id for bill in bills})


def _with_phone(parts: Parts, connection: Connection, phone: str, place: str) -> list[int]:
    paid_for = accounts.people_of_phone(connection, parts.vault, phone)
    registered = find.with_phone(connection, parts.vault, phone, place) if place else []
    return sorted({*paid_for, *registered})


def _people_of_bills(connection: Connection, household_id: int, bills: Sequence[int]) -> list[int]:
    wanted = {"household": household_id, "bills": list(bills)}
    found = text("select distinct person_id from bill where household_id = :household and id = any (:bills)")
    return sorted(connection.execute(found, wanted).scalars())


_PLACES = text(
    "select code, name from (select t.code, t.name from town t union all"
    "  select v.code, t.name || v.name from village v join town t on t.code = v.town_code) place"
    " where :all or left(code, 9) = any (cast(:towns as text[])) order by code"
)
_PAYMENTS = text(
    "select distinct p.household_id, p.number, p.gateway, p.reference, p.amount, p.state, p.started_at, p.paid_at,"
    " p.started_by from payment p"
    " join payment_bill pb on pb.household_id = p.household_id and pb.number = p.number"
    " join bill b on b.household_id = pb.household_id and b.id = pb.bill_id"
    " where b.person_id = :person order by p.started_at desc limit 50"
)
