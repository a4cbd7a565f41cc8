"""The reconciliation file: the real layout by GBK bytes, and every way in which a file can be wrong."""

import base64
import io
import zipfile
import zlib
from datetime import date, datetime
from itertools import accumulate
from pathlib import Path

import pytest

from core.clock import BEIJING
from payments.errors import BadStatement
from payments.gateways.base import Movement
from payments.gateways.unionpay.statement import lines_of, unpacked_to

HERE = Path(__file__).parents[2] / "vectors" / "unionpay"
OURS, DAY = "777290000000001", date(2026, 11, 23)
ZM, ZME = (HERE / "ZM.txt").read_bytes(), (HERE / "ZME.txt").read_bytes()
ROW, REFUND_ROW, CHINESE_ROW = ZM.split(b"\r\n")[:3]
WIDTHS = (
    *(3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2),
    *(6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98),
)
STARTS = [0, *accumulate(width + 1 for width in WIDTHS)]


def with_column(row, number, value):
    """The row with one column replaced, padded to its width."""
    start, width = STARTS[number - 1], WIDTHS[number - 1]
    return row[:start] + value.encode("gbk").ljust(width)[:width] + row[start + width :]


def packed(how=zipfile.ZIP_DEFLATED, **files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return held


def read(zm=ZM, zme=b"", day=DAY, stamp="26112388"):
    held = packed(**{f"INN{stamp}ZM_{OURS}": zm, f"INN{stamp}ZME_{OURS}": zme})
    return list(lines_of(held, day, mer_id=OURS))


def unpacked(content):
    into = io.BytesIO()
    unpacked_to(content, into)
    return into.getvalue()


def test_the_vector_is_read_as_the_sheet_says_its_chinese_row_too():
    held = io.BytesIO(unpacked((HERE / "fileContent.txt").read_text()))

    payment, refund, chinese, adjustment = lines_of(held, DAY, mer_id=OURS)

    assert (payment.number, payment.reference) == ("YB2026112300000001", "442611231015304678498")
    assert (payment.movement, payment.amount, payment.fee) == (Movement.PAYMENT, 38000, 228_000)
    assert payment.happened_at == datetime(2026, 11, 23, 10, 15, 30, tzinfo=BEIJING)
    assert (refund.movement, refund.amount, refund.fee) == (Movement.REFUND, 38000, -228_000)
    assert (refund.number, refund.reference) == (payment.number, payment.reference)
    assert (refund.refund_number, refund.refund_reference) == ("RF2026112400000001", "052611240900007863998")
    assert (chinese.number, chinese.amount, chinese.fee) == (payment.number, 38000, 228_000)
    assert (adjustment.movement, adjustment.number, adjustment.amount) == (Movement.PAYMENT, "", 38000)
    assert adjustment.their_word == "ZME E22 467849/1122101530/1122"
    assert [line.row for line in (payment, refund, chinese, adjustment)] == [1, 2, 3, 4]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b""])
def test_the_last_column_has_98_or_99_bytes_and_the_last_line_may_lack_its_end(end):
    assert [line.amount for line in read(ROW + b"\r\n" + ROW + b" " + end)] == [38000, 38000]


def test_a_day_without_any_line_has_none():
    assert read(b"") == []


@pytest.mark.parametrize(
    ("day", "stamp", "moment"),
    [
        (date(2026, 12, 31), "1231225959", datetime(2026, 12, 31, 22, 59, 59, tzinfo=BEIJING)),
        (date(2027, 1, 1), "1231230001", datetime(2026, 12, 31, 23, 0, 1, tzinfo=BEIJING)),
        (date(2026, 12, 31), "0101000001", datetime(2027, 1, 1, 0, 0, 1, tzinfo=BEIJING)),
        (date(2028, 2, 29), "0229120000", datetime(2028, 2, 29, 12, tzinfo=BEIJING)),
    ],
)
def test_the_year_of_a_line_is_the_one_nearest_to_the_day(day, stamp, moment):
    [line] = read(with_column(ROW, 5, stamp), day=day, stamp=f"{day:%y%m%d}88")

    assert line.happened_at == moment


