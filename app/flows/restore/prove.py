"""A restored database is looked at: every truth at its own moment, every closed day against the live book's and against
the certificates that are kept outside. Finds differences, in words for the operator; changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, Row, text

from app.flows.parts import Clocks, Parts
from app.flows.reconcile.certify import Certificate, NotACertificate, public_key, read_certificate
from app.flows.restore.back_up import paper_of
from app.flows.watch.book import NUMBERS, check_book
from core.clock import utc_now

BEGUN = timedelta(minutes=10)  # what was begun so shortly before a moment may have been committed after it
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


def prove(live: Parts | None, restored: Parts, *, until: datetime) -> Proof:
    """All of it, as it should stand at `until` (system clock). `live` None: the live book is gone, and only the kept
    certificates can speak."""
    proof, sure = Proof(), until - BEGUN
    for found in check_book(restored, ASKED):
        proof.truths += 1
        if found.rows:
            proof.differences.append(f"{found.number} {found.title}：{found.rows} 行，例如 {found.sample[0]}")
    with restored.reading() as connection:
        closed = _closed_days(connection)
    proof.days = len(closed)
    later = _against_papers(restored, closed, proof)
    if live is not None:
        with live.reading() as connection:
            theirs = _closed_days(connection)
        proof.differences += [
            f"{day} 的日结与现在的账不一样"
            for day, row in closed.items()
            if day not in theirs or theirs[day].digest != row.digest
        ]
        later |= {day: row.written_at for day, row in theirs.items() if day not in closed}
    elif not proof.papers:
        proof.differences.append("没有可以核对的：现在的库连不上，库外也没有日结证明")
    proof.differences += [f"{day} 在这一时刻以前已经日结，恢复以后没有" for day, at in later.items() if at < sure]
    proof.closed_later = sorted(day for day, at in later.items() if at >= sure)
    if live is not None and (lost := _fewer(live, restored, sure)):
        proof.differences.append(lost)
    return proof


def _fewer(live: Parts, restored: Parts, sure: datetime) -> str:
    """Entries are only ever added: every one that the live book had by then must be there. A log with a hole in it ends
    where the hole is, and what came back before that agrees with itself."""
    counts = []
    for book in (live, restored):
        with book.reading() as connection:
            counts.append(connection.execute(_WRITTEN, {"until": sure}).scalar_one())
    had, has = counts
    return "" if has == had else f"这一时刻以前记的账有 {had} 条，恢复以后只有 {has} 条"


_WRITTEN = text("select count(*) from entry where written_at < :until")


def _closed_days(connection: Connection) -> Mapping[date, Row]:
    rows = connection.execute(text("select day, digest, written_at from sealed_day order by day"))
    return {row.day: row for row in rows}


def _against_papers(restored: Parts, closed: Mapping[date, Row], proof: Proof) -> dict[date, datetime]:
    """Every certificate that is kept: signed by us, chained to the one before, and what the restored book says of its
    day. Those of days that it has not closed, and when that was (system clock)."""
    before: Certificate | None = None
    later: dict[date, datetime] = {}
    if restored.papers is None:
        return later
    ours, ahead = _keys(restored), restored.clocks.now() - restored.clocks.wall()
    for file in sorted(paper_of(restored.papers, "").parent.glob(paper_of(restored.papers, "*").name)):
        try:
            paper = read_certificate(file.read_text(encoding="utf-8"))
            Ed25519PublicKey.from_public_bytes(paper.public_key).verify(paper.signature, paper.content.encode())
            if paper.public_key not in ours:
                raise InvalidSignature
        except (NotACertificate, InvalidSignature, ValueError):
            proof.differences.append(f"库外的日结证明 {file.name} 签名不对，或者不是日结证明")
            continue
        proof.papers += 1
        proof.differences += _chained(before, paper)
        before = paper
        day = date.fromisoformat(paper.facts["day"])
        if day not in closed:
            later[day] = datetime.fromisoformat(paper.facts["closed_at"]) - ahead
        elif bytes(closed[day].digest).hex() != paper.facts["digest"]:
            proof.differences.append(f"{day} 的日结与库外的日结证明不一样")
    return later


def _keys(restored: Parts) -> set[bytes]:
    """Those that sign or signed for us: the one that does now, and those of the certificates in the book."""
    with restored.reading() as connection:
        rows = connection.execute(text("select distinct public_key from certificate")).scalars()
        return {public_key(restored), *map(bytes, rows)}


def _chained(before: Certificate | None, paper: Certificate) -> Sequence[str]:
    """A day's certificate names the digest of the day before."""
    if before is None or _follows(before, paper):
        return ()
    return [f"{paper.facts['day']} 的日结证明接不上前一天的"]


def _follows(before: Certificate, paper: Certificate) -> bool:
    gap = date.fromisoformat(paper.facts["day"]) - date.fromisoformat(before.facts["day"])
    return gap.days != 1 or bool(paper.facts["previous"] == before.facts["digest"])
