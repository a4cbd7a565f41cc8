"""A person's data erased (decision 0040): what need not be kept goes at once, who he was is restricted, and the book
stays whole. Asked for by one for a reason, agreed to by another; and if that was wrong, lifted by two again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, text

from app.access import erasures
from app.access.erasures import GROUNDS, Erasure
from app.flows.keep.addresses import found_of
from app.flows.keep.erased_list import write_list
from app.flows.parts import Parts
from app.registry import find
from app.registry.identity import clean_id_number, number_problem
from app.registry.register import ImportUnderWay
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import mask_name, scrub

_SHORTEST, _LONGEST = 4, 200
STAYS = "登记的一行、应缴单、付款、分录、缴费凭证、退款和转账记录：会计档案要保存三十年，期满姓名和证件号清空"
_HINDERS = {
    "payment": "有一笔付款还没有结果",
    "refund": "有一笔退费还没有办完",
    "suspense": "有一笔待查款和他有关",
    "complaint": "有一件投诉还没有办结",
    "correction": "姓名正在更正",
    "determination": "医保局、人社局正在核定",
    "newborn": "医保局正在给他家的孩子登记",
    "joining": "身份证号正在并上",
    "objection": "清册异议还没有答复",
    "matter": "反映的事还没有答复",
}


_WENT = {  # table → what of it goes
    "person": "登记的手机号",
    "resident_account": "账号的手机号和微信",
    "resident_person": "替谁缴费的关系",
    "barred": "不让谁替他缴费的记录",
    "session": "登录",
    "login_code": "短信验证码",
    "subscription": "微信订阅",
    "notice": "通知里的地址",
    "payment": "付款里的地址和微信",
    "request_key": "防重复提交的号",
    "tally": "限次的计数",
    "bill": "作废的应缴单",
    "determination_evidence": "申请核定时写的话和照片",
    "special_row": "部门名单里写着他的行",
    "roster_objection": "清册异议写的话和答复",
    "roster_step": "清册因他的一行退回时写的话",
    "matter": "反映的事写的话和答复",
    "door_note": "代办员走访他家的记事",
    "conflict": "登记冲突里的另一个姓名和理由",
    "paid_elsewhere": "核实在外地缴费时写的话",
    "phone_correction": "改手机号的原号和凭据",
}
_STANDS = (
    ("withdrawn_at", "已撤回"),
    ("lifted_at", "已恢复"),
    ("let_go_at", "期满，姓名已清空"),
    ("agreed_at", "限制处理"),
)


class BadErasure(BadInput):
    """An erasure without a known ground, or a reason that says nothing, too much, or a number."""

    text = "删除或恢复要写明属于哪一种情形和原因，4到200个字，不写证件号和手机号。"


class NobodyToErase(NotFound):
    """A number that nobody in the register has."""

    text = "登记里没有这个身份证号，没有可删的，请核对。"


class ErasureStands(Conflict):
    """It was asked for before, or done."""

    text = "这个人的删除已经有人提出，或者已经办完，编号{number}。"


class ErasureHindered(Conflict):
    """Something of his is under way: it is ended first, nothing was done."""

    text = "现在不能删除：{what}。请先办完，什么都没有改动。"


class NoSuchErasure(NotFound):
    """A number that no erasure has, or one that is past this step."""

    text = "没有这个编号的删除，或者已经不在这一步了。"


class OwnErasure(Refused):
    """Who asked does not agree."""

    text = "提出删除或恢复的人不能自己同意，请换一个人。"


class NotYourErasure(Refused):
    """Who did not ask takes nothing back."""

    text = "这是别人提出的，只有提出的人能撤回。"


@dataclass(frozen=True)
class Trail:
    """One erasure as the auditor sees it; the name masked, or empty once it is gone."""

    row: Row
    name: str

    @property
    def stands(self) -> str:
        """In two or three words."""
        return next((words for step, words in _STANDS if getattr(self.row, step)), "等人同意")

    @property
    def gone(self) -> str:
        """What went, in words with its rows."""
        return gone_words(self.row.went or {})


def ask(parts: Parts, *, id_number: str, ground: str, reason: str, by: str) -> int:
    """Its number; nothing is changed yet. BadErasure, NobodyToErase, ErasureStands, ErasureHindered."""
    number, why = clean_id_number(id_number), _good(reason, by)
    if ground not in GROUNDS:
        raise BadErasure
    if number_problem(number, today=parts.clocks.today()):
        raise NobodyToErase
    with parts.engine.begin() as connection:
        found = find.by_id_number(connection, parts.vault, number)
        person = found[0] if found else find.restricted(connection, parts.vault, number)
        if person is None:
            raise NobodyToErase
        _lock(connection, person)
        standing = erasures.of_person(connection, person)
        if standing is not None:
            raise ErasureStands(number=standing.id)
        _free(connection, person)
        row = {"person_id": person, "ground": ground, "reason": why, "asked_by": by.strip()}
        asked = insert(Erasure).values(**row, asked_at=parts.clocks.wall()).returning(Erasure.id)
        return int(connection.execute(asked).scalar_one())


def agree(parts: Parts, erasure: int, *, by: str) -> Mapping[str, int]:
    """What went: table → rows. Agreed to before by the same person: what went then. NoSuchErasure, OwnErasure,
    ErasureHindered."""
    with parts.engine.begin() as connection:
        held = _held(connection, erasure)
        if held.agreed_at is not None and held.agreed_by == by.strip():
            return dict(held.went)
        if held.agreed_at is not None or held.withdrawn_at is not None:
            raise NoSuchErasure(str(erasure))
        if not by.strip() or by.strip() == held.asked_by:
            raise OwnErasure
        went = carry_out(parts, connection, held, by=by.strip())
    write_list(parts)
    return went


def carry_out(parts: Parts, connection: Connection, held: Row, *, by: str) -> Mapping[str, int]:
    """What was asked for is done, in the caller's transaction; no file is brought in meanwhile, which may know
    him as he was. ErasureHindered, ImportUnderWay."""
    if not connection.execute(text("select pg_try_advisory_xact_lock(hashtext('registry import'))")).scalar_one():
        raise ImportUnderWay
    _lock(connection, held.person_id)
    _free(connection, held.person_id)
    gone = connection.execute(
        text(
            "select erase_person(:erasure, :by, :at, cast(:notices as jsonb), :addressed, :payers,"
            " cast(:tallies as bytea[]))"
        ),
        {"erasure": held.id, "by": by, "at": parts.clocks.wall(), **found_of(parts, connection, held.person_id)},
    ).scalar_one()
    return dict(gone)


def withdraw(parts: Parts, erasure: int, *, by: str) -> None:
    """Who asked takes it back. NoSuchErasure, NotYourErasure."""
    with parts.engine.begin() as connection:
        if _held(connection, erasure).asked_by != by.strip():
            raise NotYourErasure
        _step(connection, erasure, "erasure_withdraw(:erasure, :by, :at)", by=by.strip(), at=parts.clocks.wall())


def ask_to_lift(parts: Parts, erasure: int, *, reason: str, by: str) -> None:
    """Somebody asks for the person to come back to the lists; nothing is changed yet. BadErasure, NoSuchErasure."""
    why = {"reason": _good(reason, by), "by": by.strip(), "at": parts.clocks.wall()}
    with parts.engine.begin() as connection:
        _step(connection, erasure, "erasure_lift_ask(:erasure, :reason, :by, :at)", **why)


def lift(parts: Parts, erasure: int, *, by: str) -> None:
    """He is in the lists again, with what is left: no phone, no account. NoSuchErasure, OwnErasure."""
    with parts.engine.begin() as connection:
        if not by.strip() or _held(connection, erasure).lift_asked_by == by.strip():
            raise OwnErasure
        _step(connection, erasure, "erasure_lift(:erasure, :by, :at)", by=by.strip(), at=parts.clocks.wall())
    write_list(parts)


def trail(parts: Parts, *, erasure: int | None = None, most: int = 200) -> Sequence[Trail]:
    """All of them, the latest first, or one."""
    with parts.reading() as connection:
        rows = connection.execute(_NAMED, {"most": most, "erasure": erasure}).all()
    return [Trail(row, _masked(parts, row)) for row in rows]


def gone_words(went: Mapping[str, int]) -> str:
    """What went and how many rows of each, in the order of _WENT."""
    return "、".join(f"{words} {went[table]}" for table, words in _WENT.items() if went.get(table))


def _masked(parts: Parts, row: Row) -> str:
    return mask_name(parts.vault.open(row.name, bound_to=f"person.name:{row.person_id}")) if row.name else ""


def _good(reason: str, by: str) -> str:
    why = " ".join(reason.split())
    if not _SHORTEST <= len(why) <= _LONGEST or scrub(why) != why or not by.strip():
        raise BadErasure
    return why


def _held(connection: Connection, erasure: int) -> Row:
    held = connection.execute(select(Erasure.__table__).where(Erasure.id == erasure)).one_or_none()
    if held is None:
        raise NoSuchErasure(str(erasure))
    return held


def _step(connection: Connection, erasure: int, call: str, *, by: str, at: datetime, reason: str = "") -> None:
    asked = {"erasure": erasure, "by": by, "at": at} | ({"reason": reason} if reason else {})
    if not connection.execute(text(f"select {call}"), asked).scalar_one():
        raise NoSuchErasure(str(erasure))


def _lock(connection: Connection, person: int) -> None:
    """As whoever begins a payment: nothing of his begins meanwhile."""
    connection.execute(text("select meet_people(array[cast(:person as bigint)], true)"), {"person": person})


def _free(connection: Connection, person: int) -> None:
    found = connection.execute(
        text("select * from erasure_hindrances(:person) order by 1, 2"), {"person": person}
    ).all()
    if found:
        raise ErasureHindered(what="；".join(f"{_HINDERS[row.what]}（{row.number}）" for row in found))


_NAMED = text(
    "select e.*, p.name from erasure e join person p on p.id = e.person_id"
    " where cast(:erasure as bigint) is null or e.id = :erasure order by e.id desc limit :most"
)
