"""The catalogue's attacks on callbacks and answers, each against every gateway it applies to.

| no. | what is done | what must come of it |
|---|---|---|
| A01 | signature headers or fields torn off, one by one and all together | 401, kept as missing, nothing booked |
| A02 | one byte changed; the same JSON written anew; a blank behind it | 401 |
| A03 | signed with an attacker's key, under its own name and under the genuine one | 401 |
| A04 | the message says where the key to prove it can be fetched | 401, nobody is asked |
| A05 | genuine, another merchant's | 401, somebody is told |
| A06 | genuine, another app's; another environment's | 401 |
| A07 | genuine, with the number of a payment begun at another gateway | suspense with an owner, alert, acknowledged |
| A08 | a credential empty or missing | the process does not start, and says which |
| A09 | "it comes from localhost", "skip the check", from headers, query and environment | changes nothing |
| A10 | another algorithm named, and rightly signed by it; a shared secret | 401 |
| A11 | a genuine message, older than 300 s | WeChat: 401; the others put no moment in a proof: booked once |
| A12 | a genuine message 200 times | acknowledged 200 times, booked once, told once |
| A13 | rightly signed, its moment in the future or none (WeChat alone has one) | 401 |
| A15 | genuine, and not "paid" | acknowledged, nothing booked; an unknown word wakes somebody |
| A16 | genuine, another amount, or one that is none | suspense with an owner, alert, acknowledged, not paid |
| A17 | genuine, another currency, or none (Alipay's messages have no currency) | as A16 |
| A18 | X's success presented for Y, of the same amount | 400 where the address says Y; X is paid and Y is not |
| A19 | names twice, `a[]`, half of the form in the address | 401, or 400 for an address with a query |
| A20 | XML that reads files, asks servers, or never ends | 401, never parsed: it is no JSON and no form |
| A22 | the browser comes back with every word for "paid" | a redirect, nothing booked |
| A23 | the client says it has paid | still waiting |
| A25 | a flood of forgeries under unknown keys | 401 before any RSA, little evidence kept, the genuine one booked |
| A26 | the address of a channel that is not configured, or never was one | 404, nothing kept |
| A84 | a body over 64 KB, with its length and without | 413, nothing kept |

A24 (an answer that proves nothing) is part of every gateway's contract (tests/payments/gateways/test_contract.py).
"""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.serving import create_app
from config.settings import BadSettings, Settings
from core.clock import utc_now
from payments.gateways import signing
from payments.gateways.base import Kind
from payments.gateways.known import GATEWAYS
from payments.gateways.unionpay import seal
from payments.gateways.unionpay.seal import UNIONPAY
from payments.sandbox.signing import sign
from tests.browsing import a_token
from tests.outside import receiver
from tests.refunding import agreed
from tests.wires import GONE, WIRES, Posted

OTHER = {"wechat": "alipay", "alipay": "unionpay", "unionpay": "wechat"}
ON_THE_PHONE = ("wechat:h5", "wechat:account")  # the same word, of payments begun otherwise
every_gateway = pytest.mark.parametrize("name", [*GATEWAYS, *ON_THE_PHONE])
references = count(1)


def attack(*names):
    """For these gateways only."""
    return pytest.mark.parametrize("name", names)


def another_reference(target, posted):
    """Another movement of money: the same message would be known already."""
    said = target.wire.opened(posted)
    [name] = target.wire.NAMES["reference"]
    return f"{said[name][:-6]}{next(references):06d}"


@every_gateway
def test_a01_without_its_proof_nothing_is_believed(target):
    owed = target.owing()
    genuine = target.genuine(owed)

    for name in target.wire.PROOF:
        target.forged(target.wire.without(genuine, name))
    target.forged(target.wire.without(genuine, *target.wire.PROOF))
    named = [target.wire.NAMES[who][-1] for who in ("merchant", "app") if who in target.wire.NAMES]
    if target.name != "wechat":  # whose names are sealed
        target.forged(target.wire.without(genuine, *target.wire.PROOF, *named))
        target.forged(target.wire.without(genuine, *named))
    target.forged(
        target.wire.changed(genuine, **{who: GONE for who in ("merchant", "app") if who in target.wire.NAMES})
    )

    target.acknowledged(genuine, "paid")


