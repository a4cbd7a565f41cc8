"""A bureau gives its word on a page: its own insurance, in the officer's name, and never on what he applied for."""

import io
from datetime import datetime

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.due.quote import all_due, subjects
from app.flows.pay.start import Want
from app.flows.register.apply import Evidence, apply
from app.flows.register.determine import Ruling, decide
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from core.clock import BEIJING, utc_now
from tests.app.web.test_office_people import at_desk
from tests.refunding import pay, rows

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
DESK = "/office/determinations/"
SAID = "我家的低保证是去年十月办的"


def a_picture():
    written = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(written, "PNG")
    return written.getvalue()


@pytest.fixture
def bureaus(running, district):
    """A desk of each bureau, a second one of the medical, and somebody who audits."""
    return {
        login: at_desk(running, role, login)
        for login, role in (
            ("med1", Role.MEDICAL),
            ("med2", Role.MEDICAL),
            ("hrss1", Role.HRSS),
            ("audit1", Role.AUDITOR),
        )
    }


@pytest.fixture
def asked(running, district):
    """A waiver (medical) with words and a picture, and a back-payment (pension)."""
    waiver = apply(
        running.parts, district.poor.id, MEDICAL, Kind.LATE_WAIVER, by="resident", evidence=Evidence(SAID, a_picture())
    )
    return waiver, apply(running.parts, district.adult.id, PENSION, Kind.POLICY_BACKPAY, by="agent:1")


def stands(running, number):
    return running.one("select state, checked_by, decided_by from determination where id = :n", n=number)


def session_of(running, login):
    found = "select token_hash from session s join staff f on f.id = s.staff_id where f.login = :login"
    return bytes(running.one(found, login=login)[0])


def test_a_bureau_sees_its_own_list_and_one_with_what_speaks_for_it(running, bureaus, asked):
    waiver, backpay = asked
    med, hrss = bureaus["med1"], bureaus["hrss1"]

    mine, theirs, all_of_them = med.get(DESK).text, hrss.get(DESK).text, bureaus["audit1"].get(DESK).text
    page = med.get(f"{DESK}{waiver}").text
    drawn = med.get(f"{DESK}{waiver}/picture")

    assert "逾期代缴核实" in mine and "政策性补缴" not in mine and "张*困" in mine and "张小困" not in mine
    assert "政策性补缴" in theirs and "代办员 1" in theirs and "逾期代缴" not in theirs
    assert "逾期代缴核实" in all_of_them and "政策性补缴" in all_of_them
    assert SAID in page and "低保" in page and "开始核实，由我办" in page and "核定通过</button>" in page
    assert drawn.mimetype == "image/png" and drawn.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(drawn.data)).size == (60, 40)
    assert "1</strong><small>件核定等您办" in med.get("/office/").text
    for path in (f"{DESK}{backpay}", f"{DESK}999", f"{DESK}x", f"{DESK}{backpay}/picture"):
        assert med.get(path).status_code == 404, path
    assert hrss.get(f"{DESK}{backpay}/picture").status_code == 404
    assert "开始核实" not in bureaus["audit1"].get(f"{DESK}{waiver}").text
    assert med.get(f"{DESK}?page=2").text.count("这一页没有了") == 1
    assert "还没有办完的" in med.get(f"{DESK}?done=1").text


def test_a_long_list_goes_on_and_comes_back(bureaus, asked, monkeypatch):
    """Each case on one page, and the way between them in both directions."""
    for where in ("app.flows.register.desk", "app.web.office.bureau.determinations"):
        monkeypatch.setattr(f"{where}.PAGE", 1)

    first, second = (bureaus["audit1"].get(f"{DESK}?page={page}").text for page in (1, 2))

    assert "page=2" in first and "上一页" not in first and "第 1 页，共 2 页，2 件" in first
    assert "page=1" in second and "下一页" not in second
    assert ("逾期代缴核实" in first) != ("逾期代缴核实" in second)


