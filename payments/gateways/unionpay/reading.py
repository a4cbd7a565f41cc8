"""Believing what UnionPay says: answers and notifications become outcomes in our words, or are refused.

Pure: raw bytes, the system clock and certificates already held. Answers are `name=value` texts that are not
URL-encoded, notifications are forms; both are signed alike. UnionPay's full-channel manual (全渠道 5.1.0).
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.clock import BEIJING
from core.money import Fen
from payments.errors import ForgedCallback
from payments.gateways.base import Callback, Outcome, RefundOutcome, RefundWord, Word
from payments.gateways.strict import form_fields
from payments.gateways.unionpay.requests import PAYMENT, REFUND
from payments.gateways.unionpay.seal import SIGN_METHOD, VERSION, Authority, Unproven, digest, text_to_sign

NAME = "unionpay"
LARGEST_BODY = 64 * 1024
CURRENCIES = {"156": "CNY"}

_PAYER_REFUSED = ("30", *map(str, (*range(61, 70), *range(71, 74), *range(76, 80), 81, 82)))
_OUR_FAULT = ("10", "11", "13", "14", "31", "32", "33", "38", "39", "40", "41", "43", "44")
_NOT_YET = ("01", "02", "03", "04", "05", "06", "12", "37", "60", "83", "99")  # the manual: go on asking
# What a code says about a payment (section "应答码" of the manual). A code that is not here is UNKNOWN. A failed
# attempt is OPEN: the same order can be paid again until payTimeout, so only its time ends it. What is no definite no
# is UNDECIDED: money may be on its way, and no time ends it.
STATUS: Mapping[str, Word] = {
    "00": Word.PAID,
    "A6": Word.UNKNOWN,  # "defective success": the statement decides
    **dict.fromkeys((*_NOT_YET, "34", "70"), Word.UNDECIDED),
    **dict.fromkeys(("42", "74", "75"), Word.UNKNOWN),  # money moved, but too late or not posted: a person must look
    **dict.fromkeys(("35", "36", "85", "86", "87", "88", "90", *_PAYER_REFUSED, *_OUR_FAULT), Word.OPEN),
}
# What a code says about a refund when it is the refund's own final word.
REFUND_STATUS: Mapping[str, RefundWord] = {
    "00": RefundWord.DONE,
    "A6": RefundWord.UNKNOWN,
    **dict.fromkeys(("45", "46"), RefundWord.UNKNOWN),  # given back already, by whom? a person must look
    **dict.fromkeys(_NOT_YET, RefundWord.PROCESSING),
    **dict.fromkeys(("34", "35", "36", "90", *_OUR_FAULT), RefundWord.FAILED),  # 34: the payment is too old to be found
    **dict.fromkeys(_PAYER_REFUSED, RefundWord.ABNORMAL),
}


class _Any:
    """Every name."""

    def __contains__(self, name: object) -> bool:
        return True


ANY = _Any()
NAMES = frozenset(  # of the manual's fields in answers, for messages that look as if they held one more
    {
        *("version", "encoding", "signMethod", "signature", "signPubKeyCert", "certId", "bizType", "txnType"),
        *("txnSubType", "txnTime", "txnAmt", "accessType", "merId", "orderId", "currencyCode", "respCode", "respMsg"),
        *("queryId", "traceNo", "traceTime", "settleAmt", "settleCurrencyCode", "settleDate", "exchangeRate"),
        *("exchangeDate", "accNo", "payType", "payCardType", "payCardNo", "payCardIssueName", "reqReserved"),
        *("reserved", "origRespCode", "origRespMsg", "origQryId", "origOrderId", "origTxnTime", "qrCode", "tn"),
        *("fileType", "fileName", "fileContent", "channelType", "bindId", "issuerIdentifyMode", "accSplitData"),
    }
)
_IN_ANSWERS_ONLY = ("origRespCode", "qrCode", "fileContent")
_IN_NOTIFICATIONS = ("queryId", "traceNo", "traceTime", "settleDate")

_CHARSET_GBK = re.compile(rb"(?:^|&)encoding=gbk(?:&|$)", re.IGNORECASE)
_MARK = re.compile(r"[&{}\[\]]")
_FIELD = re.compile(r"[0-9A-Za-z_.]{1,64}")
_NUMBER = re.compile(r"[0-9A-Za-z]{6,40}")
_REFERENCE = re.compile(r"[0-9A-Za-z]{20,21}")
_CODE = re.compile(r"[0-9A-Za-z]{2}")
_KIND = re.compile(r"[0-9]{2}")
_TXN_TIME = re.compile(r"[0-9]{14}")
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,11}")
_CURRENCY = re.compile(r"[0-9A-Z]{3}")
_NO_YEAR = re.compile(r"[0-9]{10}")


@dataclass(frozen=True)
class UnionPayReader:
    """Who we are and whose certificates we believe: enough to believe or refuse a message without the network."""

    mer_id: str
    authority: Authority

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """A verified notification; ForgedCallback says which check failed. `now` is the system clock.

        Notifications carry no time of their own sending: a repeated one is recognised by its event id."""
        try:
            return self._event(self.read_form(body, now=now))
        except Unproven as doubt:
            raise ForgedCallback(str(doubt)) from doubt

    def read_form(self, body: bytes, *, now: datetime) -> dict[str, str]:
        """The fields of a verified form, as notifications come; Unproven."""
        if len(body) > LARGEST_BODY:
            raise Unproven("body too long")
        try:
            fields = {name: value.decode("utf-8") for name, value in form_fields(body).items()}
        except ValueError:
            raise Unproven("not one clean form in UTF-8") from None
        self._prove(fields, "utf-8", now)
        return fields

    def read_answer(self, body: bytes, *, now: datetime) -> dict[str, str]:
        """The fields of a verified answer; Unproven. How long it may be is the caller's business."""
        charset = "gbk" if _CHARSET_GBK.search(body[:LARGEST_BODY]) else "utf-8"
        doubts = []
        for fields in _readings(body.rstrip(b"\r\n"), charset):  # some answers end with a line end
            try:
                self._prove(fields, charset, now)
            except Unproven as doubt:
                doubts.append(doubt)
            else:
                return fields
        raise doubts[0] if doubts else Unproven("not a clean answer")

    def payment(self, fields: Mapping[str, str], code: str) -> Outcome:
        """A verified message about a payment whose state is `code`, in our words; Unproven without its number.

        An amount or a moment that makes no sense is None: the money is real, and settlement puts it aside."""
        word = STATUS.get(code, Word.UNKNOWN)
        currency = fields.get("currencyCode", "")
        return Outcome(
            gateway=NAME,
            number=matching(fields, "orderId", _NUMBER),
            word=word,
            merchant=self.mer_id,
            reference=matching(fields, "queryId", _REFERENCE) if word is Word.PAID else "",
            amount=_whole_fen(fields.get("txnAmt", "")),
            payer_amount=_whole_fen(fields.get("settleAmt", "")),
            currency=CURRENCIES.get(currency, currency if _CURRENCY.fullmatch(currency) else ""),
            happened_at=_happened_at(fields) if word is Word.PAID else None,
            their_word=code,
        )

    def refund(self, fields: Mapping[str, str], code: str, words: Mapping[str, RefundWord]) -> RefundOutcome:
        """A verified message about a refund whose state is `code` by the table `words`; Unproven without its number.

        Given back, they say, but not how much in words that make sense: unknown, a person looks at it."""
        reference, payment = fields.get("queryId", ""), fields.get("origOrderId", "")
        known, word = fields.get("currencyCode", "156") in CURRENCIES, words.get(code, RefundWord.UNKNOWN)
        amount = _whole_fen(fields.get("txnAmt", "")) if known else None
        return RefundOutcome(
            gateway=NAME,
            number=matching(fields, "orderId", _NUMBER),
            word=RefundWord.UNKNOWN if word is RefundWord.DONE and amount is None else word,
            merchant=self.mer_id,
            payment=payment if _NUMBER.fullmatch(payment) else "",
            reference=reference if _REFERENCE.fullmatch(reference) else "",
            amount=amount,
            happened_at=_happened_at(fields),
            their_word=code,
        )

    def _prove(self, fields: Mapping[str, str], charset: str, now: datetime) -> None:
        """The order of checks: what is pinned, the certificate, the signature, whose message it is; Unproven."""
        if fields.get("version") != VERSION:
            raise Unproven("version is not 5.1.0")
        if fields.get("signMethod") != SIGN_METHOD:
            raise Unproven("signMethod is not 01")
        signature, pem = fields.get("signature"), fields.get("signPubKeyCert")
        if not signature or not pem:
            raise Unproven("signature or signPubKeyCert is missing")
        verifier = self.authority.verifier(pem, now=now)
        if not verifier.verify(digest(text_to_sign(fields), charset), signature):
            raise Unproven("signature wrong")
        if fields.get("merId") != self.mer_id:
            raise Unproven("another merchant's")

    def _event(self, fields: Mapping[str, str]) -> Callback:
        """Payments and refunds. Other trades are acknowledged (nobody here asks for a void); the statement tells them.

        A genuine answer is signed in the same way, and its respCode says only that a call was accepted: sent as a
        notification it would make an unpaid order paid. What only answers have makes it change nothing, and one that
        lacks what notifications have is refused."""
        kind, code = matching(fields, "txnType", _KIND), matching(fields, "respCode", _CODE)
        number, time = matching(fields, "orderId", _NUMBER), matching(fields, "txnTime", _TXN_TIME)
        event_id, event_type = f"{kind}-{number}-{time}-{code}", f"{kind}.{code}"
        if kind not in (PAYMENT, REFUND):
            return Callback(event_id, event_type)
        if any(name in fields for name in _IN_ANSWERS_ONLY):
            return Callback(event_id, "answer")
        if missing := [name for name in _IN_NOTIFICATIONS if not fields.get(name)]:
            raise Unproven(f"{missing[0]} is missing")
        if kind == PAYMENT:
            return Callback(event_id, event_type, outcome=self.payment(fields, code))
        return Callback(event_id, event_type, refund=self.refund(fields, code, REFUND_STATUS))


