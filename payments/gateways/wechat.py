"""WeChat Pay API v3 for a directly connected merchant: JSAPI in the mini-program, Native as a QR code.

Manual: pay.weixin.qq.com/doc/v3/merchant (JSAPI 下单 4012525182, 查询 4013070356, 签名 4012556398).
What comes back is believed only by `wechat_reading`. An answer that is not a proof is silence: the outcome is unknown
and the next step is a query.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from enum import Enum
from urllib.parse import urlsplit

from core.clock import beijing
from core.http import Answer, Door, OutsideSilent
from payments.errors import AlreadyPaidThere, GatewayRefused, GatewaySilent
from payments.gateways.base import Acknowledgement, Callback, Checkout, Facts, Kind, Order, Outcome, Trade, Word
from payments.gateways.signing import BadKey, ResourceKeys, Signer, Verifier, certificates
from payments.gateways.strict import json_object
from payments.gateways.wechat_reading import LARGEST_BODY, NAME, Unproven, WeChatReader

Credentials = Mapping[str, str | Mapping[str, str]]

log = logging.getLogger(__name__)


class Meaning(Enum):
    """What an error means for the payment."""

    REFUSED = "definitely not taken; repeating is pointless"
    PAID = "paid already: ask"
    UNKNOWN = "nobody knows: ask"


# Codes without '_' (pages and years spell them differently), and the statuses they are believed with. Whatever is not
# listed is unknown. OUT_TRADE_NO_USED is unknown on purpose: something lives under that number and may be paid.
ERRORS: Mapping[str, tuple[frozenset[int], Meaning]] = {
    "PARAMERROR": (frozenset({400}), Meaning.REFUSED),
    "INVALIDPARAMETER": (frozenset({400}), Meaning.REFUSED),
    "INVALIDREQUEST": (frozenset({400}), Meaning.REFUSED),
    "APPIDMCHIDNOTMATCH": (frozenset({400}), Meaning.REFUSED),
    "MCHNOTEXISTS": (frozenset({400}), Meaning.REFUSED),
    "ORDERCLOSED": (frozenset({400}), Meaning.REFUSED),
    "SIGNERROR": (frozenset({401}), Meaning.REFUSED),
    "NOAUTH": (frozenset({403}), Meaning.REFUSED),
    "RULELIMIT": (frozenset({403}), Meaning.REFUSED),
    "TRADEERROR": (frozenset({403}), Meaning.REFUSED),
    "ACCOUNTERROR": (frozenset({403}), Meaning.REFUSED),
    "OPENIDMISMATCH": (frozenset({400, 500}), Meaning.REFUSED),
    "INVALIDTRANSACTIONID": (frozenset({400, 500}), Meaning.REFUSED),
    "ORDERPAID": (frozenset({400, 403}), Meaning.PAID),
}
NOT_THERE = frozenset({"ORDERNOTEXIST", "RESOURCENOTEXISTS"})
NUMBER_TAKEN = "201"  # the one place where a message counts: INVALID_REQUEST "201 商户订单号重复"
LONGEST_DESCRIPTION = 127

_NUMBER = re.compile(r"[0-9A-Za-z]{6,32}")
_PUBLIC_KEY = re.compile(r"(PUB_KEY_ID_[0-9]+)\s*(-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----)", re.DOTALL)


class WeChatPay:
    """The adapter. Holds parsed keys and no state: one instance serves every thread."""

    NEEDS = ("mchid", "appid", "serial_no", "private_key", "api_v3_keys", "notify_url", "base_url")
    NEEDS_ONE_OF = ("public_keys", "platform_certificates")

    name = NAME
    facts = Facts(
        title="微信",
        kinds=frozenset({Kind.JSAPI, Kind.NATIVE}),
        poll_after_s=(15, 30, 60, 180, 300, 600, 1800),
        closes=True,
        unseen_may_be_paid=False,
        lives_at_most=timedelta(minutes=15),
        refund_within=timedelta(days=365),
        statement_ready=time(10, 0),
        also_hosts=frozenset({"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"}),
    )

    def __init__(self, credentials: Credentials, door: Door, system_clock: Callable[[], datetime]) -> None:
        """`credentials` by the names in NEEDS, texts; BadKey names the one that is missing or unusable.

        api_v3_keys: comma list, newest first. public_keys: id → PEM, or a text of ids each followed by its PEM.
        platform_certificates: PEMs one after the other. One of the two suffices; with both, both kinds of serial
        are believed (the week in which a merchant changes over)."""
        for need in self.NEEDS:
            if not credentials.get(need):
                raise BadKey(f"wechat needs {need}")
        words = {need: str(credentials[need]).strip() for need in self.NEEDS}
        public_keys = _public_keys(credentials.get("public_keys", ""))
        verifiers = public_keys | certificates(str(credentials.get("platform_certificates", "")))
        if not verifiers:
            raise BadKey("wechat needs public_keys or platform_certificates")
        if urlsplit(words["notify_url"]).query:
            raise BadKey("wechat notify_url may carry no query")
        self.merchant, self.app = words["mchid"], words["appid"]
        self.reader = WeChatReader(
            mchid=self.merchant,
            appid=self.app,
            verifiers=verifiers,
            resource_keys=ResourceKeys(key.strip() for key in words["api_v3_keys"].split(",")),
        )
        self._serial = words["serial_no"].upper()
        self._signer = Signer(words["private_key"])
        self._answer_serial = next(iter(public_keys), "")
        self._notify_url, self._base_url = words["notify_url"], words["base_url"].rstrip("/")
        self._door, self._clock = door, system_clock

    def start(self, order: Order) -> Checkout:
        """Take an order: one try and, on silence, one more with the same bytes (their manual: the number is identity).

        GatewaySilent, GatewayRefused (code in args[0]), AlreadyPaidThere."""
        path, body = f"/v3/pay/transactions/{order.kind}", self._order_body(order)
        try:
            stated = self._take(path, body)
        except GatewaySilent:
            try:
                stated = self._take(path, body)
            except GatewayRefused as error:  # the first try may have been taken all the same
                raise GatewaySilent(f"silence, then {error}") from error
        if order.kind is Kind.NATIVE:
            return Checkout(code_url=_answered(stated, "code_url", 512))
        return Checkout(jsapi=self.pay_parameters(_answered(stated, "prepay_id", 64)))

    def query(self, trade: Trade) -> Outcome:
        """What they know of our number; ABSENT if nothing. GatewaySilent for whatever does not prove itself."""
        answer = self._ask("GET", f"/v3/pay/transactions/out-trade-no/{_ours(trade.number)}?mchid={self.merchant}")
        if answer.status == 404 and (code := _code(answer)).replace("_", "") in NOT_THERE:
            return Outcome(NAME, trade.number, Word.ABSENT, merchant=self.merchant, app=self.app, their_word=code)
        if answer.status != 200:
            raise GatewaySilent(f"{answer.status} {_code(answer)}")
        try:
            outcome = self.reader.transaction(self._proven(answer))
        except Unproven as doubt:
            raise GatewaySilent(str(doubt)) from doubt
        if outcome.number != trade.number:
            raise GatewaySilent("an answer about another number")
        return outcome

    def close(self, trade: Trade) -> None:
        """Ask that nobody can pay it; returns also when it is closed or unknown there, only a query confirms.

        GatewaySilent, AlreadyPaidThere, GatewayRefused."""
        body = _dumped({"mchid": self.merchant})
        answer = self._ask("POST", f"/v3/pay/transactions/out-trade-no/{_ours(trade.number)}/close", body)
        if answer.status == 204:
            self._proven(answer)
            return
        code = _code(answer).replace("_", "")
        if (answer.status == 404 and code in NOT_THERE) or (answer.status == 400 and code == "ORDERCLOSED"):
            return
        raise _failure(answer)

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback; see `wechat_reading`."""
        return self.reader.read_callback(headers, body, now=now)

    def accepted(self) -> Acknowledgement:
        """204: they stop repeating."""
        return Acknowledgement(204, b"")

    def rejected(self) -> Acknowledgement:
        """A 4xx with their FAIL body: they send it again, properly signed if it was theirs."""
        return Acknowledgement(401, _dumped({"code": "FAIL", "message": "签名验证失败"}))

    def pay_parameters(self, prepay_id: str) -> dict[str, str]:
        """What wx.requestPayment takes, signed: timeStamp, nonceStr, package, signType, paySign."""
        timestamp, nonce, package = self._timestamp(), secrets.token_hex(16), f"prepay_id={prepay_id}"
        signature = self._signer.sign(f"{self.app}\n{timestamp}\n{nonce}\n{package}\n".encode())
        return {
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }

    def _order_body(self, order: Order) -> bytes:
        assert order.amount >= 1 and type(order.amount) is int
        assert 0 < len(order.description) <= LONGEST_DESCRIPTION
        assert bool(order.openid) == (order.kind is Kind.JSAPI)
        wanted: dict[str, object] = {
            "appid": self.app,
            "mchid": self.merchant,
            "description": order.description,
            "out_trade_no": _ours(order.number),
            "time_expire": beijing(order.expires_at).isoformat(timespec="seconds"),
            "notify_url": self._notify_url,
            "amount": {"total": order.amount, "currency": "CNY"},
        }
        if order.openid:
            wanted["payer"] = {"openid": order.openid}
        return _dumped(wanted)

    def _take(self, path: str, body: bytes) -> dict[str, object]:
        answer = self._ask("POST", path, body)
        if answer.status != 200:
            raise _failure(answer)
        return self._proven(answer)

    def _proven(self, answer: Answer) -> dict[str, object]:
        """A 2xx answer that proves itself, as an object (empty for 204); GatewaySilent."""
        try:
            self.reader.verify(answer.headers, answer.body, now=self._clock())
            return json_object(answer.body) if answer.body else {}
        except Unproven as doubt:
            log.error("wechat answer not believed: %s", doubt)
            raise GatewaySilent(str(doubt)) from doubt
        except ValueError as error:
            raise GatewaySilent("a signed answer that is no JSON object") from error

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        """The only place that talks. `path` is signed and sent as it stands."""
        timestamp, nonce = self._timestamp(), secrets.token_hex(16)
        signature = self._signer.sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n")
        headers = {
            "Accept": "application/json",
            "User-Agent": "liangxian",
            "Authorization": f'WECHATPAY2-SHA256-RSA2048 mchid="{self.merchant}",nonce_str="{nonce}",'
            f'timestamp="{timestamp}",serial_no="{self._serial}",signature="{signature}"',
        }
        if body:
            headers["Content-Type"] = "application/json"
        if self._answer_serial:
            headers["Wechatpay-Serial"] = self._answer_serial
        try:
            answer = self._door.send(method, self._base_url + path, headers=headers, body=body or None)
        except OutsideSilent as error:
            raise GatewaySilent(str(error)) from error
        if answer.status >= 300:
            log.warning(
                "wechat %s %s: %s %s (request %s)",
                method,
                path.partition("?")[0],
                answer.status,
                _code(answer),
                answer.headers.get("request-id", "-"),
            )
        return answer

    def _timestamp(self) -> str:
        return str(int(self._clock().timestamp()))


