"""What every gateway keeps, whichever it is: each registered adapter against its far side over real HTTP."""

import io
import logging
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from core.clock import BEIJING, beijing, utc_now
from payments.errors import AlreadyPaidThere, ForgedCallback, GatewayRefused, GatewaySilent, StatementNotReady
from payments.gateways.base import Kind, Movement, RefundOrder, RefundWord, Word
from payments.gateways.known import GATEWAYS, connect
from payments.gateways.signing import BadKey
from tests.builders import a_trade, an_order
from tests.outside import NOBODY
from tests.system import eventually
from tests.wires import WIRES, Posted

OPENID = "o" + "C" * 27
AMOUNTS = (1, 99, 100, 101, 40_050, 1_000_000, 999_999_999)  # fen: to 9,999,999.99 yuan
FAULTS = ("silent", "html", "truncated", "unsigned")
THEIRS = ("werkzeug", "payments.sandbox")  # loggers of the other side, which runs in this process
numbers = (f"K{n:015d}" for n in count(1))
days = (date(2016, 3, 1) + timedelta(days=3 * n) for n in count())  # no other test plays on them
pytestmark = pytest.mark.parametrize("name", GATEWAYS)


@pytest.fixture
def gateway(sandbox, name):
    return sandbox.gateway(name)


@pytest.fixture
def paid(sandbox, gateway):
    return buy(sandbox, gateway)


@pytest.fixture
def wire(sandbox, name):
    return WIRES[name](sandbox.world.config.folder)


@pytest.fixture(autouse=True)
def secret(sandbox, name, caplog) -> Iterator[set[str]]:
    """Whatever a test here lets happen, no key, no payer and nothing it adds to this set stands in any line of ours."""
    caplog.set_level(logging.DEBUG)
    further: set[str] = set()
    yield further
    ours = [line for line in caplog.get_records("call") if not line.name.startswith(THEIRS)]
    written = "\n".join(f"{line.name} {line.getMessage()} {line.exc_text or ''}" for line in ours)
    values = secrets_of(sandbox, name) | {value: value for value in further}
    assert [what for what, value in values.items() if value in written] == []


def secrets_of(sandbox, name) -> dict[str, str]:
    """Every key and password of both sides, line by line where it has lines, and what names or pays for somebody."""
    keys = {"wechat": sandbox.keys, "alipay": sandbox.alipay_keys, "unionpay": sandbox.unionpay_keys}[name]
    secret = {what: value for what, value in vars(keys).items() if what.endswith(("_key", "key_secret", "password"))}
    secret |= {"pfx": sandbox.unionpay_keys.pfx, "app_secret": sandbox.keys.app_secret}
    secret |= {"account_secret": sandbox.keys.account_secret}
    lines = {
        f"{what}:{row}": line
        for what, value in secret.items()
        for row, line in enumerate(value.splitlines())
        if not line.startswith("-----")
    }
    mine = [trade for trade in sandbox.get("/trades")["trades"] if trade["gateway"] == name]
    payers = {f"payer:{row}": trade["payer"] for row, trade in enumerate(mine)}
    return lines | payers | {"openid": OPENID, "signature": "signature=", "card": "621626"}


def order(gateway, kind=Kind.NATIVE, **changed):
    made = an_order(next(numbers), kind=kind, openid=OPENID if kind in (Kind.JSAPI, Kind.ACCOUNT) else None)
    made = replace(made, network="127.0.0.1")
    at = changed.get("ordered_at", made.ordered_at)
    return replace(made, **{"expires_at": at + gateway.facts.lives_at_most, **changed})


def buy(sandbox, gateway, **changed):
    taken = order(gateway, **changed)
    assert sandbox.pay(gateway.start(taken).code_url).status == 200
    return taken


def refund_of(gateway, taken, amount=12000, **changed):
    at = changed.pop("at", utc_now().replace(microsecond=0))
    reference = gateway.query(taken).reference
    return RefundOrder(next(numbers), at, taken.number, reference, taken.amount, amount, "多缴退回")


def told(sandbox, gateway, code) -> Posted:
    """A genuine callback of the payment behind a code."""
    delivery = sandbox.telling(sandbox.pay_untold(code))
    return Posted(delivery.headers, delivery.body)


def read(gateway, posted):
    return gateway.read_callback(posted.headers, posted.body, now=utc_now())


