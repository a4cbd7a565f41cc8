"""UnionPay (全渠道 ACP 5.1.0) for a directly connected merchant: a QR code to scan (申请消费二维码), or its own page.

An order is known by its number together with its txnTime, the business moment it was ordered at. There is no closing:
an order ends at its payTimeout. What comes back is believed only by `reading`; an answer that proves nothing
is silence. Refunds are always 退货 (04), never the void of the same day (31): a void needs the full amount before
23:00, some banks lack it, and one way for money to go back is easier to account for than two; 退货 works on the first
day as well.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit

from core.http import Door, OutsideSilent
from payments.errors import GatewayRefused, GatewayShort, GatewaySilent, GatewayTakesNobody, NoStatement
from payments.gateways.alerting import Alert, unheard, waking
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
    Page,
    RefundOrder,
    RefundOutcome,
    RefundWord,
    StatementLine,
    Trade,
    Word,
)
from payments.gateways.blocks import Block
from payments.gateways.signing import BadKey
from payments.gateways.unionpay.reading import LARGEST_BODY, NAME, REFUND_STATUS, UnionPayReader
from payments.gateways.unionpay.requests import PAYMENT, REFUND, Requests, is_theirs
from payments.gateways.unionpay.seal import UNIONPAY, VERSION, Authority, MerchantKey, Unproven
from payments.gateways.unionpay.statement import lines_of, unpacked_to

log = logging.getLogger(__name__)

BACK, FRONT, QUERY = (f"/gateway/api/{name}.do" for name in ("backTransReq", "frontTransReq", "queryTrans"))
# Definitely not taken, whatever was asked for. What is in none of these sets leaves the outcome unknown.
REFUSALS = frozenset({"10", "11", "13", "14", "31", "32", "33", "35", "36", "38", "40", "41", "43", "44"})
NOBODY = frozenset({"11", "31", "32", "43"})  # our signature, our state, our permissions there: whoever pays
NOT_THERE, REPEATED, NO_FILE, SHORT, OUT_OF_HOURS = "34", "12", "98", "90", "39"
# 39 ends an order before it began, while a refund only waits; 34 says that the payment to be given back is not found.
START_REFUSALS, REFUND_REFUSALS = REFUSALS | {OUT_OF_HOURS}, REFUSALS | {NOT_THERE}
# A refund's 00 is "accepted", and a number used before is the refund asked for then: only its own notification or query
# tells its end. 45 and 46 (given back already) are unknown on purpose: a person must look before anything is repeated.
REFUND_ANSWERS = {
    "00": RefundWord.PROCESSING,
    REPEATED: RefundWord.PROCESSING,
    **{code: word for code, word in REFUND_STATUS.items() if word is RefundWord.ABNORMAL},
}
LARGEST_FILE = 64 * 1024 * 1024
FILE_S = 120  # a whole statement may take as long

_MER_ID = re.compile(r"[0-9A-Za-z]{15}")
_QR_CODE = re.compile(r"https://qr\.95516\.com/[!-~]{1,200}")
_DETAIL = re.compile(r"\[([0-9]{7})\]")


class UnionPay:
    """The adapter. Holds parsed keys and proven certificates: one instance serves every thread."""

    NEEDS = ("mer_id", "base_url", "file_url", "notify_url", "return_url", "root_certificates", "middle_certificates")
    NEEDS_ONE_OF = ("pfx", "private_key")  # with pfx_password, or with certificate

    name = NAME
    app = ""
    facts = Facts(
        title="云闪付",
        kinds=frozenset({Kind.NATIVE, Kind.WEB}),
        poll_after_s=(15, 30, 60, 120, 180, 300, 600, 900, 1800),
        closes=False,
        unseen_may_be_paid=True,
        lives_at_most=timedelta(minutes=10),
        refund_within=timedelta(days=30),
        statement_ready=time(10, 0),
        says_empty=False,
        day_begins=time(23, 0),
        page_hosts=("https://*.95516.com",),
        also_hosts=frozenset({"filedownload.95516.com"}),
    )

    def __init__(self, credentials: Credentials, door: Door, system_clock: Clock, *, alert: Alert = unheard) -> None:
        """`credentials` are texts; BadKey names the one that is missing or unusable.

        root_certificates, middle_certificates: PEMs one after the other, several pairs at once. The merchant's key:
        `pfx` (Base64 of the PKCS#12 file) with `pfx_password`, or `private_key` with `certificate` as PEM.
        `company_names`: whose certificates count as UnionPay's, comma list; only its test system needs another."""
        words = {name: str(value).strip() for name, value in credentials.items()}
        for need in self.NEEDS:
            if not words.get(need):
                raise BadKey(f"unionpay needs {need}")
        if not _MER_ID.fullmatch(words["mer_id"]):
            raise BadKey("unionpay mer_id is not 15 letters and digits")
        if urlsplit(words["notify_url"]).query:
            raise BadKey("unionpay notify_url may carry no query")
        companies = [name.strip() for name in (words.get("company_names") or UNIONPAY).split(",")]
        if not all(companies):
            raise BadKey("unionpay company_names has an empty name")
        self.merchant = words["mer_id"]
        self._key = MerchantKey.held_in(words)
        self._authority = Authority(words["root_certificates"], words["middle_certificates"], companies)
        self.reader = UnionPayReader(self.merchant, self._authority)
        self._requests = Requests(self.merchant, words["notify_url"], words["return_url"])
        self._base_url, self._file_url = words["base_url"].rstrip("/"), words["file_url"]
        self._door, self._clock, self._alert = door, system_clock, alert

    def start(self, order: Order) -> Checkout:
        """A QR code (one try and, on silence, one more), or a form for the payer's browser.

        A repeated order is harmless and pays nothing twice, but they hand out its code only once: GatewaySilent then.
        GatewaySilent, GatewayRefused (code in args[0])."""
        order.check_time()
        if order.kind is Kind.WEB:
            return Checkout(page=Page(self._base_url + FRONT, self._key.signed(self._requests.page(order))))
        assert order.kind is Kind.NATIVE
        fields = self._requests.qr_code(order)
        try:
            return self._code(fields)
        except GatewaySilent:
            try:
                return self._code(fields)
            except GatewayRefused as error:  # the first try may have been taken all the same
                raise GatewaySilent(f"silence, then {error}") from error

    def query(self, trade: Trade) -> Outcome:
        """What they know of our number at its txnTime; ABSENT for an order nobody scanned, which is payable all the
        same until its time is over, and for a number that can be none of theirs. GatewaySilent for whatever does not
        prove itself."""
        answer = self._asked_about(trade, PAYMENT) if is_theirs(trade.number) else None
        if answer is None:
            return Outcome(NAME, trade.number, Word.ABSENT, merchant=self.merchant, their_word=NOT_THERE)
        try:
            return self.reader.payment(answer, answer["origRespCode"])
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt

    def close(self, trade: Trade) -> None:
        """Nothing: the protocol has no closing (facts.closes), an order ends at its payTimeout."""

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Ask for money back (退货). Their 00 is PROCESSING.

        GatewaySilent, GatewayRefused (code in args[0]), GatewayShort. A number that is ABSENT there can only be sent
        again with a fresh `ordered_at`: they refuse a txnTime of long ago."""
        answer = self._ask(self._base_url + BACK, self._requests.refund(order))
        code = answer["respCode"]
        if code == SHORT:
            raise GatewayShort(code)
        if code not in REFUND_ANSWERS:
            raise _failure(code, REFUND_REFUSALS)
        return self._refund_outcome(order, answer, code, REFUND_ANSWERS)

    def query_refund(self, order: RefundOrder) -> RefundOutcome:
        """What they know of a refund by its own number and txnTime; a payment's query never shows it. GatewaySilent."""
        answer = self._asked_about(order, REFUND)
        if answer is None:
            return RefundOutcome(
                NAME,
                order.number,
                RefundWord.ABSENT,
                merchant=self.merchant,
                payment=order.payment,
                their_word=NOT_THERE,
            )
        return self._refund_outcome(order, answer, answer["origRespCode"], REFUND_STATUS)

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback; see `reading`."""
        return self.reader.read_callback(headers, body, now=now)

    def accepted(self) -> Acknowledgement:
        """200: they stop repeating. The body is ignored."""
        return Acknowledgement(200, b"ok", "text/plain")

    def rejected(self) -> Acknowledgement:
        """Anything but 200: they send it again, at most five times in all."""
        return Acknowledgement(401, b"signature not verified", "text/plain")

    def fetch_statement(self, day: date, into: BinaryIO) -> bool:
        """The ZIP of a settlement day (23:00 of the evening before to 23:00), its answer proven by signature.

        98 is "no such file", which a day without trades and a file not made yet have in common. NoStatement,
        GatewaySilent, BadStatement."""
        fields = self._requests.file(day, self._clock())
        answer = self._ask(self._file_url, fields, most=LARGEST_FILE, whole_s=FILE_S)
        if answer["respCode"] == NO_FILE:
            raise NoStatement(NO_FILE)
        if answer["respCode"] != "00" or not answer.get("fileContent"):
            raise GatewaySilent(answer["respCode"])
        if answer.get("settleDate", fields["settleDate"]) != fields["settleDate"]:
            raise GatewaySilent("an answer about another day")
        unpacked_to(answer["fileContent"], into)
        return True

    def read_statement(self, file: BinaryIO, day: date) -> Iterator[StatementLine]:
        """The lines of such a ZIP; see `statement`. BadStatement."""
        return lines_of(file, day, mer_id=self.merchant)

    def read_blocks(self, file: BinaryIO, day: date) -> Iterator[StatementLine | Block]:
        """The same: here each line comes alone."""
        return self.read_statement(file, day)

    def keys(self) -> Sequence[KeyFact]:
        """Our certificate, and the roots and middles without which nothing of theirs is believed."""
        return [self._key.fact(), *self._authority.facts()]

    def sign_and_verify(self) -> None:
        """BadKey if our certificate does not verify what our key signs."""
        if not self._key.verifies(self._key.signed({"version": VERSION, "orderId": "selftest"})):
            raise BadKey("unionpay certificate does not verify what the private key signs")

    def _code(self, fields: Mapping[str, str]) -> Checkout:
        answer = self._ask(self._base_url + BACK, fields)
        if answer["respCode"] != "00":
            with waking(self._alert, NAME):
                raise _failure(answer["respCode"], START_REFUSALS)
        code = answer.get("qrCode", "")
        if not _QR_CODE.fullmatch(code) or answer.get("txnAmt", fields["txnAmt"]) != fields["txnAmt"]:
            raise GatewaySilent("a signed answer without a usable qrCode")
        return Checkout(code_url=code)

    def _asked_about(self, trade: Trade, kind: str) -> dict[str, str] | None:
        """A proven answer about this very trade, its state in origRespCode; None if they do not know it."""
        answer = self._ask(self._base_url + QUERY, self._requests.query(trade))
        if answer["respCode"] == NOT_THERE:
            return None
        if answer["respCode"] != "00":  # the question failed, which says nothing about the trade
            raise GatewaySilent(answer["respCode"])
        if answer.get("txnType") != kind or not answer.get("origRespCode"):
            raise GatewaySilent("an answer about another kind of trade")
        return answer

    def _refund_outcome(
        self, order: RefundOrder, answer: Mapping[str, str], code: str, words: Mapping[str, RefundWord]
    ) -> RefundOutcome:
        if answer.get("origQryId", order.reference) != order.reference:
            raise GatewaySilent("an answer about a refund of another payment")
        try:
            outcome = self.reader.refund({**answer, "origOrderId": order.payment}, code, words)
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt
        return outcome

    def _ask(
        self, url: str, fields: Mapping[str, str], *, most: int = LARGEST_BODY, whole_s: int | None = None
    ) -> dict[str, str]:
        """The only place that talks: a proven answer about the same trade, with a respCode. GatewaySilent."""
        body = urlencode(self._key.signed(fields)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8", "User-Agent": "liangxian"}
        try:
            answer = self._door.send("POST", url, headers=headers, body=body, most=most, whole_s=whole_s)
            if answer.status != 200:
                raise GatewaySilent(f"status {answer.status}")
            said = self.reader.read_answer(answer.body, now=self._clock())
        except OutsideSilent as error:
            raise GatewaySilent(str(error)) from error
        except Unproven as doubt:
            log.error("unionpay answer not believed: %s", doubt)
            raise GatewaySilent(str(doubt)) from doubt
        code = said.get("respCode", "")
        asked_about = ("orderId", "txnTime") if "orderId" in fields else ()
        if not code or any(said.get(name) != fields[name] for name in asked_about):
            raise GatewaySilent("an answer about another trade")
        if code not in ("00", NOT_THERE, NO_FILE):
            detail = _DETAIL.search(said.get("respMsg", ""))
            log.warning("unionpay %s: %s %s", fields["txnType"], code[:2], detail[1] if detail else "-")
        return said


def _failure(code: str, refusals: frozenset[str]) -> GatewaySilent | GatewayRefused:
    if code in NOBODY:
        return GatewayTakesNobody(code)
    return GatewayRefused(code) if code in refusals else GatewaySilent(code)