def test_a_text_cut_in_the_middle_of_a_character_spoils_nothing():
    cut = ROW[: STARTS[34]] + ("a" + "城" * 16).encode("gbk")[:32] + ROW[STARTS[34] + 32 :]

    assert read(cut)[0].amount == 38000


@pytest.mark.parametrize(
    ("settled", "discount"), [("C000000037772", "D000000000500"), ("C000000037272", "D000000000500")]
)
def test_what_a_discount_leaves_may_be_settled(settled, discount):
    [line] = read(with_column(with_column(ROW, 17, settled), 36, discount))

    assert (line.amount, line.fee) == (38000, 228_000)


def test_without_a_fee_the_whole_amount_is_settled():
    [line] = read(with_column(with_column(ROW, 16, ""), 17, "C000000038000"))

    assert line.fee == 0


@pytest.mark.parametrize(
    ("kind", "settled", "fee", "movement"),
    [
        ("31", "D000000037772", "C000000000228", Movement.REFUND),
        ("99", "D000000037772", "C000000000228", Movement.REFUND),
        ("13", "C000000037772", "D000000000228", Movement.PAYMENT),
    ],
)
def test_a_trade_nobody_here_asked_for_is_told_by_the_way_its_money_went(kind, settled, fee, movement):
    row = with_column(with_column(with_column(ROW, 20, kind), 17, settled), 16, fee)

    [line] = read(row)

    assert (line.movement, line.their_word, line.amount) == (movement, f"{kind}07", 38000)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (5, "1323101530"),
        (5, "0230101530"),
        (5, "112310153"),
        (7, "00000003800"),
        (7, "0000000380.0"),
        (7, "-00000038000"),
        (7, ""),
        (7, "000000038001"),
        (10, "44261123"),
        (10, ""),
        (12, "YB-2026"),
        (16, "000000000228"),
        (16, "X000000000228"),
        (16, "D000000000229"),
        (17, "C000000037773"),
        (17, "D000000037772"),
        (17, ""),
        (20, ""),
        (20, "0A"),
        (20, "04"),
        (28, "777290000000002"),
        (28, ""),
        (36, "500"),
    ],
)
def test_a_column_that_makes_no_sense_names_its_line(number, value):
    with pytest.raises(BadStatement, match=r"^ZM 第2行："):
        read(ROW + b"\r\n" + with_column(ROW, number, value) + b"\r\n")


@pytest.mark.parametrize(
    "line",
    [
        ROW[:-1],
        ROW + b"  ",
        ROW[:300],
        b"",
        ROW[:3] + ROW[4:] + b" ",
        ROW[:15] + b"x" + ROW[16:],
        ROW[: STARTS[30]] + b"\xff\xfe" + ROW[STARTS[30] + 2 :],
        ROW[: STARTS[30]] + b"\x00" + ROW[STARTS[30] + 1 :],
        ROW + b"," * 100_000,
        ROW.replace(b"38000", "３８".encode("gbk") + b"0", 1),
    ],
)
def test_a_line_of_another_shape_names_itself(line):
    with pytest.raises(BadStatement, match=r"^ZM 第2行："):
        read(ROW + b"\r\n" + line + b"\r\n" + ROW + b"\r\n")


@pytest.mark.parametrize(
    "line", [ZME.strip(b"\r\n")[:-1], ZME.replace(b"037772", b"037773"), ZME.replace(OURS.encode(), b"777290000000002")]
)
def test_the_error_file_is_read_as_strictly(line):
    with pytest.raises(BadStatement, match=r"^ZME 第1行："):
        read(zme=line)


