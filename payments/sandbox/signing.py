"""The far side's own RSA and AES-GCM; written apart from the adapters' on purpose."""

import base64
import binascii
import os
import string

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LETTERS = string.ascii_letters + string.digits


def sign(key: rsa.RSAPrivateKey, text: bytes) -> str:
    """SHA256withRSA in Base64."""
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")


def is_signed(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether the Base64 signature is the key's over the text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, padding.PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def seal_resource(api_v3_key: str, clear: bytes, kind: str) -> dict[str, str]:
    """A v3 resource: AES-256-GCM, 12-character nonce, the kind as associated data."""
    nonce = random_text(12)
    sealed = AESGCM(api_v3_key.encode("ascii")).encrypt(nonce.encode("ascii"), clear, kind.encode("ascii"))
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode("ascii"),
        "associated_data": kind,
        "nonce": nonce,
    }


def random_text(length: int) -> str:
    """Letters and digits nobody guesses."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(length))


def random_digits(length: int) -> str:
    """Digits."""
    return "".join(str(byte % 10) for byte in os.urandom(length))
