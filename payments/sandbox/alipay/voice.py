"""How Alipay's far side signs what it says: the node's characters in answers, sorted pairs in notifications."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from payments.sandbox.alipay.keys import AlipayKeys, first_of, sn_of
from payments.sandbox.signing import sign


class AlipayVoice:
    """The far side's key and the merchant's, read once."""

    def __init__(self, keys: AlipayKeys) -> None:
        platform, app = (
            load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)  # we made them
            for pem in (keys.platform_key, keys.app_key)
        )
        assert isinstance(platform, rsa.RSAPrivateKey) and isinstance(app, rsa.RSAPrivateKey)
        self._key, self.app_key = platform, app.public_key()
        self._sn = sn_of(first_of(keys.platform_certificate))

    def answer(self, method: str, said: Mapping[str, Any], *, certified: bool, spoil: str = "") -> str:
        """The body of an answer. `spoil`: "" · "unsigned" · "wrong_signature" · "duplicate_node" (a forged one behind
        the genuine one)."""
        node, name = dumped(said), node_name(method)
        members = [(name, node)]
        if spoil == "duplicate_node":
            members.append((name, dumped({**said, "code": "10000", "trade_status": "TRADE_SUCCESS"})))
        if certified:
            members.append(("alipay_cert_sn", f'"{self._sn}"'))
        if spoil != "unsigned":
            text = "else" if spoil == "wrong_signature" else node
            members.append(("sign", dumped(sign(self._key, text.encode()))))
        return "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"

    def form(self, fields: Mapping[str, str], *, certified: bool, wrong: bool = False) -> str:
        """A notification's or a return's fields, signed and urlencoded; neither sign nor sign_type is in the text."""
        fields = {**fields, **({"alipay_cert_sn": self._sn} if certified else {})}
        pairs = sorted((name, value) for name, value in fields.items() if name != "sign_type" and value)
        text = "else" if wrong else "&".join(f"{name}={value}" for name, value in pairs)
        return urlencode({**fields, "sign": sign(self._key, text.encode())})

    def message(self, fields: Mapping[str, str], *, wrong: bool = False) -> str:
        """A subscribed message: everything but sign is in the text."""
        text = "else" if wrong else "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
        return urlencode({**fields, "sign": sign(self._key, text.encode())})


def node_name(method: str) -> str:
    """alipay.trade.query → alipay_trade_query_response."""
    return method.replace(".", "_") + "_response"


def dumped(said: object) -> str:
    """JSON as it goes over the wire: Chinese as it is, and every slash behind a backslash."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
