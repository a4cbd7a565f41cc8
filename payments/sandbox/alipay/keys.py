"""Both sides' keys of Alipay's far side, beside the others in the sandbox's folder; worthless outside it."""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from payments.sandbox.clock import BEIJING
from payments.sandbox.keys import private_pem, write_secret
from payments.sandbox.signing import random_digits

_WORDS = "alipay.json"
_PEMS = ("app_key", "app_certificate", "platform_key", "public_key", "platform_certificate", "root_certificates")
_SHORT = {NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.ORGANIZATION_NAME: "O"}
_SHORT |= {NameOID.COUNTRY_NAME: "C"}
_CA_KEY = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, repr=False)
class AlipayKeys:
    """`app_*` belong to the merchant, `platform_*` to Alipay; the merchant is given the certificates and public_key."""

    app_id: str
    seller_id: str
    app_key: str
    app_certificate: str
    platform_key: str
    public_key: str
    platform_certificate: str  # with the authority between, as Alipay hands it out
    root_certificates: str  # an RSA one and one that is none

    def credentials(
        self, *, base_url: str, notify_url: str, return_url: str, certificates: bool = False
    ) -> dict[str, str]:
        """What the merchant's adapter needs to talk to this sandbox, in public-key or in certificate mode."""
        mode = {"public_keys": self.public_key}
        if certificates:
            mode = {
                "certificates": self.platform_certificate,
                "app_certificate": self.app_certificate,
                "root_certificates": self.root_certificates,
            }
        return mode | {
            "app_id": self.app_id,
            "seller_id": self.seller_id,
            "private_key": self.app_key,
            "base_url": base_url,
            "notify_url": notify_url,
            "return_url": return_url,
        }


def make(folder: Path) -> AlipayKeys:
    """Make what is missing in `folder` (files 0600) and load it; doing it again changes nothing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / _WORDS).exists():
        _make(folder)
    words = json.loads((folder / _WORDS).read_text(encoding="ascii"))
    return AlipayKeys(**words, **{name: _file(folder, name).read_text(encoding="ascii") for name in _PEMS})


def sn_of(certificate: x509.Certificate) -> str:
    """MD5 of the issuer, last part first, and the decimal serial number."""
    parts = [f"{_SHORT[attribute.oid]}={attribute.value!s}" for attribute in certificate.issuer]
    text = ",".join(reversed(parts)) + str(certificate.serial_number)
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def first_of(pems: str) -> x509.Certificate:
    """The first certificate of a text."""
    return x509.load_pem_x509_certificates(pems.encode())[0]


def _make(folder: Path) -> None:
    app, platform, authority = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    other = ec.generate_private_key(ec.SECP256R1())
    root, between = _name("Sandbox Root R1"), _name("Sandbox Authority Class 2 R1")
    roots = [_certified(_name("Sandbox Root E1"), other, _name("Sandbox Root E1"), other)]
    roots += [_certified(root, authority, root, authority)]
    signing = [_certified(_name("Alipay (sandbox)"), platform, between, authority)]
    signing += [_certified(between, authority, root, authority)]
    public = platform.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pems = {
        "app_key": private_pem(app),
        "app_certificate": _certified(_name("merchant"), app, between, authority),
        "platform_key": private_pem(platform),
        "public_key": public,
        "platform_certificate": b"".join(signing),
        "root_certificates": b"".join(roots),
    }
    for name, pem in pems.items():
        write_secret(_file(folder, name), pem)
    words = {"app_id": f"2021{random_digits(12)}", "seller_id": f"2088{random_digits(12)}"}
    write_secret(folder / _WORDS, json.dumps(words).encode("ascii"))  # last: its presence says all are there


def _file(folder: Path, name: str) -> Path:
    return folder / f"alipay_{name}.pem"


def _name(common: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, "Sandbox"))
    parts += ((NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def _certified(subject: x509.Name, key: _CA_KEY, issuer: x509.Name, by: _CA_KEY) -> bytes:
    start = datetime(2021, 1, 1, tzinfo=BEIJING)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(int.from_bytes(b"\x1a" + os.urandom(15), "big"))
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=20 * 365))
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)
