"""Trade bills: read as documented or refused with the line's number; fetched with their proof from the far side."""

import gzip
import hashlib
import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from core.clock import BEIJING, utc_now
from payments.errors import BadStatement, GatewaySilent, StatementNotReady
from payments.gateways.base import Movement, RefundOrder
from payments.gateways.wechat.lines import Proof, Unpacker
from payments.gateways.wechat.statement import read_lines
from tests.builders import an_order

VECTOR = (Path(__file__).parents[2] / "vectors" / "wechat" / "tradebill_ALL.csv").read_bytes()
DAY = date(2026, 1, 1)
HEAD, PAID, REFUNDED, TOTALS, SUMS, _ = VECTOR.decode().split("\r\n")
numbers = (f"{n:015d}" for n in count(1))


def lines(content=VECTOR, day=DAY, mchid="1900000109"):
    return list(read_lines(io.BytesIO(content), day, mchid=mchid))


def bill(*rows, sums=SUMS, head=HEAD, totals=TOTALS):
    return "\r\n".join([head, *rows, totals, sums, ""]).encode()


def sums(trades, settled, back, fees, total, asked):
    return f"`{trades},`{settled},`{back},`0.00,`{fees},`{total},`{asked}"


def spoilt(row, name, value):
    """A row with one cell changed."""
    cells = row.removeprefix("`").split(",`")
    cells[HEAD.removeprefix("\ufeff").split(",").index(name)] = value
    return ",".join(f"`{cell}" for cell in cells)


ONLY_PAID = sums(1, "400.00", "0.00", "0.80000", "400.00", "0.00")


def test_the_sample_is_read_in_our_words():
    payment, refund = lines()

    assert (payment.row, payment.movement, payment.number) == (2, Movement.PAYMENT, "YB20260101000000000001")
    assert (payment.reference, payment.amount, payment.fee) == ("4200002222202601010000000001", 40000, 80_000)
    assert payment.happened_at == datetime(2026, 1, 1, 8, tzinfo=BEIJING)
    assert (payment.refund_number, payment.refund_reference, payment.their_word) == ("", "", "SUCCESS")
    assert (refund.row, refund.movement, refund.number) == (3, Movement.REFUND, payment.number)
    assert (refund.amount, refund.fee, refund.their_word) == (40000, -80_000, "SUCCESS")
    assert refund.refund_number == "RF20260101000000000001"
    assert refund.refund_reference == "50300000002026010100000000001"


REVOKED = (
    "`2026-01-01 09:00:00,`wx8888888888888888,`1900000109,`0,`,`4200002222202601010000000009,`POS0009,`oX,`MICROPAY,"
    "`REVOKED,`OTHERS,`CNY,`0.00,`0.00,`0,`0,`{back},`0.00,`,`,`另一个系统,`,`0.00000,`0.20%,`0.00,`{back},`"
)


@pytest.mark.parametrize(("back", "count"), [("0.00", 2), ("10.00", 3)])
def test_a_revoked_trade_of_another_system_does_not_refuse_the_bill(back, count):
    """Low: its money went back, if any had moved; its neighbours are read as ever."""
    back_in_all = "410.00" if back == "10.00" else "400.00"
    content = bill(
        PAID, REVOKED.format(back=back), REFUNDED, sums=sums(3, "400.00", back_in_all, "0.00000", "400.00", back_in_all)
    )

    found = lines(content)

    assert [line.number for line in found if line.number != "POS0009"] == [line.number for line in lines()]
    assert len(found) == count
    if count == 3:
        assert (found[1].movement, found[1].amount, found[1].their_word) == (Movement.REFUND, 1000, "REVOKED")
        assert (found[1].refund_number, found[1].refund_reference) == ("", "")


