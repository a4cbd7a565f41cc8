"""A day with a thousand payments and every kind of difference between every pair of books: found, named, ended by the
people whose it is, and closed with a certificate that says what the book says."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.reconcile.certify import certificate, problems, read_certificate
from app.flows.reconcile.compare import reconcile_due
from app.flows.reconcile.import_outside import import_outside
from app.flows.watch.book import check_book
from payments.gateways.base import Movement, StatementLine
from payments.ledger import seal
from payments.number import new_number
from payments.reconcile.discrepancies import BOOKS, KINDS, remedies
from tests.app.web.conftest import far_folder, running
from tests.builders import NOON
from tests.days import DAY, book, id_number, keep, line, paid
from tests.system import second_code

__all__ = ["far_folder", "running"]

PASSWORD = "a-long-password-1"
NOW = NOON + timedelta(days=3, hours=-1)
HOW_MANY = {"wechat": 400, "alipay": 300, "unionpay": 300}
FIRST = {"wechat": 1, "alipay": 1001, "unionpay": 2001}


@pytest.fixture
def a_day(running):
    """The payments of DAY by three channels, one more on each of the three days before, and all the books' files."""
    words = {}
    for gateway, how_many in HOW_MANY.items():
        words[gateway] = paid(running, gateway, how_many, first=FIRST[gateway], known=True)
        assert set(book(running, words[gateway])) == {"paid"}
    before = []
    for ago in (3, 2, 1):
        moment = NOON - timedelta(days=ago)
        before += paid(running, "wechat", 1, first=3000 + ago, at=moment, known=True)
        book(running, before[-1:], now=moment)
    running.turn(NOW)
    _lists(running, words, before)
    assert reconcile_due(running.parts) == 5
    for kind, content in (("bank", _bank()), ("treasury", _treasury()), ("bureau", _bureau())):
        import_outside(running.parts, kind, content, by="staff:clerk01")
    return running


def _lists(running, words, before):
    wechat, alipay, unionpay = words["wechat"], words["alipay"], words["unionpay"]
    stranger = replace(wechat[0], number="SOMEBODYELSES", reference="42000NOBODY")
    assert book(running, [stranger]) == ["suspense"]
    keep(
        running,
        "wechat",
        [
            line(wechat[1], amount=31000),  # another amount
            *(line(word) for word in wechat[2:]),  # the first is missing there
            line(wechat[2]),  # twice
            line(stranger),  # nobody's
            line(before[0]),  # another day
            line(wechat[0], number=new_number(9, DAY), reference="42000UNKNOWN"),  # missing here
        ],
    )
    by_hand = StatementLine(1, Movement.REFUND, alipay[0].number, alipay[0].reference, 32000, 0, NOON, "", "R-BY-HAND")
    keep(running, "alipay", [*(line(word) for word in alipay), by_hand])
    keep(running, "unionpay", [line(unionpay[0], amount=33000), *(line(word) for word in unionpay[2:])])
    keep(running, "wechat", [line(before[0], reference="OLD")], day=DAY - timedelta(days=8))
    keep(running, "unionpay", [line(before[1], reference="OLD")], day=DAY - timedelta(days=9))


def a_file(heading, rows, amount_at):
    total = sum(int(row.split(",")[amount_at].replace(".", "")) for row in rows)
    return "\n".join([heading, *rows, f"合计,{len(rows)},{total // 100}.{total % 100:02d}"]).encode()


def _bank():
    return a_file(
        "银行流水号,入账日期,金额,渠道,业务日期",
        [
            "B1,2021-11-06,95678.00,支付宝,2021-11-05",  # 95679.70 expected
            "B2,2021-11-06,95678.00,支付宝,2021-11-05",  # twice
            "B3,2021-11-05,77.77,,2021-11-05",  # of nothing
            "B4,2021-11-05,88.00,现金,2021-11-05",  # of nobody
            "B5,2021-11-05,320.00,微信支付,2021-10-28",  # late; UnionPay's of 27 October never came
        ],
        2,
    )


def _treasury():
    return a_file(
        "税票号,入库日期,业务日期,险种,年度,类别,金额",
        [
            "T1,2021-11-08,2021-11-05,RES_MEDICAL,2022,保费,320001.00",  # another amount
            "T2,2021-11-08,2021-11-05,RES_PENSION,2022,保费,5.00",  # of nothing
            "T3,2021-11-08,2021-11-05,RES_MEDICAL,2022,gov_subsidy:nobody,9.00",  # of nobody
            "T4,2021-11-01,2021-11-02,RES_MEDICAL,2022,保费,320.00",  # before it was paid
            "T5,2021-11-08,2021-11-03,RES_MEDICAL,2022,保费,320.00",
            "T6,2021-11-08,2021-11-03,RES_MEDICAL,2022,保费,320.00",  # twice; that of 4 November is missing
        ],
        6,
    )


def _bureau():
    households = [first + place for gateway, first in FIRST.items() for place in range(HOW_MANY[gateway])]
    rows = [_confirmed(household) for household in households[4:]]  # the first is missing there
    rows += [
        _confirmed(households[1], amount="310.00"),
        _confirmed(households[2], day="2021-11-02"),
        _confirmed(households[3]),
        _confirmed(households[3], serial="again"),
        _confirmed(9999),  # nobody we know
        _confirmed(households[0], insurance="RES_PENSION"),  # not paid here
        *(_confirmed(3000 + ago, day=f"2021-11-0{5 - ago}") for ago in (3, 2, 1)),
    ]
    return a_file("记录号,险种,年度,身份证号,个人缴费,缴费日期,确认日期,动作", rows, 4)


