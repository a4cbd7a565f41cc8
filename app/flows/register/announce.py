"""The notice of a bureau's word, written with it in its transaction; it names no reason why somebody pays less."""

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select, text

from app.access import accounts
from app.flows.parts import Parts
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry import find
from app.registry.determinations import Kind, State
from app.registry.find import Subject
from app.registry.models import Determination
from core.redact import mask_name

_TOLD = {  # what the kind is called where others may read it: not whom the government pays for (decision 16)
    Kind.POLICY_BACKPAY: "补缴",
    Kind.INTERRUPTED_BACKPAY: "补缴",
    Kind.NEWBORN: "新生儿缴费",
    Kind.LATE_WAIVER: "核实",
    Kind.ENROLMENT_HISTORY: "参保年度核对",
}


@dataclass(frozen=True)
class Word:
    """A bureau's yes or no on what somebody applied for. `subject`: D and a determination's number, N and a newborn's;
    `name` in clear: whom it is about."""

    subject: str
    yes: bool
    name: str
    title: str
    reason: str
    requested_by: str


def case_title(levy_year: int, insurance: Insurance, kind: Kind) -> str:
    """2022年医保新生儿缴费. Pure."""
    return f"{levy_year}年{phrases('names')[insurance]}{_TOLD[kind]}"


def tell_decided(parts: Parts, connection: Connection, number: int) -> None:
    """One notice for whom it was about; nobody is told of somebody who is restricted."""
    table = Determination.__table__
    decided = connection.execute(select(table).where(table.c.id == number)).one()
    people = find.by_ids(connection, parts.vault, [decided.person_id], years=parts.levy.ever)
    if not people or people[0].restricted_at:
        return
    title = case_title(decided.levy_year, Insurance(decided.insurance), Kind(decided.kind))
    yes, reason = decided.state == State.APPROVED, decided.reason or ""
    word = Word(f"D{number}", yes, people[0].name, title, reason, decided.requested_by)
    tell(parts, connection, people[0], word)


def tell(parts: Parts, connection: Connection, person: Subject, word: Word) -> None:
    """One notice, to the house of `person` and to his phone."""
    clear = _phone(parts, connection, person, word.requested_by)
    fields = {
        "village": f"{person.town}{person.village}",
        "names": mask_name(word.name),
        "items": word.title,
        "reason": word.reason[:40].rstrip("。"),  # the sentence around it ends by itself
        "help_phone": parts.help_phone,
    }
    connection.execute(
        text("select determination_tell(:household, :subject, :word, cast(:fields as jsonb), :phone, :next_try_at)"),
        {
            "household": person.household_id,
            "subject": word.subject,
            "word": "determined" if word.yes else "not_determined",
            "fields": json.dumps(fields),
            "phone": parts.vault.seal(clear, bound_to=f"notice.phone:determination:{word.subject}") if clear else None,
            "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
        },
    )


def _phone(parts: Parts, connection: Connection, person: Subject, requested_by: str) -> str | None:
    """His own, or that of the account that applied; where an agent or a counter did, the house is told at its door."""
    if person.alive and person.phone_sealed is not None:
        return parts.vault.open(person.phone_sealed, bound_to=f"person.phone:{person.id}")
    kind, _, account = requested_by.partition(":")
    return accounts.reached_at(connection, parts.vault, int(account)) if kind == "account" else None
