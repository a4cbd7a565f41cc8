"""The bill as Alipay writes it is read to the fen; whatever departs from its form is refused with its line."""

import io
import zipfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from payments.errors import BadStatement
from payments.gateways.alipay.statement import read_bill
from payments.gateways.base import Movement

SELLER, DAY = "2088101568353491", date(2026, 1, 1)
RULE = "-" * 41
OURS, BACK_OURS = "YC2601010000C8Q7K3W9X0T2MB", "YT2601020000C8Q7K3W9X0T2MC"
HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
    "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
PAID = (
    f"2026010122001473030000000001\t,{OURS}\t,交易,居民医保 2022 年度\t,2026-01-01 08:00:00,2026-01-01 08:00:05,"
    "\t,\t,\t,\t,*例(159****5620)\t,"
    "400.50,400.50,0.00,0.00,0.00,0.00,0.00,\t,0.00,0.00,\t,-2.40,0.00,\t"
)
BACK = (
    f"2026010122001473030000000001\t,{OURS}\t,退款,居民医保 2022 年度\t,2026-01-01 08:00:00,2026-01-01 23:59:59,"
    "\t,\t,\t,\t,*例(159****5620)\t,"
    f"-100.00,-100.00,0.00,0.00,0.00,0.00,0.00,\t,0.00,0.00,{BACK_OURS}\t,0.60,0.00,\t"
)
LINES = [
    "#支付宝业务明细查询",
    f"#账号：[{SELLER}0156]",
    "#起始日期：[2026年01月01日 00:00:00]   终止日期：[2026年01月02日 00:00:00]",
    f"#{RULE}业务明细列表{RULE}",
    HEADER,
    PAID,
    BACK,
    f"#{RULE}业务明细列表结束{RULE}",
    "#交易合计：1笔，商家实收共400.50元，商家优惠共0.00元",
    "#退款合计：1笔，商家实收退款共-100.00元，商家优惠退款共0.00元",
    "#导出时间：[2026年01月02日 06:27:10]",
    "",
]
STEM = f"{SELLER}0156_20260101_业务明细"


