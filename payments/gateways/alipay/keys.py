"""Alipay's keys: whose signature is believed, by public key or by certificate, and how a certificate is named.

Pure; everything is parsed once. Manual: 公钥证书签名, as AntCertificationUtil of the official SDKs does it.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from payments.gateways.alerting import Alert, unheard
from payments.gateways.base import KeyFact, Purpose
from payments.gateways.signing import BadKey, Signer, Verifier

_PEM = re.compile(r"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----.*?-----END \1-----", re.DOTALL)
_RSA_SIGNED = "1.2.840.113549.1.1."  # the root file also holds certificates signed otherwise (SM2)
_LONGEST_CHAIN = 4
UNVOUCHED = "证书文件里没有签发它的中间证书，没法核对到根证书，请重新下载“支付宝公钥证书”"


@dataclass(frozen=True)
class PlatformKeys:
    """What Alipay may sign with: public keys (several while one is changed) and certificates by their SN."""

    public: Sequence[Verifier] = ()
    certificates: Mapping[str, Verifier] = field(default_factory=dict)
    facts: Sequence[KeyFact] = ()
    alert: Alert = unheard

    def prove(self, texts: Iterable[bytes], signature: str, *, sn: str, now: datetime) -> bool:
        """Whether one of the readings is signed by a key we hold; a certificate that has ended (system clock `now`)
        proves nothing, and nothing is fetched because a message names it.

        `sn` names a certificate. One that we hold decides alone. Most notifications name none, and a certificate
        reissued with the same key has another name: then every key we hold is tried, and a name we do not know wakes
        somebody to fetch the new certificate."""
        if sn and not self.certificates:
            return False  # they name certificates to who works with certificates only: no RSA for a flood of names
        named = self.certificates.get(sn)
        held = [named] if named else [*self.public, *self.certificates.values()]
        valid = [one for one in held if one.expires_at is None or now < one.expires_at]
        proven = any(one.verify(text, signature) for text in texts for one in valid)
        if proven and sn and named is None:
            self.alert("certificate_unknown", gateway="alipay", sn=sn)
        return proven


@dataclass(frozen=True)
class OwnKey:
    """Our application's key, and in certificate mode the two names that every request carries."""

    signer: Signer
    verifier: Verifier  # of the application certificate where there is one, else of the key's own public half
    sns: Mapping[str, str]  # app_cert_sn and alipay_root_cert_sn, or nothing
    fact: KeyFact


def own_key(private_key: str, app_certificate: str, roots: str) -> OwnKey:
    """Our side. `private_key` as PEM or the bare Base64 of Alipay's key tool; the other two in certificate mode only.

    BadKey."""
    pem = _pem_of(private_key)
    signer = Signer(pem)
    if not app_certificate:
        known = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)  # Signer did it
        half = known.public_key()
        return OwnKey(signer, signer.public_half(), {}, KeyFact(Purpose.SIGNS, _fingerprint(half)))
    own = _certificates(app_certificate)[0]
    sns = {"app_cert_sn": certificate_sn(own), "alipay_root_cert_sn": root_sn(roots)}
    fact = KeyFact(Purpose.SIGNS, sns["app_cert_sn"], own.not_valid_after_utc)
    return OwnKey(signer, Verifier(own.public_key()), sns, fact)


def platform_keys(public_keys: str, certificates: str, roots: str, *, alert: Alert = unheard) -> PlatformKeys:
    """Alipay's side: PEMs (or bare Base64, one a line) and certificates that lead to one of `roots`; BadKey.

    The certificate file Alipay gives also holds the authority between; that one signs no messages. A file without it
    is the operator's word: its KeyFact says so."""
    public = [_public_key(pem) for pem in _public_pems(public_keys)]
    bundle, anchors = _certificates(certificates), _roots(roots)
    issuers = {one.issuer for one in bundle}
    leaves = [one for one in bundle if one.subject not in issuers]
    if certificates and not leaves:
        raise BadKey("certificates hold no certificate that signs messages")
    doubts = [_check_chain(leaf, bundle, anchors) for leaf in leaves]
    facts = [KeyFact(Purpose.VERIFIES, _fingerprint(key)) for key in public]
    facts += [
        KeyFact(Purpose.VERIFIES, certificate_sn(one), _until(one, bundle), doubt)
        for one, doubt in zip(leaves, doubts, strict=True)
    ]
    held = {certificate_sn(one): Verifier(one.public_key(), expires_at=_until(one, bundle)) for one in leaves}
    return PlatformKeys(tuple(Verifier(key) for key in public), held, tuple(facts), alert)


