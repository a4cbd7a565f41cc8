"""Believing what Alipay says: signed answers and notifications become outcomes in our words, or are refused.

Pure: raw bytes and keys already held. An answer's node is verified as the characters that came and only then read. A
notification carries no proof of when it was sent (repeats come for 25 hours, and no window is documented), so `now`
judges certificates only: a replay meets what is already booked. Manual: 验签, 异步通知说明, 交易状态.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.clock import BEIJING
from core.money import Fen, fen
from payments.errors import ForgedCallback
from payments.gateways.alipay.keys import PlatformKeys
from payments.gateways.base import Callback, Outcome, RefundOutcome, RefundWord, Unproven, Word
from payments.gateways.strict import each_name_once, form_fields, json_object, no_number

NAME = "alipay"
STATUS = {
    "WAIT_BUYER_PAY": Word.OPEN,
    "TRADE_SUCCESS": Word.PAID,
    "TRADE_FINISHED": Word.PAID,  # the same money under the same reference: settled once, however often it is said
    "TRADE_CLOSED": Word.CLOSED,  # PAID if it was paid and wholly refunded: the word alone does not tell
}
LARGEST_BODY = 64 * 1024
LARGEST_AMOUNT: Fen = 100_000_000_00
ABOUT_TRADES = "trade_status_sync"
SUCCESS = "10000"

_CODECS = {"utf-8": "utf-8", "gbk": "gbk"}  # ours is utf-8; the signature is over the bytes whichever they are
_NUMBER = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_REFERENCE = re.compile(r"[0-9]{16,64}")
_WORD = re.compile(r"[0-9A-Z_]{1,32}")
_NAME = re.compile(r"[0-9A-Za-z_.\-]{1,128}")
_SN = re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"[0-9A-Za-z_.\-]{1,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?", re.ASCII)
_BLANK = " \t\r\n"


class Complaint(Unproven):
    """The gateway's answer about our configuration, as always without a proof: unknown, and somebody must look."""


@dataclass(frozen=True)
class AlipayReader:
    """Who we are and the keys we hold: enough to believe or refuse a message without the network."""

    app_id: str
    seller_id: str
    keys: PlatformKeys

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """A verified notification; ForgedCallback says which check failed. `now`: the system clock."""
        try:
            return self._event(self._verified_form(body, now))
        except Unproven as doubt:
            raise ForgedCallback(str(doubt)) from doubt

    def answer(self, body: bytes, method: str, *, now: datetime) -> dict[str, object]:
        """The verified answer to `method`, read from exactly the characters that are signed; Unproven."""
        if len(body) > LARGEST_BODY:
            raise Unproven("body too long")
        node = method.replace(".", "_") + "_response"
        found = _spans(body)
        if any(name.endswith("_response") and name != node for name in found):
            raise _about_another(found)
        text, signature, sn = found.get(node), found.get("sign"), found.get("alipay_cert_sn", "")
        if not isinstance(text, bytes):
            raise Unproven("no answer in it")
        if not isinstance(signature, str) or not signature:
            raise _unsigned(text)
        if not isinstance(sn, str) or (sn and not _SN.fullmatch(sn)):
            raise Unproven("alipay_cert_sn is malformed")
        if not self.keys.prove([text], signature, sn=sn, now=now):
            raise Unproven("signature wrong")
        try:
            return json_object(text)
        except ValueError:
            raise Unproven("the answer is no object") from None

    def trade(self, stated: Mapping[str, object]) -> Outcome:
        """A trade, from a verified answer of a query, in our words; Unproven where a number or the state is missing."""
        their_word = matching(stated, "trade_status", _WORD)
        word = STATUS.get(their_word, Word.UNKNOWN)
        if word is Word.CLOSED and _was_paid(stated):
            word = Word.PAID
        return self._outcome(stated, word, their_word, _moment(stated.get("send_pay_date")))

    def _verified_form(self, body: bytes, now: datetime) -> dict[str, str]:
        """Cheap checks first, RSA last. `sign` and `sign_type` are not in the signed text (their rsaCheckV1, the
        only way we take); whether an empty field is in it nobody documents, so both readings are tried."""
        if len(body) > LARGEST_BODY:
            raise Unproven("body too long")
        try:
            fields = form_fields(body)
        except ValueError:
            raise Unproven("not a clean form") from None
        if fields.get("sign_type") != b"RSA2":
            raise Unproven("sign_type is not RSA2")
        codec = _CODECS.get(fields.get("charset", b"utf-8").decode("latin-1").lower())
        if codec is None:
            raise Unproven("charset is none we know")
        try:
            texts = {name: value.decode(codec) for name, value in fields.items() if value}
        except UnicodeDecodeError:
            raise Unproven("not in its charset") from None
        if texts.get("app_id") != self.app_id or texts.get("seller_id") != self.seller_id:
            raise Unproven("another merchant's or another app's")
        signature, sn = texts.get("sign", ""), texts.get("alipay_cert_sn", "")
        if not signature or (sn and not _SN.fullmatch(sn)):
            raise Unproven("sign or alipay_cert_sn is missing or malformed")
        if not self.keys.prove(_readings(fields), signature, sn=sn, now=now):
            raise Unproven("signature wrong")
        return texts

    def _event(self, stated: Mapping[str, str]) -> Callback:
        """What a verified notification is about. With refund fields it tells both: that the money came (again under
        the same reference, which changes nothing, and heals a lost first one) and that some went back."""
        event_id, event_type = matching(stated, "notify_id", _NAME), matching(stated, "notify_type", _NAME)
        if event_type != ABOUT_TRADES:
            return Callback(event_id, event_type)  # signed up for elsewhere: acknowledged only
        their_word = matching(stated, "trade_status", _WORD)
        word = STATUS.get(their_word, Word.UNKNOWN)
        went_back = bool(_fen(stated.get("refund_fee"))) and word in {Word.PAID, Word.CLOSED}
        if went_back:
            word = Word.PAID
        outcome = self._outcome(stated, word, their_word, _moment(stated.get("gmt_payment")))
        refund = self._refund(stated) if went_back and {"gmt_refund", "out_biz_no"} <= stated.keys() else None
        return Callback(event_id, their_word, outcome, refund)

    def _outcome(
        self, stated: Mapping[str, object], word: Word, their_word: str, happened_at: datetime | None
    ) -> Outcome:
        """An amount or a moment that makes no sense is None: the money is real, and settlement puts it aside."""
        return Outcome(
            gateway=NAME,
            number=matching(stated, "out_trade_no", _NUMBER),
            word=word,
            merchant=self.seller_id,
            app=self.app_id,
            reference=matching(stated, "trade_no", _REFERENCE) if word is Word.PAID else "",
            amount=_fen(stated.get("total_amount")),
            payer_amount=_fen(stated.get("buyer_pay_amount")),
            currency="CNY",  # there is no other at this gateway
            happened_at=happened_at if word is Word.PAID else None,
            their_word=their_word,
        )

    def _refund(self, stated: Mapping[str, str]) -> RefundOutcome:
        """Without an amount: `refund_fee` is what went back of the trade in all, not by this refund."""
        return RefundOutcome(
            gateway=NAME,
            number=matching(stated, "out_biz_no", _NUMBER),
            word=RefundWord.DONE,
            merchant=self.seller_id,
            payment=matching(stated, "out_trade_no", _NUMBER),
            reference="",  # Alipay gives refunds no number of its own
            happened_at=_moment(stated["gmt_refund"]),
            their_word=stated["trade_status"],
        )