def _failure(answer: Answer) -> GatewaySilent | GatewayRefused | AlreadyPaidThere:
    """What an answer that is no success means."""
    code = _code(answer)
    statuses, meaning = ERRORS.get(code.replace("_", ""), (frozenset(), Meaning.UNKNOWN))
    if answer.status not in statuses or _number_taken(answer):
        meaning = Meaning.UNKNOWN
    if meaning is Meaning.PAID:
        return AlreadyPaidThere(code)
    if meaning is Meaning.REFUSED:
        return GatewayRefused(code)
    return GatewaySilent(f"{answer.status} {code}")


def _code(answer: Answer) -> str:
    code = _error(answer).get("code")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,64}", code) else ""


def _number_taken(answer: Answer) -> bool:
    message = _error(answer).get("message")
    return isinstance(message, str) and message.lstrip().startswith(NUMBER_TAKEN)


def _error(answer: Answer) -> dict[str, object]:
    try:
        return json_object(answer.body) if len(answer.body) <= LARGEST_BODY else {}
    except ValueError:
        return {}


def _answered(stated: Mapping[str, object], name: str, limit: int) -> str:
    value = stated.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isascii():
        raise GatewaySilent(f"a signed answer without {name}")
    return value


def _ours(number: str) -> str:
    assert _NUMBER.fullmatch(number), "our numbers need no percent-encoding"
    return number


def _dumped(wanted: Mapping[str, object]) -> bytes:
    return json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


def _public_keys(stated: str | Mapping[str, str]) -> dict[str, Verifier]:
    pems = dict(_PUBLIC_KEY.findall(stated)) if isinstance(stated, str) else stated
    if stated and not pems:
        raise BadKey("no public key with its id in the text given")
    return {key_id: Verifier.from_pem(pem) for key_id, pem in pems.items()}
