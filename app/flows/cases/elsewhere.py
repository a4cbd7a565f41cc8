"""Somebody said that he paid in another place, and the office found it so, by a paper: he leaves the count of those who
are to pay here, and nobody urges him. Asked once more before the season ends; taken back for a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.access.roles import REVIEWS
from app.access.sessions import Officer
from app.flows.parts import Parts
from app.policy.terms import PolicyYear
from app.registry import find
from app.registry.elsewhere import CODES
from core.errors import BadInput, Conflict, NotFound
from core.redact import mask_name, scrub
from payments.refusals import as_errors

SHORTEST, LONGEST = 4, 200
BEFORE_THE_END = timedelta(days=20)
PAGE = 50


class BadProof(BadInput):
    """Nothing by which somebody could see it again."""

    text = "请选在哪里交的，再写明凭什么核实的（哪张凭证、问了哪里），4到200个字，不写证件号和手机号。"


class BadTakingBack(BadInput):
    """No reason, or one with somebody's number in it."""

    text = "请写明为什么收回，4到200个字，不写证件号和手机号。"


class NoSuchFinding(NotFound):
    """A number that nothing of this office has."""

    text = "没有这一条，或者不归您这里办。"


class OverAlready(Conflict):
    """It was asked again, or taken back."""

    text = "这一条已经有人办过了，请看一遍。"


@dataclass(frozen=True)
class Found:
    """One finding as its office reads it. `name`: masked; `due`: to be asked again by now."""

    row: Any
    words: str
    name: str
    village: str
    due: bool


def confirm(parts: Parts, matter: int, *, code: str, proof: str, year: int | None, by: Officer) -> int:
    """核实了; the same again is the same. NoSuchFinding for a matter that is none of this, BadProof, YearClosed."""
    said = _plain(proof, BadProof)
    insurance = next((each for each, codes in CODES.items() if code in codes), None)
    if insurance is None:
        raise BadProof
    rules = parts.levy.known(year or parts.levy.years.newest)
    asked = {
        "session": by.session,
        "matter": matter,
        "year": rules.year,
        "code": code,
        "proof": said,
        "again": again_on(rules, parts.clocks.today()),
        "now": parts.clocks.now(),
        "at": parts.clocks.wall(),
    }
    with parts.engine.begin() as connection, as_errors({"LX125": NoSuchFinding, "23514": BadProof}):
        return int(connection.execute(_CONFIRM, asked).scalar_one())


def still_so(parts: Parts, number: int, *, by: Officer) -> None:
    """再问过了，还是这样. NoSuchFinding, OverAlready."""
    _act(parts, _AGAIN, {"id": number}, by)


def take_back(parts: Parts, number: int, *, why: str, by: Officer) -> None:
    """收回: he is to pay here as others are. NoSuchFinding, BadTakingBack, OverAlready."""
    _act(parts, _BACK, {"id": number, "why": _plain(why, BadTakingBack)}, by)


def again_on(rules: PolicyYear, today: date) -> date:
    """Some weeks before the normal price ends; at once, as long as that is near. Pure."""
    return max(rules.dates.normal_price_end - BEFORE_THE_END, today + timedelta(days=1))


def findings(parts: Parts, who: Officer, *, done: bool, page: int) -> tuple[list[Found], int]:
    """A page of what this office found and what stands, those to be asked again first; or of what was taken back, the
    latest first. And how many there are."""
    asked = {"insurance": REVIEWS.get(who.role), "done": done, "most": PAGE, "after": (page - 1) * PAGE}
    with parts.reading() as connection:
        rows = connection.execute(_LISTED, asked).all()
        count = connection.execute(_COUNT, asked).scalar_one()
    return _named(parts, rows), count


def finding_of(parts: Parts, matter: int) -> Found | None:
    """What was found after this matter, the latest."""
    with parts.reading() as connection:
        rows = connection.execute(_OF_MATTER, {"matter": matter}).all()
    return next(iter(_named(parts, rows)), None)


def to_ask_again(parts: Parts, who: Officer) -> int:
    """How many this office has to ask again by now."""
    asked = {"insurance": REVIEWS.get(who.role), "today": parts.clocks.today()}
    with parts.reading() as connection:
        return int(connection.execute(_DUE, asked).scalar_one())


def _act(parts: Parts, statement: Any, said: dict[str, object], by: Officer) -> None:
    more = {"session": by.session, "now": parts.clocks.now(), "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX125": NoSuchFinding}):
        if not connection.execute(statement, said | more).scalar_one():
            raise OverAlready


def _plain(words: str, error: type[BadInput]) -> str:
    said = " ".join(words.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise error
    return said


def _named(parts: Parts, rows: Sequence[Row]) -> list[Found]:
    with parts.reading() as connection:
        ids = sorted({row.person_id for row in rows})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    today = parts.clocks.today()
    return [
        Found(
            row=row,
            words=f"{row.levy_year}年{CODES[row.insurance][row.code]}",
            name=mask_name(people[row.person_id].name),
            village=f"{people[row.person_id].town}{people[row.person_id].village}",
            due=row.back_at is None and row.asked_at is None and row.again_on <= today,
        )
        for row in rows
    ]


_CONFIRM = text("select officer_finds_elsewhere(:session, :matter, :year, :code, :proof, :again, :now, :at)")
_AGAIN = text("select officer_asks_elsewhere_again(:session, :id, :now, :at)")
_BACK = text("select officer_takes_elsewhere_back(:session, :id, :why, :now, :at)")
_OF = (
    " from paid_elsewhere e join person p on p.id = e.person_id and p.restricted_at is null"
    " where (cast(:insurance as text) is null or e.insurance = :insurance)"
)
_LISTED = text(
    f"select e.*{_OF} and (e.back_at is not null) = :done"
    " order by case when :done then -e.id else 0 end, e.asked_at is not null, e.again_on, e.id"
    " limit :most offset :after"
)
_COUNT = text(f"select count(*){_OF} and (e.back_at is not null) = :done")
_DUE = text(f"select count(*){_OF} and e.back_at is null and e.asked_at is null and e.again_on <= :today")
_OF_MATTER = text(
    "select * from paid_elsewhere where matter_id = :matter order by back_at is not null, id desc limit 1"
)
