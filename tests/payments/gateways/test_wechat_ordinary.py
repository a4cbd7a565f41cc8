"""Ordinary lines of a trade bill are read many at a time: they mean what they mean cell by cell, and nothing odd among
them is passed over or told of by another line's number."""

import io
import re
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.clock import utc_now
from payments.errors import BadStatement
from payments.gateways.blocks import Block, one_by_one
from payments.gateways.wechat.ordinary import Ordinary
from payments.gateways.wechat.statement import read_blocks, read_lines
from payments.reconcile import statements
from tests.payments.gateways.test_wechat_statement import DAY, PAID, REFUNDED, REVOKED, bill, spoilt, sums

MCHID = "1900000109"
MANY = 700  # lines of some 300 bytes: more than three pieces of the file
NAMES = (
    "订单金额",
    "应结订单金额",
    "手续费",
    "商户订单号",
    "微信订单号",
    "交易时间",
    "公众账号ID",
    "交易状态",
    "商户号",
)
NAMES += (
    "货币种类",
    "退款金额",
    "充值券退款金额",
    "申请退款金额",
    "商品名称",
    "商户数据包",
    "微信退款单号",
    "退款状态",
)
VALUES = ("", "0", "0.00", "0.4", "400", "400.00", "400.005", "-400.00", "+1", "1,000.00", "４００.00", "1e2", "00.10")
VALUES += ("2026-01-01 23:59:59", "2026-01-01 24:00:00", "2026-01-02 00:00:00", "2026-01-01T08:00:00", "YB1\t2")
VALUES += ("SUCCESS", "REFUND", "REVOKED", "CNY", "USD", MCHID, "１９", "a`b", "a,b", "两\n行", "\r", "\\N", "-0.5")

AMOUNT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def told(content):
    """The lines, and why they are refused; what came before a refusal is nobody's."""
    found = []
    try:
        found.extend(read_lines(io.BytesIO(content), DAY, mchid=MCHID))
    except BadStatement as error:
        return str(error)
    return sorted(found, key=lambda line: line.row)


def slowly(monkeypatch, content):
    """The same cell by cell."""
    with monkeypatch.context() as each:
        each.setattr(Ordinary, "of", lambda *_: None)
        return told(content)


def numbered(row, place):
    return spoilt(spoilt(row, "商户订单号", f"YB{place:020d}"), "手续费", f"{place % 7}.{place % 10}0000")


def a_mixed_bill():
    """Hundreds of ordinary payments, among them refunds, what was revoked, names of every kind, fen alone."""
    rows = [numbered(PAID, place) for place in range(MANY)]
    for place in range(0, MANY, 9):
        rows[place] = spoilt(REFUNDED, "商户退款单号", f"RF{place}")
    rows[1], rows[350], rows[698] = REVOKED.format(back="0.00"), REVOKED.format(back="10.00"), PAID
    rows[2] = spoilt(rows[2], "商品名称", '张,"三`\n李四')
    rows[351] = spoilt(spoilt(rows[351], "订单金额", "0.07"), "应结订单金额", "0.05")
    return rows


def whole(rows):
    """The bill of these rows with totals that fit what is an amount in them."""
    head = bill().decode().split("\r\n")[0].removeprefix("\ufeff").split(",")
    cells = [row.removeprefix("`").split(",`") for row in rows]

    def total(name, decimals):
        found = [Decimal(row[head.index(name)]) for row in cells if AMOUNT.fullmatch(row[head.index(name)])]
        return f"{sum(found):.{decimals}f}"

    return bill(
        *rows,
        sums=sums(
            *(len(rows), total("应结订单金额", 2), total("退款金额", 2), total("手续费", 5), total("订单金额", 2)),
            total("申请退款金额", 2),
        ),
    )


def test_a_mixed_bill_says_the_same_many_at_a_time_and_cell_by_cell(monkeypatch):
    content = whole(a_mixed_bill())

    read = list(read_blocks(io.BytesIO(content), DAY, mchid=MCHID))
    found = sorted(one_by_one(read), key=lambda line: line.row)

    assert found == slowly(monkeypatch, content)
    assert [line.row for line in found] == [row for row in range(2, MANY + 2) if row != 3]
    blocks = [each for each in read if isinstance(each, Block)]
    assert len(blocks) > 3 and sum(len(each.rows) for each in blocks) > MANY * 8 // 10


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_value_among_ordinary_ones_means_what_it_meant_or_is_refused(monkeypatch, name):
    rows, accepted = [numbered(PAID, place) for place in range(9)], 0
    for value in VALUES:
        content = whole([*rows[:4], spoilt(rows[4], name, value), *rows[5:]])

        found = told(content)

        assert found == slowly(monkeypatch, content), value
        accepted += isinstance(found, list)
    assert accepted


@pytest.mark.parametrize("place", [0, 222, MANY - 1])
def test_a_refused_line_is_told_of_by_its_own_number(place):
    rows = a_mixed_bill()
    sound = whole(rows).split(b"\r\n")
    for wrong in (spoilt(numbered(PAID, place), "订单金额", "4oo.00").encode(), b"`" + b"\xff" * 9, b"`too,`few"):
        content = b"\r\n".join([*sound[: place + 1], wrong, *sound[place + 2 :]])

        assert str(told(content)).startswith(f"第{place + 2}行：")


def test_what_is_kept_is_the_same_many_at_a_time_and_one_by_one(engine):
    content = whole(a_mixed_bill())
    kept = []
    for read in (read_blocks, read_lines):
        with engine.begin() as connection:
            file = io.BytesIO(content)
            lines = read(io.BytesIO(content), DAY, mchid=MCHID)
            totals = statements.keep(connection, "wechat", DAY, file, lines, wall=utc_now())
            rows = connection.execute(text("select * from statement_row order by gateway, day, row")).all()
            kept.append((totals, rows, b"".join(statements.pieces(connection, "wechat", DAY))))

    assert kept[0] == kept[1]
    assert (kept[0][0].lines, len(kept[0][1]), kept[0][2]) == (MANY - 1, MANY - 1, content)
