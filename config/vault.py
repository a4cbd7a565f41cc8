"""The keys of personal data: those that open, the one that seals, the one that finds."""

import re
from types import MappingProxyType
from typing import Any

from config.reading import Reading
from core.vault import AES, SM, SUITES, Key

CIPHERS, DIGESTS = {"aes": AES, "sm4": SM}, {"sha256": AES, "sm3": SM}


def vault(read: Reading) -> dict[str, Any]:
    """The fields of Settings that begin with `vault`."""
    keys = _keys(read)
    seals = read.whole("VAULT_CURRENT", max(keys, default=0), 0, 255)
    if keys and seals not in keys:
        read.say("VAULT_CURRENT", "is the number of none of VAULT_KEYS")
    suite, text = _suite(read.text("VAULT_INDEX_KEY"), DIGESTS)
    index = Key(read.key("VAULT_INDEX_KEY", text), suite)
    return {"vault_keys": MappingProxyType(keys), "vault_current": seals, "vault_index_key": index}


def _keys(read: Reading) -> dict[int, Key]:
    """`1:base64,2:sm4:base64`: AES of 32 bytes, SM4 of 16, numbers 0–255."""
    keys: dict[int, Key] = {}
    for part in filter(None, (part.strip() for part in read.text("VAULT_KEYS").split(","))):
        number, _, said = part.partition(":")
        if not re.fullmatch(r"[0-9]{1,3}", number) or int(number) > 255 or int(number) in keys:
            read.say("VAULT_KEYS", "needs numbers from 0 to 255, each once, as in 1:base64,2:sm4:base64")
            continue
        suite, text = _suite(said, CIPHERS)
        keys[int(number)] = Key(read.key("VAULT_KEYS", text, exactly=SUITES[suite].length), suite)
    if not keys:
        read.say("VAULT_KEYS", "is missing or holds no key")
    return keys


def _suite(said: str, names: dict[str, int]) -> tuple[int, str]:
    """`sm4:base64` → its suite and the rest; without a word the first suite."""
    name, colon, rest = said.partition(":")
    return (names[name], rest) if colon and name in names else (AES, said)
