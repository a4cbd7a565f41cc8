"""Alipay for a directly contracted merchant: a code to scan (precreate) and a page in the payer's browser (wap.pay).

Manual: alipay.trade.precreate, .wap.pay, .query, .close, .refund, .fastpay.refund.query. No trade exists before
somebody scans the code or logs in on the page, so "no such trade" never proves that nobody will pay; only the order's
end does. What comes back is believed only by `reading`; an answer that is not a proof is silence, and the next
step is a query.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import BinaryIO

from core.http import Door
from payments.errors import AlreadyPaidThere, GatewayRefused, GatewaySilent
from payments.gateways.alerting import Alert, unheard, waking
from payments.gateways.alipay.asking import (
    PRODUCTS,
    AlipayLine,
    close_wanted,
    code_wanted,
    page_wanted,
    query_wanted,
    refund_query_wanted,
    refund_wanted,
)
from payments.gateways.alipay.complaints import AlipayComplaints
from payments.gateways.alipay.fetching import BILL_HOST, fetch_bill
from payments.gateways.alipay.keys import own_key, platform_keys
from payments.gateways.alipay.meaning import (
    BUSINESS,
    FINAL,
    FUND_CHANGE,
    REFUND_STATUS,
    Meaning,
    check_numbers,
    failure,
    meaning,
    refund_word,
    succeeded,
    text_of,
)
from payments.gateways.alipay.reading import NAME, AlipayReader, Unproven, code_of, refunded
from payments.gateways.alipay.statement import read_bill
from payments.gateways.base import (
    Acknowledgement,
    Callback,
    Checkout,
    Clock,
    Credentials,
    Facts,
    KeyFact,
    Kind,
    Order,
    Outcome,
    RefundOrder,
    RefundOutcome,
    RefundWord,
    StatementLine,
    Trade,
    Word,
)
from payments.gateways.blocks import Block
from payments.gateways.signing import BadKey

_APP_ID, _SELLER_ID = re.compile(r"[0-9]{16,32}"), re.compile(r"2088[0-9]{12}")
_URL = re.compile(r"https?://[!-~]{1,248}")
_CODE_URL = re.compile(r"https?://[!-~]{1,500}")


class Alipay:
    """The adapter. Holds parsed keys and no state: one instance serves every thread."""

    NEEDS = ("app_id", "seller_id", "private_key", "base_url", "notify_url", "return_url")
    NEEDS_ONE_OF = ("public_keys", "certificates")

    name = NAME
    facts = Facts(
        title="支付宝",
        kinds=frozenset({Kind.NATIVE, Kind.WEB}),
        poll_after_s=(15, 30, 60, 120, 240, 480, 900, 1800),
        closes=True,
        unseen_may_be_paid=True,
        lives_at_most=timedelta(minutes=10),
        refund_within=timedelta(days=365),  # the longer of the usual contracts; beyond it they say TRADE_HAS_FINISHED
        statement_ready=time(10, 0),
        page_hosts=("https://*.alipay.com",),
        also_hosts=frozenset({BILL_HOST}),
    )

    def __init__(self, credentials: Credentials, door: Door, system_clock: Clock, *, alert: Alert = unheard) -> None:
        """`credentials` by the names in NEEDS, texts; BadKey names the one that is missing or unusable.

        private_key: PEM or the key tool's bare Base64. public_keys: Alipay's, PEMs or bare Base64, several while one is
        changed. certificates: Alipay's, and then app_certificate and root_certificates too; requests go out in
        certificate mode, and with public_keys beside them answers of both kinds are believed. quit_url: optional.
        product_code: the contract that codes are made under, one of PRODUCTS."""
        words = {need: _text(credentials, need) for need in (*self.NEEDS, *self.NEEDS_ONE_OF)}
        words |= {
            name: _text(credentials, name)
            for name in ("app_certificate", "root_certificates", "quit_url", "product_code")
        }
        _check(words, self.NEEDS, self.NEEDS_ONE_OF)
        own = own_key(words["private_key"], words["app_certificate"], words["root_certificates"])
        keys = platform_keys(words["public_keys"], words["certificates"], words["root_certificates"], alert=alert)
        if any(theirs.verify(b"whose?", own.signer.sign(b"whose?")) for theirs in keys.public):
            raise BadKey("alipay public_keys hold our own key; theirs is called 支付宝公钥")
        self.merchant, self.app = words["seller_id"], words["app_id"]
        self.reader = AlipayReader(self.app, self.merchant, keys)
        base_url = words["base_url"].rstrip("/").removesuffix("/gateway.do")
        self._line = AlipayLine(self.app, base_url, own, self.reader, door, system_clock, alert)
        self.complaints = AlipayComplaints(self._line)
        self._notify_url, self._return_url = words["notify_url"], words["return_url"]
        self._quit_url, self._product = words["quit_url"], words["product_code"] or PRODUCTS[0]
        self._alert = alert

    def start(self, order: Order) -> Checkout:
        """A code, or a page that only the payer's browser sends. On silence one more try: their number is identity.

        GatewaySilent, GatewayRefused (code in args[0]), AlreadyPaidThere."""
        assert order.kind in self.facts.kinds and not order.openid
        order.check_time()
        if order.kind is Kind.WEB:
            urls = {"notify_url": self._notify_url, "return_url": self._return_url, "quit_url": self._quit_url}
            return Checkout(page=self._line.page(page_wanted(order, seller_id=self.merchant, **urls)))
        try:
            stated = self._coded(order)
        except GatewaySilent:
            try:
                stated = self._coded(order)
            except GatewayRefused as error:  # the first try may have been taken all the same
                raise GatewaySilent(f"silence, then {error}") from error
        return Checkout(code_url=text_of(stated, "qr_code", _CODE_URL))

    def query(self, trade: Trade) -> Outcome:
        """What they know of our number; ABSENT if nothing, which is no end before the order's. GatewaySilent."""
        stated = self._line.ask(query_wanted(trade))
        check_numbers(stated, out_trade_no=trade.number)
        if not succeeded(stated):
            if meaning(stated) is not Meaning.ABSENT:
                raise GatewaySilent(str(failure(stated)))
            word = code_of(stated, "sub_code")
            return Outcome(NAME, trade.number, Word.ABSENT, merchant=self.merchant, app=self.app, their_word=word)
        try:
            return self.reader.trade(stated)
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt

    def close(self, trade: Trade) -> None:
        """Ask that nobody can pay it. No such trade: returns, and confirms nothing, the code may still be scanned.

        GatewaySilent, AlreadyPaidThere, GatewayRefused."""
        stated = self._line.ask(close_wanted(trade))
        check_numbers(stated, out_trade_no=trade.number)
        if succeeded(stated) or meaning(stated) is Meaning.ABSENT:
            return
        if meaning(stated) is not Meaning.ASK:
            raise failure(stated)
        if self.query(trade).word is Word.PAID:
            raise AlreadyPaidThere(code_of(stated, "sub_code"))

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for money back. DONE only if this call moved it; else PROCESSING: ask, from ten seconds later on.

        A no is believed when a query knows nothing of the refund either: the same number may have been taken before.
        GatewaySilent, GatewayRefused (code in args[0]), GatewayShort."""
        stated = self._line.ask(refund_wanted(order))
        check_numbers(stated, **_numbers_of(order))
        if stated.get("code") == BUSINESS and meaning(stated) in FINAL | {Meaning.ASK, Meaning.ABSENT}:
            found = self.query_refund(order)
            if found.word is RefundWord.ABSENT:
                raise GatewayRefused(code_of(stated, "sub_code"))
            return found
        if not succeeded(stated):
            no = failure(stated)
            raise GatewaySilent(str(no)) if isinstance(no, GatewayRefused) else no
        given_back, happened_at = refunded(stated, "refund_fee")
        word = refund_word(stated, "fund_change", FUND_CHANGE)
        # refund_fee is what went back of the trade in all: less than this refund alone makes no sense.
        sensible = given_back is not None and order.amount <= given_back <= order.paid
        if word is not RefundWord.DONE:
            return self._refund(order, word, stated.get("fund_change"))
        if not sensible:  # it moved, they say, but not this much: a query tells, or a person
            return self._refund(order, RefundWord.UNKNOWN, stated.get("fund_change"))
        return self._refund(order, word, stated.get("fund_change"), order.amount, happened_at)

    def query_refund(self, order: RefundOrder) -> RefundOutcome:
        """DONE, or ABSENT: not received or failed, the same number and amount may be sent again. GatewaySilent."""
        stated = self._line.ask(refund_query_wanted(order))
        told = succeeded(stated) and bool(stated.get("refund_status"))
        check_numbers(stated, told=told, out_request_no=order.number, **_numbers_of(order))
        if not succeeded(stated):
            if meaning(stated) is not Meaning.ABSENT:
                raise GatewaySilent(str(failure(stated)))
            return self._refund(order, RefundWord.ABSENT, stated.get("sub_code"))
        word = refund_word(stated, "refund_status", REFUND_STATUS)
        amount, happened_at = refunded(stated, "refund_amount")
        if word is not RefundWord.DONE:
            return self._refund(order, word, stated.get("refund_status"))
        if not amount:  # done, they say, but not how much in words that make sense: unknown, a person looks at it
            return self._refund(order, RefundWord.UNKNOWN, stated.get("refund_status"))
        return self._refund(order, word, stated.get("refund_status"), amount, happened_at)

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback; see `reading`."""
        return self.reader.read_callback(headers, body, now=now)

    def accepted(self) -> Acknowledgement:
        """Exactly these seven letters: they stop repeating."""
        return Acknowledgement(200, b"success", "text/plain")

    def rejected(self) -> Acknowledgement:
        """Their word for no: they send it again, properly signed if it was theirs."""
        return Acknowledgement(401, b"fail", "text/plain")

    def fetch_statement(self, day: date, into: BinaryIO) -> bool:
        """The day's zip; see `alipay_fetching`. StatementNotReady, GatewaySilent, GatewayRefused."""
        return fetch_bill(self._line, day, into)

    def read_statement(self, file: BinaryIO, day: date) -> Iterator[StatementLine]:
        """The lines of such a zip; see `statement`. BadStatement."""
        return read_bill(file, day, seller_id=self.merchant)

    def read_blocks(self, file: BinaryIO, day: date) -> Iterator[StatementLine | Block]:
        """The same: here each line comes alone."""
        return self.read_statement(file, day)

    def keys(self) -> Sequence[KeyFact]:
        """Ours, then Alipay's."""
        return (self._line.own.fact, *self.reader.keys.facts)

    def sign_and_verify(self) -> None:
        """BadKey unless our key fits the application certificate (in key mode: unless it signs at all)."""
        if not self._line.own.verifier.verify(b"liangxian", self._line.own.signer.sign(b"liangxian")):
            raise BadKey("alipay private_key does not fit app_certificate")

    def _coded(self, order: Order) -> dict[str, object]:
        wanted = code_wanted(order, product=self._product, seller_id=self.merchant, notify_url=self._notify_url)
        stated = self._line.ask(wanted)
        check_numbers(stated, out_trade_no=order.number)
        if not succeeded(stated):
            with waking(self._alert, NAME):
                raise failure(stated)
        return stated

    def _refund(
        self,
        order: RefundOrder,
        word: RefundWord,
        their_word: object,
        amount: int | None = None,
        happened_at: datetime | None = None,
    ) -> RefundOutcome:
        return RefundOutcome(
            NAME,
            order.number,
            word,
            merchant=self.merchant,
            payment=order.payment,
            amount=amount,
            happened_at=happened_at,
            their_word=their_word if isinstance(their_word, str) else "",
        )