@pytest.mark.parametrize("coupon", ["代金券或立减优惠", "企业红包"])
def test_a_bill_with_the_older_columns_is_read(coupon):
    """Low: the columns and the two rows of WeChat Pay's older manual, its times written as files write them."""
    head = (
        f"交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,{coupon}金额,"
        f"微信退款单号,商户退款单号,退款金额,{coupon}退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率"
    )
    rows = [
        f"`2014-11-10 16:{at},`wx2421b1c4370ec43b,`10000100,`0,`1000,`{theirs},`{ours},`o0,`MICROPAY,`SUCCESS,`CFT,"
        "`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`被扫支付测试,`订单额外描述,`0,`0.60%"
        for at, theirs, ours in (
            ("33:45", "1001690740201411100005734289", "1415640626"),
            ("46:14", "1002780740201411100005729794", "1415635270"),
        )
    ]
    totals = f"总交易单数,总交易额,总退款金额,总{coupon}退款金额,手续费总金额"

    found = lines(bill(*rows, head=head, totals=totals, sums="`2,`0.02,`0.0,`0.0,`0"), date(2014, 11, 10), "10000100")

    assert [(line.number, line.amount, line.fee) for line in found] == [("1415640626", 1, 0), ("1415635270", 1, 0)]
    with pytest.raises(BadStatement, match="不一致"):
        lines(bill(*rows, head=head, totals=totals, sums="`2,`0.03,`0.0,`0.0,`0"), date(2014, 11, 10), "10000100")


def test_packed_and_plain_say_the_same():
    assert lines(gzip.compress(VECTOR)) == lines()


def test_without_its_bom_and_with_its_columns_in_another_order_it_says_the_same():
    turned = ["\ufeff" + ",".join(reversed(HEAD.removeprefix("\ufeff").split(",")))]
    turned += [",".join("`" + cell for cell in reversed(row[1:].split(",`"))) for row in (PAID, REFUNDED)]

    assert lines(VECTOR.removeprefix(b"\xef\xbb\xbf")) == lines()
    assert lines("\r\n".join([*turned, TOTALS, SUMS, ""]).encode()) == lines()


@pytest.mark.parametrize("name", ["居民医保,2022年度", '他说"好"', "两\n行", "=1+1", "`反引号", "制表\t符", "\u202e反"])
def test_a_name_may_hold_commas_quotes_and_line_feeds(name):
    assert len(lines(bill(spoilt(PAID, "商品名称", name), REFUNDED))) == 2


def test_a_day_without_a_trade_has_no_line():
    assert lines(bill(sums=sums(0, "0.00", "0.00", "0.00000", "0.00", "0.00"))) == []


def test_a_coupon_leaves_the_orders_amount_as_it_was():
    row = spoilt(PAID, "应结订单金额", "395.00")

    [line] = lines(bill(row, sums=sums(1, "395.00", "0.00", "0.80000", "400.00", "0.00")))

    assert line.amount == 40000


def test_a_fee_of_a_fraction_of_a_fen_is_kept_whole():
    row = spoilt(PAID, "手续费", "0.00201")

    [line] = lines(bill(row, sums=sums(1, "400.00", "0.00", "0.00201", "400.00", "0.00")))

    assert line.fee == 201


def test_a_refund_still_under_way_says_so():
    assert lines(bill(PAID, spoilt(REFUNDED, "退款状态", "PROCESSING")))[1].their_word == "PROCESSING"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("订单金额", "400.001"),
        ("订单金额", "400,00"),
        ("订单金额", "-400.00"),
        ("订单金额", "4e2"),
        ("订单金额", " 400.00"),
        ("订单金额", "４００.００"),
        ("订单金额", "0400.00"),
        ("订单金额", "¥400.00"),
        ("订单金额", ""),
        ("订单金额", "0.00"),
        ("手续费", "0.800001"),
        ("手续费", "--0.8"),
        ("手续费", "nan"),
        ("交易时间", "2026-01-01"),
        ("交易时间", "2026-13-01 08:00:00"),
        ("交易时间", "2026-01-02 00:00:00"),
        ("交易时间", "2025-12-31 23:59:59"),
        ("商户号", "1900000110"),
        ("货币种类", "USD"),
        ("交易状态", "SETTLING"),
        ("交易状态", ""),
        ("商户订单号", ""),
        ("商户订单号", "订单一"),
        ("商户订单号", "A" * 65),
        ("微信订单号", "42 00"),
        ("商品名称", "一,`二"),
    ],
)
def test_a_payments_line_that_says_something_odd_is_refused_by_its_number(name, value):
    with pytest.raises(BadStatement, match=r"^第2行：") as refusal:
        lines(bill(spoilt(PAID, name, value), sums=ONLY_PAID))

    assert not value.strip() or value not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("申请退款金额", "0.00"),
        ("申请退款金额", "400.0.0"),
        ("商户退款单号", ""),
        ("微信退款单号", ""),
        ("退款状态", ""),
    ],
)
def test_a_refunds_line_that_says_something_odd_is_refused_by_its_number(name, value):
    with pytest.raises(BadStatement, match=r"^第3行："):
        lines(bill(PAID, spoilt(REFUNDED, name, value)))


