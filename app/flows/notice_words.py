"""One notice as the offices read it: what, how far it got, and why it was not sent. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KINDS: Mapping[str, str] = {
    "paid": "缴费成功",
    "settled": "不用交，已办好",
    "surplus": "多付的会退",
    "refund_asked": "退费申请收到",
    "refund_rejected": "退费没有同意",
    "refunded": "退费已退回",
}
RANKS: Mapping[int, str] = {0: "等着发", 1: "正在发", 2: "已发出", 3: "已送到", 4: "没有发成"}
CHANNELS: Mapping[str, str] = {"wechat": "微信订阅消息", "sms": "短信", "console": "沙盒窗口"}


@dataclass(frozen=True)
class Told:
    """One line of the timeline."""

    at: datetime
    what: str
    state: str
    way: str
    why: str


def told(notice: Any) -> Told:
    """A row of the notices in words."""
    why = notice.last_error or ""
    return Told(
        at=notice.sent_at or notice.queued_at,
        what=KINDS.get(notice.kind, notice.kind),
        state=RANKS[notice.rank],
        way=CHANNELS.get(notice.channel or "", notice.channel or ""),
        why=_WHY.get(why, why),
    )


_WHY: Mapping[str, str] = {
    "no channel reaches this person": "没有登记手机号，也没有订阅微信消息，请代办员上门告知",
}
