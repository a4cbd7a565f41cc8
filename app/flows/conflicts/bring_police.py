"""The police's file → their word beside the register, in one transaction: the good rows, or nothing. Only looked at,
all of it is rolled back, so that what is told is what would come of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from math import inf
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from app.flows.conflicts.look_for import POLICE, Seen, look_for
from app.flows.conflicts.of_the_dead import ask_for_dead, would_go_back
from app.flows.conflicts.read_police import PoliceFile
from app.flows.parts import Parts
from app.registry.failures import Failure
from app.registry.models import ImportBatch
from app.registry.police import Code
from app.registry.register import ImportUnderWay
from app.registry.workbook import BadFile
from core.db import may_take
from payments.states import LIVE

TOGETHER = 5_000


@dataclass(frozen=True)
class Brought:
    """How a file fared: `rows_in` = added + changed + same + refused + unknown, who are in no register of ours.
    `codes`: how many of each kind; `dead`: whom it calls so; `bills` of theirs that go, `paying` those who pay at this
    moment and go on, `refunds` that may be asked for. `conflicts` that it opens by kind, `ended` those that it ends.
    `taken` False: nothing was changed; `before`: when the same file was taken in last."""

    taken: bool
    rows_in: int
    added: int
    changed: int
    same: int
    refused: int
    unknown: int
    codes: Mapping[str, int]
    dead: int = 0
    bills: int = 0
    paying: int = 0
    refunds: int = 0
    conflicts: Mapping[str, int] = field(default_factory=dict)
    ended: int = 0
    before: datetime | None = None
    skipped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    hidden: int = 0
    batch: int | None = None


def bring_police(
    parts: Parts,
    path: Path,
    *,
    code: Code | None = None,
    name: str | None = None,
    report: Callable[[Failure], None] = lambda _failure: None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
    settle: Callable[[Connection, Brought], bool] = lambda _connection, _brought: True,
) -> Brought:
    """`code`: what the rows say that say nothing; `settle` hears, in the very transaction, how the file fared, and says
    whether it stays so. BadFile, ImportUnderWay."""
    file = PoliceFile(parts, path, code=code)
    digest = file.held.source.digest
    with parts.engine.connect() as connection:
        may_take(connection, inf)
        if not connection.execute(_ALONE).scalar_one():
            raise ImportUnderWay
        cause = f"import:{digest.hex()}"
        connection.execute(_IN_ITS_NAME, {"cause": cause})
        said, seen, brought = _read(connection, file, report, progress)
        number = connection.execute(_NUMBER).scalar_one()
        added, changed = _put(parts, connection, number, said)
        brought = replace(brought, added=added, changed=changed, same=len(said) - added - changed)
        brought = replace(brought, before=_before(connection, digest))
        dead = sorted({person for person, what in said if what is Code.DIED})
        brought = _with_money(parts, connection, brought, dead)
        found = look_for(parts, connection, seen, cause=cause)
        brought = replace(_told_of(file, brought), conflicts=found.opened, ended=found.ended)
        brought = replace(brought, taken=bool(added + changed or found.opened))
        if brought.taken:
            brought = replace(brought, batch=number)
            _record(connection, number, digest, name or path.name, brought)
        if settle(connection, brought) and brought.taken:
            connection.commit()
        else:
            brought = replace(brought, taken=False, batch=None)
    if brought.taken and dead:
        ask_for_dead(parts, dead)
    return brought


_Said = dict[tuple[int, Code], date | None]


def _read(
    connection: Connection,
    file: PoliceFile,
    report: Callable[[Failure], None],
    progress: Callable[[int, int], None],
) -> tuple[_Said, Seen, Brought]:
    said: _Said = {}
    seen, codes = Seen(POLICE), Counter[str]()
    rows = refused = unknown = 0
    for read in file.read(connection):
        rows, refused, unknown = rows + read.rows, refused + len(read.failures), unknown + read.unknown
        said |= read.words
        seen.named += [(named.person_id, named.name) for named in read.named]
        for failure in sorted(read.failures, key=lambda each: each.row):
            report(failure)
        progress(rows, file.held.source.rows_about)
    if not rows:
        raise BadFile(why="表头下面一行也没有")
    codes.update(what for _, what in said)
    seen.touched.update(person for person, _ in said)
    return said, seen, Brought(False, rows, 0, 0, 0, refused, unknown, dict(codes))


def _put(parts: Parts, connection: Connection, batch: int, said: _Said) -> tuple[int, int]:
    added = changed = 0
    words: Iterable[tuple[tuple[int, Code], date | None]] = iter(said.items())
    while chunk := list(islice(words, TOGETHER)):
        asked = {
            "batch": batch,
            "people": [person for (person, _), _ in chunk],
            "codes": [str(what) for (_, what), _ in chunk],
            "days": [day for _, day in chunk],
            "at": parts.clocks.wall(),
        }
        row = connection.execute(_PUT, asked).one()
        added, changed = added + row.added, changed + row.changed
    return added, changed


def _with_money(parts: Parts, connection: Connection, brought: Brought, dead: list[int]) -> Brought:
    if not dead:
        return brought
    asked = {"people": dead, "live": list(LIVE)}
    return replace(
        brought,
        dead=len(dead),
        paying=connection.execute(_PAYING, asked).scalar_one(),
        bills=connection.execute(_WITHDRAW, asked).scalar_one(),
        refunds=would_go_back(parts, connection, dead),
    )


def _told_of(file: PoliceFile, brought: Brought) -> Brought:
    held = file.held
    return replace(
        brought,
        skipped=tuple(held.skipped),
        ignored=tuple(held.ignored),
        unseen=tuple(held.source.unseen),
        hidden=held.source.hidden,
    )


def _before(connection: Connection, digest: bytes) -> datetime | None:
    same = select(ImportBatch.imported_at).where(ImportBatch.kind == POLICE, ImportBatch.file_hash == digest)
    return connection.execute(same.order_by(ImportBatch.id.desc()).limit(1)).scalar_one_or_none()


def _record(connection: Connection, number: int, digest: bytes, name: str, brought: Brought) -> None:
    counts = {each: getattr(brought, each) for each in ("added", "changed", "same", "refused")}
    counts["rows_in"] = brought.rows_in - brought.unknown  # a batch counts whom it may concern
    row = {"id": number, "kind": POLICE, "file_hash": digest, "file_name": name, **counts}
    connection.execute(insert(ImportBatch).values(row))


_ALONE = text("select pg_try_advisory_xact_lock(hashtext('registry import'))")  # as a bureau's file
_IN_ITS_NAME = text("select set_config('liangxian.cause', :cause, true)")
_NUMBER = text("select nextval(pg_get_serial_sequence('import_batch', 'id'))")
_PUT = text("select * from police_put(:batch, :people, :codes, :days, :at)")
_WITHDRAW = text("select police_withdraw(:people)")
_PAYING = text(
    "select count(distinct b.person_id) from bill b"
    " join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    " join payment p on p.household_id = pb.household_id and p.number = pb.number"
    " where b.person_id = any (:people) and p.state = any (:live)"
)
