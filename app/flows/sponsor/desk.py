"""The offices' view of pledges: the list, and one with its money and whose share it paid. People are masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from app.access import disclosures
from app.access.sessions import Officer
from app.documents.spreadsheet import as_xlsx
from app.flows.offices.people import allow_reading
from app.flows.parts import Parts
from app.flows.sponsor.enter import NoSuchPledge
from app.registry import find
from core.clock import beijing
from core.money import Fen, plain_yuan
from core.redact import mask_name
from payments.states import LIVE

PAGE = 50
MOST_ROWS = 20_000
STATES = {
    "PROPOSED": "待同意",
    "DROPPED": "没有同意",
    "AGREED": "等钱到账",
    "FUNDED": "钱到了，没开始",
    "ACTIVE": "正在资助",
    "EXHAUSTED": "用完了",
    "ENDED": "结束了，剩的钱待退",
    "UNUSED_RETURNED": "结束了，没有剩的钱",
}
SHARES = {"reserved": "正在付款", "used": "已资助"}


@dataclass(frozen=True)
class Stand:
    """One pledge as it stands; fen. `spoken` of its money is `reserved` or `used`; `left` is still here, nobody's yet;
    `room` what can be spoken for today."""

    row: Any
    state: str
    reserved: Fen
    used: Fen
    left: Fen
    room: Fen

    @property
    def words(self) -> str:
        """The state in words."""
        return STATES[self.state]


@dataclass(frozen=True)
class Share:
    """Whose premium it pays, masked."""

    name: str
    place: str
    amount: Fen
    words: str
    at: Any


def pledges(parts: Parts, *, page: int = 1) -> tuple[list[Stand], int]:
    """A page of them, the latest first, and how many there are."""
    today = parts.clocks.today()
    with parts.reading() as connection:
        count = connection.execute(text("select count(*) from pledge_terms")).scalar_one()
        rows = connection.execute(_LIST, {"one": None, "most": PAGE, "after": (page - 1) * PAGE}).all()
    return [_stand(row, today) for row in rows], count


def pledge(parts: Parts, number: int) -> Stand:
    """One. NoSuchPledge."""
    with parts.reading() as connection:
        return pledge_within(connection, number, today=parts.clocks.today())


def pledge_within(connection: Connection, number: int, *, today: date) -> Stand:
    """The same in somebody's transaction. NoSuchPledge."""
    row = connection.execute(_LIST, {"one": number, "most": 1, "after": 0}).one_or_none()
    if row is None:
        raise NoSuchPledge(str(number))
    return _stand(row, today)


def to_agree(parts: Parts, who: Officer) -> int:
    """How many wait for another person than who entered them, and he is one."""
    with parts.reading() as connection:
        return connection.execute(_WAITING, {"by": who.by}).scalar_one()


def contact(parts: Parts, officer: Officer, number: int) -> dict[str, str]:
    """The sponsor's name, and whom to speak to there, in clear; it is written down who looked. TooOften."""
    row = pledge(parts, number).row
    allow_reading(parts, officer)
    with parts.engine.begin() as connection:
        noted = {"session": officer.session, "reason": "联系资助方", "at": parts.clocks.wall()}
        disclosures.note(connection, place=f"sponsor:{row.sponsor_id}", **noted)
    return {
        name: parts.vault.open(getattr(row, name), bound_to=f"sponsor.{name}:{row.sponsor_id}")
        for name in ("name", "contact", "phone")
    }


def money_in(parts: Parts, number: int) -> Sequence[Row]:
    """What came in for it, the latest first: cause, amount, at, and what of it is asked or gone back."""
    with parts.reading() as connection:
        return connection.execute(_MONEY, {"pledge": number}).all()


def codes_out(parts: Parts, number: int) -> Sequence[Row]:
    """Codes of it that still may be paid: number, amount, state, expires_at."""
    with parts.reading() as connection:
        return connection.execute(_CODES, {"pledge": number, "live": [*map(str, LIVE)]}).all()


def places(parts: Parts, who: Officer) -> Sequence[Row]:
    """The villages that this officer may enter a pledge for: code, name, town, town_code."""
    own = sorted(who.towns) or None
    with parts.reading() as connection:
        return connection.execute(_PLACES, {"towns": own}).all()


def known(parts: Parts) -> Sequence[Row]:
    """Who gave before, as payers read him, as far as this officer sees his pledges: id, kind, shown."""
    with parts.reading() as connection:
        return connection.execute(_KNOWN).all()


