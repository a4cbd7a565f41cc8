"""Alipay's bill of a day, type trade: a zip of two GBK files with GBK names that do not say so.

Cells of ids and texts end in a TAB, refunds carry negative amounts, unpaid trades do not appear; a movement's day is
the Beijing day of its completion. Manual: alipay.data.dataservice.bill.downloadurl.query.
"""

import io
import zipfile
from datetime import date, datetime, timedelta

from payments.sandbox.alipay.words import stamp, yuan
from payments.sandbox.shelf import Document
from payments.sandbox.statements import spoilt
from payments.sandbox.trades import Trades, day_limits

NAME = "alipay"
COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
FEE_PER_MILLE = 6
_RULE = "-" * 40


def statement_of(trades: Trades, day: date, *, seller_id: str, now: datetime, spoils: tuple[str, ...] = ()) -> bytes:
    """The zip of a day, with these faults in its detail; statement_hash: the checksum in the zip does not fit."""
    payments, refunds = movements_on(trades, day)

    def detail_with(off: int) -> bytes:
        return _detail(payments, refunds, day, seller_id, now, off=off).encode("gb18030")

    detail = spoilt(detail_with(0), spoils, with_other_total=lambda content: detail_with(1))
    stem = f"{seller_id}0156_{day:%Y%m%d}_业务明细"
    whole = _zipped({f"{stem}.csv": detail, f"{stem}(汇总).csv": _summary(payments, refunds).encode("gb18030")})
    if "statement_hash" in spoils:
        at = whole.index(f"{stem}.csv".encode("gb18030")) + 200
        whole = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
    return whole


def movements_on(trades: Trades, day: date) -> tuple[list[Document], list[tuple[Document, Document]]]:
    """What was paid and what went back on a day."""
    begins, ends = day_limits(day, datetime.min.time())
    gone = [(trade, one) for trade, one in trades.refunds(NAME) if one["state"] == "SUCCESS"]
    that_day = [one for one in gone if begins <= datetime.fromisoformat(one[1]["success_time"]) < ends]
    return trades.paid_on(NAME, day), that_day


def fee_of(fen: int) -> int:
    """What is kept of an amount, in whole fen, half up."""
    return (fen * FEE_PER_MILLE + 500) // 1000


def _detail(
    payments: list[Document],
    refunds: list[tuple[Document, Document]],
    day: date,
    seller_id: str,
    now: datetime,
    *,
    off: int,
) -> str:
    lines = [(trade["success_time"], _line(trade)) for trade in payments]
    lines += [(refund["success_time"], _line(trade, refund)) for trade, refund in refunds]
    came = sum(trade["amount"] for trade in payments) + off
    went = sum(refund["amount"] for _, refund in refunds)
    return "\r\n".join(
        [
            "#支付宝业务明细查询",
            f"#账号：[{seller_id}0156]",
            f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{day + timedelta(days=1):%Y年%m月%d日} 00:00:00]",
            f"#{_RULE}业务明细列表{_RULE}",
            COLUMNS,
            *(line for _, line in sorted(lines, key=lambda line: line[0])),
            f"#{_RULE}业务明细列表结束{_RULE}",
            f"#交易合计：{len(payments)}笔，商家实收共{yuan(came)}元，商家优惠共0.00元",
            f"#退款合计：{len(refunds)}笔，商家实收退款共{yuan(-went)}元，商家优惠退款共0.00元",
            f"#导出时间：[{now:%Y年%m月%d日 %H:%M:%S}]",
            "",
        ]
    )


def _line(trade: Document, refund: Document | None = None) -> str:
    sign, one = (-1, refund) if refund else (1, trade)
    amount, discount = sign * one["amount"], 0 if refund else trade["amount"] - trade["payer_amount"]
    cells = [
        f"{trade['reference']}\t",
        f"{trade['number']}\t",
        "退款" if refund else "交易",
        f"{trade['description']}\t",
        stamp(trade["placed_at"]),
        stamp(one["success_time"]),
        *("\t", "\t", "\t", "\t", "*例(159****5620)\t"),
        yuan(amount),
        yuan(amount),
        *("0.00", "0.00", yuan(discount), "0.00", "0.00", "\t", "0.00", "0.00"),
        f"{refund['number']}\t" if refund else "\t",
        yuan(sign * fee_of(one["amount"])),
        "0.00",
        "\t",
    ]
    return ",".join(cells)


def _summary(payments: list[Document], refunds: list[tuple[Document, Document]]) -> str:
    came = sum(trade["amount"] for trade in payments)
    went = sum(refund["amount"] for _, refund in refunds)
    cells = f"合计,{len(payments)},{len(refunds)},{yuan(came)},{yuan(-went)}"
    return "\r\n".join(
        ["#支付宝业务汇总查询", f"#{_RULE}业务汇总列表{_RULE}", cells, f"#{_RULE}业务汇总列表结束{_RULE}", ""]
    )


def _zipped(members: dict[str, bytes]) -> bytes:
    """Python marks names beyond ASCII as UTF-8; so ASCII ones of the same length stand in until the zip is made."""
    packed = io.BytesIO()
    stand_ins = {}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (name, content) in enumerate(members.items()):
            written = name.encode("gb18030")
            stand_ins[f"~stand-in-{place}~".ljust(len(written), "~")] = written
            archive.writestr(f"~stand-in-{place}~".ljust(len(written), "~"), content)
    whole = packed.getvalue()
    for stand_in, written in stand_ins.items():
        assert whole.count(stand_in.encode()) == 2  # before the member and in the directory
        whole = whole.replace(stand_in.encode(), written)
    return whole
