"""The far side's authority and certificates, and the merchant's: root, middle, and three leaves under them.

One leaf is UnionPay's, one the merchant's, one a stranger's: the real authority serves them all, which is why a
message's certificate proves nothing before its company is read.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from random import SystemRandom

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from payments.sandbox.clock import BEIJING
from payments.sandbox.keys import private_pem, write_secret
from payments.sandbox.signing import random_digits

_PREFIX = "unionpay_"
_LAST = "unionpay.json"
_BEGINS, _ENDS = datetime(2020, 1, 1, tzinfo=BEIJING), datetime(2041, 5, 12, tzinfo=BEIJING)
_Made = tuple[rsa.RSAPrivateKey, x509.Certificate]


@dataclass(frozen=True, repr=False)
class UnionPayKeys:
    """Both sides' secrets; certificates and keys are PEM texts. `pfx` is the Base64 of the merchant's PKCS#12 file."""

    mer_id: str
    pfx_password: str
    root: str
    middle: str
    leaf: str  # UnionPay's own
    leaf_key: str
    stranger: str  # another company's, from the same authority
    stranger_key: str
    merchant: str
    merchant_key: str
    pfx: str

    def credentials(self, *, base_url: str, notify_url: str, return_url: str) -> dict[str, str]:
        """What the merchant's adapter needs to talk to the sandbox at `base_url`, under the adapter's names."""
        return self.held(base_url) | {"notify_url": notify_url, "return_url": return_url}

    def held(self, base_url: str) -> dict[str, str]:
        """The same without the merchant's own addresses."""
        return {
            "mer_id": self.mer_id,
            "pfx": self.pfx,
            "pfx_password": self.pfx_password,
            "root_certificates": self.root,
            "middle_certificates": self.middle,
            "base_url": f"{base_url}/unionpay",
            "file_url": f"{base_url}/unionpay/file",
        }


def make(folder: Path) -> UnionPayKeys:
    """Make what is missing in `folder` (files 0600) and load it; doing it again changes nothing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / _LAST).exists():
        password = "".join(SystemRandom().sample("0123456789", 6))  # six that differ: production refuses 810810
        words = {"mer_id": f"777290{random_digits(9)}", "pfx_password": password}
        for name, content in _made(**words).items():
            write_secret(folder / f"{_PREFIX}{name}.pem", content)
        write_secret(folder / _LAST, json.dumps(words).encode("ascii"))
    words = json.loads((folder / _LAST).read_text(encoding="ascii"))
    texts = [field.name for field in fields(UnionPayKeys) if field.name not in words]
    return UnionPayKeys(**words, **{name: _text(folder / f"{_PREFIX}{name}.pem") for name in texts})


def _text(file: Path) -> str:
    return file.read_bytes().decode("ascii")  # read_text would make one line end out of two bytes


def _made(mer_id: str, pfx_password: str) -> Mapping[str, bytes]:
    root = _authority("SANDBOX CS CA", None)
    middle = _authority("SANDBOX OCA1", root)
    leaf = _leaf("041@8310000000083040@中国银联股份有限公司@00016495", middle)
    stranger = _leaf("041@N91370499MA00000000@某某科技有限公司@00000009", middle)
    merchant = _leaf(f"041@Z2021-11-1@{mer_id}:SIGN@00000006", middle)
    pfx = pkcs12.serialize_key_and_certificates(
        b"merchant",
        merchant[0],
        merchant[1],
        [middle[1], root[1]],
        serialization.BestAvailableEncryption(pfx_password.encode("ascii")),
    )
    return {
        "root": _pem(root),
        "middle": _pem(middle),
        "leaf": _pem(leaf),
        "leaf_key": private_pem(leaf[0]),
        "stranger": _pem(stranger),
        "stranger_key": private_pem(stranger[0]),
        "merchant": _pem(merchant),
        "merchant_key": private_pem(merchant[0]),
        "pfx": base64.b64encode(pfx),
    }


def _pem(made: _Made) -> bytes:
    return made[1].public_bytes(serialization.Encoding.PEM)


def _authority(name: str, above: _Made | None) -> _Made:
    key = rsa.generate_private_key(65537, 2048)
    called = x509.Name([_attribute(NameOID.COUNTRY_NAME, "CN"), _attribute(NameOID.ORGANIZATION_NAME, name)])
    signs = x509.KeyUsage(*(place in (5, 6) for place in range(9)))  # certificates and lists of revoked ones
    made = _builder(called, key, above).add_extension(x509.BasicConstraints(True, None), True)
    return key, made.add_extension(signs, True).sign((above or (key,))[0], hashes.SHA256())


def _leaf(name: str, above: _Made) -> _Made:
    key = rsa.generate_private_key(65537, 2048)
    parts = [(NameOID.COUNTRY_NAME, "cn"), (NameOID.ORGANIZATION_NAME, "SANDBOX OCA1")]
    parts += [(NameOID.ORGANIZATIONAL_UNIT_NAME, "Enterprises"), (NameOID.COMMON_NAME, name)]
    called = x509.Name([_attribute(*part) for part in parts])
    signs = x509.KeyUsage(True, True, True, False, True, False, False, False, False)
    return key, _builder(called, key, above).add_extension(signs, False).sign(above[0], hashes.SHA256())


def _attribute(kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute:
    return x509.NameAttribute(kind, value)


def _builder(called: x509.Name, key: rsa.RSAPrivateKey, above: _Made | None) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(above[1].subject if above else called)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(b"\x10" + os.urandom(4), "big"))  # five bytes, as the real ones
        .not_valid_before(_BEGINS)
        .not_valid_after(_ENDS)
    )