def shares(parts: Parts, number: int, *, page: int = 1, most: int = PAGE) -> tuple[list[Share], int]:
    """A page of those whose premium it pays or is about to, the latest first, and how many there are."""
    with parts.reading() as connection:
        count = connection.execute(_COUNT, {"pledge": number}).scalar_one()
        rows = connection.execute(_SHARES, {"pledge": number, "most": most, "after": (page - 1) * most}).all()
        ids = sorted({row.person_id for row in rows})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}
    return [_share(row, people.get(row.person_id)) for row in rows], count


def shares_file(parts: Parts, number: int, *, mark: str) -> bytes:
    """The same as a spreadsheet, names masked, `mark` on every page."""
    rows, _ = shares(parts, number, most=MOST_ROWS)
    cells = [[row.name, row.place, plain_yuan(row.amount), row.words, f"{beijing(row.at):%Y-%m-%d}"] for row in rows]
    return as_xlsx("资助明细", ["姓名", "村居", "资助金额（元）", "状态", "日期"], cells, mark=mark)


def _share(row: Any, person: find.Subject | None) -> Share:
    name = mask_name(person.name) if person else ""
    return Share(name, f"{person.town}{person.village}" if person else "", row.amount, SHARES[row.state], row.at)


def _stand(row: Any, today: date) -> Stand:
    left = row.taken - row.spoken - row.back
    room = max(min(row.budget, row.taken - row.back) - row.spoken, 0) if row.state == "agreed" else 0
    over = row.state == "ended" or today > row.until_day
    return Stand(
        row, _state(row, left, room, over=over, today=today), row.reserved, row.spoken - row.reserved, left, room
    )


def _state(row: Any, left: Fen, room: Fen, *, over: bool, today: date) -> str:
    """Told by what is so: no state can be forgotten. Pure."""
    if row.state in ("proposed", "dropped"):
        return {"proposed": "PROPOSED", "dropped": "DROPPED"}[row.state]
    if over:
        waits = left or row.reserved or row.going_back
        return "ENDED" if waits or row.state != "ended" else "UNUSED_RETURNED"
    if not row.taken:
        return "AGREED"
    if row.from_day > today:
        return "FUNDED"
    return "ACTIVE" if room else "EXHAUSTED"


_LIST = text(
    "select t.*, g.id, g.number, g.insurance, g.levy_year, g.budget, g.state, g.taken, g.spoken, g.back,"
    " s.kind, s.shown, s.name, s.contact, s.phone, v.name as village,"
    " (select coalesce(sum(amount), 0)::bigint from pledge_share h where h.pledge_id = g.id and h.state = 'reserved')"
    "   as reserved,"
    " (select count(*) from pledge_person p where p.pledge_id = g.id) as people,"
    " pledge_going_back(g.id) as going_back"
    " from pledge_terms t join pledge g on g.id = t.pledge_id join sponsor s on s.id = t.sponsor_id"
    " left join village v on v.code = t.village_code"
    " where cast(:one as bigint) is null or g.id = :one order by g.id desc limit :most offset :after"
)
_WAITING = text(
    "select count(*) from pledge g join pledge_terms t on t.pledge_id = g.id"
    " where g.state = 'proposed' and t.entered_by <> :by"
)
_MONEY = text(
    "select m.household_id, m.cause, m.amount, m.at, m.amount - receipt_left(m.household_id, m.cause) as back"
    " from pledge_money m where m.pledge_id = :pledge order by m.at desc, m.cause"
)
_CODES = text(
    "select p.number, p.amount, p.state, p.expires_at, p.gateway from pledge_payment o"
    " join payment p on p.household_id = o.household_id and p.number = o.number"
    " where o.pledge_id = :pledge and p.state = any (:live) order by p.started_at desc"
)
_PLACES = text(
    "select v.code, v.name, t.name as town, t.code as town_code from village v join town t on t.code = v.town_code"
    " where cast(:towns as text[]) is null or t.code = any (:towns) order by t.code, v.code"
)
_KNOWN = text(
    "select distinct s.id, s.kind, s.shown from sponsor s join pledge_terms t on t.sponsor_id = s.id order by s.id desc"
    " limit 200"
)
_COUNT = text(
    "select count(*) from pledge_share h join bill b on b.household_id = h.household_id and b.id = h.bill_id"
    " where h.pledge_id = :pledge and h.state in ('reserved', 'used')"
)
_SHARES = text(
    "select h.amount, h.state, b.person_id, coalesce(b.settled_at, b.issued_at) as at"
    " from pledge_share h join bill b on b.household_id = h.household_id and b.id = h.bill_id"
    " where h.pledge_id = :pledge and h.state in ('reserved', 'used')"
    " order by coalesce(b.settled_at, b.issued_at) desc, b.id limit :most offset :after"
)
