"""A name the register has wrong: put right for a reason and by a paper, asked for by one, agreed to by another.

The number stays: whoever has another number is another person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, text, update

from app.flows.parts import Parts
from app.registry import find
from app.registry.corrections import NameCorrection
from app.registry.identity import clean_id_number, clean_name, new_name_problem, number_problem
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import mask_name

_SHORTEST, _LONGEST = 4, 200


class BadCorrection(BadInput):
    """A correction without a right name, a reason or a paper, or to the name that stands there."""

    text = "更正姓名要写正确的姓名（和现在的不一样）、原因和依据（例如户口簿、公安证明），各4到200个字。"


class NobodyToCorrect(NotFound):
    """A number that nobody in the register has."""

    text = "没有登记这个身份证号，请核对。"


class NoSuchCorrection(NotFound):
    """A number that no open correction has."""

    text = "没有这个更正，或者已经办完了。"


class CorrectionUnderWay(Conflict):
    """Another correction of the same person is open."""

    text = "这个人的姓名正在更正，请先办完那一个。"


class OwnCorrection(Refused):
    """Who asked does not agree, nor refuse."""

    text = "提出更正的人不能自己同意，请换一个人。自己不要更正了，可以撤回。"


class NotYourCorrection(Refused):
    """Who did not ask takes nothing back."""

    text = "这个更正是别人提出的，您可以同意或不同意，不能撤回。"


@dataclass(frozen=True)
class Listed:
    """An open correction as the second person sees it, in full: he compares it with the paper."""

    id: int
    former: str
    name: str
    reason: str
    proof: str
    asked_by: str
    asked_at: datetime


def ask(parts: Parts, *, id_number: str, name: str, reason: str, proof: str, by: str) -> int:
    """The correction's number; nothing is changed yet. BadCorrection, NobodyToCorrect, CorrectionUnderWay."""
    number, right = clean_id_number(id_number), clean_name(name)
    why, paper = " ".join(reason.split()), " ".join(proof.split())
    if (
        new_name_problem(right)
        or not all(_SHORTEST <= len(words) <= _LONGEST for words in (why, paper))
        or not by.strip()
    ):
        raise BadCorrection
    if number_problem(number, today=parts.clocks.today()):
        raise NobodyToCorrect
    with parts.engine.begin() as connection:
        found = find.by_id_number(connection, parts.vault, number)
        if found is None:
            raise NobodyToCorrect
        person, former = found
        if former == right:
            raise BadCorrection
        open_one = select(NameCorrection.id).where(NameCorrection.person_id == person, NameCorrection.state == "asked")
        if connection.execute(open_one).first():
            raise CorrectionUnderWay
        row = {
            "person_id": person,
            "former": parts.vault.seal(former, bound_to=f"person.name:{person}"),
            "name": parts.vault.seal(right, bound_to=f"person.name:{person}"),
            **{"reason": why, "proof": paper, "asked_by": by.strip(), "asked_at": parts.clocks.now()},
        }
        return int(connection.execute(insert(NameCorrection).values(**row).returning(NameCorrection.id)).scalar_one())


def agree(parts: Parts, correction: int, *, by: str) -> str:
    """The name is the right one from now on; it, masked. NoSuchCorrection, OwnCorrection."""
    with parts.engine.begin() as connection:
        held = _by_another(connection, correction, by)
        _end(parts, connection, correction, "done", by)
        connection.execute(_IN_ITS_NAME, {"cause": f"correction:{correction}"})
        # The bureau's next row of him is looked at anew: what it said with the wrong name says nothing now.
        connection.execute(_PUT_RIGHT, {"name": held.name, "person": held.person_id})
        return mask_name(parts.vault.open(held.name, bound_to=f"person.name:{held.person_id}"))


def refuse(parts: Parts, correction: int, *, by: str) -> None:
    """The name stays. NoSuchCorrection, OwnCorrection."""
    with parts.engine.begin() as connection:
        _by_another(connection, correction, by)
        _end(parts, connection, correction, "refused", by)


def withdraw(parts: Parts, correction: int, *, by: str) -> None:
    """Who asked takes it back, and may ask anew. NoSuchCorrection, NotYourCorrection."""
    with parts.engine.begin() as connection:
        if _held(connection, correction).asked_by != by.strip():
            raise NotYourCorrection
        _end(parts, connection, correction, "withdrawn", by)


def listed(parts: Parts) -> Sequence[Listed]:
    """The open corrections, the oldest first."""
    table = NameCorrection.__table__
    with parts.reading() as connection:
        rows = connection.execute(select(table).where(table.c.state == "asked").order_by(table.c.id)).all()
    return [
        Listed(row.id, *_names(parts, row), row.reason, row.proof, row.asked_by, row.asked_at)  # type: ignore[arg-type]
        for row in rows
    ]


def _names(parts: Parts, row: Row) -> tuple[str, str]:
    bound = f"person.name:{row.person_id}"
    return parts.vault.open(row.former, bound_to=bound), parts.vault.open(row.name, bound_to=bound)


def _by_another(connection: Connection, correction: int, by: str) -> Row:
    held = _held(connection, correction)
    if not by.strip() or by.strip() == held.asked_by:
        raise OwnCorrection
    return held


def _held(connection: Connection, correction: int) -> Row:
    """The open correction, held against anybody else's word."""
    table = NameCorrection.__table__
    wanted = select(table).where(table.c.id == correction, table.c.state == "asked").with_for_update()
    held = connection.execute(wanted).one_or_none()
    if held is None:
        raise NoSuchCorrection(str(correction))
    return held


def _end(parts: Parts, connection: Connection, correction: int, state: str, by: str) -> None:
    decided = {"state": state, "decided_by": by.strip(), "decided_at": parts.clocks.now()}
    connection.execute(update(NameCorrection).where(NameCorrection.id == correction).values(**decided))


_IN_ITS_NAME = text("select set_config('liangxian.cause', :cause, true)")  # what the register's trail says of it
_PUT_RIGHT = text("update person set name = :name, digest = '' where id = :person")
