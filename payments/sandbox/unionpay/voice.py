"""How the far side signs what it says, and whether what it hears is the merchant's. Knows no trade."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from payments.sandbox.unionpay.keys import UnionPayKeys

Fields = dict[str, str]


class Voice:
    """UnionPay's key and certificate, a stranger's from the same authority, and the merchant's certificate."""

    def __init__(self, keys: UnionPayKeys) -> None:
        self.keys = keys
        self._own = _private(keys.leaf_key), _as_sent(keys.leaf)
        self._stranger = _private(keys.stranger_key), _as_sent(keys.stranger)
        merchant = x509.load_pem_x509_certificate(keys.merchant.encode("ascii"))
        key = merchant.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        self._merchant_key = key
        self.cert_id = str(merchant.serial_number)

    def signed(self, said: Mapping[str, str], *, by_stranger: bool = False, wrongly: bool = False) -> Fields:
        """The fields with certificate and signature; `wrongly`: over something else."""
        key, certificate = self._stranger if by_stranger else self._own
        fields = {**said, "signPubKeyCert": certificate}
        text = _text({**fields, "respMsg": "else"} if wrongly else fields)
        signature = key.sign(_hashed(text), padding.PKCS1v15(), hashes.SHA256())
        return {**fields, "signature": base64.b64encode(signature).decode("ascii")}

    def is_merchants(self, heard: Mapping[str, str]) -> bool:
        """Whether the fields are signed by the merchant's key."""
        try:
            signature = base64.b64decode(heard.get("signature", ""), validate=True)
            self._merchant_key.verify(signature, _hashed(_text(heard)), padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True


def _text(fields: Mapping[str, str]) -> str:
    names = sorted(name for name, value in fields.items() if value != "" and name != "signature")
    return "&".join("=".join((name, fields[name])) for name in names)


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).hexdigest().encode("ascii")


def _as_sent(pem: str) -> str:
    """A certificate inside a message: lines end with CR LF, the last one with nothing."""
    return "\r\n".join(pem.strip().splitlines())


def _private(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode("ascii"), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