@every_gateway
def test_a02_what_is_proven_are_the_bytes_that_came(target):
    owed = target.owing()
    genuine = target.genuine(owed)
    middle = len(genuine.body) // 2

    spoilt = [genuine.body + b" ", b" " + genuine.body, genuine.body + b"\n", genuine.body[:-1]]
    spoilt += [genuine.body[:middle] + bytes([genuine.body[middle] ^ 1]) + genuine.body[middle + 1 :]]
    if target.name == "wechat":
        spoilt += [json.dumps(json.loads(genuine.body), indent=1).encode()]
        spoilt += [json.dumps(json.loads(genuine.body)).encode()]
    else:
        amount = target.wire.NAMES["amount"][0].encode()
        spoilt += [genuine.body.replace(amount + b"=", amount + b"=1")]
    for body in spoilt:
        target.forged(replace(genuine, body=body))

    target.acknowledged(genuine, "paid")


@every_gateway
def test_a03_an_attackers_key_proves_nothing_under_its_own_name_or_ours(target, elsewhere):
    owed = target.owing()
    genuine = target.genuine(owed)
    attacker = WIRES[target.name](elsewhere)

    own = attacker.closed(genuine, target.wire.opened(genuine))
    target.forged(own)
    target.forged(under_the_genuine_name(target, genuine, own))
    if target.name == "unionpay":  # a merchant of the same authority, with a certificate that is in order
        said = target.wire.opened(genuine)
        fields = {name: value for name, value in said.items() if name not in ("signature", "signPubKeyCert")}
        by_stranger = target.wire.voice.signed(fields, by_stranger=True)
        target.forged(replace(genuine, body=urlencode(by_stranger).encode()), why="another company's")

    target.acknowledged(genuine, "paid")


def under_the_genuine_name(target, genuine, own):
    """The attacker's signature, and the genuine key's name or certificate."""
    if target.name == "wechat":
        return replace(own, headers={**own.headers, "Wechatpay-Serial": genuine.headers["Wechatpay-Serial"]})
    if target.name == "alipay":
        return replace(own, body=own.body + b"&alipay_cert_sn=" + b"0" * 32)
    said = {**target.wire.opened(own), "signPubKeyCert": target.wire.opened(genuine)["signPubKeyCert"]}
    return replace(own, body=urlencode(said).encode())


@every_gateway
def test_a04_nothing_is_fetched_because_a_message_says_where(target, elsewhere):
    owed = target.owing()
    genuine = target.genuine(owed)
    attacker = WIRES[target.name](elsewhere)

    with receiver() as theirs:
        for name in ("serial", "cert_url", "alipay_cert_sn", "signPubKeyCert", "certId"):
            said = target.wire.opened(genuine)
            own = attacker.closed(genuine, said if target.name == "wechat" else {**said, name: theirs.url})
            if target.name == "wechat":
                own = replace(own, headers={**own.headers, "Wechatpay-Serial": theirs.url})
            elif name == "signPubKeyCert":
                own = replace(own, body=urlencode({**target.wire.opened(own), name: theirs.url}).encode())
            target.forged(own, X_Certificate_Url=theirs.url, Link=f"<{theirs.url}>")

        assert theirs.came == []
    target.acknowledged(genuine, "paid")


@every_gateway
def test_a05_another_merchants_success_is_not_ours(target):
    owed = target.owing()

    target.forged(target.genuine(owed, "other_merchant"), why="another merchant's")

    assert target.state(owed) == "pending"


@every_gateway
def test_a06_another_apps_or_another_environments_success_is_not_ours(target, elsewhere):
    owed = target.owing()
    genuine = target.genuine(owed)

    if "app" in target.wire.NAMES:
        target.forged(target.wire.changed(genuine, app="wx0000000000000000"), why="another app's")
    test_environment = WIRES[target.name](elsewhere)
    target.forged(test_environment.closed(genuine, target.wire.opened(genuine)))

    assert target.state(owed) == "pending"


