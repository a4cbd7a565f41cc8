"""The keys of WeChat Pay's credentials: several of each kind at a time, for the days in which one follows another."""

import re
from collections.abc import Mapping

from payments.gateways.signing import BadKey, Verifier, certificates

_PUBLIC_KEY = re.compile(
    r"(PUB_KEY_ID_[0-9]+)\s*=?\s*(-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----)", re.DOTALL
)


def public_keys_in(stated: str | Mapping[str, str]) -> dict[str, Verifier]:
    """By id, from id → PEM or from a text of ids each followed by its PEM, with or without '='; BadKey."""
    pems = dict(_PUBLIC_KEY.findall(stated)) if isinstance(stated, str) else stated
    if stated and not pems:
        raise BadKey("no public key with its id in the text given")
    return {key_id: Verifier.from_pem(pem) for key_id, pem in pems.items()}


def own_certificate(pem: str, serial: str) -> Verifier | None:
    """The merchant's own, if it is given; BadKey when it is not the one of the serial."""
    if not pem.strip():
        return None
    found = certificates(pem)
    if list(found) != [serial]:
        raise BadKey("wechat certificate does not have serial_no")
    return found[serial]
