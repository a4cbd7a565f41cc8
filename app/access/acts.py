"""Who did what at the door, as rows that are only added to. Nothing here commits: what is done and its row are one
transaction. What the office commands do with accounts, the database notes itself (app/access/access.sql)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, Row, insert, or_, select

from app.access.models import Act, Agent
from core.vault import Vault


class What(StrEnum):
    """What was done; the words for a person stand in `app/web/words.py`."""

    IN = "in"
    REFUSED = "refused"  # unknown login, wrong password or code of a text message
    SECOND_REFUSED = "second_refused"
    OUT = "out"
    UNSURE = "unsure"  # the phone of an account long unused was proved
    SEARCH = "search"
    ACCOUNT = "account"
    DISABLED = "disabled"
    ENABLED = "enabled"
    REMOVED = "removed"
    ROLE = "role"
    VILLAGE = "village"
    PASSWORD = "password"  # noqa: S105 the name of an act
    SECOND = "second"
    PAUSED = "paused"  # a channel; the database notes it (access.sql), as it does an account
    OPENED = "opened"
    YEAR_OPENED = "year_opened"  # a levy year; the database notes it (app/registry/year.sql)
    YEAR_CLOSED = "year_closed"
    GLASS_ASKED = "glass_asked"  # break-glass; the database notes its steps (glass.sql)
    GLASS_OPENED = "glass_opened"
    GLASS_ENDED = "glass_ended"


def note(
    connection: Connection, what: What, *, by: str, at: datetime, about: str = "", words: str = "", network: str = ""
) -> None:
    """One act. `by` and `about`: staff:<login>, agent:<login>, account:<id>, or a keyed digest; never a name or a
    number in clear. `network`: the caller's address, of which its neighbourhood is kept. System clock."""
    row = {"what": what, "by": by, "about": about, "words": words, "network": neighbourhood(network), "at": at}
    connection.execute(insert(Act).values(way="web", **row))


def listed(connection: Connection, *, before: int | None, most: int, who: str = "", what: str = "") -> Sequence[Row]:
    """The latest first, from before an id on; `who` did it or had it done to him."""
    found = select(Act.__table__).order_by(Act.id.desc()).limit(most)
    if before:
        found = found.where(Act.id < before)
    if who:
        found = found.where(or_(Act.by == who, Act.about == who))
    return connection.execute(found.where(Act.what == what) if what else found).all()


def doer(connection: Connection, actor: str) -> str:
    """Who began a payment (account:<id>, agent:<id>), as this trail writes him: an agent by his login."""
    kind, _, key = actor.partition(":")
    if kind != "agent":
        return actor
    login = connection.execute(select(Agent.login).where(Agent.id == int(key))).scalar_one_or_none()
    return f"agent:{login or key}"


def note_search(
    connection: Connection, vault: Vault, words: str, *, by: str, place: str, at: datetime, network: str
) -> None:
    """Somebody of an office or an agent searches in a place (the code of one, or nothing)."""
    where = place if place.isascii() and place.isdigit() else ""
    note(connection, What.SEARCH, by=by, about=sought(vault, words), words=where, at=at, network=network)


def sought(vault: Vault, words: str) -> str:
    """What stands in the trail for what somebody searched: the same words are the same digest, and nothing else."""
    return "sought:" + vault.index(words, purpose="sought").hex()[:16]


def neighbourhood(address: str) -> str:
    """The /24 or /48 that an address lies in: enough to tell an office from elsewhere. Empty if it is none."""
    try:
        prefix = 24 if ip_address(address).version == 4 else 48
        return str(ip_network(f"{address}/{prefix}", strict=False))
    except ValueError:
        return ""
