"""Somebody comes to the door → a session; a login → an agent or somebody of an office.

Everything here is about the system clock. Tokens leave as values once and are kept as hashes."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import InternalError

from app.access import accounts, acts, devices, sessions
from app.access.acts import What
from app.access.models import Agent, Staff
from app.access.passwords import LONGEST, is_right
from app.access.sessions import OwnRow, Visitor
from app.access.tally import LOGINS, Counted, count, count_at, forgive
from app.flows.enter.second import Whose, prove_second
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from app.registry import find
from app.registry.subject import Subject
from app.registry.years import Years
from core.errors import Conflict, Refused


@dataclass(frozen=True)
class Entry:
    """A new session: the token for the one who came, when it ends unused (aware, system clock), and how his browser is
    known from now on."""

    token: str
    expires_at: datetime
    device: str = ""


class NoLogin(Conflict):
    """A mini-program login where no mini-program is configured."""

    text = "这里没有开通微信小程序登录。"


class WrongLogin(Refused):
    """Unknown login, wrong password, wrong or used code, disabled: the same words after the same time (A61)."""

    status = 401
    text = "账号、密码或动态码不对。动态码每30秒换一个，用过的请等下一个。忘了密码、换了手机，请联系给您开账号的人。"


def open_session(parts: Parts, *, network: str, code: str | None = None) -> Entry:
    """A session for a resident; `code` is the mini-program's login code, whose openid is sealed into it: a WeChat user
    who joined an account is in it.

    NoLogin, the login's own errors, TooOften for a flood from one address of people nobody knows."""
    counted = _count(parts, network)
    if code is not None and parts.login is None:
        raise NoLogin
    openid = parts.login(code) if code is not None and parts.login is not None else None  # nothing is locked meanwhile
    with parts.engine.begin() as connection:
        account = accounts.of_openid(connection, parts.vault, openid) if openid else None
        if account is not None:
            forgive(connection, counted)
            accounts.use(connection, account, now=parts.clocks.wall())
            acts.note(connection, What.IN, by=f"account:{account}", at=parts.clocks.wall(), network=network)
        return admit_resident(parts, connection, account=account, openid=openid)


def admit_resident(
    parts: Parts, connection: Connection, *, account: int | None, openid: str | None, unsure: int | None = None
) -> Entry:
    """A new session of an account, if there is one, with everybody it pays for; or of somebody who has yet to say that
    the account of his phone is his (`unsure`). Does not commit."""
    token = sessions.new_token()
    return Entry(
        token,
        sessions.write(
            connection,
            token,
            now=parts.clocks.wall(),
            openid=parts.vault.seal(openid, bound_to=_openid_of(sessions.hash_of(token).hex())) if openid else None,
            account_id=account,
            unsure_id=unsure,
            people=list(accounts.people_of(connection, account)) if account is not None else [],
        ),
    )


def visitor_of(parts: Parts, token: str) -> Visitor | None:
    """Whose token this is, at this moment; one query, and once a minute a note that the session is still in use."""
    now = parts.clocks.wall()
    parts.levy.keep_up()
    visitor = sessions.find(parts.engine, token, now=now)
    _live_on(parts, visitor, now)
    return visitor


def visitor_with_people(parts: Parts, token: str, *, years: Years) -> tuple[Visitor | None, list[Subject]]:
    """A resident's session with everybody it knows, in one query; (None, []) if it is none, or knows nobody yet."""
    now = parts.clocks.wall()
    token_hash = sessions.hash_of(token)
    seen, people = find.by_session(parts.engine, parts.vault, token_hash, now=now, years=years)
    visitor = sessions.resident(token_hash, OwnRow._make(seen)) if seen is not None else None
    _live_on(parts, visitor, now)
    return visitor, people


def _live_on(parts: Parts, visitor: Visitor | None, now: datetime) -> None:
    if visitor is not None and visitor.stales(now):
        try:
            sessions.extend(parts.engine, visitor, now=now)
        except InternalError as error:
            if not isinstance(error.orig, ReadOnlySqlTransaction):  # then looking up goes on without it
                raise


def openid_of(parts: Parts, visitor: Visitor) -> str | None:
    """The WeChat user of a session that came with a login code."""
    return parts.vault.open(visitor.openid, bound_to=_openid_of(visitor.key)) if visitor.openid else None


@dataclass(frozen=True)
class Tried:
    """What somebody typed at a login, where he came from, and the cookie by which his browser may be known."""

    login: str
    password: str
    code: str
    network: str
    device: str = ""


def log_in(parts: Parts, tried: Tried, *, former: Visitor | None) -> Entry:
    """An agent's new session; whatever session the browser had before is over (A56). WrongLogin, TooOften."""
    return _log_in(parts, Agent, tried, former)


