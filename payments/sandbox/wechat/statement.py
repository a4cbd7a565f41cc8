"""WeChat Pay's trade bill, type ALL, made from the list of trades.

UTF-8 with BOM, CRLF, a plain header, every cell behind a backtick and nothing quoted: names may hold commas. Fees have
five decimals. A refund's line stands on the day it was asked for and says what was known at that day's end.
Manual: 交易账单格式 (2024-11-25).
"""

from collections.abc import Iterable
from datetime import date, datetime

from payments.sandbox.shelf import Document
from payments.sandbox.trades import Trades, day_limits
from payments.sandbox.wechat.words import trade_type

COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FEE_PER_MILLE = 2


def statement_of(trades: Trades, gateway: str, day: date) -> bytes:
    """The whole file of a day; without any line it still has its header and its totals."""
    ends = day_limits(day)[1]
    paid = trades.paid_on(gateway, day)
    refunds = trades.refunds_on(gateway, day)
    lines = [(trade["success_time"], _payment(trade)) for trade in paid]
    lines += [(refund["asked_at"], _refund(trade, refund, ends)) for trade, refund in refunds]
    total = sum(trade["amount"] for trade in paid)
    back = sum(refund["amount"] for _, refund in refunds)
    totals = (len(lines), yuan(total), yuan(back), "0.00", fee(total - back), yuan(total), yuan(back))
    rows = [cells for _, cells in sorted(lines, key=lambda line: line[0])]
    text = "\r\n".join([COLUMNS, *(_row(cells) for cells in rows), TOTALS, _row(str(cell) for cell in totals), ""])
    return b"\xef\xbb\xbf" + text.encode()


def with_other_total(content: bytes) -> bytes:
    """The same bill whose summary says one fen more."""
    *before, totals, after = content.decode().split("\r\n")
    cells = totals.removeprefix("`").split(",`")
    total = int(cells[5].replace(".", "")) + 1
    return "\r\n".join([*before, _row([*cells[:5], yuan(total), *cells[6:]]), after]).encode()


def yuan(fen: int) -> str:
    """Fen as the bill writes them."""
    return f"{fen // 100}.{fen % 100:02d}"


def fee(fen: int) -> str:
    """What is kept of an amount, in yuan with five decimals; negative for what is given back."""
    thousandths = abs(fen) * FEE_PER_MILLE
    return f"{'-' if fen < 0 else ''}{thousandths // 100_000}.{thousandths % 100_000:05d}"


def _payment(trade: Document) -> list[str]:
    return _cells(
        trade,
        at=trade["success_time"],
        state="SUCCESS",
        settled=yuan(trade["amount"]),
        coupon=yuan(trade["amount"] - trade["payer_amount"]),
        refund=("0", "0", "0.00", "0.00", "", ""),
        fees=fee(trade["amount"]),
        totals=(yuan(trade["amount"]), "0.00"),
    )


def _refund(trade: Document, refund: Document, ends: datetime) -> list[str]:
    done = refund["state"] == "SUCCESS" and datetime.fromisoformat(refund["success_time"]) < ends
    amount = yuan(refund["amount"])
    word = "SUCCESS" if done else "PROCESSING"
    return _cells(
        trade,
        at=refund["asked_at"],
        state="REFUND",
        settled="0.00",
        coupon="0.00",
        refund=(refund["reference"], refund["number"], amount, "0.00", "ORIGINAL", word),
        fees=fee(-refund["amount"]),
        totals=("0.00", amount),
    )


def _cells(
    trade: Document,
    *,
    at: str,
    state: str,
    settled: str,
    coupon: str,
    refund: tuple[str, ...],
    fees: str,
    totals: tuple[str, str],
) -> list[str]:
    asked = trade["content"]
    return [
        *(f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}", asked["appid"], asked["mchid"], "0", ""),
        *(trade["reference"], trade["number"], trade["payer"], trade_type(asked["kind"]), state, "OTHERS", "CNY"),
        *(settled, coupon, *refund, asked["description"], asked.get("attach", ""), fees, "0.20%", *totals, ""),
    ]


def _row(cells: Iterable[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)
