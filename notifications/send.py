"""Claim a notice, fill its template, hand it to the first channel that reaches the person, record the answer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Update, bindparam, case, func, select, text, update

from core.vault import Sealed, Vault
from notifications.approved import template
from notifications.channels import Channel, ChannelSilent, NotReachable, Receipt, RefusesUs, Tells, Words
from notifications.models import Notice
from notifications.rules import ASKS, BUDGETED, PATIENCE, WEEK, is_waited_for

TRIED, SENT, GIVEN_UP = 1, 2, 4
UNREACHED = "no channel reaches this person"
BUDGET_SPENT = "enough was sent this week"
OVERTAKEN = "done before it was told"
ERASED = "the person was erased"  # as erase_person writes it
NOBODY_WAITS = (BUDGET_SPENT, OVERTAKEN, ERASED)  # given up, and nobody is to be told by another way
LEASE, A_MINUTE = timedelta(seconds=60), timedelta(minutes=1)
WAITS = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 1800, 7200, 7200, 21600, 21600))
AT_ONCE = frozenset({"login_code", "moved", "phone_changed"})  # said at once to a phone, they leave no notice


def claim(connection: Connection, keys: Sequence[tuple[int, str]], *, now: datetime) -> Sequence[Any]:
    """Take those of these notices that nobody has tried or that are due again, for the time of a lease."""
    return connection.execute(
        _CLAIM_NAMED,
        {"households": [key[0] for key in keys], "causes": [key[1] for key in keys], "now": now, "until": now + LEASE},
    ).all()


def claim_due(connection: Connection, *, now: datetime, most: int) -> Sequence[Any]:
    """Take notices whose time has come, whatever became of their job."""
    return connection.execute(_CLAIM_DUE, {"now": now, "until": now + LEASE, "most": most}).all()


def deliver(
    notice: Any, channels: Mapping[str, Channel], vault: Vault, *, now: datetime, but: Collection[str] = ()
) -> dict[str, object]:
    """Hand one claimed notice over, by any way `but` these: what to record of it, and in `refusals` who will never
    take it. A way that was silent is asked again, three times; then the next one is taken. What may be out already is
    asked for before it is said again.

    No database here: the outside may take its time."""
    try:
        return _hand_over(notice, [way for way in channels.values() if way.name not in but], vault, now)
    except (FileNotFoundError, KeyError, ValueError, Sealed) as odd:
        # It will be as odd the next time, and meanwhile it would hold up all that were claimed with it.
        return {"rank": GIVEN_UP, "last_error": f"nobody can read it: {type(odd).__name__}"}


def _hand_over(notice: Any, channels: Sequence[Channel], vault: Vault, now: datetime) -> dict[str, object]:
    words = Words(notice.kind, render(notice.kind, notice.fields), notice.fields, key_of(notice))
    error, refusals, ours = UNREACHED, {}, False
    ways = [way for way in channels if not way.address or getattr(notice, way.address) is not None]
    for place, channel in enumerate(ways):
        patient = place + 1 == len(ways) or is_waited_for(notice.silences, channel.name)
        to = address_of(notice, channel, vault)
        try:
            known = _known(channel, to, notice, now)
            if known is None and not patient:
                continue
            reference = known.reference if known else channel.deliver(to, words)
        except NotReachable as refused:
            refusals[channel.name] = str(refused)
            error = f"{channel.name}: {refused}"
        except RefusesUs as refused:
            error, ours = f"{channel.name}: {refused}", True
        except ChannelSilent as silent:
            if patient:
                silences = {**notice.silences, channel.name: notice.silences.get(channel.name, 0) + 1}
                return {"last_error": f"{channel.name}: {silent}", "silences": silences, "refusals": refusals}
        else:
            # What was out already went out with an earlier try, whenever that is found.
            at = notice.tried_at if known else now
            return _sent(notice, channel, reference, now) | {"sent_at": at, "refusals": refusals}
    # What refuses us is put right by us, and then it goes out; the person has refused nothing.
    return ({} if ours else {"rank": GIVEN_UP}) | {"last_error": error, "refusals": refusals}


def _sent(notice: Any, channel: Channel, reference: str, now: datetime) -> dict[str, object]:
    return {
        "rank": SENT,
        "channel": channel.name,
        "provider_reference": reference,
        "last_error": None,
        "version": version_of(notice.kind),
        "ask_at": now + ASKS[0] if isinstance(channel, Tells) else None,
        "asks": 0,
    }


def _known(channel: Channel, to: str, notice: Any, now: datetime) -> Receipt | None:
    """What this way did with it in a try of which nothing is written down; None where it did nothing. ChannelSilent
    while that cannot be told: these providers drop no repetition."""
    if notice.attempts <= 1 or not isinstance(channel, Tells):
        return None
    found = channel.receipts(to, since=notice.tried_at - A_MINUTE)
    if mine := next((each for each in found if each.key == key_of(notice)), None):
        return mine
    if any(not each.key for each in found):
        raise ChannelSilent("it may be out")
    if now - notice.tried_at < channel.knows_after:
        raise ChannelSilent("not known yet")
    return None


def key_of(notice: Any) -> str:
    """The same for the same notice, everywhere outside."""
    return f"{notice.household_id}:{notice.cause}"


def address_of(notice: Any, channel: Channel, vault: Vault) -> str:
    """Where a notice goes by this way; empty where it needs no address. Sealed."""
    sealed = getattr(notice, channel.address) if channel.address else b""
    subject = notice.cause.rsplit(":", 1)[0]
    return vault.open(sealed, bound_to=f"notice.{channel.address}:{subject}") if sealed else ""


def put_off(connection: Connection, notice: Any, until: datetime) -> None:
    """A claimed notice waits for a better hour; the claim does not count as a try."""
    connection.execute(
        update(Notice)
        .where(Notice.household_id == notice.household_id, Notice.cause == notice.cause, Notice.rank < SENT)
        .values(
            next_try_at=until,
            attempts=Notice.attempts - 1,
            tried_at=case((Notice.attempts > 1, Notice.tried_at), else_=None),
        )
    )


def renew(connection: Connection, notice: Any, fields: Mapping[str, str]) -> Any:
    """The claimed notice with other words; also one that was sent and did not arrive."""
    connection.execute(
        update(Notice)
        .where(Notice.household_id == notice.household_id, Notice.cause == notice.cause, Notice.rank <= SENT)
        .values(fields=dict(fields))
    )
    return notice_of(connection, notice.household_id, notice.cause)


def sent_this_week(connection: Connection, household_id: int, *, now: datetime) -> int:
    """How many messages that we began reached a household in the last seven days (system clock)."""
    return connection.execute(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.household_id == household_id,
            Notice.kind.in_(BUDGETED),
            Notice.rank.in_((SENT, SENT + 1)),
            Notice.sent_at > now - WEEK,
        )
    ).scalar_one()


def record(connection: Connection, notice: Any, result: dict[str, object], *, now: datetime) -> object:
    """Write down what came of a claimed notice; silence is tried again after a growing wait, at most eight times. Its
    rank now, or None where it waits."""
    values = {name: value for name, value in result.items() if name != "refusals"}
    if "rank" not in values and notice.attempts < len(WAITS):
        values["next_try_at"] = now + WAITS[notice.attempts - 1]
    elif "rank" not in values:
        values["rank"] = GIVEN_UP
    of = {"household": notice.household_id, "of_cause": notice.cause}
    connection.execute(_recording(tuple(values)), of | {f"new_{name}": value for name, value in values.items()})
    return values.get("rank")


@cache
def _recording(names: tuple[str, ...]) -> Update:
    """Made once for each set of columns: making it costs more than the database takes."""
    of_it = (Notice.household_id == bindparam("household"), Notice.cause == bindparam("of_cause"), Notice.rank < SENT)
    return update(Notice.__table__).where(*of_it).values({name: bindparam(f"new_{name}") for name in names})


def spent(notice: Any, result: Mapping[str, Any]) -> list[str]:
    """The ways whose silence lasted too long with this try: somebody should know before everybody waits."""
    now = result.get("silences", {})
    return [name for name, times in now.items() if times == PATIENCE and notice.silences.get(name) != times]


def render(kind: str, fields: Mapping[str, str]) -> str:
    """The Chinese sentence of a notice. Values are put in once and never read as a template (A75)."""
    return template(kind).substitute(fields)


def version_of(kind: str) -> str:
    """Which text a notice was sent with: the first letters of its digest."""
    return sha256(template(kind).template.encode()).hexdigest()[:8]


def notice_of(connection: Connection, household_id: int, cause: str) -> Any | None:
    """One notice by its cause, or None."""
    return connection.execute(
        select(Notice.__table__).where(Notice.household_id == household_id, Notice.cause == cause)
    ).one_or_none()


_TAKE = (
    "with due as ({due}),"
    " taken as (update notice n set attempts = attempts + 1, rank = greatest(rank, 1), next_try_at = :until,"
    "            tried_at = coalesce(tried_at, :now) from due"
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
