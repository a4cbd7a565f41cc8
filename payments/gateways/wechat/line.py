"""The line to WeChat Pay: signs what goes out, believes what comes back only if it proves itself, reads their errors.

Manual: 微信支付 API v3, 签名生成 (4012556398), 错误码, 下载账单 (4013071254).
"""

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO, ClassVar
from urllib.parse import urlsplit

from core.http import Answer, Door, OutsideSilent
from payments.errors import AlreadyPaidThere, GatewayRefused, GatewayShort, GatewaySilent, GatewayTakesNobody
from payments.gateways.signing import Signer
from payments.gateways.strict import json_object
from payments.gateways.wechat.reading import LARGEST_BODY, Unproven, WeChatReader

log = logging.getLogger(__name__)


class Meaning(Enum):
    """What an error means for the payment or the refund."""

    REFUSED = "definitely not taken; repeating is pointless"
    NOBODY = "definitely not taken, whoever pays: our account, key or permission there"
    PAID = "paid already: ask"
    SHORT = "our balance there is too low: later, with the same number"
    UNKNOWN = "nobody knows: ask"


# Codes without '_' (pages and years spell them differently), and the statuses they are believed with. Whatever is not
# listed is unknown. OUT_TRADE_NO_USED is unknown on purpose: something lives under that number and may be paid.
ERRORS: Mapping[str, tuple[frozenset[int], Meaning]] = {
    "PARAMERROR": (frozenset({400}), Meaning.REFUSED),
    "INVALIDPARAMETER": (frozenset({400}), Meaning.REFUSED),
    "INVALIDREQUEST": (frozenset({400}), Meaning.REFUSED),
    "APPIDMCHIDNOTMATCH": (frozenset({400}), Meaning.NOBODY),
    "MCHNOTEXISTS": (frozenset({400, 404}), Meaning.NOBODY),
    "ORDERCLOSED": (frozenset({400}), Meaning.REFUSED),
    "SIGNERROR": (frozenset({401}), Meaning.NOBODY),
    "NOAUTH": (frozenset({403}), Meaning.NOBODY),
    "RULELIMIT": (frozenset({403}), Meaning.REFUSED),
    "TRADEERROR": (frozenset({403}), Meaning.REFUSED),
    "ACCOUNTERROR": (frozenset({403}), Meaning.REFUSED),
    "OPENIDMISMATCH": (frozenset({400, 500}), Meaning.REFUSED),
    "INVALIDTRANSACTIONID": (frozenset({400, 500}), Meaning.REFUSED),
    "USERACCOUNTABNORMAL": (frozenset({403}), Meaning.REFUSED),  # a refund to an account that is gone
    "RESOURCENOTEXISTS": (frozenset({404}), Meaning.REFUSED),  # a refund of what they do not find
    "TRADEOVERDUE": (frozenset({400, 403}), Meaning.REFUSED),  # a refund too late
    "ORDERPAID": (frozenset({400, 403}), Meaning.PAID),
    "NOTENOUGH": (frozenset({403}), Meaning.SHORT),
}
_ADDRESS = re.compile(r"[!-\"$-~]{1,2048}")  # no blank, no fragment
NUMBER_TAKEN = "201"  # the one place where a message counts: INVALID_REQUEST "201 商户订单号重复"


