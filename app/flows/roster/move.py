"""A roster goes from hand to hand: signed by one office after the other, sent back, issued to the town, given to an
agent. Each step is of the versions that he saw, and of all of them or none."""

import json
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import text

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.registry.rosters import Stage
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import scrub
from payments.refusals import as_errors

SHORTEST, LONGEST = 2, 300
MOST = 1_000


class NoSuchRoster(NotFound):
    """None of that number, or none of his."""

    text = "没有这份清册，或者这一步不归您办。"


class RosterMoved(Conflict):
    """Somebody was faster, or another version is in hand."""

    text = "清册已经不是刚才那样了（有人办过，或者重新出过），请看一遍再办。"


class OwnHand(Refused):
    """Who drew it, or signed before."""

    text = "出清册的人、已经审过的人不能再审，请换一个人。"


class BadRemark(BadInput):
    """Without a word why."""

    text = "请写明为什么，2到300个字，不写证件号和手机号。"


class ObjectionOpen(Conflict):
    """Reported is what nobody objects to any more."""

    text = "还有异议没有答复，或者没有告诉提的人，不能上报。"


class NotPutRight(Conflict):
    """An objection was agreed to, and the version in hand is as it was."""

    text = "有道理的异议，这一版里还没有改。请等登记改好、税务重新出一版再上报；不用出新版的，写明为什么，2到300个字。"


class NoRosterChosen(BadInput):
    """No roster, or too many."""

    text = "请先勾选清册。"


Seen = Mapping[int, int]  # roster → the version that he saw


def sign(parts: Parts, seen: Seen, stage: Stage, *, by: Officer) -> int:
    """审过, 移交镇街; how many. NoRosterChosen, NoSuchRoster, RosterMoved, OwnHand."""
    return _move(parts, seen, stage, {}, by)


def send_back(parts: Parts, seen: Seen, *, why: str, people: Collection[int] = (), by: Officer) -> int:
    """退回, and which rows it is about. BadRemark and as `sign`."""
    more = {**_said(parts, why), "people": sorted(people)}
    with parts.reading() as connection:
        reported = connection.execute(_REPORTED, {"ids": list(seen)}).scalar_one()
    return _move(parts, seen, Stage.AMENDING if reported else Stage.SENT_BACK, more, by)


def hand_over(parts: Parts, seen: Seen, *, agent: int, by: Officer) -> int:
    """转给代办员, an active one of that village; to another one as long as it hangs nowhere. As `sign`."""
    return _move(parts, seen, Stage.WITH_AGENT, {"agent": agent}, by)


def report(parts: Parts, seen: Seen, *, why: str = "", by: Officer) -> int:
    """上报. `why`: an objection was agreed to, and no new version is needed. ObjectionOpen, NotPutRight, BadRemark and
    as `sign`."""
    return _move(parts, seen, Stage.REPORTED, _said(parts, why) if why.strip() else {}, by)


def _said(parts: Parts, why: str) -> dict[str, Any]:
    said = " ".join(why.split())
    if not SHORTEST <= len(said) <= LONGEST or scrub(said) != said:
        raise BadRemark
    with parts.reading() as connection:
        number = connection.execute(_NEXT).scalar_one()
    sealed = parts.vault.seal(said, bound_to=f"roster_step.words:{number}")
    return {"id": number, "words": b64encode(sealed).decode()}


def _move(parts: Parts, seen: Seen, stage: Stage, more: Mapping[str, Any], by: Officer) -> int:
    if not 0 < len(seen) <= MOST:
        raise NoRosterChosen
    asked = {
        "session": by.session,
        "what": str(stage),
        "rosters": list(seen),
        "nos": list(seen.values()),
        "more": json.dumps(dict(more)),
        "at": parts.clocks.wall(),
        "now": parts.clocks.now(),
    }
    refused = {
        "LX140": NoSuchRoster,
        "LX080": NoSuchRoster,
        "LX141": RosterMoved,
        "LX143": RosterMoved,
        "LX145": ObjectionOpen,
        "LX149": NotPutRight,
        "LX142": OwnHand,
        "55P03": RosterMoved,
    }
    with parts.engine.begin() as connection, as_errors(refused):
        return int(connection.execute(_MOVES, asked).scalar_one())


_NEXT = text("select nextval(pg_get_serial_sequence('roster_step', 'id'))")
_REPORTED = text(
    "select coalesce(bool_and(state in ('REPORTED', 'TAX_CONFIRMED')), false) from roster where id = any (:ids)"
)
_MOVES = text("select officer_moves_rosters(:session, :what, :rosters, :nos, cast(:more as jsonb), :at, :now)")
