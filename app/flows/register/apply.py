"""Somebody applies for a bureau's word on his case, with what he can say and show for it; and may withdraw it while
nobody has it in hand."""

import base64
from dataclasses import dataclass

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from app.access.sessions import Visitor
from app.flows.due.facts import asked_for
from app.flows.due.quote import amount_due
from app.flows.parts import Parts
from app.flows.register.determine import BadDetermination, NoSuchDetermination
from app.flows.register.offers import Offer, offers
from app.policy.answer import Reason
from app.policy.facts import Insurance
from app.policy.terms import NotOffered
from app.registry import find
from app.registry.determinations import MEDICAL_ONLY, OPEN, Kind
from app.registry.find import Subject
from app.registry.models import Determination, DeterminationEvidence
from core.errors import BadInput, Conflict, NotFound
from payments.refusals import as_errors

LONGEST = 500


class NothingToDetermine(Conflict):
    """A case that needs no bureau: the rules decide it alone."""

    text = "这一项现在不用核实，请返回看看要交多少。"


class BadEvidence(BadInput):
    """More words than a desk reads."""

    text = "情况请写短一些，最多五百个字。"


class InHandAlready(Conflict):
    """The bureau has begun, or is done."""

    text = "已经开始核实，或者已经有结果了，不能再撤回。"


@dataclass(frozen=True)
class Evidence:
    """What speaks for a case: the applicant's words, and a picture as `app.documents.picture` drew it."""

    words: str = ""
    picture: bytes | None = None


def apply(
    parts: Parts,
    person_id: int,
    insurance: Insurance,
    kind: Kind,
    *,
    by: str,
    levy_year: int | None = None,
    evidence: Evidence | None = None,
) -> int:
    """An application for a levy year, where only one is collected for that: its number; one that is open already is
    that one, and stays as it was made. BadDetermination, BadEvidence, NotOffered, NotFound for an unknown person,
    YearUnsaid, YearClosed."""
    if evidence is not None and len(evidence.words) > LONGEST:
        raise BadEvidence
    year = parts.levy.only if levy_year is None else parts.levy.known(levy_year).year
    if not parts.levy.rules(year).offers(insurance):
        raise NotOffered(insurance)
    if kind in MEDICAL_ONLY and insurance is not Insurance.RES_MEDICAL:
        raise BadDetermination(how="这个险种没有这一类。")
    with parts.engine.begin() as connection:
        found = find.by_ids(connection, parts.vault, [person_id], years=parts.levy.years)
        if not found or found[0].restricted_at:
            raise NotFound("person")
        case = {"person_id": person_id, "insurance": insurance, "levy_year": year, "kind": kind}
        number = _apply(connection, case, requested_by=by.strip(), applied_at=parts.clocks.now())
        if evidence is not None and (evidence.words.strip() or evidence.picture):
            _keep(parts, connection, number, evidence)
        return number


def ask_for_waiver(parts: Parts, subject: Subject, *, by: str) -> None:
    """A person the government may owe the late premium asks the medical bureau (D25); asking again changes nothing.
    NothingToDetermine for anybody else."""
    if asked_for(subject, Insurance.RES_MEDICAL, Kind.LATE_WAIVER):
        return
    due = amount_due(parts, subject, Insurance.RES_MEDICAL, at=parts.clocks.now())
    if due.quote.reason_code is not Reason.LATE_WAIVER_REVIEW:
        raise NothingToDetermine
    apply(parts, subject.id, Insurance.RES_MEDICAL, Kind.LATE_WAIVER, by=by, levy_year=subject.levy_year)


def ask_for_history(parts: Parts, subject: Subject, *, by: str) -> None:
    """A person who waits longer because of years without enrolment asks the medical bureau to look at them, once for a
    levy year; asking again changes nothing. NothingToDetermine for anybody else."""
    if Kind.ENROLMENT_HISTORY in subject.standing[Insurance.RES_MEDICAL].determinations:
        return
    due = amount_due(parts, subject, Insurance.RES_MEDICAL, at=parts.clocks.now())
    if due.settled or not due.quote.gap_months:
        raise NothingToDetermine
    apply(parts, subject.id, Insurance.RES_MEDICAL, Kind.ENROLMENT_HISTORY, by=by, levy_year=subject.levy_year)


def ask_bureau(parts: Parts, subject: Subject, wanted: Offer, evidence: Evidence, *, by: str) -> int:
    """What he is offered to apply for; its number. Asking again changes nothing. NothingToDetermine for what he is not
    offered, BadEvidence."""
    standing = subject.in_year(wanted.levy_year).standing[wanted.insurance]
    held = standing.determinations.get(wanted.kind)
    if held is not None and held["state"] in OPEN:
        return int(held["id"])
    if wanted not in offers(parts, subject):
        raise NothingToDetermine
    year = wanted.levy_year
    return apply(parts, subject.id, wanted.insurance, wanted.kind, by=by, levy_year=year, evidence=evidence)


def withdraw(parts: Parts, number: int, *, by: Visitor) -> None:
    """By the account that applied (where none did, one that knows the person), or an agent of his village where an
    agent applied. NoSuchDetermination, InHandAlready."""
    asked = {"session": by.token_hash, "id": number, "on": parts.clocks.now(), "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX080": NoSuchDetermination}):
        done = connection.execute(text("select withdraw_determination(:session, :id, :on, :at)"), asked).scalar_one()
    if not done:
        raise InHandAlready(str(number))


def _apply(connection: Connection, case: dict[str, object], **columns: object) -> int:
    """A new row, or the open one of the same case."""
    table = Determination.__table__
    written = connection.execute(
        insert(table)
        .values(**case, **columns)
        .on_conflict_do_nothing(index_elements=list(case), index_where=text("state in ('applied', 'checking')"))
        .returning(table.c.id)
    ).scalar_one_or_none()
    if written is not None:
        return written
    same = [table.c[name] == value for name, value in case.items()]
    return connection.execute(select(table.c.id).where(*same, table.c.state.in_(OPEN))).scalar_one()


def _keep(parts: Parts, connection: Connection, number: int, evidence: Evidence) -> None:
    """Once: of an application that was open already nothing changes."""
    name, seal = "determination_evidence", parts.vault.seal
    picture = base64.b64encode(evidence.picture).decode() if evidence.picture else None
    row = {
        "determination_id": number,
        "words": seal(evidence.words.strip(), bound_to=f"{name}.words:{number}"),
        "picture": seal(picture, bound_to=f"{name}.picture:{number}") if picture else None,
        "at": parts.clocks.wall(),
    }
    connection.execute(insert(DeterminationEvidence).values(row).on_conflict_do_nothing())