@attack("wechat")
@pytest.mark.parametrize("kind", [Kind.NATIVE, Kind.ACCOUNT])
def test_a06_a_success_under_another_app_of_ours_is_held_and_pays_nothing(target, kind):
    """The mini-program's and the official account's are both ours: each payment has been ordered under one of them."""
    owed, gateway = target.owing(kind=kind), target.gateway
    genuine = target.genuine(owed)
    ours = {gateway.app, gateway.facts.account_app}
    [other] = ours - {target.wire.opened(genuine)["appid"]}

    target.acknowledged(target.wire.changed(genuine, app=other), "suspense", alert="money_in_doubt")

    assert target.held(owed) == [("other_merchant", "tax_clerk", 32000)]
    assert target.state(owed) == "pending"


@every_gateway
def test_a07_a_success_on_another_channel_pays_nothing_here(target):
    begun_there = target.owing(gateway=OTHER[target.name])
    genuine = target.genuine(target.owing())
    crossed = target.wire.changed(genuine, number=begun_there.number)

    target.acknowledged(crossed, "suspense", alert="money_in_doubt")
    target.forged(genuine, to=OTHER[target.name])
    target.forged(crossed, to=OTHER[target.name])

    assert target.held(begun_there) == [("other_channel", "tax_clerk", 32000)]
    assert target.state(begun_there) == "pending"


@every_gateway
def test_a08_a_channel_with_an_empty_key_does_not_start_the_process(target):
    environment = dict(target.system.environment)
    needs = set(GATEWAYS[target.name].NEEDS) - {"notify_url", "return_url"}  # these we make ourselves

    for need in needs:
        variable = f"GATEWAY_{target.name.upper()}_{need.upper()}"
        assert environment[variable]
        for empty in ("", "  "):
            with pytest.raises(BadSettings, match=f"{variable} is empty"):
                Settings.from_environment(environment | {variable: empty})
    one = sorted(needs - {"base_url", "file_url"})[0]  # each of them by its name: see the contract
    variable = f"GATEWAY_{target.name.upper()}_{one.upper()}"
    with pytest.raises(BadSettings, match=f"needs {one}"):
        start({key: value for key, value in environment.items() if key != variable})


def start(environment):
    """As a process starts, up to where it would answer; no connection is opened."""
    app = create_app(Settings.from_environment(environment))
    app.extensions["joined"].parts.engine.dispose()
    return app


BYPASSES = [
    {"Host": "localhost"},
    {"Host": "127.0.0.1"},
    {"X_Forwarded_Host": "localhost", "X_Forwarded_For": "127.0.0.1", "X_Forwarded_Proto": "https"},
    {"X_Real_IP": "127.0.0.1", "Forwarded": "for=127.0.0.1;host=localhost", "Client_IP": "127.0.0.1"},
    {"X_Skip_Verify": "1", "X_Debug": "1", "X_Test": "1", "Authorization": "Basic YWRtaW46YWRtaW4="},
    {"X_HTTP_Method_Override": "GET", "X_Original_URL": "/healthz", "Cookie": "session=admin; debug=1"},
]


@every_gateway
def test_a09_no_word_switches_the_check_off(target, monkeypatch):
    owed = target.owing()
    genuine = target.genuine(owed)
    forgery = replace(genuine, body=genuine.body + b" ")
    for name in ("SKIP_VERIFY", "DEBUG", "FLASK_DEBUG", "TESTING", f"{target.name.upper()}_SKIP_VERIFY"):
        monkeypatch.setenv(name, "1")

    for headers in BYPASSES:
        target.forged(forgery, **headers)
    for query in ("?skip_verify=1", "?debug=true", "?sign=", "?"):
        before = target.book()
        assert target.send(forgery, query=query).status == (400 if query != "?" else 401)
        assert target.book() == before
    rules = [rule.rule for rule in target.system.app.url_map.iter_rules() if "POST" in rule.methods]

    outsiders = [rule for rule in rules if any(word in rule for word in ("callback", "notify", "hook", "test"))]
    assert sorted(outsiders) == [  # the others book nothing
        "/callbacks/<gateway>",
        "/callbacks/<gateway>/complaints",
        "/callbacks/sms/<provider>",
    ]
    target.acknowledged(genuine, "paid", **BYPASSES[2] | BYPASSES[0])