def log_in_staff(parts: Parts, tried: Tried, *, former: Visitor | None) -> Entry:
    """The new session of somebody of an office; otherwise as `log_in`."""
    return _log_in(parts, Staff, tried, former)


def _log_in(parts: Parts, whose: Whose, tried: Tried, former: Visitor | None) -> Entry:
    wanted = tried.login.strip().lower()[:64].replace("\0", "")
    counted = _count_login(parts, f"{whose.__tablename__}:{wanted}", tried)
    with parts.reading() as connection:
        found = _account(connection, whose, wanted)
    now = parts.clocks.wall()
    # Who is refused is not known: it is about a login, or about what somebody typed for one, by its digest.
    name = f"{whose.__tablename__}:{wanted}" if found else acts.sought(parts.vault, wanted)
    right = is_right(found.password_hash if found else None, tried.password[:LONGEST]) and found is not None
    with parts.engine.begin() as connection:
        # Asked whatever the password was: the time tells nobody that it was right.
        typed = tried.code[:LONGEST]
        proved = prove_second(connection, parts.vault, whose, login=wanted, typed=typed, now=now, spend=right)
        # The code that was spent holds the account: whoever changes it ends this session too, or came before.
        if found is not None and proved and _account(connection, whose, wanted) == found:
            return _enter(parts, connection, former, _Proven(whose, found.id, name, counted), tried)
        what = What.SECOND_REFUSED if right else What.REFUSED
        acts.note(connection, what, by="", about=name, at=now, network=tried.network)
    raise WrongLogin


@dataclass(frozen=True)
class _Proven:
    """Somebody whose password and code were right; `name` as the trail has it; what was counted against him."""

    whose: Whose
    id: int
    name: str
    counted: Counted


def _account(connection: Connection, whose: Whose, login: str) -> Row | None:
    """What a login is proved against; None if there is none, or it was disabled."""
    own = select(whose.id, whose.password_hash, whose.second).where(whose.login == login, whose.active)
    return connection.execute(own).one_or_none()


def _count_login(parts: Parts, subject: str, tried: Tried) -> Counted:
    """One more that may fail, for this login from this address: guesses from elsewhere bar nobody, nor do those of his
    own neighbours at a browser he came in with before. LoginsTooOften, NetworkTooOften."""
    known, now = devices.known(parts.vault, tried.device, subject), parts.clocks.wall()
    with parts.engine.connect() as connection, kept_though_refused(connection):
        if known:
            return count(connection, parts.vault, (f"login:{subject}:{known}",), LOGINS, now)
        here = tried.network
        counted = count_at(connection, parts.vault, f"login:{subject}", network=here, now=now, limits=LOGINS)
        return counted + count_at(connection, parts.vault, "login-from", network=here, now=now)


def _enter(parts: Parts, connection: Connection, former: Visitor | None, who: _Proven, tried: Tried) -> Entry:
    token, now = sessions.new_token(), parts.clocks.wall()
    if former is not None:
        sessions.end(connection, former.token_hash)
    forgive(connection, who.counted)
    acts.note(connection, What.IN, by=who.name, at=now, network=tried.network)
    where = acts.neighbourhood(tried.network)
    key = {f"{who.whose.__tablename__}_id": who.id}
    ends = sessions.write(connection, token, now=now, network=where, **key)
    return Entry(token, ends, devices.remembered(parts.vault, tried.device, who.name))


def leave(parts: Parts, visitor: Visitor, *, network: str) -> None:
    """Log out, or forget who was looked up."""
    with parts.engine.begin() as connection:
        sessions.end(connection, visitor.token_hash)
        if visitor.by:
            acts.note(connection, What.OUT, by=visitor.by, at=parts.clocks.wall(), network=network)


def leave_elsewhere(parts: Parts, visitor: Visitor) -> int:
    """Every other session of the same account, agent or officer ends at once; how many did (A57). The WeChat user of a
    lost phone would be in again by himself: he is the account's no more."""
    with parts.engine.begin() as connection:
        ended = sessions.end_others_of(connection, visitor)
        if visitor.account_id is not None:
            accounts.part_openid(connection, parts.vault, visitor.account_id, but=openid_of(parts, visitor))
        acts.note(connection, What.OUT, by=visitor.by, at=parts.clocks.wall(), words=f"others {ended}")
        return ended


def _count(parts: Parts, network: str) -> Counted:
    with parts.engine.connect() as connection, kept_though_refused(connection):
        return count_at(connection, parts.vault, "session", network=network, now=parts.clocks.wall())


def _openid_of(session: str) -> str:
    return f"session.openid:{session}"
