"""A name and an identity number, or a birth certificate's → who it is; guessing is slow, and tells nothing."""

import secrets
from datetime import date

from sqlalchemy import Connection

from app.access.tally import LOOK_UPS, TARGETS, TooOften, count, count_at, forgive
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from app.registry import find
from app.registry.errors import BadIdNumber, BadName, NoSuchPerson
from app.registry.identity import clean_id_number, clean_name, name_problem, number_problem

_ID_WORDS = {
    "ID_LENGTH": "身份证号要18位，请数一数再填。还没有身份证号的宝宝，填出生医学证明编号：1个字母加9个数字。",
    "ID_SHAPE": "身份证号只能是数字，最后一位可以是X。",
    "ID_BIRTH_DATE": "身份证号里的出生日期不对，请看第7到第14位。",
    "ID_CHECKSUM": "身份证号有一位不对，请对照身份证再看一遍。",
}


def look_up(parts: Parts, *, name: str, id_number: str, caller: str, network: str = "", phone: str = "") -> int:
    """The person of this name and identity number: a person id.

    NoSuchPerson for a wrong name and for an unknown number alike, after the same work (A41, A42); BadIdNumber and
    BadName with the field; TooOften past so many that failed, of the caller, or of the number from his network. That
    others failed bars not himself: whose proved `phone` is the one the registry has for him."""
    number, wanted = _typed(name, id_number, today=parts.clocks.today())
    now, over = parts.clocks.wall(), None
    with parts.engine.connect() as connection:
        with kept_though_refused(connection):
            counted = count(connection, parts.vault, (f"caller:{caller}",), LOOK_UPS, now)
            counted += count_at(connection, parts.vault, "look-up", network=network, now=now)
        try:
            counted += count_at(connection, parts.vault, f"target:{number}", network=network, now=now, limits=TARGETS)
        except TooOften as error:
            over = error
        connection.commit()
        try:
            found = _identified(parts, connection, wanted, number)
        except NoSuchPerson:
            raise over or NoSuchPerson from None
        if over is not None and (not phone or find.phone_of(connection, parts.vault, found) != phone):
            raise over
        forgive(connection, counted)
        connection.commit()
        return found


def mistyped(name: str, id_number: str, *, today: date) -> dict[str, str]:
    """What cannot be anybody's name or number, in words for its field; nothing is looked up."""
    wrong = {}
    if problem := number_problem(clean_id_number(id_number), today=today):
        wrong["id_number"] = _ID_WORDS[problem]
    if name_problem(clean_name(name)):
        wrong["name"] = BadName.text
    return wrong


def identify(parts: Parts, *, name: str, id_number: str, today: date | None = None) -> int:
    """The same for the operator's commands, uncounted: who may run them may read the registry anyway. Nobody is born
    after `today`, the business clock's day by default."""
    number, wanted = _typed(name, id_number, today=today or parts.clocks.today())
    with parts.reading() as connection:
        return _identified(parts, connection, wanted, number)


def _typed(name: str, id_number: str, *, today: date) -> tuple[str, str]:
    """(identity number, name), cleaned. BadIdNumber, BadName."""
    number, wanted = clean_id_number(id_number), clean_name(name)
    wrong = mistyped(name, id_number, today=today)
    if problem := number_problem(number, today=today):
        raise BadIdNumber(problem, fields=wrong)
    if wrong:
        raise BadName(fields=wrong)
    return number, wanted


def _identified(parts: Parts, connection: Connection, wanted: str, number: str) -> int:
    found = find.by_id_number(connection, parts.vault, number)
    if found is None:
        # The same decryption and comparison as for a person who exists, so that time tells nothing.
        found = (0, parts.vault.open(parts.vault.seal(wanted, bound_to="nobody"), bound_to="nobody") + "\0")
    if not secrets.compare_digest(found[1].encode(), wanted.encode()):
        raise NoSuchPerson
    return found[0]