def by_other_algorithms(target, genuine):
    """Messages that name another algorithm than the one agreed, and are in order by what they name."""
    wire, said = target.wire, target.wire.opened(genuine)
    if target.name == "wechat":
        sealed = json.loads(genuine.body)
        for word in ("AEAD_SM4_GCM", "AES_256_CBC", "none", "", None):
            sealed["resource"]["algorithm"] = word
            yield wire.signed(genuine, json.dumps(sealed).encode())
        for word in ("WECHATPAY2-SM2-WITH-SM3", "HMAC-SHA256", "MD5", "none"):
            yield replace(genuine, headers={**genuine.headers, "Wechatpay-Signature-Type": word})
        stamp, nonce = (genuine.headers[f"Wechatpay-{what}"] for what in ("Timestamp", "Nonce"))
        text = f"{stamp}\n{nonce}\n".encode() + genuine.body + b"\n"
        for secret in (wire.keys.public_key, wire.keys.api_v3_key, ""):
            shared = base64.b64encode(hmac.digest(secret.encode() or b"\0", text, "sha256")).decode()
            yield wire.proven_by(genuine, shared)
        return
    fields = {name: value for name, value in said.items() if name != wire.PROOF[0] and value}
    if target.name == "alipay":
        for word in ("RSA", "MD5", "rsa2", "HMAC_SHA256", "SM2", "none"):
            yield replace(genuine, body=urlencode({**said, "sign_type": word}).encode())
            yield wire.closed(genuine, {**said, "sign_type": word})
    else:
        for word in ("11", "12", "00", "02", ""):
            yield wire.closed(genuine, {**said, "signMethod": word})
        yield wire.closed(genuine, {**said, "version": "5.0.0"})
    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "sign_type")
    for secret in (wire.keys.public_key if target.name == "alipay" else wire.keys.leaf, ""):
        for shared in (
            hashlib.md5((text + secret).encode()).hexdigest(),
            hashlib.sha256(f"{text}&{hashlib.sha256(secret.encode()).hexdigest()}".encode()).hexdigest(),
            base64.b64encode(hmac.digest(secret.encode() or b"\0", text.encode(), "sha256")).decode(),
        ):
            yield wire.proven_by(genuine, shared)


@every_gateway
def test_a10_the_algorithm_is_ours_to_choose(target):
    owed = target.owing()
    genuine = target.genuine(owed)

    for posted in by_other_algorithms(target, genuine):
        target.forged(posted)

    target.acknowledged(genuine, "paid")


def stamped(target, genuine, stamp):
    """Signed by the genuine key, with this as its moment."""
    key, nonce = target.wire.voice._platform, genuine.headers["Wechatpay-Nonce"]
    signature = sign(key, f"{stamp}\n{nonce}\n".encode() + genuine.body + b"\n")
    return replace(genuine, headers={**genuine.headers, "Wechatpay-Timestamp": stamp, "Wechatpay-Signature": signature})


@attack("wechat")
def test_a11_an_old_message_is_not_believed_where_its_proof_has_a_moment(target):
    genuine = target.genuine(target.owing())
    now = int(time.time())

    for age in (301, 3600, 86400):
        target.forged(stamped(target, genuine, str(now - age)), why="too far from our clock")

    target.acknowledged(stamped(target, genuine, str(now - 290)), "paid")


@attack("alipay", "unionpay")
def test_a11_an_old_message_is_the_same_message_where_its_proof_has_no_moment(target):
    genuine = target.genuine(target.owing())
    said = target.wire.opened(genuine)
    told = "notify_time" if target.name == "alipay" else "respMsg"
    old = target.wire.closed(genuine, {**said, told: "2021-11-03 09:00:00"})

    target.acknowledged(old, "paid")
    target.acknowledged(old, "again")
    target.acknowledged(genuine, "again")

    assert target.entries(genuine) == 1


