"""UnionPay's signature (ACP 5.1.0): what is signed, our certificate, and whose certificates we believe.

A message brings its own certificate. It is believed only if it hangs under a middle and a root certificate that we
hold, and belongs to UnionPay itself: every merchant's certificate comes from the same authority. The chain is checked
by hand, because the real one is signed with SHA-1, which libraries refuse. Revocation is not checked, as in every SDK.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from payments.gateways.base import KeyFact, Purpose, Unproven
from payments.gateways.signing import BadKey, Signer, Verifier, checked_key

VERSION = "5.1.0"
SIGN_METHOD = "01"  # RSA with certificates; 11 and 12 are shared keys and never ours
UNIONPAY = "中国银联股份有限公司"
TEST_SYSTEM = "00040000:SIGN"  # how UnionPay's test system is called in older certificates
_HASHES: Mapping[x509.ObjectIdentifier, HashAlgorithm] = {
    SignatureAlgorithmOID.RSA_WITH_SHA1: SHA1(),  # noqa: S303 the real chain's
    SignatureAlgorithmOID.RSA_WITH_SHA256: SHA256(),
}
_REMEMBERED = 16
_LONGEST_PEM = 8192
_ONE_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n(?:[0-9A-Za-z+/=]{1,76}\r?\n)+-----END CERTIFICATE-----")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_BROKEN = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def text_to_sign(fields: Mapping[str, str]) -> str:
    """All fields that are not empty, without `signature`, by name in byte order, values as they stand."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] and name != "signature")


def digest(text: str, charset: str = "utf-8") -> bytes:
    """What RSA signs: the SHA-256 of the text, written in lower-case hex."""
    return hashlib.sha256(text.encode(charset)).hexdigest().encode()


class MerchantKey:
    """Our certificate and its private key."""

    def __init__(self, key: object, certificates: Sequence[x509.Certificate]) -> None:
        """The certificate is the one among `certificates` that fits the key; BadKey."""
        if not isinstance(key, RSAPrivateKey):
            raise BadKey("unionpay private key is not RSA")
        fitting = [one for one in certificates if one.public_key() == key.public_key()]
        if not fitting:
            raise BadKey("no unionpay certificate fits the private key")
        self.certificate = fitting[0]
        self.cert_id = str(self.certificate.serial_number)  # decimal, as text
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._signer, self._verifier = Signer(pem), Verifier(self.certificate.public_key())

    @classmethod
    def held_in(cls, words: Mapping[str, str]) -> "MerchantKey":
        """From credentials: `pfx` with `pfx_password`, else `private_key` with `certificate`; BadKey."""
        names = ("pfx", "pfx_password") if words.get("pfx") else ("private_key", "certificate")
        for need in names:
            if not words.get(need):
                raise BadKey(f"unionpay needs {need}")
        make = cls.from_pfx if words.get("pfx") else cls.from_pem
        return make(*(words[name] for name in names))

    @classmethod
    def from_pfx(cls, pfx: str, password: str) -> "MerchantKey":
        """From the Base64 of a PKCS#12 file; BadKey."""
        try:
            held = _opened("".join(pfx.split()), password)
        except (ValueError, UnsupportedAlgorithm):
            raise BadKey("unionpay pfx cannot be opened with pfx_password") from None
        own = [held.cert, *held.additional_certs]
        return cls(held.key, [one.certificate for one in own if one])

    @classmethod
    def from_pem(cls, key: str, certificate: str) -> "MerchantKey":
        """From PEM texts; BadKey."""
        try:
            return cls(checked_key(key), certificates_in(certificate))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise error if isinstance(error, BadKey) else BadKey("unionpay private_key is not a readable PEM") from None

    def signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        """A request's fields, trimmed, without the empty ones, with certId and signature."""
        trimmed = {name: value.strip() for name, value in {**fields, "certId": self.cert_id}.items()}
        sent = {name: value for name, value in trimmed.items() if value and name != "signature"}
        return {**sent, "signature": self._signer.sign(digest(text_to_sign(sent)))}

    def verifies(self, fields: Mapping[str, str]) -> bool:
        """Whether our own certificate verifies these signed fields."""
        return self._verifier.verify(digest(text_to_sign(fields)), fields["signature"])

    def fact(self) -> KeyFact:
        """Its serial and its last day."""
        return KeyFact(Purpose.SIGNS, self.cert_id, self.certificate.not_valid_after_utc)


