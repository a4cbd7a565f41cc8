"""Believing what WeChat Pay says: signed answers and callbacks become outcomes in our words, or are refused.

Pure: raw bytes, headers, the system clock and keys already held. A key is chosen by the serial that came with the
message among the keys we hold; nothing is ever fetched because a message asks for it.
Manual: 微信支付 API v3, 签名验证 (4013053420) and 支付通知 (4012525182), 退款结果通知.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from core.money import Fen
from payments.errors import ForgedCallback, SignatureProbe
from payments.gateways.base import Callback, Outcome, RefundOutcome, RefundWord, Unproven, Word
from payments.gateways.signing import ResourceKeys, Unopenable, Verifier
from payments.gateways.strict import json_object

NAME = "wechat"
STATUS = {
    "SUCCESS": Word.PAID,
    "REFUND": Word.PAID,  # paid, and a refund was asked for since; how much, only the refund interface tells
    "NOTPAY": Word.OPEN,
    "USERPAYING": Word.OPEN,
    "ACCEPT": Word.OPEN,
    "PAYERROR": Word.OPEN,  # one attempt failed; closing is what ends a number
    "CLOSED": Word.CLOSED,
    "REVOKED": Word.CLOSED,
}
REFUND_STATUS = {
    "SUCCESS": RefundWord.DONE,
    "PROCESSING": RefundWord.PROCESSING,
    "CLOSED": RefundWord.FAILED,  # over, the money did not move
    "ABNORMAL": RefundWord.ABNORMAL,  # the payer's card or account refused it; not final there
}
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
RESOURCE_ALGORITHM = "AEAD_AES_256_GCM"
STALE_AFTER_S = 300
LARGEST_BODY = 64 * 1024
LARGEST_AMOUNT: Fen = 10**12

_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_NONCE = re.compile(r"[0-9A-Za-z_\-+/=]{1,128}")
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_REFERENCE = re.compile(r"[0-9A-Za-z]{1,32}")
_WORD = re.compile(r"[0-9A-Za-z_]{1,32}")
_COMPLAINT = re.compile(r"[0-9A-Za-z]{1,64}")
_NAME = re.compile(r"[!-~]{1,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_HEADERS = ("wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature", "wechatpay-serial")
_TYPE = "wechatpay-signature-type"
PROBE = "WECHATPAY/SIGNTEST/"  # a signature that begins so is theirs, and wrong on purpose
_SIGNED = frozenset({*_HEADERS, _TYPE})


@dataclass(frozen=True)
class WeChatReader:
    """Who we are and the keys we hold: enough to believe or refuse a message without the network."""

    mchid: str
    appids: frozenset[str]  # of our applications; which of them a payment was ordered under, the book knows
    verifiers: Mapping[str, Verifier]  # by the serial header: PUB_KEY_ID_… or a certificate's hex serial
    resource_keys: ResourceKeys

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """A verified callback; ForgedCallback says which check failed. `now` is the system clock."""
        try:
            self.verify(headers, body, now=now)
            return self._event(body)
        except Unproven as doubt:
            raise (SignatureProbe if _is_probe(headers) else ForgedCallback)(str(doubt)) from doubt

    def read_complaint(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """The number of the complaint a verified notification is about, "" if it is about none. ForgedCallback."""
        try:
            self.verify(headers, body, now=now)
            envelope = _object(body)
            if not _matching(envelope, "event_type", _NAME).startswith("COMPLAINT."):
                return ""
            return _matching(self._resource(envelope), "complaint_id", _COMPLAINT)
        except Unproven as doubt:
            raise (SignatureProbe if _is_probe(headers) else ForgedCallback)(str(doubt)) from doubt

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
        """Cheap checks first, RSA last; Unproven. Answers and callbacks are signed alike."""
        if len(body) > LARGEST_BODY:
            raise Unproven("body too long")
        timestamp, nonce, signature, serial = _signed_headers(headers)
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Unproven("timestamp is not a number")
        if abs(now.timestamp() - int(timestamp)) >= STALE_AFTER_S:
            raise Unproven("timestamp too far from our clock")
        if not _NONCE.fullmatch(nonce):
            raise Unproven("nonce is malformed")
        verifier = self.verifiers.get(serial)
        if verifier is None:
            raise Unproven("serial unknown")
        if verifier.expires_at is not None and now >= verifier.expires_at:
            raise Unproven("certificate expired")
        if not verifier.verify(f"{timestamp}\n{nonce}\n".encode() + body + b"\n", signature):
            raise Unproven("signature wrong")

    def transaction(self, stated: Mapping[str, object]) -> Outcome:
        """A transaction object, from a verified answer or a callback, in our words; Unproven if it is not ours.

        An amount or a moment that makes no sense is None: the money is real, and settlement puts it aside."""
        app = stated.get("appid")
        if stated.get("mchid") != self.mchid or not isinstance(app, str) or app not in self.appids:
            raise Unproven("another merchant's or another app's")
        their_word = _matching(stated, "trade_state", _WORD)
        word = STATUS.get(their_word, Word.UNKNOWN)
        amount = stated.get("amount")
        amount = amount if isinstance(amount, dict) else {}
        payer = stated.get("payer")
        return Outcome(
            gateway=NAME,
            number=_matching(stated, "out_trade_no", _NUMBER),
            word=word,
            merchant=self.mchid,
            app=app,
            reference=_matching(stated, "transaction_id", _REFERENCE) if word is Word.PAID else "",
            amount=_whole_fen(amount.get("total")),
            payer_amount=_whole_fen(amount.get("payer_total")),
            currency=_short_text(amount.get("currency")),
            happened_at=moment_of(stated.get("success_time")),
            payer=_short_text(payer.get("openid")) if isinstance(payer, dict) else "",
            their_word=their_word,
        )

    def refund(self, stated: Mapping[str, object], *, status: str = "status") -> RefundOutcome:
        """A refund object, from a verified answer, or with `status` named otherwise from a callback; Unproven.

        Given back, they say, but not how much in words that make sense: unknown, a person looks at it."""
        their_word = _matching(stated, status, _WORD)
        word, amount = REFUND_STATUS.get(their_word, RefundWord.UNKNOWN), stated.get("amount")
        back = _given_back(amount) if isinstance(amount, dict) else None
        return RefundOutcome(
            gateway=NAME,
            number=_matching(stated, "out_refund_no", _REFUND_NUMBER),
            word=RefundWord.UNKNOWN if word is RefundWord.DONE and back is None else word,
            merchant=self.mchid,
            payment=_matching(stated, "out_trade_no", _NUMBER),
            reference=_matching(stated, "refund_id", _REFERENCE),
            amount=back,
            happened_at=moment_of(stated.get("success_time")),
            their_word=their_word,
        )

    def _event(self, body: bytes) -> Callback:
        envelope = _object(body)
        event_id, event_type = _matching(envelope, "id", _NAME), _matching(envelope, "event_type", _NAME)
        if event_type.startswith("TRANSACTION."):
            return Callback(event_id, event_type, self.transaction(self._resource(envelope)))
        if event_type.startswith("REFUND."):
            return Callback(event_id, event_type, refund=self._refund_told(event_type, self._resource(envelope)))
        return Callback(event_id, event_type)  # self-tests (SECURITY_ECHO), words to come: acknowledged only

    def _refund_told(self, event_type: str, stated: Mapping[str, object]) -> RefundOutcome:
        if stated.get("mchid") != self.mchid:
            raise Unproven("another merchant's")
        outcome = self.refund(stated, status="refund_status")
        if event_type != f"REFUND.{outcome.their_word}":  # it says two things at once: only a query tells
            return replace(outcome, word=RefundWord.UNKNOWN)
        return outcome

    def _resource(self, envelope: Mapping[str, object]) -> dict[str, object]:
        resource = envelope.get("resource")
        if not isinstance(resource, dict):
            raise Unproven("no resource")
        if resource.get("algorithm") != RESOURCE_ALGORITHM:
            raise Unproven("algorithm is not the one agreed")
        associated = resource.get("associated_data", "")
        if not isinstance(associated, str | None):
            raise Unproven("associated_data is no text")
        try:
            ciphertext, nonce = _text(resource, "ciphertext", limit=LARGEST_BODY), _text(resource, "nonce", limit=16)
            return _object(self.resource_keys.open(ciphertext, nonce=nonce, associated=associated or ""))
        except Unopenable as error:
            raise Unproven(str(error)) from error


def _signed_headers(headers: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Timestamp, nonce, signature, serial: each there exactly once (a server joins repeated ones with a comma)."""
    found: dict[str, str] = {}
    for spelled, value in headers.items():
        name = spelled.lower()
        if name not in _SIGNED:
            continue
        if name in found or "," in value:
            raise Unproven(f"{name} comes more than once")
        found[name] = value
    for name in _HEADERS:
        if not found.get(name):
            raise Unproven(f"{name} is missing")
    if found.get(_TYPE, "") not in ("", SIGNATURE_TYPE):
        raise Unproven("signature type is not RSA")
    timestamp, nonce, signature, serial = (found[name] for name in _HEADERS)
    return timestamp, nonce, signature, serial