@every_gateway
def test_a12_the_same_message_two_hundred_times_counts_once(target):
    owed = target.owing()
    genuine = target.genuine(owed)
    before, accepted = target.book(), target.gateway.accepted()
    target.kept()

    with ThreadPoolExecutor(8) as crowd:
        answers = set(crowd.map(lambda _: target.send(genuine), range(200)))

    after = target.book()
    assert {(said.status, said.body) for said in answers} == {(accepted.status, accepted.body)}
    assert target.entries(genuine) == 1 and target.state(owed) == "paid"
    assert [after[what] - before[what] for what in ("entry", "notice", "suspense")] == [1, 1, 0]
    assert sorted(row.result for row in target.kept()) == ["again"] * 199 + ["paid"]
    assert target.alerts == []


@attack("wechat")
def test_a13_a_moment_that_is_none_or_to_come_proves_nothing(target):
    genuine = target.genuine(target.owing())
    now = int(time.time())

    for stamp in (str(now + 310), str(2**31), str(2**32), str(2**64), "1e9", "now", "-1", "+1", f"0x{now:x}", "0"):
        target.forged(stamped(target, genuine, stamp), why="timestamp")
    for stamp in (f"{now}.0", f" {now}", f"{now} ", f"{now}L", str(now).translate({ord("1"): "１"}), f"{now},{now}"):
        target.forged(stamped(target, genuine, stamp))

    target.acknowledged(genuine, "paid")


NOT_PAID = {  # their words, and whether we know them
    "wechat": {"NOTPAY": True, "CLOSED": True, "USERPAYING": True, "PAYERROR": True, "SETTLING": False},
    "alipay": {"WAIT_BUYER_PAY": True, "TRADE_CLOSED": True, "TRADE_PENDING": False},
    "unionpay": {"05": True, "34": True, "61": True, "A6": False, "ZZ": False},
}
ALSO_PAID = {"wechat": "REFUND", "alipay": "TRADE_FINISHED"}


@every_gateway
def test_a15_a_genuine_message_that_does_not_say_paid_books_nothing(target):
    owed = target.owing()
    genuine = target.genuine(owed)
    before = target.book()

    for word, known in NOT_PAID[target.name].items():
        posted = target.wire.changed(genuine, word=word)
        target.acknowledged(posted, "nothing", alert=None if known else "gateway_word_unknown")
        assert target.book() == before

    target.acknowledged(genuine, "paid")
    for word in NOT_PAID[target.name]:
        target.send(target.wire.changed(genuine, word=word))
    assert target.state(owed) == "paid", "what came first or last does not matter"
    if target.name in ALSO_PAID:
        target.acknowledged(target.wire.changed(genuine, word=ALSO_PAID[target.name]), "again")
    assert target.entries(genuine) == 1


HELD = {  # amounts that are booked as held, as each gateway spells them
    "wechat": {31999: 31999, 32001: 32001, 1: 1},
    "alipay": {"319.99": 31999, "320.01": 32001, "0.01": 1},
    "unionpay": {"31999": 31999, "32001": 32001, "1": 1},
}
SENSELESS = {  # amounts that are none
    "wechat": ["32000", "320.00", 32000.0, 3.2e4, "３２０００", -32000, 10**20, None, True, [32000], 0, GONE],
    "alipay": ["320.00 ", "3.2e2", "320.000", "３２０.００", "-320.00", f"{10**20}.00", "", "true", "0320.00", GONE],
    "unionpay": ["32000 ", "3.2e4", "32000.0", "３２０００", "-32000", f"{10**20}", "", "true", "032000", "0", GONE],
}
AMOUNTS = {name: [*HELD[name].items(), *((amount, None) for amount in SENSELESS[name])] for name in GATEWAYS}


