"""交易投诉 of Alipay: alipay.merchant.tradecomplain.*, the library's request and model classes, our signature.

Of the two families in the library this one is about the trades of one's own contract and tells the whole conversation,
which must be read before anything is said again; alipay.security.risk.complaint.* (RiskGO) does not. Names and words as
the official SDKs' comments have them. The notification alipay.merchant.tradecomplain.changed is only a hint: what it is
about is asked. Not verified: the hours; no manual that could be read names them, so WeChat's are kept.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.clock import BEIJING, beijing
from core.errors import AppError
from core.money import fen
from payments.errors import ForgedCallback, GatewaySilent
from payments.gateways.alipay.asking import AlipayLine, of_library
from payments.gateways.alipay.meaning import failure, sub_code, succeeded
from payments.gateways.alipay.reading import LARGEST_BODY, NAME
from payments.gateways.base import Acknowledgement
from payments.gateways.complaining import LONGEST_ANSWER, Complaint, ComplaintFacts, Move, Said, Stage, Voice
from payments.gateways.strict import form_fields, json_object

STAGES = {
    "MERCHANT_PROCESSING": Stage.OPEN,
    "MERCHANT_FEEDBACK_OVERTIME": Stage.OPEN,  # and late
    "MERCHANT_FEEDBACKED": Stage.DONE,
    "FINISHED": Stage.DONE,
    "PLATFORM_PROCESSING": Stage.PLATFORM,
    "PLATFORM_FINISH": Stage.DONE,
    "CANCELLED": Stage.WITHDRAWN,
    "CLOSED": Stage.DONE,
}
VOICES = {
    "USER": Voice.PAYER,
    "MERCHANT": Voice.US,
    **dict.fromkeys(("SYSTEM", "AUDITOR", "GOVERNMENT"), Voice.PLATFORM),
}
ABOUT_COMPLAINTS = "alipay.merchant.tradecomplain.changed"
GAVE_BACK, ELSE = "02", "04"  # 通过其他方式退款; 其他
PAGE = 10
MOST_PAGES = 100
LONGEST_WORDS = 4000
NOT_THERE = frozenset({"COMPLAIN_NOT_EXIST", "COMPLAIN_EVENT_NOT_EXIST", "RESULT_IS_NULL"})

_NUMBER = re.compile(r"[0-9A-Za-z]{1,64}")
_ORDER = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


class AlipayComplaints:
    """The complaints against one contract. Holds no state."""

    facts = ComplaintFacts(timedelta(hours=24), timedelta(hours=72), hears_of_refunds=False, last_words=True)

    def __init__(self, line: AlipayLine) -> None:
        self._line = line

    def hint(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """Such messages name no seller, and some of their manuals leave `sign_type` in the signed text (rsaCheckV2):
        here both readings will do, because nothing is believed but that somebody should ask. On a payment's path
        neither would."""
        if len(body) > LARGEST_BODY:
            raise ForgedCallback("body too long")
        try:
            fields = form_fields(body)
            texts = {name: value.decode() for name, value in fields.items()}
        except ValueError:
            raise ForgedCallback("not a clean form") from None
        if texts.get("sign_type") != "RSA2" or texts.get("app_id") != self._line.app_id:
            raise ForgedCallback("another app's, or not RSA2")
        sn = texts.get("alipay_cert_sn", "")
        if not self._line.reader.keys.prove(_readings(fields), texts.get("sign", ""), sn=sn, now=now):
            raise ForgedCallback("signature wrong")
        if texts.get("msg_method") != ABOUT_COMPLAINTS:
            return ""
        try:
            number = json_object(texts.get("biz_content", "").encode()).get("complain_event_id")
        except ValueError:
            number = None
        if not isinstance(number, str) or not _NUMBER.fullmatch(number):
            raise ForgedCallback("complain_event_id is missing or malformed")
        return number

    def ask_to_be_told(self, url: str) -> None:
        """The application's gateway address and the message are an operator's to set, on their pages."""

    def heard(self) -> Acknowledgement:
        """As to a payment's notification."""
        return Acknowledgement(200, b"success", "text/plain")

    def listed(self, begin: datetime, end: datetime) -> Iterator[Complaint]:
        """A page at a time."""
        model = of_library("domain.AlipayMerchantTradecomplainBatchqueryModel")
        model.begin_time, model.end_time = _stamp(begin), _stamp(end)
        model.page_size = str(PAGE)
        for page in range(1, MOST_PAGES + 1):
            model.page_num = str(page)
            request = of_library("request.AlipayMerchantTradecomplainBatchqueryRequest", biz_model=model)
            stated = self._taken(request)
            rows = _objects(stated, "trade_complain_infos")
            yield from (_complaint(row) for row in rows)
            if len(rows) < PAGE:
                return

    def look(self, number: str) -> tuple[Complaint, Sequence[Said]] | None:
        """One question."""
        model = of_library("domain.AlipayMerchantTradecomplainQueryModel")
        model.complain_event_id = _theirs(number)
        stated = self._line.ask(of_library("request.AlipayMerchantTradecomplainQueryRequest", biz_model=model))
        if not succeeded(stated):
            if sub_code(stated) in NOT_THERE:
                return None
            raise GatewaySilent(str(failure(stated)))
        found = _complaint(stated)
        if found.number != number:
            raise GatewaySilent("an answer about another complaint")
        lines = [_line(one) for one in _objects(stated, "reply_detail_infos")]
        lines.reverse()  # the latest comes first; those of one second stay as they came
        return found, sorted(lines, key=lambda one: one.at)

    def upload(self, picture: bytes) -> str:
        """alipay.merchant.image.upload. GatewaySilent, GatewayRefused."""
        request = of_library("request.AlipayMerchantImageUploadRequest")
        request.image_type = "png" if picture.startswith(b"\x89PNG") else "jpg"
        request.image_content = of_library("FileItem", f"answer.{request.image_type}", picture)
        stated = self._taken(request)
        name = stated.get("image_id")
        if not isinstance(name, str) or not 0 < len(name) <= 256:
            raise GatewaySilent("a picture without its name")
        return name

    def answer(self, number: str, words: str, pictures: Sequence[str]) -> None:
        """alipay.merchant.tradecomplain.reply.submit."""
        assert 0 < len(words) <= LONGEST_ANSWER
        model = of_library("domain.AlipayMerchantTradecomplainReplySubmitModel")
        model.complain_event_id, model.reply_content = _theirs(number), words
        if pictures:
            model.reply_images = ",".join(pictures)
        self._taken(of_library("request.AlipayMerchantTradecomplainReplySubmitRequest", biz_model=model))

    def finish(self, number: str, words: str, *, gave_back: bool) -> None:
        """alipay.merchant.tradecomplain.feedback.submit: its words are parameters of their own, no biz_content."""
        request = of_library("request.AlipayMerchantTradecomplainFeedbackSubmitRequest")
        request.complain_event_id = _theirs(number)
        request.feedback_code, request.feedback_content = GAVE_BACK if gave_back else ELSE, words
        self._taken(request)

    def tell_refund(self, number: str, words: str, *, agreed: bool) -> None:
        """Nobody there asks for it."""

    def _taken(self, request: Any) -> dict[str, object]:
        stated = self._line.ask(request)
        if not succeeded(stated):
            raise failure(stated)
        return stated