def test_a_yes_is_the_officers_counts_at_once_and_is_told(running, district, bureaus, asked):
    running.turn(JANUARY)
    waiver, backpay = asked
    med = bureaus["med1"]

    assert med.post(f"{DESK}{waiver}/check").status_code == 303
    in_hand = med.get(DESK).text
    assert stands(running, waiver) == ("checking", "staff:med1", None) and "等您办" in in_hand
    assert "0</strong><small>件核定等您办" in bureaus["med2"].get("/office/").text
    assert med.post(f"{DESK}{waiver}/decide", data={"word": "yes", "sure": "1"}).status_code == 303
    again = med.post(f"{DESK}{waiver}/decide", data={"word": "no", "reason": "点错了"})

    assert again.status_code == 409 and "不能再改" in again.text
    assert stands(running, waiver) == ("approved", "staff:med1", "staff:med1")
    due = all_due(running.parts, subjects(running.parts, [district.poor.id])[0], at=running.parts.clocks.now())[0]
    assert (due.quote.reason_code, due.quote.personal_due) == ("OK_WAIVED", 0)
    (notice,) = rows(running, "select * from notice")
    assert (notice.kind, notice.cause) == ("determined", f"determination:D{waiver}:determined")
    assert notice.fields["items"] == "2022年居民医保核实" and notice.fields["names"] == "张*困"
    phone = running.parts.vault.open(notice.phone, bound_to=f"notice.phone:determination:D{waiver}")
    assert phone == "13800000000"
    assert "通过" in med.get(f"{DESK}?done=1").text and stands(running, backpay)[0] == "applied"


def test_who_paid_before_the_word_gets_the_difference_back_by_itself(running, district, bureaus):
    running.turn(JANUARY)
    paid = pay(running, Want(district.adult.id, MEDICAL))
    with running.office.engine.begin() as connection:
        connection.execute(text("insert into category values (:p, 'RES_MEDICAL', 'DIBAO')"), {"p": district.adult.id})
    waiver = apply(running.parts, district.adult.id, MEDICAL, Kind.LATE_WAIVER, by="resident")

    bureaus["med1"].post(f"{DESK}{waiver}/decide", data={"word": "yes", "sure": "1"})

    refund = running.one("select payment, why, amount, applied_by from refund")
    assert refund == (paid, "late_entitlement", 90000, "rule:late_entitlement")


def test_a_back_payment_has_amount_and_years_and_what_was_typed_stays(running, bureaus, asked):
    _, backpay = asked
    hrss = bureaus["hrss1"]
    path = f"{DESK}{backpay}/decide"

    empty = hrss.post(path, data={"word": "yes", "start": "2022-02-01"})
    bad = hrss.post(path, data={"word": "yes", "amount": "一千五", "years": "2019、2020"})
    silent = hrss.post(path, data={"word": "no", "reason": " "})
    far = hrss.post(path, data={"word": "yes", "amount": "99999999", "years": "2019", "reason": ""})
    assert far.status_code == 400 and "最多10000元" in far.text and 'value="99999999"' in far.text
    this_year = hrss.post(path, data={"word": "yes", "amount": "1500", "years": "2022"})

    assert empty.status_code == 400 and "补缴金额和年度至少写一样" in empty.text and 'value="2022-02-01"' in empty.text
    assert bad.status_code == 400 and "补缴金额写得不对：写成 1500" in bad.text and 'value="2019、2020"' in bad.text
    assert "写成 2020、2021" not in bad.text and "日" not in bad.text.partition('role="alert">')[2].partition("<")[0]
    assert silent.status_code == 400 and this_year.status_code == 409 and "不能再补缴" in this_year.text
    assert stands(running, backpay) == ("applied", None, None)
    right = {"word": "yes", "amount": "1500元", "years": "2019、2020 2018", "start": ""}
    look = hrss.post(path, data=right)
    assert look.status_code == 200 and "再看一眼" in look.text and "2018、2019、2020，共 3 年" in look.text
    assert 'name="amount" value="1500元"' in look.text and stands(running, backpay)[0] == "applied", "one press is none"
    hrss.post(path, data=right | {"sure": "1"})
    decided = running.one("select amount, years, decided_by from determination where id = :n", n=backpay)
    assert decided == (150000, [2018, 2019, 2020], "staff:hrss1")
    assert "1500 元" in hrss.get(f"{DESK}{backpay}").text