@every_gateway
def test_a16_another_amount_is_held_with_an_owner_and_pays_nothing(target):
    owed = target.owing()
    genuine = target.genuine(owed)
    spelled = AMOUNTS[target.name]

    for amount, booked in spelled:
        posted = target.wire.changed(genuine, amount=amount, reference=another_reference(target, genuine))
        target.acknowledged(posted, "suspense" if booked else "doubt", alert="money_in_doubt")

    held = [(doubt, owner, amount or None) for doubt, owner, amount in target.held(owed)]
    assert held == [("amount", "tax_clerk", booked) for _, booked in spelled]
    assert target.state(owed) == "pending"
    target.acknowledged(genuine, "paid")


@attack("wechat", "unionpay")  # Alipay's notice says what went back in all, not by this refund
def test_a16_a_refund_of_another_amount_is_not_booked(target):
    owed = target.owing()
    target.acknowledged(target.genuine(owed), "paid")
    asked = agreed(target.system.parts, owed.number)
    genuine = target.given_back(owed, asked.number)
    before = target.book()

    for amount, result in ((31999, "doubt"), (1, "doubt"), ("320.00 ", "noted"), (-32000, "noted"), (GONE, "noted")):
        spelled = str(amount) if target.name == "unionpay" and amount is not GONE else amount
        posted = target.wire.changed(genuine, given_back=spelled)
        target.acknowledged(posted, f"refund:{result}", alert=f"refund_{result}")
    assert target.book() == before

    target.acknowledged(genuine, "refund:paid")
    target.acknowledged(genuine, "refund:again")
    assert target.book()["entry"] == before["entry"] + 1


@attack("wechat", "unionpay")
def test_a17_another_currency_is_held_with_an_owner_and_pays_nothing(target):
    owed = target.owing()
    genuine = target.genuine(owed)
    spelled = {"wechat": ["USD", "cny", "", None, 156, GONE], "unionpay": ["840", "CN", "", "1560", GONE]}[target.name]

    for currency in spelled:
        posted = target.wire.changed(genuine, currency=currency, reference=another_reference(target, genuine))
        target.acknowledged(posted, "doubt", alert="money_in_doubt")

    assert target.held(owed) == [("currency", "tax_clerk", None)] * len(spelled)
    assert target.state(owed) == "pending"


@every_gateway
def test_a18_a_success_is_of_the_payment_named_inside_its_proof(target):
    paid, unpaid = target.owing(), target.owing()
    genuine = target.genuine(paid)
    [name] = target.wire.NAMES["number"]
    before = target.book()

    assert target.send(genuine, query=f"?{name}={unpaid.number}").status == 400
    assert target.send(genuine, to=f"{target.name}/{unpaid.number}").status == 404
    assert target.book() == before
    swapped = genuine.body.replace(paid.number.encode(), unpaid.number.encode())
    if target.name == "wechat":  # its number is sealed: another envelope under the same signature
        swapped = target.wire.changed(genuine, number=unpaid.number).body
    target.forged(replace(genuine, body=swapped))
    target.acknowledged(genuine, "paid", X_Out_Trade_No=unpaid.number)

    assert (target.state(paid), target.state(unpaid)) == ("paid", "pending")


def said_twice(target, genuine, number):
    """Messages in which a name stands twice, all signed over what they are as far as that is possible."""
    wire, said = target.wire, target.wire.opened(genuine)
    if target.name == "wechat":
        inside, envelope = json.dumps(said), genuine.body.decode()
        yield wire.sealed(genuine, f'{{"out_trade_no":"{number}",{inside[1:]}')
        yield wire.sealed(genuine, f'{inside[:-1]},"out_trade_no":"{number}"}}')
        yield wire.sealed(genuine, f'{inside[:-1]},"amount":{{"total":1,"total":32000,"currency":"CNY"}}}}')
        yield wire.signed(genuine, f'{envelope[:-1]},"event_type":"TRANSACTION.SUCCESS"}}'.encode())
        yield wire.signed(genuine, f'{envelope[:-1]},"resource":{{}}}}'.encode())
        return
    [name], [amount] = wire.NAMES["number"], wire.NAMES["amount"]
    for more in (
        f"{name}={number}",
        f"{amount}=1",
        f"{name}[]={number}",
        f"{name[0]}%{ord(name[1]):02X}{name[2:]}=1",  # spelled otherwise, and the same name
    ):
        yield replace(genuine, body=genuine.body + b"&" + more.encode())
        yield replace(genuine, body=more.encode() + b"&" + genuine.body)
        yield replace(genuine, body=genuine.body + b";" + more.encode())


