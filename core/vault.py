"""Personal data at rest: authenticated encryption bound to its row, a keyed blind index. Nobody else decrypts.

A sealed value is bytes: suite (1) · key id (1) · nonce (12) · ciphertext and tag. The associated data is
`table.column:row`, so a value moved to another row or column does not open. The suite number names the algorithms
(1 = AES-256-GCM with HMAC-SHA-256); another suite (SM4-GCM with HMAC-SM3) is one more entry in SUITES.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class Sealed(Exception):
    """A value that does not open: wrong row, wrong key, or altered."""


class Suite(Protocol):
    """The algorithms behind a vault: one cipher with associated data, one keyed digest of 32 bytes."""

    number: int

    def cipher(self, key: bytes) -> AESGCM:
        """A 32-byte key's cipher."""
        ...

    def digester(self, key: bytes) -> Callable[[bytes], bytes]:
        """A keyed digest of 32 bytes, its key set up once."""
        ...


class AesSuite:
    """Suite 1: AES-256-GCM and HMAC-SHA-256."""

    number = 1

    def cipher(self, key: bytes) -> AESGCM:
        """A 32-byte key's cipher."""
        return AESGCM(key)

    def digester(self, key: bytes) -> Callable[[bytes], bytes]:
        """HMAC-SHA-256 with its key set up once, which is half of its cost."""
        keyed = hmac.new(key, digestmod=sha256)

        def digest(message: bytes) -> bytes:
            one = keyed.copy()
            one.update(message)
            return one.digest()

        return digest


SUITES: Mapping[int, Suite] = {1: AesSuite()}


class Vault:
    """Seals and opens personal data; finds equal values by a keyed index that says nothing without the key."""

    def __init__(self, keys: Mapping[int, bytes], index_key: bytes, *, current: int, suite: int = 1) -> None:
        """`keys`: key id (0–255) → 32 bytes, several at once so that old values still open; `current` seals."""
        assert all(len(key) == 32 for key in keys.values()) and len(index_key) >= 32
        self._suite = SUITES[suite]
        self._ciphers = {(suite, number): self._suite.cipher(key) for number, key in keys.items()}
        self._current = self._ciphers[suite, current]
        self._head = bytes((suite, current))
        self._digest = self._suite.digester(index_key)

    def seal(self, value: str, *, bound_to: str) -> bytes:
        """`bound_to` is `table.column:row id`; the same words are needed to open."""
        nonce = os.urandom(NONCE)
        return self._head + nonce + self._current.encrypt(nonce, value.encode(), bound_to.encode())

    def seal_all(self, items: Iterable[tuple[str, str]]) -> list[bytes]:
        """Many (value, bound_to) at once: their nonces are drawn in one call, which is most of the cost of a seal."""
        pairs = list(items)
        nonces, encrypt, head = os.urandom(NONCE * len(pairs)), self._current.encrypt, self._head
        sealed = []
        for at, (value, bound_to) in enumerate(pairs):
            nonce = nonces[at * NONCE : (at + 1) * NONCE]
            sealed.append(head + nonce + encrypt(nonce, value.encode(), bound_to.encode()))
        return sealed

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """The clear value; Sealed if it was altered, moved, or its key is not held."""
        sealed = bytes(sealed)
        cipher = self._ciphers.get((sealed[0], sealed[1])) if len(sealed) > NONCE + 2 else None
        if cipher is None:
            raise Sealed("no key for this value")
        try:
            return cipher.decrypt(sealed[2 : NONCE + 2], sealed[NONCE + 2 :], bound_to.encode()).decode()
        except InvalidTag:
            raise Sealed("not the value of this row") from None

    def index(self, value: str, *, purpose: str) -> bytes:
        """A 32-byte keyed digest, equal for equal values of one purpose; useless without the key (A90)."""
        return self._digest(f"{purpose}\0{value}".encode())
