"""The word of the office that owns a conflict: whose counts, and why. What was paid after a death that nobody disputes
any more asks for its way back."""

from sqlalchemy import text

from app.access.sessions import Officer
from app.flows.conflicts.look_for import decided_by_day, exempt_born_by
from app.flows.conflicts.of_the_dead import ask_for_dead
from app.flows.conflicts.queue import NoSuchConflict, held, name_said
from app.flows.parts import Parts
from app.registry import find
from app.registry.conflicts import KINDS, Kind, State
from app.registry.identity import clean_name
from core.errors import BadInput, Conflict
from core.redact import scrub
from payments.refusals import as_errors

SHORTEST, LONGEST = 4, 200


class BadWhy(BadInput):
    """None of the answers, no reason, or one with somebody's number in it."""

    text = "还不能定：{how}"


class NameAsBefore(Conflict):
    """The other name is right, and the register still has the former one."""

    text = "登记的姓名还没有更正。请先按姓名更正的手续由两个人改好登记，再来办结这一件。"


class DecidedAlready(Conflict):
    """Somebody of the office was faster, or both say the same by now."""

    text = "这一件已经办结了。"


def solve(parts: Parts, number: int, *, word: str, why: str, by: Officer) -> None:
    """NoSuchConflict (or another office's), BadWhy, NameAsBefore, DecidedAlready."""
    row, said = held(parts, by, number), " ".join(why.split())
    if wrong := _wrong(row.kind, word, said):
        raise BadWhy(how=wrong)
    if row.kind == Kind.NAME and word == "other" and row.state == State.OPEN:
        _refuse_former_name(parts, row.person_id, name_said(parts, row))
    asked = {"session": by.session, "id": number, "word": word, "why": said, "at": parts.clocks.wall()}
    asked |= {"born_by": exempt_born_by(parts.levy.newest), "due": decided_by_day(parts), "now": parts.clocks.now()}
    with parts.engine.begin() as connection, as_errors({"LX122": NoSuchConflict}):
        if not connection.execute(_SOLVE, asked).scalar_one():
            raise DecidedAlready(str(number))
    if row.kind == Kind.ALIVE and word == "police":
        ask_for_dead(parts, [row.person_id])


def _wrong(kind: str, word: str, why: str) -> str | None:
    """What is missing or too much, by the field's name on the page."""
    if word not in KINDS[kind].answers:
        return "请先选谁说得对。"
    if not SHORTEST <= len(why) <= LONGEST:
        return f"“凭什么这样定”要写{SHORTEST}到{LONGEST}个字。"
    return None if scrub(why) == why else "“凭什么这样定”里写了证件号或手机号，请去掉再交。"


def _refuse_former_name(parts: Parts, person: int, name: str) -> None:
    with parts.reading() as connection:
        people = find.by_ids(connection, parts.vault, [person], years=parts.levy.ever)
    if not people or clean_name(people[0].name) != name:
        raise NameAsBefore


_SOLVE = text("select officer_solves_conflict(:session, :id, :word, :why, :born_by, :due, :now, :at)")