@every_gateway
def test_a19_a_name_twice_is_no_message(target):
    owed, other = target.owing(), target.owing()
    genuine = target.genuine(owed)

    for posted in said_twice(target, genuine, other.number):
        target.forged(posted)
    if target.name == "wechat":
        before = target.book()
        for name in target.wire.PROOF:
            twice = [*genuine.headers.items(), (name, genuine.headers[name])]
            assert target.ask("POST", "/callbacks/wechat", twice, genuine.body).status == 401
        assert target.book() == before
    else:
        pairs = parse_qsl(genuine.body.decode(), keep_blank_values=True)
        before = target.book()
        for part in (1, len(pairs) // 2, len(pairs)):
            half = replace(genuine, body=urlencode(pairs[part:]).encode())
            assert target.send(half, query=f"?{urlencode(pairs[:part])}").status == 400
        assert target.send(genuine, query="?a=1").status == 400
        assert target.book() == before
    target.acknowledged(genuine, "paid")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML = [
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><out_trade_no>&f;</out_trade_no></xml>',
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "{url}">]><xml>&f;</xml>',
    '<?xml version="1.0"?><!DOCTYPE x SYSTEM "{url}"><xml/>',
    f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><xml>&l9;</xml>',
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><result_code><![CDATA[SUCCESS]]></result_code>"
    "<out_trade_no>{number}</out_trade_no><total_fee>32000</total_fee><sign>0</sign></xml>",
]


@every_gateway
def test_a20_xml_is_never_parsed(target):
    owed = target.owing()
    genuine = target.genuine(owed)

    with receiver() as theirs:
        for document in XML:
            body = document.replace("{url}", theirs.url).replace("{number}", owed.number).encode()
            for kind in ("text/xml", "application/xml; charset=utf-8", genuine.headers["Content-Type"]):
                posted = Posted({**genuine.headers, "Content-Type": kind}, body)
                if target.name == "wechat" and kind == "text/xml":  # and signed, as if their v2 were still alive
                    posted = replace(target.wire.signed(genuine, body), body=body)
                target.forged(posted)

        assert theirs.came == []
    assert target.state(owed) == "pending"


PAID_WORDS = {
    "out_trade_no": "{number}",
    "orderId": "{number}",
    "trade_status": "TRADE_SUCCESS",
    "trade_state": "SUCCESS",
    "result_code": "SUCCESS",
    "respCode": "00",
    "paid": "1",
    "status": "paid",
    "total_amount": "320.00",
    "txnAmt": "32000",
    "errMsg": "requestPayment:ok",
}
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


@every_gateway
def test_a22_the_way_back_is_a_way_and_no_proof(target):
    owed = target.owing()
    genuine = target.genuine(owed)  # the money is there; nobody has told us
    before = target.book()
    target.kept()
    words = {name: value.replace("{number}", owed.number) for name, value in PAID_WORDS.items()}
    bodies = [urlencode(words).encode()]
    if target.name != "wechat":
        bodies.append(genuine.body)  # what they would sign

    for body in bodies:
        answers = [
            target.ask("POST", f"/back/{target.name}", FORM, body),
            target.ask("GET", f"/back/{target.name}?{body.decode()}", []),
        ]
        assert {said.status for said in answers} == {303}
    assert target.ask("GET", f"/callbacks/{target.name}", []).status == 405
    assert target.ask("GET", f"/payments/{owed.number}?{urlencode(words)}", []).status in (302, 303, 401, 404)

    assert target.book() == before and target.kept() == []
    assert target.state(owed) == "pending"


