"""A phone the register has wrong: put right at a counter, where its holder stands with his card. The clerk names the
paper and signs; whoever holds the former phone is told at once, and the auditor sees who did it."""

import re

from sqlalchemy import text

from app.access.sessions import Officer
from app.flows.family.people import tell_phone
from app.flows.parts import Parts
from app.registry import find
from core.errors import BadInput, NotFound
from core.redact import scrub
from payments.refusals import as_errors

_PHONE = re.compile(r"1[3-9][0-9]{9}")
_SHORTEST, _LONGEST = 4, 200


class BadPhoneCorrection(BadInput):
    """A phone that is none, or the registered one, or a proof that says nothing, or a number."""

    text = "手机号没有改：{how}"


class NobodyServedHere(NotFound):
    """Somebody of another town, or whose counter the session is not any more."""

    text = "没有找到这个人，或者不归这个窗口办。"


def correct_phone(parts: Parts, officer: Officer, person_id: int, *, phone: str, proof: str) -> None:
    """The person's registered phone from now on; a bureau's file that repeats the former one changes nothing.
    BadPhoneCorrection, NobodyServedHere."""
    wanted, paper = "".join(phone.split()), " ".join(proof.split())
    if wrong := _wrong(wanted, paper):
        raise BadPhoneCorrection(how=wrong)
    with parts.engine.begin() as connection, as_errors({"LX080": NobodyServedHere}):
        former = find.phone_of(connection, parts.vault, person_id)
        if former == wanted:
            raise BadPhoneCorrection(how="“新的手机号”和现在登记的一样，不用改。")
        said = {
            "session": officer.session,
            "person": person_id,
            "phone": parts.vault.seal(wanted, bound_to=f"person.phone:{person_id}"),
            "former": parts.vault.index(former, purpose="person.phone") if former else None,
            "proof": paper,
            "at": parts.clocks.wall(),
        }
        connection.execute(text("select correct_phone(:session, :person, :phone, :former, :proof, :at)"), said)
    if former:
        tell_phone(parts, former, "phone_changed")


def _wrong(phone: str, proof: str) -> str | None:
    """What is wrong, by the field's name on the page."""
    if not _PHONE.fullmatch(phone):
        return "“新的手机号”要写11位、1开头的手机号。"
    if not _SHORTEST <= len(proof) <= _LONGEST:
        return f"“看了什么材料”要写{_SHORTEST}到{_LONGEST}个字。"
    return None if scrub(proof) == proof else "“看了什么材料”里写了证件号或手机号，请去掉再交。"