def test_a_no_says_why_and_nobody_decides_what_he_applied_for(running, district, bureaus):
    own = apply(running.parts, district.poor.id, MEDICAL, Kind.LATE_WAIVER, by="staff:med1")
    med = bureaus["med1"]

    assert "要由别人来定" in med.get(f"{DESK}{own}").text and "您要办的" not in med.get(f"{DESK}{own}").text
    for step, given in (("check", {}), ("decide", {"word": "yes"})):
        refused = med.post(f"{DESK}{own}/{step}", data=given)
        assert refused.status_code == 403 and "不能自己核定" in refused.text
    reason = "名单上没有这个人，请找村委会开证明"
    bureaus["med2"].post(f"{DESK}{own}/decide", data={"word": "no", "reason": reason})

    assert stands(running, own) == ("rejected", "staff:med2", "staff:med2")
    (notice,) = rows(running, "select kind, fields from notice")
    assert notice.kind == "not_determined" and notice.fields["reason"] == reason
    assert reason in bureaus["med2"].get(f"{DESK}{own}").text


def test_the_database_keeps_to_it_whatever_the_web_is_made_to_say(running, bureaus, asked, district):
    waiver, backpay = asked
    own = apply(running.parts, district.adult.id, MEDICAL, Kind.LATE_WAIVER, by="staff:med1")
    check = "select check_determination(:s, :n, :at, :at)"
    word = "select decide_determination(:s, :n, true, 1, null, null, null, :at, :at)"
    med, auditor = session_of(running, "med1"), session_of(running, "audit1")

    def refused(statement, code, **words):
        with pytest.raises(DBAPIError) as error, running.parts.engine.begin() as connection:
            connection.execute(text(statement), {"at": utc_now()} | words)
        assert error.value.orig.sqlstate == code, statement

    for statement in (check, word):
        refused(statement, "LX117", s=med, n=backpay)
        refused(statement, "LX117", s=auditor, n=waiver)
        refused(statement, "LX080", s=b"nobody", n=waiver)
        refused(statement, "LX118", s=med, n=own)
        refused(statement, "LX117", s=med, n=10**9)
    refused("update determination set state = 'checking'", "42501")
    refused("delete from determination_evidence", "42501")
    refused("update determination_evidence set words = ''", "42501")
    with running.parts.engine.begin() as connection:
        asked_for = text("select glass_ask(:s, 'wants to see', :at)")
        glass = connection.execute(asked_for, {"s": med, "at": utc_now()}).scalar_one()
        opened = {"s": session_of(running, "hrss1"), "g": glass, "at": utc_now()}
        assert connection.execute(text("select glass_open(:s, :g, :at)"), opened).scalar_one()
    refused(check, "LX117", s=med, n=waiver)  # whose glass is open sees all and does nothing
    assert [row.state for row in rows(running, "select state from determination order by id")] == ["applied"] * 3


def test_two_desks_at_once_are_one_word(running, bureaus, asked):
    waiver, _ = asked
    decide(running.office, waiver, Ruling(True), by="staff:other")

    late = bureaus["med1"].post(f"{DESK}{waiver}/decide", data={"word": "no", "reason": "没有名单"})

    assert late.status_code == 409
    assert stands(running, waiver) == ("approved", "staff:other", "staff:other")
    assert len(rows(running, "select 1 from notice")) == 1
