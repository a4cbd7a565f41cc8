"""Children without a number as the medical bureau's desk sees them: who waits, who is done, and one with what speaks
for it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, select, text

from app.access import disclosures
from app.access.sessions import Officer
from app.flows.newborn.apply import NUMBERED, NoSuchNewborn, opened
from app.flows.parts import Parts
from app.policy.days import born_by
from app.registry import find
from app.registry.find import Subject
from app.registry.identity import clean_name
from app.registry.newborns import OPEN, RESIDENT_ID, Newborn, Stand
from core.clock import business_day
from core.errors import NotFound
from core.redact import mask_id, mask_name

PAGE = 50
SEXES = {1: "男", 2: "女"}


class NoSuchCertificatePicture(NotFound):
    """What was let go of."""

    text = "证明的照片已经过了保存期。"


@dataclass(frozen=True)
class Listed:
    """One as the list shows it, names masked."""

    id: int
    name: str
    born: str
    parent: str
    place: str
    state: Stand
    requested_by: str
    applied_at: datetime
    days: int
    checked_by: str | None
    decided_by: str | None


@dataclass(frozen=True)
class Step:
    """What was done, by whom and when (business clock)."""

    words: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Case:
    """One in full, as it is compared with the paper, the `parent` too. `alike`: who is registered already with the same
    name, day of birth and sex in that village: is it he?
    `years`: how old the child is; by one it mostly has a number."""

    head: Listed
    parent: str
    name: str
    certificate: str
    sex: str
    household: str
    reason: str
    steps: Sequence[Step]
    alike: Sequence[str]
    years: int = 0


def queue(parts: Parts, who: Officer, *, done: bool, page: int) -> tuple[list[Listed], int]:
    """A page of what is to be decided, what he has in hand first, then the oldest; or of what is over, the latest
    first. And how many there are."""
    mine = _TABLE.c.state.not_in(OPEN) if done else _TABLE.c.state.in_(OPEN)
    order = (_TABLE.c.id.desc(),) if done else ((_TABLE.c.checked_by == who.by).desc().nulls_last(), _TABLE.c.id)
    with parts.reading() as connection:
        count = connection.execute(select(func.count()).select_from(_TABLE).where(mine)).scalar_one()
        query = select(_TABLE).where(mine).order_by(*order).limit(PAGE).offset((page - 1) * PAGE)
        rows = connection.execute(query).all()
        parents = _parents(parts, connection, rows)
    return [_listed(parts, row, parents[row.parent_id]) for row in rows], count


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for this desk: what nobody has in hand, or he himself; never what he applied for."""
    nobodys = (_TABLE.c.checked_by.is_(None)) | (_TABLE.c.checked_by == who.by)
    asked = _TABLE.c.state.in_(OPEN), _TABLE.c.requested_by != who.by, nobodys
    with parts.reading() as connection:
        return connection.execute(select(func.count()).select_from(_TABLE).where(*asked)).scalar_one()


def case(parts: Parts, number: int, *, reader: Officer | None) -> Case:
    """In clear for the `reader` who compares it with the paper, while it is open, and it is written down that he did.
    NoSuchNewborn."""
    with parts.reading() as connection:
        row = _row(connection, number)
        parent = _parents(parts, connection, [row])[row.parent_id]
        name = opened(parts, row, "name")
        alike = same_child(parts, connection, row, name) if row.state in OPEN else []
    today = parts.clocks.today()
    certificate, clear = opened(parts, row, "certificate"), reader is not None and row.state in OPEN
    if reader is not None and clear:
        with parts.engine.begin() as connection:
            noted = {"session": reader.session, "reason": "核实出生医学证明", "at": parts.clocks.wall()}
            disclosures.note(connection, person_id=parent.id, place=f"newborn:{number}", **noted)
    return Case(
        head=_listed(parts, row, parent),
        parent=parent.name if clear else mask_name(parent.name),
        name=name if clear else mask_name(name),
        certificate=certificate if clear or not certificate else mask_id(certificate),
        sex=SEXES[row.sex],
        household=parent.household_number,
        reason=row.reason or "",
        steps=_steps(row),
        years=next(years for years in range(NUMBERED, -1, -1) if years == 0 or row.birth_date <= born_by(today, years)),
        alike=[f"第{each.number}户，{_UNDER[each.id_type == RESIDENT_ID]}" for each in alike],
    )


def picture(parts: Parts, number: int) -> bytes:
    """The certificate, PNG or JPEG. NoSuchNewborn, NoSuchCertificatePicture."""
    with parts.reading() as connection:
        drawn = base64.b64decode(opened(parts, _row(connection, number), "picture"))
    if not drawn:
        raise NoSuchCertificatePicture(str(number))
    return drawn


def same_child(parts: Parts, connection: Connection, row: Row, name: str) -> list[Row]:
    """Who is registered in the parent's village with the child's name, day of birth and sex. A name is compared here,
    for it is sealed."""
    asked = {"parent": row.parent_id, "born": row.birth_date, "sex": row.sex}
    found = connection.execute(_SAME_DAY, asked).all()
    return [each for each in found
            if clean_name(parts.vault.open(each.name, bound_to=f"person.name:{each.id}")) == name]  # fmt: skip


_TABLE = Newborn.__table__
_UNDER = {True: "已有身份证号", False: "也是按出生证登记的"}


def _row(connection: Connection, number: int) -> Row:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one_or_none()
    if row is None:
        raise NoSuchNewborn(str(number))
    return row


def _parents(parts: Parts, connection: Connection, rows: Sequence[Row]) -> dict[int, Subject]:
    ids = sorted({row.parent_id for row in rows})
    return {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.ever)}


def _listed(parts: Parts, row: Row, parent: Subject) -> Listed:
    return Listed(
        id=row.id,
        name=mask_name(opened(parts, row, "name")),
        born=row.birth_date.isoformat(),
        parent=mask_name(parent.name),
        place=f"{parent.town}{parent.village}",
        state=Stand(row.state),
        requested_by=row.requested_by,
        applied_at=row.applied_at,
        days=(parts.clocks.today() - business_day(row.applied_at)).days,
        checked_by=row.checked_by,
        decided_by=row.decided_by,
    )


_SAME_DAY = text(
    "select p.id, p.name, p.id_type, p.id_number, h.number"
    " from household mine join person parent on parent.household_id = mine.id"
    " join household h on h.village_code = mine.village_code join person p on p.household_id = h.id"
    " where parent.id = :parent and p.birth_date = :born and p.sex = :sex and p.restricted_at is null order by p.id"
)


def _steps(row: Row) -> list[Step]:
    said = [
        ("申请", row.requested_by, row.applied_at),
        ("开始核实", row.checked_by, row.checked_at),
        ("撤回申请", row.withdrawn_by, row.withdrawn_at),
        ("登记" if row.state == Stand.REGISTERED else "没有登记", row.decided_by, row.decided_at),
    ]
    return [Step(words, by, at) for words, by, at in said if by is not None]