@lru_cache(maxsize=4)
def _opened(pfx: str, password: str) -> PKCS12KeyAndCertificates:
    """Once in a process, as `checked_key`: the password is made slow to try."""
    return load_pkcs12(base64.b64decode(pfx, validate=True), password.encode())


class Authority:
    """The root and middle certificates we hold (several of each), and whose certificates under them are UnionPay's."""

    def __init__(self, roots: str, middles: str, companies: Sequence[str] = (UNIONPAY,)) -> None:
        """PEMs one after the other; BadKey for one that is unreadable, no authority's, or a middle without a root."""
        self._roots, self._middles = certificates_in(roots), certificates_in(middles)
        if not (self._roots and self._middles and companies):
            raise BadKey("unionpay needs root_certificates, middle_certificates and a company name")
        try:
            for one in (*self._roots, *self._middles):
                if not _is_authority(one) or (one in self._middles and not _issuer(one, self._roots)):
                    raise BadKey(f"unionpay certificate {_called(one)} is no authority, or its root is missing")
        except _BROKEN as error:
            raise error if isinstance(error, BadKey) else BadKey("a unionpay certificate cannot be read") from None
        self._companies = frozenset(companies)
        self._verified: dict[str, tuple[tuple[x509.Certificate, ...], Verifier]] = {}

    def verifier(self, pem: str, *, now: datetime) -> Verifier:
        """The key of a certificate that came with a message, proven to be UnionPay's at `now`; Unproven.

        What was proven is remembered by its exact text; the dates are looked at every time."""
        found = self._verified.get(pem)
        if found is None:
            found = self._proven(pem)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[pem] = found
        chain, verifier = found
        for one in chain:
            if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
                raise Unproven("a certificate of the chain is not valid now")
        return verifier

    def facts(self) -> list[KeyFact]:
        """What the alarm must watch: without these no message of UnionPay is believed."""
        held = (*self._roots, *self._middles)
        return [KeyFact(Purpose.VOUCHES, _called(one), one.not_valid_after_utc) for one in held]

    def _proven(self, pem: str) -> tuple[tuple[x509.Certificate, ...], Verifier]:
        if len(pem) > _LONGEST_PEM or not _ONE_PEM.fullmatch(pem):
            raise Unproven("signPubKeyCert is not one certificate")
        try:
            leaf = x509.load_pem_x509_certificate(pem.encode("ascii"))
            middle = _issuer(leaf, self._middles)
            root = _issuer(middle, self._roots) if middle else None
            if middle is None or root is None:
                raise Unproven("certificate does not hang under ours")
            if not _may_sign(leaf):
                raise Unproven("certificate is not for signing messages")
            if _company(leaf) not in self._companies:
                raise Unproven("certificate is another company's")
            return (leaf, middle, root), Verifier(leaf.public_key())
        except _BROKEN:
            raise Unproven("certificate cannot be read") from None


def certificates_in(pems: str) -> list[x509.Certificate]:
    """Every certificate in a text of PEMs, in order; BadKey for an unreadable one or a text without any."""
    try:
        found = [x509.load_pem_x509_certificate(pem.encode("ascii")) for pem in _PEM.findall(pems)]
    except ValueError:
        raise BadKey("a unionpay certificate is not a readable PEM") from None
    if pems.strip() and not found:
        raise BadKey("no certificate in the text given for unionpay")
    return found


def _issuer(child: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """Who among the candidates signed this certificate."""
    return next((one for one in candidates if one.subject == child.issuer and _signed_by(child, one)), None)


def _signed_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    key, hashed = parent.public_key(), _HASHES.get(child.signature_algorithm_oid)
    if hashed is None or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(child.signature, child.tbs_certificate_bytes, PKCS1v15(), hashed)
    except InvalidSignature:
        return False
    return True


def _is_authority(one: x509.Certificate) -> bool:
    usage = _usage(one)
    return _claims_authority(one) and (usage is None or usage.key_cert_sign)


def _claims_authority(one: x509.Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may_sign(one: x509.Certificate) -> bool:
    usage = _usage(one)
    return not _claims_authority(one) and (usage is None or usage.digital_signature or usage.content_commitment)


def _usage(one: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return one.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _company(one: x509.Certificate) -> str:
    """The third of the four parts of a common name like 041@8310000000083040@中国银联股份有限公司@00016495."""
    names = one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    parts = str(names[0].value).split("@") if len(names) == 1 else []
    return parts[2] if len(parts) == 4 else ""


def _called(one: x509.Certificate) -> str:
    return f"{one.subject.rfc4514_string()} {one.serial_number:x}"