@pytest.mark.parametrize(
    ("totals", "what"),
    [
        (sums(3, "400.00", "400.00", "0.00000", "400.00", "400.00"), "总交易单数"),
        (sums(2, "400.01", "400.00", "0.00000", "400.00", "400.00"), "应结订单总金额"),
        (sums(2, "400.00", "400.01", "0.00000", "400.00", "400.00"), "退款总金额"),
        (sums(2, "400.00", "400.00", "0.00001", "400.00", "400.00"), "手续费总金额"),
        (sums(2, "400.00", "400.00", "0.00000", "399.99", "400.00"), "订单总金额"),
        (sums(2, "400.00", "400.00", "0.00000", "400.00", "400.000"), "申请退款总金额"),
        ("`2,`400.00", "列"),
        ("", "列"),
    ],
)
def test_a_summary_that_does_not_agree_is_refused(totals, what):
    with pytest.raises(BadStatement, match=f"^第5行：.*{what}"):
        lines(bill(PAID, REFUNDED, sums=totals))


@pytest.mark.parametrize("cut", range(1, len(VECTOR), 97))
def test_wherever_a_file_is_cut_it_is_refused(cut):
    with pytest.raises(BadStatement):
        lines(VECTOR[:-cut])
    with pytest.raises(BadStatement):
        lines(gzip.compress(VECTOR)[: -(cut % 300) - 1])


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (bill(PAID, REFUNDED, head=HEAD.replace("手续费", "服务费")), 1),
        (bill(PAID, REFUNDED, head=f"{HEAD},手续费"), 1),
        (bill(PAID, REFUNDED, head=f"{HEAD},新的一列"), 2),
        (bill(PAID, REFUNDED + ",`"), 3),
        (bill(PAID, "", REFUNDED), 3),
        (bill(PAID.replace("`", ""), REFUNDED), 2),
        (bill(PAID, REFUNDED, totals=TOTALS.replace("手续费总金额", "服务费总金额")), 4),
        (VECTOR + b"`more\r\n", 6),
        (VECTOR.replace("城乡".encode(), "城乡".encode("gbk"), 1), 2),
        (VECTOR.replace(b"JSAPI", b"JS\xffPI", 1), 2),
        (VECTOR.replace(b"\r\n", b"\n"), 1),
        (HEAD.encode() + b"\r\n`" + b"x" * 200_000, 2),
        (b"<html>502</html>", 1),
    ],
)
def test_a_file_of_another_form_is_refused_by_its_line(content, row):
    with pytest.raises(BadStatement, match=f"^第{row}行："):
        lines(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(VECTOR) + b"more",
        gzip.compress(VECTOR) + gzip.compress(VECTOR),
        gzip.compress(VECTOR)[:-4] + b"\0\0\0\0",
        b"\x1f\x8b" + b"no gzip at all",
    ],
)
def test_a_package_that_is_not_one_whole_file_is_refused(content):
    with pytest.raises(BadStatement):
        lines(content)


def test_lines_before_the_fault_are_told_and_the_end_never_comes():
    read = read_lines(io.BytesIO(bill(PAID, REFUNDED, sums=ONLY_PAID)), DAY, mchid="1900000109")

    assert [next(read).row, next(read).row] == [2, 3]
    with pytest.raises(BadStatement):
        next(read)


