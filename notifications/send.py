"""Claim a notice, fill its template, hand it to the first channel that reaches the person, record the answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from sqlalchemy import Connection, select, text, update

from core.vault import Sealed, Vault
from notifications.channels import Channel, ChannelSilent, NotReachable, Words
from notifications.models import Notice

TRIED, SENT, GIVEN_UP = 1, 2, 4
LEASE = timedelta(seconds=60)
WAITS = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 1800, 7200, 7200, 21600, 21600))
TEMPLATES = Path(__file__).parent / "templates"
AT_ONCE = frozenset({"login_code", "moved"})  # said at once to a phone, about no payment: they leave no notice


def claim(connection: Connection, keys: Sequence[tuple[int, str]], *, now: datetime) -> Sequence[Any]:
    """Take those of these notices that nobody has tried or that are due again, for the time of a lease."""
    return connection.execute(
        _CLAIM_NAMED,
        {"households": [key[0] for key in keys], "causes": [key[1] for key in keys], "now": now, "until": now + LEASE},
    ).all()


def claim_due(connection: Connection, *, now: datetime, most: int) -> Sequence[Any]:
    """Take notices whose time has come, whatever became of their job."""
    return connection.execute(_CLAIM_DUE, {"now": now, "until": now + LEASE, "most": most}).all()


def deliver(notice: Any, channels: Mapping[str, Channel], vault: Vault) -> dict[str, object]:
    """Hand one claimed notice over; what to record of it. No database here: the outside may take its time."""
    try:
        return _hand_over(notice, channels, vault)
    except (FileNotFoundError, KeyError, ValueError, Sealed) as odd:
        # It will be as odd the next time, and meanwhile it would hold up all that were claimed with it.
        return {"rank": GIVEN_UP, "last_error": f"nobody can read it: {type(odd).__name__}"}


def _hand_over(notice: Any, channels: Mapping[str, Channel], vault: Vault) -> dict[str, object]:
    subject = notice.cause.rsplit(":", 1)[0]
    words = Words(
        notice.kind, render(notice.kind, notice.fields), notice.fields, f"{notice.household_id}:{notice.cause}"
    )
    error = "no channel reaches this person"
    for channel in channels.values():
        sealed = getattr(notice, channel.address) if channel.address else b""
        if sealed is None:
            continue
        to = vault.open(sealed, bound_to=f"notice.{channel.address}:{subject}") if sealed else ""
        try:
            reference = channel.deliver(to, words)
        except NotReachable as refused:
            error = f"{channel.name}: {refused}"
        except ChannelSilent as silent:
            return {"last_error": f"{channel.name}: {silent}"}
        else:
            return {"rank": SENT, "channel": channel.name, "provider_reference": reference, "last_error": None}
    return {"rank": GIVEN_UP, "last_error": error}


def record(connection: Connection, notice: Any, result: dict[str, object], *, now: datetime) -> None:
    """Write down what came of a claimed notice; silence is tried again after a growing wait, at most eight times."""
    values = dict(result)
    if values.get("rank") == SENT:
        values["sent_at"] = now
    elif "rank" not in values and notice.attempts < len(WAITS):
        values["next_try_at"] = now + WAITS[notice.attempts - 1]
    elif "rank" not in values:
        values["rank"] = GIVEN_UP
    connection.execute(
        update(Notice)
        .where(Notice.household_id == notice.household_id, Notice.cause == notice.cause, Notice.rank < SENT)
        .values(**values)
    )


def render(kind: str, fields: Mapping[str, str]) -> str:
    """The Chinese sentence of a notice. Values are put in once and never read as a template (A75)."""
    return _template(kind).substitute(fields)


@cache
def _template(kind: str) -> Template:
    return Template((TEMPLATES / f"{kind}.txt").read_text(encoding="utf-8").strip())


def notice_of(connection: Connection, household_id: int, cause: str) -> Any | None:
    """One notice by its cause, or None."""
    return connection.execute(
        select(Notice.__table__).where(Notice.household_id == household_id, Notice.cause == cause)
    ).one_or_none()


_TAKE = (
    "with due as ({due}),"
    " taken as (update notice n set attempts = attempts + 1, rank = greatest(rank, 1), next_try_at = :until from due"
    "            where n.household_id = due.household_id and n.cause = due.cause returning n.*)"
    " select taken.* from taken join due using (household_id, cause) order by due.next_try_at, cause"
)
_CLAIM_NAMED = text(
    _TAKE.format(
        due="select household_id, cause, next_try_at from notice"
        " join unnest(cast(:households as bigint[]), cast(:causes as text[])) as named (household_id, cause)"
        " using (household_id, cause)"
        " where rank < 2 and (attempts = 0 or next_try_at <= :now) order by cause for update of notice skip locked"
    )
)
_CLAIM_DUE = text(
    _TAKE.format(
        due="select household_id, cause, next_try_at from notice where rank < 2 and next_try_at <= :now"
        " order by next_try_at, cause limit :most for update skip locked"
    )
)
