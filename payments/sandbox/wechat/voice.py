"""How the far side signs what it says, in either key mode. The system clock stamps it."""

import base64
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from payments.sandbox.keys import SandboxKeys
from payments.sandbox.signing import random_text, sign


class Voice:
    """The far side's two signing keys and the merchant's certificate, read once."""

    def __init__(self, keys: SandboxKeys) -> None:
        self.keys = keys
        self._platform = _private(keys.platform_key)
        self._older = _private(keys.certificate_key)
        merchant = x509.load_pem_x509_certificate(keys.merchant_cert.encode()).public_key()
        assert isinstance(merchant, rsa.RSAPublicKey)
        self.merchant_key = merchant

    def signed(self, body: bytes, *, by_public_key: bool) -> dict[str, str]:
        """The Wechatpay-* headers over `body`, stamped now."""
        stamp, nonce = str(int(time.time())), random_text(32)
        key, serial = (
            (self._platform, self.keys.pub_key_id) if by_public_key else (self._older, self.keys.certificate_serial)
        )
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": sign(key, f"{stamp}\n{nonce}\n".encode() + body + b"\n"),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }

    def seal(self, clear: str) -> str:
        """Something personal, for the merchant's certificate alone: RSA-OAEP with SHA-1, Base64."""
        sealing = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 as the real one does
        return base64.b64encode(self.merchant_key.encrypt(clear.encode(), sealing)).decode("ascii")


def _private(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
