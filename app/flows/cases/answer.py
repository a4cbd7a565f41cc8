"""Somebody of the office takes a matter in hand, and answers; who said it is told."""

import json
from datetime import timedelta

from sqlalchemy import Connection, select, text

from app.access import accounts
from app.access.sessions import Officer
from app.flows.cases.say import LONGEST, SHORTEST, NoSuchMatter
from app.flows.parts import Parts
from app.registry import find
from app.registry.conflicts import ABOUT_LIFE
from app.registry.matters import Matter, title_of
from core.errors import BadInput, Conflict
from core.redact import mask_name, scrub
from payments.refusals import as_errors


class BadReply(BadInput):
    """An answer that says nothing, or says too much."""

    text = "答复要写清楚，4到300个字，里面不要写身份证号和手机号。"


class AnsweredAlready(Conflict):
    """Somebody of the office was faster."""

    text = "这一件已经答复过了。"


class DecideFirst(Conflict):
    """Whether he lives is this office's to decide, and it has not: an answer before that would be forgotten."""

    text = "他健在不健在，您这里还没有定。请先去登记冲突里定，再答复：定了的，和答复要一致。"


def take(parts: Parts, number: int, *, by: Officer) -> None:
    """由我办; taking it again changes nothing. NoSuchMatter."""
    with parts.engine.begin() as connection, as_errors({"LX117": NoSuchMatter}):
        asked = {"session": by.session, "id": number, "on": parts.clocks.now(), "at": parts.clocks.wall()}
        connection.execute(text("select take_matter(:session, :id, :on, :at)"), asked)


def answer(parts: Parts, number: int, words: str, *, by: Officer) -> None:
    """For who said it to read. NoSuchMatter, BadReply, DecideFirst, AnsweredAlready."""
    said = " ".join(words.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise BadReply
    if _undecided(parts, number, by):
        raise DecideFirst(str(number))
    asked = {
        "session": by.session,
        "id": number,
        "answer": parts.vault.seal(said, bound_to=f"matter.answer:{number}"),
        "on": parts.clocks.now(),
        "at": parts.clocks.wall(),
    }
    with parts.engine.begin() as connection, as_errors({"LX117": NoSuchMatter}):
        done = connection.execute(text("select answer_matter(:session, :id, :answer, :on, :at)"), asked).scalar_one()
        if not done:
            raise AnsweredAlready(str(number))
        _tell(parts, connection, number, said)


def _undecided(parts: Parts, number: int, by: Officer) -> bool:
    with parts.reading() as connection:
        return bool(connection.execute(_UNDECIDED, {"id": number, "owner": by.role, "life": list(ABOUT_LIFE)}).scalar())


_UNDECIDED = text(
    "select exists (select from matter m join conflict c on c.person_id = m.person_id and c.state = 'open'"
    "  and c.owner = :owner and c.kind = any (:life) where m.id = :id and m.kind = 'STILL_ALIVE' and m.office = :owner)"
)


def _tell(parts: Parts, connection: Connection, number: int, said: str) -> None:
    """Of somebody who is in no list there is no house to write to: the page says it."""
    table = Matter.__table__
    row = connection.execute(select(table).where(table.c.id == number)).one()
    ids = [row.person_id] if row.person_id else []
    people = find.by_ids(connection, parts.vault, ids, years=parts.levy.years)
    if not people or people[0].restricted_at:
        return
    person, subject = people[0], f"M{number}-{row.turn}"
    kind, _, account = row.by.partition(":")
    clear = accounts.reached_at(connection, parts.vault, int(account)) if kind == "account" else None
    fields = {
        "village": f"{person.town}{person.village}",
        "names": mask_name(person.name),
        "items": title_of(row.kind, row.office),
        "reason": said[:40].rstrip("。"),  # the sentence around it ends by itself
        "help_phone": parts.help_phone,
    }
    connection.execute(
        text("select matter_tell(:household, :subject, cast(:fields as jsonb), :phone, :next_try_at)"),
        {
            "household": person.household_id,
            "subject": subject,
            "fields": json.dumps(fields),
            "phone": parts.vault.seal(clear, bound_to=f"notice.phone:matter:{subject}") if clear else None,
            "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
        },
    )
