"""What hangs in a village, for whoever has the poster's code: as long as it hangs, and not a minute longer. No digit of
anybody, no amount, no category, no day of birth (decision 15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from app.access.tally import CODES, count_at
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from app.flows.roster.closings import as_of_words
from app.flows.roster.post import LENGTH, plain
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.rosters import SHOWN
from core.errors import NotFound

PAGE = 400
_MOST_KEPT = 2_000  # pages of some 4 kB: every list that hangs in a district
_kept: dict[tuple[object, ...], tuple[str, int]] = {}


class NothingPosted(NotFound):
    """A code that never was, is over, or does not hang yet: the same words."""

    text = "没有这个公示码，或者公示已经结束。请对照公示表右上角的12位公示码再看一遍。"


@dataclass(frozen=True)
class Posted:
    """A list that hangs: a page of its masked names, in no order of houses; or what was changed of it; or (`as_of`) who
    is insured and who is not yet."""

    place: str
    title: str
    code: str
    until: datetime
    names: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    people: int
    page: int
    pages: int
    done: Sequence[str] = ()
    owing: Sequence[str] = ()
    as_of: str = ""


def show(parts: Parts, code: str, *, network: str, page: int = 1) -> Posted:
    """NothingPosted; TooOften for a flood of guesses from one address."""
    wanted = plain(code)
    asked = {"code": wanted, "now": parts.clocks.now()}
    found = None
    if len(wanted) == LENGTH:
        with parts.reading() as connection:
            found = _roster(connection, asked, page) or _closing(connection, asked, page)
    if found is not None:  # a whole village may come by one address: only what is no code counts
        return found
    with parts.engine.connect() as connection, kept_though_refused(connection):
        count_at(connection, parts.vault, "code", network=network, now=parts.clocks.wall(), limits=CODES)
    raise NothingPosted


def _roster(connection: Connection, asked: Mapping[str, object], page: int) -> Posted | None:
    row = connection.execute(_HANGS, asked).one_or_none()
    if row is None:
        return None
    changed = connection.execute(_CHANGED, {"id": row.id, "no": row.no}).all() if row.changes else []
    return Posted(
        place=f"{row.town}{row.village}",
        title=f"{row.levy_year}年{phrases('names')[Insurance(row.insurance)]}缴费人名单{'更正' if row.changes else ''}",
        code=row.code,
        until=row.until,
        names=[] if row.changes else _page(connection, _NAMES, row, page)[0],
        added=[each.masked for each in changed if each.what == "added"],
        removed=[each.masked for each in changed if each.what == "removed"],
        people=len(changed) if row.changes else row.people,
        page=page,
        pages=max(1, -(-(0 if row.changes else row.people) // PAGE)),
    )


def _closing(connection: Connection, asked: Mapping[str, object], page: int) -> Posted | None:
    """After the season: the version that was agreed to last, whichever paper the code was read from."""
    row = connection.execute(_CLOSING, asked).one_or_none()
    if row is None:
        return None
    stand, insured = _page(connection, _STAND, row, page)
    return Posted(
        place=f"{row.town}{row.village}",
        title=f"{row.levy_year}年{phrases('names')[Insurance(row.insurance)]}参保缴费公示",
        code=row.code,
        until=row.ends_at,
        names=[],
        added=[],
        removed=[],
        people=row.people,
        page=page,
        pages=max(1, -(-row.people // PAGE)),
        done=stand[:insured],
        owing=stand[insured:],
        as_of=as_of_words(row.drawn_at),
    )


def _page(connection: Connection, names: TextClause, row: Row[Any], page: int) -> tuple[list[str], int]:
    """A page of a version, which never changes: read again only when somebody was erased since. Its names, and how many
    of them are insured."""
    of = (str(names), bytes(row.digest), row.erased, page)
    found = _kept.get(of)
    if found is None:
        asked = {"id": row.id, "no": row.no, "most": PAGE, "after": (page - 1) * PAGE}
        rows = connection.execute(names, asked).all()
        found = "\n".join(each.masked for each in rows), sum(each.done for each in rows)
        if rows:  # nobody fills it by asking for pages that are not there
            if len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)), None)
            _kept[of] = found
    return found[0].split("\n") if found[0] else [], found[1]


_ERASED = "(select count(*) || ' ' || coalesce(max(at)::text, '') from restricted_people()) as erased"
_HANGS = text(
    "select r.id, r.insurance, r.levy_year, v.no, v.code, v.people, s.name as village, t.name as town,"
    f" v.digest, {_ERASED},"
    " coalesce(p.ends_at, roster_changes_until(e.at)) as until, p.ends_at is null as changes"
    " from roster_version v join roster r on r.id = v.roster_id"
    " join village s on s.code = r.village_code join town t on t.code = s.town_code"
    " left join roster_posting p on r.state = 'POSTED' and v.no = r.no and p.roster_id = v.roster_id and p.no = v.no"
    "   and p.posted_at <= :now and p.ends_at > :now"
    " left join roster_step e on v.no = r.effective_no and (e.roster_id, e.no) = (v.roster_id, v.no)"
    "   and e.what = 'EFFECTIVE' and e.at <= :now and roster_changes_until(e.at) > :now"
    "   and exists (select from roster_change c where c.roster_id = v.roster_id and c.no = v.no)"
    " where v.code = :code and (p.ends_at is not null or e.at is not null)"
)
_NAMES = text(
    f"select w.masked, false as done from roster_row w where w.roster_id = :id and w.no = :no and {SHOWN}"
    ' order by w.masked collate "C" limit :most offset :after'
)
_CHANGED = text(
    f"select w.masked, w.what from roster_change w where w.roster_id = :id and w.no = :no and {SHOWN}"
    ' order by w.masked collate "C"'
)
_CLOSING = text(
    "select c.id, c.insurance, c.levy_year, c.code, c.ends_at, v.no, v.drawn_at, v.done + v.owing as people,"
    f" v.digest, {_ERASED},"
    " s.name as village, t.name as town from closing c"
    " join closing_version v on (v.closing_id, v.no) = (c.id, c.agreed_no)"
    " join village s on s.code = c.village_code join town t on t.code = s.town_code"
    " where c.code = :code and c.starts_at <= :now and c.ends_at > :now"
    " and exists (select from closing_step st where (st.closing_id, st.what) = (c.id, 'HUNG'))"
)
_STAND = text(
    f"select w.masked, w.done from closing_row w where w.closing_id = :id and w.no = :no and {SHOWN}"
    ' order by w.done desc, w.masked collate "C" limit :most offset :after'
)
