"""消费者投诉 2.0 of WeChat Pay API v3 for a directly connected merchant.

Manual: 查询投诉单列表 (4012533431), 查询投诉单详情, 查询投诉单协商历史 (4012533439), 提交回复, 反馈处理完成,
更新退款审批结果, 商户上传反馈图片, 创建投诉通知回调地址, 投诉通知回调; the 24 and 72 hours: 消费者投诉处理指南
(kf.qq.com/faq/230125a6NbmA230125vMNZnE). Fields and words as the SDKs have them that carry the manual's text
(go-pay/gopay, WxJava). A notification is only a hint: what it is about is asked.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from core.clock import beijing
from core.http import Answer
from payments.errors import GatewaySilent
from payments.gateways.base import Acknowledgement
from payments.gateways.complaining import (
    LONGEST_ANSWER,
    Complaint,
    ComplaintFacts,
    Move,
    Said,
    Stage,
    Voice,
)
from payments.gateways.signing import Signer, Unopenable
from payments.gateways.wechat.fetching import answered
from payments.gateways.wechat.line import Line, code_of, dumped, failure
from payments.gateways.wechat.reading import NAME, moment_of

STAGES = {"PENDING": Stage.OPEN, "PROCESSING": Stage.OPEN, "PROCESSED": Stage.DONE}
_P, _U, _G = Voice.PAYER, Voice.US, Voice.PLATFORM
OPERATIONS: Mapping[str, tuple[Voice, Move]] = {
    "USER_CREATE_COMPLAINT": (_P, Move.CAME),
    "USER_CONTINUE_COMPLAINT": (_P, Move.AGAIN),
    "USER_RESPONSE": (_P, Move.SAID),
    "USER_CLICK_RESPONSE": (_P, Move.SAID),
    "USER_REVOKE_COMPLAINT": (_P, Move.WITHDRAWN),
    "USER_COMFIRM_COMPLAINT": (_P, Move.NOTED),  # spelt so; he says that it is solved
    "USER_SUBMIT_SATISFACTION": (_P, Move.NOTED),
    "MERCHANT_RESPONSE": (_U, Move.SAID),
    "MERCHANT_CONFIRM_COMPLETE": (_U, Move.DONE),
    "MERCHANT_APPROVE_REFUND": (_U, Move.REFUND_AGREED),
    "MERCHANT_REFUSE_RERUND": (_U, Move.REFUND_REFUSED),  # spelt so
    **dict.fromkeys(
        (
            *("PLATFORM_RESPONSE", "USER_CREATE_COMPLAINT_SYSTEM_MESSAGE", "USER_CONTINUE_COMPLAINT_SYSTEM_MESSAGE"),
            *("COMPLAINT_FULL_REFUNDED_SYSTEM_MESSAGE", "COMPLAINT_PARTIAL_REFUNDED_SYSTEM_MESSAGE"),
            *("COMPLAINT_REFUND_RECEIVED_SYSTEM_MESSAGE", "COMPLAINT_ENTRUSTED_REFUND_SYSTEM_MESSAGE"),
            *("PLATFORM_HELP_APPLICATION", "USER_APPLY_PLATFORM_HELP", "USER_APPLY_PLATFORM_SERVICE"),
            *("USER_CANCEL_PLATFORM_SERVICE", "PLATFORM_SERVICE_FINISHED"),
            *("SERVICE_ORDER_CANCEL", "SERVICE_ORDER_COMPLETE"),
        ),
        (_G, Move.NOTED),
    ),
}
PROBLEMS = {"REFUND": "申请退款", "SERVICE_NOT_WORK": "服务权益未生效", "OTHERS": "其他"}
PAGE = 10  # of a list: an answer is 64 KB at most
LINES = 20
MOST_PAGES = 100
LONGEST_WORDS = 4000

_CASES, _UPLOADS = "/v3/merchant-service/complaints-v2", "/v3/merchant-service/images/upload"
_TOLD = "/v3/merchant-service/complaint-notifications"
_NUMBER = re.compile(r"[0-9A-Za-z]{1,64}")
_ORDER = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_TAKEN = frozenset({200, 204})


class WeChatComplaints:
    """The complaints against one merchant number. Holds no state."""

    facts = ComplaintFacts(timedelta(hours=24), timedelta(hours=72), hears_of_refunds=True, last_words=False)

    def __init__(self, line: Line, signer: Signer) -> None:
        self._line, self._signer = line, signer

    def hint(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """Proven and opened as a payment's callback is; see `reading`."""
        return self._line.reader.read_complaint(headers, body, now=now)

    def ask_to_be_told(self, url: str) -> None:
        """创建, or where another one stands 更新投诉通知回调地址."""
        answer = self._line.ask("GET", _TOLD)
        if answer.status == 200 and self._line.proven(answer).get("url") == url:
            return
        if answer.status not in (200, 404):
            raise GatewaySilent(f"{answer.status} {code_of(answer)}")
        answer = self._line.ask("POST" if answer.status == 404 else "PUT", _TOLD, dumped({"url": url}))
        if answer.status != 200:
            raise failure(answer)
        if self._line.proven(answer).get("url") != url:
            raise GatewaySilent("another address was taken")

    def heard(self) -> Acknowledgement:
        """204: they stop repeating."""
        return Acknowledgement(204, b"")

    def listed(self, begin: datetime, end: datetime) -> Iterator[Complaint]:
        """By their Beijing days, at most thirty of them; a page at a time."""
        asked = f"begin_date={beijing(begin).date()}&end_date={beijing(end).date()}"
        for page in range(MOST_PAGES):
            stated = self._asked(f"{_CASES}?limit={PAGE}&offset={page * PAGE}&{asked}")
            rows = _rows(stated)
            yield from (self._complaint(row) for row in rows)
            if len(rows) < PAGE:
                return

    def look(self, number: str) -> tuple[Complaint, Sequence[Said]] | None:
        """Two questions, the conversation last: what it tells is not older than the case."""
        answer = self._line.ask("GET", f"{_CASES}/{_theirs(number)}")
        if answer.status == 404:
            return None
        found = self._complaint(self._proven(answer))
        if found.number != number:
            raise GatewaySilent("an answer about another complaint")
        lines: list[Said] = []
        for page in range(MOST_PAGES):
            rows = _rows(self._asked(f"{_CASES}/{number}/negotiation-historys?limit={LINES}&offset={page * LINES}"))
            lines += [_line(row) for row in rows]
            if len(rows) < LINES:
                break
        lines.reverse()  # the latest comes first; those of one second stay as they came
        lines.sort(key=lambda one: one.at)
        if any(one.move is Move.WITHDRAWN for one in lines[-3:]) and found.stage is Stage.DONE:
            found = Complaint(**vars(found) | {"stage": Stage.WITHDRAWN})
        return found, lines

    def upload(self, picture: bytes) -> str:
        """multipart/form-data of which only `meta` is signed. GatewaySilent, GatewayRefused."""
        kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
        meta = dumped({"filename": f"answer.{kind}", "sha256": hashlib.sha256(picture).hexdigest()})
        boundary = secrets.token_hex(16)
        form = _multipart(boundary, meta, picture, f"answer.{kind}", f"image/{kind}")
        answer = self._line.ask("POST", _UPLOADS, form, signed=meta, kind=f"multipart/form-data; boundary={boundary}")
        if answer.status != 200:
            raise failure(answer)
        return answered(self._line.proven(answer), "media_id", 512)

    def answer(self, number: str, words: str, pictures: Sequence[str]) -> None:
        """提交回复."""
        assert 0 < len(words) <= LONGEST_ANSWER
        said: dict[str, object] = {"complainted_mchid": self._line.mchid, "response_content": words}
        self._say(number, "response", said | ({"response_images": list(pictures)} if pictures else {}))

    def finish(self, number: str, words: str, *, gave_back: bool) -> None:
        """反馈处理完成: it takes no words."""
        self._say(number, "complete", {"complainted_mchid": self._line.mchid})

    def tell_refund(self, number: str, words: str, *, agreed: bool) -> None:
        """更新退款审批结果: the refund itself is asked for by the refund interface."""
        said = {"action": "APPROVE", "launch_refund_day": 0} if agreed else {"action": "REJECT", "reject_reason": words}
        self._say(number, "update-refund-progress", said)

    def _say(self, number: str, what: str, said: Mapping[str, object]) -> None:
        answer = self._line.ask("POST", f"{_CASES}/{_theirs(number)}/{what}", dumped(said))
        if answer.status not in _TAKEN:
            raise failure(answer)
        self._line.proven(answer)

    def _asked(self, path: str) -> dict[str, object]:
        return self._proven(self._line.ask("GET", path))

    def _proven(self, answer: Answer) -> dict[str, object]:
        if answer.status != 200:
            raise GatewaySilent(f"{answer.status} {code_of(answer)}")
        return self._line.proven(answer)

    def _complaint(self, stated: Mapping[str, object]) -> Complaint:
        number, word = _text(stated, "complaint_id"), _text(stated, "complaint_state")
        came_at = moment_of(stated.get("complaint_time"))
        if not _NUMBER.fullmatch(number) or came_at is None:
            raise GatewaySilent("a complaint without its number or its moment")
        if stated.get("complainted_mchid") not in (None, "", self._line.mchid):
            raise GatewaySilent("another merchant's complaint")
        stage = STAGES.get(word, Stage.UNKNOWN)
        orders = _objects(stated, "complaint_order_info")
        orders = [one for one in orders if _ORDER.fullmatch(_text(one, "out_trade_no"))]
        problem = PROBLEMS.get(_text(stated, "problem_type"), _text(stated, "problem_type"))
        return Complaint(
            gateway=NAME,
            number=number,
            stage=Stage.PLATFORM if stage is Stage.OPEN and stated.get("in_platform_service") is True else stage,
            their_word=word,
            came_at=came_at,
            payments=[_text(one, "out_trade_no") for one in orders],
            amount=_fen(orders[0].get("amount")) if orders else None,
            about="，".join(filter(None, (problem, _text(stated, "problem_description")))),
            words=_text(stated, "complaint_detail"),
            phone=self._opened(_text(stated, "payer_phone")),
            times=times if type(times := stated.get("user_complaint_times")) is int and times > 0 else 1,
            waiting=stated.get("incoming_user_response") is True,
            wants_back=_fen(stated.get("apply_refund_amount")),
            pictures=[
                url
                for media in _objects(stated, "complaint_media_list")
                for url in (media["media_url"] if isinstance(media.get("media_url"), list) else [])
                if isinstance(url, str)
            ],
        )

    def _opened(self, sealed: str) -> str:
        """Sealed for our certificate (RSA-OAEP); after a change of certificate an old one may not open."""
        try:
            return self._signer.unseal(sealed) if sealed else ""
        except Unopenable:
            return ""


