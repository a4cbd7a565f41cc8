"""Whoever stands under a birth certificate has an identity number now: one of a bureau says so by a paper, another
agrees. If the register has somebody under that number, the two become one; what both have paid comes back once."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, text

from app.access.sessions import Officer
from app.flows.newborn.joins import differences, hindrances, joining_name
from app.flows.parts import Parts
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.steps import ask_for_bill
from app.policy.refunds import Why
from app.registry import find
from app.registry.identity import (
    birth_date_of,
    clean_id_number,
    clean_name,
    id_number_problem,
    is_certificate,
    new_name_problem,
    sex_of,
)
from app.registry.newborns import BIRTH_CERT, Joining
from app.registry.register import ImportUnderWay
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import scrub
from payments.refusals import as_errors

RULE = "rule:united"
SHORTEST, LONGEST = 4, 200


class BadJoining(BadInput):
    """A certificate, name, number or paper that can be none; which, by field."""

    status = 422
    text = "没有填对，请看下面每一格写的。"


class NobodyUnderIt(NotFound):
    """Nobody stands under this certificate, or he has a number already."""

    text = "没有按这张出生医学证明登记、还没有身份证号的人，请核对编号。"


class JoiningOpen(Conflict):
    """Another number is asked for or offered for him."""

    text = "这个孩子的并号已经有一件在办，请先看那一件。"


class NoSuchJoining(NotFound):
    """A number that none has, or what is another's to take back."""

    text = "没有这件并号，或者不归您撤回。"


class JoiningOver(Conflict):
    """It was decided."""

    text = "这件并号已经办完了，不能再改。"


class OwnJoining(Refused):
    """Who asked does not decide."""

    text = "提出的人不能自己定，请换一个人。自己不要了，可以撤回。"


class JoiningChanged(Conflict):
    """Somebody came under the number, or paid, since it was asked for."""

    text = "提出以后有了变化：有人按这个身份证号登记了，或者交了费。请再看一遍；看到的和提出时不一样的，撤回重新提出。"


class JoiningHindered(Conflict):
    """Something is under way at the row that would end."""

    text = "现在不能并：{what}。先办完这些，再来并。"


class PaidApart(Conflict):
    """Each of the two rows has paid what the other has not."""

    text = "两边各交了不同的费，并不到一起。请先把其中一边交的退掉，再来并。"


@dataclass(frozen=True)
class Said:
    """What a clerk types from the papers: the certificate, and name and number of the household register; `proof`:
    which paper, and why it is he where something differs."""

    certificate: str
    name: str
    number: str
    proof: str


def ask(parts: Parts, said: Said, *, by: Officer) -> int:
    """Its number; nothing is changed yet. BadJoining, NobodyUnderIt, JoiningOpen."""
    certificate, number, name = clean_id_number(said.certificate), clean_id_number(said.number), clean_name(said.name)
    proof = " ".join(said.proof.split())
    if wrong := _wrong(parts, certificate, number, name, proof):
        raise BadJoining(fields=wrong)
    with parts.engine.begin() as connection:
        found = find.by_id_number(connection, parts.vault, certificate)
        person = _standing(connection, found[0]) if found else None
        if found is None or person is None:
            raise NobodyUnderIt
        other = find.by_id_number(connection, parts.vault, number)
        if other is not None and other[1] != name:
            raise BadJoining(fields={"number": _ANOTHERS})
        row = {"birth_date": birth_date_of(number), "sex": sex_of(number), "name": name}
        if differences(person, found[1], **row) and len(proof) < 2 * SHORTEST:
            raise BadJoining(fields={"proof": _DIFFERS.format(what="、".join(differences(person, found[1], **row)))})
        key = connection.execute(_NUMBER).scalar_one()
        asked = {
            **{"id": key, "person": person.id, "index": find.index_of(parts.vault, number), "proof": proof},
            **{"birth": row["birth_date"], "sex": row["sex"]},
            "number": parts.vault.seal(number, bound_to=f"joining.number:{key}"),
            "name": parts.vault.seal(name, bound_to=f"joining.name:{key}"),
        }
        _call(parts, connection, _ASK, by, **asked)
        query = select(_TABLE.c.id).where(_TABLE.c.person_id == person.id, _TABLE.c.state == "asked")
        return int(connection.execute(query).scalar_one())


def take_up(parts: Parts, joining: int, proof: str, *, by: Officer) -> None:
    """What a file offered is the same person, by this paper: asked for. NoSuchJoining, JoiningOver, BadJoining."""
    why = " ".join(proof.split())
    if not SHORTEST <= len(why) <= LONGEST or scrub(why) != why:
        raise BadJoining(fields={"proof": _PROOF})
    with parts.engine.begin() as connection:
        held = _held(connection, joining, ("offered",))
        asked = {"id": held.id, "person": held.person_id, "number": held.number, "index": held.index, "name": held.name}
        _call(parts, connection, _ASK, by, birth=held.birth_date, sex=held.sex, proof=why, **asked)


def agree(parts: Parts, joining: int, *, by: Officer) -> int:
    """He stands under his number from now on: the person id that goes on. NoSuchJoining, JoiningOver, OwnJoining,
    JoiningChanged, JoiningHindered, PaidApart, ImportUnderWay."""
    with parts.engine.begin() as connection:
        held = _held(connection, joining, ("asked",))
        kept = _kept(parts, connection, held)
        sealed = _sealed(parts, connection, held, kept)
        if not _call(parts, connection, _AGREE, by, id=joining, keep=kept, **sealed):
            raise JoiningOver(str(joining))
        ended = held.person_id if kept == held.other_id else held.other_id
        for bill in connection.execute(_PAID, {"person": ended}).all():
            ask_for_bill(parts, connection, bill, Why.TWICE, by=RULE)
    ask_for_entitled(parts, [kept])  # who paid the full price under the number is a newborn under the certificate
    return kept