def _confirmed(household, *, serial="", insurance="RES_MEDICAL", amount="320.00", day="2021-11-05"):
    number = f"C{household}{insurance[4]}{serial}"
    return f"{number},{insurance},2022,{id_number(household)},{amount},{day},2021-11-06,PAY"


def client_of(running, login, role):
    add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD)
    client = running.app.test_client()
    running.app.config["WTF_CSRF_ENABLED"] = False
    fields = {"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
    assert client.post("/office/login", data=fields).status_code == 303
    return client


def open_differences(running):
    with running.parts.engine.connect() as connection:
        return connection.execute(text("select * from discrepancy where state <> 'cleared' order by id")).all()


def test_every_difference_is_found_named_and_ended_and_the_day_is_closed(a_day):
    clerk, lead = client_of(a_day, "clerk01", Role.TAX_CLERK), client_of(a_day, "lead01", Role.TAX_LEAD)

    found = open_differences(a_day)
    assert {(row.books, row.kind) for row in found} == {(books, kind) for books in BOOKS for kind in KINDS}
    more = 1 + 2 + 2  # a refund by hand, two of UnionPay, and the lines of two old lists that we have not
    assert len(found) == 4 * 6 + more, "and nothing else"
    page = clerk.get(f"/office/day/{DAY}").text
    assert all(f'id="d{row.id}"' in page for row in found if row.day == DAY)

    for row in found:
        path = f"/office/day/{row.day}/differences/{row.id}"
        remedy = remedies(row)[-1]
        assert clerk.post(path, data={"remedy": remedy, "reason": ""}).status_code == 400
        assert lead.post(path, data={"remedy": remedy, "reason": "不归我办"}).status_code == 403
        assert clerk.post(path, data={"remedy": remedy, "reason": "已核实"}).status_code == 303
        if remedy == "book":
            assert clerk.post(f"{path}/confirm", data={"agreed": "yes"}).status_code == 403
            assert lead.post(f"{path}/confirm", data={"agreed": "yes"}).status_code == 303
    assert open_differences(a_day) == []

    for ago in (3, 2, 1, 0):
        day = DAY - timedelta(days=ago)
        page = clerk.get(f"/office/day/{day}/close").text
        seen = re.search(r'name="seen" value="(\w+)"', page)
        assert seen, page
        assert clerk.post(f"/office/day/{day}/close", data={"seen": seen[1]}).status_code == 303
    assert "已日结" in clerk.get(f"/office/day/{DAY}").text
    assert_certified(a_day, clerk)
    assert [(one.number, one.sample) for one in check_book(a_day.parts) if one.rows] == []


def assert_certified(running, clerk):
    """The certificate is ours and says what the book's own rows add up to."""
    exported = clerk.get(f"/office/day/{DAY}/certificate.json")
    held = read_certificate(exported.text)
    with running.parts.engine.connect() as connection:
        moved = connection.execute(
            text(
                "select p.account, coalesce(sum(amount) filter (where amount > 0), 0),"
                " coalesce(-sum(amount) filter (where amount < 0), 0) from posting p join entry e using"
                " (household_id, cause) where e.booked_on = :day group by p.account order by p.account"
            ),
            {"day": DAY},
        ).all()
        assert seal.broken(connection) == []
    certified = [(t["account"], t["debit"], t["credit"]) for t in held.facts["totals"] if t["debit"] or t["credit"]]
    assert certified == [(account, int(debit), int(credit)) for account, debit, credit in moved]
    assert problems(running.parts, held) == []
    assert held == certificate(running.parts, DAY)
    assert clerk.get(f"/office/day/{DAY}/certificate.pdf").data.startswith(b"%PDF-1.")
    forged = json.loads(exported.text)
    forged["certificate"] = forged["certificate"].replace("clerk01", "clerk02")
    assert problems(running.parts, read_certificate(json.dumps(forged))) == ["签名不对，内容被改过"]


def test_a_file_comes_in_by_the_page_and_the_auditor_only_looks(running):
    clerk, auditor = client_of(running, "clerk01", Role.TAX_CLERK), client_of(running, "audit01", Role.AUDITOR)
    sent = {"kind": "bank", "file": (BytesIO(_bank()), "bank.csv")}

    assert "导入5行" in clerk.post("/office/day/files", data=sent).text
    broken = {"kind": "bank", "file": (BytesIO(b"a,b"), "bank.csv")}
    assert clerk.post("/office/day/files", data=broken).status_code == 400

    assert auditor.get("/office/day/").status_code == 200
    assert auditor.get(f"/office/day/{DAY}").status_code == 200
    assert auditor.get(f"/office/day/{DAY}/lines/wechat").status_code == 200
    assert auditor.get("/office/day/never").status_code == 404
    for path in ("files", f"{DAY}/run/wechat", f"{DAY}/differences/1", f"{DAY}/differences/1/confirm", f"{DAY}/close"):
        assert auditor.post(f"/office/day/{path}").status_code == 403
