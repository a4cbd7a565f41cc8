"""WeChat Pay's far side as the phone, the callbacks and the controls see it."""

import json
from datetime import date, timedelta
from typing import Any, cast

from flask import Blueprint

from payments.sandbox.far import Delivery, Event, Parts, Return
from payments.sandbox.keys import make_keys
from payments.sandbox.shelf import Document, Shelf
from payments.sandbox.signing import random_digits, random_text, seal_resource
from payments.sandbox.trades import Declined
from payments.sandbox.wechat.statement import statement_of
from payments.sandbox.wechat.voice import Voice
from payments.sandbox.wechat.words import refund_notice_of, transaction_of
from payments.sandbox.world import World, world

NAME = "wechat"
CODE_URL = "weixin://wxpay/bizpayurl?pr="
_TOKEN_LIVES = timedelta(hours=2)
_SIGNTEST = "WECHATPAY/SIGNTEST/"

bp = Blueprint(NAME, __name__)


class WeChatSide:
    """One merchant's WeChat Pay."""

    name = NAME
    bp = bp
    retry_after_s = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)

    def __init__(self, parts: Parts) -> None:
        self.keys = make_keys(parts.config.folder)
        self.voice = Voice(self.keys)
        self._trades, self._clock, self._knobs, self._shelf = parts.trades, parts.clock, parts.knobs, parts.shelf
        _adopt_older(parts.shelf)

    def fresh_token(self, trade: Document) -> str:
        """A new code_url or prepay_id for an order: of many, each works."""
        if trade["content"]["kind"] in ("jsapi", "h5"):
            token = f"wx{self._clock.now():%d%H%M%S}{random_text(22)}"
        else:
            token = random_text(9)
        self._trades.give_token(token, trade)
        return token

    def behind(self, code: str) -> Document | None:
        """The order behind a code_url or a prepay_id. Declined when it is two hours old."""
        found = self._trades.behind(NAME, code.removeprefix(CODE_URL))
        if found is None:
            return None
        trade, age = found
        if age > _TOKEN_LIVES:
            raise Declined("CODE_EXPIRED", "付款码已过期，请重新获取")
        return trade

    def pay(self, trade: Document, payer: str) -> Document:
        """The payer confirms. Declined when it is paid, closed, expired or another's."""
        openid = payer or trade["openid"] or f"o{'S' * 27}"
        if trade["state"] == "NOTPAY" and trade["openid"] not in ("", openid):
            raise Declined("OPENID_MISMATCH", "请用下单的微信付款")
        reference = f"42000{random_digits(5)}{self._clock.now():%Y%m%d}{random_digits(10)}"
        return self._trades.pay(NAME, trade["number"], payer=openid, reference=reference)

    def returns(self, trade: Document) -> Return | None:
        """Where the H5 page was told to lead; of every other payment nowhere: the payer closes the page."""
        back = self._shelf.get("h5_return", trade["number"])
        return Return(back["url"]) if back else None

    def delivery(self, event: Event, spoil: str = "") -> Delivery | None:
        """The sealed and signed envelope."""
        url = (event.refund or event.trade["content"]).get("notify_url")
        if not url:
            return None
        body = self._envelope(event, mchid="1900000001" if spoil == "other_merchant" else None)
        by_public_key = int(random_digits(2)) < self._knobs.callback_public_key_percent
        headers = self.voice.signed(body, by_public_key=by_public_key)
        if spoil == "wrong_signature":
            other = self.voice.signed(b"else", by_public_key=by_public_key)
            headers["Wechatpay-Signature"] = other["Wechatpay-Signature"]
        elif spoil == "signtest":
            headers["Wechatpay-Signature"] = _SIGNTEST + headers["Wechatpay-Signature"][len(_SIGNTEST) :]
        return Delivery(url, headers | {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}, body)

    def acknowledges(self, status: int, body: bytes) -> bool:
        """The status alone counts, whatever the body says."""
        return status in (200, 204)

    def complaint_told(self, case: Document, move: str, spoil: str = "") -> Delivery | None:
        """COMPLAINT.CREATE or COMPLAINT.STATE_CHANGE, sealed and signed as a payment's callback is, to the address the
        merchant created for it."""
        told = self._shelf.get("wechat_complaint_url", "")
        if told is None:
            return None
        word = "CREATE" if move == "CREATE_COMPLAINT" else "STATE_CHANGE"
        clear = {"complaint_id": case["number"], "action_type": move}
        envelope = {
            "id": f"EV-{random_digits(30)}",
            "create_time": self._clock.now().isoformat(timespec="seconds"),
            "resource_type": "encrypt-resource",
            "event_type": f"COMPLAINT.{word}",
            "summary": "产生新投诉" if word == "CREATE" else "投诉单状态变化",
            "resource": {
                "original_type": "complaint",
                **seal_resource(self.keys.api_v3_key, dumped(clear), "complaint"),
            },
        }
        body = dumped(envelope)
        headers = self.voice.signed(b"else" if spoil else body, by_public_key=True)
        return Delivery(told["url"], headers | {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}, body)

    def statement(self, day: date) -> bytes:
        """The day's trade bill, ALL, not packed."""
        return statement_of(self._trades, NAME, day)

    def _envelope(self, event: Event, *, mchid: str | None) -> bytes:
        if event.refund is None:
            kind, word, summary, told_at = "transaction", "SUCCESS", "支付成功", event.trade["success_time"]
            clear = transaction_of(event.trade | {"refunds": []})  # as it was when it was paid
        else:
            kind, told_at = "refund", event.refund["settled_at"]
            clear = refund_notice_of(event.trade, event.refund)
            word = clear["refund_status"]
            summary = {"SUCCESS": "退款成功", "CLOSED": "退款关闭", "ABNORMAL": "退款异常"}[word]
        if mchid:
            clear["mchid"] = mchid
        envelope = {
            "id": event.id,
            "create_time": told_at,
            "resource_type": "encrypt-resource",
            "event_type": f"{kind.upper()}.{word}",
            "summary": summary,
            "resource": {"original_type": kind, **seal_resource(self.keys.api_v3_key, dumped(clear), kind)},
        }
        return dumped(envelope)


def side(here: World | None = None) -> WeChatSide:
    """The WeChat side of the request's world."""
    return cast(WeChatSide, (here or world()).far[NAME])


def dumped(said: dict[str, Any]) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _adopt_older(shelf: Shelf) -> None:
    """A folder from before there were several far sides: its trades were all WeChat's, under their bare number."""
    with shelf.lock:
        for trade in shelf.all("trade"):
            if "gateway" in trade:
                continue
            shelf.take("trade", trade["number"])
            content = trade["wanted"] | {"kind": trade["kind"]}
            more = {"gateway": NAME, "content": content, "description": content["description"], "refunds": []}
            if "transaction_id" in trade:
                more["reference"] = trade["transaction_id"]
                shelf.put("reference", f"{NAME}/{more['reference']}", {"number": trade["number"]})
            shelf.put("trade", f"{NAME}/{trade['number']}", trade | more)
