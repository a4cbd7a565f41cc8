"""Personal data at rest: authenticated encryption bound to its row, a keyed blind index. Nobody else decrypts.

A sealed value is bytes: suite (1) · key id (1) · nonce (12) · ciphertext and tag (16). The associated data is
`table.column:row`, so a value moved to another row or column does not open. The suite number names the algorithms: 1 is
AES-256-GCM with HMAC-SHA-256; 2 is what a Chinese government operator is asked for (国密), SM4-GCM (GB/T 32907, used as
RFC 8998 does) with HMAC-SM3 (GB/T 32905). Each key has its suite, so values of both stand side by side.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

NONCE, TAG, HEAD = 12, 16, 2
AES, SM = 1, 2
INDEX_KEY = 32  # bytes at least, of either suite


class Sealed(Exception):
    """A value that does not open: wrong row, wrong key, or altered."""


class Key(NamedTuple):
    """Key material of a suite: 32 bytes to seal by AES, 16 by SM4; for the index 32 or more."""

    secret: bytes
    suite: int = AES


class Sealer(Protocol):
    """Authenticated encryption with associated data; nonces of 12 bytes."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The clear bytes. InvalidTag."""
        ...


class Suite(Protocol):
    """The algorithms behind a key: one cipher with associated data, one keyed digest of 32 bytes."""

    length: int

    def cipher(self, key: bytes) -> Sealer:
        """The cipher of a key of `length` bytes."""
        ...

    def digester(self, key: bytes) -> Callable[[bytes], bytes]:
        """A keyed digest of 32 bytes, its key set up once."""
        ...


class AesSuite:
    """AES-256-GCM and HMAC-SHA-256."""

    length = 32

    def cipher(self, key: bytes) -> Sealer:
        """Of 32 bytes."""
        return AESGCM(key)

    def digester(self, key: bytes) -> Callable[[bytes], bytes]:
        """HMAC-SHA-256 with its key set up once, which is half of its cost."""
        keyed = hmac.new(key, digestmod=sha256)

        def digest(message: bytes) -> bytes:
            one = keyed.copy()
            one.update(message)
            return one.digest()

        return digest


class Sm4Gcm:
    """SM4-GCM as RFC 8998 has it: nonce of 12 bytes, tag of 16 after the ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""
        one = Cipher(self._key, modes.GCM(nonce)).encryptor()
        one.authenticate_additional_data(associated_data or b"")
        return one.update(data) + one.finalize() + one.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """The clear bytes. InvalidTag."""
        one = Cipher(self._key, modes.GCM(nonce, data[-TAG:])).decryptor()
        one.authenticate_additional_data(associated_data or b"")
        return one.update(data[:-TAG]) + one.finalize()


class SmSuite:
    """SM4-GCM and HMAC-SM3."""

    length = 16

    def cipher(self, key: bytes) -> Sealer:
        """Of 16 bytes."""
        return Sm4Gcm(key)

    def digester(self, key: bytes) -> Callable[[bytes], bytes]:
        """HMAC-SM3 with its key set up once."""
        keyed = HMAC(key, SM3())

        def digest(message: bytes) -> bytes:
            one = keyed.copy()
            one.update(message)
            return one.finalize()

        return digest


SUITES: Mapping[int, Suite] = {AES: AesSuite(), SM: SmSuite()}


class Vault:
    """Seals and opens personal data; finds equal values by a keyed index that says nothing without the key."""

    def __init__(self, keys: Mapping[int, Key], index_key: Key, *, current: int) -> None:
        """`keys`: key id (0–255) → key, several at once so that old values still open; `current` seals."""
        assert all(len(key.secret) == SUITES[key.suite].length for key in keys.values())
        assert len(index_key.secret) >= INDEX_KEY
        self._ciphers = {(key.suite, number): SUITES[key.suite].cipher(key.secret) for number, key in keys.items()}
        self.head = bytes((keys[current].suite, current))  # what every value sealed from now on begins with
        self._current = self._ciphers[keys[current].suite, current]
        self._digest = SUITES[index_key.suite].digester(index_key.secret)

    def seal(self, value: str, *, bound_to: str) -> bytes:
        """`bound_to` is `table.column:row id`; the same words are needed to open."""
        nonce = os.urandom(NONCE)
        return self.head + nonce + self._current.encrypt(nonce, value.encode(), bound_to.encode())

    def seal_all(self, items: Iterable[tuple[str, str]]) -> list[bytes]:
        """Many (value, bound_to) at once: their nonces are drawn in one call, which is most of the cost of a seal."""
        pairs = list(items)
        nonces, encrypt, head = os.urandom(NONCE * len(pairs)), self._current.encrypt, self.head
        sealed = []
        for at, (value, bound_to) in enumerate(pairs):
            nonce = nonces[at * NONCE : (at + 1) * NONCE]
            sealed.append(head + nonce + encrypt(nonce, value.encode(), bound_to.encode()))
        return sealed

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """The clear value; Sealed if it was altered, moved, or its key is not held."""
        sealed = bytes(sealed)
        long_enough = len(sealed) >= HEAD + NONCE + TAG
        cipher = self._ciphers.get((sealed[0], sealed[1])) if long_enough else None
        if cipher is None:
            raise Sealed("no key for this value")
        try:
            return cipher.decrypt(sealed[HEAD : HEAD + NONCE], sealed[HEAD + NONCE :], bound_to.encode()).decode()
        except InvalidTag:
            raise Sealed("not the value of this row") from None

    def index(self, value: str, *, purpose: str) -> bytes:
        """A 32-byte keyed digest, equal for equal values of one purpose; useless without the key (A90)."""
        return self._digest(f"{purpose}\0{value}".encode())