def test_lines_come_one_by_one_and_what_is_wrong_is_said_when_it_is_reached():
    lines = lines_of(packed(**{f"INN26112388ZM_{OURS}": ROW + b"\r\nx\r\n"}), DAY, mer_id=OURS)

    assert next(lines).row == 1
    with pytest.raises(BadStatement, match="第2行"):
        next(lines)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "没有对账文件"),
        ({"readme.txt": b"1"}, "不认识"),
        ({f"../INN26112388ZM_{OURS}": ZM}, "不认识"),
        ({f"/etc/INN26112388ZM_{OURS}": ZM}, "不认识"),
        ({f"INN26112388ZM_{OURS}": ZM, "PED_1": b"1"}, "不认识"),
        ({f"INN26112388PED_{OURS}": b"1"}, "没有对账文件"),
        ({f"INN26112388ZM_{OURS}": ZM, "INN26112388PED_777290000000002": b"1"}, "别的商户"),
        ({"INN26112388ZM_777290000000002": ZM}, "别的商户"),
        ({f"INN25112388ZM_{OURS}": ZM}, "另一天"),
        ({f"INN26112588ZM_{OURS}": ZM}, "另一天"),
        ({f"x{n}": b"" for n in range(21)}, "太多"),
    ],
)
def test_a_package_with_something_else_in_it_is_refused(files, why):
    with pytest.raises(BadStatement, match=why):
        list(lines_of(packed(**files), DAY, mer_id=OURS))


@pytest.mark.parametrize("kind", ["PED", "PEDERR", "FEE", "ZMFEE"])
def test_a_file_of_another_kind_does_not_refuse_the_day_and_is_named(caplog, kind):
    """Low: a package may bring periodic and fee files of ours beside the trades."""
    files = {f"INN26112388ZM_{OURS}": ZM, f"INN26112388{kind}_{OURS}": b"1 2 3"}

    assert len(list(lines_of(packed(**files), DAY, mer_id=OURS))) == 3
    assert f"another kind, {kind}" in caplog.text


def test_an_empty_file_nobody_knows_is_passed_over():
    assert len(list(lines_of(packed(**{f"INN26112388ZM_{OURS}": ZM, "readme": b""}), DAY, mer_id=OURS))) == 3


def test_a_package_says_no_more_than_it_may():
    held = bytearray(packed(**{f"INN26112388ZM_{OURS}": ZM}).getvalue())
    size = len(ZM).to_bytes(4, "little")
    held[held.rindex(size) : held.rindex(size) + 4] = (2**31).to_bytes(4, "little")

    with pytest.raises(BadStatement, match="太大"):
        list(lines_of(io.BytesIO(held), DAY, mer_id=OURS))


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_package_packed_in_another_way_is_refused(how):
    with pytest.raises(BadStatement, match="压缩方式"):
        list(lines_of(packed(how, **{f"INN26112388ZM_{OURS}": ZM}), DAY, mer_id=OURS))


def test_a_package_with_any_byte_wrong_gives_the_same_lines_or_a_no():
    whole = packed(**{f"INN26112388ZM_{OURS}": ZM}).getvalue()
    good, refused = list(lines_of(io.BytesIO(whole), DAY, mer_id=OURS)), 0

    for place in range(len(whole)):
        spoilt = whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :]
        try:
            assert list(lines_of(io.BytesIO(spoilt), DAY, mer_id=OURS)) == good, place
        except BadStatement:
            refused += 1
    assert refused > len(whole) // 2


@pytest.mark.parametrize("length", [0, 1, 100, 400])
def test_half_a_package_is_refused(length):
    with pytest.raises(BadStatement):
        list(lines_of(io.BytesIO(packed(**{f"INN26112388ZM_{OURS}": ZM}).getvalue()[:length]), DAY, mer_id=OURS))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "AAAA",
        "not base64!",
        base64.b64encode(zlib.compress(b"zip")[:-1]).decode(),
        base64.b64encode(zlib.compress(b"zip") + b"more").decode(),
        base64.b64encode(b"\x00" + zlib.compress(b"zip")).decode(),
        base64.b64encode(zlib.compress(b"\x00" * (64 * 1024 * 1024 + 1))).decode(),
    ],
)
def test_content_that_is_not_one_whole_stream_is_refused(content):
    with pytest.raises(BadStatement):
        unpacked(content)


def test_content_may_be_broken_into_lines():
    content = base64.encodebytes(zlib.compress(b"zip" * 100_000)).decode()

    assert unpacked(content) == b"zip" * 100_000
