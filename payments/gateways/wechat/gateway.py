"""WeChat Pay API v3 for a directly connected merchant: JSAPI in the mini-program and for the official account's users,
Native as a QR code, H5 from any other browser of a phone.

Manual: pay.weixin.qq.com/doc/v3/merchant (JSAPI 下单 4012525182, 查询 4013070356, 退款 4012552567, 账单 4013071254).
What comes back is believed only by `reading`. An answer that is not a proof is silence: the outcome is unknown
and the next step is a query.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import BinaryIO
from urllib.parse import urlsplit

from core.http import Door
from payments.errors import GatewayRefused, GatewaySilent
from payments.gateways.alerting import Alert, unheard, waking
from payments.gateways.base import (
    Acknowledgement,
    Callback,
    Checkout,
    Clock,
    Credentials,
    Facts,
    KeyFact,
    Order,
    Outcome,
    Purpose,
    RefundOrder,
    RefundOutcome,
    RefundWord,
    StatementLine,
    Trade,
    Word,
)
from payments.gateways.blocks import Block
from payments.gateways.signing import BadKey, ResourceKeys, Signer, certificates
from payments.gateways.wechat.complaints import WeChatComplaints
from payments.gateways.wechat.fetching import fetch_bill
from payments.gateways.wechat.keys import own_certificate, public_keys_in
from payments.gateways.wechat.line import Line, code_of, dumped, failure, plain
from payments.gateways.wechat.ordering import PAGE_HOST, PATHS, Merchant
from payments.gateways.wechat.reading import NAME, Unproven, WeChatReader
from payments.gateways.wechat.statement import read_blocks, read_lines

NOT_THERE = frozenset({"ORDERNOTEXIST", "RESOURCENOTEXISTS"})
FUNDS_ACCOUNTS = ("AVAILABLE",)  # without it WeChat Pay takes what is not settled yet, and refuses when that is short
LONGEST_REASON = 80

_ORDERS, _REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"
_NUMBER = re.compile(r"[0-9A-Za-z]{6,32}")


class WeChatPay:
    """The adapter. Holds parsed keys and no state: one instance serves every thread."""

    NEEDS = ("mchid", "appid", "serial_no", "private_key", "api_v3_keys", "notify_url", "base_url")
    NEEDS_ONE_OF = ("public_keys", "platform_certificates")

    name = NAME
    facts = Facts(
        title="微信",
        kinds=frozenset(PATHS),
        poll_after_s=(15, 30, 60, 180, 300, 600, 1800),
        closes=True,
        unseen_may_be_paid=False,
        lives_at_most=timedelta(minutes=15),
        refund_within=timedelta(days=365),
        statement_ready=time(10, 0),
        page_hosts=(f"https://{PAGE_HOST}",),
        also_hosts=frozenset({"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"}),
        link_lives=timedelta(minutes=4),  # they say five
    )

    def __init__(self, credentials: Credentials, door: Door, system_clock: Clock, *, alert: Alert = unheard) -> None:
        """`credentials` by the names in NEEDS, texts; BadKey names the one that is missing or unusable.

        api_v3_keys: comma list, newest first. public_keys: id → PEM, or a text of ids each followed by its PEM; the
        first is asked for. platform_certificates: PEMs one after the other. One of the two suffices; with both, both
        kinds of serial are believed (the week in which a merchant changes over). certificate, if given, is the
        merchant's own: it must fit private_key and serial_no, and its end is told by `keys`. funds_account, if given:
        which of our accounts there refunds are paid from. account_appid, if given: the official account's, bound to
        mchid; without it there is no Kind.ACCOUNT. h5: `off` where WeChat has not approved the domain for H5 pay."""
        words = {need: str(credentials.get(need, "")).strip() for need in self.NEEDS}
        for need in self.NEEDS:
            if not words[need]:
                raise BadKey(f"wechat needs {need}")
        public_keys = public_keys_in(credentials.get("public_keys", ""))
        if not (verifiers := public_keys | certificates(str(credentials.get("platform_certificates", "")))):
            raise BadKey("wechat needs public_keys or platform_certificates")
        if urlsplit(words["notify_url"]).query:
            raise BadKey("wechat notify_url may carry no query")
        self._orders = Merchant.held_in(credentials)
        self.merchant, self.app = self._orders.mchid, self._orders.app
        self.facts = replace(type(self).facts, kinds=self._orders.kinds, account_app=self._orders.account_app)
        self.reader = WeChatReader(
            mchid=self.merchant,
            appids=frozenset({self.app, self._orders.account_app} - {""}),
            verifiers=verifiers,
            resource_keys=ResourceKeys(key.strip() for key in words["api_v3_keys"].split(",")),
        )
        self._signer, serial = Signer(words["private_key"]), words["serial_no"].upper()
        self._certificate = own_certificate(str(credentials.get("certificate", "")), serial)
        self._notify_url, self._alert = words["notify_url"], alert
        self._funds_account = str(credentials.get("funds_account", "")).strip()
        if self._funds_account not in ("", *FUNDS_ACCOUNTS):
            raise BadKey(f"wechat funds_account is not {' or '.join(FUNDS_ACCOUNTS)}")
        self._line = Line(
            mchid=self.merchant,
            serial=serial,
            signer=self._signer,
            answer_serial=next(iter(public_keys), ""),
            base_url=words["base_url"].rstrip("/"),
            door=door,
            clock=system_clock,
            reader=self.reader,
        )
        self.complaints = WeChatComplaints(self._line, self._signer)
        self.sign_and_verify()

    def start(self, order: Order) -> Checkout:
        """Take an order: one try and, on silence, one more with the same bytes (their manual: the number is identity).

        GatewaySilent, GatewayRefused (code in args[0]), AlreadyPaidThere."""
        order.check_time()
        assert order.kind in self.facts.kinds
        path, body = f"{_ORDERS}/{PATHS[order.kind]}", self._orders.body(order)
        try:
            stated = self._taken(path, body)
        except GatewaySilent:
            try:
                stated = self._taken(path, body)
            except GatewayRefused as error:  # the first try may have been taken all the same
                raise GatewaySilent(f"silence, then {error}") from error
        return self._orders.checkout(order, stated, self._line)

    def query(self, trade: Trade) -> Outcome:
        """What they know of our number; ABSENT if nothing. GatewaySilent for whatever does not prove itself."""
        answer = self._line.ask("GET", f"{_ORDERS}/out-trade-no/{_ours(trade.number)}?mchid={self.merchant}")
        if answer.status == 404 and plain(code := code_of(answer)) in NOT_THERE:
            return Outcome(NAME, trade.number, Word.ABSENT, merchant=self.merchant, app=self.app, their_word=code)
        if answer.status != 200:
            raise GatewaySilent(f"{answer.status} {code_of(answer)}")
        try:
            outcome = self.reader.transaction(self._line.proven(answer))
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt
        if outcome.number != trade.number:
            raise GatewaySilent("an answer about another number")
        return outcome

    def close(self, trade: Trade) -> None:
        """Ask that nobody can pay it; returns also when it is closed or unknown there, only a query confirms.

        GatewaySilent, AlreadyPaidThere, GatewayRefused."""
        body = dumped({"mchid": self.merchant})
        answer = self._line.ask("POST", f"{_ORDERS}/out-trade-no/{_ours(trade.number)}/close", body)
        if answer.status == 204:
            self._line.proven(answer)
            return
        code = plain(code_of(answer))
        if (answer.status == 404 and code in NOT_THERE) or (answer.status == 400 and code == "ORDERCLOSED"):
            return
        raise failure(answer)

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for money back. GatewaySilent, GatewayShort; GatewayRefused only if nothing lives under the number:

        a repeated request may be refused because the first one was taken."""
        try:
            return self._refund_told(order, self._line.take(_REFUNDS, self._refund_body(order)))
        except GatewayRefused:
            before = self.query_refund(order)
            if before.word is RefundWord.ABSENT:
                raise
            return before

    def query_refund(self, order: RefundOrder) -> RefundOutcome:
        """What became of a refund; ABSENT if they never got it. GatewaySilent."""
        answer = self._line.ask("GET", f"{_REFUNDS}/{_ours(order.number)}")
        if answer.status == 404 and plain(code := code_of(answer)) in NOT_THERE:
            return RefundOutcome(NAME, order.number, RefundWord.ABSENT, merchant=self.merchant, their_word=code)
        if answer.status != 200:
            raise GatewaySilent(f"{answer.status} {code_of(answer)}")
        return self._refund_told(order, self._line.proven(answer))

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback; see `reading`."""
        return self.reader.read_callback(headers, body, now=now)

    def accepted(self) -> Acknowledgement:
        """204: they stop repeating."""
        return Acknowledgement(204, b"")

    def rejected(self) -> Acknowledgement:
        """A 4xx with their FAIL body: they send it again, properly signed if it was theirs."""
        return Acknowledgement(401, dumped({"code": "FAIL", "message": "签名验证失败"}))

    def fetch_statement(self, day: date, into: BinaryIO) -> bool:
        """The day's trade bill, type ALL, packed as they send it; False if they had no trade.

        StatementNotReady, GatewaySilent, BadStatement when its SHA-1 does not fit."""
        return fetch_bill(self._line, day, into, hosts=self.facts.also_hosts)

    def read_statement(self, file: BinaryIO, day: date) -> Iterator[StatementLine]:
        """The lines of such a file one by one; see `statement`."""
        return read_lines(file, day, mchid=self.merchant)

    def read_blocks(self, file: BinaryIO, day: date) -> Iterator[StatementLine | Block]:
        """The same, ordinary payments many at a time."""
        return read_blocks(file, day, mchid=self.merchant)

    def keys(self) -> Sequence[KeyFact]:
        """Every key held; a bare public key and a key for callbacks have no end."""
        own = KeyFact(Purpose.SIGNS, self._line.serial, self._certificate and self._certificate.expires_at)
        theirs = [KeyFact(Purpose.VERIFIES, name, one.expires_at) for name, one in self.reader.verifiers.items()]
        seals = [KeyFact(Purpose.OPENS, f"api_v3_key {n + 1}") for n in range(len(self.reader.resource_keys))]
        return (own, *theirs, *seals)

    def sign_and_verify(self) -> None:
        """Our key and our certificate, or else its public half, fit each other; BadKey."""
        text = b"liangxian"
        verifier = self._certificate or self._signer.public_half()
        if not verifier.verify(text, self._signer.sign(text)):
            raise BadKey("wechat certificate does not belong to private_key")

    def _taken(self, path: str, body: bytes) -> dict[str, object]:
        with waking(self._alert, NAME):
            return self._line.take(path, body)

    def _refund_body(self, order: RefundOrder) -> bytes:
        assert type(order.amount) is int and 0 < order.amount <= order.paid
        known = {"transaction_id": order.reference} if order.reference else {"out_trade_no": _ours(order.payment)}
        return dumped(
            {
                **known,
                "out_refund_no": _ours(order.number),
                "reason": order.reason[:LONGEST_REASON],
                "notify_url": self._notify_url,
                "amount": {"refund": order.amount, "total": order.paid, "currency": "CNY"},
            }
            | ({"funds_account": self._funds_account} if self._funds_account else {})
        )

    def _refund_told(self, order: RefundOrder, stated: Mapping[str, object]) -> RefundOutcome:
        try:
            outcome = self.reader.refund(stated)
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt
        if (outcome.number, outcome.payment) != (order.number, order.payment):
            raise GatewaySilent("an answer about another refund")
        return outcome


def _ours(number: str) -> str:
    assert _NUMBER.fullmatch(number), "our numbers need no percent-encoding"
    return number
