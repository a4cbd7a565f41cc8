"""A gateway's callback on the wire: opened, changed, and closed again with its own keys or with somebody else's."""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.sandbox.alipay import keys as alipay_keys
from payments.sandbox.alipay.voice import AlipayVoice
from payments.sandbox.keys import make_keys
from payments.sandbox.signing import seal_resource
from payments.sandbox.unionpay import keys as unionpay_keys
from payments.sandbox.unionpay.voice import Voice as UnionPayVoice
from payments.sandbox.wechat.voice import Voice as WeChatVoice

GONE = object()  # as a value: the field is not there at all
Said = dict[str, Any]


@dataclass(frozen=True)
class Posted:
    """One callback: headers and raw bytes."""

    headers: Mapping[str, str]
    body: bytes


class Wire(ABC):
    """One gateway's form of callbacks, with all keys of one sandbox: what it closes is signed by that sandbox."""

    NAMES: ClassVar[Mapping[str, tuple[str, ...]]]  # our word for a field → where it stands in theirs
    PROOF: ClassVar[tuple[str, ...]]  # the headers or fields without which nothing is proven; the signature first

    @abstractmethod
    def opened(self, posted: Posted) -> Said:
        """What it says, in clear; may be changed."""

    @abstractmethod
    def closed(self, posted: Posted, said: Said) -> Posted:
        """The like of `posted`, saying something else, signed now by this sandbox's key."""

    @abstractmethod
    def proof_of(self, posted: Posted) -> str:
        """Its signature."""

    @abstractmethod
    def proven_by(self, posted: Posted, signature: str) -> Posted:
        """The same under another signature."""

    @abstractmethod
    def without(self, posted: Posted, *proof: str) -> Posted:
        """The same with parts of its proof torn off."""

    def changed(self, posted: Posted, *, by: "Wire | None" = None, **said: object) -> Posted:
        """Another message in which these fields (in our words) are otherwise, signed `by` (its own sandbox)."""
        clear = self.opened(posted)
        for name, value in said.items():
            *above, last = self.NAMES[name]
            place = clear
            for step in above:
                place = place[step]
            if value is GONE:
                place.pop(last, None)
            else:
                place[last] = value
        return (by or self).closed(posted, clear)


class WeChatWire(Wire):
    """A sealed resource in an envelope; the proof stands in the headers."""

    NAMES: ClassVar = {
        "number": ("out_trade_no",),
        "reference": ("transaction_id",),
        "word": ("trade_state",),
        "amount": ("amount", "total"),
        "given_back": ("amount", "refund"),
        "currency": ("amount", "currency"),
        "merchant": ("mchid",),
        "app": ("appid",),
    }
    PROOF: ClassVar = ("Wechatpay-Signature", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial")

    def __init__(self, folder: Path) -> None:
        self.keys = make_keys(folder)
        self.voice = WeChatVoice(self.keys)

    def opened(self, posted: Posted) -> Said:
        sealed = json.loads(posted.body)["resource"]
        cipher, nonce = AESGCM(self.keys.api_v3_key.encode()), sealed["nonce"].encode()
        return json.loads(
            cipher.decrypt(nonce, base64.b64decode(sealed["ciphertext"]), sealed["associated_data"].encode())
        )

    def closed(self, posted: Posted, said: Said) -> Posted:
        return self.sealed(posted, json.dumps(said, ensure_ascii=False))

    def sealed(self, posted: Posted, clear: str) -> Posted:
        """With any text at all inside."""
        envelope = json.loads(posted.body)
        kind = envelope["resource"]["original_type"]
        resource = seal_resource(self.keys.api_v3_key, clear.encode(), kind)
        envelope["resource"] = {"original_type": kind, **resource}
        return self.signed(posted, json.dumps(envelope).encode())

    def signed(self, posted: Posted, body: bytes) -> Posted:
        """With any body at all, signed now."""
        return Posted({**posted.headers, **self.voice.signed(body, by_public_key=True)}, body)

    def proof_of(self, posted: Posted) -> str:
        return posted.headers[self.PROOF[0]]

    def proven_by(self, posted: Posted, signature: str) -> Posted:
        return replace(posted, headers={**posted.headers, self.PROOF[0]: signature})

    def without(self, posted: Posted, *proof: str) -> Posted:
        return replace(posted, headers={name: value for name, value in posted.headers.items() if name not in proof})


class FormWire(Wire):
    """A signed form; the proof stands among its fields."""

    def opened(self, posted: Posted) -> Said:
        return dict(parse_qsl(posted.body.decode(), keep_blank_values=True, strict_parsing=True))

    def proof_of(self, posted: Posted) -> str:
        return str(self.opened(posted)[self.PROOF[0]])

    def proven_by(self, posted: Posted, signature: str) -> Posted:
        return replace(posted, body=urlencode({**self.opened(posted), self.PROOF[0]: signature}).encode())

    def without(self, posted: Posted, *proof: str) -> Posted:
        left = {name: value for name, value in self.opened(posted).items() if name not in proof}
        return replace(posted, body=urlencode(left).encode())


class AlipayWire(FormWire):
    """Signed over the sorted fields but sign and sign_type."""

    NAMES: ClassVar = {
        "number": ("out_trade_no",),
        "reference": ("trade_no",),
        "word": ("trade_status",),
        "amount": ("total_amount",),
        "merchant": ("seller_id",),
        "app": ("app_id",),
    }
    PROOF: ClassVar = ("sign", "sign_type")

    def __init__(self, folder: Path) -> None:
        self.keys = alipay_keys.make(folder)
        self.voice = AlipayVoice(self.keys)

    def closed(self, posted: Posted, said: Said) -> Posted:
        left = {name: value for name, value in said.items() if name not in ("sign", "alipay_cert_sn")}
        return replace(posted, body=self.voice.form(left, certified="alipay_cert_sn" in said).encode())


class UnionPayWire(FormWire):
    """Signed over the sorted fields but signature; the certificate comes along."""

    NAMES: ClassVar = {
        "number": ("orderId",),
        "reference": ("queryId",),
        "word": ("respCode",),
        "amount": ("txnAmt",),
        "given_back": ("txnAmt",),
        "currency": ("currencyCode",),
        "merchant": ("merId",),
    }
    PROOF: ClassVar = ("signature", "signPubKeyCert", "signMethod", "version")

    def __init__(self, folder: Path) -> None:
        self.keys = unionpay_keys.make(folder)
        self.voice = UnionPayVoice(self.keys)

    def closed(self, posted: Posted, said: Said) -> Posted:
        left = {name: value for name, value in said.items() if name not in ("signature", "signPubKeyCert")}
        return replace(posted, body=urlencode(self.voice.signed(left)).encode())


WIRES: Mapping[str, type[WeChatWire | AlipayWire | UnionPayWire]] = {
    "wechat": WeChatWire,
    "alipay": AlipayWire,
    "unionpay": UnionPayWire,
}