def test_a_code_is_paid_on_the_phone_and_the_query_says_so(sandbox, gateway):
    taken = order(gateway)

    code = gateway.start(taken).code_url
    before = gateway.query(taken)
    sandbox.pay(code)
    after = gateway.query(taken)

    assert before.word in (Word.OPEN, Word.ABSENT) and before.amount in (None, 32000)
    assert (before.reference, before.happened_at) == ("", None)
    [theirs] = sandbox.paid(taken.number)
    assert (after.gateway, after.number, after.word) == (gateway.name, taken.number, Word.PAID)
    assert (after.merchant, after.app) == (gateway.merchant, gateway.app)
    assert (after.amount, after.currency, after.reference) == (theirs["amount"], "CNY", theirs["reference"])
    assert after.happened_at == datetime.fromisoformat(theirs["success_time"])
    assert abs(after.happened_at - utc_now()) < timedelta(seconds=9), "their Beijing time is the same moment"


def test_starting_again_is_harmless(sandbox, gateway):
    taken = order(gateway)
    codes = [gateway.start(taken).code_url]

    try:
        codes.append(gateway.start(taken).code_url)
    except GatewaySilent:
        assert gateway.name == "unionpay", "it hands out an order's code once"

    answers = [sandbox.pay(code).status for code in reversed(codes)]
    assert answers == [200, 409][: len(codes)]
    assert len(sandbox.paid(taken.number)) == 1
    with pytest.raises((AlreadyPaidThere, GatewaySilent)):
        gateway.start(taken)


def test_a_number_they_never_heard_is_absent(gateway):
    outcome = gateway.query(a_trade("C99999999999999"))

    assert (outcome.word, outcome.number, outcome.reference) == (Word.ABSENT, "C99999999999999", "")
    assert (outcome.amount, outcome.happened_at) == (None, None)


def test_after_closing_nobody_pays_where_there_is_a_closing(sandbox, gateway):
    taken = order(gateway)
    code = gateway.start(taken).code_url
    sandbox.phone(code)  # what nobody has looked at, some do not know yet

    gateway.close(taken)
    gateway.close(taken)

    closed = gateway.facts.closes
    assert (gateway.query(taken).word is Word.CLOSED) is closed
    assert sandbox.pay(code).status == (409 if closed else 200)
    gateway.close(a_trade("C99999999999998"))


def test_what_is_paid_stays_paid_whoever_closes_it(gateway, paid):
    if gateway.facts.closes:
        with pytest.raises(AlreadyPaidThere):
            gateway.close(paid)
    else:
        gateway.close(paid)

    assert gateway.query(paid).word is Word.PAID


def test_a_callback_says_what_the_query_says(sandbox, gateway, merchant, name):
    gateway = sandbox.gateway(name, merchant.url)
    merchant.answer, merchant.body = (lambda n: gateway.accepted().status), gateway.accepted().body

    taken = buy(sandbox, gateway)
    [(headers, body)] = merchant.wait(1)
    callback = gateway.read_callback(headers, body, now=utc_now())

    assert callback.outcome == gateway.query(taken)
    assert callback.refund is None and callback.event_id
    assert sandbox.callback_statuses(taken.number, 2, seconds=0.2) == [gateway.accepted().status]


def test_one_altered_byte_is_refused_wherever_it_is(sandbox, gateway):
    genuine = told(sandbox, gateway, gateway.start(order(gateway)).code_url)

    assert read(gateway, genuine).outcome.word is Word.PAID
    for place in range(0, len(genuine.body), 3):
        altered = bytearray(genuine.body)
        altered[place] ^= 1
        with pytest.raises(ForgedCallback):
            read(gateway, replace(genuine, body=bytes(altered)))


def test_a_signature_has_one_spelling(sandbox, gateway, wire):
    """Its last letter has four bits that mean nothing: another letter there is the same number, and another text."""
    genuine = told(sandbox, gateway, gateway.start(order(gateway)).code_url)
    spelled = wire.proof_of(genuine)
    otherwise = f"{spelled[:-3]}{chr(ord(spelled[-3]) + 1)}=="

    assert b64decode(otherwise, validate=True) == b64decode(spelled, validate=True)
    with pytest.raises(ForgedCallback, match="signature wrong"):
        read(gateway, wire.proven_by(genuine, otherwise))


def test_a_body_that_breaks_off_or_goes_on_is_refused(sandbox, gateway):
    genuine = told(sandbox, gateway, gateway.start(order(gateway)).code_url)

    broken = [genuine.body[:place] for place in range(0, len(genuine.body), 41)]
    longer = [genuine.body + more for more in (b" ", b"\n", b"&", b"&a=b", b"\0", b"{}")]
    for body in (*broken, *longer):
        with pytest.raises(ForgedCallback):
            read(gateway, replace(genuine, body=body))


