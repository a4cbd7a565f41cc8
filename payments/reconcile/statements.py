"""Gateways' statements kept: their file as it came, and its lines in our words. All of a day or nothing of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, BinaryIO

from sqlalchemy import Connection, select, text

from core.money import Fen
from payments.gateways.base import Movement, StatementLine
from payments.gateways.blocks import Block
from payments.reconcile.statement_tables import Statement, StatementPiece

PIECE = 1024 * 1024


@dataclass
class Totals:
    """What the lines add up to: payments and refunds in fen, fees in thousandths of a fen."""

    lines: int = 0
    received: Fen = 0
    refunded: Fen = 0
    fee: int = 0

    def through(self, lines: Iterable[StatementLine | Block]) -> Iterator[StatementLine | Block]:
        """The lines unchanged, counted on their way."""
        for each in lines:
            if isinstance(each, Block):
                self.lines += len(each.rows)
                self.fee += sum(each.fees)
                self.received += sum(each.amounts)
            else:
                self._count(each)
            yield each

    def _count(self, line: StatementLine) -> None:
        self.lines += 1
        self.fee += line.fee
        if line.movement is Movement.PAYMENT:
            self.received += line.amount
        else:
            self.refunded += line.amount


def missing(connection: Connection, gateway: str, days: Sequence[date], *, wall: datetime) -> list[date]:
    """Those of `days` whose statement is not there and whose next try is due; each is written down as waiting."""
    connection.execute(
        text(
            "insert into statement (gateway, day) select :gateway, unnest(cast(:days as date[])) on conflict do nothing"
        ),
        {"gateway": gateway, "days": list(days)},
    )
    return list(
        connection.execute(
            select(Statement.day)
            .where(
                Statement.gateway == gateway,
                Statement.day.in_(days),
                Statement.state == "waiting",
                (Statement.next_try_at.is_(None)) | (Statement.next_try_at <= wall),
            )
            .order_by(Statement.day)
        ).scalars()
    )


def keep(
    connection: Connection,
    gateway: str,
    day: date,
    file: BinaryIO,
    lines: Iterable[StatementLine | Block],
    *,
    wall: datetime,
) -> Totals:
    """Write file and lines of a day, in the place of what was there; nothing stays if `lines` raises."""
    _empty(connection, gateway, day)
    totals, digest = Totals(), _keep_file(connection, gateway, day, file)
    cursor: Any = connection.connection.cursor()
    with cursor.copy(_ROWS) as copy:
        for each in totals.through(lines):
            if isinstance(each, Block):
                copy.write(_block(gateway, day, each))
            else:
                copy.write_row(_line(gateway, day, each))
    _state(connection, gateway, day, state="whole", digest=digest, wall=wall, totals=totals)
    return totals


def keep_empty(connection: Connection, gateway: str, day: date, *, wall: datetime) -> None:
    """They say there were no trades."""
    _empty(connection, gateway, day)
    _state(connection, gateway, day, state="empty", digest=None, wall=wall, totals=Totals())


def put_off(connection: Connection, gateway: str, day: date, *, trouble: str, next_try_at: datetime) -> None:
    """It could not be had: why, and when it is tried again (system clock)."""
    connection.execute(
        text(
            "insert into statement (gateway, day, tries, trouble, next_try_at)"
            " values (:gateway, :day, 1, :trouble, :next)"
            " on conflict (gateway, day) do update set tries = statement.tries + 1, trouble = :trouble,"
            " next_try_at = :next where statement.state = 'waiting'"
        ),
        {"gateway": gateway, "day": day, "trouble": trouble, "next": next_try_at},
    )


def mark_alerted(connection: Connection, gateway: str, day: date) -> bool:
    """True for the first that says a statement is late; it is said once."""
    marked = connection.execute(
        text(
            "update statement set alerted = true where gateway = :gateway and day = :day and not alerted"
            " and state = 'waiting'"
        ),
        {"gateway": gateway, "day": day},
    )
    return marked.rowcount == 1


def pieces(connection: Connection, gateway: str, day: date) -> Iterator[bytes]:
    """Their file again, as it came."""
    wanted = select(StatementPiece.content).where(StatementPiece.gateway == gateway, StatementPiece.day == day)
    yield from connection.execute(wanted.order_by(StatementPiece.piece)).scalars()


def first_day(connection: Connection, gateway: str) -> datetime | None:
    """When the first order went to this gateway, or None: money may have come of it that nobody told us of. What was
    lost before a server was restored may have been an order, too."""
    return connection.execute(
        text(
            "select least((select min(ordered_at) from payment where gateway = :gateway),"
            " (select min(lost_since) from reopening))"
        ),
        {"gateway": gateway},
    ).scalar_one()


def is_lost(connection: Connection, begins: datetime, ends: datetime) -> bool:
    """Whether some of a stretch of time (business clock) was lost before a server was restored: what our book has of
    it proves nothing of what there was."""
    return connection.execute(
        text("select exists (select from reopening where lost_since < :ends and lost_until >= :begins)"),
        {"begins": begins, "ends": ends},
    ).scalar_one()


def ours_between(connection: Connection, gateway: str, begins: datetime, ends: datetime) -> int:
    """How many payments and refunds of a gateway our book has in a stretch of time, by the gateway's own moments."""
    return connection.execute(
        text(
            "select (select count(*) from payment where gateway = :gateway and paid_at >= :begins and paid_at < :ends)"
            " + (select count(*) from refund_number n join refund r using (household_id, number)"
            "     where r.gateway = :gateway and n.done_at >= :begins and n.done_at < :ends)"
        ),
        {"gateway": gateway, "begins": begins, "ends": ends},
    ).scalar_one()