def _is_probe(headers: Mapping[str, str]) -> bool:
    return any(name.lower() == "wechatpay-signature" and value.startswith(PROBE) for name, value in headers.items())


def _object(body: bytes) -> dict[str, object]:
    try:
        return json_object(body)
    except ValueError:
        raise Unproven("not one clean JSON object") from None


def _text(stated: Mapping[str, object], name: str, *, limit: int) -> str:
    value = stated.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise Unproven(f"{name} is missing or malformed")
    return value


def _matching(stated: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    value = _text(stated, name, limit=128)
    if not pattern.fullmatch(value):
        raise Unproven(f"{name} is malformed")
    return value


def _short_text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 128 and value.isascii() and value.isprintable() else ""


def _whole_fen(value: object) -> Fen | None:
    return value if type(value) is int and 0 <= value <= LARGEST_AMOUNT else None


def _given_back(amount: Mapping[str, object]) -> Fen | None:
    """What went back of an order: whole fen, more than nothing, no more than the order, in no other currency."""
    back, total = _whole_fen(amount.get("refund")), _whole_fen(amount.get("total"))
    sensible = back is not None and total is not None and 0 < back <= total
    return back if sensible and amount.get("currency", "CNY") == "CNY" else None


def moment_of(value: object) -> datetime | None:
    """An RFC 3339 moment as they write it, or None."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # a 13th month
        return None