def test_a_refund_is_accepted_then_done_and_happens_once(sandbox, gateway, paid):
    back = refund_of(gateway, paid)

    before = gateway.query_refund(back)
    words = [gateway.refund(back).word for _ in range(3)]
    eventually(lambda: gateway.query_refund(back).word is RefundWord.DONE)
    after = gateway.query_refund(back)

    assert (before.word, before.number) == (RefundWord.ABSENT, back.number)
    assert set(words) <= {RefundWord.PROCESSING, RefundWord.DONE}
    assert (after.number, after.payment, after.amount, after.merchant) == (
        back.number,
        paid.number,
        12000,
        gateway.merchant,
    )
    theirs = [one for one in sandbox.get("/refunds")["refunds"] if one["payment"] == paid.number]
    assert [(one["amount"], one["state"]) for one in theirs] == [(12000, "SUCCESS")]
    assert after.happened_at == datetime.fromisoformat(theirs[0]["success_time"])
    assert gateway.query(paid).word is Word.PAID, "money that went back had come"


def test_more_than_is_left_does_not_go_back(sandbox, gateway, paid):
    gateway.refund(refund_of(gateway, paid, 30000))

    with pytest.raises(GatewayRefused):
        gateway.refund(refund_of(gateway, paid, 2001))

    theirs = [one for one in sandbox.get("/refunds")["refunds"] if one["payment"] == paid.number]
    assert [one["amount"] for one in theirs] == [30000]


def turned(sandbox, moment):
    sandbox.post("/clock", {"offset_seconds": int((moment - datetime.now(UTC)).total_seconds())})
    return moment


def test_a_days_statement_is_their_list(sandbox, gateway):
    day = next(days)
    at = turned(sandbox, datetime(day.year, day.month, day.day, 12, tzinfo=BEIJING)).astimezone(UTC)
    taken = [buy(sandbox, gateway, ordered_at=at, amount=amount) for amount in AMOUNTS if amount > 99]
    back = refund_of(gateway, taken[1], 100, at=at)
    gateway.refund(back)
    eventually(lambda: gateway.query_refund(back).word is RefundWord.DONE)
    theirs = [one for order in taken for one in sandbox.paid(order.number)]
    turned(sandbox, at + timedelta(days=1, hours=1))

    file = io.BytesIO()
    assert gateway.fetch_statement(day, file) is True
    file.seek(0)
    lines = list(gateway.read_statement(file, day))

    came = sorted((one.number, one.reference, one.amount) for one in lines if one.movement is Movement.PAYMENT)
    assert came == sorted((one["number"], one["reference"], one["amount"]) for one in theirs)
    [went] = [one for one in lines if one.movement is Movement.REFUND]
    assert (went.number, went.refund_number, went.amount) == (taken[1].number, back.number, 100)
    assert {beijing(one.happened_at).date() for one in lines if one.happened_at} == {day}


def test_a_day_without_trades_is_said_to_be_one_or_not_ready(sandbox, gateway):
    day = next(days)
    turned(sandbox, datetime(day.year, day.month, day.day, 12, tzinfo=BEIJING) + timedelta(days=1))
    file = io.BytesIO()

    try:
        assert gateway.fetch_statement(day, file) is False
    except StatementNotReady:
        assert gateway.name == "unionpay", "it has one code for both"
    assert file.getvalue() == b""


def test_every_key_is_named_and_none_is_told(sandbox, gateway, name):
    facts = gateway.keys()

    assert {fact.purpose for fact in facts} >= {"signs our requests"} and all(fact.name for fact in facts)
    assert len({fact.name for fact in facts}) == len(facts) >= 2
    told_of = repr(facts)
    assert [what for what, value in secrets_of(sandbox, name).items() if value in told_of] == []


def test_our_key_signs_and_verifies(gateway):
    gateway.sign_and_verify()


def test_amounts_are_exact_from_one_fen_on(sandbox, gateway):
    for amount in AMOUNTS:
        taken = order(gateway, amount=amount)
        posted = told(sandbox, gateway, gateway.start(taken).code_url)

        said = [gateway.query(taken), read(gateway, posted).outcome]
        assert [(one.amount, type(one.amount)) for one in said] == [(amount, int)] * 2
        assert sandbox.paid(taken.number)[0]["amount"] == amount


def calls(sandbox, gateway, paid):
    """Each way to ask, as (what the far side calls it, the number it is about, the asking)."""
    fresh, open_one = order(gateway), order(gateway)
    sandbox.phone(gateway.start(open_one).code_url)
    back = refund_of(gateway, paid, 100)
    known = refund_of(gateway, paid, 200)
    gateway.refund(known)
    yield "create", fresh.number, lambda by: by.start(fresh)
    yield "query", paid.number, lambda by: by.query(paid)
    yield "refund", back.number, lambda by: by.refund(back)
    yield "refund_query", known.number, lambda by: by.query_refund(known)
    if gateway.facts.closes:
        yield "close", open_one.number, lambda by: by.close(open_one)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_proves_nothing_is_silence(sandbox, gateway, paid, name, fault):
    for on, number, ask in calls(sandbox, gateway, paid):
        if (name, on, fault) == ("wechat", "close", "truncated"):
            continue  # its 204 has no body to lose
        sandbox.clear()
        sandbox.fault(fault, number, on=on, count=None, seconds=0.25)
        with pytest.raises(GatewaySilent):
            ask(sandbox.gateway(name, read_s=0.15) if fault == "silent" else gateway)
        sandbox.clear()
        if (name, on) != ("unionpay", "create"):
            ask(gateway)  # it was the fault's silence


