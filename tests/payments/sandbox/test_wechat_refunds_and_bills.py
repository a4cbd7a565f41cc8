"""The far side's refunds and bills are as strict as the real ones."""

import gzip
import hashlib
from datetime import datetime, timedelta
from itertools import count
from urllib.parse import urlsplit

import pytest

from core.clock import BEIJING, utc_now
from tests.builders import an_order
from tests.outside import outside
from tests.payments.sandbox.signed import ask
from tests.system import eventually

REFUNDS = "/v3/refund/domestic/refunds"
NOON = datetime(2020, 3, 3, 12, tzinfo=BEIJING)
numbers = (f"{n:015d}" for n in count(1))


@pytest.fixture
def paid(sandbox):
    """A payment of 300 yuan."""
    order = an_order(f"F{next(numbers)}", amount=30000)
    wechat = sandbox.wechat()
    sandbox.pay(wechat.start(order).code_url)
    return sandbox.paid(order.number)[0]


def wanted(paid, **changed):
    return {
        "out_trade_no": paid["number"],
        "out_refund_no": f"C{next(numbers)}",
        "reason": "多缴退回",
        "amount": {"refund": 100, "total": 30000, "currency": "CNY"},
        **changed,
    }


def test_a_refund_is_accepted_with_the_documented_answer(sandbox, paid):
    order = wanted(paid, out_refund_no="C_-|*@" + next(numbers))

    status, said, headers = ask(sandbox, "POST", REFUNDS, order)

    assert (status, said["status"], said["out_trade_no"]) == (200, "PROCESSING", paid["number"])
    assert (said["transaction_id"], said["amount"]["refund"]) == (paid["reference"], 100)
    assert headers["wechatpay-signature"]
    assert "mchid" not in said and "success_time" not in said


@pytest.mark.parametrize(
    "changed",
    [
        {"out_trade_no": None},
        {"transaction_id": "42"},  # and out_trade_no: one of the two
        {"out_refund_no": None},
        {"out_refund_no": "B" * 65},
        {"out_refund_no": "has space"},
        {"reason": ""},
        {"reason": "长" * 81},
        {"notify_url": "http://pay.invalid/x"},
        {"notify_url": "https://pay.invalid/x?y=1"},
        {"funds_account": "UNSETTLED"},
        {"amount": None},
        {"amount": {"refund": 0, "total": 30000, "currency": "CNY"}},
        {"amount": {"refund": 1.0, "total": 30000, "currency": "CNY"}},
        {"amount": {"refund": "1", "total": 30000, "currency": "CNY"}},
        {"amount": {"refund": 1, "currency": "CNY"}},
        {"amount": {"refund": 1, "total": 30000}},
        {"amount": {"refund": 1, "total": 30000, "currency": "USD"}},
    ],
    ids=str,
)
def test_a_refund_beyond_its_limits_is_refused(sandbox, paid, changed):
    status, said, _ = ask(sandbox, "POST", REFUNDS, wanted(paid, **changed))

    assert (status, said["code"]) == (400, "PARAM_ERROR")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"amount": {"refund": 30001, "total": 30000, "currency": "CNY"}}, 400, "INVALID_REQUEST"),
        ({"amount": {"refund": 1, "total": 29999, "currency": "CNY"}}, 400, "INVALID_REQUEST"),
        ({"out_trade_no": "F99999999999999"}, 404, "RESOURCE_NOT_EXISTS"),
    ],
)
def test_a_refund_that_fits_no_payment_is_refused(sandbox, paid, changed, status, code):
    refused = ask(sandbox, "POST", REFUNDS, wanted(paid, **changed))

    assert (refused[0], refused[1]["code"]) == (status, code)


def test_a_refunds_number_is_one_over_all_payments(sandbox, paid):
    order = wanted(paid)
    ask(sandbox, "POST", REFUNDS, order)
    other = an_order(f"F{next(numbers)}", amount=30000)
    sandbox.pay(sandbox.wechat().start(other).code_url)

    status, said, _ = ask(sandbox, "POST", REFUNDS, order | {"out_trade_no": other.number})

    assert (status, said["code"]) == (400, "INVALID_REQUEST")


def test_a_payment_goes_back_in_fifty_parts_at_most(sandbox, paid):
    sandbox.post("/settings", {"notify_factor": 1000})
    for _ in range(50):
        assert ask(sandbox, "POST", REFUNDS, wanted(paid))[0] == 200

    assert ask(sandbox, "POST", REFUNDS, wanted(paid))[1]["message"] == "订单退款次数超限"


def test_who_does_not_sign_gives_nothing_back(sandbox, paid):
    assert ask(sandbox, "POST", REFUNDS, wanted(paid), signed_body=b"")[0] == 401
    assert ask(sandbox, "GET", f"{REFUNDS}/B1", signed_path=REFUNDS)[0] == 401