def zipped(members, *, pack=zipfile.ZIP_DEFLATED):
    """Names in GBK without the mark for UTF-8, as theirs are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", pack) as archive:
        for place, (name, content) in enumerate(members):
            archive.writestr(chr(65 + place) * len(name.encode("gb18030")), content)
    whole = packed.getvalue()
    for place, (name, _) in enumerate(members):
        written = name.encode("gb18030")
        whole = whole.replace(bytes([65 + place]) * len(written), written)
    return io.BytesIO(whole)


def bill(lines=LINES, *, detail=None, **more):
    content = "\r\n".join(lines).encode("gb18030") if detail is None else detail
    return zipped([(f"{STEM}.csv", content), (f"{STEM}(汇总).csv", b"sum")], **more)


def read(file, *, day=DAY, seller_id=SELLER):
    return list(read_bill(file, day, seller_id=seller_id))


def changed(row, old, new):
    lines = list(LINES)
    assert old in lines[row - 1]
    lines[row - 1] = lines[row - 1].replace(old, new)
    return lines


def test_every_movement_is_read_to_the_fen():
    paid, back = read(bill())

    assert (paid.row, paid.movement, paid.number, paid.amount) == (6, Movement.PAYMENT, OURS, 40050)
    assert (paid.reference, paid.refund_number) == ("2026010122001473030000000001", "")
    assert (back.row, back.movement, back.number, back.amount) == (7, Movement.REFUND, OURS, 10000)
    assert (back.reference, back.refund_number) == (paid.reference, BACK_OURS)
    assert (paid.fee, back.fee) == (240_000, -60_000), "thousandths of a fen, whichever sign the file writes"
    assert paid.happened_at == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_a_header_with_other_brackets_blanks_and_order_is_the_same_header():
    lines = changed(5, "订单金额（元）", " 订单金额 (元)\t")
    names, cells = HEADER.split(","), [PAID.split(","), BACK.split(",")]
    order = sorted(range(len(names)), key=lambda place: names[place])
    turned = list(LINES)
    turned[4] = ",".join(names[place] for place in order)
    turned[5], turned[6] = (",".join(row[place] for place in order) for row in cells)

    assert read(bill(lines)) == read(bill(turned)) == read(bill())


def test_totals_of_refunds_may_stand_without_their_minus_and_the_comma_may_be_missing():
    lines = changed(10, "共-100.00元，商家优惠", "共100.00元商家优惠")

    assert len(read(bill(lines))) == 2


def test_a_name_marked_as_utf8_is_the_same_name():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{STEM}（汇总）.csv", b"sum")
        archive.writestr(f"{STEM}.csv", "\r\n".join(LINES).encode("gb18030"))

    assert len(read(packed)) == 2


def another(goods="收银台", note="", amount="5.00", kind="交易", number="POS20260101_7", stamp="2026-01-01 09:00:05"):
    """A line of another system that shares the account."""
    return (
        f"2026010122001473030000000009\t,{number}\t,{kind}\t,{goods},2026-01-01 09:00:00,{stamp},"
        f"\t,\t,\t,\t,*例(159****5620)\t,{amount},{amount},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,0.00,0.00,{note}"
    )


def with_another(line, *, count=2, came="405.50"):
    return [*LINES[:6], line, *LINES[6:8], f"#交易合计：{count}笔，商家实收共{came}元，商家优惠共0.00元", *LINES[9:]]


@pytest.mark.parametrize(
    "line", [another("热水器,1台"), another("a,b,c"), another(note="门店,3号"), another("1,2.00", "7.00")], ids=range(4)
)
def test_a_comma_in_another_systems_goods_leaves_its_line_out_and_the_totals_hold(caplog, line):
    """G2: the lines of ours beside it are read as ever, and the totals are compared with it."""
    assert read(bill(with_another(line))) == [
        replace(one, row=row) for one, row in zip(read(bill()), (6, 8), strict=True)
    ]
    assert "1 lines of other systems left out" in caplog.text
    for wrong in ({"count": 1}, {"came": "405.51"}, {"came": "400.50"}):
        with pytest.raises(BadStatement, match="合计写的是"):
            read(bill(with_another(line, **wrong)))


def test_a_line_of_another_system_and_of_another_kind_is_left_out():
    """G2: a kind of business that the totals do not count."""
    lines = with_another(another(kind="转账"), count=1, came="400.50")

    assert [line.number for line in read(bill(lines))] == [OURS, OURS]


def test_a_line_of_another_system_that_is_whole_is_told_as_it_is():
    found = read(bill(with_another(another())))

    assert [line.number for line in found] == [OURS, "POS20260101_7", OURS]


@pytest.mark.parametrize("goods", ["居民医保,2022", "a,b,c"])
def test_a_line_that_carries_a_number_of_ours_is_never_left_out(goods):
    for number in (OURS, BACK_OURS):
        with pytest.raises(BadStatement, match="第7行：有2"):
            read(bill(with_another(another(goods, number=number))))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (changed(1, "业务明细查询", "账务明细查询"), "第1行：不是业务明细"),
        (changed(2, SELLER, "2088101568353492"), "第2行：不是我们的账号"),
        (changed(3, "01月01日 00", "01月02日 00"), "第3行：不是这一天"),
        (changed(4, "业务明细列表", "账务明细列表"), "第4行：应当是明细列表的开头"),
        (changed(5, "商家实收（元）", "实收（元）"), "第5行：表头缺少商家实收"),
        (changed(5, "备注", "服务费(元)"), "第5行：表头有重复的列"),
        (changed(6, "居民医保 2022", "居民医保,2022"), "第6行：有26列，应当是25列"),
        (changed(6, ",\t,-2.40,0.00,\t", ""), "第6行：有21列，应当是25列"),
        (changed(6, "交易,", "转账,"), "第6行：业务类型不认识"),
        (changed(6, "2026010122001473030000000001", "x"), "第6行：支付宝交易号不对"),
        (changed(6, "400.50,400.50", "400.505,400.50"), "第6行：金额不对"),
        (changed(6, "400.50,400.50", "4e2,400.50"), "第6行：金额不对"),
        (changed(6, "400.50,400.50", "４00.50,400.50"), "第6行：金额不对"),
        (changed(6, "400.50,400.50", ",400.50"), "第6行：金额不对"),
        (changed(6, "400.50,400.50", "--1,400.50"), "第6行：金额不对"),
        (changed(6, "400.50,400.50", "-400.50,-400.50"), "第6行：金额的正负"),
        (changed(7, "-100.00,-100.00", "100.00,100.00"), "第7行：金额的正负"),
        (changed(6, "08:00:05", "24:00:05"), "第6行：完成时间不对"),
        (changed(6, "2026-01-01 08:00:05", "2026-01-02 00:00:00"), "第6行：完成时间不对"),
        (changed(6, "2026-01-01 08:00:05", "2026/01/01 08:00"), "第6行：完成时间不对"),
        (changed(9, "1笔", "2笔"), "第9行：合计写的是2笔，明细有1笔"),
        (changed(9, "400.50", "400.51"), "第9行：合计写的是400.51元，明细加起来是400.50元"),
        (changed(9, "优惠共0.00", "优惠共0.01"), "第9行：合计写的是0.01元"),
        (changed(10, "-100.00", "-99.99"), "第10行：合计写的是-99.99元"),
        (changed(11, "导出时间", "导出"), "第11行：应当是导出时间"),
        (LINES[:5], "第5行：文件不完整"),
        ([*LINES[:7], *LINES[8:]], "第8行：明细之间有别的内容"),
        ([*LINES[:6], "", *LINES[6:]], "第7行：有1列"),
        ([*LINES[:9], ""], "第10行：文件不完整"),
        ([*LINES[:10], ""], "第11行：文件不完整"),
        ([*LINES, "x"], "第12行：末尾还有别的内容"),
        (["\ufeff" + LINES[0], *LINES[1:]], "第1行：不是业务明细"),
    ],
)
def test_what_departs_from_the_form_is_refused_with_its_line(lines, words):
    with pytest.raises(BadStatement, match=f"^{words}"):
        read(bill(lines))


@pytest.mark.parametrize("place", [0, 300, 700, 1500])
def test_bytes_that_are_no_chinese_are_refused(place):
    good = "\r\n".join(LINES).encode("gb18030")

    with pytest.raises(BadStatement, match=r"^第\d+行"):
        read(bill(detail=good[:place] + b"\xff" + good[place:]))


def test_a_line_without_end_is_refused_before_it_is_in_memory():
    with pytest.raises(BadStatement, match="第1行：一行太长"):
        read(bill(detail=b"#" * 100_000, pack=zipfile.ZIP_STORED))


def test_another_day_or_merchant_is_refused_by_the_names_already():
    for wrong in ({"day": date(2026, 1, 2)}, {"seller_id": "2088101568353492"}):
        with pytest.raises(BadStatement, match="不是这个商户这一天"):
            read(bill(), **wrong)


SUM, DETAIL = (f"{STEM}(汇总).csv", b"sum"), (f"{STEM}.csv", "\r\n".join(LINES).encode("gb18030"))


@pytest.mark.parametrize(
    "members",
    [
        [],
        [DETAIL],
        [SUM],
        [DETAIL, SUM, ("readme.txt", b"")],
        [DETAIL, ("../" + SUM[0], b"")],
        [(f"a/{STEM}.csv", DETAIL[1]), SUM],
        [("/" + DETAIL[0], DETAIL[1]), SUM],
        [(f"{STEM}.zip", DETAIL[1]), SUM],
        [DETAIL, DETAIL],
    ],
    ids=range(9),
)
def test_a_zip_with_other_members_is_refused(members):
    with pytest.raises(BadStatement, match="压缩包里的文件"):
        read(zipped(members))


def test_a_zip_within_the_zip_is_no_bill():
    with pytest.raises(BadStatement):
        read(bill(detail=bill().getvalue()))


def test_a_zip_that_unpacks_to_a_thousand_times_its_size_is_refused_unopened():
    with pytest.raises(BadStatement, match="大得不合理"):
        read(bill(detail=b"\r\n" * 2_000_000))


def test_a_size_that_lies_is_found_when_it_is_unpacked():
    whole = bill(detail=DETAIL[1] + b" " * 3000, pack=zipfile.ZIP_STORED).getvalue()
    length = (len(DETAIL[1]) + 3000).to_bytes(4, "little")

    with pytest.raises(BadStatement):
        read(io.BytesIO(whole.replace(length, (100).to_bytes(4, "little"))))


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
def test_an_encrypted_or_patched_member_is_refused(flag):
    whole = bytearray(bill().getvalue())
    at = whole.index(b"PK\x01\x02") + 8
    whole[at : at + 2] = flag.to_bytes(2, "little")

    with pytest.raises(BadStatement):
        read(io.BytesIO(bytes(whole)))


@pytest.mark.parametrize("cut", range(5))
def test_half_a_zip_is_refused(cut):
    whole = bill().getvalue()

    with pytest.raises(BadStatement):
        read(io.BytesIO(whole[: len(whole) * cut // 5]))


@pytest.mark.parametrize("place", range(0, 1200, 37))
def test_a_flipped_byte_never_changes_a_figure_unnoticed(place):
    good = bill().getvalue()
    spoilt = bytearray(good)
    spoilt[place % len(good)] ^= 0x10

    with suppress(BadStatement):
        assert read(io.BytesIO(bytes(spoilt))) == read(bill())


def test_a_page_instead_of_a_zip_is_refused():
    with pytest.raises(BadStatement, match="不是压缩包"):
        read(io.BytesIO(b"<html>" * 1000))


def test_a_long_bill_is_read_line_by_line():
    rows = [PAID.replace(OURS, f"YB{n:06d}") for n in range(20_000)]
    total = "#交易合计：20000笔，商家实收共8010000.00元，商家优惠共0.00元"
    back = "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元"
    file = bill([*LINES[:5], *rows, LINES[7], total, back, *LINES[10:]])

    lines = read_bill(file, DAY, seller_id=SELLER)

    assert next(lines).number == "YB000000"
    assert sum(1 for _ in lines) == 19_999