@dataclass(frozen=True, repr=False)
class Line:
    """Holds parsed keys and no state: one serves every thread."""

    PRODUCTION: ClassVar[str] = "https://api.mch.weixin.qq.com"
    SECOND: ClassVar[str] = "https://api2.mch.weixin.qq.com"  # the same interfaces in another region

    mchid: str
    serial: str  # of the merchant's certificate
    signer: Signer
    answer_serial: str  # the public key answers shall be signed with; "" for the platform certificate
    base_url: str
    door: Door
    clock: Callable[[], datetime]  # the system clock
    reader: WeChatReader

    def take(self, path: str, body: bytes) -> dict[str, object]:
        """POST, and the proven answer. GatewaySilent, GatewayRefused, GatewayShort, AlreadyPaidThere."""
        answer = self.ask("POST", path, body)
        if answer.status != 200:
            raise failure(answer)
        return self.proven(answer)

    def proven(self, answer: Answer) -> dict[str, object]:
        """A 2xx answer that proves itself, as an object (empty for 204); GatewaySilent."""
        try:
            self.reader.verify(answer.headers, answer.body, now=self.clock())
            return json_object(answer.body) if answer.body else {}
        except Unproven as doubt:
            log.error("wechat answer not believed: %s", doubt)
            raise GatewaySilent(str(doubt)) from doubt
        except ValueError as error:
            raise GatewaySilent("a signed answer that is no JSON object") from error

    def ask(
        self, method: str, path: str, body: bytes = b"", *, signed: bytes | None = None, kind: str = "application/json"
    ) -> Answer:
        """One request; `path` is signed and sent as it stands. A GET that meets silence is asked at the second host.

        `signed`: of a body of this `kind` only that part. GatewaySilent."""
        second = (self.SECOND,) if method == "GET" and self.base_url == self.PRODUCTION else ()
        for host in (self.base_url, *second):
            headers = self._headers(method, path, body if signed is None else signed)
            if body:
                headers["Content-Type"] = kind
            try:
                answer = self.door.send(method, host + path, headers=headers, body=body or None)
            except OutsideSilent as error:
                silence = error
                continue
            _logged(method, path, answer)
            return answer
        raise GatewaySilent(str(silence)) from silence

    def fetch(self, url: str, into: BinaryIO, *, most: int) -> Answer:
        """A file by its whole address, which the caller has checked; its answer is not signed. GatewaySilent."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            answer = self.door.fetch(url, into, headers=self._headers("GET", path, b""), most=most)
        except OutsideSilent as error:
            raise GatewaySilent(str(error)) from error
        _logged("GET", path, answer)
        return answer

    def leads_to_them(self, url: str, hosts: frozenset[str]) -> bool:
        """Whether an address is one of these hosts' over https, or where the base URL leads (A83)."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        theirs = parts.scheme == "https" and parts.netloc in hosts
        return bool(_ADDRESS.fullmatch(url)) and (theirs or parts[:2] == urlsplit(self.base_url)[:2])

    def timestamp(self) -> str:
        """Seconds of the system clock."""
        return str(int(self.clock().timestamp()))

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        timestamp, nonce = self.timestamp(), secrets.token_hex(16)
        signature = self.signer.sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n")
        headers = {
            "Accept": "application/json",
            "User-Agent": "liangxian",
            "Authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{self.mchid}",nonce_str="{nonce}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}",signature="{signature}"',
        }
        if self.answer_serial:
            headers["Wechatpay-Serial"] = self.answer_serial
        return headers


def failure(answer: Answer) -> GatewaySilent | GatewayRefused | GatewayShort | AlreadyPaidThere:
    """What an answer that is no success means."""
    code = code_of(answer)
    statuses, meaning = ERRORS.get(plain(code), (frozenset(), Meaning.UNKNOWN))
    if answer.status not in statuses or _number_taken(answer):
        meaning = Meaning.UNKNOWN
    if meaning is Meaning.PAID:
        return AlreadyPaidThere(code)
    if meaning is Meaning.REFUSED:
        return GatewayRefused(code)
    if meaning is Meaning.NOBODY:
        return GatewayTakesNobody(code)
    if meaning is Meaning.SHORT:
        return GatewayShort(code)
    return GatewaySilent(f"{answer.status} {code}")


def code_of(answer: Answer) -> str:
    """Their code for what went wrong, or ""."""
    code = _error(answer).get("code")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,64}", code) else ""


def plain(code: str) -> str:
    """A code as the tables here spell it."""
    return code.replace("_", "")


def dumped(wanted: Mapping[str, object]) -> bytes:
    """JSON as it is signed and sent."""
    return json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


def _number_taken(answer: Answer) -> bool:
    message = _error(answer).get("message")
    return isinstance(message, str) and message.lstrip().startswith(NUMBER_TAKEN)


def _error(answer: Answer) -> dict[str, object]:
    try:
        return json_object(answer.body) if len(answer.body) <= LARGEST_BODY else {}
    except ValueError:
        return {}


def _logged(method: str, path: str, answer: Answer) -> None:
    if answer.status >= 300:
        place, code = path.partition("?")[0], code_of(answer)
        request = answer.headers.get("request-id", "-")
        log.warning("wechat %s %s: %s %s (request %s)", method, place, answer.status, code, request)
