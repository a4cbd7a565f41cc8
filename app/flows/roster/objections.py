"""Objections to a list that hangs: one sentence, an office and a day, an answer that is told to who raised it. A list
is never put right by hand: the office puts the register right, and the next version says it."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from app.access import accounts
from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.parts import Parts
from app.flows.roster.move import NoSuchRoster
from app.policy.days import working_day_after
from core.errors import BadInput, Conflict
from core.redact import scrub
from payments.refusals import as_errors

SHORTEST, LONGEST, MOST = 4, 300, 200
_NUMBERS = re.compile(r"[0-9]{14,17}[0-9Xx]|[A-Za-z][0-9]{9}")  # of an identity, or a birth certificate's
STANDS = {"RAISED": "等答复", "ACCEPTED": "有道理，登记里改", "REFUSED": "核实过，不用改"}
OWNERS = {"hrss": "人社", "medical": "医保局"}


class BadObjection(BadInput):
    """Nothing that an office could answer."""

    text = "请用一两句话写清楚名单哪里不对，4到300个字，不写证件号和手机号。"


class BadContact(BadInput):
    """Nobody could be told."""

    text = "请写明是谁提的、怎么答复他（电话或者住哪一户），2到60个字，不写证件号。"


class PostingOver(Conflict):
    """It hangs no more."""

    text = "公示已经结束，或者还没有张贴，不能再提异议。有话要说请到“有话要说”，或打电话。"


class FiveOpen(Conflict):
    """One account, again and again."""

    text = "您提的五条还没有答复，请等答复以后再提，或者打电话。"


class AnsweredBefore(Conflict):
    """Somebody was faster."""

    text = "这一条异议已经答复过，或者已经告诉他了。"


@dataclass(frozen=True)
class Objection:
    """One as its reader sees it. `words`, `answer`, `contact` in clear; `late`: its day is over."""

    row: Any
    words: str
    contact: str
    answer: str
    stands: str
    late: bool


def raise_one(
    parts: Parts, roster: int, words: str, *, contact: str = "", session: bytes, by: str, near: bool = False
) -> int:
    """Its number; the same of his again, while it is open, is that one. `near`: an agent or the town says it for
    somebody, whom they must be able to tell. BadObjection, BadContact, NoSuchRoster, PostingOver, FiveOpen."""
    said, whom = " ".join(words.split()), " ".join(contact.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise BadObjection
    if near and (not 2 <= len(whom) <= 60 or _NUMBERS.search(whom)):
        raise BadContact
    if roster >= 2**63:
        raise NoSuchRoster(str(roster))
    for each in of_roster(parts, roster):
        if (each.row.by, each.row.state, each.words, each.contact) == (by, "RAISED", said, whom if near else ""):
            return int(each.row.id)
    with parts.engine.begin() as connection, as_errors(_NOT_TAKEN):
        number = connection.execute(_NEXT).scalar_one()
        asked = {
            "session": session,
            "id": number,
            "roster": roster,
            "words": parts.vault.seal(said, bound_to=f"roster_objection.words:{number}"),
            "contact": parts.vault.seal(whom, bound_to=f"roster_objection.contact:{number}") if near else None,
            "due": working_day_after(parts.clocks.today(), parts.answer_days, parts.days_off),
            "at": parts.clocks.wall(),
            "now": parts.clocks.now(),
        }
        connection.execute(_RAISE, asked)
    return int(number)


def answer(parts: Parts, number: int, words: str, *, accepted: bool, by: Officer) -> None:
    """有道理 or 不用改, and why. BadObjection, NoSuchRoster, AnsweredBefore."""
    said = " ".join(words.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise BadObjection
    asked = {
        "session": by.session,
        "id": number,
        "accepted": accepted,
        "answer": parts.vault.seal(said, bound_to=f"roster_objection.answer:{number}"),
    }
    _act(parts, _ANSWER, asked, lambda connection: _tell(parts, connection, number))


def told(parts: Parts, number: int, *, session: bytes) -> None:
    """告诉他了. NoSuchRoster, AnsweredBefore."""
    _act(parts, _TOLD, {"session": session, "id": number})


def of_roster(parts: Parts, roster: int) -> list[Objection]:
    """Every one of a roster, as an office, its town and its agent read it."""
    with parts.reading() as connection:
        rows = connection.execute(_OF_ROSTER, {"id": roster, "most": MOST}).all()
    return [_opened(parts, row) for row in rows]


def of_account(parts: Parts, by: str) -> list[Objection]:
    """What an account raised, the latest first."""
    with parts.reading() as connection:
        rows = connection.execute(_OF_ACCOUNT, {"by": by, "most": MOST}).all()
    return [_opened(parts, row) for row in rows]


def open_ones(parts: Parts, who: Officer) -> list[Objection]:
    """What this office has to answer, the town has to tell, or (else) all that is open; the nearest day first."""
    with parts.reading() as connection:
        rows = connection.execute(_OPEN, {"role": str(who.role), "most": MOST}).all()
    return [_opened(parts, row) for row in rows]


def to_put_right(parts: Parts, who: Officer) -> list[Objection]:
    """What this office agreed to and no version says yet: the register is still to be put right."""
    with parts.reading() as connection:
        rows = connection.execute(_TO_PUT_RIGHT, {"role": str(who.role), "most": MOST}).all()
    return [_opened(parts, row) for row in rows]


def accepted(parts: Parts, who: Officer, number: int) -> Objection | None:
    """One that this office agreed to, for the page where the register is put right; None if it is none of these."""
    with parts.reading() as connection:
        row = connection.execute(_ONE, {"role": str(who.role), "id": number}).one_or_none()
    return None if row is None else _opened(parts, row)


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for this desk."""
    if who.role not in (Role.HRSS, Role.MEDICAL, Role.TOWN):
        return 0
    return len(open_ones(parts, who))