def test_a_long_bill_is_read_in_little_memory():
    rows = 8_000
    total, fees = f"{rows * 400}.00", f"{rows * 8 // 10}.00000"
    long = gzip.compress(bill(*[PAID] * rows, sums=sums(rows, total, "0.00", fees, total, "0.00")), 1)

    tracemalloc.start()
    found = sum(1 for _ in read_lines(io.BytesIO(long), DAY, mchid="1900000109"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == rows
    assert most < 1_200_000  # unpacked, it is two and a half million bytes


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_proof_keeps_what_was_sent_and_takes_the_hash_of_what_is_in_it(size):
    packed, into = gzip.compress(VECTOR), io.BytesIO()
    proof = Proof(into)

    for place in range(0, len(packed), size):
        proof.write(packed[place : place + size])

    assert into.getvalue() == packed
    assert proof.digest() == hashlib.sha1(VECTOR).hexdigest()


def test_a_bomb_is_given_up(monkeypatch):
    monkeypatch.setattr("payments.gateways.wechat.lines.LARGEST_UNPACKED", 1_000_000)
    unpacker = Unpacker()

    with pytest.raises(BadStatement, match="太大"):
        for piece in unpacker.feed(gzip.compress(b"0" * 2_000_000)):
            assert len(piece) <= 65_536


days = iter(date(2023, 1, 1) + timedelta(days=n) for n in range(0, 700, 2))


@pytest.fixture
def turn(sandbox):
    """Turn the sandbox's business clock to a time of its own day, or so many days later."""
    day = next(days)

    def turn(hour=12, *, days=0):
        moment = datetime(day.year, day.month, day.day, hour, tzinfo=BEIJING) + timedelta(days=days)
        sandbox.post("/clock", {"offset_seconds": int((moment - utc_now()).total_seconds())})
        return day

    turn()
    return turn


@pytest.fixture
def wechat(sandbox):
    return sandbox.wechat()


def pay(sandbox, wechat, now, amount=32000):
    order = an_order(f"D{next(numbers)}", amount=amount, at=now)
    assert sandbox.pay(wechat.start(order).code_url).status == 200
    return wechat.query(order)


def fetched(wechat, day):
    into = io.BytesIO()
    assert wechat.fetch_statement(day, into)
    into.seek(0)
    return into


def at_noon(day):
    return datetime(day.year, day.month, day.day, 12, tzinfo=BEIJING).astimezone(UTC)


def test_a_days_payments_and_refunds_are_on_its_bill(sandbox, wechat, turn):
    day = turn()
    first = pay(sandbox, wechat, at_noon(day))
    second = pay(sandbox, wechat, at_noon(day), 12345)
    refund = RefundOrder(f"B{next(numbers)}", at_noon(day), first.number, first.reference, 32000, 2000, "多缴退回")
    sandbox.post("/settings", {"notify_factor": 1000})
    wechat.refund(refund)

    turn(11, days=1)
    bill = fetched(wechat, day)
    found = list(wechat.read_statement(bill, day))

    assert bill.getvalue()[:2] == b"\x1f\x8b"
    payments = {line.number: line for line in found if line.movement is Movement.PAYMENT}
    assert {number: line.amount for number, line in payments.items()} == {first.number: 32000, second.number: 12345}
    assert payments[first.number].reference == first.reference
    assert payments[first.number].happened_at == first.happened_at
    assert payments[second.number].fee == 24690
    [back] = [line for line in found if line.movement is Movement.REFUND]
    assert (back.number, back.refund_number, back.amount, back.fee) == (first.number, refund.number, 2000, -4000)
    assert (back.refund_reference, back.their_word) == (wechat.query_refund(refund).reference, "PROCESSING")


def test_a_refund_asked_for_on_another_day_stands_on_that_days_bill(sandbox, wechat, turn):
    day = turn()
    paid = pay(sandbox, wechat, at_noon(day))
    turn(0, days=1)
    wechat.refund(RefundOrder(f"B{next(numbers)}", utc_now(), paid.number, paid.reference, 32000, 32000, "退回"))
    turn(11, days=2)

    found = [
        [line.movement for line in wechat.read_statement(fetched(wechat, one), one)]
        for one in (day, day + timedelta(days=1))
    ]

    assert found == [[Movement.PAYMENT], [Movement.REFUND]]


def test_before_nine_the_bill_is_still_being_made(sandbox, wechat, turn):
    day = turn()
    pay(sandbox, wechat, at_noon(day))
    turn(8, days=1)

    with pytest.raises(StatementNotReady):
        wechat.fetch_statement(day, io.BytesIO())
    turn(10, days=1)
    sandbox.fault("statement_not_ready", gateway="wechat", count=2)
    for _ in range(2):
        with pytest.raises(StatementNotReady):
            wechat.fetch_statement(day, io.BytesIO())

    assert len(list(wechat.read_statement(fetched(wechat, day), day))) == 1


def test_a_day_that_is_not_over_has_no_bill_and_is_not_said_to_be_empty(sandbox, wechat, turn):
    with pytest.raises(GatewaySilent, match="PARAM_ERROR"):
        wechat.fetch_statement(turn(), io.BytesIO())


@pytest.fixture
def morning(sandbox, wechat, turn):
    """A day with a payment, the morning after."""
    day = turn()
    for _ in range(3):
        pay(sandbox, wechat, at_noon(day))
    turn(11, days=1)
    return day


def test_a_spent_link_is_asked_for_again_once(sandbox, wechat, morning):
    sandbox.fault("statement_expired")
    assert len(list(wechat.read_statement(fetched(wechat, morning), morning))) == 3

    sandbox.fault("statement_expired", count=2)
    with pytest.raises(GatewaySilent, match="statement: 400"):
        wechat.fetch_statement(morning, io.BytesIO())


def test_a_bill_that_does_not_fit_its_hash_is_refused(sandbox, wechat, morning):
    sandbox.fault("statement_hash")

    with pytest.raises(BadStatement, match="校验值"):
        wechat.fetch_statement(morning, io.BytesIO())


@pytest.mark.parametrize(
    ("kind", "what"),
    [("statement_truncated", "第|合计"), ("statement_junk", "不能辨认"), ("statement_total", "订单总金额")],
)
def test_a_bill_that_fits_its_hash_and_contradicts_itself_is_refused(sandbox, wechat, morning, kind, what):
    sandbox.fault(kind)

    bill = fetched(wechat, morning)

    with pytest.raises(BadStatement, match=what):
        list(wechat.read_statement(bill, morning))
    assert len(list(wechat.read_statement(fetched(wechat, morning), morning))) == 3


@pytest.mark.parametrize("kind", ["unsigned", "html", "truncated", "answer_signtest"])
def test_a_link_that_proves_nothing_is_silence(sandbox, wechat, morning, kind):
    sandbox.fault(kind, on="statement")

    with pytest.raises(GatewaySilent):
        wechat.fetch_statement(morning, io.BytesIO())


@pytest.mark.parametrize(("status", "code"), [(429, "FREQUENCY_LIMITED"), (500, "SYSTEM_ERROR"), (403, "NO_AUTH")])
def test_an_error_is_never_an_empty_day(sandbox, wechat, morning, status, code):
    sandbox.fault("error", on="statement", status=status, code=code)

    with pytest.raises(GatewaySilent, match=code):
        wechat.fetch_statement(morning, io.BytesIO())


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("https://api.mch.weixin.qq.com/v3/billdownload/file?token=x", True),
        ("https://api2.mch.weixin.qq.com/v3/billdownload/file?token=x", True),
        ("{ours}/v3/billdownload/file?token=x", True),
        ("http://api.mch.weixin.qq.com/v3/billdownload/file", False),
        ("https://api.mch.weixin.qq.com.invalid/", False),
        ("https://api.mch.weixin.qq.com:444/", False),
        ("https://a@api.mch.weixin.qq.com/", False),
        ("https://invalid/#api.mch.weixin.qq.com", False),
        ("{ours}/#fragment", False),
        ("{ours}/ blank", False),
        ("http://127.0.0.1:1/", False),
        ("http://[::1", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_a_link_leads_to_them_or_is_not_followed(sandbox, wechat, url, leads):
    address = url.replace("{ours}", sandbox.url)

    assert wechat._line.leads_to_them(address, wechat.facts.also_hosts) is leads
