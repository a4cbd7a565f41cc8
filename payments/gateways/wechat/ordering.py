"""An order in WeChat Pay's words for each way to the payer, and where he goes with what they answer.

Manual: 微信支付 API v3, JSAPI 下单 (4012525182) and 调起支付 (4012791857), H5 下单 (4012525153), Native 下单, and of H5
常见问题 (v2 4011936869): the page opens for five minutes, for the address that the order names, out of a page of a
registered domain, in no browser of WeChat's, and goes back to `redirect_url`, paid or not.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from core.clock import beijing
from payments.errors import GatewaySilent
from payments.gateways.base import Checkout, Credentials, Kind, Order
from payments.gateways.signing import BadKey
from payments.gateways.wechat.fetching import answered
from payments.gateways.wechat.line import Line, dumped

PATHS: Mapping[Kind, str] = {Kind.JSAPI: "jsapi", Kind.ACCOUNT: "jsapi", Kind.NATIVE: "native", Kind.H5: "h5"}
BY_USER = frozenset({Kind.JSAPI, Kind.ACCOUNT})  # these name the payer
SWITCHES = ("", "on", "off")
PAGE_HOST = "wx.tenpay.com"
LONGEST_DESCRIPTION = 127


@dataclass(frozen=True)
class Merchant:
    """Who orders, under which application by which kind, and where the word and the payer's browser come back to."""

    mchid: str
    app: str  # the mini-program's
    account_app: str  # the official account's, or ""
    notify_url: str
    return_url: str  # without one the payer stays where WeChat leaves him
    h5: bool

    @classmethod
    def held_in(cls, credentials: Credentials) -> Self:
        """Out of a gateway's credentials. BadKey."""

        def word(name: str) -> str:
            return str(credentials.get(name, "")).strip()

        if word("h5") not in SWITCHES:
            raise BadKey("wechat h5 is not on or off")
        addresses = (word("notify_url"), word("return_url"))
        return cls(word("mchid"), word("appid"), word("account_appid"), *addresses, word("h5") != "off")

    @property
    def kinds(self) -> frozenset[Kind]:
        """The ways to the payer that this merchant has."""
        without = {Kind.ACCOUNT: not self.account_app, Kind.H5: not self.h5}
        return frozenset(kind for kind in PATHS if not without.get(kind))

    def app_for(self, kind: Kind) -> str:
        """The application that an order of this kind is under."""
        return self.account_app if kind is Kind.ACCOUNT else self.app

    def body(self, order: Order) -> bytes:
        """The order, as it is signed and sent. The same order is the same bytes."""
        assert order.amount >= 1 and type(order.amount) is int
        assert 0 < len(order.description) <= LONGEST_DESCRIPTION
        assert bool(order.openid) == (order.kind in BY_USER)
        wanted: dict[str, object] = {
            "appid": self.app_for(order.kind),
            "mchid": self.mchid,
            "description": order.description,
            "out_trade_no": order.number,
            "time_expire": beijing(order.expires_at).isoformat(timespec="seconds"),
            "notify_url": self.notify_url,
            "amount": {"total": order.amount, "currency": "CNY"},
        }
        if order.openid:
            wanted["payer"] = {"openid": order.openid}
        if order.kind is Kind.H5:
            assert order.network, "their page opens only for the address that the order names"
            wanted["scene_info"] = {"payer_client_ip": order.network, "h5_info": {"type": "Wap"}}
        return dumped(wanted)

    def checkout(self, order: Order, stated: Mapping[str, object], line: Line) -> Checkout:
        """Where the payer goes, out of a proven answer. GatewaySilent."""
        if order.kind is Kind.NATIVE:
            return Checkout(code_url=answered(stated, "code_url", 512))
        if order.kind is Kind.H5:
            return Checkout(link=self._link(order.number, answered(stated, "h5_url", 512), line))
        called = pay_parameters(self.app_for(order.kind), answered(stated, "prepay_id", 64), line)
        return Checkout(jsapi=called if order.kind is Kind.JSAPI else {"appId": self.account_app, **called})

    def _link(self, number: str, page: str, line: Line) -> str:
        """Their page, which sends the payer's browser back to ours. GatewaySilent for a page of anybody else's."""
        if not line.leads_to_them(page, frozenset({PAGE_HOST})):
            raise GatewaySilent("h5_url leads elsewhere")
        back = f"{self.return_url}?out_trade_no={number}"
        return f"{page}&redirect_url={quote(back, safe='')}" if self.return_url else page


def pay_parameters(app: str, prepay_id: str, line: Line) -> dict[str, str]:
    """What wx.requestPayment and, with appId beside it, getBrandWCPayRequest take, signed for the order's own app."""
    timestamp, nonce, package = line.timestamp(), secrets.token_hex(16), f"prepay_id={prepay_id}"
    signature = line.signer.sign(f"{app}\n{timestamp}\n{nonce}\n{package}\n".encode())
    return {"timeStamp": timestamp, "nonceStr": nonce, "package": package, "signType": "RSA", "paySign": signature}
