"""How often a key may act: a counter in the database, so that every process counts together."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from app.access.models import Tally
from core.errors import Refused
from core.vault import Vault

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LOOK_UPS = ((MINUTE, 5), (DAY, 20))  # per caller and per target (A41)
LOGINS = ((MINUTE, 5), (DAY, 50))
NETWORK = ((MINUTE, 60), (DAY, 2000))  # per address: a village behind one router is not an attacker, a flood is
CODES = ((MINUTE, 10), (DAY, 200))
TEXTS = ((MINUTE, 1), (HOUR, 5), (DAY, 10))  # login codes to one phone (A55)
FAMILY = ((DAY, 10),)  # people new to an account
SEARCHES = ((MINUTE, 30), (DAY, 1000))  # somebody of an office: a desk's work, not a district page by page (A50)
READINGS = ((HOUR, 60), (DAY, 200))  # full numbers, and lists taken away


class TooOften(Refused):
    """The limit for this key is reached; the same words whoever asks and whatever exists."""

    status = 429
    text = "查得太频繁了，请过一会儿再试。"


class TextsTooOften(TooOften):
    """One more code for a phone than it is sent."""

    text = "短信要得太勤了：一分钟一条，一小时五条。已经收到的还能用，请先看短信，或者过一会儿再要。"


class LoginsTooOften(TooOften):
    """One more try at a login than it has."""

    text = "登录试得太多了，请过一分钟再试。一天里试得太多，就要等到明天。"


class NetworkTooOften(TooOften):
    """One more from an address than a village behind one router needs."""

    text = "这个网络里办的人太多了，请过一分钟再试。"


class FamilyTooOften(TooOften):
    """One more person new to an account than a day allows."""

    text = "今天添加的人太多了，请明天再添加。"


_SAID: Mapping[tuple[tuple[timedelta, int], ...], type[TooOften]] = {
    TEXTS: TextsTooOften,
    LOGINS: LoginsTooOften,
    NETWORK: NetworkTooOften,
    FAMILY: FamilyTooOften,
}


def count(
    connection: Connection,
    vault: Vault,
    keys: tuple[str, ...],
    limits: tuple[tuple[timedelta, int], ...],
    now: datetime,
) -> None:
    """Count one act for every key (`what:whom`, digested before it is stored) in every window of the system clock.

    TooOften, in the words of its limits, once one is passed. The caller commits even then: refused acts count too."""
    over = False
    for key in sorted(keys):
        for window, most in limits:
            start = datetime.fromtimestamp(
                now.timestamp() // window.total_seconds() * window.total_seconds(), now.tzinfo
            )
            digest = vault.index(f"{key}/{window}", purpose="tally")
            counted = connection.execute(
                insert(Tally)
                .values(key=digest, window_start=start, count=1)
                .on_conflict_do_update(index_elements=[Tally.key, Tally.window_start], set_={"count": Tally.count + 1})
                .returning(Tally.count)
            ).scalar_one()
            over = over or counted > most
    if over:
        raise _SAID.get(limits, TooOften)(", ".join(key.split(":")[0] for key in keys))


def seconds_left(window: timedelta, now: datetime) -> int:
    """Until the window ends that `now` lies in; the begun second counts. Pure."""
    return int(window.total_seconds() - now.timestamp() % window.total_seconds()) + 1


def forget(connection: Connection, *, now: datetime) -> None:
    """Drop windows that ended."""
    connection.execute(delete(Tally).where(Tally.window_start < now - 2 * DAY))
