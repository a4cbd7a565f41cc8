"""RSA with SHA-256 and AES-256-GCM for the gateways. A key is read once, at connection, never per call."""

import base64
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SHORTEST_KEY = 2048
_PADDING, _HASH = PKCS1v15(), SHA256()
_SEAL = OAEP(MGF1(SHA1()), SHA1(), None)  # noqa: S303 theirs to choose; no signature hangs on it


class BadKey(ValueError):
    """A key or credential that cannot be used; says which, never what it holds."""


class Unopenable(ValueError):
    """A sealed resource that no key of ours opens."""


@lru_cache(maxsize=16)
def checked_key(pem: str) -> PrivateKeyTypes:
    """A private key of a PEM text, its numbers proved once in a process: that takes forty milliseconds.

    ValueError, TypeError, UnsupportedAlgorithm."""
    return load_pem_private_key(pem.encode(), password=None)


class Signer:
    """An RSA private key that signs with PKCS#1 v1.5 and SHA-256."""

    def __init__(self, pem: str) -> None:
        """`pem` as PKCS#8 or PKCS#1, without a passphrase; BadKey if it is not an RSA key of at least 2048 bits."""
        try:
            key = checked_key(pem)
        except (ValueError, TypeError):
            raise BadKey("private key is not a readable PEM") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < _SHORTEST_KEY:
            raise BadKey("private key is not RSA of at least 2048 bits")
        self._key = key

    def sign(self, text: bytes) -> str:
        """The signature in Base64 without line breaks."""
        return base64.b64encode(self._key.sign(text, _PADDING, _HASH)).decode()

    def unseal(self, sealed: str) -> str:
        """What was sealed for this key's certificate: Base64 of RSA-OAEP with SHA-1, as WeChat Pay does. Unopenable."""
        try:
            return self._key.decrypt(base64.b64decode(sealed, validate=True), _SEAL).decode()
        except ValueError:
            raise Unopenable("not sealed for this key") from None

    def public_half(self) -> "Verifier":
        """What verifies its signatures."""
        return Verifier(self._key.public_key())


class Verifier:
    """An RSA public key that checks PKCS#1 v1.5 signatures with SHA-256."""

    def __init__(self, key: object, *, expires_at: datetime | None = None) -> None:
        """`expires_at` is the end of the certificate it came in; a bare key has none. BadKey."""
        if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST_KEY:
            raise BadKey("public key is not RSA of at least 2048 bits")
        self._key = key
        self.expires_at = expires_at

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """From '-----BEGIN PUBLIC KEY-----'; BadKey."""
        try:
            return cls(load_pem_public_key(pem.encode()))
        except (ValueError, TypeError):
            raise BadKey("public key is not a readable PEM") from None

    def verify(self, text: bytes, signature: str) -> bool:
        """Whether `signature` is this key's over `text`, in strict Base64: no blanks, no missing padding, and no other
        spelling of the same bytes."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, text, _PADDING, _HASH)
        except (ValueError, InvalidSignature):
            return False
        return base64.b64encode(raw).decode() == signature


def certificates(pems: str) -> dict[str, Verifier]:
    """Concatenated X.509 PEMs → serial (upper-case hex, leading zeros kept) → verifier; BadKey."""
    found: dict[str, Verifier] = {}
    for pem in _CERTIFICATE.findall(pems):
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            raise BadKey("certificate is not a readable PEM") from None
        end = certificate.not_valid_after_utc
        found[serial_of(certificate.serial_number)] = Verifier(certificate.public_key(), expires_at=end)
    if pems.strip() and not found:
        raise BadKey("no certificate in the text given")
    return found


def serial_of(number: int) -> str:
    """A certificate's serial number as gateways write it: whole bytes in upper-case hex, so '0A…' keeps its zero."""
    digits = f"{number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


class ResourceKeys:
    """AES-256-GCM keys, newest first: the newest seals, every one opens (messages in flight while a key changes)."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Each key is 32 ASCII characters, used as bytes as they stand; BadKey."""
        keys = tuple(keys)
        if not keys or not all(key.isascii() and len(key) == 32 for key in keys):
            raise BadKey("a resource key is not 32 ASCII characters")
        self._ciphers = tuple(AESGCM(key.encode()) for key in keys)

    def __len__(self) -> int:
        return len(self._ciphers)

    def open(self, ciphertext: str, *, nonce: str, associated: str) -> bytes:
        """The clear bytes of Base64 `ciphertext` whose last 16 bytes are the tag; Unopenable."""
        try:
            sealed = base64.b64decode(ciphertext, validate=True)
        except ValueError:
            raise Unopenable("ciphertext is not Base64") from None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce.encode(), sealed, associated.encode())
            except (InvalidTag, ValueError):
                continue
        raise Unopenable("no key opens the resource")

    def seal(self, clear: bytes, *, nonce: str, associated: str) -> str:
        """Base64 of ciphertext and tag, under the newest key."""
        return base64.b64encode(self._ciphers[0].encrypt(nonce.encode(), clear, associated.encode())).decode()
