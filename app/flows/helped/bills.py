"""A department's bills: what is on none yet, drawn up as one; all of them, and one with its people, names masked. What
somebody may not see the database does not show him (app/access/scope.sql)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from app.flows.helped.live import Hand
from app.flows.parts import Parts
from core.errors import Conflict, NotFound
from core.money import Fen
from core.redact import RESTRICTED, mask_id, mask_name
from payments.refusals import as_errors

PAGE = 50
STATES = {"OPEN": "没有收到", "PARTLY_PAID": "收到一部分", "PAID": "收齐了"}
WHOLE = 1_000_000


class NoSuchDemand(NotFound):
    """A number that no bill has, or none that the asker may know of."""

    text = "没有这张账单。"


class NotAsSeen(Conflict):
    """Somebody paid, got something back or drew the bill up since the page was shown."""

    text = "要出账单的钱和刚才看到的不一样了，请看一遍再出。"


@dataclass(frozen=True)
class What:
    """Of which department, levy year and fund; the list that its people came by, none: the bureaus' register."""

    department: str
    levy_year: int
    fund: str
    source: int | None


@dataclass(frozen=True)
class Unbilled:
    """What is on no bill yet: so many lines, their sum, the credits that its bill would have, and its total."""

    what: What
    lines: int
    amount: Fen
    credit: Fen

    @property
    def total(self) -> Fen:
        """What its bill would ask for; nothing or less: the credits wait for more."""
        return self.amount + self.credit


@dataclass(frozen=True)
class Somebody:
    """A line of a bill: its person as the asker may read him."""

    no: int
    name: str
    id_number: str
    village: str
    amount: Fen


def unbilled(parts: Parts, *, funds: Sequence[str] | None = None) -> list[Unbilled]:
    """What departments owe and no bill has; of `funds` alone, if said."""
    with parts.reading() as connection:
        rows = connection.execute(_UNBILLED, {"funds": list(funds) if funds is not None else None}).all()
    return [
        Unbilled(What(row.department, row.levy_year, row.fund, row.source), row.lines, row.amount, row.credit)
        for row in rows
    ]


def draw(parts: Parts, what: What, *, seen: Fen, hand: Hand) -> str:
    """The bill's number; `seen`: the total that was shown. NotAsSeen, NoSuchDemand (not his to draw up)."""
    call = "helped_bill(:department, :year, :fund, :source, :seen, :by, :now)"
    if hand.session is not None:
        call = "officer_bills_helped(:session, :department, :year, :fund, :source, :seen, :at, :now)"
    values = {"department": what.department, "year": what.levy_year, "fund": what.fund, "source": what.source}
    values |= {"seen": seen, "session": hand.session, "by": hand.by, "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX122": NotAsSeen, "LX080": NoSuchDemand}):
        return str(connection.execute(text(f"select {call}"), values | {"now": parts.clocks.now()}).scalar_one())


def demands(parts: Parts, *, department: str = "", page: int = 1) -> tuple[Sequence[Row], bool]:
    """A page of bills, the latest first; and whether more follow."""
    asked = {"department": department, "number": "", "most": PAGE + 1, "from": (max(page, 1) - 1) * PAGE}
    with parts.reading() as connection:
        rows = connection.execute(_DEMANDS, asked).all()
    return rows[:PAGE], len(rows) > PAGE


def demand(parts: Parts, number: str) -> Row:
    """One bill. NoSuchDemand."""
    with parts.reading() as connection:
        row = connection.execute(_DEMANDS, {"department": "", "number": number, "most": 1, "from": 0}).one_or_none()
    if row is None:
        raise NoSuchDemand(number)
    return row


def people(parts: Parts, held: Row, *, page: int = 1) -> tuple[list[Somebody], bool]:
    """A page of its lines, names and numbers masked."""
    with parts.reading() as connection:
        rows = _people(connection, held, (max(page, 1) - 1) * PAGE, PAGE + 1)
        return [somebody(parts, row, masked=True) for row in rows[:PAGE]], len(rows) > PAGE


def everybody(parts: Parts, held: Row) -> list[Somebody]:
    """All of its lines, names and numbers in full: whoever reads them is written down by the caller."""
    with parts.reading() as connection:
        return [somebody(parts, row, masked=False) for row in _people(connection, held, 0, WHOLE)]


def somebody(parts: Parts, row: Any, *, masked: bool) -> Somebody:
    """A row of `demand_people`. Who was erased has no name any more."""
    if row.restricted:
        return Somebody(row.no, RESTRICTED, "", row.village, row.amount)
    name = parts.vault.open(row.name, bound_to=f"person.name:{row.person_id}")
    number = parts.vault.open(row.id_number, bound_to=f"person.id_number:{row.person_id}")
    if masked:
        name, number = mask_name(name), mask_id(number)
    return Somebody(row.no, name, number, row.village, row.amount)


def payments(parts: Parts, held: Row) -> Sequence[Row]:
    """What came for it, by which line of whose file."""
    with parts.reading() as connection:
        return connection.execute(_PAYMENTS, {"id": held.id}).all()


def bills_of_list(parts: Parts, batch: int) -> Sequence[Row]:
    """The bills of a list's people, the oldest first."""
    with parts.reading() as connection:
        return connection.execute(_OF_LIST, {"batch": batch}).all()


def _people(connection: Connection, held: Row, start: int, most: int) -> Sequence[Row]:
    return connection.execute(_PEOPLE, {"id": held.id, "from": start, "most": most}).all()


_UNBILLED = text(
    "with each as (select * from unbilled_by_list() u"
    "               where cast(:funds as text[]) is null or u.fund = any (cast(:funds as text[]))),"
    " credit as (select department, levy_year, fund, sum(amount)::bigint as amount from each"
    "             where credit group by 1, 2, 3),"
    " own as (select department, levy_year, fund, source, count(*) as lines, sum(amount)::bigint as amount from each"
    "          where not credit group by 1, 2, 3, 4 having sum(amount) <> 0)"
    " select department, levy_year, fund, own.source, coalesce(own.lines, 0) as lines,"
    "        coalesce(own.amount, 0) as amount, coalesce(credit.amount, 0) as credit"
    "   from own full join credit using (department, levy_year, fund)"
    "  order by department, levy_year desc, fund, own.source nulls first"
)
_DEMANDS = text(
    "select d.*, counted.lines, counted.credit from demand d cross join lateral ("
    "  select count(*) as lines, coalesce(sum(l.amount) filter (where l.amount < 0), 0)::bigint as credit"
    "    from demand_line l where l.demand_id = d.id) counted"
    " where (cast(:department as text) = '' or d.department = :department)"
    "   and (cast(:number as text) = '' or d.number = :number)"
    " order by d.id desc limit :most offset :from"
)
_PEOPLE = text("select * from demand_people(:id, :from, :most)")
_PAYMENTS = text(
    "select p.kind, p.serial, p.way, p.amount, r.booked_on from demand_payment p"
    " join outside_row r on r.kind = p.kind and r.serial = p.serial where p.demand_id = :id"
    " order by p.at, p.serial, p.way"
)
_OF_LIST = text("select * from demand where source = :batch order by id")
