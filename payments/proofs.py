"""Papers that prove a payment: what each says, sealed, under a code that anybody can check. Written once for one
settlement and never changed; only how often it was handed out grows."""

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Row,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.number import ALPHABET

CODE_LENGTH = 16  # eighty random bits
CONFIRMATION, CERTIFICATE = "confirmation", "certificate"


class Proof(Table):
    """One paper. `subject` is what it proves and `cause` the settlement it proves: when that no longer stands, neither
    does the paper."""

    __tablename__ = "proof"
    __table_args__ = (
        CheckConstraint(f"kind in ('{CONFIRMATION}', '{CERTIFICATE}')", name="kind"),
        UniqueConstraint("household_id", "subject", "cause"),
        Index("ix__proof__code", "code"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(
        Text
    )  # payment:<number>, with the bills of the rest when some went back; or bill:<id>
    cause: Mapped[str] = mapped_column(Text)
    bills: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    content: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, proof.content:<code>
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    digests: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))  # of files given out
    given_out: Mapped[int] = mapped_column(Integer, server_default=text("0"))


def new_code() -> str:
    """A paper's number and check code in one."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def grouped(code: str) -> str:
    """A code as it is printed and read out: four by four."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def held(connection: Connection, household_id: int, subject: str, cause: str) -> Row | None:
    """The paper of a subject for a settlement, if it was written already."""
    mine = (Proof.household_id == household_id, Proof.subject == subject, Proof.cause == cause)
    return connection.execute(select(Proof.__table__).where(*mine)).one_or_none()


def write(connection: Connection, **columns: Any) -> Row:
    """A paper, or the one that somebody wrote a moment before."""
    connection.execute(insert(Proof).values(**columns).on_conflict_do_nothing())
    found = held(connection, columns["household_id"], columns["subject"], columns["cause"])
    assert found is not None, "it was just written"
    return found


def by_code(connection: Connection, code: str) -> Row | None:
    """The paper of a code, or None."""
    return connection.execute(select(Proof.__table__).where(Proof.code == code)).one_or_none()


def give_out(connection: Connection, household_id: int, code: str, digest: bytes) -> None:
    """Once more; the digest of a file that differs from the former ones is kept beside them."""
    connection.execute(
        text(
            "update proof set given_out = given_out + 1,"
            " digests = case when :digest = any (digests) then digests else digests || cast(:digest as bytea) end"
            " where household_id = :household and code = :code"
        ),
        {"household": household_id, "code": code, "digest": digest},
    )


def by_digest(connection: Connection, code: str, digest: bytes) -> bool:
    """Did we give out this very file under this code?"""
    return bool(
        connection.execute(
            text("select count(*) from proof where code = :code and :digest = any (digests)"),
            {"code": code, "digest": digest},
        ).scalar_one()
    )


def standing_bills(connection: Connection, proof: Row) -> int:
    """How many of a paper's bills are still settled by what the paper proves."""
    return connection.execute(
        text(
            "select count(*) from bill where household_id = :household and id = any (:bills) and state = 'settled'"
            " and receipt_of(household_id, settled_by) = :cause and receipt_by_hand(household_id, :cause) = 0"
        ),
        {"household": proof.household_id, "bills": proof.bills, "cause": proof.cause},
    ).scalar_one()


def treasury_booking(connection: Connection, *, fund: str, levy_year: int, day: date) -> Row | None:
    """The treasury's booking of what residents paid for a fund on a day of our book: serial, booked_on. None while it
    has not come, or while what came is not what we booked: nobody knows then whose money is in it."""
    return connection.execute(
        text(
            "select serial, booked_on from outside_row where kind = 'treasury' and part = 'premium'"
            " and channel = :fund and levy_year = :year and day = :day and not exists ("
            "   select from discrepancy where books = 'treasury' and channel = :fund and day = :day"
            "      and subject = :year_words and state <> 'cleared' and kind in ('AMOUNT_DIFF', 'DUPLICATE'))"
            " order by booked_on, serial limit 1"
        ),
        {"fund": fund, "year": levy_year, "year_words": str(levy_year), "day": day},
    ).one_or_none()
