"""A parent asks for his child to be registered under its birth certificate; and may withdraw it while nobody has it in
hand."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Row, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.access.sessions import Visitor
from app.flows.parts import Parts
from app.flows.register.apply import InHandAlready
from app.policy.days import born_by
from app.policy.facts import Insurance
from app.policy.terms import NotOffered
from app.registry import find
from app.registry.find import Subject
from app.registry.identity import clean_id_number, clean_name, is_certificate, new_name_problem
from app.registry.newborns import OPEN, Newborn, Stand
from core.errors import BadInput, Conflict, NotFound
from core.redact import mask_id, mask_name
from payments.refusals import as_errors

NUMBERED = 16  # whoever is as old has an identity number
GROWN = 16  # nobody younger is asked for a child of his
MOST_OPEN, MOST_EVER = 4, 20
MOST = 50


class BadChild(BadInput):
    """What was typed of a child is no certificate, name, day or sex; which, by field."""

    status = 422
    text = "孩子的信息没有填对，请看下面每一格写的。照片要重新选一次。"


class CertificateKnown(Conflict):
    """The certificate has an open application, or somebody stands under it."""

    text = "这张出生医学证明已经申请过或登记过了。没有登记完的，在下面看到哪一步；登记过的，用姓名和证明编号就能查到。"


class TooManyOpen(Conflict):
    """Nobody has so many newborns at once."""

    text = "您家申请登记的孩子太多了。正在办的请等医保局办完，有疑问请打缴费页面上的电话。"


class NoSuchNewborn(NotFound):
    """A number that none of his has."""

    text = "没有这个登记申请。"


@dataclass(frozen=True)
class Child:
    """A child as it is typed. `born` in the browser's way, 2021-10-03; `sex` 1 or 2; `picture` of the certificate, as
    `app.documents.picture` drew it."""

    certificate: str
    name: str
    born: str
    sex: str
    picture: bytes | None


@dataclass(frozen=True)
class Applied:
    """One application as its reader sees it, name and certificate masked."""

    id: int
    name: str
    certificate: str
    state: Stand
    stands: str
    applied_at: datetime
    may_withdraw: bool


def apply(parts: Parts, parent: Subject, child: Child, *, by: str) -> int:
    """Its number. BadChild, CertificateKnown, TooManyOpen, NotOffered, NotFound."""
    if not parts.rules.offers(Insurance.RES_MEDICAL):
        raise NotOffered(Insurance.RES_MEDICAL)
    if parent.restricted_at or not parent.alive:
        raise NotFound("person")
    number, name = clean_id_number(child.certificate), clean_name(child.name)
    born = _day(child.born)
    if wrong := _wrong(parts, parent, child, born):
        raise BadChild(fields=wrong)
    with parts.engine.begin() as connection:
        still, ever = _asked_for(connection, parent, by)
        if still >= MOST_OPEN or ever >= MOST_EVER:
            raise TooManyOpen
        index = find.index_of(parts.vault, number)
        key = connection.execute(text("select nextval(pg_get_serial_sequence('newborn', 'id'))")).scalar_one()
        written = {"certificate": number, "name": name, "picture": base64.b64encode(child.picture or b"").decode()}
        row = {
            **{column: parts.vault.seal(said, bound_to=f"newborn.{column}:{key}") for column, said in written.items()},
            **{"id": key, "parent_id": parent.id, "index": index, "birth_date": born, "sex": int(child.sex)},
            **{"requested_by": by, "applied_at": parts.clocks.now(), "kept_from": parts.clocks.wall()},
        }
        asked = insert(_TABLE).values(row).on_conflict_do_nothing().returning(_TABLE.c.id)
        made = connection.execute(asked).scalar_one_or_none()
        if made is None or _stands_under(connection, index):
            raise CertificateKnown
        return int(made)


def withdraw(parts: Parts, number: int, *, by: Visitor) -> None:
    """By who applied: an account, an agent of the village, a counter of the town. NoSuchNewborn, InHandAlready."""
    asked = {"session": by.token_hash, "id": number, "on": parts.clocks.now(), "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX080": NoSuchNewborn}):
        done = connection.execute(text("select withdraw_newborn(:session, :id, :on, :at)"), asked).scalar_one()
    if not done:
        raise InHandAlready(str(number))


def applied(parts: Parts, parent: Subject, *, reader: str) -> Sequence[Applied]:
    """What was asked for as a child of his, the latest first: all of it by agents and counters, and an account's own
    (account:<id>, agent:<id>, staff:<login>)."""
    with parts.reading() as connection:
        query = select(_TABLE).where(_TABLE.c.parent_id == parent.id, _seen_by(reader))
        rows = connection.execute(query.order_by(_TABLE.c.id.desc()).limit(MOST)).all()
    return [_applied(parts, row, reader) for row in rows]


_TABLE = Newborn.__table__


def _wrong(parts: Parts, parent: Subject, child: Child, born: date | None) -> Mapping[str, str]:
    """Field → what to do about it. Pure but for today's date."""
    wrong, today = {}, parts.clocks.today()
    if not is_certificate(clean_id_number(child.certificate)):
        wrong["certificate"] = "出生医学证明编号是1个字母加9个数字，在证明的右上角，请对照再看一遍。"
    if new_name_problem(clean_name(child.name)):
        wrong["name"] = "姓名请照出生医学证明写，不要空格和符号。"
    if born is None or born > today:
        wrong["born"] = "请选孩子出生的那一天，不能晚于今天。"
    elif born <= born_by(today, NUMBERED):
        wrong["born"] = f"满{NUMBERED}岁的人有身份证号，请用身份证号查。"
    elif parent.birth_date > born_by(born, GROWN):
        wrong["born"] = "从这个日子看，孩子不是他的。请从孩子的父母那一页申请。"
    if child.sex not in ("1", "2"):
        wrong["sex"] = "请选男或女。"
    if not child.picture:
        wrong["picture"] = "请拍一张出生医学证明的照片，字要看得清。"
    return wrong


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        return None


