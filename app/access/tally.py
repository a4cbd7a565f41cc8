"""How often a key may act: a counter in the database, so that every process counts together.

An address is a town's as often as a person's: what counts for it is what failed, and what nobody proved who he is."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.postgresql import insert

from app.access.models import Tally
from core.errors import Refused
from core.vault import Vault

Limits = tuple[tuple[timedelta, int], ...]
Counted = tuple[tuple[bytes, datetime], ...]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LOOK_UPS = ((MINUTE, 5), (DAY, 20))  # failed, per caller (A41)
TARGETS = ((MINUTE, 10), (DAY, 60))  # failed, per number asked for and address: more than one caller can use up
LOGINS = ((MINUTE, 5), (DAY, 50))  # failed, per login and address, or device
NETWORK = ((MINUTE, 600), (DAY, 20_000))  # per address: a town behind one carrier is not an attacker, a flood is
WIDER = 4  # a /56 has as much as four of its /64
CODES = ((MINUTE, 60), (DAY, 2000))  # check codes that nobody has, per address
TEXTS = ((MINUTE, 1), (HOUR, 5), (DAY, 10))  # login codes to one phone, per session or device (A55)
TEXTS_FROM = ((MINUTE, 2), (HOUR, 6), (DAY, 12))  # to one phone, per address
TEXTS_IN_ALL = ((HOUR, 10), (DAY, 20))  # to one phone, whoever asks, but for a device it was proved on
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


_SAID: Mapping[Limits, type[TooOften]] = {
    TEXTS: TextsTooOften,
    TEXTS_FROM: TextsTooOften,
    TEXTS_IN_ALL: TextsTooOften,
    LOGINS: LoginsTooOften,
    NETWORK: NetworkTooOften,
    FAMILY: FamilyTooOften,
}


def count(connection: Connection, vault: Vault, keys: tuple[str, ...], limits: Limits, now: datetime) -> Counted:
    """Count one act for every key (`what:whom`, digested before it is stored) in every window of the system clock.

    What was counted, for `forgive`. TooOften, in the words of its limits, once one is passed. The caller commits even
    then: refused acts count too."""
    over, counted = False, []
    for key in sorted(keys):
        for window, most in limits:
            start = datetime.fromtimestamp(
                now.timestamp() // window.total_seconds() * window.total_seconds(), now.tzinfo
            )
            digest = vault.index(f"{key}/{window}", purpose="tally")
            held = connection.execute(
                insert(Tally)
                .values(key=digest, window_start=start, count=1)
                .on_conflict_do_update(index_elements=[Tally.key, Tally.window_start], set_={"count": Tally.count + 1})
                .returning(Tally.count)
            ).scalar_one()
            counted.append((digest, start))
            over = over or held > most
    if over:
        raise _SAID.get(limits, TooOften)(", ".join(key.split(":")[0] for key in keys))
    return tuple(counted)


def count_at(
    connection: Connection, vault: Vault, act: str, *, network: str, now: datetime, limits: Limits | None = None
) -> Counted:
    """The same for an act from an address, and for what lies around it. NETWORK are its limits if no others are."""
    limits = limits or NETWORK
    near, *wide = around(network)
    counted = count(connection, vault, (f"{act}:{near}",), limits, now)
    for place in wide:
        wider = tuple((window, WIDER * most) for window, most in limits)
        try:
            counted += count(connection, vault, (f"{act}:{place}",), wider, now)
        except TooOften as error:
            raise _SAID.get(limits, TooOften)(*error.args) from None
    return counted


def forgive(connection: Connection, counted: Counted) -> None:
    """It did not fail. Counted first and taken back then: of a hundred guesses at once none is overlooked."""
    for key, start in sorted(counted):
        its = update(Tally).where(Tally.key == key, Tally.window_start == start, Tally.count > 0)
        connection.execute(its.values(count=Tally.count - 1))


def around(network: str) -> tuple[str, ...]:
    """What is counted of an address: itself; of IPv6 the /64, which is one customer's, and the /56 around it. Pure."""
    try:
        address = ip_address(network)
    except ValueError:
        return (network,)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return tuple(str(ip_network((int(address), prefix), strict=False)) for prefix in (64, 56))
    return (str(getattr(address, "ipv4_mapped", None) or address),)


def seconds_left(window: timedelta, now: datetime) -> int:
    """Until the window ends that `now` lies in; the begun second counts. Pure."""
    return int(window.total_seconds() - now.timestamp() % window.total_seconds()) + 1


def forget(connection: Connection, *, now: datetime) -> None:
    """Drop windows that ended."""
    connection.execute(delete(Tally).where(Tally.window_start < now - 2 * DAY))
