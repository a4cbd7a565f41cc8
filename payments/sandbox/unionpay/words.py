"""What the far side says about its trades, field by field: in notifications and in answers to queries."""

from datetime import datetime, timedelta

from payments.sandbox.shelf import Document
from payments.sandbox.unionpay.check import MESSAGES
from payments.sandbox.unionpay.voice import Fields

REFUND_CODES = {"PROCESSING": "05", "SUCCESS": "00", "FAILED": "36", "ABNORMAL": "61"}
_ECHOED = ("version", "encoding", "signMethod", "accessType", "bizType", "merId", "orderId", "txnTime", "txnType")


def echo(heard: Fields) -> Fields:
    """What every answer repeats of its request."""
    return {name: heard[name] for name in (*_ECHOED, "txnSubType") if name in heard}


def verdict(code: str, prefix: str = "resp") -> Fields:
    """A code and its message: of the call ("resp") or of the trade it asks about ("origResp")."""
    return {f"{prefix}Code": code, f"{prefix}Msg": MESSAGES.get(code, f"其他错误[60000{code}]")}


def notice_of(trade: Document) -> Fields:
    """A paid trade's notification."""
    return _traded(trade["content"], trade) | _moved(trade, trade["success_time"]) | verdict("00")


def refund_notice_of(trade: Document, refund: Document) -> Fields:
    """A refund's notification, whatever became of it."""
    original = {"origQryId": trade["reference"], "origOrderId": trade["number"]}
    original["origTxnTime"] = trade["content"]["txnTime"]
    moved = _moved(refund, refund["settled_at"])
    return _traded(refund["content"], refund) | moved | original | verdict(REFUND_CODES[refund["state"]])


def state_of(trade: Document) -> Fields | None:
    """What a query is told of a payment; None while nobody has paid: a code nobody scanned is no trade."""
    if trade["state"] != "SUCCESS":
        return None
    moved = _moved(trade, trade["success_time"])
    return _traded(trade["content"], trade) | moved | verdict("00") | verdict("00", "origResp")


def refund_state_of(trade: Document, refund: Document) -> Fields:
    """What a query is told of a refund; of one under way nothing has moved yet."""
    known = _traded(refund["content"], refund) | {"origQryId": trade["reference"]}
    if refund["state"] != "PROCESSING":
        known |= _moved(refund, refund["settled_at"])
    return known | verdict("00") | verdict(REFUND_CODES[refund["state"]], "origResp")


def settlement_day(moment: datetime) -> datetime:
    """A moment whose date is the settlement day: a day begins at 23:00 of the evening before."""
    return moment + timedelta(hours=1)


def trace_no(reference: str) -> str:
    """The six digits by which the error file knows a movement."""
    return reference[14:20]


def _traded(asked: Fields, what: Document) -> Fields:
    return echo(asked) | {"txnAmt": str(what["amount"]), "currencyCode": "156"}


def _moved(what: Document, at: str) -> Fields:
    moment = datetime.fromisoformat(at)
    return {
        "queryId": what["reference"],
        "traceNo": trace_no(what["reference"]),
        "traceTime": f"{moment:%m%d%H%M%S}",
        "settleAmt": str(what.get("payer_amount", what["amount"])),
        "settleCurrencyCode": "156",
        "settleDate": f"{settlement_day(moment):%m%d}",
        "exchangeRate": "0",
        "accNo": "621626*********0018",
    }
