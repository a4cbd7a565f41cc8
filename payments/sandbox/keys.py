"""The sandbox's keys in a folder: made once, readable by their owner only, worthless outside the sandbox."""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from payments.sandbox.signing import random_digits, random_text

_WORDS = "sandbox.json"
_PEMS = ("merchant_key", "merchant_cert", "public_key", "platform_key", "certificate_key", "certificate")


@dataclass(frozen=True, repr=False)
class SandboxKeys:
    """Both sides' secrets. The `merchant_*` ones belong to us, the others to the far side; PEMs are texts."""

    mchid: str
    appid: str
    app_secret: str
    account_appid: str  # the official account's
    account_secret: str
    api_v3_key: str
    sms_key: str
    pub_key_id: str
    merchant_serial: str
    certificate_serial: str
    merchant_key: str
    merchant_cert: str
    public_key: str  # the WeChat Pay public key, given to the merchant
    platform_key: str  # its private half
    certificate: str  # the older platform certificate, given to the merchant
    certificate_key: str  # its private half

    def wechat_credentials(self, *, base_url: str, notify_url: str) -> dict[str, str | dict[str, str]]:
        """What the merchant's adapter needs to talk to this sandbox, under the adapter's names."""
        return {
            "mchid": self.mchid,
            "appid": self.appid,
            "account_appid": self.account_appid,
            "serial_no": self.merchant_serial,
            "private_key": self.merchant_key,
            "certificate": self.merchant_cert,
            "api_v3_keys": self.api_v3_key,
            "public_keys": {self.pub_key_id: self.public_key},
            "platform_certificates": self.certificate,
            "notify_url": notify_url,
            "base_url": base_url,
        }


def make_keys(folder: Path) -> SandboxKeys:
    """Make what is missing in `folder` (files 0600) and load it; doing it again changes nothing.

    The other far sides keep theirs beside these: `<name>/keys.py` has a `make(folder)` of its own, which writes its
    files with `write_secret` under names that begin with its own, the last one saying that all are there. So a folder
    made before a far side existed gains its keys and loses none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / _WORDS).exists():
        _make(folder)
    words = json.loads((folder / _WORDS).read_text(encoding="ascii"))
    if missing := {name: value for name, value in _account().items() if name not in words}:
        write_secret(folder / _WORDS, json.dumps(words | missing, indent=1).encode("ascii"))
    return load_keys(folder)


def load_keys(folder: Path) -> SandboxKeys:
    """The keys that `make_keys` wrote."""
    words = json.loads((folder / _WORDS).read_text(encoding="ascii"))
    return SandboxKeys(**words, **{name: (folder / f"{name}.pem").read_text(encoding="ascii") for name in _PEMS})


def _make(folder: Path) -> None:
    merchant, platform, older = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    mchid = "19" + random_digits(8)
    # The serial begins with a zero digit: software that drops it cannot talk to this sandbox.
    merchant_serial = int.from_bytes(b"\x0a" + os.urandom(19), "big")
    certificate_serial = int.from_bytes(b"\x5b" + os.urandom(19), "big")
    pems = {
        "merchant_key": private_pem(merchant),
        "merchant_cert": _certificate(merchant, mchid, merchant_serial),
        "public_key": platform.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "platform_key": private_pem(platform),
        "certificate_key": private_pem(older),
        "certificate": _certificate(older, "sandbox platform", certificate_serial),
    }
    words = {
        "mchid": mchid,
        "appid": "wx" + random_text(16).lower(),
        "app_secret": random_text(32).lower(),
        "api_v3_key": random_text(32),
        "sms_key": random_text(32),
        "pub_key_id": f"PUB_KEY_ID_0{mchid}{random_digits(17)}",
        "merchant_serial": f"{merchant_serial:040X}",
        "certificate_serial": f"{certificate_serial:040X}",
    }
    for name, pem in pems.items():
        write_secret(folder / f"{name}.pem", pem)
    write_secret(folder / _WORDS, json.dumps(words, indent=1).encode("ascii"))  # last: its presence says all are there


def _account() -> dict[str, str]:
    """An official account, which a folder made before there was one gains."""
    return {"account_appid": "wx" + random_text(16).lower(), "account_secret": random_text(32).lower()}


def write_secret(file: Path, content: bytes) -> None:
    """A file that its owner alone may read, in place of what was there."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS#8 without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(key: rsa.RSAPrivateKey, name: str, serial: int) -> bytes:
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2021, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=20 * 365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
