"""What we send to UnionPay: the fields of each request before they are signed (full-channel manual, 5.1.0).

The order's number and its txnTime are its identity there; both are Beijing time on the business clock. Nothing of the
payer and nothing of ours beside the number is sent: reqReserved would come back cut in the statement.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from core.clock import beijing
from payments.gateways.base import Order, RefundOrder, Trade
from payments.gateways.unionpay.seal import SIGN_METHOD, VERSION

PAYMENT, REFUND, FILE = "01", "04", "76"  # txnType
LONGEST_DESCRIPTION = 32
_NUMBER = re.compile(r"[0-9A-Za-z]{8,32}")  # 40 are allowed, but the statement keeps 32
_QR = {"bizType": "000000"}
_GATEWAY = {"bizType": "000201"}

Fields = dict[str, str]


@dataclass(frozen=True)
class Requests:
    """One merchant's requests, and where it wants to be told."""

    mer_id: str
    notify_url: str
    return_url: str

    def qr_code(self, order: Order) -> Fields:
        """申请消费二维码: a code for one order, its amount fixed."""
        return self._order(order) | _QR | {"txnSubType": "07"}

    def page(self, order: Order) -> Fields:
        """前台消费: the form that the payer's browser brings to their page."""
        description = order.description[:LONGEST_DESCRIPTION]
        return (
            self._order(order) | _GATEWAY | {"txnSubType": "01", "frontUrl": self.return_url, "orderDesc": description}
        )

    def query(self, trade: Trade) -> Fields:
        """交易状态查询, of a payment or of a refund: by the number and the txnTime of the trade asked about."""
        return self._identity(trade) | _QR | {"txnType": "00", "txnSubType": "00"}

    def refund(self, order: RefundOrder) -> Fields:
        """退货, by their number of the payment."""
        assert 1 <= order.amount <= order.paid and order.reference
        return (
            self._identity(order)
            | _QR
            | self._money(order.amount)
            | {"txnType": REFUND, "txnSubType": "00", "origQryId": order.reference}
        )

    def file(self, day: date, now: datetime) -> Fields:
        """对账文件下载, of a settlement day; the request's own moment is the system clock's."""
        asked = {"txnType": FILE, "txnSubType": "01", "fileType": "00", "settleDate": f"{day:%m%d}"}
        return self._common() | _QR | asked | {"txnTime": stamp(now)}

    def _order(self, order: Order) -> Fields:
        return (
            self._identity(order)
            | self._money(order.amount)
            | {"txnType": PAYMENT, "payTimeout": stamp(order.expires_at)}
        )

    def _money(self, amount: int) -> Fields:
        assert type(amount) is int and 1 <= amount < 10**12
        return {"channelType": "08", "txnAmt": str(amount), "currencyCode": "156", "backUrl": self.notify_url}

    def _identity(self, trade: Trade) -> Fields:
        assert is_theirs(trade.number), "their order numbers are 8 to 32 letters and digits"
        return self._common() | {"orderId": trade.number, "txnTime": stamp(trade.ordered_at)}

    def _common(self) -> Fields:
        always = {"version": VERSION, "encoding": "UTF-8", "signMethod": SIGN_METHOD}
        return always | {"accessType": "0", "merId": self.mer_id}


def is_theirs(number: str) -> bool:
    """Whether a number has the form of their order numbers."""
    return bool(_NUMBER.fullmatch(number))


def stamp(moment: datetime) -> str:
    """YYYYMMDDhhmmss in Beijing."""
    return f"{beijing(moment):%Y%m%d%H%M%S}"
