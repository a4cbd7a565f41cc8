"""A channel takes no new payment for a while, for a reason and with words that residents read; and takes them again.
Written by a page or a command, read in the transaction that starts a payment: in force in every process at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from app.flows.parts import Parts
from core.errors import BadInput
from core.redact import scrub
from payments.errors import ChannelOpen, UnknownGateway
from payments.gateways.known import GATEWAYS
from payments.taking import pause as pauses

FORGOTTEN = timedelta(days=1)
MOST_WORDS, MOST_SHOWN = 60, 50


class BadPause(BadInput):
    """A pause without a reason or words, or with words that cannot stand beside a button."""

    text = "原因和给居民看的话都要写，每样最多60个字，不写证件号、手机号和网址。"


@dataclass(frozen=True)
class Stand:
    """A channel of this district: `words` for the residents and the rest only while it is paused. System clock."""

    name: str
    title: str
    words: str = ""
    why: str = ""
    by: str = ""
    since: datetime | None = None
    forgotten: bool = False


@dataclass(frozen=True)
class Past:
    """A pause that ended, or lasts (`until` None)."""

    title: str
    why: str
    by: str
    since: datetime
    opened_by: str | None
    until: datetime | None


def paused_words(parts: Parts) -> Mapping[str, str]:
    """What stands in place of each paused channel's button."""
    with parts.reading() as connection:
        return pauses.paused(connection)


def pause(parts: Parts, gateway: str, *, why: str, words: str, by: str) -> None:
    """New payments by this channel are refused with these words. BadPause, UnknownGateway."""
    _known(parts, gateway)
    written = {"why": _plain(why), "words": _plain(words)}
    try:
        with parts.engine.begin() as connection:
            pauses.pause(connection, gateway, **written, by=by, at=parts.clocks.wall())
    except IntegrityError:  # somebody paused it in this very moment: his row is there now, and ours follows it
        with parts.engine.begin() as connection:
            pauses.pause(connection, gateway, **written, by=by, at=parts.clocks.wall())


def open_again(parts: Parts, gateway: str, *, by: str) -> None:
    """New payments by this channel are taken. ChannelOpen, UnknownGateway."""
    _known(parts, gateway)
    with parts.engine.begin() as connection:
        if not pauses.open_again(connection, gateway, by=by, at=parts.clocks.wall()):
            raise ChannelOpen(gateway)


def channels(parts: Parts) -> tuple[Sequence[Stand], Sequence[Past]]:
    """Every channel as it stands, and the pauses of before, the latest first."""
    with parts.reading() as connection:
        held = {row.gateway: row for row in pauses.in_force(connection)}
        rows = pauses.pauses(connection, most=MOST_SHOWN)
    late = parts.clocks.wall() - FORGOTTEN
    stands = [
        Stand(name, GATEWAYS[name].facts.title)
        if (row := held.get(name)) is None
        else Stand(name, _title(name), row.words, row.why, row.paused_by, row.paused_at, row.paused_at < late)
        for name in GATEWAYS
        if name in parts.gateways
    ]
    past = [
        Past(_title(row.gateway), row.why, row.paused_by, row.paused_at, row.opened_by, row.opened_at) for row in rows
    ]
    return stands, past


def watch_pauses(parts: Parts) -> int:
    """A pause that lasts a day may be forgotten: somebody is woken; how many those are."""
    with parts.reading() as connection:
        rows = pauses.in_force(connection)
    forgotten = [row for row in rows if parts.clocks.wall() - row.paused_at >= FORGOTTEN]
    for row in forgotten:
        parts.alert("channel_still_paused", gateway=row.gateway, by=row.paused_by, since=row.paused_at.isoformat())
    return len(forgotten)


def _known(parts: Parts, gateway: str) -> None:
    if gateway not in parts.gateways:
        raise UnknownGateway(gateway)


def _title(gateway: str) -> str:
    return GATEWAYS[gateway].facts.title


def _plain(given: str) -> str:
    words = " ".join(given.split())
    if not 0 < len(words) <= MOST_WORDS or scrub(words) != words or "://" in words or "www." in words.lower():
        raise BadPause
    return words