def test_without_a_notify_url_a_refund_is_settled_and_told_to_nobody(sandbox, paid):
    order = wanted(paid)
    ask(sandbox, "POST", REFUNDS, order)

    eventually(lambda: ask(sandbox, "GET", f"{REFUNDS}/{order['out_refund_no']}")[1]["status"] == "SUCCESS")

    told = [line for line in sandbox.get("/callbacks")["callbacks"] if line["number"] == order["out_refund_no"]]
    assert told == []


def test_a_refund_under_way_comes_to_its_end_after_a_restart(tmp_path, merchant):
    order = an_order("R000000000000001", amount=30000)
    with outside(tmp_path) as before:
        before.pay(before.wechat(merchant.url).start(order).code_url)
        merchant.wait(1)
        before.post("/settings", {"notify_factor": 1000})
        refund = wanted(before.paid(order.number)[0], notify_url=merchant.url)
        ask(before, "POST", REFUNDS, refund)

    with outside(tmp_path) as after:
        merchant.wait(2)
        assert [one["state"] for one in after.get("/refunds")["refunds"]] == ["SUCCESS"]
        assert after.paid(order.number)[0]["refunded"] == 100


@pytest.fixture
def bill(sandbox):
    """The path of a day's bill, with one payment on it; the clock is at the morning after."""

    def turn(moment):
        sandbox.post("/clock", {"offset_seconds": int((moment - utc_now()).total_seconds())})

    turn(NOON)
    order = an_order(f"F{next(numbers)}", amount=30000, at=NOON)
    sandbox.pay(sandbox.wechat().start(order).code_url)
    turn(NOON + timedelta(days=1))
    return f"/v3/bill/tradebill?bill_date={NOON:%Y-%m-%d}&bill_type=ALL"


def linked(sandbox, path):
    status, said, _ = ask(sandbox, "GET", path)
    assert status == 200, said
    address = urlsplit(said["download_url"])
    return said, f"{address.path}?{address.query}"


@pytest.mark.parametrize("tar", ["", "&tar_type=GZIP"])
def test_a_bill_fits_its_hash_packed_or_not_and_comes_unsigned(sandbox, bill, tar):
    said, path = linked(sandbox, bill + tar)

    status, content, headers = ask(sandbox, "GET", path)

    whole = gzip.decompress(content) if tar else content
    assert (status, said["hash_type"], said["hash_value"]) == (200, "SHA1", hashlib.sha1(whole).hexdigest())
    assert not [name for name in headers if name.startswith("wechatpay-")]
    assert whole.startswith(b"\xef\xbb\xbf" + "交易时间,".encode()) and whole.endswith(b"\r\n")
    assert b"\r\n`2020-03-03 12:00:" in whole


def test_a_link_is_good_for_who_signs_its_own_path_and_for_nobody_else(sandbox, bill):
    _, path = linked(sandbox, bill)

    assert ask(sandbox, "GET", path, signed_path="/v3/billdownload/file")[0] == 401
    assert ask(sandbox, "GET", path, drop=("Authorization",))[0] == 401
    assert ask(sandbox, "GET", path.replace("token=", "token=x"))[0] == 400
    assert ask(sandbox, "GET", path)[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        ("ALL", "SUCCESS"),
        ("bill_type=ALL", "x=1"),
        ("2020-03-03", "2020-13-03"),
        ("2020-03-03", "20200303"),
        ("2020-03-03", "2020-03-04"),
        ("2020-03-03", "2019-11-03"),
        ("ALL", "ALL&tar_type=ZIP"),
    ],
)
def test_a_bill_that_is_not_offered_is_refused(sandbox, bill, changed):
    status, said, _ = ask(sandbox, "GET", bill.replace(*changed))

    assert (status, said["code"]) == (400, "PARAM_ERROR")


def test_a_bill_of_nothing_does_not_exist(sandbox, bill):
    status, said, _ = ask(sandbox, "GET", bill.replace("03-03", "03-02"))

    assert (status, said["code"]) == (400, "NO_STATEMENT_EXIST")


def test_the_phone_and_the_lists_name_the_gateway(sandbox, paid):
    assert (paid["gateway"], paid["refunded"]) == ("wechat", 0)
    lines = [line for line in sandbox.get("/callbacks")["callbacks"] if line["number"] == paid["number"]]
    assert {line["gateway"] for line in lines} <= {"wechat"}


def test_a_fault_for_another_gateway_spoils_nothing_here(sandbox, paid):
    sandbox.fault("error", gateway="alipay", on="refund")

    assert ask(sandbox, "POST", REFUNDS, wanted(paid))[0] == 200