def _line(stated: Mapping[str, object]) -> Said:
    key, word, at = _text(stated, "log_id"), _text(stated, "operate_type"), moment_of(stated.get("operate_time"))
    if not key or at is None:
        raise GatewaySilent("a line of a conversation without its number or its moment")
    by, move = OPERATIONS.get(word, (Voice.PLATFORM, Move.UNKNOWN))
    return Said(key[:64], by, move, _text(stated, "operate_details"), at, word)


def _rows(stated: Mapping[str, object]) -> list[dict[str, object]]:
    if not isinstance(stated.get("data", []), list):
        raise GatewaySilent("a list that is none")
    return _objects(stated, "data")


def _objects(stated: Mapping[str, object], name: str) -> list[dict[str, object]]:
    held = stated.get(name)
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []


def _text(stated: Mapping[str, object], name: str) -> str:
    value = stated.get(name)
    return value[:LONGEST_WORDS] if isinstance(value, str) else ""


def _fen(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _theirs(number: str) -> str:
    assert _NUMBER.fullmatch(number), "their numbers need no percent-encoding"
    return number


def _multipart(boundary: str, meta: bytes, picture: bytes, name: str, kind: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n'
    file = (
        f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + meta + file.encode() + picture + f"\r\n--{boundary}--\r\n".encode()