def certificate_sn(certificate: x509.Certificate) -> str:
    """How Alipay names a certificate: MD5 (a name, no protection) of its issuer, read backwards, and its serial."""
    text = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_sn(roots: str) -> str:
    """The SNs of the root file's RSA-signed certificates, joined by '_'; BadKey if there is none."""
    held = _roots(roots)
    if not held:
        raise BadKey("root_certificates hold no RSA-signed certificate")
    return "_".join(certificate_sn(one) for one in held)


def _roots(pems: str) -> list[x509.Certificate]:
    """The RSA-signed ones of a root file. Alipay's holds others too (SM2, and one that no strict library reads): they
    are passed over, as the official SDKs do."""
    found = []
    for one in _PEM.finditer(pems):
        try:
            root = x509.load_pem_x509_certificate(one[0].encode())
            if root.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNED):
                found.append(root)
        except ValueError:
            continue
    return found


def _check_chain(leaf: x509.Certificate, bundle: list[x509.Certificate], anchors: list[x509.Certificate]) -> str:
    """What is to be doubted of a leaf that leads to a root, or would if its file held who issued it; BadKey."""
    below = leaf
    for _ in range(_LONGEST_CHAIN):
        if any(_issued(below, by=anchor) for anchor in anchors):
            return ""
        between = [one for one in bundle if one is not below and _issued(below, by=one)]
        if not between:
            break
        below = between[0]
    if below is leaf and all(one.subject != leaf.issuer for one in (*bundle, *anchors)):
        return UNVOUCHED
    raise BadKey("a certificate does not lead to a root held")


def _issued(certificate: x509.Certificate, *, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _until(leaf: x509.Certificate, bundle: list[x509.Certificate]) -> datetime:
    """The last day of the leaf or of the authority between, whichever ends first."""
    return min(one.not_valid_after_utc for one in bundle if one is leaf or one.subject == leaf.issuer)


def _certificates(pems: str) -> list[x509.Certificate]:
    try:
        found = [x509.load_pem_x509_certificate(one[0].encode()) for one in _PEM.finditer(pems)]
    except ValueError:
        raise BadKey("certificate is not a readable PEM") from None
    if pems.strip() and not found:
        raise BadKey("no certificate in the text given")
    return found


def _public_pems(text: str) -> list[str]:
    if "-----BEGIN" in text:
        return [one[0] for one in _PEM.finditer(text)]
    return [f"-----BEGIN PUBLIC KEY-----\n{word}\n-----END PUBLIC KEY-----\n" for word in text.split()]


def _public_key(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise BadKey("public key is not a readable PEM") from None
    if not isinstance(key, RSAPublicKey):
        raise BadKey("public key is not RSA")
    return key


def _pem_of(private_key: str) -> str:
    if "-----BEGIN" in private_key:
        return private_key
    for label in ("PRIVATE KEY", "RSA PRIVATE KEY"):
        pem = f"-----BEGIN {label}-----\n{private_key.strip()}\n-----END {label}-----\n"
        try:
            load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)  # Signer will
        except (ValueError, TypeError):
            continue
        return pem
    raise BadKey("private key is not a readable PEM")


def _fingerprint(key: object) -> str:
    assert isinstance(key, RSAPublicKey)
    written = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(written).hexdigest()[:16]}"