def refuse(parts: Parts, joining: int, why: str, *, by: Officer) -> None:
    """It is not he. NoSuchJoining, JoiningOver, OwnJoining, BadJoining."""
    said = " ".join(why.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise BadJoining(fields={"why": "请写明为什么不是同一个人，4到200个字，不写证件号和手机号。"})
    with parts.engine.begin() as connection:
        _held(connection, joining, ("offered", "asked"))
        if not _call(parts, connection, _END, by, id=joining, why=said):
            raise JoiningOver(str(joining))


def withdraw(parts: Parts, joining: int, *, by: Officer) -> None:
    """Who asked takes it back. NoSuchJoining, JoiningOver."""
    with parts.engine.begin() as connection:
        _held(connection, joining, ("asked",))
        if not _call(parts, connection, _END, by, id=joining, why=None):
            raise JoiningOver(str(joining))


_TABLE = Joining.__table__
_PROOF = "请写明凭哪一份材料，例如户口簿，4到200个字，不写证件号和手机号。"
_ANOTHERS = "这个身份证号登记的是另一个姓名。请核对号码；姓名登记错了的，先更正姓名再来并。"
_DIFFERS = "{what}和出生医学证明登记的不一样，请把为什么是同一个人写清楚，8到200个字。"
_NUMBER = text("select nextval(pg_get_serial_sequence('joining', 'id'))")
_ASK = "joining_ask(:session, :id, :person, :number, :index, :name, :birth, :sex, :proof, :on, :at)"
_AGREE = "joining_agree(:session, :id, :keep, :number, :name, :certificate, :on, :at)"
_END = "joining_end(:session, :id, :why, :on, :at)"
_KEPT = text("select joining_kept(:person, :other)")
_PAID = text("select * from bill where person_id = :person and state = 'settled' order by raised_from nulls last, id")


def _wrong(parts: Parts, certificate: str, number: str, name: str, proof: str) -> Mapping[str, str]:
    wrong = {}
    if not is_certificate(certificate):
        wrong["certificate"] = "出生医学证明编号是1个字母加9个数字。"
    if id_number_problem(number, today=parts.clocks.today()):
        wrong["number"] = "身份证号不对，请对照户口簿再看一遍。"
    if new_name_problem(name):
        wrong["name"] = "姓名请照户口簿写，不要空格和符号。"
    if not SHORTEST <= len(proof) <= LONGEST or scrub(proof) != proof:
        wrong["proof"] = _PROOF
    return wrong


def _standing(connection: Connection, person: int) -> Row | None:
    """Who stands under a certificate still."""
    query = text("select id, birth_date, sex from person where id = :id and id_type = :type and restricted_at is null")
    return connection.execute(query, {"id": person, "type": BIRTH_CERT}).one_or_none()


def _held(connection: Connection, joining: int, states: tuple[str, ...]) -> Row:
    held = connection.execute(select(_TABLE).where(_TABLE.c.id == joining)).one_or_none()
    if held is None:
        raise NoSuchJoining(str(joining))
    if held.state not in states:
        raise JoiningOver(str(joining))
    return held


def _kept(parts: Parts, connection: Connection, held: Row) -> int:
    """Who goes on, of one or of two."""
    if held.other_id is None:
        return int(held.person_id)
    there = find.by_id_number(
        connection, parts.vault, parts.vault.open(held.number, bound_to=f"joining.number:{held.id}")
    )
    if there is None or there[1] != joining_name(parts, held):
        raise JoiningChanged
    kept = connection.execute(_KEPT, {"person": held.person_id, "other": held.other_id}).scalar_one()
    if kept is None:
        raise PaidApart
    ended = held.person_id if kept == held.other_id else held.other_id
    if found := hindrances(connection, kept, ended):
        raise JoiningHindered(what="；".join(found))
    return int(kept)


def _sealed(parts: Parts, connection: Connection, held: Row, kept: int) -> dict[str, bytes | None]:
    """What stood sealed for others, for who goes on."""
    name, number = joining_name(parts, held), parts.vault.open(held.number, bound_to=f"joining.number:{held.id}")
    query = text("select number from birth_certificate where person_id = :id")
    paper = connection.execute(query, {"id": held.person_id}).scalar_one_or_none()
    clear = parts.vault.open(paper, bound_to=f"birth_certificate.number:{held.person_id}") if paper else ""
    return {
        "number": parts.vault.seal(number, bound_to=f"person.id_number:{kept}"),
        "name": parts.vault.seal(name, bound_to=f"person.name:{kept}"),
        "certificate": parts.vault.seal(clear, bound_to=f"birth_certificate.number:{kept}"),
    }


def _call(parts: Parts, connection: Connection, step: str, by: Officer, **said: object) -> bool:
    """One step in the name of the officer whose live session it is; the database looks at his office too."""
    asked = {"session": by.session, "on": parts.clocks.now(), "at": parts.clocks.wall()}
    names: dict[str, type[Exception]] = {"LX117": NoSuchJoining, "LX118": OwnJoining, "LX150": JoiningOpen}
    names |= {"LX151": JoiningChanged, "LX152": JoiningChanged, "LX153": ImportUnderWay, "23505": JoiningOpen}
    with as_errors(names):
        return bool(connection.execute(text(f"select {step}"), asked | said).scalar_one())
