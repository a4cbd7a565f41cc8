"""What became of a message that was sent: asked of its provider again and again for three days, never believed of
anybody who only says so. A message that a carrier could not deliver goes to the other provider, once; then it is the
agent's to tell."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text, update

from core.vault import Sealed, Vault
from notifications.channels import BY_TEXT, Channel, ChannelSilent, Receipt, RefusesUs, Tells
from notifications.models import Notice
from notifications.rules import ASKS
from notifications.send import GIVEN_UP, LEASE, SENT, WAITS, address_of, deliver, key_of

DELIVERED = 3
MOST_PUSHED = 200  # of one push
PUSHED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    # provider → its field for its own number, and what it wants to hear (help.aliyun.com 101867, cloud.tencent.com
    # 382/43547)
    "aliyun": ("biz_id", {"code": 0, "msg": "接收成功"}),
    "tencent": ("sid", {"result": 0, "errmsg": "OK"}),
}


def claim_asks(connection: Connection, *, now: datetime, most: int) -> Sequence[Any]:
    """Take sent messages whose receipt is due, and those that failed and go to the other provider."""
    return connection.execute(_CLAIM, {"now": now, "until": now + LEASE, "most": most}).all()


def has_failed(notice: Any) -> bool:
    """Did the way that has it now not deliver it?"""
    return notice.channel in notice.failures


def ask(notice: Any, channels: Mapping[str, Channel], vault: Vault, *, now: datetime) -> dict[str, object]:
    """Ask about one claimed message: what to write down of it. Silence says nothing, so it is asked again."""
    channel = channels.get(notice.channel)
    later: dict[str, object] = {"asks": notice.asks + 1, "ask_at": None}
    if notice.asks + 1 < len(ASKS):
        later["ask_at"] = now + ASKS[notice.asks + 1]
    if not isinstance(channel, Tells):
        return later  # its provider is not ours any more
    try:
        to = address_of(notice, channel, vault)
        found = channel.receipts(to, since=notice.sent_at - LEASE, reference=notice.provider_reference or "")
    except (ChannelSilent, RefusesUs):
        return later
    except Sealed:
        return later | {"ask_at": None}
    receipt = next((each for each in found if is_of(each, notice) and each.delivered is not None), None)
    if receipt is None:
        return later
    if receipt.delivered:
        return {"rank": DELIVERED, "delivered_at": receipt.at or now, "ask_at": None, "last_error": None}
    return _failed(notice, channels, receipt.why, now)


def is_of(receipt: Receipt, notice: Any) -> bool:
    """Is this receipt this message's? By its provider's number, or where none was heard by ours."""
    if notice.provider_reference:
        return receipt.reference == notice.provider_reference and receipt.key in ("", key_of(notice))
    return receipt.key == key_of(notice)


def _failed(notice: Any, channels: Mapping[str, Channel], why: str, now: datetime) -> dict[str, object]:
    failures = {**notice.failures, notice.channel: why[:80]}
    said: dict[str, object] = {"failures": failures, "last_error": f"{notice.channel}: {why[:80]}"}
    if all(name in failures for name in BY_TEXT if name in channels):
        return said | {"rank": GIVEN_UP, "ask_at": None}
    return said | {"ask_at": now, "attempts": 0, "tried_at": None, "silences": {}}


def hand_over_again(notice: Any, channels: Mapping[str, Channel], vault: Vault, *, now: datetime) -> dict[str, object]:
    """A claimed message that failed, by the other provider: what to write down of it."""
    others = {name: channels[name] for name in BY_TEXT if name in channels and name not in notice.failures}
    result = deliver(notice, others, vault, now=now)
    result.pop("refusals", None)
    if result.get("rank") == SENT:
        return result
    if result.get("rank") == GIVEN_UP or notice.attempts >= len(WAITS):
        return result | {"rank": GIVEN_UP, "ask_at": None}
    return result | {"ask_at": now + WAITS[notice.attempts - 1]}


def write_down(connection: Connection, notice: Any, result: Mapping[str, object]) -> bool:
    """What came of it, if it stands as it was seen; False if somebody was faster."""
    return (
        connection.execute(
            update(Notice)
            .where(
                Notice.household_id == notice.household_id,
                Notice.cause == notice.cause,
                Notice.rank == SENT,
                Notice.channel == notice.channel,
                Notice.provider_reference.is_not_distinct_from(notice.provider_reference),
                Notice.failures == notice.failures,
            )
            .values(**result)
        ).rowcount
        == 1
    )


def hinted(provider: str, body: bytes) -> list[str]:
    """The provider's numbers in a push; none where it is no list of receipts. Nobody signs it, so it proves nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return []
    lines = [line for line in said if isinstance(line, dict)] if isinstance(said, list) else []
    found = (line.get(PUSHED[provider][0]) for line in lines[:MOST_PUSHED])
    return [each[:64] for each in found if isinstance(each, str) and each]


def ask_soon(connection: Connection, references: Sequence[str], *, at: datetime) -> int:
    """Messages that somebody says were delivered or not are asked about soon; how many. One that is asked about
    anyway before then, or whose sending is not written down yet, stays as it is. It counts as no question of our own:
    else whoever pushes before the carrier has answered would use them up."""
    return connection.execute(_SOON, {"references": list(references), "at": at}).rowcount


_CLAIM = text(
    "with due as (select household_id, cause, ask_at from notice where ask_at <= :now order by ask_at, cause"
    "             limit :most for update skip locked),"
    " taken as (update notice n set ask_at = :until, attempts = n.attempts + (n.failures ? n.channel)::int,"
    "              tried_at = case when n.failures ? n.channel then coalesce(n.tried_at, :now) else n.tried_at end"
    "            from due where n.household_id = due.household_id and n.cause = due.cause returning n.*)"
    " select taken.* from taken join due using (household_id, cause) order by due.ask_at, cause"
)
_SOON = text(
    "update notice set ask_at = :at, asks = asks - 1 where provider_reference = any (:references) and rank = 2"
    "   and ask_at > :at and not failures ? channel"
)