def answer_fields(text: str, parts: Iterable[str] | None = None, *, names: Container[str] = ANY) -> dict[str, str]:
    """The fields of an answer: `&` parts them except inside a balanced {…} or […] of a value, as in the official parser
    (or `parts` as they are given), the first `=` ends the name. What has no name, or none of `names`, belongs to the
    value before it: messages for people hold whatever their writer liked.

    ValueError for a name twice, a beginning that is no field, or a bracket left open."""
    found: dict[str, str] = {}
    last = ""
    for part in _grouped(text) if parts is None else parts:
        name, equals, value = part.partition("=")
        if equals and _FIELD.fullmatch(name) and name in names:
            if name in found:
                raise ValueError("a name appears twice")
            found[name], last = value, name
        elif last:
            found[last] += f"&{part}"
        else:
            raise ValueError("not a field")
    return found


def _readings(body: bytes, charset: str) -> list[dict[str, str]]:
    """Every way to part an answer into fields; which one was meant, the signature says."""
    found: list[dict[str, str]] = []
    for grouped, names in ((True, ANY), (False, ANY), (False, NAMES)):
        try:
            text = body.decode(charset)
            fields = answer_fields(text, None if grouped else text.split("&"), names=names)
        except ValueError:
            continue
        if fields not in found:
            found.append(fields)
    return found


