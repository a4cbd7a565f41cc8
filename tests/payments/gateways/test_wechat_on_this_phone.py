"""WeChat Pay on the very phone: its H5 page outside WeChat, the official account's dialogue inside."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from core.clock import BEIJING
from core.http import Answer
from payments.errors import ForgedCallback, GatewayRefused, GatewaySilent
from payments.gateways.base import Kind, Order, Word
from payments.gateways.signing import BadKey, ResourceKeys, Verifier
from payments.gateways.verdict import judge
from payments.gateways.wechat.line import Line
from payments.gateways.wechat.ordering import Merchant, pay_parameters
from payments.gateways.wechat.reading import WeChatReader
from tests.builders import an_order

HERE = "127.0.0.1"
ANDROID = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99 Mobile Safari/537.36"
OURS = "https://pay.example.gov.cn"
NOTIFY, BACK = f"{OURS}/callbacks/wechat", f"{OURS}/back/wechat"
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat" / "on_this_phone.json").read_text())
numbers = (f"H{n:015d}" for n in count(1))


def h5(**changed) -> Order:
    return replace(an_order(next(numbers), kind=Kind.H5), network=HERE, **changed)


def account(sandbox, phone="1") -> Order:
    return an_order(next(numbers), kind=Kind.ACCOUNT, openid=openid(sandbox, phone))


def openid(sandbox, phone="1") -> str:
    """As the page inside WeChat is told it."""
    code = sandbox.post("/phone/account-code", {"phone": phone})["code"]
    asked = f"appid={sandbox.keys.account_appid}&secret={sandbox.keys.account_secret}&code={code}"
    return sandbox.get(f"/sns/oauth2/access_token?{asked}&grant_type=authorization_code")["openid"]


@pytest.fixture
def wechat(sandbox):
    return sandbox.wechat(NOTIFY, return_url=BACK)


def opened(sandbox, link: str, *, referer: str = f"{OURS}/", agent: str = ANDROID) -> Answer:
    """A browser goes to their page."""
    headers = {"User-Agent": agent} | ({"Referer": referer} if referer else {})
    return sandbox.door.send("GET", link, headers=headers)


def test_an_h5_order_leads_to_their_page_and_back_to_ours(sandbox, wechat):
    taken = h5()

    link = wechat.start(taken).link
    went = opened(sandbox, link)
    code = parse_qs(urlsplit(went.headers["location"]).query)["code"][0]
    paid = json.loads(sandbox.pay(code).body)

    assert went.status == 303 and paid["return"] == {"url": f"{BACK}?out_trade_no={taken.number}", "fields": None}
    after = wechat.query(taken)
    assert (after.word, after.amount, after.app) == (Word.PAID, 32000, sandbox.keys.appid)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"referer": ""}, "商家参数格式有误"),
        ({"referer": "https://elsewhere.example.org/"}, "商家存在未配置的参数"),
        ({"agent": f"{ANDROID} MicroMessenger/8.0.40"}, "请在微信外打开订单"),
    ],
)
def test_their_page_opens_only_out_of_our_page_and_outside_wechat(sandbox, wechat, changed, words):
    said = opened(sandbox, wechat.start(h5()).link, **changed)

    assert said.status == 200 and words in said.body.decode()


def test_their_page_opens_for_five_minutes_and_the_same_order_gives_a_fresh_one(sandbox, wechat):
    taken = h5()
    link = wechat.start(taken).link
    sandbox.post("/clock", {"offset_seconds": 301})

    stale, fresh = opened(sandbox, link), opened(sandbox, wechat.start(taken).link)

    assert "支付请求已失效" in stale.body.decode() and fresh.status == 303
    assert wechat.facts.link_lives < timedelta(seconds=300)


def test_their_page_opens_only_for_the_address_that_ordered(sandbox, wechat):
    said = opened(sandbox, wechat.start(replace(h5(), network="203.0.113.7")).link)

    assert "网络环境未能通过安全验证" in said.body.decode()


def test_a_page_of_somebody_else_is_no_answer(sandbox, wechat):
    taken = h5()
    sandbox.fault("page_astray", taken.number)

    with pytest.raises(GatewaySilent, match="leads elsewhere"):
        wechat.start(taken)
    assert wechat.query(taken).word is Word.OPEN


def test_an_order_for_the_accounts_user_is_under_the_account_and_so_are_its_parameters(sandbox, wechat):
    taken = account(sandbox)

    called = dict(wechat.start(taken).jsapi)

    assert called["appId"] == sandbox.keys.account_appid != wechat.app
    text = f"{called['appId']}\n{called['timeStamp']}\n{called['nonceStr']}\n{called['package']}\n"
    key = x509.load_pem_x509_certificate(sandbox.keys.merchant_cert.encode()).public_key()
    key.verify(base64.b64decode(called["paySign"]), text.encode(), PKCS1v15(), SHA256())
    paid = sandbox.pay_untold(called["package"].removeprefix("prepay_id="))
    delivery = sandbox.telling(paid)
    told = wechat.read_callback(delivery.headers, delivery.body, now=datetime.now(UTC)).outcome
    assert told == wechat.query(taken)
    assert (told.app, told.payer, told.word) == (sandbox.keys.account_appid, taken.openid, Word.PAID)


def test_an_openid_of_another_app_is_refused(sandbox, wechat):
    theirs = sandbox.post("/phone/login-code", {"phone": "1"})["openid"]

    for kind, whose in ((Kind.ACCOUNT, theirs), (Kind.JSAPI, openid(sandbox))):
        with pytest.raises(GatewayRefused, match="OPENID_MISMATCH"):
            wechat.start(an_order(next(numbers), kind=kind, openid=whose))


def test_an_account_that_is_not_configured_is_nobodys(sandbox, wechat):
    taken = account(sandbox)
    prepay = wechat.start(taken).jsapi["package"].removeprefix("prepay_id=")
    without = sandbox.wechat(NOTIFY, account_appid="")

    delivery = sandbox.telling(sandbox.pay_untold(prepay))

    assert Kind.ACCOUNT not in without.facts.kinds and Kind.ACCOUNT in wechat.facts.kinds
    with pytest.raises(ForgedCallback, match="another app"):
        without.read_callback(delivery.headers, delivery.body, now=datetime.now(UTC))
    with pytest.raises(GatewaySilent):
        without.query(taken)


def test_h5_is_switched_off_where_wechat_has_not_approved_it(sandbox):
    assert Kind.H5 not in sandbox.wechat(h5="off").facts.kinds
    assert Kind.H5 in sandbox.wechat(h5="on").facts.kinds
    with pytest.raises(BadKey, match="h5"):
        sandbox.wechat(h5="no")


class Heard:
    """Signs nothing: what was to be signed is compared with what another implementation signed."""

    def sign(self, text: bytes) -> str:
        self.text = text
        return ""


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda vector: vector["kind"])
def test_orders_are_the_bytes_that_another_implementation_signs(vector, monkeypatch):
    at = datetime.fromtimestamp(VECTORS["now"], BEIJING)
    merchant = Merchant(VECTORS["mchid"], VECTORS["appid"], VECTORS["account_appid"], NOTIFY, BACK, True)
    who = {"network": "203.0.113.7"} if vector["kind"] == "h5" else {"openid": "oAccountUserOfTheVectors000"}
    taken = replace(an_order(vector["number"], kind=Kind(vector["kind"]), at=at), **who)

    body = merchant.body(taken)

    assert body.decode() == vector["body"]
    line = a_line(monkeypatch)
    line._headers("POST", vector["path"], body)
    theirs = Verifier.from_pem(VECTORS["merchant_public_key"])
    assert theirs.verify(line.signer.text, vector["signature"])


def test_the_dialogue_is_called_with_what_another_implementation_signs(monkeypatch):
    pay, line = VECTORS["pay"], a_line(monkeypatch)

    called = pay_parameters(pay["appId"], pay["package"].removeprefix("prepay_id="), line)

    assert (called["package"], called["timeStamp"]) == (pay["package"], str(VECTORS["now"]))
    assert Verifier.from_pem(VECTORS["merchant_public_key"]).verify(line.signer.text, pay["paySign"])


@pytest.mark.parametrize("vector", VECTORS["callbacks"], ids=lambda vector: vector["name"])
def test_callbacks_of_another_implementation_come_out_as_marked(vector):
    appids = frozenset({VECTORS["appid"], VECTORS["account_appid"]})
    held = {VECTORS["pub_key_id"]: Verifier.from_pem(VECTORS["platform_public_key"])}
    reader = WeChatReader(VECTORS["mchid"], appids, held, ResourceKeys([VECTORS["apiv3_key"]]))

    now = datetime.fromtimestamp(VECTORS["now"], UTC)
    verdict = judge(reader, vector["headers"], vector["body"].encode(), now=now)

    assert verdict.accepted == vector["ok"], verdict.why
    assert not vector["ok"] or verdict.callback.outcome.app == vector["appid"]


def a_line(monkeypatch) -> Line:
    """One that says the vectors' moment and nonce."""
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: VECTORS["nonce"])
    now = datetime.fromtimestamp(VECTORS["now"], UTC)
    return Line(
        mchid=VECTORS["mchid"],
        serial="0A",
        signer=Heard(),
        answer_serial="",
        base_url=Line.PRODUCTION,
        door=None,
        clock=lambda: now,
        reader=None,
    )
