"""Alipay's far side as the phone, the callbacks and the controls see it."""

from datetime import date, datetime, timedelta
from typing import cast

from flask import Blueprint

from payments.sandbox.alipay.check import WAP_PAY, Asked, fen_of
from payments.sandbox.alipay.keys import make
from payments.sandbox.alipay.statement import NAME, statement_of
from payments.sandbox.alipay.voice import AlipayVoice
from payments.sandbox.alipay.words import notice_of, stamp, yuan
from payments.sandbox.clock import BEIJING
from payments.sandbox.far import Delivery, Event, Parts, Return
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.trades import Declined
from payments.sandbox.world import World, world

CODE_URL = "https://qr.alipay.com/"
_TOKEN_LIVES = timedelta(hours=2)  # a code never lives longer
_LIVES = {True: timedelta(days=15), False: timedelta(hours=3)}  # a page's order, a code's; unless the merchant says so
_EXPRESS = {"m": "minutes", "h": "hours", "d": "days"}
_PAYER = "2088102116773037"

bp = Blueprint(NAME, __name__)


class AlipaySide:
    """One merchant's Alipay. A trade comes into being, and gets its trade_no, when a phone sees it."""

    name = NAME
    bp = bp
    retry_after_s = (240, 600, 600, 3600, 7200, 21600, 54000)

    def __init__(self, parts: Parts) -> None:
        self.keys = make(parts.config.folder)
        self.voice = AlipayVoice(self.keys)
        self._trades, self._clock, self._shelf = parts.trades, parts.clock, parts.shelf
        self._faults = parts.faults

    def now(self) -> datetime:
        """The business moment."""
        return self._clock.now()

    def place(self, asked: Asked) -> Document:
        """The order on the list; whatever else was said at first, the same number comes with the same content.

        Refusal, or ValueError for an order that is over before it begins."""
        by_page, now = asked.method == WAP_PAY, self.now()
        expires_at = now + _LIVES[by_page]
        if express := asked.text("timeout_express"):
            expires_at = _after(express, now)
        if stated := asked.text("time_expire"):
            expires_at = datetime.fromisoformat(stated).replace(tzinfo=BEIJING)
        number, before = asked.text("out_trade_no"), self._shelf.get("trade", f"{NAME}/{asked.text('out_trade_no')}")
        if before is None and expires_at <= now:
            raise ValueError("over before it begins")
        return self._trades.place(
            NAME,
            number,
            amount=fen_of(asked.text("total_amount")),
            content={**asked.content, "method": asked.method},
            expires_at=expires_at,
            description=asked.text("subject"),
            notify_url=asked.common.get("notify_url", ""),
            return_url=asked.common.get("return_url", ""),
            certified=asked.certified,
        )

    def fresh_token(self, trade: Document) -> str:
        """What a phone finds the order behind; of many, each works."""
        token = f"{'wap' if by_page(trade) else 'bax'}{random_text(20).lower()}"
        self._trades.give_token(token, trade)
        return token

    def trade_no(self, number: str) -> str | None:
        """Alipay's own number of an order that a phone has seen."""
        seen = self._shelf.get("alipay_seen", number)
        return seen["trade_no"] if seen else None

    def number_of(self, trade_no: str) -> str:
        """The merchant's number; empty if there is no such trade."""
        pointer = self._shelf.get("alipay_trade_no", trade_no)
        return pointer["number"] if pointer else ""

    def see(self, trade: Document) -> str:
        """From now on the trade exists; its trade_no."""
        with self._trades.lock:
            if known := self.trade_no(trade["number"]):
                return known
            made = f"{self.now():%Y%m%d}22001473{random_digits(12)}"
            self._shelf.put("alipay_seen", trade["number"], {"trade_no": made})
            self._shelf.put("alipay_trade_no", made, {"number": trade["number"]})
        return made

    def behind(self, code: str) -> Document | None:
        """The order behind a code's text or a page's token; looking makes the trade. Declined after two hours."""
        found = self._trades.behind(NAME, code.removeprefix(CODE_URL))
        if found is None:
            return None
        trade, age = found
        over = trade["state"] == "NOTPAY" and self._trades.is_over(trade)
        if age > _TOKEN_LIVES or (over and self.trade_no(trade["number"]) is None):
            raise Declined("CODE_EXPIRED", "付款码已失效，请重新获取")
        if trade["state"] == "NOTPAY":
            self.see(trade)
        return trade

    def pay(self, trade: Document, payer: str) -> Document:
        """The payer confirms. Declined when it is paid, closed or over."""
        return self._trades.pay(NAME, trade["number"], payer=payer or _PAYER, reference=self.see(trade))

    def returns(self, trade: Document) -> Return | None:
        """A page's payer comes back by a signed GET, which proves nothing about money; a code's goes nowhere."""
        if not by_page(trade) or not trade["return_url"]:
            return None
        fields = {
            "charset": "utf-8",
            "out_trade_no": trade["number"],
            "method": "alipay.trade.wap.pay.return",
            "total_amount": yuan(trade["amount"]),
            "trade_no": trade["reference"],
            "auth_app_id": self.keys.app_id,
            "version": "1.0",
            "app_id": self.keys.app_id,
            "sign_type": "RSA2",
            "seller_id": self.keys.seller_id,
            "timestamp": stamp(self.now().isoformat()),
        }
        return Return(f"{trade['return_url']}?{self.voice.form(fields, certified=trade['certified'])}")

    def delivery(self, event: Event, spoil: str = "") -> Delivery | None:
        """The signed form. Nobody is told that a code's trade was closed by giving all of it back."""
        trade = event.trade
        known = self.trade_no(trade["number"])
        if not trade["notify_url"] or known is None:
            return None
        app_id, seller_id = self.keys.app_id, self.keys.seller_id
        if spoil == "other_merchant":
            app_id, seller_id = "2021000000000009", "2088000000000009"
        fields = notice_of(event, app_id=app_id, seller_id=seller_id, trade_no=known, now=self.now())
        if event.refund and fields["trade_status"] == "TRADE_CLOSED" and not by_page(trade):
            return None
        unnamed = self._faults.take("callback_unnamed", event.number, gateway=NAME)
        certified = trade["certified"] and not unnamed
        body = self.voice.form(fields, certified=certified, wrong=spoil in {"wrong_signature", "signtest"})
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return Delivery(trade["notify_url"], {"Content-Type": kind, "User-Agent": "Mozilla/4.0"}, body.encode())

    def acknowledges(self, status: int, body: bytes) -> bool:
        """Exactly seven letters, nothing before and nothing after."""
        return status == 200 and body == b"success"

    def complaint_told(self, case: Document, move: str, spoil: str = "") -> Delivery | None:
        """alipay.merchant.tradecomplain.changed, to the application's gateway address: it names the complaint, and no
        more. Its `sign_type` is in the signed text."""
        if not case["notify_url"]:
            return None
        fields = {
            "app_id": self.keys.app_id,
            "biz_content": f'{{"complain_event_id":"{case["number"]}"}}',
            "charset": "utf-8",
            "msg_method": "alipay.merchant.tradecomplain.changed",
            "notify_id": random_digits(24),
            "sign_type": "RSA2",
            "utc_timestamp": str(int(self.now().timestamp() * 1000)),
            "version": "1.1",
        }
        body = self.voice.message(fields, wrong=bool(spoil))
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return Delivery(f"{case['notify_url']}/complaints", {"Content-Type": kind}, body.encode())

    def statement(self, day: date) -> bytes:
        """The day's zip."""
        return self.spoilt_statement(day, ())

    def spoilt_statement(self, day: date, spoils: tuple[str, ...]) -> bytes:
        """The same with faults in it."""
        return statement_of(self._trades, day, seller_id=self.keys.seller_id, now=self.now(), spoils=spoils)


def by_page(trade: Document) -> bool:
    """Ordered by a page in the browser, not by a code."""
    return trade["content"]["method"] == WAP_PAY


def side(here: World | None = None) -> AlipaySide:
    """The Alipay side of the request's world."""
    return cast(AlipaySide, (here or world()).far[NAME])


def _after(express: str, now: datetime) -> datetime:
    """'15m', '2h', '1d' later, or '1c': the end of the day."""
    if express == "1c":
        return now.replace(hour=23, minute=59, second=59)
    return now + timedelta(**{_EXPRESS[express[-1]]: int(express[:-1])})
