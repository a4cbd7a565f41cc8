"""An attempt at a gateway for a pledge, written down before the gateway hears of it; it pays no bill."""

from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core.money import Fen
from payments.errors import ChannelPaused
from payments.taking.start import Asked, Attempt

NOBODYS = 0  # the household of what is no household's


def begin_for(connection: Connection, pledge: int, amount: Fen, attempt: Attempt, asked: Asked) -> Row | None:
    """The payment's row; None if the key was used before. ChannelPaused; DBAPIError LX131 for a pledge that takes no
    money."""
    paused = connection.execute(_PAUSED, {"gateway": attempt.gateway}).scalar_one_or_none()
    if paused is not None:
        raise ChannelPaused(attempt.gateway, paused)
    said = {name: _said(value) for name, value in vars(attempt).items() if name != "payer"}
    values = {"payment": said | {"household_id": NOBODYS, "amount": amount}, "key": asked.key, "body": asked.body_hash}
    row = connection.execute(_BEGIN, values).one_or_none()
    if row is not None:
        connection.execute(_FOR, {"household": NOBODYS, "number": row.number, "pledge": pledge})
    return row


def of_key(connection: Connection, key: bytes) -> str | None:
    """The payment that a key began."""
    return connection.execute(_KEY, {"key": key}).scalar_one_or_none()


def pledge_of(connection: Connection, number: str) -> int | None:
    """For which pledge a payment is, if it is for one."""
    return connection.execute(_PLEDGE, {"household": NOBODYS, "number": number}).scalar_one_or_none()


def _said(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


_PAUSED = text("select words from channel_pause where gateway = :gateway and opened_at is null")
_BEGIN = text("select * from begin_payment(:payment, null, '{}', :key, :body)").bindparams(
    bindparam("payment", type_=JSONB)
)
_FOR = text("insert into pledge_payment (household_id, number, pledge_id) values (:household, :number, :pledge)")
_KEY = text("select number from request_key where key = :key")
_PLEDGE = text("select pledge_id from pledge_payment where household_id = :household and number = :number")