def _numbers_of(order: RefundOrder) -> dict[str, str]:
    """The trade's numbers: theirs only if we have it."""
    return {"out_trade_no": order.payment} | ({"trade_no": order.reference} if order.reference else {})


def _text(credentials: Credentials, name: str) -> str:
    stated = credentials.get(name, "")
    return stated.strip() if isinstance(stated, str) else ""


def _check(words: Mapping[str, str], needs: Sequence[str], needs_one_of: Sequence[str]) -> None:
    """BadKey for what is missing, or cannot be what it should be."""
    for need in needs:
        if not words[need]:
            raise BadKey(f"alipay needs {need}")
    if not any(words[need] for need in needs_one_of):
        raise BadKey(f"alipay needs {' or '.join(needs_one_of)}")
    if words["certificates"] and not (words["app_certificate"] and words["root_certificates"]):
        raise BadKey("alipay certificates need app_certificate and root_certificates beside them")
    if words["app_certificate"] and not words["root_certificates"]:
        raise BadKey("alipay app_certificate needs root_certificates beside it")
    if not _APP_ID.fullmatch(words["app_id"]):
        raise BadKey("alipay app_id is not 16 digits or more")
    if not _SELLER_ID.fullmatch(words["seller_id"]):
        raise BadKey("alipay seller_id is not 2088 and 12 digits")
    if words["product_code"] not in ("", *PRODUCTS):
        raise BadKey(f"alipay product_code is not one of {', '.join(PRODUCTS)}")
    for name in ("base_url", "notify_url", "return_url", "quit_url"):
        if words[name] and not _URL.fullmatch(words[name]):
            raise BadKey(f"alipay {name} is not an address of at most 256 characters")