def test_each_kind_it_names_can_be_started_and_no_other(gateway, secret):
    for kind in Kind:
        if kind in gateway.facts.kinds:
            checkout = gateway.start(order(gateway, kind))
            given = [bool(one) for one in (checkout.jsapi, checkout.code_url, checkout.page, checkout.link)]
            ours = ((Kind.JSAPI, Kind.ACCOUNT), (Kind.NATIVE,), (Kind.WEB,), (Kind.H5,))
            assert given == [kind in kinds for kinds in ours]
            called = {
                what: value for what, value in (checkout.jsapi or {}).items() if what not in ("appId", "signType")
            }
            secret |= {*called.values(), *filter(None, [checkout.code_url, checkout.link])}
        else:
            with pytest.raises(AssertionError):
                gateway.start(order(gateway, kind))


def test_by_whichever_kind_it_is_paid_they_say_the_same_of_it(sandbox, gateway):
    for kind in sorted(gateway.facts.kinds):
        taken = order(gateway, kind, amount=40_051)
        posted = told(sandbox, gateway, code_behind(sandbox, gateway.start(taken)))

        heard, asked = read(gateway, posted).outcome, gateway.query(taken)

        assert heard == asked and (heard.word, heard.amount) == (Word.PAID, 40_051), kind
        assert heard.app == (gateway.facts.account_app if kind is Kind.ACCOUNT else gateway.app)


def code_behind(sandbox, checkout):
    """What a phone finds behind any checkout; a browser goes to a page first."""
    if checkout.code_url or checkout.jsapi:
        return checkout.code_url or checkout.jsapi["package"].removeprefix("prepay_id=")
    if checkout.link:
        went = sandbox.door.send("GET", checkout.link, headers={"Referer": NOBODY})
    else:
        form = urlencode(checkout.page.fields).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        went = sandbox.door.send("POST", checkout.page.url, headers=headers, body=form)
    return parse_qs(urlsplit(went.headers["location"]).query)["code"][0]


def credentials(sandbox, name):
    urls = {"base_url": sandbox.url, "notify_url": "https://pay.invalid/callbacks"}
    back = {"return_url": "https://pay.invalid/back"}
    if name == "wechat":
        return sandbox.keys.wechat_credentials(**urls)
    return (sandbox.alipay_keys if name == "alipay" else sandbox.unionpay_keys).credentials(**urls, **back)


def test_each_credential_it_needs_is_missed_by_its_name(sandbox, name):
    held = credentials(sandbox, name)

    connect(name, held, sandbox.door, utc_now)
    for need in GATEWAYS[name].NEEDS:
        for worth in ("", " ", None):
            spoilt = {key: value for key, value in held.items() if key != need}
            with pytest.raises(BadKey, match=need):
                connect(name, spoilt | ({} if worth is None else {need: worth}), sandbox.door, utc_now)
    with pytest.raises(BadKey):
        connect(name, {}, sandbox.door, utc_now)


@pytest.fixture(scope="module")
def another_folder(tmp_path_factory):
    """Another sandbox's keys."""
    return tmp_path_factory.mktemp("another")


def test_with_a_second_key_beside_the_first_messages_of_both_are_believed(sandbox, gateway, wire, another_folder, name):
    next_one = WIRES[name](another_folder)
    both = sandbox.gateway(name, **second_key(sandbox, name, next_one.keys))
    old = told(sandbox, gateway, gateway.start(order(gateway)).code_url)
    new = next_one.closed(old, wire.opened(old))

    outcomes = [read(both, posted).outcome for posted in (old, new)]

    assert outcomes[0] == outcomes[1] and outcomes[0].word is Word.PAID
    with pytest.raises(ForgedCallback):
        read(gateway, new)


def second_key(sandbox, name, theirs):
    """The credentials of the days in which one key of the gateway's follows another."""
    if name == "wechat":
        return {
            "public_keys": {sandbox.keys.pub_key_id: sandbox.keys.public_key, theirs.pub_key_id: theirs.public_key},
            "api_v3_keys": f"{theirs.api_v3_key},{sandbox.keys.api_v3_key}",
        }
    if name == "alipay":
        return {"public_keys": sandbox.alipay_keys.public_key + theirs.public_key}
    ours = sandbox.unionpay_keys
    return {"root_certificates": ours.root + theirs.root, "middle_certificates": ours.middle + theirs.middle}