def matching(stated: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    """The text under `name`, in its documented form; Unproven."""
    value = stated.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unproven(f"{name} is missing or malformed")
    return value


def code_of(stated: Mapping[str, object], name: str) -> str:
    """A code fit for the log, or nothing."""
    value = stated.get(name)
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def refunded(stated: Mapping[str, object], name: str) -> tuple[Fen | None, datetime | None]:
    """The amount under `name` and the moment of a verified answer about a refund; None for what makes no sense."""
    return _fen(stated.get(name)), _moment(stated.get("gmt_refund_pay"))


def _spans(body: bytes) -> dict[str, object]:
    """The outermost object: texts as texts, everything else as the bytes that came. Unproven unless it is one clean
    object in UTF-8, every name once on every level."""
    try:
        text = body.decode("utf-8")
        found, end = _members(text, _expected(text, 0, "{"))
    except (ValueError, RecursionError):
        raise Unproven("not one clean JSON object") from None
    if text[end:].strip(_BLANK):
        raise Unproven("something after the answer")
    return found


def _members(text: str, at: int) -> tuple[dict[str, object], int]:
    """From behind the '{' to behind its '}'; ValueError."""
    pairs: list[tuple[str, object]] = []
    while True:
        name, end = _DECODER.raw_decode(text, _past_blanks(text, at))
        start = _past_blanks(text, _expected(text, end, ":"))
        value, end = _DECODER.raw_decode(text, start)
        if not isinstance(name, str):
            raise ValueError("a name is no text")
        pairs.append((name, value if isinstance(value, str) else text[start:end].encode()))
        at = _past_blanks(text, end)
        if text[at : at + 1] == "}":
            return each_name_once(pairs), at + 1
        at = _expected(text, at, ",")


def _expected(text: str, at: int, mark: str) -> int:
    at = _past_blanks(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark}")
    return at + 1


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


_DECODER = json.JSONDecoder(object_pairs_hook=each_name_once, parse_constant=no_number)


def _unsigned(text: bytes) -> Unproven:
    """A complaint about our configuration comes in the very node that was asked for, without a sign; a success that
    comes so is nobody's word."""
    try:
        stated = json_object(text)
    except ValueError:
        return Unproven("no sign")
    if code_of(stated, "code") in {"", SUCCESS}:
        return Unproven("no sign")
    return Complaint(f"complaint {code_of(stated, 'code')} {code_of(stated, 'sub_code')}")


def _about_another(found: Mapping[str, object]) -> Unproven:
    stated = found.get("error_response")
    if not isinstance(stated, bytes) or not stated.startswith(b"{"):
        return Unproven("an answer to another question")
    complaint = json_object(stated)
    return Complaint(f"error_response {code_of(complaint, 'code')} {code_of(complaint, 'sub_code')}")


def _readings(fields: Mapping[str, bytes]) -> list[bytes]:
    signed = [(name, fields[name]) for name in sorted(fields.keys() - _UNSIGNED)]
    texts = [b"%b=%b" % (name.encode(), value) for name, value in signed]
    if b"" not in fields.values():
        return [b"&".join(texts)]
    return [b"&".join(text for text, (_, value) in zip(texts, signed, strict=True) if value), b"&".join(texts)]


_UNSIGNED = frozenset({"sign", "sign_type"})


def _was_paid(stated: Mapping[str, object]) -> bool:
    """Whether a closed trade was paid before: closed by its refund in full, not by its time."""
    return _moment(stated.get("send_pay_date")) is not None or bool(_fen(stated.get("receipt_amount")))


def _fen(value: object) -> Fen | None:
    try:
        amount = fen(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return amount if amount is not None and amount <= LARGEST_AMOUNT else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=BEIJING)
    except ValueError:  # a 13th month
        return None
