"""Sent messages are asked about: delivered, or failed and said by the other provider, or the agent's to tell. A push is
a hint that makes us ask at once; only the provider's own answer counts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.tell.remind import left_to_tell
from core.errors import NotFound
from notifications.channels import BY_TEXT
from notifications.receipts import PUSHED, ask, ask_soon, claim_asks, hand_over_again, has_failed, hinted, write_down
from notifications.rules import OF_THE_HOUR, not_before
from notifications.send import GIVEN_UP, OVERTAKEN, renew

SOON = timedelta(seconds=5)  # so often at most, however many say something about one message


class NoSuchProvider(NotFound):
    """Receipts of a provider that is not ours."""

    text = "没有这个短信服务商。"


def ask_back(parts: Parts, *, most: int = 100) -> int:
    """Ask about those that are due; how many there were."""
    with parts.engine.begin() as connection:
        claimed = claim_asks(connection, now=parts.clocks.wall(), most=most)
    one_by_one(
        parts,
        "receipts",
        claimed,
        lambda notice: _follow(parts, notice),
        name=lambda notice: notice.cause,
        at_once=min(parts.senders, len(claimed)),
    )
    return len(claimed)


def take_push(parts: Parts, provider: str, body: bytes) -> Mapping[str, object]:
    """Ask soon about what a push names; the words its sender waits for, whatever it holds. NoSuchProvider."""
    accounts = (getattr(parts.channels.get(name), "account", None) for name in BY_TEXT)
    if provider not in PUSHED or provider not in {account.provider for account in accounts if account}:
        raise NoSuchProvider
    if references := hinted(provider, body):
        with parts.engine.begin() as connection:
            ask_soon(connection, references, at=parts.clocks.wall() + SOON)
    return PUSHED[provider][1]


def _follow(parts: Parts, notice: Any) -> None:
    now = parts.clocks.wall()
    result = _again(parts, notice) if has_failed(notice) else ask(notice, parts.channels, parts.vault, now=now)
    with parts.engine.begin() as connection:
        written = write_down(connection, notice, result)
    if written and result.get("rank") == GIVEN_UP and result["last_error"] != OVERTAKEN:
        parts.alert("notice_given_up", kind=notice.kind, error=result["last_error"])


def _again(parts: Parts, notice: Any) -> dict[str, object]:
    """By the other provider, under the rules of a first telling: not at night, and not what was done meanwhile."""
    wall, now = parts.clocks.wall(), parts.clocks.now()
    until = not_before(notice.kind, now)
    if until is not None:
        return {"ask_at": wall + (until - now), "attempts": notice.attempts - 1}
    if notice.kind in OF_THE_HOUR:
        told = left_to_tell(parts, notice.household_id)
        if told is None or told[0] != notice.kind:
            return {"rank": GIVEN_UP, "last_error": OVERTAKEN, "ask_at": None}
        if told[1] != notice.fields:
            with parts.engine.begin() as connection:
                notice = renew(connection, notice, told[1])
    return hand_over_again(notice, parts.channels, parts.vault, now=wall)
