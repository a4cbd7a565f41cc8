"""Files of bank, treasury, bureaus and POS terminals: whole or not at all, once, booked by serial, compared."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.flows.pay.start import Want
from app.flows.reconcile.clear_difference import clear, confirm
from app.flows.reconcile.compare import reconcile_day
from app.flows.reconcile.import_outside import SerialKnown, import_outside
from app.policy.facts import Insurance
from payments.ledger.balances import balance
from payments.reconcile.outside_files import KINDS as FILES
from payments.reconcile.outside_files import LARGEST, BadOutsideFile, read, template
from tests.builders import NOON, a_person, an_id_number
from tests.days import DAY, MORNING, book, differences, keep, line, paid
from tests.refunding import start, state

CLERK, LEAD = "staff:clerk01", "staff:lead01"
BANK = "银行流水号,入账日期,金额,渠道,业务日期,业务日期止"
TREASURY = "税票号,入库日期,业务日期,险种,年度,类别,金额"
BUREAU = "记录号,险种,年度,身份证号,个人缴费,缴费日期,确认日期,动作"
POS = "终端号,流水号,村居,卡号后四位,金额,时间,项目号,身份证号,险种"


def a_file(heading, *rows, total, encoding="utf-8"):
    return "\n".join([heading, *rows, f"合计,{len(rows)},{total}", ""]).encode(encoding)


def take(running, kind, content):
    return import_outside(running.parts, kind, content, by=CLERK)


def of(running, account):
    with running.parts.engine.connect() as connection:
        return balance(connection, account)


@pytest.fixture
def days(running):
    """Three days of WeChat Pay, Friday to Sunday: 4, 0 and 2 premiums, with a fee of a fen a line."""
    for place, how_many in enumerate((4, 0, 2)):
        moment = NOON + timedelta(days=place)
        words = paid(running, "wechat", how_many, first=1 + 100 * place, at=moment)
        book(running, words, now=moment)
        keep(running, "wechat", [line(word, fee=1000) for word in words], day=DAY + timedelta(days=place))
    running.turn(MORNING + timedelta(days=3))
    for place in range(3):
        reconcile_day(running.parts, "wechat", DAY + timedelta(days=place))
    return running


def test_one_credit_of_the_bank_is_one_day_of_a_channel(days):
    content = a_file(BANK, "B1,2021-11-06,1279.96,微信支付,,", total="1279.96")

    assert take(days, "bank", content).taken
    assert not take(days, "bank", content).taken, "the same file again changes nothing"

    assert of(days, "bank:pending") == 127996
    assert of(days, "clearing:wechat") == 63998
    assert differences(days) == []


@pytest.mark.parametrize("total", ['"1,919.94"', "1919.94"])
@pytest.mark.parametrize("amount", ['"1,919.94"', "1919.94"])
def test_thousands_are_written_alike_in_rows_and_in_the_control(days, amount, total):
    """G3."""
    take(days, "bank", a_file(BANK, f"B1,2021-11-08,{amount},,,", total=total))

    assert of(days, "clearing:wechat") == 0


@pytest.mark.parametrize("amount", ['"1,91,9.94"', '"1919,94"', '"19,19.94"', '",919.94"', '"1,919.9,4"'])
def test_a_comma_in_the_wrong_place_is_no_amount_in_either(days, amount):
    """G3."""
    for row, total in ((amount, "1919.94"), ("1919.94", amount)):
        with pytest.raises(BadOutsideFile, match="row"):
            take(days, "bank", a_file(BANK, f"B1,2021-11-08,{row},,,", total=total))
    assert of(days, "bank:pending") == 0


@pytest.mark.parametrize("word", ["云闪付", "银联", "unionpay"])
def test_a_bank_may_call_the_channel_by_either_name(word):
    [row] = read("bank", a_file(BANK, f"B1,2021-11-06,1.00,{word},,", total="1.00")).rows
    assert row["channel"] == "unionpay"


@pytest.mark.parametrize("named", ["微信支付,2021-11-05,2021-11-07", ",,"], ids=["says its days", "says nothing"])
def test_one_credit_may_be_a_weekend(days, named):
    take(days, "bank", a_file(BANK, f"B1,2021-11-08,1919.94,{named}", total="1919.94", encoding="gbk"))

    assert of(days, "clearing:wechat") == 0
    assert differences(days) == []


def test_a_credit_that_is_short_is_booked_and_the_rest_is_a_fee_if_two_people_say_so(days):
    take(days, "bank", a_file(BANK, "B1,2021-11-06,1279.00,wechat,2021-11-05,", total="1279.00"))
    assert differences(days) == [("AMOUNT_DIFF", "B1", 127996, 127900)]
    assert days.one("select array_agg(gateway || ' ' || day) from statement where deposit is not null")[0] == [
        "wechat 2021-11-05"
    ]
    key = days.one("select id from discrepancy")[0]

    clear(days.parts, key, "book", "跨行手续费", by=CLERK)
    confirm(days.parts, key, agreed=True, by=LEAD)

    assert of(days, "fees:wechat") == 6 + 96
    assert of(days, "clearing:wechat") == 63998


def test_what_fits_nothing_comes_twice_or_late_has_its_name_and_an_owner(days):
    take(
        days,
        "bank",
        a_file(
            BANK,
            "B1,2021-11-06,1279.96,wechat,2021-11-05,",
            "B2,2021-11-06,1279.96,wechat,2021-11-05,",
            "B3,2021-11-07,12.34,,,",
            "B4,2021-11-20,639.98,wechat,2021-11-07,",
            "B5,2021-11-07,5.00,现金,,",
            total="3217.24",
        ),
    )

    assert sorted((kind, subject) for kind, subject, *_ in differences(days)) == [
        ("DATE_DIFF", "B4"),
        ("DUPLICATE", "B2"),
        ("MISSING_IN_LEDGER", "B3"),
        ("UNKNOWN_PERSON", "B5"),
    ]
    assert of(days, "suspense:bank") == -(127996 + 1234 + 500)
    assert days.one("select count(*), min(owner) from suspense") == (3, "tax_clerk")
    assert of(days, "bank:pending") == 321724


def test_a_day_whose_money_does_not_come_is_missing_until_it_comes(days):
    take(days, "bank", a_file(BANK, "B1,2021-11-09,639.98,wechat,2021-11-07,", total="639.98"))
    assert differences(days) == [("MISSING_IN_BANK", "net", 127996, None)]

    take(days, "bank", a_file(BANK, "B2,2021-11-09,1279.96,wechat,2021-11-05,", total="1279.96"))

    assert differences(days) == []


def test_cash_that_no_agent_wrote_down_waits_with_an_owner(days):
    take(days, "bank", a_file(BANK, "B1,2021-11-06,320.00,现金,,", total="320.00"))

    assert of(days, "suspense:bank") == -32000 and of(days, "bank:pending") == 32000
    assert differences(days) == [("UNKNOWN_PERSON", "B1", None, 32000)]


def test_the_treasury_books_what_residents_paid_and_what_others_owe(days):
    rows = [
        "T1,2021-11-08,2021-11-05,居民医疗保险,2022,保费,1280.00",
        "T2,2021-11-09,2021-11-07,RES_MEDICAL,2022,保费,640.00",
        "T3,2021-11-09,2021-11-07,RES_MEDICAL,2022,财政补贴,3480.00",
    ]

    take(days, "treasury", a_file(TREASURY, *rows, total="5400.00"))

    assert differences(days) == []
    assert of(days, "treasury:RES_MEDICAL:2022") == 540000
    assert of(days, "receivable:gov_subsidy:finance:RES_MEDICAL") == 0


def test_the_treasurys_differences_have_their_names(days):
    rows = [
        "T1,2021-11-08,2021-11-05,RES_MEDICAL,2022,保费,1270.00",
        "T2,2021-11-08,2021-11-06,RES_MEDICAL,2022,保费,10.00",
        "T3,2021-11-08,2021-11-07,RES_MEDICAL,2022,保费,640.00",
        "T4,2021-11-12,2021-11-07,RES_MEDICAL,2022,保费,640.00",
        "T5,2021-11-12,2021-11-07,RES_MEDICAL,2022,gov_subsidy:nobody,1.00",
    ]
    take(days, "treasury", a_file(TREASURY, *rows, total="2561.00"))

    assert sorted((kind, ours or 0, theirs) for kind, _, ours, theirs in differences(days)) == [
        ("AMOUNT_DIFF", 128000, 127000),
        ("DUPLICATE", 64000, 128000),
        ("MISSING_IN_LEDGER", 0, 1000),
        ("UNKNOWN_PERSON", 0, 100),
    ]


def test_a_premium_that_the_treasury_has_late_or_not_at_all(days):
    rows = [
        "T1,2021-11-25,2021-11-05,RES_MEDICAL,2022,保费,1280.00",
        "T2,2021-11-25,2021-11-08,RES_MEDICAL,2022,保费,1.00",
    ]

    take(days, "treasury", a_file(TREASURY, *rows, total="1281.00"))

    assert sorted((kind, ours) for kind, _, ours, _ in differences(days) if ours) == [
        ("DATE_DIFF", 128000),
        ("MISSING_IN_BANK", 64000),
    ]


@pytest.fixture
def person(running):
    return running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=5)))


def a_pos_line(trace="000001", amount="320.00", item="", who=None, insurance="", at="2021-11-05 10:00:00"):
    number = who or an_id_number(sequence=5)
    return f"T0001,{trace},示例村,1234,{amount},{at},{item},{number},{insurance}"


def test_a_card_of_half_an_hour_past_midnight_is_of_the_new_day(running, person):
    """A channel that only sends files counts Beijing days, whenever its list is compared anew."""
    running.turn(MORNING)
    early, late = a_pos_line(at="2021-11-05 00:30:00"), a_pos_line("000002", "500.00", insurance="居民养老保险")
    take(running, "pos", a_file(POS, early, late, total="820.00"))
    take(running, "pos", a_file(POS, late, total="500.00"))
    named = differences(running)
    assert [(kind, ours) for kind, _, ours, _ in named] == [("MISSING_IN_BANK", 32000)]

    reconcile_day(running.parts, "ccb_pos", DAY)

    assert differences(running) == named


def test_a_card_settles_the_open_bill_it_fits_exactly(running, person):
    running.turn(MORNING)
    content = a_file(POS, a_pos_line(), a_pos_line("000002", "500.00", insurance="居民养老保险"), total="820.00")

    assert take(running, "pos", content).open == 0

    assert running.one("select count(*) from bill where state = 'settled'")[0] == 2
    assert of(running, "clearing:ccb_pos") == 82000
    assert differences(running) == []
    rows = running.one("select min(booked_on), min(happened_at) from entry where cause like 'receipt:ccb_pos:T0001-%'")
    assert rows[0] == DAY + timedelta(days=1)


def test_nobodys_code_bars_a_card_at_the_counter(running, person):
    """M3: a code for another tier is left, and the card settles the one that was paid; his medical code stays."""
    code = start(running, Want(person, Insurance.RES_PENSION, 30000), gateway="unionpay")
    medical = start(running, Want(person, Insurance.RES_MEDICAL), key="key-0002")
    running.turn(MORNING)

    take(running, "pos", a_file(POS, a_pos_line("000002", "500.00", insurance="居民养老保险"), total="500.00"))

    assert running.one("select personal_due from bill where state = 'settled'")[0] == 50000
    assert (state(running, code.number), state(running, medical.number)) == ("left", "pending")
    assert of(running, "clearing:ccb_pos") == 50000 and differences(running) == []


def test_a_trace_whose_zeros_a_spreadsheet_took_is_said_and_nothing_is_booked(running, person):
    """G3: 123 is another number than 000123, and a second import would book the money again."""
    running.turn(MORNING)
    take(running, "pos", a_file(POS, a_pos_line("000123"), total="320.00"))

    with pytest.raises(BadOutsideFile) as refused:
        take(running, "pos", a_file(POS, a_pos_line("123"), total="320.00"))

    assert "流水号" in refused.value.sentence() and "前面的0" in refused.value.sentence()
    assert running.one("select count(*) from bill where state = 'settled'")[0] == 1
    assert of(running, "clearing:ccb_pos") == 32000


def test_a_card_that_fits_nothing_is_held_with_an_owner(running, person):
    running.turn(MORNING)
    lines = [
        a_pos_line("000001", "319.00", insurance="RES_MEDICAL"),
        a_pos_line("000002", "320.00", who=an_id_number(sequence=99)),
        a_pos_line("000003", "320.00", item="12345"),
        a_pos_line("000004"),
        a_pos_line("000005"),
    ]
    take(running, "pos", a_file(POS, *lines, total="1599.00"))

    assert running.one("select count(*) from bill where state = 'settled'")[0] == 1
    assert of(running, "suspense:ccb_pos") == -(31900 + 32000 + 32000)
    assert of(running, "surplus:ccb_pos") == -32000
    assert {kind for kind, *_ in differences(running)} == {"UNKNOWN_PERSON"}
    leaked = running.one("select count(*) from statement_row where to_jsonb(statement_row)::text like '%370499%'")
    assert leaked[0] == 0


def test_a_bureau_confirms_persons_by_number_and_the_number_is_not_kept(running, person):
    running.turn(MORNING)
    take(running, "pos", a_file(POS, a_pos_line(), total="320.00"))
    confirmed = f"R1,居民医疗保险,2022,{an_id_number(sequence=5)},320.00,2021-11-05,2021-11-06,缴费"
    take(running, "bureau", a_file(BUREAU, confirmed, total="320.00"))
    assert differences(running) == []

    rows = [
        f"R2,RES_MEDICAL,2022,{an_id_number(sequence=5)},320.00,2021-11-05,2021-11-06,PAY",
        f"R3,RES_MEDICAL,2022,{an_id_number(sequence=77)},320.00,2021-11-05,2021-11-06,PAY",
        f"R4,RES_PENSION,2022,{an_id_number(sequence=5)},500.00,2021-11-05,2021-11-06,PAY",
    ]
    take(running, "bureau", a_file(BUREAU, *rows, total="1140.00"))

    assert sorted((kind, subject) for kind, subject, *_ in differences(running)) == [
        ("DUPLICATE", "R2"),
        ("MISSING_IN_LEDGER", "R4"),
        ("UNKNOWN_PERSON", "R3"),
    ]
    kept = running.one("select count(*) from outside_row where to_jsonb(outside_row)::text like '%370499%'")
    assert kept[0] == 0


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("bank", a_file(BANK, "B1,2021-11-06,1.234,微信支付,,", total="1.23"), ("第2行", "金额")),
        ("bank", a_file(BANK, "B1,2021-11-06,1.00,微信,,", total="1.00"), ("第2行", "渠道")),
        ("bank", a_file(BANK, "B1,6 Nov,1.00,,,", total="1.00"), ("第2行", "入账日期")),
        ("bank", a_file(BANK, "B1,2021-11-06,1.00,,,", total="2.00"), ("第3行", "总金额")),
        ("bank", a_file(BANK, "B1,2021-11-06,1.00,,", total="1.00"), ("第2行", "列数")),
        ("bank", a_file(BANK, "B1,2021-11-06,1.00,,,", "B1,2021-11-06,1.00,,,", total="2.00"), ("第3行", "编号")),
        ("bank", b"a,b\n1,2\n", ("第1行", "a、b")),
        ("bank", b"", ("没有合计行",)),
        ("bank", BANK.encode() + b"\nB1,2021-11-06,1.00,,,\n", ("合计",)),
        ("bank", b"\xff\xff\xff", ("UTF-8",)),
        ("bank", a_file(BANK, "B1,2021-11-06,1.00,wechat,2021-11-05,2021-11-04", total="1.00"), ("业务日期止",)),
        ("treasury", a_file(TREASURY, "T1,2021-11-08,2021-11-05,RES_MEDICAL,2031,保费,1.00", total="1.00"), ("年度",)),
        ("pos", a_file(POS, a_pos_line(), a_pos_line("000002", at="2021-11-06 10:00:00"), total="640.00"), ("同一天",)),
    ],
)
def test_a_file_that_is_not_as_documented_leaves_nothing_and_says_where(running, kind, content, words):
    with pytest.raises(BadOutsideFile) as caught:
        take(running, kind, content)

    assert all(word in caught.value.sentence() for word in words), caught.value.sentence()
    assert running.one("select (select count(*) from outside_file) + (select count(*) from entry)")[0] == 0


@pytest.mark.parametrize("kind", FILES)
def test_an_empty_file_to_fill_in_is_read_as_it_stands(kind):
    """No template to download; an empty file was wrong in “文件第0行”."""
    assert (read(kind, template(kind)).rows, read(kind, template(kind)).total) == ([], 0)
    with pytest.raises(BadOutsideFile) as told:
        read(kind, b"")
    assert "第1行" in told.value.sentence() and "是空的" in told.value.sentence()
    for odd, why in ((b"x" * (LARGEST + 1), "太大"), (b"\xff\xff\xff", "UTF-8"), (b'"a\n', "CSV")):
        with pytest.raises(BadOutsideFile) as told:
            read(kind, odd)
        assert "第1行" in told.value.sentence() and why in told.value.sentence()


def test_a_serial_does_not_come_back_with_another_amount(days):
    take(days, "bank", a_file(BANK, "B1,2021-11-06,1279.96,wechat,,", total="1279.96"))

    with pytest.raises(SerialKnown):
        take(days, "bank", a_file(BANK, "B1,2021-11-06,1.00,wechat,,", total="1.00"))

    assert of(days, "bank:pending") == 127996


def test_it_is_the_book_that_the_days_are_of(days):
    with days.parts.engine.connect() as connection:
        rows = connection.execute(
            text("select * from premiums_of(:a, :b) order by 1"), {"a": DAY, "b": date(2021, 11, 9)}
        )
        assert [(row.day, row.amount) for row in rows] == [(DAY, 128000), (DAY + timedelta(days=2), 64000)]
