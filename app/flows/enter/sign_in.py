"""A phone and the code sent to it → a resident's account. Everything here is about the system clock.

The code is known by its digest only, to the session that asked for it, for one phone, for five minutes and five tries
(A54). Whoever asks learns nothing about who has an account: the answer is the same for every phone."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.access import accounts, acts, devices, sessions
from app.access.acts import What
from app.access.sessions import Visitor
from app.access.tally import MINUTE, TEXTS, TEXTS_FROM, TEXTS_IN_ALL, count, count_at, seconds_left
from app.flows.enter.session import Entry, admit_resident, openid_of
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from app.registry.identity import WIDE
from core.errors import BadInput, Conflict, TryLater
from core.redact import mask_phone
from notifications.channels import BY_TEXT, Channel, ChannelSilent, NotReachable, RefusesUs, Words
from notifications.send import render

LIFE, TRIES = timedelta(minutes=5), 5
UNUSED = timedelta(days=90)  # after it a number may be somebody else's: who it is is asked again (M5)
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_CODE = re.compile(r"[0-9]{6}")


class BadPhone(BadInput):
    """Not a mobile number."""

    status = 422
    text = "手机号要11位，1开头，请再看一遍。"


class WrongCode(BadInput):
    """Another code than the one that was sent, or one that is over, used, or never was: the same words."""

    status = 422
    text = "验证码不对，或者过了5分钟。请看短信再填，还不对就重新要一个。"


class CodeEnded(WrongCode):
    """The code that was sent to this session is over; whatever was typed, it may have come late."""

    text = "这个验证码已经过了5分钟，不能用了。短信有时来得晚：请再要一个，填最新收到的那个。"


class NoTexts(Conflict):
    """No provider of text messages is configured."""

    text = "这里没有开通手机号登录，请找村里代办员或去办税大厅。"


class TextNotSent(TryLater):
    """The provider of text messages is silent."""

    text = "短信暂时发不出去，请过一会儿再试。"


def ask_code(parts: Parts, visitor: Visitor, *, phone: str, network: str, device: str = "") -> None:
    """Send a code to a phone for this session; a former one is over.

    BadPhone, TooOften (1 a minute, 5 an hour, 10 a day for a phone, who asks, and a few more whoever asks), NoTexts,
    TextNotSent."""
    number = _clean(phone)
    texts(parts)
    code = f"{secrets.randbelow(1_000_000):06d}"
    now = parts.clocks.wall()
    known = devices.known(parts.vault, device, f"phone:{number}")
    with parts.engine.connect() as connection:
        if not known:
            with kept_though_refused(connection):
                count_at(connection, parts.vault, "text-from", network=network, now=now)
        _count_text(parts, connection, number, visitor, network=network, known=known)
        accounts.write_code(
            connection,
            token_hash=visitor.token_hash,
            phone=parts.vault.seal(number, bound_to=_bound(visitor)),
            digest=_digest(parts, visitor, number, code),
            expires_at=now + LIFE,
        )
        connection.commit()
    fields = {"code": code}
    words = Words("login_code", render("login_code", fields), fields, f"login:{secrets.token_urlsafe(12)}")
    text_at_once(parts, number, words)  # the answer is the same for a phone that nobody has


def _count_text(
    parts: Parts, connection: Connection, number: str, visitor: Visitor, *, network: str, known: str
) -> None:
    """Only what is sent counts: who taps ten times in a minute is sent one, and the next after it. What a stranger asks
    for bars no other session; what many strangers do bars no browser that the phone was proved on. TextsTooOften."""
    now = parts.clocks.wall()
    count(connection, parts.vault, (f"text:{number}:{known or visitor.key}",), TEXTS, now)
    if not known:
        count_at(connection, parts.vault, f"text:{number}", network=network, now=now, limits=TEXTS_FROM)
        count(connection, parts.vault, (f"text:{number}",), TEXTS_IN_ALL, now)


@dataclass(frozen=True)
class Sent:
    """The code a session waits for: to which phone (masked), and after how many seconds another may be asked for."""

    phone: str
    again_s: int


def sent(parts: Parts, visitor: Visitor) -> Sent | None:
    """What was sent for this session and can still be typed; None if there is nothing."""
    now = parts.clocks.wall()
    with parts.reading() as connection:
        held = accounts.code_of(connection, visitor.token_hash, now=now)
    if held is None:
        return None
    minute = seconds_left(MINUTE, held.expires_at - LIFE)  # of the minute in which it was asked for
    waits = minute - int((now - (held.expires_at - LIFE)).total_seconds())
    return Sent(mask_phone(parts.vault.open(held.phone, bound_to=_bound(visitor))), max(0, waits))


def awaits(parts: Parts, visitor: Visitor, phone: str) -> bool:
    """Is a code for this very phone on its way to this session already?"""
    with parts.reading() as connection:
        held = accounts.code_of(connection, visitor.token_hash, now=parts.clocks.wall())
    return held is not None and parts.vault.open(held.phone, bound_to=_bound(visitor)) == _clean(phone)


def prove_code(parts: Parts, visitor: Visitor, *, code: str, network: str = "", device: str = "") -> Entry:
    """The right code: a new session with the account of the phone; the session before is over (A56). WrongCode."""
    now = parts.clocks.wall()
    with parts.engine.begin() as connection:  # a wrong try counts whatever follows
        tried = accounts.try_code(connection, visitor.token_hash, most=TRIES, now=now)
    typed = "".join(code.translate(WIDE).split())
    if tried is None and _is_over(parts, visitor, now):
        raise CodeEnded
    if tried is None or not _CODE.fullmatch(typed):
        raise WrongCode
    phone = parts.vault.open(tried.phone, bound_to=_bound(visitor))
    if not secrets.compare_digest(_digest(parts, visitor, phone, typed), bytes(tried.digest)):
        with parts.engine.begin() as connection:
            acts.note(connection, What.REFUSED, by="", about=acts.sought(parts.vault, phone), at=now, network=network)
        raise WrongCode
    openid = openid_of(parts, visitor)
    with parts.engine.begin() as connection:
        if not accounts.use_code(connection, visitor.token_hash, tried.digest):
            raise WrongCode
        account, used_at = accounts.of_phone(connection, parts.vault, phone, now=now)
        sessions.end(connection, visitor.token_hash)
        if now - used_at > UNUSED:  # nothing of it is shown and no WeChat user joins it before he has said who he is
            acts.note(connection, What.UNSURE, by="", about=f"account:{account}", at=now, network=network)
            return admit_resident(parts, connection, account=None, unsure=account, openid=openid)
        accounts.use(connection, account, now=now)
        if openid:
            accounts.join_openid(connection, parts.vault, account, openid)
        acts.note(connection, What.IN, by=f"account:{account}", at=now, network=network)
        entry = admit_resident(parts, connection, account=account, openid=openid)
    return replace(entry, device=devices.remembered(parts.vault, device, f"phone:{phone}"))


def _is_over(parts: Parts, visitor: Visitor, now: datetime) -> bool:
    """Is the last code of this session one that ended by its time?"""
    with parts.reading() as connection:
        ends_at = accounts.end_of_code(connection, visitor.token_hash)
    return ends_at is not None and ends_at <= now


def text_at_once(parts: Parts, phone: str, words: Words) -> bool:
    """Said now, by the first provider that takes it: who waits for a code waits for nobody's silence. False for a
    phone that none of them takes. NoTexts, TextNotSent."""
    trouble: Exception | None = None
    for channel in texts(parts):
        try:
            channel.deliver(phone, words)
        except NotReachable:
            continue
        except (ChannelSilent, RefusesUs) as silent:
            trouble = silent
        else:
            return True
    if trouble is not None:
        raise TextNotSent(str(trouble)) from trouble
    return False


def texts(parts: Parts) -> Sequence[Channel]:
    """The providers of text messages in their order; where there is none, whatever else rings a phone. NoTexts."""
    found = [parts.channels[name] for name in BY_TEXT if name in parts.channels]
    found = found or [each for each in parts.channels.values() if each.address == "phone"]
    if not found:
        raise NoTexts
    return found


def _clean(phone: str) -> str:
    number = re.sub(r"[\s-]", "", phone.translate(WIDE)).removeprefix("+86")
    if not _PHONE.fullmatch(number):
        raise BadPhone(fields={"phone": BadPhone.text})
    return number


def _digest(parts: Parts, visitor: Visitor, phone: str, code: str) -> bytes:
    return parts.vault.index(f"{visitor.key}:{phone}:{code}", purpose="login_code")


def _bound(visitor: Visitor) -> str:
    return f"login_code.phone:{visitor.key}"