def _empty(connection: Connection, gateway: str, day: date) -> None:
    """Nothing of a day is there, and nobody compares it, until this transaction has ended."""
    connection.execute(text("select hold_statement(:gateway, :day)"), {"gateway": gateway, "day": day})
    for table in ("statement_row", "statement_piece"):
        connection.execute(
            text(f"delete from {table} where gateway = :gateway and day = :day"), {"gateway": gateway, "day": day}
        )


def _keep_file(connection: Connection, gateway: str, day: date, file: BinaryIO) -> bytes:
    digest, place = sha256(), 0
    file.seek(0)
    while content := file.read(PIECE):
        digest.update(content)
        connection.execute(
            text("insert into statement_piece values (:gateway, :day, :piece, :content)"),
            {"gateway": gateway, "day": day, "piece": place, "content": content},
        )
        place += 1
    file.seek(0)
    return digest.digest()


def _line(gateway: str, day: date, line: StatementLine) -> tuple[Any, ...]:
    return (
        *(gateway, day, line.row, line.movement.value, line.number, line.reference, line.refund_number),
        *(line.refund_reference, line.amount, line.fee, line.happened_at, line.their_word, line.app),
    )


def _block(gateway: str, day: date, block: Block) -> str:
    """The same of many lines, as COPY's text: none of a block's texts has anything that it would have to escape."""
    columns = (block.rows, block.ours, block.theirs, block.amounts, block.fees, block.moments, block.apps)
    begin, word = f"{gateway}\t{day}\t", block.their_word
    text = "".join(
        [
            f"{begin}{row}\tpayment\t{number}\t{reference}\t\t\t{amount}\t{fee}\t{moment}\t{word}\t{app}\n"
            for row, number, reference, amount, fee, moment, app in zip(*columns, strict=True)
        ]
    )
    assert "\\" not in text and text.count("\t") == 12 * len(block.rows), "a text that is more than its letters"
    return text


def _state(
    connection: Connection, gateway: str, day: date, *, state: str, digest: bytes | None, wall: datetime, totals: Totals
) -> None:
    connection.execute(
        text(
            "insert into statement (gateway, day, state, tries, digest, lines, received, refunded, fee, fetched_at)"
            " values (:gateway, :day, :state, 1, :digest, :lines, :received, :refunded, :fee, :wall)"
            " on conflict (gateway, day) do update set state = :state, tries = statement.tries + 1, digest = :digest,"
            " lines = :lines, received = :received, refunded = :refunded, fee = :fee, fetched_at = :wall,"
            " matched_at = null, trouble = '', next_try_at = null"
        ),
        {
            "gateway": gateway,
            "day": day,
            "state": state,
            "digest": digest,
            "lines": totals.lines,
            "received": totals.received,
            "refunded": totals.refunded,
            "fee": totals.fee,
            "wall": wall,
        },
    )


_ROWS = (
    "copy statement_row (gateway, day, row, movement, number, reference, refund_number, refund_reference, amount, fee,"
    " happened_at, their_word, app) from stdin"
)
