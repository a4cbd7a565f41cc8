"""An agent takes his cash to the bank and writes down the slip's number; the bank's file says that it is there."""

import base64
import re
from collections.abc import Sequence

from sqlalchemy import Row, text

from app.access.sessions import Officer, Visitor
from app.flows.custody.books import NoBusiness
from app.flows.parts import Parts
from core.errors import BadInput, Conflict, NotFound
from core.money import Fen
from payments.number import new_id
from payments.refusals import as_errors

PAGE = 50
_SLIP = re.compile(r"[0-9A-Z-]{4,40}")


class BadSlip(BadInput):
    """No number of a slip."""

    status = 422
    text = "凭条号不对：照银行凭条上的流水号写，4到40位数字或字母。"


class NoSuchPhoto(NotFound):
    """No slip of that number, or nobody took a photo of it."""

    text = "这张凭条没有照片。"


class RemittedOtherwise(Conflict):
    """Something was taken, voided or written down meanwhile."""

    text = "这几张收据刚才有变动（又收了、作废了，或者已经登记过存款）。请看清楚再登记。"


class SlipKnown(Conflict):
    """The same number for the same batch."""

    text = "这个凭条号已经登记在这一批上了。"


def waiting(parts: Parts, agent: int) -> Sequence[Row]:
    """An agent's receipts that are not taken to the bank, the oldest first; with how many and how much up to each."""
    with parts.reading() as connection:
        return connection.execute(_WAITING, {"agent": agent}).all()


def remit(parts: Parts, until: int, total: Fen, *, slip: str, photo: bytes | None, by: Visitor) -> int:
    """What was taken up to this serial, whose sum he saw, is at the bank; the batch. BadSlip, RemittedOtherwise."""
    assert by.agent is not None, "the guard let an agent in"
    rows = waiting(parts, by.agent.id)
    place = next((place for place, row in enumerate(rows, 1) if row.serial == until), 0)
    asked = _slip(parts, slip, photo, by) | {"serials": [row.serial for row in rows[:place]], "total": total}
    with parts.engine.begin() as connection, as_errors({"LX161": RemittedOtherwise, "LX155": NoBusiness}):
        return int(connection.execute(_REMIT, asked).scalar_one())


def add_slip(parts: Parts, batch: int, *, slip: str, photo: bytes | None, by: Visitor) -> None:
    """The rest of a batch, or a number that was misread. BadSlip, RemittedOtherwise, SlipKnown."""
    asked = _slip(parts, slip, photo, by) | {"batch": batch}
    refused = {"LX161": RemittedOtherwise, "23505": SlipKnown, "22003": RemittedOtherwise}
    with parts.engine.begin() as connection, as_errors(refused):
        connection.execute(_ADD, asked)


def strike(parts: Parts, slip: int, *, by: Visitor) -> bool:
    """Tax: this number is not of that batch. False: it was said. NoBusiness."""
    asked = {"session": by.token_hash, "slip": slip, "at": parts.clocks.wall(), "now": parts.clocks.now()}
    with parts.engine.begin() as connection, as_errors({"LX155": NoBusiness, "22003": NoBusiness}):
        return bool(connection.execute(_STRIKE, asked).scalar_one())


def photo_of(parts: Parts, slip: int) -> bytes:
    """The photo of a slip that this session may see. NoSuchPhoto."""
    with parts.reading() as connection:
        sealed = connection.execute(text("select photo from cash_slip where id = :id"), {"id": slip}).scalar()
    if sealed is None:
        raise NoSuchPhoto(str(slip))
    return base64.b64decode(parts.vault.open(sealed, bound_to=f"cash_slip.photo:{slip}"))


def batches(parts: Parts, *, agent: int | None = None, by: Officer | None = None, page: int = 1) -> Sequence[Row]:
    """What was taken to the bank, what is not there yet first; an agent his own, a town its own."""
    towns = list(by.towns) if by is not None and by.role == "town" else None
    asked = {"agent": agent, "towns": towns, "most": PAGE, "skip": PAGE * (page - 1)}
    with parts.reading() as connection:
        return connection.execute(_BATCHES, asked).all()


def _slip(parts: Parts, slip: str, photo: bytes | None, by: Visitor) -> dict[str, object]:
    wanted = "".join(slip.split()).upper()
    if not _SLIP.fullmatch(wanted):
        raise BadSlip
    key = new_id()
    sealed = None
    if photo is not None:
        sealed = parts.vault.seal(base64.b64encode(photo).decode(), bound_to=f"cash_slip.photo:{key}")
    named = {"session": by.token_hash, "key": key, "slip": wanted, "photo": sealed}
    return named | {"at": parts.clocks.wall(), "now": parts.clocks.now()}


_WAITING = text(
    "select r.serial, r.amount, r.issued_at, r.village_code, cast(sum(r.amount) over w as bigint) as total,"
    " count(*) over w as count"
    " from receipt r where r.agent_id = :agent and r.state = 'ISSUED' window w as (order by r.issued_at, r.serial)"
    " order by r.issued_at, r.serial"
)
_REMIT = text("select agent_remits_cash(:session, :serials, :total, :key, :slip, :photo, :at, :now)")
_ADD = text("select agent_adds_slip(:session, cast(:batch as bigint), :key, :slip, :photo, :at, :now)")
_STRIKE = text("select officer_strikes_slip(:session, cast(:slip as bigint), :at, :now)")
_BATCHES = text(
    "select b.*, a.login, b.total - b.arrived as short, r.first, r.last, s.slips from cash_batch b"
    " join agent a on a.id = b.agent_id"
    " cross join lateral (select min(serial) as first, max(serial) as last from receipt where batch_id = b.id) r"
    " cross join lateral (select jsonb_agg(jsonb_build_object('id', id::text, 'slip', slip, 'photo', photo is not null,"
    "                                      'struck', struck_at is not null)"
    "                                      order by at, id) as slips from cash_slip where batch_id = b.id) s"
    " where (cast(:agent as bigint) is null or b.agent_id = :agent) and (cast(:towns as text[]) is null or exists ("
    "   select from receipt o where o.batch_id = b.id and left(o.village_code, 9) = any (cast(:towns as text[]))))"
    " order by (b.arrived < b.total) desc, b.id desc limit :most offset :skip"
)
