"""UnionPay's far side as the phone, the callbacks and the controls see it."""

from datetime import date, datetime, timedelta
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint

from payments.sandbox.far import Delivery, Event, Parts, Return
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.unionpay.keys import make
from payments.sandbox.unionpay.statement import zip_of
from payments.sandbox.unionpay.voice import Voice
from payments.sandbox.unionpay.words import notice_of, refund_notice_of
from payments.sandbox.world import World, world

NAME = "unionpay"
QR_CODE = "https://qr.95516.com/00010000/"
_ANOTHER = "777290999999999"

bp = Blueprint(NAME, __name__, url_prefix=f"/{NAME}")


class UnionPaySide:
    """One merchant's UnionPay."""

    name = NAME
    bp = bp
    retry_after_s = (60, 120, 240, 300)  # five deliveries in all

    def __init__(self, parts: Parts) -> None:
        self.keys = make(parts.config.folder)
        self.voice = Voice(self.keys)
        self._trades, self._clock, self._faults = parts.trades, parts.clock, parts.faults

    def fresh_code(self, trade: Document) -> str:
        """The text of the QR code of an order: there is one for each."""
        code = f"{QR_CODE}{random_digits(32)}"
        self._trades.give_token(code, trade)
        return code

    def fresh_page(self, trade: Document) -> str:
        """What the phone page is opened with for an order that a browser brought."""
        code = f"UP{random_text(30)}"
        self._trades.give_token(code, trade)
        return code

    def behind(self, code: str) -> Document | None:
        """The order behind a QR code or a page."""
        found = self._trades.behind(NAME, code)
        return found[0] if found else None

    def pay(self, trade: Document, payer: str) -> Document:
        """The payer confirms. Declined when it is paid or over."""
        return self._trades.pay(NAME, trade["number"], payer=payer or "6216********0018", reference=self.query_id())

    def query_id(self) -> str:
        """Their own number of a movement: 21 digits, its moment in the middle."""
        return f"{random_digits(2)}{self._clock.now():%y%m%d%H%M%S}{random_digits(7)}"

    def returns(self, trade: Document) -> Return | None:
        """From their page the payer's browser brings the result to frontUrl; behind a QR code there is no browser."""
        url = trade["content"].get("frontUrl")
        return Return(url, self.voice.signed(notice_of(trade))) if url else None

    def complaint_told(self, case: Document, move: str, spoil: str = "") -> None:
        """The network has no interface for complaints."""

    def delivery(self, event: Event, spoil: str = "") -> Delivery | None:
        """The signed form; of a refund for success and failure alike."""
        fields = refund_notice_of(event.trade, event.refund) if event.refund else notice_of(event.trade)
        asked = event.refund["content"] if event.refund else event.trade["content"]
        if spoil == "other_merchant":
            fields["merId"] = _ANOTHER
        by_stranger = bool(self._faults.take("merchant_certificate", event.number, on="callback", gateway=NAME))
        form = self.voice.signed(fields, by_stranger=by_stranger, wrongly=spoil in ("wrong_signature", "signtest"))
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8", "User-Agent": "Java/1.8"}
        return Delivery(asked["backUrl"], headers, urlencode(form).encode("ascii"))

    def acknowledges(self, status: int, body: bytes) -> bool:
        """200, whatever the body says."""
        return status == 200

    def statement(self, day: date) -> bytes:
        """The ZIP of a settlement day, as its reconciliation file holds it."""
        return zip_of(self._trades, NAME, day, mer_id=self.keys.mer_id)

    def settlement_day(self, month_day: str) -> date | None:
        """The latest day so called, of those that have begun; None if there is no such day."""
        today = (self._clock.now() + timedelta(hours=1)).date()
        for year in (today.year, today.year - 1):
            try:
                day = datetime.strptime(f"{year}{month_day}", "%Y%m%d").date()  # noqa: DTZ007 a day has no zone
            except ValueError:
                continue
            if day <= today:
                return day
        return None


def side(here: World | None = None) -> UnionPaySide:
    """The UnionPay side of the request's world."""
    return cast(UnionPaySide, (here or world()).far[NAME])