def _grouped(text: str) -> Iterator[str]:
    start, depth, pair = 0, 0, ""
    for mark in _MARK.finditer(text):
        sign, at = mark[0], mark.start()
        if depth:
            depth += {pair[0]: 1, pair[1]: -1}.get(sign, 0)
        elif sign == "&":
            yield text[start:at]
            start = at + 1
        elif sign in "{[" and "=" in text[start:at]:
            pair, depth = {"{": "{}", "[": "[]"}[sign], 1
    if depth:
        raise ValueError("a bracket is left open")
    yield text[start:]


def matching(fields: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    """A field that must be there and well formed; Unproven."""
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise Unproven(f"{name} is missing or malformed")
    return value


def nearest_year(stamp: str, near: datetime) -> datetime | None:
    """'MMDDhhmmss' (Beijing) in the year that brings it closest to `near`; None if it is no moment in any of them."""
    if not _NO_YEAR.fullmatch(stamp):
        return None
    years = [_moment(f"{year}{stamp}") for year in (near.year - 1, near.year, near.year + 1)]
    return min((moment for moment in years if moment), key=lambda moment: abs(moment - near), default=None)


def _moment(stamp: str) -> datetime | None:
    """'YYYYMMDDhhmmss' in Beijing, or None: a 13th month, or 29 February of another year."""
    if not _TXN_TIME.fullmatch(stamp):
        return None
    try:
        return datetime.fromisoformat(f"{stamp[:8]}T{stamp[8:]}").replace(tzinfo=BEIJING)
    except ValueError:
        return None


def _happened_at(fields: Mapping[str, str]) -> datetime | None:
    """traceTime has no year: it is the order's, or the next one's on New Year's Eve."""
    ordered_at = _moment(fields.get("txnTime", ""))
    return nearest_year(fields.get("traceTime", ""), ordered_at) if ordered_at else None


def _whole_fen(value: str) -> Fen | None:
    return int(value) if _AMOUNT.fullmatch(value) else None
