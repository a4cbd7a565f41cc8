"""A restored database is looked at: every truth at its own moment, every closed day against the live book's and against
the certificates that are kept outside. Finds differences, in words for the operator; changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, text

from app.flows.parts import Clocks, Parts
from app.flows.reconcile.certify import Certificate, NotACertificate, read_certificate
from app.flows.restore.back_up import paper_of
from app.flows.watch.book import NUMBERS, check_book
from core.clock import utc_now

OF_THE_SERVER = frozenset({"INV-104"})  # a drill's server was never reopened: nobody is served there
ASKED = tuple(number for number in NUMBERS if number not in OF_THE_SERVER)


class Stopped(Clocks):
    """Both clocks as they stood when the last thing was written that is there: what was due later is not late."""

    def __init__(self, engine: Engine, *, at: datetime, movable: bool) -> None:
        super().__init__(engine, movable=movable)
        self._at = at
        self._ahead = super().now() - utc_now()  # read now: later somebody may have a connection in hand

    def wall(self) -> datetime:
        """The moment of the last commit."""
        return self._at

    def now(self) -> datetime:
        """The same on the business clock."""
        return self._at + self._ahead


@dataclass
class Proof:
    """What was found: `differences` is empty if all holds. `closed_later`: days whose certificate is kept although the
    restored book is from before their close."""

    truths: int = 0
    days: int = 0
    papers: int = 0
    closed_later: list[date] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def prove(live: Parts | None, restored: Parts) -> Proof:
    """All of it. `live` None: the live book is gone, and only the kept certificates can speak."""
    proof = Proof()
    for found in check_book(restored, ASKED):
        proof.truths += 1
        if found.rows:
            proof.differences.append(f"{found.number} {found.title}：{found.rows} 行，例如 {found.sample[0]}")
    with restored.reading() as connection:
        closed = _closed_days(connection)
    proof.days = len(closed)
    _against_papers(restored, closed, proof)
    if live is not None:
        with live.reading() as connection:
            theirs = _closed_days(connection)
        proof.differences += [
            f"{day} 的日结与现在的账不一样" for day, digest in closed.items() if theirs.get(day) != digest
        ]
        proof.closed_later = sorted({*proof.closed_later, *(theirs.keys() - closed.keys())})
    return proof


def _closed_days(connection: Connection) -> Mapping[date, bytes]:
    rows = connection.execute(text("select day, digest from sealed_day order by day"))
    return {row.day: bytes(row.digest) for row in rows}


def _against_papers(restored: Parts, closed: Mapping[date, bytes], proof: Proof) -> None:
    """Every certificate that is kept: signed, chained to the one before, and what the restored book says of its day."""
    before: Certificate | None = None
    if restored.papers is None:
        return
    for file in sorted(paper_of(restored.papers, "").parent.glob(paper_of(restored.papers, "*").name)):
        try:
            paper = read_certificate(file.read_text(encoding="utf-8"))
            Ed25519PublicKey.from_public_bytes(paper.public_key).verify(paper.signature, paper.content.encode())
        except (NotACertificate, InvalidSignature, ValueError):
            proof.differences.append(f"库外的日结证明 {file.name} 签名不对，或者不是日结证明")
            continue
        proof.papers += 1
        proof.differences += _chained(before, paper)
        before = paper
        day = date.fromisoformat(paper.facts["day"])
        if day not in closed:
            proof.closed_later.append(day)
        elif closed[day].hex() != paper.facts["digest"]:
            proof.differences.append(f"{day} 的日结与库外的日结证明不一样")


def _chained(before: Certificate | None, paper: Certificate) -> Sequence[str]:
    """A day's certificate names the digest of the day before."""
    if before is None or _follows(before, paper):
        return ()
    return [f"{paper.facts['day']} 的日结证明接不上前一天的"]


def _follows(before: Certificate, paper: Certificate) -> bool:
    gap = date.fromisoformat(paper.facts["day"]) - date.fromisoformat(before.facts["day"])
    return gap.days != 1 or bool(paper.facts["previous"] == before.facts["digest"])
