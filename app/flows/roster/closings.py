"""The lists of who is insured and who is not yet: where each village's stands, one with its names and steps, those of
an agent's villages, and on which of them one's own people are. Names are masked. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.documents.hanging import PAID_NOT_SHOWN, Poster
from app.flows.parts import Parts
from app.flows.roster.close import days_of
from app.policy.facts import Insurance
from app.policy.terms import PolicyYear
from app.policy.words import phrases
from app.registry.closings import COLUMNS, stand_of
from app.registry.rosters import SHOWN
from core.clock import beijing, business_day
from core.errors import NotFound

PAGE, ROWS = 50, 200
LATE = timedelta(days=3)  # in one hand


class NoSuchClosing(NotFound):
    """None of that number, or none of his."""

    text = "没有这一份公示，或者不归您这里办。"


@dataclass(frozen=True)
class Sought:
    """What is looked for; empty: everything."""

    year: int
    town: str = ""
    insurance: str = ""
    stand: str = ""
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """One list. `stand`: where it stands (STANDS); `late`: too long in one hand, or hangs though its days are over;
    `agrees`: who looks may agree to the version drawn last; `hall`: that which was agreed to is not in its hall yet."""

    row: Any
    stand: str
    late: bool
    agrees: bool
    hall: bool


@dataclass(frozen=True)
class Whole:
    """One list with a page of the names of a version, whom it says insured first, every version and every step."""

    line: Listed
    version: Any
    versions: Sequence[Row]
    names: Sequence[Row]
    steps: Sequence[Row]
    pages: int


def board(parts: Parts, who: Officer, sought: Sought) -> tuple[list[Listed], int, Mapping[str, int]]:
    """A page of the lists of a year, those in whose way something stands first; how many there are, and how many stand
    where."""
    now = parts.clocks.now()
    asked = {"year": sought.year, "town": sought.town, "insurance": sought.insurance}
    with parts.reading() as connection:
        rows = connection.execute(_ALL, asked).all()
    lines = [_line(row, who, now) for row in rows]
    counted: dict[str, int] = {}
    for line in lines:
        counted[line.stand] = counted.get(line.stand, 0) + 1
    lines = [line for line in lines if sought.stand in ("", line.stand)]
    lines.sort(key=lambda line: (not line.late, not (line.hall and who.role is Role.TOWN)))
    first = (sought.page - 1) * PAGE
    return lines[first : first + PAGE], len(lines), counted


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for his hand: to be agreed to, to be hung or taken down."""
    query = _FOR_TOWN if who.role is Role.TOWN else _TO_AGREE
    with parts.reading() as connection:
        return int(connection.execute(query, {"now": parts.clocks.now(), "by": who.by}).scalar_one())


