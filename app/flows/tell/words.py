"""One notice as the offices read it: what, of whom, to which phone, how far it got, and why it was not sent. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.redact import mask_phone
from core.vault import Vault
from notifications.rules import ASKS
from notifications.send import BUDGET_SPENT, ERASED, OVERTAKEN, SENT, UNREACHED

KINDS: Mapping[str, str] = {
    "paid": "缴费成功",
    "settled": "不用交，已办好",
    "surplus": "多付的会退",
    "refund_asked": "退费申请收到",
    "refund_rejected": "退费没有同意",
    "refunded": "退费已退回",
    "remind": "提醒还没办",
    "waived": "告诉不用交",
    "certified": "缴费证明可以开了",
    "held": "有人登记替他交",
    "determined": "核定通过",
    "not_determined": "没有核定通过",
    "answered": "反映的事有答复",
    "cash": "代办员收了现金",
    "cash_anew": "现金收据换了一张",
    "cash_voided": "现金收据作废了",
}
RANKS: Mapping[int, str] = {0: "等着发", 1: "正在发", 2: "已发出", 3: "已送到", 4: "没有发成"}
CHANNELS: Mapping[str, str] = {"wechat": "微信订阅消息", "sms": "短信", "sms2": "备用短信", "console": "沙盒窗口"}


@dataclass(frozen=True)
class Told:
    """One line of the timeline; `whom`: the masked names it is about; `to`: the masked phone that it is for, empty
    where there is none; `own`: is a bill of whom one looks at among those it is about (None: it is about no bill)."""

    at: datetime
    what: str
    whom: str
    state: str
    way: str
    why: str
    to: str = ""
    own: bool | None = None


def told(notice: Any, vault: Vault | None = None) -> Told:
    """A row of the notices in words; with a vault, to which phone."""
    why = notice.last_error or ""
    return Told(
        at=notice.delivered_at or notice.sent_at or notice.queued_at,
        what=KINDS.get(notice.kind, notice.kind),
        whom=notice.fields.get("names", ""),
        state=_state(notice),
        way=CHANNELS.get(notice.channel or "", notice.channel or ""),
        why=_WHY.get(why) or _of_a_way(why),
        to=_phone(notice, vault) if vault else "",
        own=getattr(notice, "own", None),
    )


def _phone(notice: Any, vault: Vault) -> str:
    subject = notice.cause.rpartition(":")[0]
    return mask_phone(vault.open(notice.phone, bound_to=f"notice.phone:{subject}")) if notice.phone else ""


def _of_a_way(why: str) -> str:
    """`sms: CODE` as an office reads it; the code is what the provider is asked about."""
    channel, _, code = why.partition(": ")
    return f"{CHANNELS[channel]}没有发成：{code}" if channel in CHANNELS else why


def _state(notice: Any) -> str:
    """A notice that nobody could send may have been told by word of mouth; one that waits may wait for the morning."""
    if notice.visited_at is not None:
        return f"代办员上门告诉了（{notice.visited_by.removeprefix('agent:')}）"
    if notice.rank < SENT and notice.attempts == 0 and notice.next_try_at > notice.queued_at + timedelta(minutes=5):
        return "夜里不打扰，早上发"
    if notice.rank == SENT and notice.asks >= len(ASKS):
        return "已发出，运营商三天没有说送到没有"
    return RANKS[notice.rank]


_WHY: Mapping[str, str] = {
    UNREACHED: "没有登记手机号，也没有订阅微信消息，请代办员上门告知",
    OVERTAKEN: "发之前已经办好了，不用再提醒",
    BUDGET_SPENT: "这一周已经提醒过两次，这次不再打扰",
    ERASED: "发之前个人信息已经删除，不再告诉",
}