def _asked_for(connection: Connection, parent: Subject, by: str) -> tuple[int, int]:
    """How many he has open for this parent, and how many ever, but for those withdrawn: what a stranger's account asks
    for bars nobody else. The household is held meanwhile: two at once are counted one after the other."""
    connection.execute(_HOLD, {"household": parent.household_id})
    counts = func.count().filter(_TABLE.c.state.in_(OPEN)), func.count().filter(_TABLE.c.state != Stand.WITHDRAWN)
    mine = _TABLE.c.parent_id == parent.id, _TABLE.c.requested_by == by
    still, ever = connection.execute(select(*counts).where(*mine)).one()
    return still, ever


_HOLD = text("select pg_advisory_xact_lock(hashtextextended('newborns of ' || :household, 0))")


def _stands_under(connection: Connection, index: bytes) -> bool:
    found = text("select exists (select from birth_certificate where index = :index)")
    return bool(connection.execute(found, {"index": index}).scalar_one())


def _seen_by(reader: str) -> ColumnElement[bool]:
    if reader.startswith("account:"):
        return _TABLE.c.requested_by == reader
    return _TABLE.c.requested_by.startswith("agent:") | _TABLE.c.requested_by.startswith("staff:")


def _applied(parts: Parts, row: Row, reader: str) -> Applied:
    state = Stand(row.state)
    return Applied(
        id=row.id,
        name=mask_name(opened(parts, row, "name")),
        certificate=mask_id(opened(parts, row, "certificate")) if row.certificate else "",
        state=state,
        stands=_STANDS[state].format(reason=row.reason or ""),
        applied_at=row.applied_at,
        may_withdraw=state is Stand.APPLIED and row.requested_by.partition(":")[0] == reader.partition(":")[0],
    )


def opened(parts: Parts, row: Row, column: str) -> str:
    """What was written, in clear; empty for what was let go of."""
    sealed = getattr(row, column)
    return parts.vault.open(sealed, bound_to=f"newborn.{column}:{row.id}") if sealed else ""


_STANDS = {
    Stand.APPLIED: "申请收到了，等医保局核实。有了结果会告诉您，这里也看得到。",
    Stand.CHECKING: "医保局正在核实。有了结果会告诉您，这里也看得到。",
    Stand.REGISTERED: "登记好了。请回“要交多少”，看孩子要交多少、到哪天。用姓名和出生医学证明编号能查到他。",
    Stand.REJECTED: "没有登记。原因：{reason}。材料改好了可以再申请一次，有疑问请问医保局。",
    Stand.WITHDRAWN: "您撤回了，没有办。",
}