def one(parts: Parts, who: Officer, closing: int, *, no: int | None = None, page: int = 1) -> Whole:
    """One version (None: the last). NoSuchClosing."""
    with parts.reading() as connection:
        row = connection.execute(_ONE, {"id": closing}).one_or_none()
        versions = connection.execute(_VERSIONS, {"id": closing}).all()
        version = next((each for each in versions if each.no == (no or versions[0].no)), None)
        if row is None or version is None:
            raise NoSuchClosing(str(closing))
        of = {"id": closing, "no": version.no, "most": ROWS, "after": (page - 1) * ROWS}
        names = connection.execute(_NAMES, of).all()
        steps = connection.execute(_STEPS, {"id": closing}).all()
    pages = max(1, -(-(version.done + version.owing) // ROWS))
    return Whole(_line(row, who, parts.clocks.now()), version, versions, names, steps, pages)


def of_place(parts: Parts, who: Officer, year: int, insurance: str, village: str) -> Whole | None:
    """That of a village's roster, without its names; None if none was drawn."""
    with parts.reading() as connection:
        asked = {"year": year, "insurance": insurance, "village": village}
        number = connection.execute(_OF_PLACE, asked).scalar_one_or_none()
    return None if number is None else one(parts, who, number)


def to_print(parts: Parts, year: int, town: str) -> list[Row]:
    """The lists of a town that were agreed to and whose days are not over, by village."""
    asked = {"year": year, "insurance": "", "town": town}
    with parts.reading() as connection:
        rows = connection.execute(_ALL, asked).all()
    return [row for row in rows if row.agreed_no is not None and parts.clocks.now() < row.ends_at]


def edition(parts: Parts, year: int, town: str) -> list[str]:
    """What a print of a town is made of: the versions agreed to, and who was erased by then."""
    with parts.reading() as connection:
        erased = connection.execute(_ERASED).scalar_one()
    return [f"{row.id}:{row.agreed_no}" for row in to_print(parts, year, town)] + [erased]


def columns_of(parts: Parts, row: Any) -> tuple[list[str], list[str]]:
    """The names of the version that was agreed to: insured, not yet."""
    with parts.reading() as connection:
        names = connection.execute(_NAMES, {"id": row.id, "no": row.agreed_no, "most": None, "after": 0}).all()
    done = [each.masked for each in names if each.done]
    return done, [each.masked for each in names if not each.done]


def own(parts: Parts, villages: Collection[str]) -> list[tuple[Row, str]]:
    """The lists of an agent's villages that were agreed to, and where each stands, what he has to do first."""
    now = parts.clocks.now()
    with parts.reading() as connection:
        rows = connection.execute(_OWN, {"villages": sorted(villages)}).all()
    found = [(row, _his(row, now)) for row in rows]
    return sorted(found, key=lambda each: each[1] not in ("TO_TAKE_DOWN", "TO_HANG"))


def to_do(parts: Parts, villages: Collection[str]) -> int:
    """How many an agent has to hang, or to take down."""
    return sum(stand in ("TO_TAKE_DOWN", "TO_HANG") for _, stand in own(parts, villages))


def own_one(parts: Parts, villages: Collection[str], closing: int) -> tuple[Row, str]:
    """One. NoSuchClosing."""
    found = next((each for each in own(parts, villages) if each[0].id == closing), None)
    if found is None:
        raise NoSuchClosing(str(closing))
    return found


def listed_of(parts: Parts, people: Collection[int]) -> Sequence[Row]:
    """The lists that hang in these people's villages, and which of the people each says insured (`done`) or not yet
    (`owing`)."""
    with parts.reading() as connection:
        return connection.execute(_LISTED, {"people": sorted(people), "now": parts.clocks.now()}).all()


def poster(parts: Parts, row: Any, *, on: date) -> Poster:
    """What hangs from a day on: the version that was agreed to, until the last day of the notice."""
    with parts.reading() as connection:
        drawn = connection.execute(_VERSIONS, {"id": row.id}).all()
    as_of = next(each.drawn_at for each in drawn if each.no == row.agreed_no)
    return Poster(
        place=f"{row.town}{row.village}",
        title=f"{row.levy_year}年{phrases('names')[Insurance(row.insurance)]}参保缴费公示",
        version=row.agreed_no,
        code=row.code,
        address=f"{parts.public_url}/posted/{row.code}",
        added=[],
        removed=[],
        names=[],
        prices=[],  # who is insured and who is not yet, and no amount of anything (decision 0060)
        posted_on=on,
        until=business_day(row.ends_at - timedelta(seconds=1)),
        phone=parts.help_phone,
        issuer=parts.issuer,
        at=parts.clocks.now(),
        lists=[
            (f"{title}：", names or ["（没有）"]) for title, names in zip(COLUMNS, columns_of(parts, row), strict=True)
        ],
        said=as_of_words(as_of),
        objecting=PAID_NOT_SHOWN,
    )


def as_of_words(drawn_at: datetime) -> str:
    """截至…的情况. Pure."""
    moment = beijing(drawn_at)
    return f"截至{moment.year}年{moment.month}月{moment.day}日{moment.hour}时的情况，以后交的写在下一版里。"


def _line(row: Any, who: Officer, now: datetime) -> Listed:
    stand = stand_of(row, now)
    waits = {"TO_AGREE": row.drawn_at, "TO_HANG": row.agreed_at}.get(stand)
    late = stand == "TO_TAKE_DOWN" or (waits is not None and now - waits > LATE)
    agrees = stand == "TO_AGREE" and who.role in (Role.TAX_CLERK, Role.TAX_LEAD) and row.drawn_by != who.by
    return Listed(row, stand, late, agrees, row.agreed_no is not None and now < row.ends_at and "hall" not in row.hangs)


def _his(row: Any, now: datetime) -> str:
    """As its agent sees it: what hangs in a hall is the town's."""
    if now >= row.ends_at:
        return "TO_TAKE_DOWN" if "village" in row.hung and "village" not in row.down else "ARCHIVED"
    return "HANGS" if "village" in row.hangs else "TO_HANG"


def seasons(parts: Parts) -> list[PolicyYear]:
    """The years whose notice has days at all, those whose days these are first."""
    now = parts.clocks.now()
    years = [parts.levy.rules(year) for year in parts.levy.ever.all]
    found = [rules for rules in years if rules.campaign.closing_until is not None]
    return sorted(found, key=lambda rules: (not days_of(rules)[0] <= now < days_of(rules)[1], -rules.year))


_SELECT = (
    "select c.*, v.done, v.owing, v.excluded, v.beside, v.roster_no, v.drawn_by, v.drawn_at, s.name as village,"
    " t.name as town, (select st.at from closing_step st"
    "                   where (st.closing_id, st.no, st.what) = (c.id, c.no, 'AGREED')) as agreed_at, {places}"
    " from closing c join closing_version v on v.closing_id = c.id and v.no = c.no"
    " join village s on s.code = c.village_code join town t on t.code = s.town_code"
).format(
    places=", ".join(
        f"array(select st.place from closing_step st where st.closing_id = c.id and {which}) as {name}"
        for name, which in (
            ("hangs", "st.no = c.agreed_no and st.what = 'HUNG'"),
            ("hung", "st.what = 'HUNG'"),
            ("down", "st.what = 'TAKEN_DOWN'"),
        )
    )
)
_ERASED = text("select count(*) || ' ' || coalesce(max(at)::text, '') from restricted_people()")
_ALL = text(
    f"{_SELECT} where (cast(:year as int) is null or c.levy_year = :year) and :insurance in ('', c.insurance)"
    " and :town in ('', left(c.village_code, 9), c.village_code) order by c.village_code, c.insurance"
)
_ONE = text(f"{_SELECT} where c.id = :id")
_OWN = text(
    f"{_SELECT} where c.village_code = any (:villages) and c.agreed_no is not null"
    " order by c.levy_year desc, c.village_code, c.insurance"
)
_TO_AGREE = text(  # as `Listed.agrees`; lists of years that are over are not looked at
    "select count(*) from closing c join closing_version v on (v.closing_id, v.no) = (c.id, c.no)"
    " where c.ends_at > :now and c.agreed_no is distinct from c.no and v.drawn_by <> :by"
)
_FOR_TOWN = text(  # as `Listed.hall`, and what hangs though its days are over
    "select count(*) from closing c where c.ends_at > :now and c.agreed_no is not null and not exists ("
    "   select from closing_step h where (h.closing_id, h.no, h.what, h.place) = (c.id, c.agreed_no, 'HUNG', 'hall'))"
    " or c.ends_at <= :now and exists ("
    "   select from closing_step h where (h.closing_id, h.what) = (c.id, 'HUNG') and not exists ("
    "     select from closing_step d where (d.closing_id, d.what, d.place) = (c.id, 'TAKEN_DOWN', h.place)))"
)
_OF_PLACE = text(
    "select id from closing where (levy_year, insurance, village_code) = (:year, :insurance, :village) and no > 0"
)
_VERSIONS = text("select * from closing_version where closing_id = :id order by no desc")
_NAMES = text(
    f"select w.masked, w.done from closing_row w where w.closing_id = :id and w.no = :no and {SHOWN}"
    ' order by w.done desc, w.masked collate "C" limit :most offset :after'
)
_STEPS = text(
    "select id, no, what, by, at, place, photo is not null as photo from closing_step"
    " where closing_id = :id order by id"
)
_LISTED = text(
    "select c.id, c.insurance, c.levy_year, c.code, c.ends_at, v.drawn_at, s.name as village, t.name as town,"
    " array(select w.person_id from closing_row w where (w.closing_id, w.no) = (c.id, c.agreed_no) and w.done"
    "        and w.person_id = any (:people)) as done,"
    " array(select w.person_id from closing_row w where (w.closing_id, w.no) = (c.id, c.agreed_no) and not w.done"
    "        and w.person_id = any (:people)) as owing"
    " from closing c join closing_version v on (v.closing_id, v.no) = (c.id, c.agreed_no)"
    " join village s on s.code = c.village_code join town t on t.code = s.town_code"
    " where c.starts_at <= :now and c.ends_at > :now"
    " and exists (select from closing_step st where (st.closing_id, st.what) = (c.id, 'HUNG'))"
    " and c.village_code in (select h.village_code from person e join household h on h.id = e.household_id"
    "                         where e.id = any (:people)) order by c.village_code, c.insurance"
)
