"""A closed day → its certificate: what was booked, what was open, who closed it, signed. Made once, never changed."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, text

from app.flows.parts import Parts
from core.clock import beijing
from core.errors import BadInput, NotFound
from payments.ledger import balances, seal


class NoCertificate(NotFound):
    """The day is not closed."""

    text = "这一天还没有日结，没有日结证明。"


class NotACertificate(BadInput):
    """A file that holds no certificate of ours; `args[0]` says why."""

    text = "这个文件不是日结证明。"


@dataclass(frozen=True)
class Certificate:
    """What was signed, as text that never changes, and the Ed25519 signature over its UTF-8 bytes."""

    content: str
    signature: bytes
    public_key: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """The content, read."""
        return dict(json.loads(self.content))

    def as_json(self) -> str:
        """The file that is exported and verified."""
        told = {"certificate": self.content, "signature": _b64(self.signature), "public_key": _b64(self.public_key)}
        return json.dumps(told, ensure_ascii=False, indent=1)


def write_certificate(parts: Parts, connection: Connection, day: date) -> None:
    """Sign a day that was just closed, in the same transaction."""
    content = json.dumps(_facts(connection, day), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    connection.execute(
        text(
            "insert into certificate (day, content, signature, public_key) values (:day, :content, :signature, :key)"
            " on conflict do nothing"
        ),
        {"day": day, "content": content, "signature": _key(parts).sign(content.encode()), "key": public_key(parts)},
    )


def certificate(parts: Parts, day: date) -> Certificate:
    """The certificate of a closed day. NoCertificate."""
    with parts.reading() as connection:
        row = connection.execute(
            text("select content, signature, public_key from certificate where day = :day"), {"day": day}
        ).one_or_none()
    if row is None:
        raise NoCertificate(day.isoformat())
    return Certificate(row.content, bytes(row.signature), bytes(row.public_key))


def account_names(parts: Parts) -> dict[str, str]:
    """Code → name of each account that a certificate may speak of, as the book has it, and of the other funds."""
    with parts.reading() as connection:
        return balances.account_names(connection) | parts.levy.funds


def read_certificate(words: str) -> Certificate:
    """An exported file, read and not yet believed. NotACertificate."""
    try:
        told = json.loads(words)
        return Certificate(told["certificate"], b64decode(told["signature"]), b64decode(told["public_key"]))
    except (ValueError, KeyError, TypeError) as error:
        raise NotACertificate(str(error)) from error


def problems(parts: Parts, held: Certificate) -> list[str]:
    """Why a certificate is not to be believed, in Chinese; empty if it is ours and the book still says the same."""
    found = []
    if held.public_key != public_key(parts):
        found.append("不是本系统现在的签名钥匙签的")
    try:
        Ed25519PublicKey.from_public_bytes(held.public_key).verify(held.signature, held.content.encode())
    except (InvalidSignature, ValueError):
        return [*found, "签名不对，内容被改过"]
    facts = held.facts
    day = date.fromisoformat(facts["day"])
    with parts.engine.connect() as connection:
        sealed = seal.sealed(connection, day)
        if sealed is None or bytes(sealed.digest).hex() != facts["digest"]:
            found.append("账上这一天的摘要与证明不一样")
        elif day in seal.broken(connection, day):
            found.append("日结以后账被改过")
    return found


def wrong_papers(parts: Parts, connection: Connection) -> list[str]:
    """The days whose certificate is not the one that was signed, or is gone; all in the connection's snapshot.

    Once our key has signed a day, every later one is signed by it: a new key is no way to write an old paper anew."""
    ours, wrong, since = public_key(parts), [], False
    for row in connection.execute(_PAPERS):
        since = since or row.public_key == ours
        if row.content is None or (since and row.public_key != ours) or not _says(row):
            wrong.append(row.day.isoformat())
    return wrong


def _says(row: Any) -> bool:
    """Is it signed, and does it tell of this day what the book closed?"""
    try:
        Ed25519PublicKey.from_public_bytes(row.public_key).verify(row.signature, row.content.encode())
        facts = json.loads(row.content)
    except (InvalidSignature, ValueError):
        return False
    told = (facts["day"], facts["digest"], facts["closed_by"], facts["confirmed_by"])
    return told == (row.day.isoformat(), bytes(row.digest).hex(), row.closed_by, row.confirmed_by)


_PAPERS = text(
    "select s.day, s.digest, s.closed_by, s.confirmed_by, c.content, c.signature, c.public_key"
    "  from sealed_day s left join certificate c on c.day = s.day"
    " where s.version > 1 or c.day is not null order by s.day"
)


def public_key(parts: Parts) -> bytes:
    """The key that anybody can verify our certificates with."""
    return _key(parts).public_key().public_bytes_raw()


def _key(parts: Parts) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(parts.certificate_key)


def _facts(connection: Connection, day: date) -> dict[str, Any]:
    sealed = seal.sealed(connection, day)
    assert sealed is not None, "only a closed day is certified"
    ended = connection.execute(
        text(
            "select books, kind, count(*) as how_many,"
            " coalesce(sum(abs(coalesce(theirs, ours, 0))), 0)::bigint as amount"
            " from discrepancy where day = :day and state = 'cleared' and remedy <> 'gone' group by 1, 2 order by 1, 2"
        ),
        {"day": day},
    ).all()
    lists = connection.execute(
        text(
            "select gateway, lines, received, refunded, floor((fee + 500) / 1000.0)::bigint as fee, net_of(s) as net"
            " from statement s where day = :day and state in ('whole', 'empty') order by gateway"
        ),
        {"day": day},
    ).all()
    return {
        "day": day.isoformat(),
        "channels": [dict(row._mapping) for row in lists],
        "entries": sealed.entries,
        "postings": sealed.postings,
        "totals": [
            {"account": row.account, "debit": row.debit, "credit": row.credit, "balance": row.balance}
            for row in seal.totals(connection, day)
        ],
        "cleared": [dict(row._mapping) for row in ended],
        "exceptions": sealed.exceptions,
        "digest": bytes(sealed.digest).hex(),
        "previous": bytes(sealed.previous).hex(),
        "closed_by": sealed.closed_by,
        "confirmed_by": sealed.confirmed_by,
        "closed_at": beijing(sealed.closed_at).isoformat(timespec="seconds"),
    }


def _b64(value: bytes) -> str:
    return b64encode(value).decode()