@every_gateway
def test_a23_what_the_client_says_of_its_payment_is_not_asked(target):
    owed = target.owing()
    call = target.system.app.test_client()
    headers = {"Authorization": f"Bearer {a_token(target.system)}"}
    person = {"name": "张示例", "id_number": owed.id_number, "agreed": True}
    found = call.post("/api/v1/people", json=person, headers=headers)
    assert found.status_code == 200, found.json
    before = target.book()  # the person was told that somebody looked him up
    place, ok = f"/api/v1/payments/{owed.number}", {"errMsg": "requestPayment:ok", "state": "paid", "paid": True}

    told = call.get(place, query_string=ok, headers=headers).json
    refused = [
        call.open(place, method=method, json=ok, headers=headers).status_code for method in ("POST", "PUT", "PATCH")
    ]

    assert (told["state"], told["paid_at"]) == ("waiting", None)
    assert refused == [405] * 3
    assert target.book() == before


@every_gateway
def test_a25_a_flood_of_forgeries_costs_no_rsa_and_little_room(target, elsewhere, monkeypatch):
    owed = target.owing()
    genuine = target.genuine(owed)
    forgery = under_no_name(target, genuine, elsewhere)
    proofs = []
    verify, signed_by = signing.Verifier.verify, seal._signed_by
    monkeypatch.setattr(
        signing.Verifier, "verify", lambda *it: proofs.append(it) or verify(*it)
    )  # counted, not changed
    monkeypatch.setattr(seal, "_signed_by", lambda *it: proofs.append(it) or signed_by(*it))
    before = target.book()
    target.kept()
    began = time.monotonic()

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: target.send(forgery).status, range(180)))

    room = 100 + 5 * (time.monotonic() - began) + 1
    assert answers == [401] * 180 and proofs == []
    assert 100 <= len(target.kept()) <= room
    assert [what for what, _ in target.alerts] == ["callback_refused"] * 180
    assert target.book() == before
    target.acknowledged(genuine, "paid")
    assert proofs, "the genuine one is proven"


def under_no_name(target, genuine, elsewhere):
    """Well formed, signed by somebody whose key, certificate or algorithm we do not know."""
    own = WIRES[target.name](elsewhere).closed(genuine, target.wire.opened(genuine))
    if target.name == "alipay":
        return replace(own, body=own.body + b"&alipay_cert_sn=" + b"0" * 32)
    if target.name == "unionpay":
        said = {**target.wire.opened(own), "signPubKeyCert": of_nobody()}
        return replace(own, body=urlencode(said).encode())
    return own


def of_nobody():
    """A certificate in UnionPay's name from an authority nobody has heard of, as a message brings it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), utc_now()
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (UNIONPAY, "my own authority")]
    made = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=9))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode().strip().replace("\n", "\r\n")


@every_gateway
def test_a26_a_channel_that_is_not_configured_has_no_address(target):
    genuine = target.genuine(target.owing())
    before = target.book()
    target.kept()
    others = ("jeepay", "", f"{target.name}/", target.name.upper(), f"{target.name}%00", f"..%2f{target.name}", "test")

    assert {target.send(genuine, to=other).status for other in others} == {404}
    left = {
        key: value
        for key, value in target.system.environment.items()
        if not key.startswith(f"GATEWAY_{target.name.upper()}_")
    }
    said = start(left).test_client().post(f"/callbacks/{target.name}", data=genuine.body, headers=dict(genuine.headers))

    assert said.status_code == 404
    assert target.book() == before and target.kept() == []


@every_gateway
def test_a84_nobody_reads_more_than_a_callback_can_be(target):
    genuine = target.genuine(target.owing())
    before = target.book()
    target.kept()
    long = genuine.body + b"&" + b"a" * (64 * 1024)

    assert target.send(replace(genuine, body=long)).status == 413
    chunked = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (long, b""))
    headers = [*genuine.headers.items(), ("Transfer-Encoding", "chunked")]
    assert target.ask("POST", f"/callbacks/{target.name}", headers, chunked).status == 413

    assert target.book() == before and target.kept() == []
    whole = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (genuine.body, b""))
    assert target.ask("POST", f"/callbacks/{target.name}", headers, whole).status == target.gateway.accepted().status
    assert [row.result for row in target.kept()] == ["paid"]