def listed_of(parts: Parts, people: Collection[int]) -> Sequence[Row]:
    """The lists that hang in these people's villages, and which of the people are on each (person_ids)."""
    with parts.reading() as connection:
        return connection.execute(_LISTED, {"people": sorted(people), "now": parts.clocks.now()}).all()


def _act(
    parts: Parts, statement: Any, said: dict[str, object], then: Callable[[Connection], None] = lambda _connection: None
) -> None:
    more = {"at": parts.clocks.wall(), "now": parts.clocks.now()}
    with parts.engine.begin() as connection, as_errors({"LX140": NoSuchRoster, "LX080": NoSuchRoster}):
        if not connection.execute(statement, said | more).scalar_one():
            raise AnsweredBefore
        then(connection)


def _tell(parts: Parts, connection: Connection, number: int) -> None:
    """Whoever raised it on the page hears that there is an answer, and of which kind; what it says stands on the page.
    An account that knows nobody of its own, or whose phone is another's by now, reads it there alone."""
    row = connection.execute(_WHOM, {"id": number}).one_or_none()
    phone = accounts.reached_at(connection, parts.vault, row.account) if row is not None else None
    if row is None or phone is None:
        return
    fields = {
        "village": f"{row.town}{row.village}",
        "names": "村民",
        "items": "公示的名单",
        "reason": f"{STANDS[row.state]}，登录可看全文",
        "help_phone": parts.help_phone,
    }
    asked = {
        "id": number,
        "household": row.household_id,
        "fields": json.dumps(fields),
        "phone": parts.vault.seal(phone, bound_to=f"notice.phone:objection:O{number}"),
        "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
    }
    connection.execute(_TELL, asked)


def _opened(parts: Parts, row: Any) -> Objection:
    def clear(name: str) -> str:
        sealed = getattr(row, name)
        return parts.vault.open(sealed, bound_to=f"roster_objection.{name}:{row.id}") if sealed else ""

    late = row.answered_at is None and row.due_on < parts.clocks.today()
    return Objection(row, clear("words"), clear("contact"), clear("answer"), STANDS[row.state], late)


_NOT_TAKEN = {"LX140": NoSuchRoster, "LX141": PostingOver, "LX147": FiveOpen}
_NEXT = text("select nextval(pg_get_serial_sequence('roster_objection', 'id'))")
_RAISE = text("select object_to_roster(:session, :id, :roster, :words, :contact, :due, :at, :now)")
_ANSWER = text("select officer_answers_objection(:session, :id, :accepted, :answer, :at, :now)")
_TOLD = text("select objection_told(:session, :id, :at, :now)")
_TELL = text("select objection_tell(:id, :household, cast(:fields as jsonb), :phone, :next_try_at)")
_WHOM = text(
    "select o.state, a.id as account, p.household_id, s.name as village, t.name as town from roster_objection o"
    " join roster r on r.id = o.roster_id join village s on s.code = r.village_code join town t on t.code = s.town_code"
    " join resident_account a on o.by = 'account:' || a.id join resident_person rp on rp.account_id = a.id"
    " join person p on p.id = rp.person_id and p.restricted_at is null join household h on h.id = p.household_id"
    " where o.id = :id order by rp.own desc, h.village_code = r.village_code desc, p.id limit 1"
)
_SELECT = (
    "select o.*, r.insurance, r.levy_year, s.name as village, t.name as town from roster_objection o"
    " join roster r on r.id = o.roster_id join village s on s.code = r.village_code join town t on t.code = s.town_code"
)
_OF_ROSTER = text(f"{_SELECT} where o.roster_id = :id order by o.id desc limit :most")
_OF_ACCOUNT = text(f"{_SELECT} where o.by = :by order by o.id desc limit :most")
_OPEN = text(
    f"{_SELECT} where o.told_at is null and case :role when 'hrss' then o.owner = 'hrss' and o.state = 'RAISED'"
    " when 'medical' then o.owner = 'medical' and o.state = 'RAISED' when 'town' then o.state <> 'RAISED' else true end"
    " order by o.due_on, o.id limit :most"
)
_TO_PUT_RIGHT = text(
    f"{_SELECT} join roster_version v on v.roster_id = r.id and v.no = r.no"
    " where o.state = 'ACCEPTED' and o.owner = :role and v.drawn_at <= o.answered_at"
    " and r.state in ('POSTED', 'AMENDING')"
    " order by o.answered_at, o.id limit :most"
)
_ONE = text(f"{_SELECT} where o.id = :id and o.owner = :role and o.state = 'ACCEPTED'")
_LISTED = text(
    "select r.id, r.no, r.insurance, r.levy_year, v.code, s.name as village, t.name as town, p.ends_at,"
    " array(select w.person_id from roster_row w where w.roster_id = r.id and w.no = r.no"
    "        and w.person_id = any (:people)) as listed,"
    " array(select e.id from person e join household h on h.id = e.household_id"
    "        where e.id = any (:people) and h.village_code = r.village_code) as people"
    " from roster r join roster_version v on v.roster_id = r.id and v.no = r.no"
    " join roster_posting p on p.roster_id = r.id and p.no = r.no"
    " join village s on s.code = r.village_code join town t on t.code = s.town_code"
    " where r.state = 'POSTED' and p.ends_at > :now and r.village_code in ("
    "   select h.village_code from person e join household h on h.id = e.household_id where e.id = any (:people))"
    " order by r.village_code, r.insurance"
)