def _readings(fields: Mapping[str, bytes]) -> Iterator[bytes]:
    """What may be signed: every field but `sign`, and with it all but `sign_type`."""
    for without in ({"sign", "sign_type"}, {"sign"}):
        pairs = sorted((name, value) for name, value in fields.items() if name not in without and value)
        yield b"&".join(name.encode() + b"=" + value for name, value in pairs)


def _complaint(stated: Mapping[str, object]) -> Complaint:
    number, word, came_at = _text(stated, "complain_event_id"), _text(stated, "status"), _moment(stated, "gmt_create")
    if not _NUMBER.fullmatch(number) or came_at is None:
        raise GatewaySilent("a complaint without its number or its moment")
    order = _text(stated, "merchant_order_no")
    return Complaint(
        gateway=NAME,
        number=number,
        stage=STAGES.get(word, Stage.UNKNOWN),
        their_word=word,
        came_at=came_at,
        payments=[order] if _ORDER.fullmatch(order) else [],
        amount=_fen(_text(stated, "trade_amount")),
        about="，".join(filter(None, (_text(stated, "leaf_category_name"), _text(stated, "complain_reason")))),
        words=_text(stated, "content"),
        phone=_text(stated, "phone_no")[:32],
        pictures=[one for one in held if isinstance(one, str)]
        if isinstance(held := stated.get("images"), list)
        else [],
    )


def _line(stated: Mapping[str, object]) -> Said:
    """Their lines carry no number: who, when and what are one."""
    role, words, at = _text(stated, "replier_role"), _text(stated, "content"), _moment(stated, "gmt_create")
    if at is None:
        raise GatewaySilent("a line of a conversation without its moment")
    by = VOICES.get(role)
    key = hashlib.sha256(f"{role}\0{at.isoformat()}\0{words}".encode()).hexdigest()[:32]
    return Said(key, by or Voice.PLATFORM, Move.SAID if by else Move.UNKNOWN, words, at, role)


def _objects(stated: Mapping[str, object], name: str) -> list[dict[str, object]]:
    held = stated.get(name)
    if not isinstance(held, list | None):
        raise GatewaySilent("a list that is none")
    return [one for one in held or () if isinstance(one, dict)]


def _text(stated: Mapping[str, object], name: str) -> str:
    value = stated.get(name)
    return value[:LONGEST_WORDS] if isinstance(value, str) else ""


def _moment(stated: Mapping[str, object], name: str) -> datetime | None:
    value = _text(stated, name)
    try:
        return datetime.fromisoformat(value).replace(tzinfo=BEIJING) if _MOMENT.fullmatch(value) else None
    except ValueError:
        return None


def _fen(price: str) -> int | None:
    try:
        return fen(price) if price else None
    except AppError:
        return None


def _stamp(moment: datetime) -> str:
    return f"{beijing(moment):%Y-%m-%d %H:%M:%S}"


def _theirs(number: str) -> str:
    assert _NUMBER.fullmatch(number), "their numbers are letters and digits"
    return number
